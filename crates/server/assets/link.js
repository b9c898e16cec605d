// The page behind the links of mails: says what will happen, and does it when asked to.

const links = {
  confirm: {title: "Confirm your address", button: "Confirm", to: "/auth/confirm", fields: []},
  reset: {title: "Set a new password", button: "Set password", to: "/auth/reset/finish", fields: ["password"]},
  email: {title: "Use your new address", button: "Use this address", to: "/auth/email/confirm", fields: []},
  invitations: {title: "Accept the invitation", button: "Make my account", to: "/auth/invitations/accept", fields: ["username", "password"]},
  administrator: {title: "Become administrator", button: "Make my account", to: "/auth/administrator", fields: ["username", "password"]},
}

const [noun, token] = location.pathname.split("/").slice(-2)
const link = links[noun]
const element = (id) => document.getElementById(id)

// The token is not to stay in the history of the browser.
history.replaceState(null, "", location.pathname.replace(/[^/]+$/, "-"))

async function csrf() {
  const answer = await fetch("/auth/session", {headers: {accept: "application/json"}})
  return answer.ok ? {"x-csrf-token": (await answer.json()).csrf_token ?? ""} : {}
}

async function send(event) {
  event.preventDefault()
  element("button").disabled = true
  const body = {token}
  for (const name of link.fields) {
    const value = element("form").elements[name].value
    if (value !== "") body[name] = value
  }
  const headers = {"content-type": "application/json", ...(await csrf())}
  const answer = await fetch(link.to, {method: "POST", headers, body: JSON.stringify(body)})
  const said = await answer.json()
  element("form").hidden = answer.ok
  element("button").disabled = false
  const details = (said.errors ?? []).map((error) => error.message).join("; ")
  element("said").textContent = answer.ok ? "Done. You may close this page." : details || said.message
}

if (link) {
  document.title = link.title
  element("title").textContent = link.title
  element("button").textContent = link.button
  for (const name of link.fields) {
    element(name).hidden = false
    element("form").elements[name].required = name === "password"
  }
  element("form").hidden = false
  element("form").addEventListener("submit", send)
}
