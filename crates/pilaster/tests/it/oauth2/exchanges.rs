//! Tokens for tokens (RFC 8693): no wider, no longer, and dead with what they come from.

use std::process::Command;

use serde_json::{Value, json};
use testkit::{Answer, Project, Running, tool};

use super::clients::facts;
use super::flows::Browser;
use super::replays::{claims, code, redeeming, token};
use super::{SECRET, project};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    services: a_token_is_exchanged_for_a_narrower_one,
    what_no_exchange_gives,
    what_is_exchanged_dies_with_what_it_comes_from,
    openid_client_for_exchanges,
);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const IDENTITY: &str = "urn:ietf:params:oauth:token-type:id_token";

/// The clients of [`project`] and two services that go on with tokens of theirs.
fn services() -> Project {
    let project = project();
    let toml = project.read("pilaster.toml");
    let services = format!(
        "[clients.service]\ngrant_types = [\"{GRANT}\", \"client_credentials\"]\n\
         scope = \"data:read openid\"\n\
         [clients.other-service]\ngrant_types = [\"{GRANT}\", \"client_credentials\"]\n\
         scope = \"data:read data:write\"\n"
    );
    project.write("pilaster.toml", &format!("{toml}{services}"));
    project
        .with("CLIENT_SERVICE_SECRET", SECRET)
        .with("CLIENT_OTHER_SERVICE_SECRET", SECRET)
}

/// A token of the app in the browser, and the browser.
async fn signed_in(server: &Running, scope: &str) -> (String, Value) {
    server.sign_up("ada").await;
    let browser = Browser::new(server);
    browser.sign_in("ada").await;
    let code = code(&browser, scope).await;
    let given = token(server, &redeeming(&code)).await;
    assert_eq!(given.status, 200, "{}", given.body);
    let given = given.json();
    let access = given["access_token"].as_str().expect("a token").to_owned();
    (access, given)
}

async fn posted(server: &Running, client: &str, path: &str, form: &[(&str, &str)]) -> Answer {
    let request = server.request("POST", path);
    let request = request.basic_auth(client, Some(SECRET));
    Answer::read(request.form(form)).await
}

/// An exchange with further parameters; one that is empty is left out.
async fn exchange(server: &Running, client: &str, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", GRANT),
        ("subject_token", token),
        ("subject_token_type", ACCESS),
    ];
    for (name, value) in more {
        form.retain(|(known, _)| known != name || matches!(*name, "resource" | "audience"));
        if !value.is_empty() {
            form.push((name, value));
        }
    }
    posted(server, client, "/oauth2/token", &form).await
}

fn given(answer: &Answer) -> (String, Value) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    let token = body["access_token"].as_str().expect("a token").to_owned();
    (token, body)
}

fn is_refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.json()["error"], error, "{}", answer.body);
}

/// A token, further parameters, and what is said of them.
type Bad<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// The token of a client for itself.
async fn own(server: &Running, client: &str) -> String {
    let form = [("grant_type", "client_credentials")];
    given(&posted(server, client, "/oauth2/token", &form).await).0
}

async fn a_token_is_exchanged_for_a_narrower_one(app: App) {
    let server = &app.server;
    let (subject, _) = signed_in(server, "openid email data:read data:write").await;
    let more = [
        ("scope", "data:read"),
        ("resource", server.base()),
        ("audience", server.base()),
    ];
    let (narrow, body) = given(&exchange(server, "service", &subject, &more).await);
    assert_eq!(body["issued_token_type"], ACCESS);
    assert_eq!(
        (&body["token_type"], &body["scope"]),
        (&json!("Bearer"), &json!("data:read"))
    );
    assert!(
        body.get("refresh_token").is_none() && body.get("id_token").is_none(),
        "{body}"
    );
    let (old, new) = (claims(&subject), claims(&narrow));
    for same in [
        "sub",
        "grant",
        "epoch",
        "acr",
        "amr",
        "auth_time",
        "iss",
        "aud",
    ] {
        assert_eq!(old[same], new[same], "{same}: {old} {new}");
    }
    assert_eq!(new["client_id"], "service");
    assert_eq!(new["act"], json!({"sub": "client:service"}));
    assert_eq!(new["nickname"], "ada for service");
    let at = |claims: &Value| claims["exp"].as_i64().expect("a moment");
    assert!(at(&new) <= at(&old), "{old} {new}");
    assert_eq!(server.get_as(&narrow, "/api/notes").await.status, 200);
    let note = json!({"id": 1, "body": "x"});
    assert_eq!(
        server
            .send("POST", &narrow, "/api/notes", &note)
            .await
            .status,
        403
    );
    // Without a scope: what both the token and the client may have, and nothing about the person.
    let (same, body) = given(&exchange(server, "service", &subject, &[]).await);
    assert_eq!(body["scope"], "data:read");
    assert_eq!(server.get_as(&same, "/oauth2/userinfo").await.status, 403);
    // On to the next service: who acts is told in full.
    let (further, _) = given(&exchange(server, "other-service", &narrow, &[]).await);
    let chain = json!({"sub": "client:other-service", "act": {"sub": "client:service"}});
    assert_eq!(claims(&further)["act"], chain);
    assert_eq!(claims(&further)["scope"], "data:read");
    // Who acts may be proved, too.
    let acting = own(server, "service").await;
    let actor = [
        ("actor_token", acting.as_str()),
        ("actor_token_type", ACCESS),
    ];
    let (acted, _) = given(&exchange(server, "service", &subject, &actor).await);
    assert_eq!(claims(&acted)["act"], json!({"sub": "client:service"}));
    let words = ["--json", "audit", "--act", "token_exchanged"];
    let logged = app.project.succeed(PILASTER, &words).out;
    for part in ["ada@example.org", "other-service", "spa"] {
        assert!(logged.contains(part), "{part}: {logged}");
    }
}

