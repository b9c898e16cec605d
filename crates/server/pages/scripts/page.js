// What the server tells a page, and the words of its language.

/** What the server tells: `base`, `words`, `language`, and what this page needs. */
export const page = JSON.parse(document.body.dataset.page)

/**
 * A sentence with its values set in.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  const sentence = page.words[key] ?? page.words.unknown
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole))
}

/** @param {string} id */
export const element = (id) => document.getElementById(id)

/** The token behind the page's path. It does not stay in the address bar nor in the history. */
export function takeToken() {
  const place = location.pathname.replace(/\/$/, "")
  const token = place.slice(place.lastIndexOf("/") + 1)
  // The same page in another language still needs it.
  for (const link of document.querySelectorAll("footer a")) link.setAttribute("href", link.href)
  history.replaceState(null, "", place.slice(0, place.lastIndexOf("/") + 1) + "-")
  return token
}

/** Leaves for where the reader wanted to go; the server has looked at it. */
export function leave(to = page.next) {
  location.assign(to)
}

/**
 * Shows one step of the page and hides the others.
 * @param {string} name
 */
export function step(name) {
  for (const section of document.querySelectorAll("[data-step]")) {
    section.hidden = section.dataset.step !== name
  }
  const shown = document.querySelector(`[data-step="${name}"]`)
  const field = shown.querySelector("input:not([type=hidden])")
  const target = field && field.offsetParent !== null && name !== "done" ? field : shown.querySelector("h1")
  target.focus()
}
