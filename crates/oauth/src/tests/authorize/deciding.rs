//! What a request in order still needs.

use super::super::NOW;
use super::super::fixtures::{changed, client, good_request};
use super::check;
use crate::authorize::{AuthorizationRequest, AuthorizeErrorCode, Next, Session, decide};
use crate::client::{ClientAuth, Party};
use crate::{Client, Profile};

/// Logged in and agreed before the request, which came in at `NOW`.
fn session() -> Session {
    Session {
        subject: "ada".to_owned(),
        auth_time: NOW - 100,
        acr: "urn:one".to_owned(),
        consent: Some((vec!["openid".to_owned(), "read".to_owned()], NOW - 90)),
        chosen_at: None,
    }
}

fn request(name: &str, value: &str) -> AuthorizationRequest {
    let pairs = changed(&good_request(), name, Some(value));
    check(Profile::Oauth21, &client(), &pairs).unwrap()
}

fn next(request: &AuthorizationRequest, session: Option<&Session>) -> Next {
    decide(request, &client(), session, NOW, NOW + 5)
}

fn refused(next: Next) -> AuthorizeErrorCode {
    match next {
        Next::Refuse(code, _) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn somebody_who_is_there_and_has_agreed_needs_nothing() {
    let plain = request("display", "page");
    assert_eq!(next(&plain, Some(&session())), Next::Ready);
    assert_eq!(next(&plain, None), Next::Login { again: false });
    assert_eq!(next(&request("prompt", "create"), None), Next::Create);
}

#[test]
fn asking_again_asks_once() {
    let again = Next::Login { again: true };
    let fresh = Session {
        auth_time: NOW + 1,
        ..session()
    };
    for (name, value, before) in [
        ("prompt", "login", again.clone()),
        ("max_age", "0", again.clone()),
        ("max_age", "50", again),
        ("max_age", "10000", Next::Ready),
        ("prompt", "select_account", Next::SelectAccount),
        ("prompt", "create", Next::Create),
        ("prompt", "consent", Next::Consent),
    ] {
        let request = request(name, value);
        assert_eq!(next(&request, Some(&session())), before, "{name}={value}");
        let mut after = fresh.clone();
        after.consent = Some((vec!["openid".to_owned(), "read".to_owned()], NOW + 2));
        assert_eq!(next(&request, Some(&after)), Next::Ready, "{name}={value}");
    }
}

#[test]
fn without_a_question_there_is_an_error() {
    let silent = request("prompt", "none");
    assert_eq!(next(&silent, Some(&session())), Next::Ready);
    assert_eq!(
        refused(next(&silent, None)),
        AuthorizeErrorCode::LoginRequired
    );
    let never_agreed = Session {
        consent: None,
        ..session()
    };
    let code = refused(next(&silent, Some(&never_agreed)));
    assert_eq!(code, AuthorizeErrorCode::ConsentRequired);
    let mut strong = silent.clone();
    strong.acr_essential = true;
    strong.acr_values = vec!["urn:two".to_owned()];
    let code = refused(next(&strong, Some(&session())));
    assert_eq!(code, AuthorizeErrorCode::UnmetAuthenticationRequirements);
    let mut old = silent;
    old.max_age = Some(1);
    assert_eq!(
        refused(next(&old, Some(&session()))),
        AuthorizeErrorCode::LoginRequired
    );
}

#[test]
fn a_demanded_context_is_reached_first_and_a_liked_one_is_not_waited_for() {
    let mut demanding = request("acr_values", "urn:two");
    assert_eq!(next(&demanding, Some(&session())), Next::Ready);
    demanding.acr_essential = true;
    let step_up = Next::StepUp(vec!["urn:two".to_owned()]);
    assert_eq!(next(&demanding, Some(&session())), step_up);
    let strong = Session {
        acr: "urn:two".to_owned(),
        ..session()
    };
    assert_eq!(next(&demanding, Some(&strong)), Next::Ready);
}

#[test]
fn nobody_is_answered_with_but_who_is_meant() {
    let mut hinted = request("display", "page");
    hinted.hint.subject = Some("bob".to_owned());
    assert_eq!(next(&hinted, Some(&session())), Next::Login { again: true });
    let fresh = Session {
        auth_time: NOW + 1,
        ..session()
    };
    assert_eq!(
        refused(next(&hinted, Some(&fresh))),
        AuthorizeErrorCode::LoginRequired
    );
    hinted.hint.subject = Some("ada".to_owned());
    assert_eq!(next(&hinted, Some(&session())), Next::Ready);
}

#[test]
fn consent_is_for_others_clients_for_more_and_for_what_can_be_imitated() {
    let plain = request("display", "page");
    let never = Session {
        consent: None,
        ..session()
    };
    let less = Session {
        consent: Some((vec!["openid".to_owned()], NOW - 90)),
        ..session()
    };
    let agreed_now = Session {
        consent: Some((vec!["openid".to_owned(), "read".to_owned()], NOW + 1)),
        ..session()
    };
    let ours = Client {
        party: Party::First,
        ..client()
    };
    let mut native = plain.clone();
    native.redirect_uri = "http://127.0.0.1:5000/cb".to_owned();
    let public = Client {
        auth: ClientAuth::None,
        ..client()
    };
    let cases = [
        (&client(), &plain, &never, Next::Consent),
        (&client(), &plain, &less, Next::Consent),
        (&client(), &plain, &session(), Next::Ready),
        (&ours, &plain, &never, Next::Ready),
        (&public, &plain, &session(), Next::Ready),
        (&public, &native, &session(), Next::Consent),
        (&public, &native, &agreed_now, Next::Ready),
    ];
    for (client, request, session, expected) in cases {
        assert_eq!(
            decide(request, client, Some(session), NOW, NOW + 5),
            expected
        );
    }
}
