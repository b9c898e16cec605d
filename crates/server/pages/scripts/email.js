// Moving to another address, by the link that was sent there.

import { send, session } from "./api.js"
import { handle } from "./form.js"
import { say, step, takeToken } from "./page.js"

const token = takeToken()

handle("email", async () => {
  await session()
  const { email } = await send("POST", "/auth/email/confirm", { token })
  document.querySelector('[data-step="done"] [data-sent]').textContent = say("email_set", { email })
  step("done")
})
