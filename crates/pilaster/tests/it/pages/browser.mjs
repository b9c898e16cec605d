// What the walks through the pages share: a browser that reaches one server alone and remembers
// everything that went wrong, and facts, a line of JSON for each.
// node WALK.mjs BASE CHROMIUM [WORD …]

import { createRequire } from "node:module"
import process from "node:process"

const require = createRequire(`${process.env.TEST_NODE_MODULES}/`)
const { chromium } = require("playwright-core")

export const [base, executablePath, ...words] = process.argv.slice(2)
/** The path under which the server is. */
export const prefix = new URL(base).pathname.replace(/\/$/, "")
export const WORD = "quiet marmalade otter 71"
export const OTHER = "seven lanterns over gravel"

/** What addresses may begin with. */
export const allowed = [`${base}/`, "data:"]

/** Everything that no page should do: foreign hosts, missing files, errors, refused policies. */
export const problems = []
/** Bodies that pages have sent. */
export const sent = []

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"],
})

/** A new browser profile with one page. */
export async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, locale: "en-GB", ...options })
  context.setDefaultTimeout(Number(process.env.PATIENCE ?? 60000))
  const page = await context.newPage()
  page.on("console", (message) => {
    // A refusal that the page shows is no mistake of the page's.
    const isRefusal = message.text().startsWith("Failed to load resource") && !message.text().includes("404")
    if (message.type() === "error" && !isRefusal) problems.push(`${page.url()}: ${message.text()}`)
  })
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error}`))
  page.on("request", (request) => {
    const url = request.url()
    if (!allowed.some((own) => url.startsWith(own))) problems.push(`${page.url()} asks ${url}`)
    if (request.postData()) sent.push(request.postData())
  })
  page.on("response", (response) => {
    if (response.status() === 404) problems.push(`${response.url()} is missing`)
  })
  return page
}

/** A made-up key that verifies its user, in a page's browser. */
export async function virtualKey(page) {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send("WebAuthn.enable")
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return { devtools, authenticatorId }
}

export async function fact(name, holds) {
  let error = null
  try {
    const said = await holds()
    if (said !== true) error = `it does not hold: ${JSON.stringify(said)}`
  } catch (thrown) {
    error = String(thrown)
  }
  console.log(JSON.stringify({ name, error }))
}

/** The newest of `count` mails to a mailbox. */
export async function mail(to, count) {
  const deadline = Date.now() + 60000
  while (Date.now() < deadline) {
    const answer = await fetch(`${base}/_mail`, { headers: { accept: "application/json" } })
    const mails = (await answer.json()).filter((one) => one.to === to)
    if (mails.length >= count) return mails[0]
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`no mail ${count} to ${to}`)
}

export async function post(path, body, headers = {}) {
  const answer = await fetch(base + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  })
  return { status: answer.status, headers: answer.headers, body: await answer.json() }
}

/** Registers on the page, and waits until it has led somewhere else. */
export async function register(page, name, word = WORD) {
  await page.goto(`${base}/auth/register`)
  await page.getByLabel("E-mail address").fill(`${name}@example.org`)
  await page.getByRole("textbox", { name: /^User name/ }).fill(name)
  await page.getByLabel("New password", { exact: true }).fill(word)
  await page.getByLabel("Password once more").fill(word)
  await page.getByRole("button", { name: "Make the account" }).click()
}

/** Fills in the form of the login and sends it. */
export async function signIn(page, name, word = WORD) {
  await page.getByLabel("E-mail address or user name").fill(name)
  await page.getByLabel("Password", { exact: true }).fill(word)
  await page.getByRole("button", { name: "Sign in", exact: true }).click()
}

export const at = (page, path) => page.waitForURL(`${base}${path}`).then(() => true)

export const sees = (page, text) => page.getByText(text).first().waitFor().then(() => true)

/** Says what went wrong besides, and ends. */
export async function end() {
  await fact("nothing else went wrong", () => problems.length === 0 || problems)
  await browser.close()
}
