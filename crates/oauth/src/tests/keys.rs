//! Facts about keys and key sets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use stdx::Rng;

use super::key_of;
use crate::jose::{read_jwk, read_jwks};
use crate::{Algorithm, Jwk, Jwks, KeyError, SigningKey, VerifyingKey, VerifyingKeys};

/// The public key of RFC 8037 appendix A.2.
const RFC_8037_X: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// The RSA key of RFC 7638 §3.1.
const RFC_7638: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

fn public(key: &SigningKey) -> Value {
    serde_json::to_value(Jwk::new(key.verifying_key())).unwrap()
}

fn read(key: &Value) -> Result<VerifyingKeys, KeyError> {
    read_jwks(json!({"keys": [key]}).to_string().as_bytes())
}

/// `key` with one member changed (`null`: left out).
fn changed(key: &Value, name: &str, value: Value) -> Value {
    let mut key = key.clone();
    match value {
        Value::Null => drop(key.as_object_mut().unwrap().shift_remove(name)),
        value => key[name] = value,
    }
    key
}

#[test]
fn the_thumbprints_are_those_of_rfc_8037_and_rfc_7638() {
    let key = VerifyingKey::from_bytes(RFC_8037_X).unwrap();
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let keys = read(&serde_json::from_str(RFC_7638).unwrap()).unwrap();
    let key = keys.iter().next().unwrap();
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(key.kid(), "2011-04-29");
}

#[test]
fn the_published_set_holds_the_public_half_alone() {
    let key = VerifyingKey::from_bytes(RFC_8037_X).unwrap();
    let json = Jwks::new(&VerifyingKeys::new(vec![key])).to_json();
    assert_eq!(
        json,
        concat!(
            r#"{"keys":[{"crv":"Ed25519","kty":"OKP","#,
            r#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","#,
            r#""kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","use":"sig","alg":"EdDSA"}]}"#
        )
    );
    let all = Algorithm::ALL
        .iter()
        .map(|a| key_of(*a).verifying_key().clone());
    let json = serde_json::to_value(Jwks::new(&VerifyingKeys::new(all.collect()))).unwrap();
    let mut names = Vec::new();
    for key in json["keys"].as_array().unwrap() {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(key.get(private).is_none(), "{private}");
        }
        names.push(key["kid"].as_str().unwrap().to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4);
}

#[test]
fn an_rsa_key_for_two_algorithms_is_published_under_its_name_once() {
    let document = key_of(Algorithm::Rs256).to_pkcs8().unwrap();
    let two = [Algorithm::Ps256, Algorithm::Rs256].map(|algorithm| {
        let key = SigningKey::from_pkcs8(algorithm, document.expose()).unwrap();
        key.verifying_key().clone()
    });
    assert_eq!(Jwks::new(&VerifyingKeys::new(two.to_vec())).keys.len(), 1);
}

#[test]
fn a_private_key_of_each_algorithm_survives_being_stored_and_published() {
    for algorithm in Algorithm::ALL {
        let key = key_of(*algorithm);
        let document = key.to_pkcs8().unwrap();
        let stored = SigningKey::from_pkcs8(*algorithm, document.expose()).unwrap();
        assert_eq!(stored.kid(), key.kid());
        let signature = stored.sign(b"message").unwrap();
        let published = read(&public(key)).unwrap();
        let published = published.iter().next().unwrap();
        assert_eq!(published.kid(), key.kid());
        for verifying in [key.verifying_key(), published] {
            assert!(verifying.verify(b"message", &signature), "{algorithm:?}");
            assert!(!verifying.verify(b"massage", &signature), "{algorithm:?}");
            assert!(
                !verifying.verify(b"message", &signature[1..]),
                "{algorithm:?}"
            );
            assert!(!verifying.verify(b"message", b""), "{algorithm:?}");
        }
        for other in Algorithm::ALL {
            let both_rsa = matches!(
                (*algorithm, *other),
                (
                    Algorithm::Rs256 | Algorithm::Ps256,
                    Algorithm::Rs256 | Algorithm::Ps256
                )
            );
            let read = SigningKey::from_pkcs8(*other, document.expose());
            assert_eq!(read.is_ok(), both_rsa || other == algorithm);
        }
        assert!(SigningKey::from_pkcs8(*algorithm, b"no key").is_err());
    }
}

#[test]
fn a_signature_of_one_rsa_padding_is_none_of_the_other() {
    let document = key_of(Algorithm::Rs256).to_pkcs8().unwrap();
    let key = |algorithm| SigningKey::from_pkcs8(algorithm, document.expose()).unwrap();
    let (pkcs1, pss) = (key(Algorithm::Rs256), key(Algorithm::Ps256));
    let signature = pkcs1.sign(b"message").unwrap();
    assert!(!pss.verifying_key().verify(b"message", &signature));
    let signature = pss.sign(b"message").unwrap();
    assert!(!pkcs1.verifying_key().verify(b"message", &signature));
}

#[test]
fn elliptic_keys_follow_from_the_seed() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let key = |seed| SigningKey::generate(algorithm, &Rng::seeded(seed)).unwrap();
        assert_eq!(key(5).kid(), key(5).kid());
        assert_ne!(key(5).kid(), key(6).kid());
    }
}

