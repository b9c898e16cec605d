//! The published list of public keys.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{VerifyingKey, VerifyingKeys};

/// A JWK set (RFC 7517 §5). It is made from public keys, so it has no private member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys; no two have one name.
    pub keys: Vec<Jwk>,
}

/// A public key: `kty` and its numbers (RFC 7518 §6, RFC 8037 §2), `kid`, `use` and `alg`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Jwk(Map<String, Value>);

impl Jwks {
    /// The set that publishes `keys`. Of two that have one name (an RSA key for two algorithms)
    /// the first is published: OpenID's checks want names that differ.
    #[must_use]
    pub fn new(keys: &VerifyingKeys) -> Self {
        let mut seen: Vec<&str> = Vec::new();
        let mut published = Vec::new();
        for key in keys.iter() {
            if !seen.contains(&key.kid()) {
                seen.push(key.kid());
                published.push(Jwk::new(key));
            }
        }
        Self { keys: published }
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
    /// The public form of `key`.
    #[must_use]
    pub fn new(key: &VerifyingKey) -> Self {
        let mut members = Map::new();
        for (name, value) in key.public().members() {
            members.insert(name.to_owned(), value.into());
        }
        members.insert("kid".to_owned(), key.kid().into());
        members.insert("use".to_owned(), "sig".into());
        members.insert("alg".to_owned(), key.algorithm().name().into());
        Self(members)
    }
}
