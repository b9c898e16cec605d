// The first administrator, an invitation, a login for a purpose: node invited.mjs BASE CHROMIUM LINK

import { WORD, at, base, end, fact, mail, open, sees, signIn, words } from "./browser.mjs"

const [link] = words
const page = await open()

/** Makes the account that a link is for. */
async function accept(page, link, name) {
  await page.goto(link)
  await page.getByRole("textbox", { name: /^User name/ }).fill(name)
  await page.getByLabel("New password", { exact: true }).fill(WORD)
  await page.getByLabel("Password once more").fill(WORD)
  await page.getByRole("button", { name: "Make the account" }).click()
}

await fact("registering is not offered", async () => {
  await page.goto(`${base}/auth/register`)
  await sees(page, "Accounts are for who is invited.")
  await page.goto(`${base}/auth/login`)
  await sees(page, "Sign in")
  return (await page.getByText("No account yet?").count()) === 0
})
await fact("the first administrator is made by the link of the shell", async () => {
  await accept(page, link, "root")
  return at(page, "/openapi.json")
})
await fact("an invitation makes an account", async () => {
  await page.goto(`${base}/auth/account`)
  const status = await page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/auth/session")).json()
    const headers = { "content-type": "application/json", "x-csrf-token": csrf_token }
    const body = JSON.stringify({ email: "eve@example.org", first_name: "Eve" })
    return (await fetch("/admin/api/invitations", { method: "POST", headers, body })).status
  })
  const { link } = await mail("eve@example.org", 1)
  const other = await open()
  await accept(other, link, "eve")
  await at(other, "/openapi.json")
  await other.goto(`${base}/auth/account`)
  const me = await other.evaluate(() => fetch("/auth/me").then((answer) => answer.json()))
  return (status === 201 || status === 202) && me.username === "eve" && me.sign_in === "opaque"
})
await fact("a login for a purpose says which, and asks who is signed in", async () => {
  await page.goto(`${base}/auth/login?to=payments`)
  await sees(page, "Please sign in once more before you pay.")
  await signIn(page, "root")
  return at(page, "/readyz")
})
await fact("an unknown purpose is an error", async () => {
  const answer = await fetch(`${base}/auth/login?to=evil&next=//evil.example`, { redirect: "manual" })
  return answer.status === 400 && (await answer.json()).code === "redirect_unknown"
})
await fact("the organisation is shown", async () => {
  await page.context().clearCookies()
  await page.goto(`${base}/auth/login`)
  await page.getByRole("img", { name: "Films & Friends" }).waitFor()
  const sheet = await (await fetch(await page.locator("link[href$='brand.css']").evaluate((link) => link.href))).text()
  const logo = await page.locator("header img").evaluate((image) => image.decode().then(() => image.alt))
  return sheet.includes("--accent: #8a1c7c") && logo === "Films & Friends" && (await page.title()) === "Come in · Films & Friends"
})
await end()
