// `@serenity-kit/opaque` against a running server: registers and logs in, and logs in as somebody
// whom another client registered. Prints a line of JSON for each fact.

import { createRequire } from "node:module";
import process from "node:process";

const [base, other] = process.argv.slice(2);
const require = createRequire(`${process.env.TEST_NODE_MODULES}/`);
const opaque = require("@serenity-kit/opaque");
const word = "a long pass phrase";
const bodies = [];

async function post(path, body) {
  bodies.push(JSON.stringify(body));
  const response = await fetch(base + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const stretching = ({ memory_kib, iterations, parallelism }) => ({
  "argon2id-custom": { memory: memory_kib, iterations, parallelism },
});

async function register(email, username) {
  const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({
    password: word,
  });
  const started = await post("/auth/opaque/register/start", {
    email,
    registration_request: registrationRequest,
  });
  const { registrationRecord } = opaque.client.finishRegistration({
    password: word,
    clientRegistrationState,
    registrationResponse: started.body.registration_response,
    keyStretching: stretching(started.body.key_stretching),
  });
  return post("/auth/opaque/register/finish", {
    registration_id: started.body.registration_id,
    registration_record: registrationRecord,
    username,
  });
}

async function login(identifier, password) {
  const { clientLoginState, startLoginRequest } = opaque.client.startLogin({ password });
  const started = await post("/auth/opaque/login/start", {
    identifier,
    login_request: startLoginRequest,
  });
  const finished = opaque.client.finishLogin({
    password,
    clientLoginState,
    loginResponse: started.body.login_response,
    keyStretching: stretching(started.body.key_stretching),
  });
  if (!finished) return undefined;
  return post("/auth/opaque/login/finish", {
    login_id: started.body.login_id,
    login_finish: finished.finishLoginRequest,
  });
}

async function fact(name, holds) {
  let error = null;
  try {
    if ((await holds()) !== true) error = "it does not hold";
  } catch (thrown) {
    error = String(thrown);
  }
  console.log(JSON.stringify({ name, error }));
}

await opaque.ready;
await fact("registers", async () => (await register("node@example.org", "node")).status === 201);
await fact("logs in", async () => {
  const done = await login("node@example.org", word);
  return done.status === 200 && done.body.next === "done" && done.body.user.username === "node";
});
await fact("has a session", async () => {
  const done = await login("node", word);
  const cookie = done.headers.get("set-cookie").split(";")[0];
  const me = await fetch(`${base}/auth/me`, { headers: { cookie } });
  return (await me.json()).email === "node@example.org";
});
await fact("knows a wrong password", async () => (await login("node", "wrong")) === undefined);
await fact("knows nobody", async () => (await login("nobody", word)) === undefined);
await fact("logs in as another client registered", async () => {
  const done = await login(other, word);
  return done.status === 200 && done.body.user.username === other;
});
await fact("shows the password to nobody", () => !bodies.some((body) => body.includes(word)));
