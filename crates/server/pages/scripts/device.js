// A device shows a code: who is it, what does it ask for, and yes or no.

import { send, session } from "./api.js"
import { busy, handle } from "./form.js"
import { element, page, step } from "./page.js"

/** The code of the device that is looked at. */
let code = ""

/** Items of a list. */
function list(texts) {
  return texts.map((text) => {
    const item = document.createElement("li")
    item.textContent = text
    return item
  })
}

handle("device", async ({ code: typed }) => {
  await session()
  const asked = await send("POST", "/oauth2/device", { user_code: typed })
  code = asked.user_code
  element("device-client").textContent = asked.client.name
  element("device-shown").textContent = code
  element("device-scopes").replaceChildren(...list(asked.scopes.map((scope) => page.scopes[scope] ?? scope)))
  step("asking")
})

async function decide(decision) {
  await session()
  await send("POST", "/oauth2/device/decision", { user_code: code, decision })
  step(decision === "allow" ? "done" : "denied")
}

handle("decision", () => decide("allow"))

element("device-deny").addEventListener("click", () => busy(element("decision"), () => decide("deny")))
