// Making an account, or asking for one.

import { Refused, send } from "./api.js"
import { busy, handle, tell } from "./form.js"
import { element, leave, page, say, step } from "./page.js"
import { logIn, newPassword } from "./proofs.js"
import { chosen } from "./strength.js"

/** Kept until the address is proved, so that the new account is signed in at once. */
let waiting

const sent = (name, text) => {
  for (const place of document.querySelectorAll(`[data-step="${name}"] [data-sent]`)) place.textContent = text
}

async function enter(email, password) {
  try {
    const answer = await logIn(email, password)
    if (answer.next === "done") {
      leave()
      return
    }
  } catch {
    // The account is there; whoever made it can sign in on the page for that.
  }
  sent("done", say("account_made"))
  step("done")
}

async function register(values, form) {
  const { email, again, ...names } = values
  delete names.password
  if (page.mode === "approval") {
    await send("POST", "/auth/invitations", { email, ...names })
    sent("done", say("check_mail_apply", { email }))
    step("done")
    return
  }
  const password = await chosen(form)
  const proof = await newPassword(password, "/auth/opaque/register/start", { email })
  const isOpaque = proof.registration_id !== undefined
  const answer = isOpaque
    ? await send("POST", "/auth/opaque/register/finish", { ...proof, ...names })
    : await send("POST", "/register", { email, ...proof, ...names })
  if (answer.next !== "confirm_email") {
    await enter(email, password)
    return
  }
  waiting = { email, password }
  sent("code", say("check_mail", { email }))
  step("code")
}

if (element("register")) {
  handle("register", register)
  const code = handle("code", async ({ code: digits, username }) => {
    try {
      await send("POST", "/auth/confirm", { email: waiting.email, code: digits, username })
    } catch (error) {
      if (!(error instanceof Refused && error.code === "23505")) throw error
      document.querySelector('[data-step="code"] [data-username]').hidden = false
      throw error
    }
    await enter(waiting.email, waiting.password)
  })
  document.querySelector("[data-resends]").addEventListener("click", () =>
    busy(code, async () => {
      await send("POST", "/auth/confirm/resend", { email: waiting.email })
      tell("code-said", say("mail_sent"))
    }),
  )
}
