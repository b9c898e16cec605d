// Signing in: by password or passkey, then by the second factor where one is owed.

import { Refused, send } from "./api.js"
import { busy, handle, tell } from "./form.js"
import { element, leave, say, step } from "./page.js"
import * as passkeys from "./passkeys.js"
import { logIn } from "./proofs.js"

/** A passkey among the names that the browser fills in; one question at a time is allowed. */
let offer

/** The login whose second factor is owed. */
let owed

function go(answer) {
  if (answer.next === "done") {
    leave()
    return
  }
  owed = answer
  const factors = answer.factors.filter((factor) => factor !== "passkey" || passkeys.arePossible())
  choose(factors[0], factors)
}

/** Shows one factor's field, and buttons for the others. */
function choose(factor, factors) {
  for (const place of document.querySelectorAll("[data-factor]")) place.hidden = place.dataset.factor !== factor
  for (const button of document.querySelectorAll("[data-takes]")) {
    const name = button.dataset.takes
    button.hidden = !factors.includes(name) || (name === factor && name !== "passkey")
    button.classList.toggle("second", name !== factor)
  }
  document.querySelector("[data-sends]").hidden = factor === "passkey"
  tell("factor-said")
  step("factor")
}

async function finish(proof) {
  try {
    go(await send("POST", "/auth/session/factor", { login_id: owed.login_id, ...proof }))
  } catch (error) {
    if (!(error instanceof Refused && error.code === "flow_unknown")) throw error
    step("password")
    tell("login-said", say("flow_unknown"), true)
  }
}

const withdraw = () => offer?.abort()

const login = handle("login", async ({ identifier, password }) => {
  withdraw()
  go(await logIn(identifier, password))
})

handle("factor", async ({ code, recovery_code }) => {
  await finish(code ? { code } : { recovery_code })
})

for (const button of document.querySelectorAll("[data-takes]")) {
  button.addEventListener("click", () => {
    const factor = button.dataset.takes
    if (factor !== "passkey") {
      choose(factor, owed.factors)
      return
    }
    busy(element("factor"), async () => finish(await passkeys.show({ login_id: owed.login_id })))
  })
}

/** Asked again before the server has forgotten its question. */
const RENEWED = 4 * 60 * 1000

async function offerPasskeys() {
  if (!(await passkeys.areOffered())) return
  offer = new AbortController()
  const own = offer
  const renewed = setTimeout(() => {
    own.abort()
    offerPasskeys()
  }, RENEWED)
  try {
    go(await passkeys.logIn({ mediation: "conditional", signal: own.signal }))
  } catch (error) {
    // Nobody asked for this one by a button, so a refusal is said only when a passkey was shown.
    const isSilent = error instanceof Refused && ["passkey_cancelled", "offline"].includes(error.code)
    if (!isSilent) busy(login, () => Promise.reject(error))
  } finally {
    clearTimeout(renewed)
  }
}

const button = element("login-passkey")
if (button && passkeys.arePossible()) {
  button.hidden = false
  button.addEventListener("click", () => {
    withdraw()
    busy(login, async () => go(await passkeys.logIn()))
  })
  offerPasskeys()
}

const register = element("to-register")
if (register) register.search = location.search
