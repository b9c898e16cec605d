// Lists of things that can be taken away.

import { page } from "./page.js"

const format = new Intl.DateTimeFormat(page.language, { dateStyle: "medium", timeStyle: "short" })

/** A moment in the reader's own time. */
export const moment = (text) => format.format(new Date(text))

/**
 * Fills a list.
 * @param {HTMLElement} list
 * @param {{name: string, about: string, act?: {text: string, label: string, work: () => void}}[]} things
 */
export function fill(list, things) {
  const items = things.map(({ name, about, act }) => {
    const item = document.createElement("li")
    const words = document.createElement("div")
    const title = document.createElement("strong")
    const details = document.createElement("small")
    title.textContent = name
    details.textContent = about
    words.append(title, details)
    item.append(words)
    if (act) {
      const button = document.createElement("button")
      button.type = "button"
      button.className = "plain"
      button.textContent = act.text
      button.setAttribute("aria-label", act.label)
      button.addEventListener("click", act.work)
      item.append(button)
    }
    return item
  })
  list.replaceChildren(...items)
}
