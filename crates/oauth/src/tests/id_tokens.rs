//! Facts about ID tokens, logout tokens, signed answers, claims and subjects.

use std::time::Duration;

use serde_json::{Map, Value, json};
use stdx::Secret;

use super::fixtures::{ISSUER, client_key, jwt, parts, with};
use super::{NOW, key, key_of, keys, now};
use crate::pairwise::{SectorError, lists_all, pairwise_subject, sector};
use crate::{
    Algorithm, ClaimsRequest, Hashes, IdTokenClaims, IdTokenExpectations, LoggedOut,
    LogoutTokenClaims, TokenError, VerifyingKeys, decode_foreign_id_token, decode_id_token_hint,
    decode_logout_token, encode_id_token, encode_logout_token, select_claims,
    sign_authorization_response, sign_introspection, sign_userinfo,
};

fn claims() -> IdTokenClaims {
    IdTokenClaims {
        iss: ISSUER.to_owned(),
        sub: "0190f7a4-0000-7000-8000-000000000001".to_owned(),
        aud: "app".to_owned(),
        exp: NOW + 600,
        iat: NOW,
        auth_time: Some(NOW - 5),
        nonce: Some("n".repeat(64)),
        acr: Some("urn:one".to_owned()),
        amr: vec!["pwd".to_owned(), "hwk".to_owned()],
        azp: None,
        sid: Some("session".to_owned()),
        hashes: Hashes::default(),
        extra: Map::new(),
    }
}

/// ID tokens of another provider.
fn foreign() -> Value {
    json!({
        "iss": "https://other.example", "sub": "248289761001", "aud": "us", "nonce": "n",
        "exp": NOW + 300, "iat": NOW, "auth_time": NOW - 10,
    })
}

fn read_foreign(claims: &Value, max_age: Option<u64>) -> Result<IdTokenClaims, TokenError> {
    let keys = VerifyingKeys::new(vec![client_key().verifying_key().clone()]);
    let expectations = IdTokenExpectations {
        issuer: "https://other.example",
        client_id: "us",
        nonce: "n",
        max_age: max_age.map(Duration::from_secs),
    };
    decode_foreign_id_token(
        &jwt(client_key(), "JWT", claims),
        &keys,
        &expectations,
        now(),
    )
}

#[test]
fn an_id_token_says_what_was_put_in_and_nonces_come_back_whole() {
    for algorithm in Algorithm::ALL {
        let key = key_of(*algorithm);
        let token = encode_id_token(&claims(), key).unwrap();
        let (header, payload) = parts(&token);
        assert_eq!(header["alg"], algorithm.name());
        assert_eq!(header["typ"], "JWT");
        assert_eq!(payload["nonce"], "n".repeat(64));
        let keys = VerifyingKeys::new(vec![key.verifying_key().clone()]);
        assert_eq!(decode_id_token_hint(&token, &keys, ISSUER), Ok(claims()));
    }
}

