// `openid-client` (npm, strict) and `jose` against a running server, as their documentation uses
// them. A browser is played by fetch with cookies. Prints a line of JSON for each fact.

import { createRequire } from "node:module";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [base, id, secret, person] = process.argv.slice(2);
const require = createRequire(`${process.env.TEST_NODE_MODULES}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const oidc = await load("openid-client");
const jose = await load("jose");
const redirectUri = "http://localhost:9/callback";
const word = "a long pass phrase";

function tell(fact, error = null) {
  console.log(JSON.stringify({ fact, error }));
}

async function fact(name, work) {
  try {
    const result = await work();
    tell(name);
    return result;
  } catch (error) {
    tell(name, `${error.stack ?? error} ${JSON.stringify(error.cause ?? null)}`);
    throw error;
  }
}

function same(actual, expected) {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${one} is not ${other}`);
}

async function refused(promise, error) {
  try {
    await promise;
  } catch (failure) {
    const told = failure.error ?? failure.cause?.error ?? failure.cause?.body?.error;
    if (told === error) return;
    throw new Error(`${told} instead of ${error}: ${failure}`);
  }
  throw new Error(`it was not refused with ${error}`);
}

// A browser: cookies, and no redirect followed by itself.
class Browser {
  cookies = new Map();
  csrf = "";

