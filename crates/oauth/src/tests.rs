//! Facts about tokens and keys.

mod assertions;
mod authorize;
mod every_kind;
mod families;
mod fixtures;
mod forged;
mod id_tokens;
mod keys;
mod proofs;
mod redirects;
mod token_requests;
mod tokens;

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Map;
use stdx::Rng;

use crate::{AccessTokenClaims, Algorithm, Expectations, SigningKey, VerifyingKeys};

const NOW: i64 = 1_795_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa, &Rng::seeded(1)).unwrap()
}

/// One key of each algorithm for all tests: making an RSA key takes a second.
fn key_of(algorithm: Algorithm) -> &'static SigningKey {
    static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
        Algorithm::ALL
            .iter()
            .map(|algorithm| SigningKey::generate(*algorithm, &Rng::seeded(11)).unwrap())
            .collect()
    });
    let named = |key: &&SigningKey| key.algorithm() == algorithm;
    KEYS.iter().find(named).unwrap()
}

fn keys() -> VerifyingKeys {
    VerifyingKeys::new(vec![key().verifying_key().clone()])
}

fn expectations() -> Expectations {
    Expectations {
        issuer: "https://id.example.org".to_owned(),
        audience: "https://api.example.org".to_owned(),
        leeway: Duration::from_secs(30),
    }
}

fn claims() -> AccessTokenClaims {
    AccessTokenClaims {
        iss: "https://id.example.org".to_owned(),
        sub: "0190f7a4-0000-7000-8000-000000000001".to_owned(),
        aud: "https://api.example.org".to_owned(),
        client_id: "pilaster".to_owned(),
        scope: Some("read write".to_owned()),
        roles: vec!["editor".to_owned()],
        iat: NOW,
        exp: NOW + 900,
        nbf: None,
        jti: "0190f7a4-0000-7000-8000-0000000000ff".to_owned(),
        auth_time: Some(NOW - 5),
        acr: None,
        epoch: Some(3),
        extra: Map::new(),
    }
}
