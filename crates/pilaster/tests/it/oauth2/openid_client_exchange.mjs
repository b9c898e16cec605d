// The exchange of tokens by `openid-client` (npm), bound to keys and free. A device brings the first
// token. Prints a line of JSON for each fact.
// node openid_client_exchange.mjs BASE DEVICE_ID CLIENT_ID CLIENT_SECRET PERSON

import { createRequire } from "node:module";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [base, deviceId, id, secret, person] = process.argv.slice(2);
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

const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
const kind = "urn:ietf:params:oauth:token-type:access_token";
const open = { execute: [oidc.allowInsecureRequests] };
const discover = (client, secret, auth) => oidc.discovery(new URL(base), client, secret, auth, open);
const config = await discover(id, secret, undefined);
const device = await discover(deviceId, undefined, oidc.None());

/** The device's token, bound to a key or free. */
async function first(options) {
  const begun = await oidc.initiateDeviceAuthorization(device, { scope: "openid email data:read" });
  const polling = oidc.pollDeviceAuthorizationGrant(device, begun, undefined, options);
  await say(begun.user_code, "allow");
  return polling;
}

const exchanged = (token, options) => {
  const parameters = { subject_token: token, subject_token_type: kind, scope: "data:read" };
  return oidc.genericGrantRequest(config, grant, parameters, options);
};

await fact("a token that is free", async () => {
  same(config.serverMetadata().grant_types_supported.includes(grant), true);
  const tokens = await first();
  const narrow = await exchanged(tokens.access_token);
  same([narrow.scope, narrow.issued_token_type], ["data:read", kind]);
  const address = new URL("/api/notes", base);
  const read = await oidc.fetchProtectedResource(config, narrow.access_token, address, "GET");
  same(read.status, 200);
});

const keys = oidc.getDPoPHandle(device, await oidc.randomDPoPKeyPair("ES256"));
const bound = await fact("a token that is bound gives none that is free", async () => {
  const tokens = await first({ DPoP: keys });
  same(tokens.token_type, "dpop");
  const told = await exchanged(tokens.access_token).then(() => "a token", (failure) => failure.error);
  same(told, "invalid_request");
  return tokens;
});

await fact("it gives one that is bound to the key of who goes on with it", async () => {
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
  const narrow = await exchanged(bound.access_token, { DPoP });
  same(narrow.token_type, "dpop");
  const address = new URL("/api/notes", base);
  const ask = (options) =>
    oidc.fetchProtectedResource(config, narrow.access_token, address, "GET", undefined, undefined, options);
  same((await ask({ DPoP })).status, 200);
  const free = await fetch(address, { headers: { authorization: `Bearer ${narrow.access_token}` } });
  same(free.status, 401);
});
