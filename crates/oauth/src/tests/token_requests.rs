//! The token endpoint: what is asked for, by whom, and whether it may be given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use stdx::Secret;

use super::fixtures::{CHALLENGE, ISSUER, REDIRECT, VERIFIER, changed, client, parameters};
use super::{NOW, claims, now};
use crate::client::{CertificateSubject, ClientAuth};
use crate::token::{
    Actor, ClientCertificate, ClientProof, IssuedCode, Presenter, TokenErrorCode, check_client,
    check_exchange, narrow_resource, narrow_scopes, parse_token_request, read_client, redeem_code,
};
use crate::{Client, Profile};

fn refusal(pairs: &[(&str, &str)]) -> &'static str {
    match parse_token_request(&parameters(pairs), Profile::Oauth21) {
        Ok(_) => "",
        Err(error) => error.code.name(),
    }
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

#[test]
#[expect(clippy::too_many_lines, reason = "one flat list of cases")]
fn each_bad_request_has_its_name() {
    let code = [
        ("grant_type", "authorization_code"),
        ("code", "c"),
        ("redirect_uri", REDIRECT),
    ];
    let exchange = [
        ("grant_type", EXCHANGE),
        ("subject_token", "t"),
        ("subject_token_type", ACCESS),
    ];
    let long = "c".repeat(17 * 1024);
    let (short, longest) = (&VERIFIER[..42], "v".repeat(129));
    let twice = [code[0], code[1], ("code", "d")];
    let mut cases = vec![
        (vec![], "invalid_request"),
        (vec![("grant_type", "")], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![("grant_type", "implicit")], "unsupported_grant_type"),
        (
            vec![("grant_type", "AUTHORIZATION_CODE")],
            "unsupported_grant_type",
        ),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (
            vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code")],
            "invalid_request",
        ),
        (
            vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")],
            "invalid_request",
        ),
        (twice.to_vec(), "invalid_request"),
        (changed(&code, "code", None), "invalid_request"),
        (changed(&code, "code", Some(&long)), "invalid_request"),
        (
            changed(&code, "code_verifier", Some(short)),
            "invalid_request",
        ),
        (
            changed(&code, "code_verifier", Some(&longest)),
            "invalid_request",
        ),
        (changed(&exchange, "subject_token", None), "invalid_request"),
        (
            changed(&exchange, "subject_token_type", None),
            "invalid_request",
        ),
        (
            changed(&exchange, "subject_token_type", Some("saml")),
            "invalid_request",
        ),
        (
            changed(&exchange, "actor_token", Some("t")),
            "invalid_request",
        ),
        (
            changed(&exchange, "actor_token_type", Some(ACCESS)),
            "invalid_request",
        ),
        (
            changed(&exchange, "requested_token_type", Some("x")),
            "invalid_request",
        ),
        (changed(&code, "code_verifier", Some(VERIFIER)), ""),
        (exchange.to_vec(), ""),
        (
            vec![("grant_type", "client_credentials"), ("unknown", "x")],
            "",
        ),
    ];
    let spaced = format!("{} {}", &VERIFIER[..20], &VERIFIER[..23]);
    cases.push((
        changed(&code, "code_verifier", Some(&spaced)),
        "invalid_request",
    ));
    for (pairs, expected) in &cases {
        assert_eq!(refusal(pairs), *expected, "{pairs:?}");
    }
}

