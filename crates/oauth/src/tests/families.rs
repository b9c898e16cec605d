//! Refresh families and device codes as state machines; metadata and registrations.

use serde_json::{Value, json};
use stdx::{Rng, Secret};
use uuid::Uuid;

use super::fixtures::{ISSUER, REDIRECT, client_key, with};
use super::{NOW, key_of};
use crate::client::{AuthMethod, Grant, validate_registration};
use crate::device::{DeviceGrant, DeviceStatus, new_user_code, read_user_code, shown_user_code};
use crate::metadata::{Feature, IssuerMetadata, resource_metadata};
use crate::refresh::{Family, RefreshLimits, RefreshPresenter, RefreshToken, Refreshed};
use crate::{Algorithm, Jwk, Jwks, Profile, VerifyingKeys};

const LIMITS: RefreshLimits = RefreshLimits {
    absolute: 30 * 86_400,
    idle: Some(7 * 86_400),
};

fn family() -> Family {
    Family {
        client_id: "app".to_owned(),
        jkt: Some("key".to_owned()),
        current: 5,
        started_at: NOW,
        rotated_at: NOW + 1000,
        is_revoked: false,
    }
}

fn present(family: &Family, number: u32, now: i64) -> Refreshed {
    let presenter = RefreshPresenter {
        client_id: "app",
        jkt: Some("key"),
        now,
    };
    family.present(number, &presenter, LIMITS)
}

fn is_refused(outcome: &Refreshed) -> bool {
    matches!(outcome, Refreshed::Refused(_))
}

#[test]
fn the_good_member_gives_the_next_one_and_the_last_one_the_same_for_ten_seconds() {
    let Refreshed::Rotated(next) = present(&family(), 5, NOW + 2000) else {
        panic!("not rotated");
    };
    assert_eq!(
        (next.current, next.rotated_at, next.started_at),
        (6, NOW + 2000, NOW)
    );
    for second in [0, 1, 10] {
        assert_eq!(present(&next, 5, NOW + 2000 + second), Refreshed::Repeated);
    }
    let Refreshed::Reused(dead) = present(&next, 5, NOW + 2011) else {
        panic!("not noticed");
    };
    for number in 0..8 {
        assert!(is_refused(&present(&dead, number, NOW + 2012)), "{number}");
    }
}

#[test]
fn once_the_successor_was_used_the_one_before_it_is_a_copy() {
    let Refreshed::Rotated(six) = present(&family(), 5, NOW + 2000) else {
        panic!("not rotated");
    };
    let Refreshed::Rotated(seven) = present(&six, 6, NOW + 2001) else {
        panic!("not rotated");
    };
    assert!(matches!(
        present(&seven, 5, NOW + 2002),
        Refreshed::Reused(_)
    ));
    assert!(matches!(
        present(&seven, 0, NOW + 2002),
        Refreshed::Reused(_)
    ));
    assert!(is_refused(&present(&seven, 8, NOW + 2002)));
}

#[test]
fn a_family_is_one_clients_with_one_key_and_ends() {
    let cases = [
        ("app", Some("key"), false),
        ("other", Some("key"), true),
        ("app", None, true),
        ("app", Some("k"), true),
    ];
    for (client_id, jkt, refused) in cases {
        let presenter = RefreshPresenter {
            client_id,
            jkt,
            now: NOW + 2000,
        };
        for number in [4, 5] {
            let outcome = family().present(number, &presenter, LIMITS);
            assert_eq!(
                is_refused(&outcome),
                refused,
                "{client_id} {jkt:?} {number}"
            );
        }
    }
    let idle_end = NOW + 1000 + 7 * 86_400;
    assert!(matches!(
        present(&family(), 5, idle_end - 1),
        Refreshed::Rotated(_)
    ));
    assert!(is_refused(&present(&family(), 5, idle_end)));
    let used = Family {
        rotated_at: NOW + 30 * 86_400 - 10,
        ..family()
    };
    assert!(matches!(
        present(&used, 5, NOW + 30 * 86_400 - 1),
        Refreshed::Rotated(_)
    ));
    assert!(is_refused(&present(&used, 5, NOW + 30 * 86_400)));
    assert!(is_refused(&present(&used, 5, NOW + 31 * 86_400)));
    let last = Family {
        current: u32::MAX,
        ..family()
    };
    assert!(is_refused(&present(&last, u32::MAX, NOW + 2000)));
}

