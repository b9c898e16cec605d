//! Clients and requests that are in order, to be changed by the tests.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{key_of, keys};
use crate::authorize::{Door, Inputs, Issuer, Source};
use crate::client::{
    Application, Client, ClientAuth, ClientSigning, Demands, Grant, Party, SubjectType,
};
use crate::{Algorithm, Parameters, Profile, ResponseType, SigningKey, VerifyingKeys};

pub(super) const ISSUER: &str = "https://id.example.org";

pub(super) const REDIRECT: &str = "https://app.example.org/callback";

/// The verifier and the challenge of RFC 7636 appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A confidential web client that may do everything and signs with its own ES256 key.
pub(super) fn client() -> Client {
    Client {
        id: "app".to_owned(),
        name: "App".to_owned(),
        application: Application::Web,
        auth: ClientAuth::PrivateKeyJwt,
        party: Party::Third,
        redirect_uris: vec![REDIRECT.to_owned()],
        post_logout_redirect_uris: vec!["https://app.example.org/bye".to_owned()],
        request_uris: vec!["https://app.example.org/request.jwt".to_owned()],
        grants: Grant::ALL.to_vec(),
        response_types: ResponseType::ALL.to_vec(),
        scopes: ["openid", "profile", "email", "read", "offline_access"]
            .map(str::to_owned)
            .to_vec(),
        resources: ["https://api.example.org", "https://other.example.org"]
            .map(str::to_owned)
            .to_vec(),
        keys: VerifyingKeys::new(vec![client_key().verifying_key().clone()]),
        signing: ClientSigning::default(),
        subjects: SubjectType::Public,
        demands: Demands::default(),
    }
}

/// The client's own key.
pub(super) fn client_key() -> &'static SigningKey {
    key_of(Algorithm::Es256)
}

pub(super) fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Parameters::new(pairs.iter().map(owned)).unwrap()
}

/// A request in order.
pub(super) fn good_request() -> Vec<(&'static str, &'static str)> {
    vec![
        ("client_id", "app"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", "openid read"),
        ("state", "a state"),
        ("nonce", "a nonce"),
    ]
}

/// A request in order but for one parameter (`None`: left out).
pub(super) fn changed<'a>(
    request: &[(&'a str, &'a str)],
    name: &'a str,
    value: Option<&'a str>,
) -> Vec<(&'a str, &'a str)> {
    let mut changed: Vec<_> = request
        .iter()
        .copied()
        .filter(|pair| pair.0 != name)
        .collect();
    changed.extend(value.map(|value| (name, value)));
    changed
}

/// What a request is checked with, in `profile`.
pub(super) fn inputs<'a>(
    profile: Profile,
    client: &'a Client,
    parameters: &'a Parameters,
    source: &'a Source,
) -> Inputs<'a> {
    static SCOPES: LazyLock<Vec<String>> = LazyLock::new(|| {
        [
            "openid",
            "profile",
            "email",
            "read",
            "write",
            "offline_access",
        ]
        .map(str::to_owned)
        .to_vec()
    });
    static ACR: LazyLock<Vec<String>> =
        LazyLock::new(|| ["urn:one", "urn:two"].map(str::to_owned).to_vec());
    static KEYS: LazyLock<VerifyingKeys> = LazyLock::new(keys);
    Inputs {
        issuer: Issuer {
            id: ISSUER,
            profile,
            scopes: &SCOPES,
            acr_values: &ACR,
            keys: &KEYS,
        },
        client: Some(client),
        parameters,
        source,
        door: Door::Authorize,
        now: super::now(),
    }
}

/// A JWS of these texts, truly signed by `key`.
pub(super) fn jws(key: &SigningKey, header: &str, payload: &str) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap());
    format!("{message}.{signature}")
}

/// A JWS with an ordinary header.
pub(super) fn jwt(key: &SigningKey, typ: &str, payload: &Value) -> String {
    let header = json!({"alg": key.algorithm().name(), "typ": typ, "kid": key.kid()});
    jws(key, &header.to_string(), &payload.to_string())
}

/// `claims` with one changed (`null`: left out).
pub(super) fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut members: Map<String, Value> = claims.as_object().unwrap().clone();
    members.shift_remove(name);
    if !value.is_null() {
        members.insert(name.to_owned(), value);
    }
    Value::Object(members)
}

/// What a token says: its header and its claims, read without looking at the signature.
pub(super) fn parts(token: &str) -> (Value, Value) {
    let part = |index: usize| {
        let segment = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
    };
    (part(0), part(1))
}
