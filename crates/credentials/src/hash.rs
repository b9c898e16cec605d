//! Hashing passwords and comparing them.

use argon2::{Algorithm, Argon2, Params, Version};
use stdx::Rng;
use subtle::ConstantTimeEq as _;

use crate::legacy::Imported;
use crate::phc::Phc;
use crate::{Password, Pepper, Peppers};

/// How much work one hash is (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParams {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// A password's hash, the only form in which one is stored.
///
/// Made by [`hash`], or read by [`PasswordHash::from_stored`] from the database or from what
/// another system hands over.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    /// One of ours, with a pepper.
    Own(Phc),
    /// One of another system's, which is outdated from the start.
    Imported(Imported),
}

/// What became of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Match {
        /// Whether the hash was made with other parameters or another pepper than today's, or by
        /// another system, so that it should be made anew while the password is at hand.
        needs_upgrade: bool,
    },
    /// It is wrong.
    Mismatch,
}

/// Why a hash cannot be made or compared; a fault of the installation, never of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The settings ask for what Argon2 cannot do, or for more than a server can bear.
    #[error("the settings for password hashes are outside of what Argon2id can do")]
    Params,
    /// A text that is neither a hash of ours nor one of the systems that are known.
    #[error("a stored password hash cannot be read")]
    Stored,
    /// A hash of another system's whose settings would cost a login seconds or gigabytes.
    #[error("a password hash asks for more work than a login may cost")]
    TooCostly,
    /// The hash was made with a pepper that is not configured any more.
    #[error("a stored password hash needs pepper version {0}, which is not configured")]
    UnknownPepper(u32),
}

impl HashParams {
    /// 19 MiB, two passes, one lane: OWASP's choice of equal strength with the least memory.
    pub const DEFAULT: Self = Self {
        memory_kib: 19_456,
        iterations: 2,
        parallelism: 1,
    };

    /// Whether a login could bear it: a row in the database must not cost minutes of CPU.
    #[must_use]
    pub fn are_bearable(self) -> bool {
        (8..=1_048_576).contains(&self.memory_kib)
            && (1..=64).contains(&self.iterations)
            && (1..=16).contains(&self.parallelism)
            && self.memory_kib >= 8 * self.parallelism
    }
}

impl Default for HashParams {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl PasswordHash {
    /// Takes a hash text out of the database, or out of another system's: bcrypt, Argon2, scrypt
    /// and PBKDF2, as PHC strings and as passlib, Django and Werkzeug write them.
    pub fn from_stored(text: &str) -> Result<Self, HashError> {
        match Phc::read(text) {
            Some(own) => Ok(Self(Kind::Own(own))),
            None => Imported::read(text).map(|imported| Self(Kind::Imported(imported))),
        }
    }

    /// The text to store: one of ours begins with `$argon2id$` and has at most 160 characters; one
    /// of another system's is as it was, at most 512.
    #[must_use]
    pub fn to_phc(&self) -> String {
        match &self.0 {
            Kind::Own(own) => own.write(),
            Kind::Imported(imported) => imported.text().to_owned(),
        }
    }

    /// The version of the pepper that it was made with; another system's has none.
    #[must_use]
    pub fn pepper_version(&self) -> Option<u32> {
        match &self.0 {
            Kind::Own(own) => Some(own.pepper_version),
            Kind::Imported(_) => None,
        }
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(***)")
    }
}

/// Hashes a password: HMAC with the pepper, then Argon2id with 16 random bytes of salt.
///
/// Takes tens of milliseconds of one core and `params.memory_kib` of memory, so call it from a
/// thread that may be busy and bound how many run at once.
pub fn hash(
    password: &Password,
    pepper: &Pepper,
    params: HashParams,
    rng: &Rng,
) -> Result<PasswordHash, HashError> {
    let salt = rng.bytes();
    let output = work(password, pepper, params, &salt)?;
    Ok(PasswordHash(Kind::Own(Phc {
        params,
        pepper_version: pepper.version(),
        salt,
        output,
    })))
}

/// Compares a password with a stored hash; `params` are today's, to tell whether it is outdated.
///
/// As costly as [`hash`]; for a hash of another system's as costly as that one made it, which is
/// about two seconds of a free core and 256 MiB at most.
pub fn verify(
    password: &Password,
    stored: &PasswordHash,
    peppers: &Peppers,
    params: HashParams,
) -> Result<Verdict, HashError> {
    match &stored.0 {
        Kind::Own(stored) => verify_own(password, stored, peppers, params),
        Kind::Imported(stored) => Ok(match stored.matches(password)? {
            true => Verdict::Match {
                needs_upgrade: true,
            },
            false => Verdict::Mismatch,
        }),
    }
}

fn verify_own(
    password: &Password,
    stored: &Phc,
    peppers: &Peppers,
    params: HashParams,
) -> Result<Verdict, HashError> {
    let pepper = peppers
        .of_version(stored.pepper_version)
        .ok_or(HashError::UnknownPepper(stored.pepper_version))?;
    let output = work(password, pepper, stored.params, &stored.salt)?;
    // ASVS 5.0 11.2.4: no early exit that tells how many bytes were right.
    if !bool::from(output.ct_eq(&stored.output)) {
        return Ok(Verdict::Mismatch);
    }
    let outdated = stored.params != params || stored.pepper_version != peppers.current().version();
    Ok(Verdict::Match {
        needs_upgrade: outdated,
    })
}

/// Does the work of [`verify`] for a user who does not exist, so that the time of a refusal does
/// not tell whether an account exists (ASVS 5.0 6.3.8). Never gives a match.
pub fn verify_unknown(
    password: &Password,
    peppers: &Peppers,
    params: HashParams,
) -> Result<Verdict, HashError> {
    let nobody = Phc {
        params,
        pepper_version: peppers.current().version(),
        salt: *b"nobody has this!",
        output: [0; 32],
    };
    verify_own(password, &nobody, peppers, params).map(|_| Verdict::Mismatch)
}

fn work(
    password: &Password,
    pepper: &Pepper,
    params: HashParams,
    salt: &[u8; 16],
) -> Result<[u8; 32], HashError> {
    if !params.are_bearable() {
        return Err(HashError::Params);
    }
    let mixed = pepper.mix(password.as_bytes());
    let settings = Params::new(
        params.memory_kib,
        params.iterations,
        params.parallelism,
        Some(32),
    )
    .map_err(|_| HashError::Params)?;
    let mut output = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, settings)
        .hash_password_into(mixed.expose(), salt, &mut output)
        .map_err(|_| HashError::Params)?;
    Ok(output)
}