#[test]
fn a_refresh_token_is_read_by_its_key_or_the_next_and_no_changed_one_is() {
    let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
    let token = RefreshToken {
        family: Uuid::from_u128(7),
        number: 5,
    };
    let text = token.encode(&old);
    assert_eq!(
        token.encode(&old).expose(),
        text.expose(),
        "the same successor"
    );
    let both = [new.clone(), old.clone()];
    assert_eq!(RefreshToken::decode(text.expose(), &both), Some(token));
    assert_eq!(RefreshToken::decode(text.expose(), &[new]), None);
    let text = text.expose();
    assert!(text.starts_with("rt_"));
    for index in 0..text.len() {
        assert_eq!(
            RefreshToken::decode(&text[..index], &both),
            None,
            "prefix of {index}"
        );
        for bit in 0..7 {
            let mut bytes = text.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(
                RefreshToken::decode(&changed, &both),
                None,
                "bit {bit} of byte {index}"
            );
        }
    }
    for strange in ["", "rt_", "rt_ü", &format!("{text}A"), &format!("{text}=")] {
        assert_eq!(RefreshToken::decode(strange, &both), None, "{strange}");
    }
}

fn device() -> DeviceGrant {
    DeviceGrant {
        client_id: "tv".to_owned(),
        expires_at: NOW + 600,
        interval: 5,
        polled_at: None,
        status: DeviceStatus::Pending,
    }
}

#[test]
fn a_device_asks_at_its_pace_and_gets_its_tokens_once() {
    let told = |grant: &DeviceGrant, client, now| {
        let polled = grant.poll(client, now);
        let name = polled
            .answer
            .map_or_else(|error| error.code.name(), |()| "tokens");
        (polled.grant, name)
    };
    let (first, name) = told(&device(), "tv", NOW);
    assert_eq!(name, "authorization_pending");
    let (second, name) = told(&first, "tv", NOW + 4);
    assert_eq!((name, second.interval), ("slow_down", 10));
    let (third, name) = told(&second, "tv", NOW + 13);
    assert_eq!((name, third.interval), ("slow_down", 15));
    let (fourth, name) = told(&third, "tv", NOW + 28);
    assert_eq!(name, "authorization_pending");
    assert_eq!(
        told(&fourth, "other", NOW + 60),
        (fourth.clone(), "invalid_grant")
    );
    let approved = DeviceGrant {
        status: DeviceStatus::Approved,
        ..fourth.clone()
    };
    let (used, name) = told(&approved, "tv", NOW + 60);
    assert_eq!(name, "tokens");
    assert_eq!(told(&used, "tv", NOW + 120).1, "invalid_grant");
    let denied = DeviceGrant {
        status: DeviceStatus::Denied,
        ..fourth.clone()
    };
    assert_eq!(told(&denied, "tv", NOW + 60).1, "access_denied");
    for late in [fourth, approved, denied] {
        assert_eq!(told(&late, "tv", NOW + 600).1, "expired_token");
    }
}

#[test]
fn a_user_code_is_read_however_it_is_typed() {
    let code = new_user_code(&Rng::seeded(3));
    assert_eq!(code.len(), 8);
    let shown = shown_user_code(&code);
    assert_eq!(shown.len(), 9);
    for typed in [
        code.clone(),
        shown.clone(),
        shown.to_lowercase(),
        format!(" {} {} ", &code[..4], &code[4..]),
    ] {
        assert_eq!(read_user_code(&typed), Some(code.clone()), "{typed}");
    }
    for wrong in [
        "",
        "BCDF-GHJ",
        "BCDF-GHJKL",
        "ABCD-FGHJ",
        "BCDF-GHJ1",
        "ÄBCDFGHJ",
        &"B".repeat(80),
    ] {
        assert_eq!(read_user_code(wrong), None, "{wrong}");
    }
    let rng = Rng::seeded(4);
    let mut seen: Vec<char> = (0..200)
        .flat_map(|_| new_user_code(&rng).chars().collect::<Vec<_>>())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.into_iter().collect::<String>(), "BCDFGHJKLMNPQRSTVWXZ");
}

