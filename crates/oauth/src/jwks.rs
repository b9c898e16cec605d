//! The published list of public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::{VerifyingKey, VerifyingKeys};

/// A JWK set (RFC 7517 §5). Holds public members only: there is no field for a private one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// A public Ed25519 key (RFC 8037 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Key type: `OKP`, an octet key pair.
    pub kty: &'static str,
    /// Curve: `Ed25519`.
    pub crv: &'static str,
    /// The public key, base64url.
    pub x: String,
    /// Its name.
    pub kid: String,
    /// What for: `sig` (RFC 7517 §4.2).
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// With which algorithm: `EdDSA` (RFC 8037 §3.1).
    pub alg: &'static str,
}

impl Jwks {
    /// The set that publishes `keys`.
    #[must_use]
    pub fn new(keys: &VerifyingKeys) -> Self {
        Self {
            keys: keys.iter().map(Jwk::new).collect(),
        }
    }

    /// Its JSON text, served as `application/jwk-set+json` (RFC 7517 §8.5.2).
    ///
    /// # Panics
    /// Never: plain strings are JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain strings are JSON")
    }
}

impl Jwk {
    fn new(key: &VerifyingKey) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            x: URL_SAFE_NO_PAD.encode(key.as_bytes()),
            kid: key.kid().to_owned(),
            usage: "sig",
            alg: "EdDSA",
        }
    }
}
