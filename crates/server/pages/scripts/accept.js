// Making the account of an invitation, or that of the first administrator.

import { send } from "./api.js"
import { handle } from "./form.js"
import { leave, say, step, takeToken } from "./page.js"
import { logIn, newPassword } from "./proofs.js"
import { chosen } from "./strength.js"

const isFirst = document.body.classList.contains("administrator")
const noun = isFirst ? "/auth/administrator" : "/auth/invitations"
const token = takeToken()

handle("accept", async ({ username, display_name }, form) => {
  const password = await chosen(form)
  const secret = await newPassword(password, `${noun}/start`, { token })
  const end = isFirst ? noun : `${noun}/accept`
  const { email } = await send("POST", end, { token, username, display_name, ...secret })
  try {
    const answer = await logIn(email, password)
    if (answer.next === "done") {
      leave()
      return
    }
  } catch {
    // The account is there; whoever made it can sign in on the page for that.
  }
  document.querySelector('[data-step="done"] [data-sent]').textContent = say("account_made")
  step("done")
})
