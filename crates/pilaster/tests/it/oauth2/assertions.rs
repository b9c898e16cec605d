//! Tokens for what another issuer says of a user (RFC 7523): by whom, about whom, for what, and once.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth::{Algorithm, Jwks, SigningKey, VerifyingKeys};
use serde_json::{Value, json};
use stdx::{Clock, Rng};
use testkit::{Answer, Project, Running};

use super::project;
use super::replays::claims;
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    trusting: an_assertion_is_good_once_for_who_it_means,
    what_no_assertion_may_be,
);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What the other issuers sign with, and what somebody else does.
static KEY: LazyLock<SigningKey> = LazyLock::new(key);
static STRANGER: LazyLock<SigningKey> = LazyLock::new(key);

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa, &Rng::System).expect("a key")
}

/// The clients of [`project`], one that brings assertions, and three issuers that know our users by
/// three kinds of names.
fn trusting() -> Project {
    let project = project();
    let toml = project.read("pilaster.toml");
    let more = format!(
        "[clients.runner]\ngrant_types = [\"{GRANT}\"]\nscope = \"openid data:read data:write\"\n\
         [issuers.ci]\nissuer = \"https://ci.example\"\njwks = \"issuers/all.json\"\n\
         subject = \"username\"\nscopes = \"data:read\"\n\
         [issuers.desk]\nissuer = \"https://desk.example\"\njwks = \"issuers/all.json\"\n\
         subject = \"email\"\n\
         [issuers.jobs]\nissuer = \"https://jobs.example\"\njwks = \"issuers/all.json\"\n\
         audience = \"urn:films\"\n"
    );
    project.write("pilaster.toml", &format!("{toml}{more}"));
    let keys = VerifyingKeys::new(vec![KEY.verifying_key().clone()]);
    project.write("issuers/all.json", &Jwks::new(&keys).to_json());
    project
}

/// A JWT of `key`, whatever it says.
fn signed(key: &SigningKey, said: &Value) -> String {
    let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": key.kid()});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&header), part(said));
    let signature = key.sign(text.as_bytes()).expect("it is signed");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What the issuer `ci` says of Ada, with some members in another way; `null` leaves one out.
fn said(server: &Running, jti: &str, changes: &Value) -> Value {
    let now = Clock::System.now().as_second();
    let mut said = json!({
        "iss": "https://ci.example",
        "sub": "ada",
        "aud": server.base(),
        "iat": now,
        "exp": now + 60,
        "jti": jti,
    });
    for (name, value) in changes.as_object().expect("an object") {
        said[name] = value.clone();
    }
    let members = said.as_object_mut().expect("an object");
    members.retain(|_, value| !value.is_null());
    said
}

async fn bring(server: &Running, client: &str, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", GRANT),
        ("client_id", client),
        ("assertion", assertion),
    ];
    form.extend(more);
    Answer::read(server.request("POST", "/oauth2/token").form(&form)).await
}

fn is_refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.json()["error"], error, "{}", answer.body);
}

fn given(answer: &Answer) -> (String, Value) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = answer.json();
    let token = body["access_token"].as_str().expect("a token").to_owned();
    (token, body)
}

async fn an_assertion_is_good_once_for_who_it_means(app: App) {
    let server = &app.server;
    let me = server.sign_up("ada").await;
    let me = server.get_as(&me, "/auth/me").await.json();
    let id = me["id"].as_str().expect("an id").to_owned();
    let one = signed(&KEY, &said(server, "1", &json!({})));
    let (token, body) = given(&bring(server, "runner", &one, &[]).await);
    assert_eq!(body["scope"], "data:read");
    assert!(
        body.get("refresh_token").is_none() && body.get("id_token").is_none(),
        "{body}"
    );
    let told = claims(&token);
    assert_eq!(
        (&told["client_id"], &told["acr"]),
        (&json!("runner"), &json!("0"))
    );
    assert_eq!(told["sub"], id.as_str());
    assert_eq!(server.get_as(&token, "/api/notes").await.status, 200);
    let note = json!({"id": 1, "body": "x"});
    assert_eq!(
        server
            .send("POST", &token, "/api/notes", &note)
            .await
            .status,
        403
    );
    is_refused(&bring(server, "runner", &one, &[]).await, "invalid_grant");
    // Sent to the address of the endpoint, and less than it could be.
    let endpoint = json!({"aud": format!("{}/oauth2/token", server.base())});
    let two = signed(&KEY, &said(server, "2", &endpoint));
    given(&bring(server, "runner", &two, &[("scope", "data:read")]).await);
    // Another issuer has ids of its own, knows people by another name, and says for what.
    let by_id = json!({"iss": "https://jobs.example", "aud": "urn:films", "sub": id,
                       "scope": "data:write elsewhere"});
    let three = signed(&KEY, &said(server, "1", &by_id));
    let (_, body) = given(&bring(server, "runner", &three, &[]).await);
    assert_eq!(body["scope"], "data:write");
    // An address that nobody has proved is nobody's.
    let by_email = json!({"iss": "https://desk.example", "sub": "ada@example.org"});
    let four = signed(&KEY, &said(server, "4", &by_email));
    is_refused(&bring(server, "runner", &four, &[]).await, "invalid_grant");
    app.project
        .succeed(PILASTER, &["user", "confirm", "ada@example.org"]);
    let five = signed(&KEY, &said(server, "5", &by_email));
    given(&bring(server, "runner", &five, &[]).await);
    let words = ["--json", "audit", "--act", "assertion_accepted"];
    let logged = app.project.succeed(PILASTER, &words).out;
    for part in ["ada@example.org", "runner", "ci", "desk", "jobs"] {
        assert!(logged.contains(part), "{part}: {logged}");
    }
    // Who is disabled is nobody, now and for what was given before.
    app.project.succeed(PILASTER, &["user", "disable", "ada"]);
    assert_eq!(server.get_as(&token, "/api/notes").await.status, 401);
    let six = signed(&KEY, &said(server, "6", &json!({})));
    is_refused(&bring(server, "runner", &six, &[]).await, "invalid_grant");
}

