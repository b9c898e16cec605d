// "Log in with my app": an app of somebody else's, on openid-client, in a browser with the real pages.
// node apps.mjs BASE CHROMIUM CLIENT_ID CLIENT_SECRET PORT [FOLDER FOR PICTURES]

import { createServer } from "node:http"
import { createRequire } from "node:module"
import process from "node:process"
import { pathToFileURL } from "node:url"

import { allowed, at, base, end, fact, open, prefix, register, sees, signIn, virtualKey, words } from "./browser.mjs"

const require = createRequire(`${process.env.TEST_NODE_MODULES}/`)
const oidc = await import(pathToFileURL(require.resolve("openid-client")))
const [clientId, clientSecret, port, pictures] = words
const app = `http://localhost:${port}`
allowed.push(`${app}/`)

const config = await oidc.discovery(new URL(base), clientId, clientSecret, undefined, {
  execute: [oidc.allowInsecureRequests],
})
let checks
let claims
let idToken
/** What browsers have told the app of logouts. */
const told = []
/** What the next login asks for besides. */
let more = {}

/** The app: `/login` sends the browser away, `/callback` takes it back and says who came. */
const server = createServer(async (request, response) => {
  const url = new URL(request.url, app)
  try {
    if (url.pathname === "/login") {
      checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
      const address = oidc.buildAuthorizationUrl(config, {
        redirect_uri: `${app}/callback`,
        scope: "openid email data:read",
        code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
        code_challenge_method: "S256",
        state: checks.expectedState,
        nonce: checks.expectedNonce,
        ...more,
      })
      response.writeHead(303, { location: address.href }).end()
      return
    }
    if (url.pathname === "/callback") {
      const tokens = await oidc.authorizationCodeGrant(config, url, checks)
      claims = tokens.claims()
      idToken = tokens.id_token
      response.writeHead(200, { "content-type": "text/plain" }).end(`Hello ${claims.email}`)
      return
    }
    if (url.pathname === "/front") {
      told.push(Object.fromEntries(url.searchParams))
      response.writeHead(200, { "content-type": "text/html" }).end("<p>Known</p>")
      return
    }
    if (url.pathname === "/bye") {
      response.writeHead(200, { "content-type": "text/plain" }).end(`Goodbye ${url.searchParams.get("state")}`)
      return
    }
    response.writeHead(204).end()
  } catch (error) {
    response.writeHead(200, { "content-type": "text/plain" }).end(`The app was told: ${error.error ?? error}`)
  }
})
await new Promise((resolve) => server.listen(Number(port), "localhost", resolve))

const page = await open()
const button = (name) => page.getByRole("button", { name, exact: true })
const picture = async (name) => {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true })
}

await register(page, "ada")
await at(page, "/auth/account")
await sees(page, "No app may.")
await page.context().clearCookies()

await fact("an app sends to the login, and the login on to what it asks for", async () => {
  await page.goto(`${app}/login`)
  await signIn(page, "ada")
  await sees(page, "This app asks you for:")
  await sees(page, "your e-mail address")
  await sees(page, "reading what you may read here")
  await picture("consent")
  return (await page.title()).startsWith("May this app?") && sees(page, `localhost:${port}`)
})
await fact("no is told to the app", async () => {
  await button("No, thanks").click()
  return sees(page, "The app was told: access_denied")
})
await fact("yes lets the person in", async () => {
  await page.goto(`${app}/login`)
  await button("Allow").click()
  await sees(page, "Hello ada@example.org")
  return claims.acr === "single" && claims.amr.join() === "pwd"
})
await fact("who has agreed is not asked again", async () => {
  await page.goto(`${app}/login`)
  return sees(page, "Hello ada@example.org")
})
await fact("an app may ask for a login anew", async () => {
  more = { prompt: "login" }
  await page.goto(`${app}/login`)
  await signIn(page, "ada")
  await sees(page, "Hello ada@example.org")
  more = {}
  return true
})
await fact("the account shows the app, and disconnects it", async () => {
  await page.goto(`${base}/auth/account`)
  await sees(page, "Films elsewhere")
  await picture("account")
  await button("Disconnect Films elsewhere").click()
  await sees(page, "The app may no more.")
  await page.goto(`${app}/login`)
  await sees(page, "This app asks you for:")
  await button("Allow").click()
  return sees(page, "Hello ada@example.org")
})
await fact("a passkey as second factor is told to the app", async () => {
  await page.goto(`${base}/auth/account`)
  await virtualKey(page)
  await page.getByLabel("Name of the passkey").fill("My laptop")
  await button("Add a passkey").click()
  await sees(page, "The passkey is added.")
  await page.context().clearCookies()
  await page.addInitScript(() => delete window.PublicKeyCredential.isConditionalMediationAvailable)
  await page.goto(`${app}/login`)
  await signIn(page, "ada")
  await sees(page, "One more step")
  await button("Use a passkey").click()
  await sees(page, "Hello ada@example.org")
  return (claims.acr === "phr" && claims.amr.includes("pwd") && claims.amr.includes("mfa")) || claims
})
await fact("a logout is told to the app in the browser, before it goes on", async () => {
  const url = oidc.buildEndSessionUrl(config, {
    id_token_hint: idToken,
    post_logout_redirect_uri: `${app}/bye`,
    state: "later",
  })
  await page.goto(url.href)
  await sees(page, "Goodbye later")
  const own = told.filter((one) => one.sid === claims.sid)
  return (own.length === 1 && told.every((one) => one.iss === base)) || told
})
await fact("a flow of another browser is told on a page", async () => {
  const other = await open()
  const asked = await fetch(`${app}/login`, { redirect: "manual" })
  const first = await fetch(asked.headers.get("location"), { redirect: "manual" })
  const login = new URL(first.headers.get("location"), base)
  const answer = await other.goto(new URL(login.searchParams.get("next"), base).href)
  await sees(other, "This login cannot go on")
  return answer.status() === 400 && prefix === new URL(base).pathname.replace(/\/$/, "")
})

server.close()
server.closeAllConnections()
await end()
