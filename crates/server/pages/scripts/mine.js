// What the account's page knows of its reader.

/** Filled by `account.js`, and again after each change. */
export const mine = {
  /** What `GET /auth/me` says. */
  me: { email: "", sign_in: null },
  /** Whether there is an authenticator app. */
  totp: false,
  /** How many passkeys there are. */
  passkeys: 0,
  /** How many recovery codes are left. */
  codes: 0,
}
