//! What lets programs register themselves as clients, and change later what they have registered.

use aws_lc_rs::constant_time;
use stdx::{Rng, Secret};

use super::{TokenError, decode, encode, hash};

/// `rt_` and 256 random bits: whoever has it may register, or manage one client (RFC 7591 §3,
/// RFC 7592 §1).
pub struct RegistrationToken(Secret<[u8; 32]>);

/// What such a token is for. It goes into what is stored, so one for the one is unknown for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationUse {
    /// To register a client.
    Register,
    /// To read, change and remove one.
    Manage,
}

/// A stored token.
#[derive(Clone, Debug)]
pub struct RegistrationTokenHash(String);

impl RegistrationToken {
    /// What each begins with, so that a leaked one is recognised.
    pub const PREFIX: &str = "rt_";

    /// A new token.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self(Secret::new(rng.bytes()))
    }

    /// Reads what a header brought.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let random = text.strip_prefix(Self::PREFIX).ok_or(TokenError::Form)?;
        Ok(Self(decode(random)?))
    }

    /// For the one time that it is shown.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(format!("{}{}", Self::PREFIX, encode(&self.0).expose()))
    }

    /// What is stored and looked for.
    #[must_use]
    pub fn hash(&self, purpose: RegistrationUse) -> RegistrationTokenHash {
        let kind = match purpose {
            RegistrationUse::Register => "client-invitation",
            RegistrationUse::Manage => "client-registration",
        };
        RegistrationTokenHash(hash(kind, self.0.expose()))
    }
}

impl RegistrationTokenHash {
    /// Reads [`Self::as_str`].
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// For the database: 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are of the same token; it takes the same time for every two.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

hidden!(RegistrationToken);
