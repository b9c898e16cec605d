// Proving an address: by the link of a mail, whose token goes nowhere before a button is pressed, or
// by its code.

import { Faults, Refused, send } from "./api.js"
import { busy, handle, tell, values } from "./form.js"
import { page, say, step, takeToken } from "./page.js"

const token = page.by_link ? takeToken() : undefined

const form = handle("confirm", async ({ email, code, username }) => {
  const proof = token === undefined ? { email, code } : { token }
  try {
    const answer = await send("POST", "/auth/confirm", { ...proof, username })
    const text = { approval: "confirmed_apply" }[answer.next] ?? "confirmed_login"
    document.querySelector('[data-step="done"] [data-sent]').textContent = say(text)
    step("done")
  } catch (error) {
    if (!(error instanceof Refused && error.code === "23505")) throw error
    document.querySelector("[data-username]").hidden = false
    throw new Faults({ username: say("username_taken_link") })
  }
})

document.querySelector("[data-resends]")?.addEventListener("click", () =>
  busy(form, async () => {
    const { email } = values(form)
    if (!email) throw new Faults({ email: say("required") })
    await send("POST", "/auth/confirm/resend", { email })
    tell("confirm-said", say("mail_sent"))
  }),
)