fn metadata(profile: Profile, all: bool) -> Value {
    let scopes = ["openid", "profile"].map(str::to_owned);
    let every = [
        Feature::Registration,
        Feature::ClientCertificates,
        Feature::Proofs,
        Feature::FetchedRequests,
        Feature::BackChannelLogout,
        Feature::FrontChannelLogout,
        Feature::SessionManagement,
    ];
    let (grants, features): (&[Grant], &[Feature]) = match all {
        true => (Grant::ALL, &every),
        false => (&[Grant::AuthorizationCode], &[]),
    };
    IssuerMetadata {
        issuer: ISSUER,
        profile,
        scopes: &scopes,
        acr_values: &[],
        signs_with: Algorithm::ALL,
        ui_locales: &[],
        grants,
        features,
    }
    .to_value()
}

/// What is not served is not announced.
fn check_few(few: &Value, document: &Value) {
    for door in [
        "registration_endpoint",
        "device_authorization_endpoint",
        "check_session_iframe",
        "dpop_signing_alg_values_supported",
    ] {
        assert!(
            few.get(door).is_none() && document.get(door).is_some(),
            "{door}"
        );
    }
    assert!(!few.to_string().contains("tls_client_auth\""));
    assert_eq!(few["grant_types_supported"], json!(["authorization_code"]));
    assert_eq!(few["backchannel_logout_supported"], false);
}

#[test]
fn metadata_say_what_the_profile_does() {
    for profile in Profile::ALL {
        let document = metadata(*profile, true);
        assert_eq!(document["issuer"], ISSUER);
        for (name, value) in document.as_object().unwrap() {
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                let address = value.as_str().unwrap();
                assert!(
                    address.starts_with("https://id.example.org/oauth2/"),
                    "{name}"
                );
            }
        }
        let list =
            |name: &str| -> Vec<String> { serde_json::from_value(document[name].clone()).unwrap() };
        let has = |name: &str, value: &str| list(name).iter().any(|one| one == value);
        let is = |one: Profile| *profile == one;
        assert!(has("code_challenge_methods_supported", "S256"));
        assert_eq!(list("code_challenge_methods_supported").len(), 1);
        assert!(!has("response_types_supported", "token"));
        assert!(!has("grant_types_supported", "password"));
        assert!(!has(
            "token_endpoint_auth_methods_supported",
            "client_secret_jwt"
        ));
        for name in ["id_token token", "id_token", "code id_token"] {
            assert_eq!(has("response_types_supported", name), is(Profile::OidcFull));
        }
        assert_eq!(
            has("grant_types_supported", "implicit"),
            is(Profile::OidcFull)
        );
        assert_eq!(
            has("response_modes_supported", "fragment"),
            is(Profile::OidcFull)
        );
        let rs256 = has("id_token_signing_alg_values_supported", "RS256");
        assert_eq!(rs256, !is(Profile::Fapi2));
        assert_eq!(
            has("token_endpoint_auth_methods_supported", "none"),
            !is(Profile::Fapi2)
        );
        assert_eq!(
            document["require_pushed_authorization_requests"],
            is(Profile::Fapi2)
        );
        check_few(&metadata(*profile, false), &document);
        let text = document.to_string();
        assert!(!text.contains("HS256") && !text.contains("\"none\",\"HS"));
    }
    let resource = resource_metadata(
        "https://api.example.org",
        &[ISSUER.to_owned()],
        &["read".to_owned()],
        "API",
        Profile::Fapi2,
    );
    assert_eq!(resource["authorization_servers"], json!([ISSUER]));
    assert_eq!(resource["bearer_methods_supported"], json!(["header"]));
    assert_eq!(resource["dpop_bound_access_tokens_required"], true);
}

fn registration() -> Value {
    json!({
        "redirect_uris": [REDIRECT], "client_name": "App", "scope": "openid read",
        "logo_uri": "https://app.example.org/logo.png", "unknown": {"x": 1},
    })
}

fn refused(profile: Profile, body: &Value) -> &'static str {
    match validate_registration(body.to_string().as_bytes(), profile) {
        Ok(_) => "",
        Err(error) => error.name(),
    }
}

