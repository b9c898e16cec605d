//! Signed assertions: of clients about themselves, and of trusted issuers about users.

use serde_json::{Value, json};

use super::fixtures::{ISSUER, client, client_key, jws, jwt, parameters, with};
use super::token_requests::let_in;
use super::{NOW, key_of, now};
use crate::token::{
    Authenticated, BearerExpectations, check_bearer_assertion, check_client, read_client,
};
use crate::{Algorithm, Client, Profile, VerifyingKeys};

fn assertion() -> Value {
    json!({"iss": "app", "sub": "app", "aud": ISSUER, "iat": NOW, "exp": NOW + 60, "jti": "1"})
}

fn asserted(client: &Client, token: &str) -> bool {
    let pairs = [
        ("client_assertion", token),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
    ];
    let_in(client, &pairs, None)
}

#[test]
fn an_assertion_is_the_clients_about_itself_for_us_once() {
    let good = [
        jwt(client_key(), "JWT", &assertion()),
        jwt(client_key(), "client-authentication+jwt", &assertion()),
        jws(client_key(), r#"{"alg":"ES256"}"#, &assertion().to_string()),
        jwt(
            client_key(),
            "JWT",
            &with(&assertion(), "iat", json!(NOW + 8)),
        ),
        jwt(
            client_key(),
            "JWT",
            &with(&assertion(), "nbf", json!(NOW + 8)),
        ),
        jwt(client_key(), "JWT", &with(&assertion(), "iat", Value::Null)),
    ];
    for token in &good {
        assert!(asserted(&client(), token), "{token}");
    }
    let presented = read_client(
        None,
        &parameters(&[
            ("client_assertion", &good[0]),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
        ]),
    );
    let presented = presented.unwrap();
    let client = client();
    let left = check_client(
        Some(&client),
        &presented,
        None,
        ISSUER,
        Profile::Fapi2,
        now(),
    );
    match left.unwrap() {
        Authenticated::RememberJti { jti, until } => {
            assert_eq!((jti.as_str(), until), ("1", NOW + 70));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_other_assertion_is_taken() {
    let token_url = format!("{ISSUER}/oauth2/token");
    let claims = [
        ("iss", json!("other")),
        ("iss", Value::Null),
        ("sub", json!("other")),
        ("sub", Value::Null),
        ("aud", json!([ISSUER])),
        ("aud", json!([ISSUER, "https://other.example"])),
        ("aud", json!(token_url)),
        ("aud", json!(format!("{ISSUER}/"))),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(NOW - 10)),
        ("exp", json!(NOW + 4000)),
        ("exp", json!("soon")),
        ("iat", json!(NOW + 61)),
        ("iat", json!(NOW - 4000)),
        ("nbf", json!(NOW + 61)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!("j".repeat(256))),
        ("nonce", json!("n")),
        ("events", json!({})),
        ("htu", json!("x")),
    ];
    for (name, value) in claims {
        let case = with(&assertion(), name, value);
        assert!(
            !asserted(&client(), &jwt(client_key(), "JWT", &case)),
            "{case}"
        );
    }
    let other_key = key_of(Algorithm::EdDsa);
    let kid = client_key().kid();
    let header = |text: &str| text.replace("KID", kid);
    let with_header = |text: &str| jws(client_key(), &header(text), &assertion().to_string());
    let tokens = [
        jwt(other_key, "JWT", &assertion()),
        jwt(client_key(), "at+jwt", &assertion()),
        jwt(client_key(), "dpop+jwt", &assertion()),
        jwt(client_key(), "oauth-authz-req+jwt", &assertion()),
        with_header(r#"{"alg":"none","kid":"KID"}"#),
        with_header(r#"{"alg":"HS256","kid":"KID"}"#),
        with_header(r#"{"alg":"ES384","kid":"KID"}"#),
        with_header(r#"{"alg":"ES256","kid":"other"}"#),
        with_header(r#"{"alg":"ES256","kid":"KID","jku":"https://app.example.org/jwks"}"#),
        with_header(r#"{"alg":"ES256","kid":"KID","x5u":"https://app.example.org/c"}"#),
        with_header(r#"{"alg":"ES256","kid":"KID","jwk":{}}"#),
        with_header(r#"{"alg":"ES256","kid":"KID","x5c":[]}"#),
        with_header(r#"{"alg":"ES256","kid":"KID","crit":["exp"]}"#),
        with_header(r#"{"alg":"ES256","kid":"KID","b64":false}"#),
        with_header(r#"{"alg":"ES256","alg":"none","kid":"KID"}"#),
    ];
    for token in &tokens {
        assert!(!asserted(&client(), token), "{token}");
    }
    let rsa = key_of(Algorithm::Rs256);
    let with_rsa = Client {
        keys: VerifyingKeys::new(vec![rsa.verifying_key().clone()]),
        ..client()
    };
    let token = jwt(rsa, "JWT", &assertion());
    assert!(asserted(&with_rsa, &token));
    let mut registered = with_rsa.clone();
    registered.signing.token_auth = Some(Algorithm::Ps256);
    assert!(!asserted(&registered, &token));
}

#[test]
fn a_bearers_assertion_is_the_trusted_issuers_for_us() {
    let keys = VerifyingKeys::new(vec![client_key().verifying_key().clone()]);
    let expectations = BearerExpectations {
        trusted_issuer: "https://idp.example",
        keys: &keys,
        algorithms: Algorithm::ALL,
        issuer: ISSUER,
        longest: 3600,
    };
    let good = json!({
        "iss": "https://idp.example", "sub": "ada", "aud": ISSUER, "exp": NOW + 60, "jti": "1",
    });
    let check = |claims: &Value| {
        check_bearer_assertion(&jwt(client_key(), "JWT", claims), &expectations, now())
    };
    let checked = check(&good).unwrap();
    assert_eq!(
        (checked.subject.as_str(), checked.jti.as_str()),
        ("ada", "1")
    );
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("https://other.example")),
        ("aud", json!([ISSUER])),
        ("sub", Value::Null),
        ("jti", Value::Null),
        ("exp", json!(NOW - 10)),
        ("exp", json!(NOW + 90_000)),
        ("nonce", json!("an ID token has one")),
    ] {
        let case = with(&good, name, value);
        assert_eq!(
            check(&case).unwrap_err().code.name(),
            "invalid_grant",
            "{case}"
        );
    }
}
