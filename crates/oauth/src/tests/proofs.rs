//! Proofs of possession and what tokens are bound to.

use serde_json::{Map, Value, json};
use stdx::Rng;

use super::fixtures::{client_key, jws, with};
use super::{NOW, key_of, now};
use crate::confirmation::{
    Confirmation, Scheme, Shown, certificate_thumbprint, check_confirmation,
};
use crate::dpop::{Proof, ProofError, ProofExpectations, check_proof, token_hash};
use crate::{Algorithm, Jwk, SigningKey};

const URL: &str = "https://id.example.org/oauth2/token";

fn public(key: &SigningKey) -> Value {
    let mut jwk = serde_json::to_value(Jwk::new(key.verifying_key())).unwrap();
    for name in ["kid", "use", "alg"] {
        jwk.as_object_mut().unwrap().shift_remove(name);
    }
    jwk
}

fn header(key: &SigningKey) -> Value {
    json!({"typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": public(key)})
}

fn claims() -> Value {
    json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW})
}

fn signed(header: &Value, claims: &Value) -> String {
    jws(client_key(), &header.to_string(), &claims.to_string())
}

fn expectations() -> ProofExpectations<'static> {
    ProofExpectations {
        method: "POST",
        url: URL,
        access_token: None,
        nonces: None,
        algorithms: Algorithm::ALL,
    }
}

fn check(proof: &str) -> Result<Proof, ProofError> {
    check_proof(&[proof], &expectations(), now())
}

#[test]
fn a_proof_of_each_algorithm_names_its_key() {
    for algorithm in Algorithm::ALL {
        let key = key_of(*algorithm);
        let proof = jws(key, &header(key).to_string(), &claims().to_string());
        let proof = check(&proof).unwrap();
        assert_eq!(proof.jkt, key.kid());
        assert_eq!((proof.jti.as_str(), proof.until), ("1", NOW + 60));
    }
}

#[test]
fn addresses_are_compared_as_addresses() {
    for htu in [
        "https://id.example.org/oauth2/token?x=1",
        "https://id.example.org/oauth2/token#x",
        "HTTPS://ID.example.org/oauth2/token",
        "https://id.example.org:443/oauth2/token",
        "https://id.example.org/oauth2/%74oken",
    ] {
        assert!(
            check(&signed(
                &header(client_key()),
                &with(&claims(), "htu", json!(htu))
            ))
            .is_ok(),
            "{htu}"
        );
    }
    let root = ProofExpectations {
        url: "http://localhost:80",
        ..expectations()
    };
    let proof = signed(
        &header(client_key()),
        &with(&claims(), "htu", json!("http://localhost/")),
    );
    assert!(check_proof(&[&proof], &root, now()).is_ok());
}