#[test]
fn every_factor_that_a_code_is_bound_to_counts() {
    let code = IssuedCode {
        client_id: "app".to_owned(),
        redirect_uri: REDIRECT.to_owned(),
        named_redirect_uri: true,
        code_challenge: Some(CHALLENGE.to_owned()),
        dpop_jkt: Some("key".to_owned()),
        expires_at: NOW + 60,
    };
    let (verifier, other) = (
        Secret::new(VERIFIER.to_owned()),
        Secret::new("v".repeat(43)),
    );
    let challenge_itself = Secret::new(CHALLENGE.to_owned());
    let clients = [("app", true), ("App", false), ("other", false), ("", false)];
    let addresses = [
        (Some(REDIRECT), true),
        (None, true),
        (Some("https://app.example.org/callback/"), false),
        (Some(""), false),
    ];
    let verifiers = [
        (Some(&verifier), true),
        (Some(&other), false),
        (Some(&challenge_itself), false),
        (None, false),
    ];
    let keys = [(Some("key"), true), (Some("kez"), false), (None, false)];
    let times = [(NOW, true), (NOW + 59, true), (NOW + 60, false)];
    let mut redeemed = 0;
    for (client_id, c) in clients {
        for (redirect_uri, a) in addresses {
            for (code_verifier, v) in verifiers {
                for (dpop_jkt, k) in keys {
                    for (now, t) in times {
                        let presenter = Presenter {
                            client_id,
                            redirect_uri,
                            code_verifier,
                            dpop_jkt,
                            now,
                        };
                        let result = redeem_code(&code, &presenter);
                        assert_eq!(result.is_ok(), c && a && v && k && t, "{presenter:?}");
                        let name = result.err().map(|error| error.code);
                        assert!(name.is_none_or(|name| name == TokenErrorCode::InvalidGrant));
                        redeemed += usize::from(c && a && v && k && t);
                    }
                }
            }
        }
    }
    assert_eq!(redeemed, 4);
}

