//! Recovery codes: what somebody keeps on paper for the day the phone is lost.

use stdx::{Rng, Secret};
use uuid::Uuid;

use crate::crockford;
use crate::{CodeKey, KeyedHash};

/// How many are made at once.
pub const RECOVERY_CODES: usize = 10;

/// Characters without the hyphens. Sixteen of five bits are 80: guessing all ten at a billion
/// tries a second takes millions of years, even for who stole the database and the key, and one
/// still types it in a breath. (With 64 bits it would be decades on one machine, and thieves have
/// many.)
const LENGTH: usize = 16;

/// A recovery code, made or typed in.
pub struct RecoveryCode(Secret<String>);

/// A stored recovery code: a keyed hash, of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCodeHash(KeyedHash);

/// What somebody typed is no recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a recovery code has sixteen letters and digits, as in 7x3k-q9vd-m2hr-c4tz")]
pub struct RecoveryCodeError;

impl RecoveryCode {
    /// [`RECOVERY_CODES`] new ones; those made before are to be forgotten.
    #[must_use]
    pub fn generate(rng: &Rng) -> Vec<Self> {
        let one = |_| Self(Secret::new(crockford::spell(&rng.bytes::<LENGTH>())));
        (0..RECOVERY_CODES).map(one).collect()
    }

    /// Reads what somebody typed: capitals, blanks and hyphens do not matter, nor whether an `O`
    /// was written for a zero, or an `I` or `L` for a one.
    pub fn parse(text: &str) -> Result<Self, RecoveryCodeError> {
        if text.len() > 64 {
            return Err(RecoveryCodeError);
        }
        let mut normal = String::with_capacity(64);
        for character in text.chars() {
            match character {
                '-' | ' ' | '\u{a0}' | '\u{2010}'..='\u{2015}' => {}
                other => normal.push(crockford::normal(other).ok_or(RecoveryCodeError)?),
            }
        }
        let code = Self(Secret::new(normal));
        match code.0.expose().len() {
            LENGTH => Ok(code),
            _ => Err(RecoveryCodeError),
        }
    }

    /// For the one time that it is shown: `7x3k-q9vd-m2hr-c4tz`.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        let mut text = String::with_capacity(LENGTH + 3);
        for (place, character) in self.0.expose().chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            text.push(character);
        }
        Secret::new(text)
    }

    /// What is stored, and looked for among the user's.
    #[must_use]
    pub fn hash(&self, user: Uuid, key: &CodeKey) -> RecoveryCodeHash {
        let code = self.0.expose().as_bytes();
        RecoveryCodeHash(key.hash("recovery-code", user, code))
    }
}

impl RecoveryCodeHash {
    /// For the database: 64 hexadecimal digits.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.to_text()
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(***)")
    }
}
