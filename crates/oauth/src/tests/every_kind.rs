//! Every kind of token that is read here, against the same forgeries and against each other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use stdx::Rng;

use super::fixtures::{
    CHALLENGE, ISSUER, REDIRECT, client, client_key, inputs, jws, jwt, parameters, with,
};
use super::token_requests::let_in;
use super::{NOW, expectations, now};
use crate::authorize::{Source, check_authorization_request};
use crate::dpop::{ProofExpectations, check_proof};
use crate::token::{BearerExpectations, check_bearer_assertion};
use crate::{
    Algorithm, IdTokenExpectations, Jwk, Profile, SigningKey, VerifyingKeys, decode_access_token,
    decode_foreign_id_token, decode_id_token_hint, decode_logout_token,
};

/// A kind of token: what a good one looks like, and whether a text is taken for one.
struct Kind {
    name: &'static str,
    typ: &'static str,
    claims: Value,
    is_taken: fn(&str) -> bool,
}

/// One key signs all kinds, so that nothing but the kind keeps them apart.
fn keys() -> VerifyingKeys {
    VerifyingKeys::new(vec![client_key().verifying_key().clone()])
}

fn is_access_token(token: &str) -> bool {
    decode_access_token(token, &keys(), &expectations(), now()).is_ok()
}

fn is_hint(token: &str) -> bool {
    decode_id_token_hint(token, &keys(), ISSUER).is_ok()
}

fn is_foreign_id_token(token: &str) -> bool {
    let expectations = IdTokenExpectations {
        issuer: ISSUER,
        client_id: "app",
        nonce: "n",
        max_age: None,
    };
    decode_foreign_id_token(token, &keys(), &expectations, now()).is_ok()
}

fn is_logout_token(token: &str) -> bool {
    decode_logout_token(token, &keys(), ISSUER, "app", now()).is_ok()
}

fn is_client_assertion(token: &str) -> bool {
    let pairs = [
        ("client_assertion", token),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
    ];
    let_in(&client(), &pairs, None)
}

fn is_bearer_assertion(token: &str) -> bool {
    let expectations = BearerExpectations {
        trusted_issuer: "https://idp.example",
        keys: &keys(),
        algorithms: Algorithm::ALL,
        issuer: ISSUER,
        longest: 3600,
    };
    check_bearer_assertion(token, &expectations, now()).is_ok()
}

fn is_request_object(token: &str) -> bool {
    let parameters = parameters(&[("client_id", "app"), ("request", token)]);
    let source = Source::Object(token.to_owned());
    let client = client();
    check_authorization_request(&inputs(Profile::Oauth21, &client, &parameters, &source)).is_ok()
}

fn is_proof(token: &str) -> bool {
    let expectations = ProofExpectations {
        method: "POST",
        url: "https://id.example.org/oauth2/token",
        access_token: None,
        nonces: None,
        algorithms: Algorithm::ALL,
    };
    check_proof(&[token], &expectations, now()).is_ok()
}