#[test]
fn the_hashes_are_those_of_the_specifications() {
    // OpenID Connect Core appendix A.6 (hybrid) and A.4.
    let rs256 = |access, code| Hashes::of(Algorithm::Rs256, access, code, None);
    let hashes = rs256(
        Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        Some("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
    );
    assert_eq!(hashes.at_hash.as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
    assert_eq!(hashes.c_hash.as_deref(), Some("LDktKdoQak3Pk0cnXxCltA"));
    let state = Hashes::of(Algorithm::EdDsa, None, None, Some("af0ifjsldkj"))
        .s_hash
        .unwrap();
    assert_eq!(state.len(), 43, "half of SHA-512");
    assert_eq!(
        Hashes::of(Algorithm::Es256, Some(""), None, None)
            .at_hash
            .unwrap()
            .len(),
        22
    );
}

#[test]
fn an_extra_claim_never_stands_for_a_registered_one() {
    let mut claims = IdTokenClaims {
        nonce: None,
        sid: None,
        ..claims()
    };
    for name in [
        "iss", "sub", "aud", "exp", "iat", "nonce", "sid", "at_hash", "c_hash", "s_hash", "azp",
        "events", "cnf",
    ] {
        claims.extra.insert(name.to_owned(), json!("smuggled"));
    }
    claims
        .extra
        .insert("email".to_owned(), json!("ada@example.org"));
    let (_, payload) = parts(&encode_id_token(&claims, &key()).unwrap());
    assert!(!payload.to_string().contains("smuggled"), "{payload}");
    assert_eq!(payload["email"], "ada@example.org");
}

#[test]
fn a_hint_may_be_old_but_not_somebody_elses() {
    let old = IdTokenClaims {
        iat: NOW - 90_000,
        exp: NOW - 86_400,
        ..claims()
    };
    let token = encode_id_token(&old, &key()).unwrap();
    assert_eq!(decode_id_token_hint(&token, &keys(), ISSUER), Ok(old));
    let other = "https://other.example";
    assert_eq!(
        decode_id_token_hint(&token, &keys(), other),
        Err(TokenError::Issuer)
    );
    assert!(
        encode_id_token(
            &IdTokenClaims {
                exp: NOW,
                ..claims()
            },
            &key()
        )
        .is_err()
    );
}

#[test]
fn another_providers_id_token_is_taken_as_openid_connect_says() {
    assert!(read_foreign(&foreign(), Some(60)).is_ok());
    let both = with(&foreign(), "aud", json!(["us", "them"]));
    assert!(read_foreign(&with(&both, "azp", json!("us")), None).is_ok());
    let cases = [
        with(&foreign(), "iss", json!("https://other.example/")),
        with(&foreign(), "iss", json!("https://evil.example")),
        with(&foreign(), "iss", Value::Null),
        with(&foreign(), "aud", json!("them")),
        with(&foreign(), "aud", json!([])),
        with(&foreign(), "aud", Value::Null),
        both.clone(),
        with(&both, "azp", json!("them")),
        with(&foreign(), "azp", json!("them")),
        with(&foreign(), "nonce", json!("m")),
        with(&foreign(), "nonce", json!("N")),
        with(&foreign(), "nonce", Value::Null),
        with(&foreign(), "exp", json!(NOW - 61)),
        with(&foreign(), "exp", Value::Null),
        with(&foreign(), "iat", json!(NOW + 61)),
        with(&foreign(), "iat", Value::Null),
        with(&foreign(), "sub", Value::Null),
        with(&foreign(), "sub", json!("")),
        with(&foreign(), "sub", json!("s".repeat(256))),
        with(&foreign(), "sub", json!("ü")),
        with(&foreign(), "events", json!({})),
    ];
    for case in &cases {
        assert!(read_foreign(case, None).is_err(), "{case}");
    }
    for auth_time in [Value::Null, json!(NOW - 200), json!("now")] {
        let case = with(&foreign(), "auth_time", auth_time);
        assert!(read_foreign(&case, Some(60)).is_err(), "{case}");
    }
}

fn logout() -> LogoutTokenClaims {
    LogoutTokenClaims {
        iss: ISSUER.to_owned(),
        aud: "app".to_owned(),
        iat: NOW,
        exp: NOW + 120,
        jti: "1".to_owned(),
        whom: LoggedOut::Session {
            sid: "session".to_owned(),
            sub: None,
        },
    }
}

fn read_logout(token: &str) -> Result<LogoutTokenClaims, TokenError> {
    decode_logout_token(token, &keys(), ISSUER, "app", now())
}

#[test]
fn a_logout_token_is_one_and_nothing_else_is() {
    let everywhere = LogoutTokenClaims {
        whom: LoggedOut::Everywhere {
            sub: "ada".to_owned(),
        },
        ..logout()
    };
    for claims in [logout(), everywhere] {
        let token = encode_logout_token(&claims, &key()).unwrap();
        let (header, payload) = parts(&token);
        assert_eq!(header["typ"], "logout+jwt");
        assert!(payload.get("nonce").is_none());
        assert_eq!(read_logout(&token), Ok(claims));
        assert!(decode_id_token_hint(&token, &keys(), ISSUER).is_err());
    }
    let (_, good) = parts(&encode_logout_token(&logout(), &key()).unwrap());
    let cases = [
        with(&good, "nonce", json!("n")),
        with(&good, "events", Value::Null),
        with(&good, "events", json!({})),
        with(&good, "events", json!([])),
        with(
            &good,
            "events",
            json!({"http://schemas.openid.net/event/backchannel-logout": 1}),
        ),
        with(&good, "sid", Value::Null),
        with(&good, "jti", Value::Null),
        with(&good, "iss", json!("https://evil.example")),
        with(&good, "aud", json!("other")),
        with(&good, "aud", json!(["app", "other"])),
        with(&good, "exp", json!(NOW - 60)),
        with(&good, "exp", Value::Null),
        with(&good, "iat", json!(NOW + 61)),
    ];
    for case in &cases {
        assert!(
            read_logout(&jwt(&key(), "logout+jwt", case)).is_err(),
            "{case}"
        );
    }
    assert_eq!(
        read_logout(&jwt(&key(), "id+jwt", &good)),
        Err(TokenError::Type)
    );
    let id_token = encode_id_token(&claims(), &key()).unwrap();
    assert_eq!(read_logout(&id_token), Err(TokenError::Type));
}

#[test]
fn signed_answers_say_who_speaks_and_to_whom_and_are_no_id_tokens() {
    let about = json!({"sub": "ada", "email": "a@example.org", "aud": "evil", "exp": 1});
    let userinfo = sign_userinfo(about.as_object().unwrap(), ISSUER, "app", &key()).unwrap();
    let (_, payload) = parts(&userinfo);
    assert_eq!(
        payload,
        json!({"iss": ISSUER, "aud": "app", "sub": "ada", "email": "a@example.org"})
    );
    assert!(sign_userinfo(&Map::new(), ISSUER, "app", &key()).is_err());
    let active = json!({"active": true, "sub": "ada"})
        .as_object()
        .unwrap()
        .clone();
    let introspection = sign_introspection(active, ISSUER, "api", NOW, &key()).unwrap();
    let (header, payload) = parts(&introspection);
    assert_eq!(header["typ"], "token-introspection+jwt");
    assert_eq!(
        payload,
        json!({
            "iss": ISSUER, "aud": "api", "iat": NOW,
            "token_introspection": {"active": true, "sub": "ada"},
        })
    );
    let answer = [("code", "c"), ("state", "s"), ("iss", "evil")];
    let jarm = sign_authorization_response(&answer, ISSUER, "app", NOW + 600, &key()).unwrap();
    let (_, payload) = parts(&jarm);
    assert_eq!(
        payload,
        json!({"iss": ISSUER, "aud": "app", "exp": NOW + 600, "code": "c", "state": "s"})
    );
    for token in [userinfo, introspection, jarm] {
        assert!(decode_id_token_hint(&token, &keys(), ISSUER).is_err());
    }
}

fn known() -> Map<String, Value> {
    json!({
        "sub": "ada", "name": "Ada", "birthdate": null, "email": "a@example.org",
        "email_verified": true, "phone_number": "+4912345", "phone_number_verified": false,
        "address": {"country": "DE"}, "shoe_size": 38,
    })
    .as_object()
    .unwrap()
    .clone()
}

#[test]
fn a_scope_brings_its_claims_and_no_others() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&["openid"], &[]),
        (&["openid", "profile"], &["name"]),
        (&["email"], &["email", "email_verified"]),
        (&["phone"], &["phone_number", "phone_number_verified"]),
        (&["address"], &["address"]),
        (&["Email", "emails", "openid email"], &[]),
    ];
    for (scopes, names) in cases {
        let selected = select_claims(&known(), scopes, &[]);
        let selected: Vec<&str> = selected.keys().map(String::as_str).collect();
        assert_eq!(selected, names, "{scopes:?}");
    }
}