#[test]
#[expect(clippy::too_many_lines, reason = "one flat list of cases")]
fn no_wrong_proof_is_taken() {
    let good = header(client_key());
    let jwk = |name: &str, value: Value| {
        let jwk = with(&good["jwk"], name, value);
        with(&good, "jwk", jwk)
    };
    let forger = SigningKey::generate(Algorithm::Es256, &Rng::seeded(77)).unwrap();
    let headers = [
        with(&good, "typ", Value::Null),
        with(&good, "typ", json!("JWT")),
        with(&good, "typ", json!("at+jwt")),
        with(&good, "typ", json!("dpop")),
        with(&good, "alg", Value::Null),
        with(&good, "alg", json!("none")),
        with(&good, "alg", json!("HS256")),
        with(&good, "alg", json!("ES384")),
        with(&good, "alg", json!("EdDSA")),
        with(&good, "alg", json!("es256")),
        with(&good, "jwk", Value::Null),
        with(&good, "jwk", json!("x")),
        with(&good, "jwk", public(&forger)),
        with(&good, "jwk", public(key_of(Algorithm::EdDsa))),
        with(&good, "jku", json!("https://evil.example/jwks")),
        with(&good, "x5c", json!([])),
        with(&good, "crit", json!(["jti"])),
        jwk("d", json!("AAAA")),
        jwk("kty", json!("oct")),
        jwk("crv", json!("P-384")),
        jwk("crv", json!("secp256k1")),
        jwk("y", Value::Null),
        jwk("x", good["jwk"]["y"].clone()),
        jwk("alg", json!("RS256")),
        jwk("use", json!("enc")),
    ];
    for header in &headers {
        assert!(check(&signed(header, &claims())).is_err(), "{header}");
    }
    let wrong = [
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("jti", json!("j".repeat(256))),
        ("htm", Value::Null),
        ("htm", json!("GET")),
        ("htm", json!("post")),
        ("htu", Value::Null),
        ("htu", json!("https://id.example.org/oauth2/Token")),
        ("htu", json!("https://id.example.org/oauth2/token/")),
        ("htu", json!("https://id.example.org/oauth2/x/../token")),
        ("htu", json!("http://id.example.org/oauth2/token")),
        ("htu", json!("https://evil.example/oauth2/token")),
        ("htu", json!("https://id.example.org:8443/oauth2/token")),
        ("htu", json!("https://user@id.example.org/oauth2/token")),
        ("htu", json!("/oauth2/token")),
        ("htu", json!("")),
        ("iat", Value::Null),
        ("iat", json!(NOW - 31)),
        ("iat", json!(NOW + 31)),
        ("iat", json!(NOW.to_string())),
        ("iat", json!(i64::MIN)),
        ("iat", json!(i64::MAX)),
        ("ath", json!(token_hash("a token that is not there"))),
    ];
    for (name, value) in wrong {
        let claims = with(&claims(), name, value);
        assert!(check(&signed(&good, &claims)).is_err(), "{claims}");
    }
    let proof = signed(&good, &claims());
    for headers in [vec![], vec![proof.as_str(); 2], vec![proof.as_str(), "x"]] {
        assert_eq!(
            check_proof(&headers, &expectations(), now()),
            Err(ProofError::NotOne)
        );
    }
    for broken in [
        proof[1..].to_owned(),
        format!("{proof}x"),
        format!("{proof}, {proof}"),
    ] {
        assert!(check(&broken).is_err());
    }
    let twice = good
        .to_string()
        .replacen(r#""jwk":{"#, r#""jwk":{"kty":"EC","#, 1);
    assert!(check(&jws(client_key(), &twice, &claims().to_string())).is_err());
}

#[test]
fn clocks_may_differ_by_some_seconds() {
    for iat in [NOW - 30, NOW - 10, NOW + 10, NOW + 30] {
        let claims = with(&claims(), "iat", json!(iat));
        assert!(
            check(&signed(&header(client_key()), &claims)).is_ok(),
            "{iat}"
        );
    }
}

#[test]
fn fapi_takes_no_rs256() {
    let key = key_of(Algorithm::Rs256);
    let proof = jws(key, &header(key).to_string(), &claims().to_string());
    let fapi = ProofExpectations {
        algorithms: Algorithm::FAPI2,
        ..expectations()
    };
    assert!(check_proof(&[&proof], &fapi, now()).is_err());
}

#[test]
fn a_nonce_of_ours_is_asked_for_where_we_give_them_out() {
    let nonces = ["this".to_owned(), "the one before".to_owned()];
    let strict = ProofExpectations {
        nonces: Some(&nonces),
        ..expectations()
    };
    let check = |nonce: Value| {
        let proof = signed(&header(client_key()), &with(&claims(), "nonce", nonce));
        check_proof(&[&proof], &strict, now())
    };
    assert!(check(json!("this")).is_ok());
    assert!(check(json!("the one before")).is_ok());
    assert_eq!(check(json!("older")), Err(ProofError::Nonce));
    assert_eq!(check(Value::Null), Err(ProofError::Nonce));
}

#[test]
fn a_proof_at_a_resource_is_for_one_access_token() {
    let at = ProofExpectations {
        access_token: Some("the token"),
        ..expectations()
    };
    let check = |ath: Value| {
        let proof = signed(&header(client_key()), &with(&claims(), "ath", ath));
        check_proof(&[&proof], &at, now())
    };
    assert!(check(json!(token_hash("the token"))).is_ok());
    assert_eq!(
        check(json!(token_hash("another"))),
        Err(ProofError::AccessToken)
    );
    assert_eq!(check(json!("the token")), Err(ProofError::AccessToken));
    assert_eq!(check(Value::Null), Err(ProofError::AccessToken));
    // RFC 9449 §7.1.
    assert_eq!(
        token_hash("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
        "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    );
}

#[test]
fn a_bound_token_is_good_with_what_it_is_bound_to_alone() {
    let key = Confirmation::Key("k".to_owned());
    let certificate = Confirmation::Certificate("c".to_owned());
    let shown = |jkt, certificate| Shown { jkt, certificate };
    let both = shown(Some("k"), Some("c"));
    let cases = [
        (None, Scheme::Bearer, Shown::default(), true),
        (None, Scheme::Bearer, both, true),
        (None, Scheme::Dpop, both, false),
        (Some(&key), Scheme::Dpop, both, true),
        (Some(&key), Scheme::Dpop, shown(Some("l"), Some("c")), false),
        (Some(&key), Scheme::Dpop, shown(None, Some("k")), false),
        (Some(&key), Scheme::Bearer, both, false),
        (Some(&certificate), Scheme::Bearer, both, true),
        (
            Some(&certificate),
            Scheme::Bearer,
            shown(Some("c"), None),
            false,
        ),
        (
            Some(&certificate),
            Scheme::Bearer,
            shown(None, Some("d")),
            false,
        ),
        (Some(&certificate), Scheme::Dpop, both, false),
    ];
    for (bound, scheme, shown, holds) in cases {
        assert_eq!(
            check_confirmation(bound, scheme, shown).is_ok(),
            holds,
            "{bound:?} {scheme:?} {shown:?}"
        );
    }
}

#[test]
fn what_a_token_is_bound_to_is_read_whole() {
    let read = |cnf: Value| {
        let mut extra = Map::new();
        extra.insert("cnf".to_owned(), cnf);
        Confirmation::from_claims(&extra)
    };
    for one in [
        Confirmation::Key("k".to_owned()),
        Confirmation::Certificate("c".to_owned()),
    ] {
        assert_eq!(read(one.to_value()), Ok(Some(one)));
    }
    assert_eq!(Confirmation::from_claims(&Map::new()), Ok(None));
    for wrong in [
        json!({}),
        json!("k"),
        json!({"jkt": ""}),
        json!({"jkt": 1}),
        json!({"jwk": {}}),
        json!({"kid": "k"}),
        json!({"jkt": "k", "x5t#S256": "c"}),
        json!({"jkt": "k", "kid": "k"}),
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
    assert_eq!(
        certificate_thumbprint(b""),
        "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    );
}
