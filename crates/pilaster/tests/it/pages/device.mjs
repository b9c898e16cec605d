// A device shows a code; somebody types it in a browser with the real pages.
// node device.mjs BASE CHROMIUM CLIENT_ID [FOLDER FOR PICTURES]

import { createRequire } from "node:module"
import process from "node:process"
import { pathToFileURL } from "node:url"

import { at, base, end, fact, open, register, sees, signIn, words } from "./browser.mjs"

const require = createRequire(`${process.env.TEST_NODE_MODULES}/`)
const oidc = await import(pathToFileURL(require.resolve("openid-client")))
const [clientId, pictures] = words

const config = await oidc.discovery(new URL(base), clientId, undefined, oidc.None(), {
  execute: [oidc.allowInsecureRequests],
})
const begin = () => oidc.initiateDeviceAuthorization(config, { scope: "openid email data:read" })

/** What the device is told when it asks once. */
async function told(device) {
  const answer = await fetch(`${base}/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      client_id: clientId,
      device_code: device.device_code,
    }),
  })
  const said = await answer.json()
  return said.error ?? Object.keys(said).includes("access_token")
}

const page = await open()
const button = (name) => page.getByRole("button", { name, exact: true })
const picture = async (name) => {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true })
}

await register(page, "ada")
await at(page, "/auth/account")
await page.context().clearCookies()

const first = await begin()
await fact("a link leads to the login, and on to the code", async () => {
  await page.goto(first.verification_uri_complete)
  await signIn(page, "ada")
  await at(page, `/oauth2/device?user_code=${first.user_code}`)
  const typed = await page.getByLabel("Code of the device").inputValue()
  await picture("device-code")
  return typed === first.user_code && (await told(first)) === "authorization_pending"
})
await fact("going on shows who asks for what, and says nothing yet", async () => {
  await button("Go on").click()
  await sees(page, "The television")
  await sees(page, "your e-mail address")
  await sees(page, "reading what you may read here")
  await sees(page, first.user_code)
  await sees(page, "ada@example.org")
  await picture("device-asking")
  return (await told(first)) === "slow_down"
})
await fact("yes connects the device", async () => {
  await button("Allow").click()
  await sees(page, "The device is connected")
  return (await told(first)) === true
})
const second = await begin()
await fact("a mistyped code is told, and the right one may be typed in any way", async () => {
  await page.goto(first.verification_uri)
  await button("Go on").click()
  await sees(page, "Please fill this in.")
  await page.getByLabel("Code of the device").fill("BBBB-BBBB")
  await button("Go on").click()
  await sees(page, "No device waits under this code.")
  await page.getByLabel("Code of the device").fill(second.user_code.replace("-", " ").toLowerCase())
  await page.keyboard.press("Enter")
  return sees(page, second.user_code)
})
await fact("no is told to the device", async () => {
  await button("No, thanks").click()
  await sees(page, "The device was refused")
  return (await told(second)) === "access_denied"
})
const third = await begin()
await fact("another language keeps the code", async () => {
  await page.goto(third.verification_uri_complete)
  await page.getByRole("link", { name: "Deutsch" }).click()
  await sees(page, "Ein Gerät verbinden")
  const typed = await page.getByLabel("Code des Geräts").inputValue()
  await page.getByRole("button", { name: "Weiter", exact: true }).click()
  await sees(page, "Dein Gerät muss diesen Code zeigen:")
  return typed === third.user_code
})
await fact("the account shows the device, and disconnects it", async () => {
  await page.goto(`${base}/auth/account?lang=en`)
  await button("Disconnect The television").click()
  return sees(page, "The app may no more.")
})

await end()