#[test]
fn a_verifier_without_a_challenge_is_a_downgrade() {
    let code = IssuedCode {
        client_id: "app".to_owned(),
        redirect_uri: REDIRECT.to_owned(),
        named_redirect_uri: true,
        code_challenge: None,
        dpop_jkt: None,
        expires_at: NOW + 60,
    };
    let verifier = Secret::new(VERIFIER.to_owned());
    let present = |redirect_uri, code_verifier| Presenter {
        client_id: "app",
        redirect_uri,
        code_verifier,
        dpop_jkt: None,
        now: NOW,
    };
    assert!(redeem_code(&code, &present(Some(REDIRECT), None)).is_ok());
    assert!(redeem_code(&code, &present(Some(REDIRECT), Some(&verifier))).is_err());
    // Without PKCE, the address is what binds.
    assert!(redeem_code(&code, &present(None, None)).is_err());
    let unnamed = IssuedCode {
        named_redirect_uri: false,
        ..code
    };
    assert!(redeem_code(&unnamed, &present(None, None)).is_ok());
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

#[test]
#[expect(clippy::too_many_lines, reason = "one flat list of cases")]
fn a_client_says_once_who_it_is() {
    let id = [("client_id", "app")];
    let post = [("client_id", "app"), ("client_secret", "s")];
    let good = [
        (Some(basic("app", "s")), vec![], "app", "s"),
        (
            Some(basic("app", "s").replace("Basic", "bAsIc")),
            id.to_vec(),
            "app",
            "s",
        ),
        (
            Some(basic("a%3Ab", "s%2B+%C3%BC:x")),
            vec![],
            "a:b",
            "s+ ü:x",
        ),
        (None, post.to_vec(), "app", "s"),
        (None, id.to_vec(), "app", ""),
    ];
    for (header, pairs, client_id, secret) in good {
        let presented = read_client(header.as_deref(), &parameters(&pairs)).unwrap();
        assert_eq!(presented.client_id, client_id);
        let told = match &presented.proof {
            ClientProof::Basic(secret) | ClientProof::Post(secret) => secret.expose().clone(),
            ClientProof::None | ClientProof::Assertion(_) => String::new(),
        };
        assert_eq!(told, secret);
    }
    let assertion = [
        ("client_assertion", "x.e30.y"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
    ];
    let both: Vec<_> = post.iter().chain(&assertion).copied().collect();
    let bad = [
        (None, vec![], "invalid_client"),
        (Some(basic("app", "s")), post.to_vec(), "invalid_request"),
        (
            Some(basic("app", "s")),
            vec![("client_id", "other")],
            "invalid_request",
        ),
        (Some(basic("app", "")), vec![], "invalid_client"),
        (Some(basic("", "s")), vec![], "invalid_client"),
        (Some(basic("app%", "s")), vec![], "invalid_client"),
        (Some("Basic".to_owned()), vec![], "invalid_client"),
        (Some("Basic !!!".to_owned()), vec![], "invalid_client"),
        (
            Some(format!("Basic {}", STANDARD.encode("app"))),
            vec![],
            "invalid_client",
        ),
        (
            Some(format!("Basic {}", STANDARD.encode([0xff, b':', 1]))),
            vec![],
            "invalid_client",
        ),
        (Some("Bearer app".to_owned()), vec![], "invalid_client"),
        (None, both, "invalid_request"),
        (None, assertion.to_vec(), "invalid_client"),
        (
            None,
            changed(&assertion, "client_assertion_type", None),
            "invalid_client",
        ),
        (
            None,
            changed(&assertion, "client_assertion_type", Some("saml")),
            "invalid_client",
        ),
        (
            None,
            vec![("client_id", "app"), ("client_id", "app")],
            "invalid_request",
        ),
    ];
    for (header, pairs, expected) in bad {
        let error = read_client(header.as_deref(), &parameters(&pairs)).unwrap_err();
        assert_eq!(error.code.name(), expected, "{header:?} {pairs:?}");
        assert_eq!(error.tried_header, header.is_some());
    }
}

/// Whether `client` is let in with that body; with a secret that is still to be compared, too.
pub(super) fn let_in(
    client: &Client,
    pairs: &[(&str, &str)],
    shown: Option<&ClientCertificate>,
) -> bool {
    let Ok(presented) = read_client(None, &parameters(pairs)) else {
        return false;
    };
    let client = Some(client);
    let result = check_client(client, &presented, shown, ISSUER, Profile::Oauth21, now());
    if let Err(error) = &result {
        assert!(error.code.is_about_the_client());
    }
    result.is_ok()
}

#[test]
fn a_client_proves_who_it_is_in_its_own_way_and_no_other() {
    let with_auth = |auth| Client { auth, ..client() };
    let shown = ClientCertificate {
        thumbprint: "t".to_owned(),
        ..ClientCertificate::default()
    };
    let self_signed = ClientAuth::SelfSignedTls {
        thumbprints: vec!["t".to_owned()],
    };
    let id = [("client_id", "app")];
    let secret = [("client_id", "app"), ("client_secret", "s")];
    let cases = [
        (ClientAuth::None, true, false),
        (ClientAuth::Basic, false, true),
        (ClientAuth::Post, false, true),
        (ClientAuth::PrivateKeyJwt, false, false),
        (self_signed, true, false),
    ];
    for (auth, by_id, by_secret) in cases {
        let client = with_auth(auth);
        assert_eq!(
            let_in(&client, &id, Some(&shown)),
            by_id,
            "{:?}",
            client.auth
        );
        assert_eq!(
            let_in(&client, &secret, Some(&shown)),
            by_secret,
            "{:?}",
            client.auth
        );
        assert!(!let_in(&client, &[("client_id", "other")], Some(&shown)));
    }
    let presented = read_client(None, &parameters(&secret)).unwrap();
    let basic = with_auth(ClientAuth::Basic);
    for (client, profile) in [(None, Profile::Oauth21), (Some(&basic), Profile::Fapi2)] {
        assert!(check_client(client, &presented, None, ISSUER, profile, now()).is_err());
    }
}

#[test]
fn a_certificate_fits_by_the_one_name_that_was_registered() {
    let shown = ClientCertificate {
        thumbprint: "t".to_owned(),
        trusted: true,
        subject: "CN=app,O=Example".to_owned(),
        dns: vec!["app.example.org".to_owned()],
        uris: vec!["https://app.example.org/".to_owned()],
        ips: vec!["192.0.2.1".parse().unwrap()],
        emails: vec!["app@example.org".to_owned()],
    };
    let good = [
        CertificateSubject::Name("CN=app,O=Example".to_owned()),
        CertificateSubject::Dns("APP.example.org".to_owned()),
        CertificateSubject::Uri("https://app.example.org/".to_owned()),
        CertificateSubject::Ip("192.0.2.1".parse().unwrap()),
        CertificateSubject::Email("app@example.org".to_owned()),
    ];
    let bad = [
        CertificateSubject::Name("CN=app".to_owned()),
        CertificateSubject::Name(String::new()),
        CertificateSubject::Dns("example.org".to_owned()),
        CertificateSubject::Uri("https://app.example.org".to_owned()),
        CertificateSubject::Ip("192.0.2.2".parse().unwrap()),
        CertificateSubject::Email("app.example.org".to_owned()),
    ];
    let pairs = [("client_id", "app")];
    let with_subject = |subject| Client {
        auth: ClientAuth::TlsClientAuth(subject),
        ..client()
    };
    for subject in good {
        let client = with_subject(subject);
        assert!(let_in(&client, &pairs, Some(&shown)), "{:?}", client.auth);
        assert!(!let_in(&client, &pairs, None));
        let untrusted = ClientCertificate {
            trusted: false,
            ..shown.clone()
        };
        assert!(!let_in(&client, &pairs, Some(&untrusted)));
    }
    for subject in bad {
        let client = with_subject(subject);
        assert!(!let_in(&client, &pairs, Some(&shown)), "{:?}", client.auth);
    }
}

#[test]
fn an_exchange_gives_no_more_than_there_was() {
    let mut subject = claims();
    let exchange = |subject: &_, actor: Actor<'_>, client: &str, own: &[String]| {
        check_exchange(subject, actor, client, own)
    };
    let own = exchange(&subject, Actor::Client("pilaster"), "pilaster", &[]).unwrap();
    assert_eq!(own.scopes, ["read", "write"]);
    assert_eq!(
        (own.until, own.epoch, own.act),
        (subject.exp, subject.epoch, None)
    );
    assert!(exchange(&subject, Actor::Client("other"), "other", &[]).is_err());
    let resources = [subject.aud.clone()];
    let sent = exchange(&subject, Actor::Client("other"), "other", &resources).unwrap();
    assert_eq!(sent.act, Some(json!({"sub": "client:other"})));
    subject
        .extra
        .insert("act".to_owned(), json!({"sub": "first"}));
    let mut actor = claims();
    actor.sub = "bob".to_owned();
    let chained = exchange(&subject, Actor::Token(&actor), "pilaster", &[]).unwrap();
    assert_eq!(
        chained.act,
        Some(json!({"sub": "bob", "act": {"sub": "first"}}))
    );
    subject
        .extra
        .insert("may_act".to_owned(), json!({"sub": "carol"}));
    assert!(exchange(&subject, Actor::Token(&actor), "pilaster", &[]).is_err());
    actor.sub = "carol".to_owned();
    assert!(exchange(&subject, Actor::Token(&actor), "pilaster", &[]).is_ok());
    let four = json!({"sub": "1", "act": {"sub": "2", "act": {"sub": "3", "act": {"sub": "4"}}}});
    subject.extra.insert("act".to_owned(), four);
    assert!(exchange(&subject, Actor::Token(&actor), "pilaster", &[]).is_err());
}

#[test]
fn a_token_may_do_less_and_never_more() {
    let granted = ["openid", "read"].map(str::to_owned);
    assert_eq!(narrow_scopes(&granted, None).unwrap(), granted);
    assert_eq!(
        narrow_scopes(&granted, Some("read read")).unwrap(),
        ["read"]
    );
    for wider in ["write", "read write", "Read", "open"] {
        let error = narrow_scopes(&granted, Some(wider)).unwrap_err();
        assert_eq!(error.code.name(), "invalid_scope");
    }
    let (api, other) = (
        "https://api.example".to_owned(),
        "https://other.example".to_owned(),
    );
    let both = [api.clone(), other.clone()];
    assert_eq!(narrow_resource(&both, &[]).unwrap(), Some(api.clone()));
    assert_eq!(
        narrow_resource(&both, std::slice::from_ref(&other)).unwrap(),
        Some(other.clone())
    );
    for asked in [both.to_vec(), vec!["https://third.example".to_owned()]] {
        let error = narrow_resource(&both, &asked).unwrap_err();
        assert_eq!(error.code.name(), "invalid_target");
    }
    assert!(narrow_resource(&[api], &[other]).is_err());
}
