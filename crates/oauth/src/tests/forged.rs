//! Forged tokens: none is accepted.

mod payloads;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stdx::Rng;

use super::{claims, expectations, key, keys, now};
use crate::{Algorithm, SigningKey, TokenError, decode_access_token, encode_access_token};

fn good() -> String {
    encode_access_token(&claims(), &key()).unwrap()
}

fn check(token: &str) -> Result<(), TokenError> {
    decode_access_token(token, &keys(), &expectations(), now()).map(drop)
}

fn good_header() -> String {
    format!(
        r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#,
        key().kid()
    )
}

fn good_payload() -> String {
    Value::Object(claims().to_members()).to_string()
}

/// A token of these JSON texts, truly signed by our own key.
fn signed(header: &str, payload: &str) -> String {
    signed_by(&key(), header, payload)
}

fn signed_by(key: &SigningKey, header: &str, payload: &str) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap());
    format!("{message}.{signature}")
}

/// A token whose header differs from a good one by `change`, truly signed.
fn with_header(change: impl FnOnce(&mut Value)) -> String {
    let mut header = serde_json::from_str(&good_header()).unwrap();
    change(&mut header);
    signed(&header.to_string(), &good_payload())
}

/// A token whose claims differ from good ones by one claim (`null`: left out), truly signed.
fn with_claim(name: &str, value: Value) -> String {
    let mut members = claims().to_members();
    members.shift_remove(name);
    if !value.is_null() {
        members.insert(name.to_owned(), value);
    }
    signed(&good_header(), &Value::Object(members).to_string())
}

#[test]
fn the_forger_starts_from_a_good_token() {
    assert_eq!(check(&good()), Ok(()));
    assert_eq!(check(&signed(&good_header(), &good_payload())), Ok(()));
    assert_eq!(
        check(&with_claim("aud", json!(["https://api.example.org"]))),
        Ok(())
    );
    let other_spelling = with_header(|h| h["typ"] = "Application/AT+JWT".into());
    assert_eq!(check(&other_spelling), Ok(()));
}

#[test]
fn no_forged_token_is_accepted() {
    let corpus: Vec<(String, String)> = [
        algorithms(),
        headers(),
        names_and_types(),
        shapes(),
        payloads::payloads(),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(corpus.len() >= 60, "only {} forgeries", corpus.len());
    let accepted: Vec<&String> = corpus
        .iter()
        .filter(|(_, token)| check(token).is_ok())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(accepted, Vec::<&String>::new());
}

#[test]
fn no_changed_bit_and_no_prefix_is_accepted() {
    let good = good();
    for index in 0..good.len() {
        assert!(check(&good[..index]).is_err(), "prefix of {index}");
        for bit in 0..7 {
            let mut bytes = good.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(check(&changed).is_err(), "bit {bit} of byte {index}");
        }
    }
}

#[test]
fn each_refusal_names_its_reason() {
    let cases = [
        (
            with_header(|h| h["alg"] = "none".into()),
            TokenError::Algorithm,
        ),
        (with_header(|h| h["typ"] = "JWT".into()), TokenError::Type),
        (
            with_header(|h| h["kid"] = "other".into()),
            TokenError::UnknownKey,
        ),
        (
            with_claim("iss", json!("https://evil.example")),
            TokenError::Issuer,
        ),
        (
            with_claim("aud", json!("https://other.example")),
            TokenError::Audience,
        ),
        (with_claim("sub", Value::Null), TokenError::Claim("sub")),
        (
            signed_by(
                &SigningKey::generate(Algorithm::EdDsa, &Rng::seeded(9)).unwrap(),
                &good_header(),
                &good_payload(),
            ),
            TokenError::Signature,
        ),
    ];
    for (token, reason) in cases {
        assert_eq!(check(&token), Err(reason));
    }
}

fn named(kind: &str, tokens: Vec<String>) -> Vec<(String, String)> {
    tokens
        .into_iter()
        .enumerate()
        .map(|(index, token)| (format!("{kind} {index}"), token))
        .collect()
}

/// Another algorithm than ours, with our own good signature and with the forger's own kinds.
fn algorithms() -> Vec<(String, String)> {
    let names = [
        "none", "None", "NONE", "nOnE", "", "eddsa", "EDDSA", "EdDSA ", "Ed25519", "Ed448",
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
        "ES384", "ES512", "ES256K", "dir", "RSA-OAEP", "A256GCM",
    ];
    let mut tokens: Vec<String> = names
        .iter()
        .map(|name| with_header(|h| h["alg"] = (*name).into()))
        .collect();
    // `none` with an empty signature (RFC 7519 §6), which some libraries take.
    let message = |alg: &str| {
        let header = good_header().replace("EdDSA", alg);
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(good_payload())
        )
    };
    tokens.push(format!("{}.", message("none")));
    tokens.push(message("none"));
    tokens.push(format!("{}.", message("EdDSA")));
    // HMAC with the published key as the secret: raw, base64url, and as its JSON form.
    let x = serde_json::to_value(crate::Jwk::new(key().verifying_key())).unwrap();
    let public = URL_SAFE_NO_PAD.decode(x["x"].as_str().unwrap()).unwrap();
    let jwks = crate::Jwks::new(&keys()).to_json();
    let text = URL_SAFE_NO_PAD.encode(&public);
    for secret in [&public[..], text.as_bytes(), jwks.as_bytes(), b""] {
        for alg in ["HS256", "EdDSA"] {
            let message = message(alg);
            let tag = hmac::sign(
                &hmac::Key::new(hmac::HMAC_SHA256, secret),
                message.as_bytes(),
            );
            tokens.push(format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag)));
        }
    }
    named("algorithm", tokens)
}