#[test]
fn two_keys_have_two_names_and_none_is_printed() {
    let key = || SigningKey::generate(Algorithm::EdDsa, &Rng::System).unwrap();
    let (one, two) = (key(), key());
    assert_ne!(one.kid(), two.kid());
    assert_eq!(format!("{one:?}"), format!("SigningKey({})", one.kid()));
}

#[test]
fn keys_that_nobody_should_use_refuse_the_whole_set() {
    let okp = public(key_of(Algorithm::EdDsa));
    let ec = public(key_of(Algorithm::Es256));
    let rsa: Value = serde_json::from_str(RFC_7638).unwrap();
    let encoded = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
    let mut cases = vec![
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kid": "a"}),
        json!({"kty": 1}),
        json!(null),
        json!("key"),
        changed(&okp, "x", json!("AAAA")),
        changed(&okp, "x", Value::Null),
        changed(&okp, "x", json!(format!("{}=", okp["x"].as_str().unwrap()))),
        changed(&okp, "x", json!([1])),
        changed(&okp, "crv", Value::Null),
        changed(&okp, "alg", json!("ES256")),
        changed(&okp, "kid", json!(7)),
        changed(&okp, "kid", json!("")),
        changed(&okp, "kid", json!("k".repeat(256))),
        changed(&okp, "key_ops", json!("verify")),
        changed(&ec, "alg", json!("RS256")),
        changed(&ec, "x", encoded(&[1; 31])),
        changed(&ec, "x", encoded(&[0; 32])),
        changed(&ec, "y", ec["x"].clone()),
        changed(&ec, "y", Value::Null),
        changed(&rsa, "alg", json!("EdDSA")),
        changed(&rsa, "e", encoded(&[3])),
        changed(&rsa, "e", encoded(&[1])),
        changed(&rsa, "e", encoded(&[1, 0, 0])),
        changed(&rsa, "e", encoded(&[0, 1, 0, 1])),
        changed(&rsa, "e", encoded(&[1, 0, 0, 0, 1])),
        changed(&rsa, "n", encoded(&[0xff; 128])),
        changed(&rsa, "n", encoded(&[0xff; 513])),
        changed(&rsa, "n", encoded(&[0; 256])),
        changed(&rsa, "n", Value::Null),
    ];
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for key in [&okp, &ec, &rsa] {
            cases.push(changed(key, private, json!("AAAA")));
        }
    }
    for case in &cases {
        assert!(matches!(read(case), Err(KeyError::Refused(_))), "{case}");
        let with_good = json!({"keys": [okp, case]}).to_string();
        assert!(read_jwks(with_good.as_bytes()).is_err(), "{case}");
    }
}

#[test]
fn keys_of_no_use_are_passed_over_in_a_set_and_refused_alone() {
    let okp = public(key_of(Algorithm::EdDsa));
    let ec = public(key_of(Algorithm::Es256));
    let rsa: Value = serde_json::from_str(RFC_7638).unwrap();
    let cases = [
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}),
        changed(&okp, "crv", json!("Ed448")),
        changed(&okp, "crv", json!("X25519")),
        changed(&ec, "crv", json!("P-384")),
        changed(&ec, "crv", json!("P-521")),
        changed(&ec, "crv", json!("secp256k1")),
        changed(&ec, "crv", json!("p-256")),
        changed(&rsa, "alg", json!("RS512")),
        changed(&rsa, "alg", json!("RSA-OAEP")),
        changed(&okp, "alg", json!("HS256")),
        changed(&okp, "alg", json!("none")),
        changed(&okp, "use", json!("enc")),
        changed(&okp, "key_ops", json!(["sign"])),
    ];
    for case in &cases {
        assert!(read(case).unwrap().is_empty(), "{case}");
        let members = case.as_object().unwrap();
        for algorithm in Algorithm::ALL {
            assert!(read_jwk(members, *algorithm).is_err(), "{case}");
        }
        let with_good = json!({"keys": [case, public(key_of(Algorithm::Ps256))]}).to_string();
        assert_eq!(read_jwks(with_good.as_bytes()).unwrap().iter().count(), 1);
    }
}

#[test]
fn texts_that_are_no_set_are_refused() {
    let okp = public(key_of(Algorithm::EdDsa)).to_string();
    let twice_inside = okp.replacen('{', r#"{"x":"AAAA","#, 1);
    for text in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        okp.clone(),
        r#"{"keys":{}}"#.to_owned(),
        format!(r#"{{"keys":[],"keys":[{okp}]}}"#),
        format!(r#"{{"keys":[{twice_inside}]}}"#),
        format!(r#"{{"keys":[{okp},{okp}]}}"#),
        format!(r#"{{"keys":[{}]}}"#, vec![r#"{"kty":"x"}"#; 33].join(",")),
        format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(64 * 1024)),
        format!(r#"{{"keys":[{okp}]}} x"#),
    ] {
        assert!(read_jwks(text.as_bytes()).is_err(), "{text}");
    }
    assert!(read_jwks(br#"{"keys":[],"more":1}"#).unwrap().is_empty());
}

#[test]
fn a_foreign_rsa_key_without_an_algorithm_is_good_for_both() {
    let rsa: Value = serde_json::from_str(RFC_7638).unwrap();
    let keys = read(&changed(&rsa, "alg", Value::Null)).unwrap();
    let algorithms: Vec<Algorithm> = keys.iter().map(VerifyingKey::algorithm).collect();
    assert_eq!(algorithms, [Algorithm::Ps256, Algorithm::Rs256]);
}
