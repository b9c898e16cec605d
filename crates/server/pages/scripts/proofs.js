// Passwords: proved and set by OPAQUE (RFC 9807), so that the server never sees them; and as they
// are where the server stores hashes.

import { Refused, send } from "./api.js"
import { page } from "./page.js"
import { asking } from "./worker.js"

const ask = asking("opaque-worker.js")
const opaque = (act, input) => ask({ act, input })

/** The same keys pressed on two systems give the same bytes (RFC 8265 §4.2.2, OpaqueString). */
const normal = (password) => password.replace(/\p{Zs}/gu, " ").normalize("NFC")

const stretching = ({ memory_kib, iterations, parallelism }) => ({
  "argon2id-custom": { memory: memory_kib, iterations, parallelism },
})

const wrong = () => new Refused(401, { code: "invalid_grant" }, 0)

/** The message that proves the password: `login_id` and `login_finish`. */
async function prove(identifier, password) {
  const { clientLoginState, startLoginRequest } = await opaque("startLogin", { password })
  const begun = await send("POST", "/auth/opaque/login/start", {
    identifier,
    login_request: startLoginRequest,
  })
  const finished = await opaque("finishLogin", {
    password,
    clientLoginState,
    loginResponse: begun.login_response,
    keyStretching: stretching(begun.key_stretching),
  })
  if (!finished) throw wrong()
  return { login_id: begun.login_id, login_finish: finished.finishLoginRequest }
}

const ways = {
  opaque: {
    login: async (identifier, password) => send("POST", "/auth/opaque/login/finish", await prove(identifier, password)),
    stepUp: async (identifier, password) => send("POST", "/auth/session/step-up", await prove(identifier, password)),
  },
  plain: {
    login: (identifier, password) => send("POST", "/auth/session", { identifier, password }),
    stepUp: (_, password) => send("POST", "/auth/session/step-up", { password }),
  },
}

/**
 * Signs in. Which kind of password an account has is told to nobody, so where both kinds occur both
 * ways are tried.
 */
export async function logIn(identifier, password) {
  const word = normal(password)
  for (const [place, method] of page.methods.entries()) {
    try {
      return await ways[method].login(identifier, word)
    } catch (error) {
      const isWrong = error instanceof Refused && error.code === "invalid_grant"
      if (!isWrong || place === page.methods.length - 1) throw error
    }
  }
  throw wrong()
}

/** Proves the password again to a session. */
export function stepUp(method, identifier, password) {
  return ways[method].stepUp(identifier, normal(password))
}

/**
 * What sets a new password: members of the body that ends the flow which `path` begins.
 * @param {string} password
 * @param {string} path
 * @param {object} body
 */
export async function newPassword(password, path, body) {
  const word = normal(password)
  if (page.new_password === "plain") return { password: word }
  const { clientRegistrationState, registrationRequest } = await opaque("startRegistration", { password: word })
  const begun = await send("POST", path, { ...body, registration_request: registrationRequest })
  const { registrationRecord } = await opaque("finishRegistration", {
    password: word,
    clientRegistrationState,
    registrationResponse: begun.registration_response,
    keyStretching: stretching(begun.key_stretching),
  })
  return { registration_id: begun.registration_id, registration_record: registrationRecord }
}
