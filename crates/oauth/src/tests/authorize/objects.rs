//! Request objects and pushed requests.

use serde_json::{Value, json};

use super::super::fixtures::{
    CHALLENGE, ISSUER, REDIRECT, client, client_key, inputs, jws, jwt, parameters, with,
};
use super::super::{NOW, key};
use super::told;
use crate::authorize::{
    AuthorizationError, AuthorizationRequest, Door, PushedRequest, RequestSource, Source,
    check_authorization_request, request_source,
};
use crate::client::{ClientSigning, Demands};
use crate::{Algorithm, Client, Profile};

fn object() -> Value {
    json!({
        "iss": "app", "aud": ISSUER, "iat": NOW, "nbf": NOW, "exp": NOW + 300,
        "client_id": "app", "redirect_uri": REDIRECT, "response_type": "code",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "openid read", "state": "inside", "max_age": 60,
    })
}

fn signed(object: &Value) -> String {
    jwt(client_key(), "oauth-authz-req+jwt", object)
}

fn check(
    profile: Profile,
    client: &Client,
    door: Door,
    outside: &[(&str, &str)],
    object: &str,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let mut outside = outside.to_vec();
    outside.push(("client_id", "app"));
    outside.push(("request", object));
    let parameters = parameters(&outside);
    let source = Source::Object(object.to_owned());
    let mut inputs = inputs(profile, client, &parameters, &source);
    inputs.door = door;
    check_authorization_request(&inputs)
}

#[test]
fn what_stands_in_the_object_counts_and_nothing_beside_it() {
    let outside = [
        ("state", "outside"),
        ("nonce", "outside"),
        ("scope", "openid email"),
    ];
    let request = check(
        Profile::Oauth21,
        &client(),
        Door::Authorize,
        &outside,
        &signed(&object()),
    );
    let request = request.unwrap();
    assert_eq!(request.state.as_deref(), Some("inside"));
    assert_eq!(request.nonce, None);
    assert_eq!(request.scopes, ["openid", "read"]);
    assert_eq!(request.max_age, Some(60));
    // OpenID Connect Core §6.1 adds what stands beside it.
    let merged = check(
        Profile::OidcFull,
        &client(),
        Door::Authorize,
        &outside,
        &signed(&object()),
    );
    let merged = merged.unwrap();
    assert_eq!(merged.state.as_deref(), Some("inside"));
    assert_eq!(merged.nonce.as_deref(), Some("outside"));
}

