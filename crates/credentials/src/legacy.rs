//! Password hashes of other systems: compared as they were made, so that nobody has to choose a new
//! password when a system moves here. Each match asks to be hashed anew.
//!
//! | system | text |
//! |---|---|
//! | bcrypt (PHP, Ruby, Go, Node, Python) | `$2a$`, `$2b$`, `$2y$` |
//! | Argon2, scrypt, PBKDF2 as PHC strings | `$argon2id$`, `$argon2i$`, `$argon2d$`, `$scrypt$`, `$pbkdf2-sha256$i=…` |
//! | passlib | `$scrypt$`, `$pbkdf2$`, `$pbkdf2-sha256$`, `$pbkdf2-sha512$` |
//! | Django | `pbkdf2_sha256$`, `pbkdf2_sha1$`, `argon2$`, `scrypt$`, `bcrypt$`, `bcrypt_sha256$` |
//! | Werkzeug (Flask) | `scrypt:…`, `pbkdf2:sha1:…`, `pbkdf2:sha256:…`, `pbkdf2:sha512:…` |
//!
//! Plain digests (MD5, SHA-1, SHA-256, with or without salt) are not taken: who holds the import
//! file holds the passwords.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::pbkdf2;
use stdx::Secret;
use subtle::ConstantTimeEq as _;

use crate::{HashError, Password, sha256_hex};

mod read;

/// A hash that another system made, within what a login may cost.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Imported {
    /// As it was handed in; stored unchanged.
    text: String,
    scheme: Scheme,
}

/// How to make it again.
#[derive(Clone, PartialEq, Eq)]
enum Scheme {
    /// Given the password, or its SHA-256 as hexadecimal digits.
    Bcrypt {
        text: String,
        cost: u32,
        digested: bool,
    },
    /// Argon2 in any of its three kinds.
    Argon2 { setting: Argon2Setting, made: Made },
    /// RFC 7914.
    Scrypt { setting: ScryptSetting, made: Made },
    /// RFC 8018 §5.2.
    Pbkdf2 {
        digest: Digest,
        iterations: NonZeroU32,
        made: Made,
    },
}

#[derive(Clone, PartialEq, Eq)]
struct Argon2Setting {
    algorithm: Algorithm,
    version: Version,
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct ScryptSetting {
    log_n: u8,
    r: u32,
    p: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// What went in and what came out.
#[derive(Clone, PartialEq, Eq)]
struct Made {
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Imported {
    /// Reads any text of the table above.
    ///
    /// Gives [`HashError::TooCostly`] for settings that a login cannot bear: a hostile import must
    /// not burn minutes or gigabytes.
    pub(crate) fn read(text: &str) -> Result<Self, HashError> {
        let scheme = read::scheme(text)?;
        if !scheme.is_bearable() {
            return Err(HashError::TooCostly);
        }
        let text = text.to_owned();
        Ok(Self { text, scheme })
    }

    /// The text that was read.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Compares; takes about two seconds of a free core at most, and 256 MiB.
    ///
    /// bcrypt sees the first 72 bytes of a password and no more, here as in the system that made
    /// the hash; the hash that takes its place sees all of them.
    pub(crate) fn matches(&self, password: &Password) -> Result<bool, HashError> {
        let password = password.as_bytes();
        match &self.scheme {
            Scheme::Bcrypt { text, digested, .. } => {
                let digest = digested.then(|| Secret::new(sha256_hex(password)));
                let given = digest
                    .as_ref()
                    .map_or(password, |hex| hex.expose().as_bytes());
                bcrypt::verify(given, text).map_err(|_| HashError::Stored)
            }
            Scheme::Argon2 { setting, made } => made.compare(|salt, output| {
                setting
                    .hasher(output.len())?
                    .hash_password_into(password, salt, output)
                    .map_err(|_| HashError::Stored)
            }),
            Scheme::Scrypt { setting, made } => made.compare(|salt, output| {
                let ScryptSetting { log_n, r, p } = *setting;
                let setting = scrypt::Params::new(log_n, r, p).map_err(|_| HashError::Stored)?;
                scrypt::scrypt(password, salt, &setting, output).map_err(|_| HashError::Stored)
            }),
            Scheme::Pbkdf2 {
                digest,
                iterations,
                made,
            } => made.compare(|salt, output| {
                pbkdf2::derive(digest.algorithm(), *iterations, salt, password, output);
                Ok(())
            }),
        }
    }
}

impl Made {
    /// Makes the output again and compares without an early end.
    fn compare(
        &self,
        make: impl FnOnce(&[u8], &mut [u8]) -> Result<(), HashError>,
    ) -> Result<bool, HashError> {
        let mut output = vec![0; self.output.len()];
        make(&self.salt, &mut output)?;
        Ok(output.ct_eq(&self.output).into())
    }
}

impl Scheme {
    /// Whether one login may cost as much: about two seconds of a free core and 256 MiB.
    fn is_bearable(&self) -> bool {
        match self {
            // Each step doubles it, and 15 is two seconds.
            Self::Bcrypt { cost, .. } => (4..=15).contains(cost),
            Self::Argon2 { setting, .. } => {
                let work = u64::from(setting.memory_kib) * u64::from(setting.iterations);
                setting.memory_kib <= 262_144
                    && work <= 1_048_576
                    && (1..=16).contains(&setting.parallelism)
            }
            Self::Scrypt { setting, .. } => {
                let ScryptSetting { log_n, r, p } = *setting;
                let blocks = u64::from(r) << log_n.min(30);
                log_n <= 20
                    && r <= 64
                    && p <= 64
                    && blocks * 128 <= 256 << 20
                    && blocks * u64::from(p) <= 1 << 22
            }
            Self::Pbkdf2 {
                digest,
                iterations,
                made,
            } => {
                let rounds = made.output.len().div_ceil(digest.bytes()) as u64;
                u64::from(iterations.get()) * rounds <= digest.most_rounds()
            }
        }
    }
}

impl Argon2Setting {
    fn hasher(&self, output: usize) -> Result<Argon2<'static>, HashError> {
        Params::new(
            self.memory_kib,
            self.iterations,
            self.parallelism,
            Some(output),
        )
        .map(|params| Argon2::new(self.algorithm, self.version, params))
        .map_err(|_| HashError::Stored)
    }
}

impl Digest {
    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    /// How often a login may run it: about a second of a free core.
    fn most_rounds(self) -> u64 {
        match self {
            Self::Sha1 | Self::Sha256 => 3_000_000,
            Self::Sha512 => 1_000_000,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}