  async fetch(address, init = {}) {
    const cookie = [...this.cookies].map((pair) => pair.join("=")).join("; ");
    const headers = { ...init.headers, ...(cookie ? { cookie } : {}) };
    const response = await fetch(new URL(address, base), { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      this.cookies.set(name, value);
    }
    return response;
  }

  async post(address, body) {
    const headers = { "content-type": "application/json", "x-csrf-token": this.csrf };
    const response = await this.fetch(address, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const said = await response.json();
    if (!response.ok) throw new Error(`${address}: ${JSON.stringify(said)}`);
    return said;
  }

  // Follows an authorization request to the client's address, doing what is asked for on the way.
  async authorize(address, decision = "allow") {
    for (let steps = 0; steps < 8; steps += 1) {
      const response = await this.fetch(address);
      if (response.status !== 303) throw new Error(`${response.status} ${await response.text()}`);
      const next = new URL(response.headers.get("location"), base);
      if (next.href.startsWith(redirectUri)) return next;
      if (next.pathname === "/auth/login") {
        const session = await this.post("/auth/session", { identifier: person, password: word });
        this.csrf = session.csrf_token;
        address = next.searchParams.get("next");
      } else if (next.pathname === "/auth/consent") {
        const flow = next.searchParams.get("flow");
        const said = await this.post(`/oauth2/consent/${flow}`, { decision });
        address = said.next;
      } else {
        throw new Error(`sent to ${next}`);
      }
    }
    throw new Error("it goes round in circles");
  }
}

const scope = "openid profile email offline_access data:read data:write";
const browser = new Browser();

const config = await fact("discovery", async () => {
  const config = await oidc.discovery(new URL(base), id, secret || undefined, undefined, {
    execute: [oidc.allowInsecureRequests],
  });
  oidc.enableNonRepudiationChecks(config);
  return config;
});

async function request(more = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    idTokenExpected: true,
  };
  const parameters = {
    redirect_uri: redirectUri,
    scope,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  };
  return { checks, parameters };
}

const [tokens, used] = await fact("code and PKCE", async () => {
  const { checks, parameters } = await request();
  const url = oidc.buildAuthorizationUrl(config, parameters);
  const answer = await browser.authorize(url.href);
  const tokens = await oidc.authorizationCodeGrant(config, answer, checks);
  same(tokens.token_type, "bearer");
  same(tokens.scope, scope);
  return [tokens, { answer, checks }];
});

await fact("claims of the ID token", async () => {
  const claims = tokens.claims();
  same(claims.aud, id);
  same(claims.email, `${person}@example.org`);
  same(claims.email_verified, false);
  same(claims.preferred_username, person);
  same(claims.amr, ["pwd"]);
  same(claims.acr, "single");
  // What hooks/before_token.sql says.
  same(claims.nickname, `${person} for ${id}`);
});

await fact("jose verifies both tokens", async () => {
  const metadata = config.serverMetadata();
  const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
  const access = await jose.jwtVerify(tokens.access_token, keys, {
    issuer: metadata.issuer,
    audience: base,
    typ: "at+jwt",
    requiredClaims: ["sub", "client_id", "scope", "iat", "exp", "jti"],
  });
  same(access.payload.client_id, id);
  same(access.payload.exp - access.payload.iat, tokens.expires_in);
  if (tokens.expires_in > 3600) throw new Error("it lives too long");
  same(access.payload.nickname, `${person} for ${id}`);
  await jose.jwtVerify(tokens.id_token, keys, { issuer: metadata.issuer, audience: id });
});

await fact("userinfo", async () => {
  const claims = tokens.claims();
  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  same(info.email, `${person}@example.org`);
  const nobody = await fetch(config.serverMetadata().userinfo_endpoint);
  same(nobody.status, 401);
});

await fact("the data API", async () => {
  const read = await oidc.fetchProtectedResource(
    config,
    tokens.access_token,
    new URL("/api/notes", base),
    "GET",
  );
  same(read.status, 200);
});

const refreshed = await fact("refresh", async () => {
  // Two tabs at once.
  const [refreshed, again] = await Promise.all([
    oidc.refreshTokenGrant(config, tokens.refresh_token),
    oidc.refreshTokenGrant(config, tokens.refresh_token),
  ]);
  if (refreshed.refresh_token === tokens.refresh_token) throw new Error("it was not rotated");
  same(refreshed.claims().sub, tokens.claims().sub);
  same(again.refresh_token, refreshed.refresh_token);
  return refreshed;
});

await fact("narrowed", async () => {
  const narrowed = await oidc.refreshTokenGrant(config, refreshed.refresh_token, {
    scope: "openid data:read",
  });
  same(narrowed.scope, "openid data:read");
  const written = await fetch(new URL("/api/notes", base), {
    method: "POST",
    headers: {
      authorization: `Bearer ${narrowed.access_token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ id: 7, body: "x" }),
  });
  same(written.status, 403);
  same((await written.json()).code, "insufficient_scope");
  tokens.latest = narrowed;
});

if (secret) {
  await fact("introspection", async () => {
    const known = await oidc.tokenIntrospection(config, tokens.latest.access_token);
    same([known.active, known.client_id], [true, id]);
    const unknown = await oidc.tokenIntrospection(config, "garbage");
    same(unknown, { active: false });
  });
}

await fact("pushed", async () => {
  const { checks, parameters } = await request();
  const url = await oidc.buildAuthorizationUrlWithPAR(config, parameters);
  same([...url.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const answer = await browser.authorize(url.href);
  await oidc.authorizationCodeGrant(config, answer, checks);
});

await fact("signed as a whole", async () => {
  const jarm = await oidc.discovery(new URL(base), id, secret || undefined, undefined, {
    execute: [oidc.allowInsecureRequests, oidc.useJwtResponseMode],
  });
  const { checks, parameters } = await request();
  const answer = await browser.authorize(oidc.buildAuthorizationUrl(jarm, parameters).href);
  same([...answer.searchParams.keys()], ["response"]);
  await oidc.authorizationCodeGrant(jarm, answer, checks);
});

await fact("bound to a key", async () => {
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  const { checks, parameters } = await request();
  const answer = await browser.authorize(oidc.buildAuthorizationUrl(config, parameters).href);
  const bound = await oidc.authorizationCodeGrant(config, answer, checks, undefined, { DPoP });
  same(bound.token_type, "dpop");
  const notes = new URL("/api/notes", base);
  const read = await oidc.fetchProtectedResource(
    config,
    bound.access_token,
    notes,
    "GET",
    undefined,
    undefined,
    { DPoP },
  );
  same(read.status, 200);
  await oidc.fetchUserInfo(config, bound.access_token, bound.claims().sub, { DPoP });
  // Stolen, it is worth nothing.
  const stolen = await fetch(notes, { headers: { authorization: `Bearer ${bound.access_token}` } });
  same(stolen.status, 401);
  await oidc.refreshTokenGrant(config, bound.refresh_token, undefined, { DPoP });
  if (!secret) await refused(oidc.refreshTokenGrant(config, bound.refresh_token), "invalid_grant");
});

await fact("silently", async () => {
  const { checks, parameters } = await request({ prompt: "none" });
  const answer = await browser.authorize(oidc.buildAuthorizationUrl(config, parameters).href);
  await oidc.authorizationCodeGrant(config, answer, checks);
  const stranger = new Browser();
  const url = oidc.buildAuthorizationUrl(config, (await request({ prompt: "none" })).parameters);
  const none = await stranger.authorize(url.href);
  same(none.searchParams.get("error"), "login_required");
});

await fact("revocation", async () => {
  // The token before will do: the newest may never have arrived.
  await oidc.tokenRevocation(config, refreshed.refresh_token);
  await refused(oidc.refreshTokenGrant(config, tokens.latest.refresh_token), "invalid_grant");
  const read = await fetch(new URL("/api/notes", base), {
    headers: { authorization: `Bearer ${tokens.latest.access_token}` },
  });
  same(read.status, 401);
  await oidc.tokenRevocation(config, "garbage");
});

await fact("a code is good once", async () => {
  const { checks, parameters } = await request();
  const answer = await browser.authorize(oidc.buildAuthorizationUrl(config, parameters).href);
  const first = await oidc.authorizationCodeGrant(config, answer, checks);
  await refused(oidc.authorizationCodeGrant(config, answer, checks), "invalid_grant");
  // What the first use gave is over.
  await refused(oidc.refreshTokenGrant(config, first.refresh_token), "invalid_grant");
  await refused(oidc.authorizationCodeGrant(config, used.answer, used.checks), "invalid_grant");
});

await fact("logout", async () => {
  const { checks, parameters } = await request({ scope: "openid" });
  const answer = await browser.authorize(oidc.buildAuthorizationUrl(config, parameters).href);
  const session = await oidc.authorizationCodeGrant(config, answer, checks);
  same([session.claims().email, session.claims().name], [undefined, undefined]);
  const url = oidc.buildEndSessionUrl(config, {
    id_token_hint: session.id_token,
    post_logout_redirect_uri: "http://localhost:9/bye",
    state: "later",
  });
  const response = await browser.fetch(url.href);
  same(response.headers.get("location"), "http://localhost:9/bye?state=later");
  const asked = await browser.fetch(oidc.buildAuthorizationUrl(config, parameters).href);
  same(new URL(asked.headers.get("location"), base).pathname, "/auth/login");
  // What was not for longer ended with the session.
  await refused(oidc.refreshTokenGrant(config, session.refresh_token), "invalid_grant");
});
