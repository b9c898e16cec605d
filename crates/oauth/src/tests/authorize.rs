//! Authorization requests: what each profile takes, what it refuses and who is told.

mod deciding;
mod objects;

use super::fixtures::{
    CHALLENGE, ISSUER, REDIRECT, changed, client, good_request, inputs, parameters,
};
use super::{NOW, key};
use crate::authorize::{
    AuthorizationError, AuthorizationRequest, AuthorizeErrorCode, Delivery, Door, Prompt, Source,
    check_authorization_request, deliver,
};
use crate::client::{ClientAuth, Demands};
use crate::{
    Client, Hashes, IdTokenClaims, Parameters, Profile, ResponseMode, ResponseType, encode_id_token,
};

fn check(
    profile: Profile,
    client: &Client,
    pairs: &[(&str, &str)],
) -> Result<AuthorizationRequest, AuthorizationError> {
    let parameters = parameters(pairs);
    check_authorization_request(&inputs(profile, client, &parameters, &Source::Plain))
}

/// The error of a request: `page` or `redirect`, and its name.
fn told(result: Result<AuthorizationRequest, AuthorizationError>) -> (&'static str, &'static str) {
    match result {
        Ok(_) => ("nobody", ""),
        Err(AuthorizationError::Page { code, .. }) => ("page", code.name()),
        Err(AuthorizationError::Redirect(error)) => {
            assert_eq!(error.iss, ISSUER);
            assert_eq!(error.redirect_uri, REDIRECT);
            ("redirect", error.code.name())
        }
    }
}

#[test]
fn a_request_in_order_is_taken_whole() {
    let request = check(Profile::Oauth21, &client(), &good_request()).unwrap();
    assert_eq!(request.client_id, "app");
    assert_eq!(request.redirect_uri, REDIRECT);
    assert_eq!(request.response_type, ResponseType::Code);
    assert_eq!(request.response_mode, ResponseMode::Query);
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
    assert_eq!(request.scopes, ["openid", "read"]);
    assert_eq!(request.resources, ["https://api.example.org"]);
    assert_eq!(request.state.as_deref(), Some("a state"));
    assert_eq!(request.nonce.as_deref(), Some("a nonce"));
}

#[test]
fn what_is_optional_is_tolerated() {
    let long = "n".repeat(512);
    let cases = [
        ("unknown", "x"),
        ("display", "popup"),
        ("ui_locales", "de fr-CA en"),
        ("claims_locales", "de"),
        ("login_hint", "ada@example.org"),
        ("acr_values", "urn:unknown urn:two"),
        ("prompt", "login consent"),
        ("max_age", "0"),
        ("max_age", "10000"),
        ("scope", "read openid unknown"),
        ("nonce", long.as_str()),
        ("state", ""),
        ("response_mode", "form_post"),
        ("resource", "https://other.example.org"),
        ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#),
    ];
    for (name, value) in cases {
        let request = changed(&good_request(), name, Some(value));
        let checked = check(Profile::Oauth21, &client(), &request);
        assert!(checked.is_ok(), "{name}={value}: {checked:?}");
    }
}

/// One parameter changed, and who is told what.
type Case<'a> = (&'a str, Option<&'a str>, (&'static str, &'static str));