#[test]
fn an_object_that_is_not_the_clients_own_for_us_and_now_is_refused() {
    let none = jws(client_key(), r#"{"alg":"none"}"#, &object().to_string());
    let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
    let cases = [
        unsigned,
        none,
        jwt(&key(), "jwt", &object()),
        jwt(client_key(), "at+jwt", &object()),
        jwt(client_key(), "dpop+jwt", &object()),
        signed(&with(&object(), "iss", json!("other"))),
        signed(&with(&object(), "aud", json!("https://other.example"))),
        signed(&with(&object(), "exp", json!(NOW - 60))),
        signed(&with(&object(), "nbf", json!(NOW + 60))),
        signed(&with(&object(), "sub", json!("app"))),
        signed(&with(&object(), "client_id", json!("other"))),
        signed(&with(&object(), "request", json!("x"))),
        signed(&with(&object(), "request_uri", json!("https://x.example"))),
        signed(&with(&object(), "exp", json!("soon"))),
        "x".repeat(20_000),
    ];
    for case in &cases {
        let result = check(Profile::Oauth21, &client(), Door::Authorize, &[], case);
        assert_eq!(told(result), ("page", "invalid_request_object"), "{case}");
    }
    let contradiction = [("response_type", "code id_token")];
    let result = check(
        Profile::OidcFull,
        &client(),
        Door::Authorize,
        &contradiction,
        &signed(&object()),
    );
    assert_eq!(told(result), ("page", "invalid_request_object"));
}

#[test]
fn fapi_wants_issuer_audience_and_at_most_an_hour() {
    let push = |object: &Value| check(Profile::Fapi2, &client(), Door::Push, &[], &signed(object));
    assert!(push(&object()).is_ok());
    assert!(
        push(&with(
            &object(),
            "aud",
            json!([ISSUER, "https://other.example"])
        ))
        .is_ok()
    );
    assert!(push(&with(&object(), "nbf", json!(NOW + 8))).is_ok());
    let cases = [
        with(&object(), "iss", Value::Null),
        with(&object(), "aud", Value::Null),
        with(&object(), "exp", Value::Null),
        with(&object(), "nbf", Value::Null),
        with(&object(), "exp", json!(NOW + 3601)),
        with(
            &with(&object(), "nbf", json!(NOW - 3700)),
            "exp",
            json!(NOW + 1),
        ),
        with(&object(), "nbf", json!(NOW + 61)),
    ];
    for case in &cases {
        assert_eq!(
            told(push(case)),
            ("page", "invalid_request_object"),
            "{case}"
        );
    }
    let rsa = super::super::key_of(Algorithm::Rs256);
    let mut with_rsa = client();
    with_rsa.keys = crate::VerifyingKeys::new(vec![rsa.verifying_key().clone()]);
    let result = check(
        Profile::Fapi2,
        &with_rsa,
        Door::Push,
        &[],
        &jwt(rsa, "jwt", &object()),
    );
    assert_eq!(told(result), ("page", "invalid_request_object"), "RS256");
}

#[test]
fn a_client_keeps_to_the_algorithm_that_it_has_registered() {
    let client = Client {
        signing: ClientSigning {
            request_object: Some(Algorithm::EdDsa),
            ..ClientSigning::default()
        },
        ..client()
    };
    let result = check(
        Profile::Oauth21,
        &client,
        Door::Authorize,
        &[],
        &signed(&object()),
    );
    assert_eq!(told(result), ("page", "invalid_request_object"));
}

#[test]
fn a_pushed_request_is_its_clients_for_a_while() {
    let inside = parameters(&super::good_request());
    let pushed = PushedRequest {
        client_id: "app".to_owned(),
        parameters: inside,
        signed: false,
        expires_at: NOW + 60,
    };
    let uri = "urn:ietf:params:oauth:request_uri:abc";
    let outside = parameters(&[
        ("client_id", "app"),
        ("request_uri", uri),
        ("state", "outside"),
    ]);
    assert_eq!(request_source(&outside), Ok(RequestSource::Pushed(uri)));
    let checked = |profile, client: &Client, pushed: &PushedRequest| {
        let source = Source::Pushed(pushed.clone());
        check_authorization_request(&inputs(profile, client, &outside, &source))
    };
    for profile in Profile::ALL {
        let request = checked(*profile, &client(), &pushed).unwrap();
        assert_eq!(request.state.as_deref(), Some("a state"), "{profile:?}");
    }
    let refused = ("page", "invalid_request_uri");
    let old = PushedRequest {
        expires_at: NOW,
        ..pushed.clone()
    };
    assert_eq!(told(checked(Profile::Fapi2, &client(), &old)), refused);
    let others = PushedRequest {
        client_id: "other".to_owned(),
        ..pushed.clone()
    };
    assert_eq!(told(checked(Profile::Fapi2, &client(), &others)), refused);
    let demanding = Client {
        demands: Demands {
            signed_request: true,
            ..Demands::default()
        },
        ..client()
    };
    let result = checked(Profile::Fapi2, &demanding, &pushed);
    assert_eq!(told(result), ("redirect", "invalid_request"));
    let signed = PushedRequest {
        signed: true,
        ..pushed
    };
    assert!(checked(Profile::Fapi2, &demanding, &signed).is_ok());
    let client = client();
    let source = Source::NotPushed;
    let mut pushing = inputs(Profile::Oauth21, &client, &outside, &source);
    assert_eq!(told(check_authorization_request(&pushing)), refused);
    pushing.door = Door::Push;
    assert_eq!(
        told(check_authorization_request(&pushing)),
        ("page", "invalid_request")
    );
}

#[test]
fn a_reference_is_followed_only_where_it_was_registered() {
    let client = client();
    let uri = client.request_uris[0].clone();
    let refer = |uri: &str, source: &Source| {
        let parameters = parameters(&[("client_id", "app"), ("request_uri", uri)]);
        told(check_authorization_request(&inputs(
            Profile::Oauth21,
            &client,
            &parameters,
            source,
        )))
    };
    let fetched = Source::Object(signed(&object()));
    assert_eq!(refer(&uri, &fetched), ("nobody", ""));
    assert_eq!(
        refer(&uri, &Source::Unfetched),
        ("page", "invalid_request_uri")
    );
    let other = "https://app.example.org/other.jwt";
    assert_eq!(refer(other, &fetched), ("page", "invalid_request_uri"));
    let both = parameters(&[("request", "x"), ("request_uri", "y")]);
    assert!(request_source(&both).is_err());
}