async fn what_no_assertion_may_be(app: App) {
    let server = &app.server;
    server.sign_up("ada").await;
    let now = Clock::System.now().as_second();
    let bad = [
        json!({"iss": "https://elsewhere.example"}),
        json!({"iss": null}),
        json!({"sub": "nobody"}),
        json!({"sub": null}),
        json!({"aud": "https://elsewhere.example"}),
        json!({"aud": [server.base(), "https://elsewhere.example"]}),
        json!({"aud": "urn:films"}),
        json!({"exp": now - 60, "iat": now - 120}),
        json!({"exp": now + 3600}),
        json!({"exp": null}),
        json!({"iat": now - 3600}),
        json!({"nbf": now + 200}),
        json!({"jti": null}),
        json!({"nonce": "n"}),
    ];
    for (number, changes) in bad.iter().enumerate() {
        let text = signed(&KEY, &said(server, &format!("bad {number}"), changes));
        let refused = bring(server, "runner", &text, &[]).await;
        let error = &refused.json()["error"];
        assert_eq!(
            (refused.status, error),
            (400, &json!("invalid_grant")),
            "{changes}"
        );
    }
    let strange = signed(&STRANGER, &said(server, "s", &json!({})));
    is_refused(
        &bring(server, "runner", &strange, &[]).await,
        "invalid_grant",
    );
    is_refused(
        &bring(server, "runner", "no.jwt", &[]).await,
        "invalid_grant",
    );
    is_refused(
        &bring(server, "spa", &strange, &[]).await,
        "unauthorized_client",
    );
    // Mistakes of the request use nothing up.
    let good = signed(&KEY, &said(server, "g", &json!({})));
    let wide = [("scope", "data:read data:write")];
    is_refused(
        &bring(server, "runner", &good, &wide).await,
        "invalid_scope",
    );
    let elsewhere = [("resource", "https://elsewhere.example")];
    is_refused(
        &bring(server, "runner", &good, &elsewhere).await,
        "invalid_target",
    );
    is_refused(
        &bring(server, "runner", &good, &[("scope", "openid")]).await,
        "invalid_scope",
    );
    given(&bring(server, "runner", &good, &[]).await);
}

#[test]
fn mistakes_about_issuers_are_told() {
    let project = project();
    let toml = project.read("pilaster.toml");
    project.write("issuers/empty.json", "{\"keys\": []}");
    let begin = "[issuers.ci]\nissuer = \"https://ci.example\"\n";
    for (text, told) in [
        (String::from(begin), "has no jwks"),
        (format!("{begin}jwks = \"nowhere.json\"\n"), "nowhere.json"),
        (
            format!("{begin}jwks = \"issuers/empty.json\"\n"),
            "JSON Web Key Set",
        ),
        (format!("{begin}jwk = \"x\"\n"), "did you mean jwks?"),
        (
            String::from(
                "[issuers.ci]\nissuer = \"http://ci.example\"\njwks = \"issuers/empty.json\"\n",
            ),
            "issuer is an https address",
        ),
    ] {
        project.write("pilaster.toml", &format!("{toml}{text}"));
        let finished = project.run(PILASTER, &["check"]);
        assert!(
            finished.text().contains(told),
            "{told}: {}",
            finished.text()
        );
    }
}
