// Second factors, with an authenticator that the browser makes up (WebDriver's virtual authenticator)
// and codes as an app would count them.

import { createHmac } from "node:crypto"

import { WORD, at, base, end, fact, open, register, sees, signIn, virtualKey } from "./browser.mjs"

/** The code of a secret for the moment, `later` steps on (RFC 6238: SHA-1, 30 s, six digits). */
function code(secret, later = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
  const bits = [...secret.replace(/\s/g, "")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("")
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)))
  const moment = Buffer.alloc(8)
  moment.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + later))
  const digest = createHmac("sha1", key).update(moment).digest()
  const offset = digest[19] & 15
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1000000).padStart(6, "0")
}

const page = await open()
const button = (name) => page.getByRole("button", { name, exact: true })
/** The login may offer a passkey at once, so it is not waited for. */
const signOut = async () => {
  await page.goto(`${base}/auth/account`)
  await sees(page, "this device")
  await Promise.all([page.waitForURL(`${base}/auth/login`, { waitUntil: "commit" }), button("Sign out").first().click()])
}

let secret
let paper
let used

await register(page, "ada")
await at(page, "/auth/account")
await fact("an app is set up by a drawing and a key", async () => {
  await button("Set up an app").click()
  await page.locator("#totp-secret").filter({ hasText: /[A-Z2-7]{4} / }).waitFor()
  secret = await page.locator("#totp-secret").innerText()
  const isDrawn = await page.locator("#totp-image").evaluate((image) => image.decode().then(() => image.naturalWidth > 0))
  await page.getByRole("textbox", { name: "Code of your authenticator app" }).fill("000000")
  await button("Switch on").click()
  await sees(page, "That code is wrong or was used already.")
  await page.getByRole("textbox", { name: "Code of your authenticator app" }).fill(code(secret, -1))
  await button("Switch on").click()
  await sees(page, "The app is switched on.")
  return isDrawn
})
await fact("recovery codes are shown once", async () => {
  paper = await page.locator("#recovery-codes li").allInnerTexts()
  await button("I have put them by").click()
  await page.reload()
  await sees(page, "10 codes are left.")
  return paper.length === 10 && (await page.locator("#recovery-codes li").count()) === 0
})
await fact("a code is asked for after the password", async () => {
  await signOut()
  await signIn(page, "ada")
  await sees(page, "One more step")
  used = code(secret)
  await page.getByRole("textbox", { name: "Code of your authenticator app" }).fill(used)
  await button("Go on").click()
  return at(page, "/auth/account")
})
await fact("a code is good once, a recovery code in its place", async () => {
  await signOut()
  await signIn(page, "ada")
  await page.getByRole("textbox", { name: "Code of your authenticator app" }).fill(used)
  await button("Go on").click()
  await sees(page, "That code is wrong or was used already.")
  await button("Use a recovery code").click()
  await page.getByRole("textbox", { name: "Recovery code" }).fill(paper[0])
  await button("Go on").click()
  await at(page, "/auth/account")
  return sees(page, "9 codes are left.")
})

let key
await fact("a passkey is added", async () => {
  key = await virtualKey(page)
  await page.getByLabel("Name of the passkey").fill("My laptop")
  await button("Add a passkey").click()
  await sees(page, "The passkey is added.")
  return sees(page, "My laptop")
})
await fact("it is one, discoverable, of its user", async () => {
  const { credentials } = await key.devtools.send("WebAuthn.getCredentials", { authenticatorId: key.authenticatorId })
  return credentials.length === 1 && credentials[0].isResidentCredential && credentials[0].rpId === "localhost"
})
await fact("the same key is not added twice", async () => {
  await button("Add a passkey").click()
  return sees(page, "You have this passkey already.")
})
await fact("a passkey that the browser offers among names signs in alone", async () => {
  await signOut()
  // A made-up authenticator answers at once what the browser offers by itself.
  await at(page, "/auth/account")
  const shown = await page.evaluate(() => fetch("/auth/session").then((answer) => answer.json()))
  return (shown.acr === "mfa" || shown.acr === "phr") && shown.amr.length > 0
})
await fact("a passkey signs in by its button", async () => {
  // From here on as in a browser that offers none by itself.
  await page.addInitScript(() => delete window.PublicKeyCredential.isConditionalMediationAvailable)
  await signOut()
  await button("Sign in with a passkey").click()
  return at(page, "/auth/account")
})
await fact("a passkey is a second factor", async () => {
  await signOut()
  await signIn(page, "ada")
  await sees(page, "One more step")
  await button("Use a passkey").click()
  return at(page, "/auth/account")
})
await fact("who is not verified is not let in", async () => {
  await signOut()
  await key.devtools.send("WebAuthn.setUserVerified", { authenticatorId: key.authenticatorId, isUserVerified: false })
  await button("Sign in with a passkey").click()
  await sees(page, "The passkey was not used. You can try again.")
  await key.devtools.send("WebAuthn.setUserVerified", { authenticatorId: key.authenticatorId, isUserVerified: true })
  return page.url().includes("/auth/login")
})
await fact("an old proof is asked for again, by password and recovery code", async () => {
  const other = await open()
  await other.goto(`${base}/auth/login`)
  await signIn(other, "ada")
  await other.getByRole("button", { name: "Use the authenticator app" }).click()
  await other.getByRole("button", { name: "Use a recovery code" }).click()
  await other.getByRole("textbox", { name: "Recovery code" }).fill(paper[1])
  await other.getByRole("button", { name: "Go on" }).click()
  await at(other, "/auth/account")
  // The proof is old when the server's clock says so; the page is told so here.
  let isFirst = true
  await other.route("**/auth/totp", (route) => {
    if (route.request().method() !== "DELETE" || !isFirst) return route.continue()
    isFirst = false
    return route.fulfill({ status: 403, contentType: "application/json", body: '{"code":"reauthentication_required","message":"prove it"}' })
  })
  await other.getByRole("button", { name: "Switch off" }).click()
  const dialog = other.getByRole("dialog")
  await dialog.getByLabel("Password", { exact: true }).fill(WORD)
  await dialog.getByLabel("Code of the app, or a recovery code").fill(paper[2])
  await dialog.getByRole("button", { name: "Go on" }).click()
  return sees(other, "The app is switched off.")
})
await fact("a passkey is removed", async () => {
  await page.goto(`${base}/auth/login`)
  await button("Sign in with a passkey").click()
  await at(page, "/auth/account")
  await page.getByRole("button", { name: "Remove My laptop" }).click()
  await sees(page, "The passkey is removed.")
  return sees(page, "There are none: codes come with an app or a passkey.")
})
await end()
