// Forms: what was wrong stands at its field, and whoever reads with the ears is led there.

import { inWords, ofFields, Faults } from "./api.js"
import { element, say } from "./page.js"

/**
 * Says something above a form, or takes back what was said.
 * @param {string} id
 * @param {string} [text]
 * @param {boolean} [isBad]
 */
export function tell(id, text = "", isBad = false) {
  const place = element(id)
  place.textContent = text
  place.hidden = text === ""
  place.classList.toggle("is-bad", isBad)
  return place
}

/** @param {HTMLInputElement} input */
function mark(input, text) {
  const place = element(`${input.id}-error`)
  if (text) input.setAttribute("aria-invalid", "true")
  else input.removeAttribute("aria-invalid")
  if (!place) return
  place.textContent = text
  place.hidden = text === ""
}

/** Where a form says what concerns all of it: in it, or beside it. */
const saidOf = (form) => form.querySelector(".said") ?? form.parentElement.querySelector(".said")

const inputs = (form) => [...form.querySelectorAll("input[aria-describedby]")]
const isShown = (input) => input.offsetParent !== null

/** Shows what was wrong and leads there. */
export function fail(form, error) {
  const said = saidOf(form)
  const fields = ofFields(error)
  const marked = inputs(form).filter((input) => isShown(input) && fields[input.name])
  for (const input of marked) mark(input, fields[input.name])
  if (marked.length > 0) {
    tell(said.id, marked.length > 1 ? say("errors") : "", true)
    marked[0].focus()
    return
  }
  tell(said.id, error instanceof Faults ? say("errors") : inWords(error), true).focus()
}

/** What a form's fields hold; nothing for those that are empty. */
export function values(form) {
  const found = {}
  for (const input of inputs(form).filter(isShown)) {
    const text = input.type === "password" ? input.value : input.value.trim()
    if (text !== "") found[input.name] = text
  }
  return found
}

/** What is missing or no address. */
function check(form) {
  const faults = {}
  for (const input of inputs(form).filter(isShown)) {
    const text = input.type === "password" ? input.value : input.value.trim()
    if (input.required && text === "") faults[input.name] = say("required")
    else if (input.type === "email" && text !== "" && !/^[^\s@]+@[^\s@]+$/.test(text)) {
      faults[input.name] = say("email_invalid")
    }
  }
  if (Object.keys(faults).length > 0) throw new Faults(faults)
}

/**
 * Does something that takes a while; meanwhile the form takes nothing else.
 * @param {HTMLFormElement} form
 * @param {() => Promise<void>} work
 */
export async function busy(form, work) {
  if (form.getAttribute("aria-busy") === "true") return
  const said = saidOf(form)
  const buttons = [...form.querySelectorAll("button:not(.reveal)")]
  tell(said.id)
  for (const input of inputs(form)) mark(input, "")
  form.setAttribute("aria-busy", "true")
  for (const button of buttons) button.setAttribute("aria-disabled", "true")
  try {
    await work()
  } catch (error) {
    fail(form, error)
  } finally {
    form.removeAttribute("aria-busy")
    for (const button of buttons) button.removeAttribute("aria-disabled")
  }
}

/**
 * What a form does when it is sent.
 * @param {string} id
 * @param {(values: Record<string, string>, form: HTMLFormElement) => Promise<void>} work
 */
export function handle(id, work) {
  const form = element(id)
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    busy(form, async () => {
      check(form)
      await work(values(form), form)
    })
  })
  form.addEventListener("input", (event) => mark(event.target, ""))
  return form
}

/** Fields that show what is typed when asked to. */
for (const button of document.querySelectorAll("[data-reveals]")) {
  button.addEventListener("click", () => {
    const input = element(button.dataset.reveals)
    const isShown = input.type === "password"
    input.type = isShown ? "text" : "password"
    button.setAttribute("aria-pressed", String(isShown))
  })
}
