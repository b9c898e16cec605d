//! Proving who you are, without HTTP or SQL: e-mail addresses, user names, passwords and the keys
//! that protect them; and, in modules of their own, what else proves it.
//!
//! A [`Password`] can be hashed and compared and nothing else: it has no `Display`, no
//! `Serialize`, and its text is visible inside this room only. [`PasswordHash`] is the only
//! thing that `store` takes. Keys are one type per purpose, all derived from a [`MasterKey`].
//!
//! | module | proves or judges |
//! |---|---|
//! | [`opaque`] | a password that the server never sees |
//! | [`passkey`] | a key that verified its user |
//! | [`totp`] | an authenticator app |
//! | [`recovery`] | a sheet of paper |
//! | [`token`] | links, sessions, forms, mailed codes, API keys |
//! | [`strength`] | whether a new password is good enough |
//! | [`assurance`] | whether all of it together is enough: `amr`, `acr`, what is still owed |

pub mod assurance;
mod code_key;
mod crockford;
mod digest;
mod email;
mod hash;
mod keys;
mod legacy;
mod master;
pub mod opaque;
pub mod passkey;
mod password;
mod phc;
pub mod recovery;
pub mod strength;
pub mod token;
pub mod totp;
mod username;
mod webhook;

pub use code_key::CodeKey;
pub(crate) use code_key::KeyedHash;
pub use digest::sha256_hex;
pub use email::{EmailAddress, EmailAddressError};
pub use hash::{HashError, HashParams, PasswordHash, Verdict, hash, verify, verify_unknown};
pub use keys::{KeyEncryptionKey, MailKey, OpaqueSetupKey, OpenError, Pepper, Peppers, TotpKey};
pub use master::{MasterKey, MasterKeyError};
pub use password::{Password, PasswordError};
pub use username::{Username, UsernameError};
pub use webhook::{WebhookSecretError, WebhookSecrets};

#[cfg(test)]
mod tests;
