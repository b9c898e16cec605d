// A new password for who has lost the old one: by link or by code.

import { send } from "./api.js"
import { handle } from "./form.js"
import { page, say, step, takeToken } from "./page.js"
import { newPassword } from "./proofs.js"
import { chosen } from "./strength.js"

const token = page.by_link ? takeToken() : undefined
let email

const sent = (name, text) => {
  document.querySelector(`[data-step="${name}"] [data-sent]`).textContent = text
}

if (!page.by_link) {
  handle("ask", async (values) => {
    email = values.email
    await send("POST", "/auth/reset", { email })
    sent("set", say("check_mail", { email }))
    step("set")
  })
}

handle("set", async ({ code }, form) => {
  const password = await chosen(form)
  const proof = token === undefined ? { email, code } : { token }
  const secret = await newPassword(password, "/auth/reset/start", proof)
  await send("POST", "/auth/reset/finish", { ...proof, ...secret })
  sent("done", say("password_set"))
  step("done")
})
