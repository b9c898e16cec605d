// Every page in three languages, light and dark, on a desktop and a phone: axe finds nothing serious,
// nothing is wider than the screen. node look.mjs BASE CHROMIUM ADMINISTRATOR [FOLDER FOR PICTURES]

import { readFileSync } from "node:fs"
import process from "node:process"

import { base, end, fact, mail, open, post, register, at, words } from "./browser.mjs"

const [administrator, pictures] = words
const axe = readFileSync(`${process.env.TEST_NODE_MODULES}/axe-core/axe.min.js`, "utf8")

const one = await open()
await register(one, "ada")
await at(one, "/auth/account")
const asked = new URLSearchParams({
  client_id: "look",
  redirect_uri: "https://look.example/callback",
  response_type: "code",
  scope: "openid profile email offline_access",
  code_challenge: "ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA",
  code_challenge_method: "S256",
})
await one.goto(`${base}/oauth2/authorize?${asked}`)
await one.locator("#consent").waitFor()
const consent = one.url()
const cookies = await one.context().cookies()
await post("/auth/reset", { email: "ada@example.org" })
const { link: reset } = await mail("ada@example.org", 1)

const pages = {
  login: `${base}/auth/login`,
  register: `${base}/auth/register`,
  confirm: `${base}/auth/confirm`,
  confirm_link: `${base}/auth/confirm/${"a".repeat(43)}`,
  ask: `${base}/auth/reset`,
  reset,
  email: `${base}/auth/email/${"a".repeat(43)}`,
  invitation: `${base}/auth/invitations/${"a".repeat(43)}`,
  administrator,
  account: `${base}/auth/account`,
  consent,
  device: `${base}/oauth2/device`,
}

/** What of a page opens when somebody does something. */
const states = {
  login: async (page) => page.locator("#login button[type=submit]").click(),
  register: async (page) => {
    await page.locator("#register-new").pressSequentially("correct horse")
    await page.locator("[data-strength]:not([hidden])").waitFor()
  },
  account: async (page) => {
    await page.locator("#sessions-list li").first().waitFor()
    await page.locator("#totp-add").click()
    await page.locator("#totp-secret:not(:empty)").waitFor()
  },
}

async function faults(page) {
  // By the browser's tools: the page's own policy lets nobody else's script in.
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const options = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }
    const { violations } = await window.axe.run(document, options)
    return violations
      .filter((found) => found.impact === "serious" || found.impact === "critical")
      .map((found) => `${found.id}: ${found.nodes.map((node) => node.target.join(" ")).join(", ")}: ${found.nodes[0].failureSummary}`)
  })
}

const screens = [
  ["desktop", { viewport: { width: 1200, height: 860 } }],
  ["phone", { viewport: { width: 375, height: 720 }, deviceScaleFactor: 2 }],
]
for (const [screen, size] of screens) {
  for (const colorScheme of ["light", "dark"]) {
    for (const locale of ["en-GB", "nl-NL", "de-DE"]) {
      const page = await open({ ...size, colorScheme, locale })
      for (const [name, url] of Object.entries(pages)) {
        if (["email", "account", "consent", "device"].includes(name)) await page.context().addCookies(cookies)
        else await page.context().clearCookies()
        await fact(`${name} ${locale} ${colorScheme} ${screen}`, async () => {
          await page.goto(url)
          await page.locator("h1:visible").waitFor()
          const found = await faults(page)
          if (states[name]) {
            await states[name](page)
            await page.waitForTimeout(250)
            found.push(...(await faults(page)))
          }
          const isWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
          if (pictures && (locale === "en-GB" || screen === "phone")) {
            const path = `${pictures}/${name}-${locale.slice(0, 2)}-${colorScheme}-${screen}.png`
            await page.screenshot({ path, fullPage: true })
          }
          return (found.length === 0 && !isWide) || [isWide, ...found]
        })
      }
      await page.context().close()
    }
  }
}
await end()
