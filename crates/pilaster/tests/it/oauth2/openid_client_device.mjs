// The device grant of `openid-client` (npm), as its documentation uses it; a person is played by fetch.
// Prints a line of JSON for each fact. node openid_client_device.mjs BASE CLIENT_ID PERSON

import { createRequire } from "node:module";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [base, id, person] = process.argv.slice(2);
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

/** Signs in, looks at the code and answers. */
async function say(user_code, decision) {
  const json = { "content-type": "application/json" };
  const begun = await fetch(`${base}/auth/session`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ identifier: person, password: "a long pass phrase" }),
  });
  const cookie = begun.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  const { csrf_token } = await begun.json();
  const headers = { ...json, cookie, "x-csrf-token": csrf_token };
  const post = async (path, body) => {
    const answer = await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(JSON.stringify(said));
    return said;
  };
  const shown = await post("/oauth2/device", { user_code });
  await post("/oauth2/device/decision", { user_code: shown.user_code, decision });
}

const config = await fact("discovery", async () => {
  const config = await oidc.discovery(new URL(base), id, undefined, oidc.None(), {
    execute: [oidc.allowInsecureRequests],
  });
  oidc.enableNonRepudiationChecks(config);
  const metadata = config.serverMetadata();
  same(metadata.device_authorization_endpoint, `${base}/oauth2/device_authorization`);
  const grant = "urn:ietf:params:oauth:grant-type:device_code";
  same(metadata.grant_types_supported.includes(grant), true);
  return config;
});

const tokens = await fact("yes", async () => {
  const device = await oidc.initiateDeviceAuthorization(config, { scope: "openid email data:read" });
  const polling = oidc.pollDeviceAuthorizationGrant(config, device);
  await say(device.user_code, "allow");
  const tokens = await polling;
  same(tokens.claims().email, `${person}@example.org`);
  same(tokens.scope, "openid email data:read");
  return tokens;
});

await fact("refresh", async () => {
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  const claims = refreshed.claims();
  same(claims.sub, tokens.claims().sub);
  const info = await oidc.fetchUserInfo(config, refreshed.access_token, claims.sub);
  same(info.email, `${person}@example.org`);
});

await fact("no", async () => {
  const device = await oidc.initiateDeviceAuthorization(config, { scope: "openid" });
  const polling = oidc.pollDeviceAuthorizationGrant(config, device);
  const told = polling.then(() => "tokens", (failure) => failure.error);
  await say(device.user_code, "deny");
  same(await told, "access_denied");
});
