// Registering, signing in and out by OPAQUE.
import { OTHER, WORD, at, base, end, fact, open, post, prefix, register, sees, sent, signIn } from "./browser.mjs"

const page = await open()
await fact("a weak password is refused, and how strong it is is shown", async () => {
  await register(page, "ada", "password1")
  await sees(page, "This password is guessed too easily.")
  await sees(page, "guessed at once")
  const field = page.getByLabel("New password", { exact: true })
  const focused = await field.evaluate((input) => input === document.activeElement)
  return focused && (await field.getAttribute("aria-invalid")) === "true"
})
await fact("two different passwords are refused", async () => {
  await page.getByLabel("New password", { exact: true }).fill(WORD)
  await page.getByLabel("Password once more").fill(`${WORD}!`)
  await page.getByRole("button", { name: "Make the account" }).click()
  return sees(page, "The two are not the same.")
})
await fact("an account is made and signed in", async () => {
  await register(page, "ada")
  await at(page, "/auth/account")
  return sees(page, "ada@example.org")
})
await fact("a taken address and name are said at their fields", async () => {
  const other = await open()
  await register(other, "ada")
  await sees(other, /There is an account with this address already|Somebody else has this name/)
  return true
})
await fact("signing out leads to the login", async () => {
  await page.getByRole("button", { name: "Sign out", exact: true }).first().click()
  return at(page, "/auth/login")
})
await fact("the account's page asks for a login and comes back", async () => {
  await page.goto(`${base}/auth/account`)
  return at(page, `/auth/login?next=${prefix}/auth/account`)
})
await fact("a wrong password is said, and the focus is there", async () => {
  await signIn(page, "ada", "something else entirely")
  await sees(page, "The name or the password is wrong.")
  return page.locator("#login-said").evaluate((said) => said === document.activeElement)
})
await fact("nobody by that name is said alike", async () => {
  await signIn(page, "nobody")
  return sees(page, "The name or the password is wrong.")
})
await fact("an own path is where a login leads", async () => {
  await page.goto(`${base}/auth/login?next=${prefix}/openapi.json`)
  await signIn(page, "ada@example.org")
  return at(page, "/openapi.json")
})
await fact("who is signed in needs no login", async () => {
  await page.goto(`${base}/auth/login`)
  return at(page, "/auth/account")
})
await fact("a path of another host is no own path", async () => {
  const other = await open()
  await other.goto(`${base}/auth/login?next=//evil.example/`)
  await signIn(other, "ada")
  return at(other, "/auth/account")
})
await fact("the keyboard is enough", async () => {
  const other = await open()
  await other.goto(`${base}/auth/login`)
  await other.keyboard.press("Tab")
  const first = await other.evaluate(() => document.activeElement.className)
  await other.getByLabel("E-mail address or user name").focus()
  await other.keyboard.type("ada")
  await other.keyboard.press("Tab")
  await other.keyboard.type(WORD)
  await other.keyboard.press("Enter")
  await at(other, "/auth/account")
  return first === "skip"
})
await fact("the profile is kept", async () => {
  await page.goto(`${base}/auth/account`)
  await page.getByLabel("Name to show").fill("Ada Lovelace")
  await page.getByRole("button", { name: "Save" }).click()
  await sees(page, "Saved.")
  await page.reload()
  return (await page.getByLabel("Name to show").inputValue()) === "Ada Lovelace"
})
await fact("other sessions are shown and ended", async () => {
  await sees(page, "this device")
  const before = await page.locator("#sessions-list li").count()
  await page.getByRole("button", { name: "Sign out everywhere else" }).click()
  await sees(page, "All other devices are signed out.")
  return before > 1 && (await page.locator("#sessions-list li").count()) === 1
})
await fact("the password is changed, by the old one", async () => {
  const changed = `${WORD} and more`
  await page.getByLabel("New password", { exact: true }).fill(changed)
  await page.getByLabel("Password once more").fill(changed)
  await page.getByRole("button", { name: "Change password" }).click()
  await sees(page, "Your password is changed.")
  const other = await open()
  await other.goto(`${base}/auth/login`)
  await signIn(other, "ada", changed)
  return at(other, "/auth/account")
})
await fact("one's own data is one file", async () => {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download" }).click(),
  ])
  const text = await (await download.createReadStream()).toArray()
  const data = JSON.parse(Buffer.concat(text).toString())
  return data.account.email === "ada@example.org" && data.sessions.length > 0 && data.acts.length > 0
})
await fact("every page is there", async () => {
  const other = await open()
  const statuses = []
  for (const path of ["login", "register", "confirm", "reset", "confirm/x", "reset/x", "invitations/x", "email/x", "account"]) {
    statuses.push((await other.goto(`${base}/auth/${path}`)).status())
    await other.locator("h1:visible").waitFor()
  }
  return statuses.every((status) => status === 200) || statuses
})
await fact("the language is chosen and kept", async () => {
  const other = await open()
  await other.goto(`${base}/auth/login?next=${prefix}/auth/account`)
  await other.getByRole("link", { name: "Nederlands" }).click()
  await sees(other, "Wachtwoord vergeten?")
  await other.goto(`${base}/auth/register`)
  await sees(other, "Een account maken")
  await other.getByRole("link", { name: "Deutsch" }).click()
  await sees(other, "Ein Konto anlegen")
  return (await other.locator("html").getAttribute("lang")) === "de"
})
await fact("the browser's language is spoken", async () => {
  const other = await open({ locale: "nl-BE" })
  await other.goto(`${base}/auth/login`)
  return sees(other, "Nog geen account?")
})
await fact("the account is deleted", async () => {
  await page.goto(`${base}/auth/account`)
  await page.getByLabel("Type your e-mail address to be sure").fill("ada@example.org")
  await page.getByRole("button", { name: "Delete for good" }).click()
  await at(page, "/auth/login")
  await signIn(page, "ada", `${WORD} and more`)
  return sees(page, "The name or the password is wrong.")
})
await fact("an account whose password is stored as a hash signs in, too", async () => {
  const made = await post("/register", { email: "old@example.org", password: OTHER })
  const other = await open()
  await other.goto(`${base}/auth/login`)
  await signIn(other, "old@example.org", OTHER)
  await at(other, "/auth/account")
  await other.getByLabel("New password", { exact: true }).fill(WORD)
  await other.getByLabel("Password once more").fill(WORD)
  await other.getByRole("button", { name: "Change password" }).click()
  await sees(other, "Your password is changed.")
  const me = await other.evaluate((path) => fetch(path).then((answer) => answer.json()), `${prefix}/auth/me`)
  return made.status === 201 && me.sign_in === "opaque"
})
await fact("no password was sent", () => sent.length > 10 && !sent.some((body) => body.includes(WORD)))
await end()
