// Proving who one is once more: what changes how somebody signs in asks for proofs of the last minutes.

import { Refused, send } from "./api.js"
import { busy, handle, tell, values } from "./form.js"
import { element } from "./page.js"
import * as passkeys from "./passkeys.js"
import { stepUp } from "./proofs.js"
import { mine } from "./mine.js"

const dialog = element("prove")
const form = element("prove-form")

/** Ends the dialog: true when all was proved. */
let end = () => {}

async function byPassword() {
  const { password, code } = values(form)
  if (password) await stepUp(mine.me.sign_in, mine.me.email, password)
  if (!code) return
  const isApp = mine.totp && /^[\d\s]{6,8}$/.test(code)
  await send("POST", "/auth/session/step-up", isApp ? { code } : { recovery_code: code })
}

function prepare() {
  const hasPasskey = mine.passkeys > 0 && passkeys.arePossible()
  const hasPassword = mine.me.sign_in !== null
  const hasCode = mine.totp || (mine.passkeys > 0 && mine.codes > 0)
  element("prove-passkey").hidden = !hasPasskey
  element("prove-or").hidden = !(hasPasskey && hasPassword)
  element("prove-by-password").hidden = !hasPassword
  element("prove-by-code").hidden = !hasCode
  element("prove-go").hidden = !hasPassword && !hasCode
  for (const input of form.querySelectorAll("input[aria-describedby]")) input.value = ""
  tell("prove-said")
}

function ask() {
  prepare()
  dialog.showModal()
  const first = [element("prove-password"), element("prove-passkey")].find((one) => one.offsetParent !== null)
  first?.focus()
  return new Promise((resolve) => {
    end = (isProved) => {
      end = () => {}
      dialog.close()
      resolve(isProved)
    }
  })
}

handle("prove-form", async () => {
  await byPassword()
  end(true)
})
element("prove-passkey").addEventListener("click", () =>
  busy(form, async () => {
    await send("POST", "/auth/session/step-up", await passkeys.show({ step_up: true }))
    end(true)
  }),
)
element("prove-cancel").addEventListener("click", () => end(false))
dialog.addEventListener("cancel", () => end(false))

/**
 * Does something; where a fresh proof is asked for, asks for it and does it again.
 * @param {() => Promise<T>} work
 * @returns {Promise<T | undefined>} nothing where the reader would not prove it
 * @template T
 */
export async function proved(work) {
  try {
    return await work()
  } catch (error) {
    const isAsked = error instanceof Refused && error.code === "reauthentication_required"
    if (!isAsked) throw error
  }
  return (await ask()) ? work() : undefined
}
