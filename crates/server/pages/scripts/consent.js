// What an app asks for: yes or no.

import { send, session } from "./api.js"
import { busy, handle } from "./form.js"
import { element, leave, page } from "./page.js"

async function decide(decision) {
  await session()
  const { next } = await send("POST", `/oauth2/consent/${page.flow}`, { decision })
  leave(next)
}

handle("consent", () => decide("allow"))

element("consent-deny").addEventListener("click", () => busy(element("consent"), () => decide("deny")))