fn kinds() -> Vec<Kind> {
    let id_token = json!({
        "iss": ISSUER, "sub": "ada", "aud": "app", "exp": NOW + 300, "iat": NOW, "nonce": "n",
    });
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let kind = |name, typ, claims, is_taken| Kind {
        name,
        typ,
        claims,
        is_taken,
    };
    vec![
        kind(
            "access token",
            "at+jwt",
            Value::Object(super::claims().to_members()),
            is_access_token,
        ),
        kind("hint", "JWT", id_token.clone(), is_hint),
        kind("foreign ID token", "JWT", id_token, is_foreign_id_token),
        kind(
            "logout token",
            "logout+jwt",
            json!({
                "iss": ISSUER, "sub": "ada", "aud": "app", "exp": NOW + 120, "iat": NOW,
                "jti": "1", "events": event,
            }),
            is_logout_token,
        ),
        kind(
            "client assertion",
            "JWT",
            json!({"iss": "app", "sub": "app", "aud": ISSUER, "exp": NOW + 60, "jti": "1"}),
            is_client_assertion,
        ),
        kind(
            "bearer assertion",
            "JWT",
            json!({
                "iss": "https://idp.example", "sub": "ada", "aud": ISSUER, "exp": NOW + 60,
                "jti": "1",
            }),
            is_bearer_assertion,
        ),
        kind(
            "request object",
            "oauth-authz-req+jwt",
            json!({
                "iss": "app", "aud": ISSUER, "exp": NOW + 60, "client_id": "app",
                "redirect_uri": REDIRECT, "response_type": "code", "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            }),
            is_request_object,
        ),
        kind(
            "proof",
            "dpop+jwt",
            json!({
                "jti": "1", "htm": "POST", "htu": "https://id.example.org/oauth2/token",
                "iat": NOW,
            }),
            is_proof,
        ),
    ]
}

fn header(kind: &Kind, key: &SigningKey) -> Value {
    match kind.name {
        "proof" => {
            let jwk = Jwk::new(key.verifying_key());
            json!({"alg": key.algorithm().name(), "typ": kind.typ, "jwk": jwk})
        }
        _ => json!({"alg": key.algorithm().name(), "typ": kind.typ, "kid": key.kid()}),
    }
}

fn good(kind: &Kind) -> String {
    let header = header(kind, client_key());
    jws(client_key(), &header.to_string(), &kind.claims.to_string())
}

/// Forgeries that are none, whatever the kind.
fn forgeries(kind: &Kind) -> Vec<String> {
    let header = header(kind, client_key());
    let claims = kind.claims.to_string();
    let signed = |header: &Value| jws(client_key(), &header.to_string(), &claims);
    let mut tokens: Vec<String> = [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("")),
        ("alg", json!("HS256")),
        ("alg", json!("HS512")),
        ("alg", json!("ES384")),
        ("alg", json!("ES512")),
        ("alg", json!("ES256K")),
        ("alg", json!("es256")),
        ("alg", json!("EdDSA")),
        ("alg", json!("RS256")),
        ("alg", json!("PS256")),
        ("alg", json!(["ES256"])),
        ("alg", Value::Null),
        ("typ", json!("application/x+jwt")),
        ("typ", json!("secevent+jwt")),
        ("typ", json!(["JWT"])),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ]
    .into_iter()
    .map(|(name, value)| signed(&with(&header, name, value)))
    .collect();
    if kind.name != "proof" {
        for kid in [
            json!("other"),
            json!("../../dev/null"),
            json!("' or 1=1 --"),
            json!(7),
        ] {
            tokens.push(signed(&with(&header, "kid", kid)));
        }
        let jwk = serde_json::to_value(Jwk::new(client_key().verifying_key())).unwrap();
        tokens.push(signed(&with(&header, "jwk", jwk)));
    }
    let forger = SigningKey::generate(Algorithm::Es256, &Rng::seeded(99)).unwrap();
    tokens.push(jws(&forger, &header.to_string(), &claims));
    let good = good(kind);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let encoded = |bytes: &[u8]| format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
    // CVE-2022-21449: r and s of zero are good for everything where nobody looks.
    tokens.push(encoded(&[0; 64]));
    tokens.push(encoded(&raw[..63]));
    tokens.push(encoded(&[&raw[..], &[0]].concat()));
    tokens.push(encoded(&[&raw[32..], &raw[..32]].concat()));
    tokens.push(format!("{message}."));
    tokens.push(message.to_owned());
    tokens.push(format!("{good}="));
    tokens.push(format!("{good}.{signature}"));
    tokens.push(format!("{good}{}", "A".repeat(20 * 1024)));
    let twice = claims.replacen('{', r#"{"aud":"x","iss":"x","jti":"x","aud":"y","#, 1);
    tokens.push(jws(client_key(), &header.to_string(), &twice));
    let twice = header.to_string().replacen('{', r#"{"alg":"none","#, 1);
    tokens.push(jws(client_key(), &twice, &claims));
    for payload in ["", "null", "[]", "{}", "\"x\""] {
        tokens.push(jws(client_key(), &header.to_string(), payload));
    }
    tokens
}

#[test]
fn no_forgery_is_taken_for_any_kind() {
    let mut forged = 0;
    for kind in kinds() {
        assert!((kind.is_taken)(&good(&kind)), "{}", kind.name);
        for token in forgeries(&kind) {
            assert!(!(kind.is_taken)(&token), "{}: {token}", kind.name);
            forged += 1;
        }
    }
    assert!(forged >= 60, "{forged}");
}

#[test]
fn no_kind_is_taken_for_another() {
    for made in kinds() {
        let token = good(&made);
        for kind in kinds() {
            // A hint is an ID token, and here the other provider is ourselves.
            let same = made.name == kind.name
                || (made.typ == "JWT" && kind.typ == "JWT" && made.claims == kind.claims);
            assert_eq!(
                (kind.is_taken)(&token),
                same,
                "{} as {}",
                made.name,
                kind.name
            );
            // What only we sign cannot be renamed by others; their tokens are told by their claims.
            let is_ours = matches!(kind.name, "access token" | "hint");
            if !is_ours && made.claims != kind.claims {
                let renamed = jwt(client_key(), kind.typ, &made.claims);
                assert!(
                    !(kind.is_taken)(&renamed),
                    "{} renamed to {}",
                    made.name,
                    kind.name
                );
            }
        }
    }
}