async fn what_no_exchange_gives(app: App) {
    let server = &app.server;
    let (subject, given_too) = signed_in(server, "openid data:read").await;
    let id_token = given_too["id_token"].as_str().expect("a token");
    let refresh = given_too["refresh_token"].as_str().expect("a token");
    let first_party = server.token("ada", super::WORD).await.json();
    let first_party = first_party["access_token"].as_str().expect("a token");
    let alone = own(server, "service").await;
    let others = own(server, "other-service").await;
    let flipped = format!("{}AAAA", &subject[..subject.len() - 4]);
    let bad: [Bad<'_>; 12] = [
        (
            &subject,
            &[("scope", "data:read data:write")],
            "invalid_scope",
        ),
        (&subject, &[("scope", "openid")], "invalid_scope"),
        (
            &subject,
            &[("resource", "https://elsewhere.example")],
            "invalid_target",
        ),
        (&subject, &[("audience", "elsewhere")], "invalid_target"),
        (
            &subject,
            &[("requested_token_type", IDENTITY)],
            "invalid_request",
        ),
        (&subject, &[("subject_token_type", "")], "invalid_request"),
        (&subject, &[("actor_token_type", ACCESS)], "invalid_request"),
        (
            id_token,
            &[("subject_token_type", IDENTITY)],
            "invalid_request",
        ),
        (refresh, &[], "invalid_request"),
        (first_party, &[], "invalid_request"),
        (&alone, &[], "invalid_request"),
        (&flipped, &[], "invalid_request"),
    ];
    for (token, more, error) in bad {
        is_refused(&exchange(server, "service", token, more).await, error);
    }
    // Somebody else's token makes nobody an actor.
    let actor = [
        ("actor_token", others.as_str()),
        ("actor_token_type", ACCESS),
    ];
    is_refused(
        &exchange(server, "service", &subject, &actor).await,
        "invalid_request",
    );
    // Only clients that are declared for it; one that proves nothing cannot be.
    is_refused(
        &exchange(server, "web", &subject, &[]).await,
        "unauthorized_client",
    );
    let words = [
        "client",
        "add",
        "open",
        "--public",
        "--grant",
        "token-exchange",
    ];
    let refused = app.project.run(PILASTER, &words);
    assert!(
        refused.text().contains("proves who it is"),
        "{}",
        refused.text()
    );
}

// req: OA-25
async fn what_is_exchanged_dies_with_what_it_comes_from(app: App) {
    let server = &app.server;
    let (subject, whole) = signed_in(server, "openid offline_access data:read").await;
    let refresh = whole["refresh_token"].as_str().expect("a token");
    let (first, _) = given(&exchange(server, "service", &subject, &[]).await);
    let (second, _) = given(&exchange(server, "service", &subject, &[]).await);
    // A service ends what it was given, and not the login that it comes from.
    let revoked = posted(server, "service", "/oauth2/revoke", &[("token", &first)]).await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
    let status = async |token: &str| server.get_as(token, "/api/notes").await.status;
    assert_eq!(status(&first).await, 401);
    assert_eq!((status(&second).await, status(&subject).await), (200, 200));
    is_refused(
        &exchange(server, "other-service", &first, &[]).await,
        "invalid_request",
    );
    let asked = posted(
        server,
        "service",
        "/oauth2/introspect",
        &[("token", &second)],
    )
    .await;
    assert_eq!(asked.json()["active"], true, "{}", asked.body);
    // Who is disabled has let nobody do anything.
    app.project.succeed(PILASTER, &["user", "disable", "ada"]);
    assert_eq!(status(&second).await, 401);
    is_refused(
        &exchange(server, "service", &subject, &[]).await,
        "invalid_request",
    );
    app.project.succeed(PILASTER, &["user", "enable", "ada"]);
    // The app's own login ends, and with it all that came of it.
    let form = [("client_id", "spa"), ("token", refresh)];
    let revoked = Answer::read(server.request("POST", "/oauth2/revoke").form(&form)).await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
    assert_eq!((status(&second).await, status(&subject).await), (401, 401));
    let asked = posted(
        server,
        "service",
        "/oauth2/introspect",
        &[("token", &second)],
    )
    .await;
    assert_eq!(asked.json()["active"], false, "{}", asked.body);
    is_refused(
        &exchange(server, "service", &subject, &[]).await,
        "invalid_request",
    );
}

// req: OA-35
async fn openid_client_for_exchanges(app: App) {
    let Some(packages) = tool("TEST_NODE_MODULES") else {
        return;
    };
    app.server.sign_up("ada").await;
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/oauth2/openid_client_exchange.mjs"
    );
    let mut node = Command::new("node");
    node.args([script, app.server.base(), "tv", "service", SECRET, "ada"]);
    node.env("TEST_NODE_MODULES", packages);
    assert_eq!(facts(&app, "service", node).await, 3);
}
