//! Tokens that somebody has made or changed, at every door that takes tokens.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use testkit::{Answer, Running};

use super::flows::Browser;
use super::replays::{code, redeeming, token};
use super::{SECRET, project};
use crate::http::{App, on_every_engine};

on_every_engine!(
    project: no_door_takes_a_forged_token,
    a_challenge_says_what_is_missing,
);

/// A token in its three parts.
struct Parts<'t> {
    header: Value,
    claims: Value,
    text: [&'t str; 3],
}

impl<'t> Parts<'t> {
    fn of(token: &'t str) -> Self {
        let parts: Vec<&str> = token.split('.').collect();
        let text: [&str; 3] = parts.try_into().expect("three parts");
        let read = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
            serde_json::from_slice(&bytes).expect("JSON")
        };
        Self {
            header: read(text[0]),
            claims: read(text[1]),
            text,
        }
    }

    fn header(&self, changes: &[(&str, Value)]) -> String {
        part(&changed(&self.header, changes))
    }

    fn claims(&self, changes: &[(&str, Value)]) -> String {
        part(&changed(&self.claims, changes))
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// An object with other members; null takes one away.
fn changed(object: &Value, changes: &[(&str, Value)]) -> Value {
    let mut object = object.clone();
    for (name, value) in changes {
        let members = object.as_object_mut().expect("an object");
        match value {
            Value::Null => members.remove(*name),
            value => members.insert((*name).to_owned(), value.clone()),
        };
    }
    object
}

/// What every one of these is called, and the token.
type Forged = Vec<(String, String)>;

/// No signature at all, or one that is no signature of ours (RFC 8725 §2.1).
fn of_other_algorithms(parts: &Parts<'_>, jwk: &Value) -> Forged {
    let [_, claims, signature] = parts.text;
    let mut all = Forged::new();
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = parts.header(&[("alg", json!(name))]);
        all.push((format!("{name}, unsigned"), format!("{header}.{claims}.")));
        all.push((
            format!("{name}, signed"),
            format!("{header}.{claims}.{signature}"),
        ));
    }
    for name in [
        "RS256", "PS256", "ES256", "ES384", "ES512", "ES256K", "Ed448", "eddsa", "HS256",
    ] {
        let header = parts.header(&[("alg", json!(name))]);
        all.push((
            format!("{name} by word"),
            format!("{header}.{claims}.{signature}"),
        ));
    }
    let text = jwk["x"].as_str().expect("a public key");
    let raw = URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode([&hex(b"302a300506032b6570032100")[..], &raw].concat())
    );
    for (name, algorithm) in [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ] {
        for secret in [
            &raw[..],
            text.as_bytes(),
            jwk.to_string().as_bytes(),
            pem.as_bytes(),
        ] {
            let signed = format!("{}.{claims}", parts.header(&[("alg", json!(name))]));
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
            let tag = URL_SAFE_NO_PAD.encode(tag);
            all.push((
                format!("{name} with the public key"),
                format!("{signed}.{tag}"),
            ));
        }
    }
    all
}

fn hex(text: &[u8]) -> Vec<u8> {
    let pairs = text.chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("digits")
    };
    pairs.map(byte).collect()
}

/// Signed well, by somebody else, who says where the key is to be found (RFC 8725 §3.10).
fn of_another_key(parts: &Parts<'_>) -> Forged {
    use aws_lc_rs::signature::KeyPair as _;
    let key = Ed25519KeyPair::generate().expect("a key");
    let public = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": public, "kid": "mine", "alg": "EdDSA"});
    let headers: [&[(&str, Value)]; 12] = [
        &[],
        &[("kid", Value::Null)],
        &[("kid", json!("mine"))],
        &[("kid", json!("mine")), ("jwk", jwk)],
        &[("jku", json!("https://evil.example/jwks"))],
        &[("x5u", json!("https://evil.example/key.pem"))],
        &[("x5c", json!(["MIIB"]))],
        &[("kid", json!("../../../../dev/null"))],
        &[("kid", json!("' or 1=1 --"))],
        &[("kid", json!("\u{0}"))],
        &[("kid", json!("x".repeat(4_000)))],
        &[("crit", json!(["b64"])), ("b64", json!(false))],
    ];
    let sign = |header: &&[(&str, Value)]| {
        let admin = [("roles", json!(["reports"]))];
        let signed = format!("{}.{}", parts.header(header), parts.claims(&admin));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        (
            format!("another key, {header:?}"),
            format!("{signed}.{signature}"),
        )
    };
    headers.iter().map(sign).collect()
}

