// The account's second factors: passkeys, an authenticator app, recovery codes.

import { inWords, send } from "./api.js"
import { handle, tell } from "./form.js"
import { fill, moment } from "./list.js"
import { mine } from "./mine.js"
import { element, say } from "./page.js"
import * as passkeys from "./passkeys.js"
import { proved } from "./prove.js"

/** Does what a button asks for, and says how it went. */
async function act(said, work) {
  tell(said)
  try {
    const text = await work()
    if (text) tell(said, text).focus()
  } catch (error) {
    tell(said, inWords(error), true).focus()
  }
}

/** Codes are shown once, when they are made. */
function showCodes(codes) {
  if (!codes) return
  const items = codes.map((code) => {
    const item = document.createElement("li")
    item.textContent = code
    return item
  })
  element("recovery-codes").replaceChildren(...items)
  element("recovery-shown").hidden = false
  element("recovery-shown").scrollIntoView({ block: "center" })
}

async function loadCodes() {
  const { left } = await send("GET", "/auth/recovery-codes")
  mine.codes = left
  const hasFactor = mine.totp || mine.passkeys > 0
  element("recovery-left").textContent = hasFactor ? say("recovery_left", { count: left }) : say("recovery_none")
  element("recovery-acts").hidden = !hasFactor
}

async function loadPasskeys() {
  const keys = await send("GET", "/auth/passkeys")
  mine.passkeys = keys.length
  const list = element("passkeys-list")
  if (!list) return
  element("passkeys-none").hidden = keys.length > 0
  const things = keys.map((key) => {
    const about = [say("added", { date: moment(key.created_at) })]
    if (key.used_at) about.push(say("used", { date: moment(key.used_at) }))
    if (key.synced) about.push(say("synced"))
    const remove = () =>
      act("passkey-said", async () => {
        if ((await proved(() => send("DELETE", `/auth/passkeys/${key.id}`))) === undefined) return ""
        await loadFactors()
        return say("passkey_removed")
      })
    const label = say("remove_named", { name: key.name })
    return { name: key.name, about: about.join(" · "), act: { text: say("remove"), label, work: remove } }
  })
  fill(list, things)
}

function showTotp(name) {
  for (const place of document.querySelectorAll("[data-totp]")) place.hidden = place.dataset.totp !== name
}

async function loadTotp() {
  const { enabled } = await send("GET", "/auth/totp")
  mine.totp = enabled
  showTotp(enabled ? "on" : "off")
}

/** Reads all of them again. */
export async function loadFactors() {
  await Promise.all([loadPasskeys(), loadTotp()])
  await loadCodes()
}

if (element("passkey")) {
  element("passkeys-section").hidden = !passkeys.arePossible()
  handle("passkey", async ({ name }, form) => {
    const begun = await proved(() => send("POST", "/auth/passkeys/start"))
    if (!begun) return
    const credential = await passkeys.create(begun.options)
    const made = await send("POST", "/auth/passkeys", {
      registration_id: begun.registration_id,
      credential,
      name: name ?? say("passkey_default"),
    })
    form.reset()
    await loadFactors()
    showCodes(made.recovery_codes)
    tell("passkey-said", say("passkey_added")).focus()
  })
}

element("totp-add").addEventListener("click", () =>
  act("totp-said", async () => {
    const begun = await proved(() => send("POST", "/auth/totp"))
    if (!begun) return
    element("totp-image").src = `data:image/svg+xml,${encodeURIComponent(begun.qr_svg)}`
    element("totp-secret").textContent = begun.secret.replace(/(.{4})(?=.)/g, "$1 ")
    showTotp("setup")
    element("totp-code").focus()
  }),
)

handle("totp", async ({ code }, form) => {
  const done = await proved(() => send("POST", "/auth/totp/confirm", { code: code.replace(/\s/g, "") }))
  if (!done) return
  form.reset()
  await loadFactors()
  showCodes(done.recovery_codes)
  tell("totp-said", say("totp_enabled_now")).focus()
})

element("totp-remove").addEventListener("click", () =>
  act("totp-said", async () => {
    if ((await proved(() => send("DELETE", "/auth/totp"))) === undefined) return ""
    await loadFactors()
    return say("totp_disabled_now")
  }),
)

element("recovery-renew").addEventListener("click", () =>
  act("recovery-said", async () => {
    const made = await proved(() => send("POST", "/auth/recovery-codes"))
    if (made) showCodes(made.recovery_codes)
    await loadCodes()
    return ""
  }),
)
element("recovery-kept").addEventListener("click", () => {
  element("recovery-shown").hidden = true
  element("recovery-codes").replaceChildren()
  element("recovery-title").closest("section").querySelector("button:not([hidden])").focus()
})

export { act }
