// Counts how many guesses a password outlasts, beside the page.

import "./zxcvbn.js"

self.addEventListener("message", ({ data: { id, input } }) => {
  const { score, feedback } = self.zxcvbn(input.password, input.words)
  self.postMessage({ id, output: { score, warning: feedback.warning ?? "" } })
})
