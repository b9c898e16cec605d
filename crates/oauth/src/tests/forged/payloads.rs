//! Claims that our own key signed and that are still not good here.

use serde_json::{Value, json};

use super::{good_header, good_payload, named, signed, with_claim};
use crate::tests::NOW;

/// Claims that our own key signed and that are still not good here.
pub(super) fn payloads() -> Vec<(String, String)> {
    let cases = [
        ("iss", json!("https://id.example.org/")),
        ("iss", json!("http://id.example.org")),
        ("iss", json!("HTTPS://ID.EXAMPLE.ORG")),
        ("iss", json!(["https://id.example.org"])),
        ("iss", Value::Null),
        ("aud", json!("https://api.example.org/")),
        ("aud", json!("pilaster")),
        ("aud", json!([])),
        (
            "aud",
            json!(["https://api.example.org", "https://other.example"]),
        ),
        ("aud", json!({"0": "https://api.example.org"})),
        ("aud", json!([["https://api.example.org"]])),
        ("aud", Value::Null),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!(["a"])),
        ("sub", Value::Null),
        ("client_id", Value::Null),
        ("jti", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(NOW - 30)),
        ("exp", json!(NOW - 86_400)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!((NOW + 900).to_string())),
        ("exp", json!(1.795_000_9e9 + 0.5)),
        ("exp", json!(true)),
        ("exp", json!(NOW + 3601)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("iat", Value::Null),
        ("iat", json!(NOW + 31)),
        ("iat", json!("now")),
        ("iat", json!(NOW + 899)),
        ("iat", json!(i64::MIN)),
        ("nbf", json!(NOW + 31)),
        ("nbf", json!("later")),
        ("roles", json!("admin")),
        ("roles", json!([1])),
        ("roles", json!({"admin": true})),
        ("scope", json!(["read"])),
    ];
    let mut tokens: Vec<String> = cases
        .into_iter()
        .map(|(name, value)| with_claim(name, value))
        .collect();
    let twice = good_payload().replacen('{', r#"{"sub":"somebody else","#, 1);
    tokens.push(signed(&good_header(), &twice));
    let twice = good_payload().replacen('{', r#"{"\u0073ub":"somebody else","#, 1);
    tokens.push(signed(&good_header(), &twice));
    let huge = good_payload().replace(&format!("{}", NOW + 900), "1e400");
    tokens.push(signed(&good_header(), &huge));
    for payload in ["", "null", "[]", "{}", "\"sub\"", "{\"sub\":", "\u{0}"] {
        tokens.push(signed(&good_header(), payload));
    }
    tokens.push(signed(
        &good_header(),
        &format!("{}{}", good_payload(), good_payload()),
    ));
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    tokens.push(signed(&good_header(), &deep));
    named("payload", tokens)
}