#[test]
#[expect(clippy::too_many_lines, reason = "one flat list of cases")]
fn each_mistake_has_its_error_and_goes_to_its_reader() {
    let (state, nonce) = ("s".repeat(10 * 1024), "n".repeat(513));
    let (scope, short) = ("s ".repeat(2000), CHALLENGE[..42].to_owned());
    let hint = format!("{}x", "h".repeat(1024));
    let invalid = ("redirect", "invalid_request");
    let cases: &[Case<'_>] = &[
        ("client_id", None, ("page", "invalid_request")),
        ("client_id", Some("nobody"), ("page", "unauthorized_client")),
        ("redirect_uri", None, ("page", "invalid_request")),
        (
            "redirect_uri",
            Some("https://evil.example"),
            ("page", "invalid_request"),
        ),
        (
            "redirect_uri",
            Some("https://app.example.org/callback/"),
            ("page", "invalid_request"),
        ),
        ("response_type", None, invalid),
        (
            "response_type",
            Some("token"),
            ("redirect", "unsupported_response_type"),
        ),
        (
            "response_type",
            Some("id_token"),
            ("redirect", "unsupported_response_type"),
        ),
        (
            "response_type",
            Some("code code"),
            ("redirect", "unsupported_response_type"),
        ),
        (
            "response_type",
            Some("none"),
            ("redirect", "unsupported_response_type"),
        ),
        ("response_mode", Some("fragment"), invalid),
        ("response_mode", Some("web_message"), invalid),
        ("code_challenge", None, invalid),
        ("code_challenge", Some(&short), invalid),
        (
            "code_challenge",
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c="),
            invalid,
        ),
        (
            "code_challenge",
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"),
            invalid,
        ),
        (
            "code_challenge",
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMx"),
            invalid,
        ),
        (
            "code_challenge",
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN"),
            invalid,
        ),
        ("code_challenge_method", None, invalid),
        ("code_challenge_method", Some("plain"), invalid),
        ("code_challenge_method", Some("s256"), invalid),
        ("scope", Some("write"), ("redirect", "invalid_scope")),
        ("scope", Some("unknown"), ("redirect", "invalid_scope")),
        (
            "scope",
            Some("openid \"read\""),
            ("redirect", "invalid_scope"),
        ),
        ("scope", Some("openid rëad"), ("redirect", "invalid_scope")),
        ("scope", Some(&scope), ("redirect", "invalid_scope")),
        (
            "resource",
            Some("https://third.example"),
            ("redirect", "invalid_target"),
        ),
        (
            "resource",
            Some("https://api.example.org#x"),
            ("redirect", "invalid_target"),
        ),
        ("resource", Some("api"), ("redirect", "invalid_target")),
        ("state", Some(&state), invalid),
        ("state", Some("a\r\nSet-Cookie: x=1"), invalid),
        ("nonce", Some(&nonce), invalid),
        ("nonce", Some("ü"), invalid),
        ("dpop_jkt", Some("short"), invalid),
        ("prompt", Some("none login"), invalid),
        ("prompt", Some("perhaps"), invalid),
        ("max_age", Some("-1"), invalid),
        ("max_age", Some("+1"), invalid),
        ("max_age", Some("1.5"), invalid),
        ("max_age", Some("soon"), invalid),
        ("max_age", Some("99999999999999999999"), invalid),
        ("claims", Some("{"), invalid),
        (
            "claims",
            Some(r#"{"userinfo":{"a":null,"a":null}}"#),
            invalid,
        ),
        ("id_token_hint", Some("x.y.z"), invalid),
        ("id_token_hint", Some("eyJhbGciOiJub25lIn0.e30."), invalid),
        ("login_hint", Some(&hint), invalid),
        ("request", Some("x.y.z"), ("page", "invalid_request_uri")),
        (
            "request_uri",
            Some("https://evil.example/x"),
            ("page", "invalid_request_uri"),
        ),
        (
            "request_uri",
            Some("urn:ietf:params:oauth:request_uri:unknown"),
            ("page", "invalid_request_uri"),
        ),
        (
            "claims",
            Some(r#"{"id_token":{"acr":{"essential":true,"value":"urn:unknown"}}}"#),
            ("redirect", "unmet_authentication_requirements"),
        ),
    ];
    for (name, value, expected) in cases {
        let request = changed(&good_request(), name, *value);
        assert_eq!(
            told(check(Profile::Oauth21, &client(), &request)),
            *expected,
            "{name}={value:?}"
        );
    }
}

#[test]
fn an_error_carries_state_and_issuer_in_the_way_an_answer_would_have_travelled() {
    let request = changed(&good_request(), "response_type", Some("token"));
    let Err(AuthorizationError::Redirect(error)) = check(Profile::Oauth21, &client(), &request)
    else {
        panic!("no redirect");
    };
    let delivered = deliver(
        &error.redirect_uri,
        error.response_mode,
        &error.parameters(),
    );
    let Delivery::Redirect(address) = delivered else {
        panic!("no redirect");
    };
    assert_eq!(
        address,
        "https://app.example.org/callback?error=unsupported_response_type\
         &error_description=the%20issuer%20does%20not%20support%20this%20response_type\
         &iss=https%3A%2F%2Fid.example.org&state=a%20state"
    );
    let posted = changed(&request, "response_mode", Some("form_post"));
    let Err(AuthorizationError::Redirect(error)) = check(Profile::Oauth21, &client(), &posted)
    else {
        panic!("no redirect");
    };
    assert_eq!(error.response_mode, ResponseMode::FormPost);
    let hybrid = [("response_type", Some("code id_token")), ("nonce", None)];
    let mut request = good_request();
    for (name, value) in hybrid {
        request = changed(&request, name, value);
    }
    let Err(AuthorizationError::Redirect(error)) = check(Profile::OidcFull, &client(), &request)
    else {
        panic!("no redirect");
    };
    assert_eq!(error.response_mode, ResponseMode::Fragment);
    let broken = changed(&request, "state", Some("a\nb"));
    let Err(AuthorizationError::Redirect(error)) = check(Profile::OidcFull, &client(), &broken)
    else {
        panic!("no redirect");
    };
    assert_eq!(
        error.state, None,
        "a state that is not in order is not echoed"
    );
}

#[test]
fn no_parameter_stands_twice() {
    let cases = [
        ("client_id", ("page", "invalid_request")),
        ("redirect_uri", ("page", "invalid_request")),
        ("response_type", ("redirect", "invalid_request")),
        ("state", ("redirect", "invalid_request")),
        ("scope", ("redirect", "invalid_request")),
        ("code_challenge", ("redirect", "invalid_request")),
        ("unknown", ("redirect", "invalid_request")),
    ];
    for (name, expected) in cases {
        let mut request = good_request();
        request.push(("unknown", "x"));
        let value = request.iter().find(|pair| pair.0 == name).unwrap().1;
        for second in [value, "other", ""] {
            let mut twice = request.clone();
            twice.push((name, second));
            assert_eq!(
                told(check(Profile::Oauth21, &client(), &twice)),
                expected,
                "{name}"
            );
        }
    }
    let mut two = good_request();
    two.push(("resource", "https://api.example.org"));
    two.push(("resource", "https://other.example.org"));
    let request = check(Profile::Oauth21, &client(), &two).unwrap();
    assert_eq!(request.resources.len(), 2);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one flat list of cases")]
fn the_profiles_differ_as_their_table_says() {
    let public = Client {
        auth: ClientAuth::None,
        ..client()
    };
    let secret = Client {
        auth: ClientAuth::Basic,
        ..client()
    };
    let no_pkce: Vec<_> = good_request()
        .into_iter()
        .filter(|pair| !pair.0.starts_with("code_challenge"))
        .collect();
    let hybrid = changed(&good_request(), "response_type", Some("id_token code"));
    let in_query = changed(&hybrid, "response_mode", Some("query"));
    let in_signed_query = changed(&hybrid, "response_mode", Some("query.jwt"));
    let implicit = changed(&good_request(), "response_type", Some("token id_token"));
    let no_openid = changed(&implicit, "scope", Some("read"));
    let ok = ("nobody", "");
    let invalid = ("redirect", "invalid_request");
    let unsupported = ("redirect", "unsupported_response_type");
    let not_pushed = ("page", "invalid_request");
    let cases = [
        (&client(), &good_request(), ok, ok, not_pushed),
        (
            &secret,
            &good_request(),
            ok,
            ok,
            ("page", "unauthorized_client"),
        ),
        (
            &public,
            &good_request(),
            ok,
            ok,
            ("page", "unauthorized_client"),
        ),
        (&client(), &no_pkce, invalid, ok, not_pushed),
        (
            &public,
            &no_pkce,
            invalid,
            invalid,
            ("page", "unauthorized_client"),
        ),
        (&client(), &hybrid, unsupported, ok, not_pushed),
        (&client(), &in_query, unsupported, invalid, not_pushed),
        (
            &client(),
            &in_signed_query,
            unsupported,
            invalid,
            not_pushed,
        ),
        (&client(), &implicit, unsupported, ok, not_pushed),
        (
            &client(),
            &no_openid,
            unsupported,
            ("redirect", "invalid_scope"),
            not_pushed,
        ),
    ];
    for (client, request, oauth21, oidc_full, fapi2) in cases {
        assert_eq!(
            told(check(Profile::Oauth21, client, request)),
            oauth21,
            "{request:?}"
        );
        assert_eq!(
            told(check(Profile::OidcFull, client, request)),
            oidc_full,
            "{request:?}"
        );
        assert_eq!(
            told(check(Profile::Fapi2, client, request)),
            fapi2,
            "{request:?}"
        );
    }
    let parameters = parameters(&good_request());
    let client = client();
    let mut pushing = inputs(Profile::Fapi2, &client, &parameters, &Source::Plain);
    pushing.door = Door::Push;
    assert!(check_authorization_request(&pushing).is_ok());
}

#[test]
fn a_client_is_held_to_what_it_has_registered() {
    let code_alone = Client {
        response_types: vec![ResponseType::Code],
        ..client()
    };
    let hybrid = changed(&good_request(), "response_type", Some("code id_token"));
    let refused = check(Profile::OidcFull, &code_alone, &hybrid);
    assert_eq!(told(refused), ("redirect", "unauthorized_client"));
    let demands = |pushed, signed_request| Client {
        demands: Demands {
            pushed,
            signed_request,
            bound_tokens: false,
        },
        ..client()
    };
    let refused = check(Profile::Oauth21, &demands(true, false), &good_request());
    assert_eq!(told(refused), ("page", "invalid_request"));
    let refused = check(Profile::Oauth21, &demands(false, true), &good_request());
    assert_eq!(told(refused), ("redirect", "invalid_request"));
}

#[test]
fn a_redirect_uri_is_left_out_only_where_one_alone_can_be_meant() {
    let left_out = |scope| {
        let request = changed(&good_request(), "redirect_uri", None);
        changed(&request, "scope", Some(scope))
    };
    let request = check(Profile::Oauth21, &client(), &left_out("read")).unwrap();
    assert_eq!(request.redirect_uri, REDIRECT);
    assert!(!request.named_redirect_uri);
    assert_eq!(
        told(check(Profile::Oauth21, &client(), &left_out("openid"))).0,
        "page"
    );
    let mut two = client();
    two.redirect_uris
        .push("https://app.example.org/two".to_owned());
    assert_eq!(
        told(check(Profile::Oauth21, &two, &left_out("read"))).0,
        "page"
    );
}

#[test]
fn a_hint_means_one_user_of_this_client() {
    let hint = |aud: &str| {
        let claims = IdTokenClaims {
            iss: ISSUER.to_owned(),
            sub: "ada".to_owned(),
            aud: aud.to_owned(),
            exp: NOW - 10,
            iat: NOW - 100,
            auth_time: None,
            nonce: None,
            acr: None,
            amr: Vec::new(),
            azp: None,
            sid: None,
            hashes: Hashes::default(),
            extra: serde_json::Map::new(),
        };
        encode_id_token(&claims, &key()).unwrap()
    };
    let (own, other) = (hint("app"), hint("other"));
    let mut request = changed(&good_request(), "id_token_hint", Some(&own));
    request.push(("prompt", "none"));
    let checked = check(Profile::Oauth21, &client(), &request).unwrap();
    assert_eq!(checked.hint.subject.as_deref(), Some("ada"));
    assert_eq!(checked.prompt, [Prompt::None]);
    let stranger = changed(&good_request(), "id_token_hint", Some(&other));
    assert_eq!(
        told(check(Profile::Oauth21, &client(), &stranger)).1,
        "invalid_request"
    );
    let bob = r#"{"id_token":{"sub":{"value":"bob"}}}"#;
    let both = changed(&request, "claims", Some(bob));
    assert_eq!(
        told(check(Profile::Oauth21, &client(), &both)).1,
        "invalid_request"
    );
}

#[test]
fn forms_and_json_are_read_strictly() {
    let form = Parameters::from_form("a=1+2&b=%C3%BC&c&=x&a%20b=&&d=%3D%26").unwrap();
    assert_eq!(form.get("a"), Some("1 2"));
    assert_eq!(form.get("b"), Some("ü"));
    assert_eq!(form.get("c"), None);
    assert_eq!(form.get("d"), Some("=&"));
    for bad in ["a=%", "a=%z1", "a=%4", "a=%ff", "%=1"] {
        assert!(Parameters::from_form(bad).is_err(), "{bad}");
    }
    assert!(Parameters::from_form(&"a=1&".repeat(101)).is_err());
    assert!(Parameters::from_form("a=1&%61=2").unwrap().is_twice("a"));
    let json = Parameters::from_json(r#"{"a":"x","n":60,"t":true,"z":null,"resource":["r","s"]}"#);
    let json = json.unwrap();
    assert_eq!(
        (json.get("a"), json.get("n"), json.get("t")),
        (Some("x"), Some("60"), Some("true"))
    );
    assert_eq!(json.get("z"), None);
    assert_eq!(json.all("resource").collect::<Vec<_>>(), ["r", "s"]);
    for bad in ["", "[]", r#"{"a":1,"a":2}"#, r#"{"resource":[1]}"#, "{} {}"] {
        assert!(Parameters::from_json(bad).is_err(), "{bad}");
    }
}

#[test]
fn answers_are_packed_for_their_mode() {
    let answer = [("code", "a/b c"), ("iss", ISSUER)];
    let address = |uri, mode| match deliver(uri, mode, &answer) {
        Delivery::Redirect(address) => address,
        Delivery::Form { action, fields } => format!("{action} {}", fields.len()),
    };
    let tail = "code=a%2Fb%20c&iss=https%3A%2F%2Fid.example.org";
    assert_eq!(
        address(REDIRECT, ResponseMode::Query),
        format!("{REDIRECT}?{tail}")
    );
    assert_eq!(
        address(REDIRECT, ResponseMode::Fragment),
        format!("{REDIRECT}#{tail}")
    );
    let own = format!("{REDIRECT}?x=1");
    assert_eq!(address(&own, ResponseMode::Query), format!("{own}&{tail}"));
    assert_eq!(
        address(REDIRECT, ResponseMode::FormPost),
        format!("{REDIRECT} 2")
    );
}

#[test]
fn every_description_is_text_that_an_answer_may_hold() {
    let request = changed(&good_request(), "response_type", Some("token"));
    let Err(AuthorizationError::Redirect(error)) = check(Profile::Oauth21, &client(), &request)
    else {
        panic!("no redirect");
    };
    // RFC 6749 §4.1.2.1: neither quotes nor backslashes nor anything beyond printable ASCII.
    let fits = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(error.description.bytes().all(fits));
    assert_eq!(error.code, AuthorizeErrorCode::UnsupportedResponseType);
}
