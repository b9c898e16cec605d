// How strong a new password is: shown while it is typed, and asked for before it is set. The server
// cannot look at a password that it never sees, so this page does.

import { Faults } from "./api.js"
import { page, say } from "./page.js"
import { asking } from "./worker.js"

/** What zxcvbn's authors advise: it outlasts a stolen database for a while. */
const GOOD = 3
const SHORTEST = 8
const MOST_BYTES = 1024

const ask = asking("strength-worker.js")

/** zxcvbn's sentences, and ours. */
const hints = {
  "Straight rows of keys are easy to guess": "row_of_keys",
  "Short keyboard patterns are easy to guess": "keyboard_pattern",
  'Repeats like "aaa" are easy to guess': "repeated_character",
  'Repeats like "abcabcabc" are only slightly harder to guess than "abc"': "repeated_text",
  "This is a top-10 common password": "top_10",
  "This is a top-100 common password": "top_100",
  "This is a very common password": "common",
  "This is similar to a commonly used password": "similar_to_common",
  "Sequences like abc or 6543 are easy to guess": "sequence",
  "Recent years are easy to guess": "year",
  "A word by itself is easy to guess": "one_word",
  "Dates are often easy to guess": "date",
  "Names and surnames by themselves are easy to guess": "name",
  "Common names and surnames are easy to guess": "common_name",
}

/** What a guesser who knows the person tries first. */
function ownWords(form) {
  const typed = ["email", "username", "display_name", "first_name", "last_name"]
    .map((name) => form.elements.namedItem(name)?.value ?? "")
  const whole = [...page.own_words, ...typed].filter((word) => word !== "")
  const parts = whole.flatMap((word) => word.split(/[^\p{L}\p{N}]+/u)).filter((part) => part.length >= 3)
  return [...parts, ...whole].map((word) => word.slice(0, 100).toLowerCase()).slice(0, 50)
}

const judge = (password, words) => ask({ input: { password: password.slice(0, 100), words } })
const hint = (warning) => say(`hint_${hints[warning] ?? "more_words"}`)

/**
 * The new password of a form, if it is good enough and was typed twice alike.
 * @param {HTMLFormElement} form
 */
export async function chosen(form) {
  const password = form.elements.namedItem("password").value
  if ([...password].length < SHORTEST) throw new Faults({ password: say("password_short") })
  if (new TextEncoder().encode(password).length > MOST_BYTES) throw new Faults({ password: say("password_long") })
  const { score, warning } = await judge(password, ownWords(form))
  if (score < GOOD) throw new Faults({ password: `${say("password_weak")} ${hint(warning)}` })
  if (password !== form.elements.namedItem("again").value) throw new Faults({ again: say("password_differs") })
  return password
}

for (const input of document.querySelectorAll("[data-judged]")) {
  const place = document.querySelector(`[data-strength="${input.id}"]`)
  const [word, advice] = [place.querySelector(".word"), place.querySelector(".hint")]
  let asked = 0
  input.addEventListener("input", async () => {
    asked += 1
    const own = asked
    if (input.value === "") {
      place.hidden = true
      return
    }
    const { score, warning } = await judge(input.value, ownWords(input.form))
    // What was typed meanwhile is judged by its own answer.
    if (own !== asked) return
    const shown = [...input.value].length < SHORTEST ? Math.min(score, 1) : score
    place.hidden = false
    place.dataset.score = String(Math.max(shown, 1))
    word.textContent = say(`strength_${shown}`)
    advice.textContent = shown < GOOD ? hint(warning) : ""
  })
}

/** Empties the two fields of a form. */
export function empty(form) {
  for (const name of ["password", "again"]) form.elements.namedItem(name).value = ""
  for (const place of form.querySelectorAll("[data-strength]")) place.hidden = true
}

