// Runs OPAQUE and its key stretching beside the page, so that the page stays alive meanwhile.

import { client, ready } from "./opaque.js"

const acts = ["startLogin", "finishLogin", "startRegistration", "finishRegistration"]

self.addEventListener("message", async ({ data: { id, act, input } }) => {
  try {
    if (!acts.includes(act)) throw new Error(`no such act: ${act}`)
    await ready
    self.postMessage({ id, output: client[act](input) })
  } catch (error) {
    self.postMessage({ id, error: String(error) })
  }
})
