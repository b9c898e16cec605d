//! What clients are given: codes and secrets; and what a browser is known by while it logs in.

use aws_lc_rs::constant_time;
use stdx::{Rng, Secret};

use super::{TokenError, decode, encode, hash};

/// An authorization code (RFC 6749 §4.1.2): 256 random bits, 43 characters of base64url.
pub struct AuthorizationCode(Secret<[u8; 32]>);

/// A stored authorization code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCodeHash(String);

/// What a device without a browser asks with (RFC 8628 §3.2): 256 random bits, 43 characters of
/// base64url.
pub struct DeviceCode(Secret<[u8; 32]>);

/// A stored device code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCodeHash(String);

/// A client's secret: `cs_` and 256 random bits; or whatever its owner has chosen.
pub struct ClientSecret(Secret<String>);

/// A stored secret of a client. Chosen ones are only as good as their owner's choice.
#[derive(Clone, Debug)]
pub struct ClientSecretHash(String);

/// What a browser is known by while somebody logs in to a client with it: 256 random bits, 43
/// characters of base64url.
pub struct BrowserId(Secret<[u8; 32]>);

impl AuthorizationCode {
    /// A new code.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self(Secret::new(rng.bytes()))
    }

    /// Reads what a client brought.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        Ok(Self(decode(text)?))
    }

    /// For the client.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        encode(&self.0)
    }

    /// What is stored and looked for.
    #[must_use]
    pub fn hash(&self) -> AuthorizationCodeHash {
        AuthorizationCodeHash(hash("authorization-code", self.0.expose()))
    }
}

impl AuthorizationCodeHash {
    /// For the database: 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DeviceCode {
    /// A new code.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self(Secret::new(rng.bytes()))
    }

    /// Reads what a device brought.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        Ok(Self(decode(text)?))
    }

    /// For the device.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        encode(&self.0)
    }

    /// What is stored and looked for.
    #[must_use]
    pub fn hash(&self) -> DeviceCodeHash {
        DeviceCodeHash(hash("device-code", self.0.expose()))
    }
}

impl DeviceCodeHash {
    /// For the database: 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClientSecret {
    /// What new ones begin with, so that a leaked one is recognised.
    pub const PREFIX: &str = "cs_";

    /// A new secret.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        let random = encode(&Secret::new(rng.bytes()));
        Self(Secret::new(format!("{}{}", Self::PREFIX, random.expose())))
    }

    /// What a client brought, or its owner chose.
    #[must_use]
    pub fn of_text(text: Secret<String>) -> Self {
        Self(text)
    }

    /// For the one time that it is shown.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        self.0.clone()
    }

    /// What is stored.
    #[must_use]
    pub fn hash(&self) -> ClientSecretHash {
        ClientSecretHash(hash("client-secret", self.0.expose().as_bytes()))
    }
}

impl ClientSecretHash {
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

    /// Whether both are of the same secret; it takes the same time for every two.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl BrowserId {
    /// A new id.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self(Secret::new(rng.bytes()))
    }

    /// Reads a cookie's value.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        Ok(Self(decode(text)?))
    }

    /// For the cookie.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        encode(&self.0)
    }

    /// What is kept of it: 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        hash("browser", self.0.expose())
    }
}

hidden!(AuthorizationCode, DeviceCode, ClientSecret, BrowserId);
