// Signs in through the "Authorize" of /docs and asks who that is: node authorize.mjs BASE CHROMIUM
// USERNAME PASSWORD [PICTURE]. Prints the status and body that the page shows, as JSON.
import { createRequire } from "node:module"

const { chromium } = createRequire(`${process.env.TEST_NODE_MODULES}/`)("playwright-core")
const [base, executablePath, username, password, picture] = process.argv.slice(2)

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] })
const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } })
// Nothing but the server under test can be reached.
await page.route("**/*", (route) => {
  const url = route.request().url()
  return url.startsWith(base) || url.startsWith("data:") ? route.continue() : route.abort()
})
page.setDefaultTimeout(20000)
await page.goto(`${base}/docs`)
await page.getByRole("button", { name: "Authorize" }).first().click()
const form = page.locator(".auth-container", { hasText: "OAuth2, password" })
await form.locator("#oauth_username").fill(username)
await form.locator("#oauth_password").fill(password)
await form.locator("button.authorize").click()
await form.locator("button", { hasText: "Logout" }).waitFor()
await page.locator("button.btn-done").first().click()
const operation = page.locator("#operations-account-me")
await operation.locator("button.opblock-summary-control").click()
await operation.locator("button.try-out__btn").click()
await operation.locator("button.execute").click()
const shown = {
  status: await operation.locator(".live-responses-table .response-col_status").last().innerText(),
  body: await operation.locator(".live-responses-table .highlight-code").first().innerText(),
}
if (picture) await page.screenshot({ path: picture })
console.log(JSON.stringify(shown))
await browser.close()
