//! Facts about good tokens, and about the time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use stdx::Rng;

use super::{NOW, claims, expectations, key, keys, now};
use crate::{
    AccessTokenClaims, Algorithm, SigningKey, TokenError, VerifyingKeys, decode_access_token,
    encode_access_token,
};

fn decode_at(claims: &AccessTokenClaims, second: i64) -> Result<AccessTokenClaims, TokenError> {
    let token = encode_access_token(claims, &key()).unwrap();
    let at = jiff::Timestamp::from_second(second).unwrap();
    decode_access_token(&token, &keys(), &expectations(), at)
}

#[test]
fn what_was_signed_is_what_is_read() {
    let mut claims = claims();
    claims.extra.insert("tenant".to_owned(), Value::from(7));
    assert_eq!(decode_at(&claims, NOW), Ok(claims));
}

#[test]
fn the_token_is_that_of_rfc_9068() {
    let token = encode_access_token(&claims(), &key()).unwrap();
    let part = |index: usize| -> Value {
        let segment = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
    };
    let header = part(0);
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["kid"], key().kid());
    let payload = part(1);
    for name in [
        "iss",
        "sub",
        "aud",
        "client_id",
        "scope",
        "iat",
        "exp",
        "jti",
    ] {
        assert!(!payload[name].is_null(), "{name}");
    }
    assert!(token.len() < 1024);
}

#[test]
fn a_registered_claim_cannot_be_smuggled_in_by_an_extra_one() {
    let mut claims = claims();
    claims
        .extra
        .insert("sub".to_owned(), Value::from("somebody else"));
    let read = decode_at(&claims, NOW).unwrap();
    assert_eq!(read.sub, claims.sub);
}

#[test]
fn a_token_lives_from_its_beginning_to_its_end_give_or_take_the_leeway() {
    let claims = claims();
    assert_eq!(decode_at(&claims, NOW - 31), Err(TokenError::NotYetValid));
    assert!(decode_at(&claims, NOW - 30).is_ok());
    assert!(decode_at(&claims, NOW + 929).is_ok());
    assert_eq!(decode_at(&claims, NOW + 930), Err(TokenError::Expired));
    let later = AccessTokenClaims {
        nbf: Some(NOW + 100),
        ..claims
    };
    assert_eq!(decode_at(&later, NOW + 69), Err(TokenError::NotYetValid));
    assert!(decode_at(&later, NOW + 70).is_ok());
}

#[test]
fn more_than_a_minute_of_leeway_is_not_taken() {
    let token = encode_access_token(&claims(), &key()).unwrap();
    let mut generous = expectations();
    generous.leeway = std::time::Duration::from_hours(24);
    let read = |second| {
        let at = jiff::Timestamp::from_second(second).unwrap();
        decode_access_token(&token, &keys(), &generous, at)
    };
    assert!(read(NOW + 959).is_ok());
    assert_eq!(read(NOW + 960), Err(TokenError::Expired));
}

#[test]
fn a_life_of_more_than_an_hour_is_not_signed() {
    for life in [3601, 0, -1, i64::MAX] {
        let claims = AccessTokenClaims {
            exp: NOW.saturating_add(life),
            ..claims()
        };
        let made = encode_access_token(&claims, &key());
        assert_eq!(made, Err(TokenError::Claim("exp")), "{life}");
    }
}

#[test]
fn a_replaced_key_verifies_as_long_as_it_is_listed() {
    let newer = SigningKey::generate(Algorithm::EdDsa, &Rng::seeded(2)).unwrap();
    let token = encode_access_token(&claims(), &key()).unwrap();
    let both = VerifyingKeys::new(vec![
        newer.verifying_key().clone(),
        key().verifying_key().clone(),
    ]);
    assert!(decode_access_token(&token, &both, &expectations(), now()).is_ok());
    let newer_alone = VerifyingKeys::new(vec![newer.verifying_key().clone()]);
    assert_eq!(
        decode_access_token(&token, &newer_alone, &expectations(), now()),
        Err(TokenError::UnknownKey)
    );
}