#[test]
fn a_registration_in_order_has_the_defaults_of_the_rfc() {
    let body = registration().to_string();
    let client = validate_registration(body.as_bytes(), Profile::Oauth21).unwrap();
    assert_eq!(client.auth_method, AuthMethod::Basic);
    assert_eq!(client.grants, [Grant::AuthorizationCode]);
    assert_eq!(client.scopes, ["openid", "read"]);
    assert_eq!(client.addresses.len(), 1);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one flat list of cases")]
fn each_bad_registration_has_its_name() {
    let uri = "invalid_redirect_uri";
    let metadata = "invalid_client_metadata";
    let public = Jwks::new(&VerifyingKeys::new(vec![
        client_key().verifying_key().clone(),
    ]));
    let public = serde_json::to_value(public).unwrap();
    let mut private =
        serde_json::to_value(Jwk::new(key_of(Algorithm::EdDsa).verifying_key())).unwrap();
    private["d"] = json!("AAAA");
    let both = with(&registration(), "jwks", public.clone());
    let cases = [
        ("redirect_uris", Value::Null, uri),
        ("redirect_uris", json!([]), uri),
        ("redirect_uris", json!(["https://app.example.org/#x"]), uri),
        ("redirect_uris", json!(["http://app.example.org/"]), uri),
        ("redirect_uris", json!(["https://*.example.org/"]), uri),
        ("redirect_uris", json!(["org.example.app:/cb"]), uri),
        ("redirect_uris", json!("https://app.example.org/"), metadata),
        ("redirect_uris", json!([1]), metadata),
        ("redirect_uris", json!(vec![REDIRECT; 51]), metadata),
        ("post_logout_redirect_uris", json!(["javascript:x"]), uri),
        ("application_type", json!("desktop"), metadata),
        (
            "token_endpoint_auth_method",
            json!("client_secret_jwt"),
            metadata,
        ),
        (
            "token_endpoint_auth_method",
            json!("private_key_jwt"),
            metadata,
        ),
        ("grant_types", json!(["password"]), metadata),
        ("grant_types", json!(["implicit"]), metadata),
        ("response_types", json!(["token"]), metadata),
        ("response_types", json!(["id_token"]), metadata),
        ("id_token_signed_response_alg", json!("none"), metadata),
        ("id_token_signed_response_alg", json!("HS256"), metadata),
        (
            "id_token_encrypted_response_alg",
            json!("RSA-OAEP"),
            metadata,
        ),
        ("jwks", json!({"keys": [private]}), metadata),
        (
            "jwks",
            json!({"keys": [{"kty": "oct", "k": "AAAA"}]}),
            metadata,
        ),
        ("jwks", json!([]), metadata),
        ("jwks_uri", json!("http://app.example.org/jwks"), metadata),
        ("logo_uri", json!("javascript:alert(1)"), metadata),
        (
            "initiate_login_uri",
            json!("http://app.example.org/"),
            metadata,
        ),
        (
            "backchannel_logout_uri",
            json!("https://user@app.example.org/"),
            metadata,
        ),
        (
            "frontchannel_logout_uri",
            json!("https://elsewhere.example/"),
            metadata,
        ),
        (
            "frontchannel_logout_uri",
            json!("javascript:alert(1)"),
            metadata,
        ),
        ("client_name", json!("A\u{0}B"), metadata),
        ("client_name", json!(1), metadata),
        ("dpop_bound_access_tokens", json!("yes"), metadata),
        ("subject_type", json!("secret"), metadata),
    ];
    for (name, value, expected) in cases {
        let body = with(&registration(), name, value);
        assert_eq!(refused(Profile::Oauth21, &body), expected, "{body}");
    }
    let two = with(&both, "jwks_uri", json!("https://app.example.org/jwks"));
    assert_eq!(refused(Profile::Oauth21, &two), metadata);
    let hosts = with(
        &registration(),
        "redirect_uris",
        json!([REDIRECT, "https://b.example/"]),
    );
    assert_eq!(
        refused(
            Profile::Oauth21,
            &with(&hosts, "subject_type", json!("pairwise"))
        ),
        metadata
    );
    let machine = with(
        &registration(),
        "grant_types",
        json!(["client_credentials"]),
    );
    let machine = with(&machine, "token_endpoint_auth_method", json!("none"));
    assert_eq!(refused(Profile::Oauth21, &machine), metadata);
    for body in ["", "[]", "{", r#"{"client_name":"a","client_name":"b"}"#] {
        assert!(
            validate_registration(body.as_bytes(), Profile::Oauth21).is_err(),
            "{body}"
        );
    }
    let implicit = with(&registration(), "grant_types", json!(["implicit"]));
    let implicit = with(&implicit, "response_types", json!(["id_token"]));
    assert_eq!(refused(Profile::OidcFull, &implicit), "");
    assert_eq!(refused(Profile::Fapi2, &registration()), metadata);
    let signed = with(
        &both,
        "token_endpoint_auth_method",
        json!("private_key_jwt"),
    );
    assert_eq!(refused(Profile::Fapi2, &signed), "");
}