/// Headers that bring a key, name a file, or ask for something that we do not do.
fn headers() -> Vec<(String, String)> {
    let forger = SigningKey::generate(Algorithm::EdDsa, &Rng::seeded(9)).unwrap();
    let jwk = serde_json::to_value(crate::Jwks::new(&crate::VerifyingKeys::new(vec![
        forger.verifying_key().clone(),
    ])))
    .unwrap()["keys"][0]
        .clone();
    let mut tokens = Vec::new();
    let additions = [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("iss", json!("https://id.example.org")),
    ];
    for (name, value) in additions {
        let mut header: Value = serde_json::from_str(&good_header()).unwrap();
        header[name] = value;
        tokens.push(signed(&header.to_string(), &good_payload()));
        tokens.push(signed_by(&forger, &header.to_string(), &good_payload()));
    }
    named("header", tokens)
}

/// Keys that we do not have, kinds of token that are not ours, headers that are no object.
fn names_and_types() -> Vec<(String, String)> {
    let forger = SigningKey::generate(Algorithm::EdDsa, &Rng::seeded(9)).unwrap();
    let mut tokens = Vec::new();
    let kids = [
        json!("../../../../dev/null"),
        json!("' or '1'='1"),
        json!("x' union select 'key"),
        json!("/proc/self/environ"),
        json!("https://evil.example/key"),
        json!(""),
        json!(0),
        json!([key().kid()]),
        json!(forger.kid()),
        json!(key().kid().to_lowercase()),
        json!(format!("{} ", key().kid())),
        Value::Null,
    ];
    for kid in kids {
        tokens.push(with_header(|h| h["kid"] = kid));
    }
    for kind in [
        "JWT",
        "jwt",
        "id+jwt",
        "logout+jwt",
        "dpop+jwt",
        "at+jwt;x",
        "text/at+jwt",
        "",
    ] {
        tokens.push(with_header(|h| h["typ"] = kind.into()));
    }
    for name in ["alg", "typ", "kid"] {
        tokens.push(with_header(|h| {
            h.as_object_mut().unwrap().shift_remove(name);
        }));
        tokens.push(with_header(|h| h[name] = json!({})));
    }
    let twice = good_header().replace(r#""typ""#, r#""alg":"EdDSA","typ""#);
    tokens.push(signed(&twice, &good_payload()));
    let twice = good_header().replace(r#"{"alg""#, r#"{"alg":"none","alg""#);
    tokens.push(signed(&twice, &good_payload()));
    let upper = good_header().replace(r#""alg""#, r#""ALG""#);
    tokens.push(signed(&upper, &good_payload()));
    for header in [
        "",
        "null",
        "[]",
        "{}",
        "\"EdDSA\"",
        "{",
        "{\"alg\":\"EdDSA\"",
        "\u{feff}{}",
    ] {
        tokens.push(signed(header, &good_payload()));
    }
    tokens.push(signed(&format!("{}x", good_header()), &good_payload()));
    tokens.push(signed_by(&forger, &good_header(), &good_payload()));
    named("name", tokens)
}

/// Texts that are not quite three base64url segments.
fn shapes() -> Vec<(String, String)> {
    let good = good();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut plus_order = raw.clone();
    // S + L: the malleable twin of an Ed25519 signature (RFC 8032 §5.1.7 demands S < L).
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0u16;
    for (byte, add) in plus_order[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let tokens = vec![
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!(".{good}"),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        format!("{good}\0"),
        format!("Bearer {good}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.{}", URL_SAFE.encode(&raw)),
        format!("{header}.{payload}.{}+/", STANDARD.encode(&raw)),
        format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(&raw[..63])),
        format!(
            "{header}.{payload}.{}",
            URL_SAFE_NO_PAD.encode([&raw[..], &[0]].concat())
        ),
        format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(&plus_order)),
        format!("{payload}.{header}.{signature}"),
        format!("{header}.{header}.{signature}"),
        good.to_uppercase(),
        good.replace('.', "\u{2024}"),
        json!({"protected": header, "payload": payload, "signature": signature}).to_string(),
        format!("{good}{}", "A".repeat(8 * 1024)),
        signed(
            &good_header(),
            &format!("{}{}", good_payload(), " ".repeat(8 * 1024)),
        ),
    ];
    named("shape", tokens)
}
