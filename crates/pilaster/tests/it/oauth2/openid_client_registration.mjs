// `openid-client` (npm) registers itself. Prints a line of JSON for each fact.
// node openid_client_registration.mjs BASE TOKEN

import { createRequire } from "node:module";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [base, initialAccessToken] = process.argv.slice(2);
const require = createRequire(`${process.env.TEST_NODE_MODULES}/`);
const oidc = await import(pathToFileURL(require.resolve("openid-client")));

async function fact(name, work) {
  try {
    const result = await work();
    console.log(JSON.stringify({ fact: name, error: null }));
    return result;
  } catch (error) {
    const told = `${error.stack ?? error} ${JSON.stringify(error.cause ?? null)}`;
    console.log(JSON.stringify({ fact: name, error: told }));
    throw error;
  }
}

function same(actual, expected) {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${one} is not ${other}`);
}

const config = await fact("registration", async () => {
  const metadata = {
    client_name: "A program of somebody's own",
    redirect_uris: ["http://localhost:9/callback"],
    grant_types: ["authorization_code", "refresh_token"],
    token_endpoint_auth_method: "client_secret_post",
    id_token_signed_response_alg: "EdDSA",
  };
  const options = { initialAccessToken, execute: [oidc.allowInsecureRequests] };
  return oidc.dynamicClientRegistration(new URL(base), metadata, undefined, options);
});

await fact("it proves who it is", async () => {
  const client = config.clientMetadata();
  same(client.id_token_signed_response_alg, "EdDSA");
  same((await oidc.tokenIntrospection(config, "no token")).active, false);
  const pushed = await oidc.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: "http://localhost:9/callback",
    scope: "openid email",
    code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
    code_challenge_method: "S256",
  });
  same(pushed.searchParams.get("client_id"), client.client_id);
});
