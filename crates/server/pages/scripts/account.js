// What somebody may do with the own account.

import { Faults, send, session } from "./api.js"
import { act, loadFactors } from "./factors.js"
import { handle, tell } from "./form.js"
import { fill, moment } from "./list.js"
import { mine } from "./mine.js"
import { element, leave, page, say } from "./page.js"
import { newPassword } from "./proofs.js"
import { proved } from "./prove.js"
import { chosen, empty } from "./strength.js"

const toLogin = () => leave(`${page.base}/auth/login`)

/** A browser and its system, as people call them. */
function device(agent) {
  const browsers = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]]
  const systems = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS X", "macOS"], ["CrOS", "ChromeOS"], ["Linux", "Linux"]]
  const named = (list) => list.find(([mark]) => agent.includes(mark))?.[1]
  const found = [named(browsers), named(systems)].filter(Boolean)
  return found.length > 0 ? found.join(" · ") : agent.split(" ")[0] || say("session_unknown_device")
}

async function loadSessions() {
  const all = await send("GET", "/auth/sessions")
  all.sort((one, other) => Number(other.current) - Number(one.current))
  const things = all.map((one) => {
    const name = device(one.user_agent ?? "")
    const seen = one.current ? say("session_here") : say("session_seen", { date: moment(one.seen_at) })
    const about = [seen, one.address].filter(Boolean).join(" · ")
    if (one.current) return { name, about }
    const work = () =>
      act("sessions-said", async () => {
        await send("DELETE", `/auth/sessions/${one.id}`)
        await loadSessions()
        return say("session_ended")
      })
    return { name, about, act: { text: say("session_end"), label: say("session_end_named", { name }), work } }
  })
  fill(element("sessions-list"), things)
  element("sessions-end").hidden = all.length < 2
}

async function loadApps() {
  const all = await send("GET", "/auth/apps")
  const things = all.map((one) => {
    const { name } = one
    const about = say("app_scopes", { date: moment(one.since), scopes: one.scopes.join(", ") })
    const work = () =>
      act("apps-said", async () => {
        await send("DELETE", `/auth/apps/${encodeURIComponent(one.client_id)}`)
        await loadApps()
        return say("app_ended")
      })
    return { name, about, act: { text: say("app_end"), label: say("app_end_named", { name }), work } }
  })
  fill(element("apps-list"), things)
  element("apps-list").hidden = all.length === 0
  element("apps-none").hidden = all.length > 0
}

async function load() {
  if (!(await session())) {
    toLogin()
    return
  }
  mine.me = await send("GET", "/auth/me")
  await Promise.all([loadFactors(), loadSessions(), loadApps()])
}

element("sign-out").addEventListener("click", () =>
  act("account-said", async () => {
    await send("DELETE", "/auth/session")
    toLogin()
  }),
)

handle("profile", async (values) => {
  const names = { first_name: null, last_name: null, display_name: null, ...values }
  mine.me = await send("PATCH", "/auth/me", names)
  tell("profile-said", say("profile_saved")).focus()
})

if (element("address")) {
  handle("address", async ({ email }, form) => {
    const sent = await proved(() => send("POST", "/auth/email", { email }))
    if (!sent) return
    form.reset()
    tell("address-said", say("address_sent", { email })).focus()
  })
}

handle("password", async (_, form) => {
  const password = await chosen(form)
  const set = async () => {
    const secret = await newPassword(password, "/auth/password/start", {})
    return send("PUT", "/auth/password", secret)
  }
  if (!(await proved(set))) return
  empty(form)
  mine.me = await send("GET", "/auth/me")
  await loadSessions()
  tell("password-said", say("password_changed")).focus()
})

element("sessions-end").addEventListener("click", () =>
  act("sessions-said", async () => {
    await send("DELETE", "/auth/sessions")
    await loadSessions()
    return say("sessions_ended")
  }),
)

handle("delete", async ({ email }) => {
  if (email.toLowerCase() !== mine.me.email) throw new Faults({ email: say("delete_differs") })
  const asked = await proved(() => send("POST", "/auth/deletion", {}))
  if (!asked) return
  await send("DELETE", "/auth/me", { token: asked.token })
  toLogin()
})

act("account-said", load)