#[test]
fn the_claims_parameter_asks_by_name() {
    let text = r#"{"userinfo":{"name":{"essential":true},"shoe_size":null,"unknown":null},
        "id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:two","urn:one"]},
        "sub":{"value":"ada"}},"more":1}"#;
    let request = ClaimsRequest::parse(text).unwrap();
    let selected = select_claims(&known(), &["openid"], &request.userinfo);
    let selected: Vec<&str> = selected.keys().map(String::as_str).collect();
    assert_eq!(selected, ["name", "shoe_size"]);
    assert_eq!(request.subject(), Some("ada"));
    assert!(request.wants_auth_time());
    assert_eq!(request.voluntary_acr(), ["urn:two", "urn:one"]);
    assert_eq!(request.essential_acr(), Vec::<&str>::new());
    let essential = text.replace(r#"{"values""#, r#"{"essential":true,"values""#);
    let request = ClaimsRequest::parse(&essential).unwrap();
    assert_eq!(request.essential_acr(), ["urn:two", "urn:one"]);
}

#[test]
fn a_claims_parameter_that_can_be_read_in_two_ways_is_refused() {
    let many = (0..65)
        .map(|n| format!(r#""c{n}":null"#))
        .collect::<Vec<_>>()
        .join(",");
    for text in [
        "",
        "[]",
        "null",
        "name",
        r#"{"userinfo":[]}"#,
        r#"{"userinfo":{"name":true}}"#,
        r#"{"userinfo":{"name":"x"}}"#,
        r#"{"userinfo":{"name":{"essential":"yes"}}}"#,
        r#"{"userinfo":{"name":{"values":"x"}}}"#,
        r#"{"userinfo":{"name":{"value":"x","values":["y"]}}}"#,
        r#"{"userinfo":{},"userinfo":{}}"#,
        r#"{"userinfo":{"name":null,"name":{"essential":true}}}"#,
        r#"{"userinfo":{"name":{"value":"x","value":"y"}}}"#,
        r#"{"userinfo":{}} x"#,
        &format!(r#"{{"userinfo":{{{many}}}}}"#),
        &format!(r#"{{"userinfo":{{"{}":null}}}}"#, "x".repeat(4096)),
        &format!(r#"{{"x":{}{}}}"#, "[".repeat(1000), "]".repeat(1000)),
    ] {
        assert!(ClaimsRequest::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_user_has_one_name_for_each_sector_and_each_salt() {
    let salt = Secret::new([7; 32]);
    let name = |sector, user| pairwise_subject(sector, user, &salt);
    assert_eq!(name("a.example", "ada"), name("a.example", "ada"));
    assert_eq!(name("a.example", "ada").len(), 43);
    assert_ne!(name("a.example", "ada"), name("b.example", "ada"));
    assert_ne!(name("a.example", "ada"), name("a.example", "bob"));
    assert_ne!(name("a.example", "ada"), name("a.exampl", "eada"));
    let other = Secret::new([8; 32]);
    assert_ne!(
        name("a.example", "ada"),
        pairwise_subject("a.example", "ada", &other)
    );
}

#[test]
fn the_sector_is_the_one_host_or_the_documents() {
    let uris = |list: &[&str]| {
        list.iter()
            .map(ToString::to_string)
            .collect::<Vec<String>>()
    };
    let one = uris(&["https://a.example/x", "https://a.example:8443/y"]);
    let two = uris(&["https://a.example/x", "https://b.example/x"]);
    let native = uris(&["org.example.app:/x"]);
    let document = Some("https://s.example/list.json");
    let cases = [
        (&one, None, Ok("a.example")),
        (&two, None, Err(SectorError::SeveralHosts)),
        (&native, None, Err(SectorError::NoHost)),
        (&two, document, Ok("s.example")),
        (&one, Some("http://s.example/"), Err(SectorError::NotHttps)),
        (&one, Some("list.json"), Err(SectorError::NotHttps)),
    ];
    for (uris, document, expected) in cases {
        assert_eq!(sector(uris, document), expected.map(str::to_owned));
    }
    let listed = br#"["https://a.example/x","https://b.example/x","https://c.example/"]"#;
    assert!(lists_all(listed, &two));
    assert!(!lists_all(br#"["https://a.example/x"]"#, &two));
    assert!(!lists_all(b"{}", &two));
}
