// Asking the server; every endpoint is open to other front ends, too: docs/identity.md.

import { page, say } from "./page.js"

/** A request that the server refused, or that did not reach it. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, message?: string, errors?: object[]}} body
   * @param {number} wait seconds
   */
  constructor(status, body, wait) {
    super(body.message ?? body.code)
    this.status = status
    this.code = body.code ?? "unknown"
    this.errors = body.errors ?? []
    this.wait = wait
  }
}

/** What is wrong with what somebody typed: sentences by the names of fields. */
export class Faults extends Error {
  /** @param {Record<string, string>} fields */
  constructor(fields) {
    super("faults")
    this.fields = fields
  }
}

let csrf = ""

/** A body's JSON; nothing of what a proxy in between may say in another language. */
function read(text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/**
 * Sends JSON and reads JSON.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export async function send(method, path, body) {
  const headers = { accept: "application/json" }
  if (body !== undefined) headers["content-type"] = "application/json"
  if (csrf !== "") headers["x-csrf-token"] = csrf
  let answer, text
  try {
    answer = await fetch(page.base + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    })
    text = await answer.text()
  } catch {
    throw new Refused(0, { code: "offline" }, 0)
  }
  const said = read(text)
  if (said.csrf_token) csrf = said.csrf_token
  if (!answer.ok) throw new Refused(answer.status, said, Number(answer.headers.get("retry-after") ?? 0))
  return said
}

/** The session's own facts, and its token for what changes something; none without a session. */
export async function session() {
  try {
    return await send("GET", "/auth/session")
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return undefined
    throw error
  }
}

const codes = {
  PGRST301: "session_over",
  csrf_token: "session_over",
  session_required: "session_over",
  42501: "not_allowed",
  cross_site: "not_allowed",
  totp_not_begun: "totp_changed",
  wrong_password: "invalid_grant",
}

/** What to say of a refusal. */
export function inWords(error) {
  if (!(error instanceof Refused)) {
    console.error(error)
    return say("unknown")
  }
  if (error.code === "too_many_attempts") {
    const minutes = Math.ceil(error.wait / 60)
    return say(error.code, { minutes: minutes <= 1 ? say("minute") : say("minutes", { count: minutes }) })
  }
  if (error.code === "23505") return say(`taken_${error.errors[0]?.columns?.[0] ?? "profile"}`)
  return say(codes[error.code] ?? error.code)
}

/**
 * The sentences of a refusal that belong to single fields.
 * @returns {Record<string, string>}
 */
export function ofFields(error) {
  if (error instanceof Faults) return error.fields
  const fields = {}
  if (!(error instanceof Refused)) return fields
  for (const fault of error.errors) {
    for (const column of fault.columns ?? []) fields[column] = say(`taken_${column}`)
    if (!fault.pointer) continue
    const field = fault.pointer.slice(1)
    const own = { email: "email_invalid", username: "username_invalid", password: "password_weak" }
    const known = { required: "required", too_long: "too_long" }
    fields[field] = say(known[fault.code] ?? own[field] ?? "field_invalid")
  }
  return fields
}
