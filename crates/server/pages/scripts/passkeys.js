// Passkeys: between the server's JSON and the browser's buffers.

import { Refused, send } from "./api.js"
import { page } from "./page.js"

/** Whether this browser and this address can have passkeys. */
export const arePossible = () => page.passkeys && window.PublicKeyCredential !== undefined

function toBytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}

function toText(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer))
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
}

const described = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }))

const cancelled = () => new Refused(0, { code: "passkey_cancelled" }, 0)

/** What a browser refuses of its own accord, as one of ours. */
async function asked(question) {
  try {
    const credential = await question()
    if (!credential) throw cancelled()
    return credential
  } catch (error) {
    if (error.name === "InvalidStateError") throw new Refused(0, { code: "passkey_known" }, 0)
    if (error.name === "NotAllowedError" || error.name === "AbortError") throw cancelled()
    throw error
  }
}

/** Makes a passkey from the server's `options`; gives it as JSON. */
export async function create(options) {
  const { publicKey } = options
  const credential = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        ...publicKey,
        challenge: toBytes(publicKey.challenge),
        user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
        excludeCredentials: described(publicKey.excludeCredentials),
      },
    }),
  )
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: {
      attestationObject: toText(credential.response.attestationObject),
      clientDataJSON: toText(credential.response.clientDataJSON),
      transports: credential.response.getTransports?.() ?? [],
    },
    extensions: credential.getClientExtensionResults(),
  }
}

/** Asks for a passkey by the server's `options`; gives its answer as JSON. */
async function get(options, more = {}) {
  const { publicKey } = options
  const credential = await asked(() =>
    navigator.credentials.get({
      ...more,
      publicKey: {
        ...publicKey,
        challenge: toBytes(publicKey.challenge),
        allowCredentials: described(publicKey.allowCredentials),
      },
    }),
  )
  const { response } = credential
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: {
      authenticatorData: toText(response.authenticatorData),
      clientDataJSON: toText(response.clientDataJSON),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
    extensions: credential.getClientExtensionResults(),
  }
}

/**
 * `passkey_id` and `credential` of whichever passkey somebody shows.
 * @param {{login_id?: string, step_up?: boolean}} body
 */
export async function show(body, more) {
  const begun = await send("POST", "/auth/passkeys/login/start", body)
  const credential = await get(begun.options, more)
  return { passkey_id: begun.passkey_id, credential }
}

/** Signs in without a name. */
export async function logIn(more) {
  return send("POST", "/auth/passkeys/login/finish", await show({}, more))
}

/** Whether a browser offers passkeys among the names that it fills in. */
export async function areOffered() {
  const ask = window.PublicKeyCredential?.isConditionalMediationAvailable
  return arePossible() && ask !== undefined && (await ask.call(window.PublicKeyCredential))
}