/// Ours, with a word in another way.
fn altered(parts: &Parts<'_>) -> Forged {
    let [header, claims, signature] = parts.text;
    let claimed: [(&str, Value); 8] = [
        ("sub", json!("0193a000-0000-7000-8000-000000000001")),
        ("aud", json!("https://elsewhere.example")),
        ("iss", json!("https://elsewhere.example")),
        ("exp", json!(4_102_444_800_i64)),
        ("scope", json!("data:read data:write admin")),
        ("roles", json!(["reports"])),
        ("client_id", json!("pilaster")),
        ("cnf", json!({"jkt": "x"})),
    ];
    let mut all: Forged = claimed
        .into_iter()
        .map(|(name, value)| {
            let claims = parts.claims(&[(name, value)]);
            (
                format!("another {name}"),
                format!("{header}.{claims}.{signature}"),
            )
        })
        .collect();
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt"}"#);
    let words = URL_SAFE_NO_PAD.encode("no JSON");
    let list = part(&json!([parts.header]));
    let json = part(&json!({"protected": header, "payload": claims, "signature": signature}));
    let first = if signature.starts_with('A') { "B" } else { "A" };
    for (name, token) in [
        ("no signature", format!("{header}.{claims}")),
        ("an empty one", format!("{header}.{claims}.")),
        (
            "half of it",
            format!("{header}.{claims}.{}", &signature[..40]),
        ),
        ("twice", format!("{header}.{claims}.{signature}{signature}")),
        (
            "another one",
            format!("{header}.{claims}.{first}{}", &signature[1..]),
        ),
        ("four parts", format!("{header}.{claims}.{signature}.")),
        ("five parts", format!("{header}.{claims}.{signature}.x.y")),
        ("a part before", format!(".{header}.{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("empty claims", format!("{header}.e30.{signature}")),
        ("no JSON", format!("{header}.{words}.{signature}")),
        ("a header twice", format!("{twice}.{claims}.{signature}")),
        ("a list of headers", format!("{list}.{claims}.{signature}")),
        ("padding", format!("{header}.{claims}.{signature}==")),
        (
            "letters of base64",
            format!("{header}.{claims}.{}+/", &signature[2..]),
        ),
        ("as JSON", json),
    ] {
        all.push((name.to_owned(), token));
    }
    all
}

/// What a door says of a token.
async fn doors(server: &Running, access: &str) -> [u16; 3] {
    let form = [("token", access)];
    let asked = server.request("POST", "/oauth2/introspect");
    let asked = Answer::read(asked.basic_auth("web", Some(SECRET)).form(&form)).await;
    assert_eq!(asked.json(), json!({"active": false}), "{access}");
    [
        server.get_as(access, "/api/notes").await.status,
        server.get_as(access, "/oauth2/userinfo").await.status,
        server.get_as(access, "/auth/me").await.status,
    ]
}

// req: OA-14
async fn no_door_takes_a_forged_token(app: App) {
    app.server.sign_up("ada").await;
    let browser = Browser::new(&app.server);
    browser.sign_in("ada").await;
    let code = code(&browser, "openid offline_access data:read").await;
    let given = token(&app.server, &redeeming(&code)).await.json();
    let access = given["access_token"].as_str().expect("a token");
    let parts = Parts::of(access);
    let published = app.server.get("/oauth2/jwks").await.json();
    let keys = published["keys"].as_array().expect("keys");
    let jwk = keys.iter().find(|key| key["kid"] == parts.header["kid"]);
    let mut forged = of_other_algorithms(&parts, jwk.expect("the key that signs"));
    forged.extend(of_another_key(&parts));
    forged.extend(altered(&parts));
    // Ours and good, for something else.
    for name in ["id_token", "refresh_token"] {
        let other = given[name].as_str().expect("a token").to_owned();
        forged.push((name.to_owned(), other));
    }
    assert!(forged.len() >= 60, "{}", forged.len());
    for (name, token) in &forged {
        let status = match name.as_str() {
            // To introspection it is a token like any other.
            "refresh_token" => [app.server.get_as(token, "/api/notes").await.status; 3],
            _ => doors(&app.server, token).await,
        };
        assert_eq!(status, [401; 3], "{name}: {token}");
    }
    let read = app.server.get_as(access, "/api/notes").await;
    assert_eq!(read.status, 200, "{}", read.body);
}

// req: OA-30
async fn a_challenge_says_what_is_missing(app: App) {
    let server = &app.server;
    let challenge = |answer: &Answer, status: u16| {
        assert_eq!(answer.status, status, "{}", answer.body);
        answer.header("www-authenticate").to_owned()
    };
    for path in ["/auth/me", "/oauth2/userinfo"] {
        let nobody = challenge(&server.get(path).await, 401);
        assert!(nobody.starts_with("Bearer realm="), "{path}: {nobody}");
        // Who has shown nothing has made no mistake (RFC 6750 §3.1).
        assert!(!nobody.contains("error="), "{path}: {nobody}");
    }
    for path in ["/api/notes", "/auth/me", "/oauth2/userinfo"] {
        let forged = challenge(&server.get_as("x.y.z", path).await, 401);
        assert!(forged.starts_with("Bearer realm="), "{path}: {forged}");
        assert!(
            forged.contains("error=\"invalid_token\""),
            "{path}: {forged}"
        );
    }
    let form = [("grant_type", "client_credentials"), ("scope", "data:read")];
    let given = server.request("POST", "/oauth2/token");
    let given = Answer::read(given.basic_auth("web", Some(SECRET)).form(&form)).await;
    let reading = given.json()["access_token"].clone();
    let reading = reading.as_str().expect("a token");
    assert_eq!(server.get_as(reading, "/api/notes").await.status, 200);
    let note = json!({"id": 1, "body": "x"});
    let refused = server.send("POST", reading, "/api/notes", &note).await;
    let lacking = challenge(&refused, 403);
    assert!(
        lacking.contains("error=\"insufficient_scope\""),
        "{lacking}"
    );
    assert!(lacking.contains("scope=\"data:write\""), "{lacking}");
}
