//! Programs that register themselves as clients (RFC 7591) and change what they have registered
//! (RFC 7592).

use std::process::Command;

use serde_json::{Value, json};
use testkit::{Answer, Project, Running, tool};

use super::clients::{facts, run};
use super::{SECRET, project};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    invited: who_is_invited_registers_and_is_a_client,
    what_is_registered_is_its_own_to_change,
    openid_client_registers_itself,
);
on_every_engine!(open: what_no_client_may_be, one_address_registers_so_often);
on_every_engine!(project: nobody_registers_where_it_is_off);

const CALLBACK: &str = "http://localhost:9/callback";

fn invited() -> Project {
    let scopes = "openid,profile,email,offline_access,data:read,data:write";
    project()
        .with("PILASTER_OAUTH_REGISTRATION", "token")
        .with("PILASTER_OAUTH_REGISTRATION_SCOPES", scopes)
}

fn open() -> Project {
    project().with("PILASTER_OAUTH_REGISTRATION", "open")
}

/// A token of `client invite`.
fn invitation(project: &Project, words: &[&str]) -> String {
    let words = [&["--json", "client", "invite"], words].concat();
    let said: Value = serde_json::from_str(&project.succeed(PILASTER, &words).out).expect("JSON");
    said["token"].as_str().expect("a token").to_owned()
}

async fn send(server: &Running, method: &str, path: &str, token: &str, body: &Value) -> Answer {
    let mut request = server.request(method, path);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if !body.is_null() {
        request = request.json(body);
    }
    Answer::read(request).await
}

async fn register(server: &Running, token: &str, body: &Value) -> Answer {
    send(server, "POST", "/oauth2/register", token, body).await
}

fn is_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.json()["error"], error, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let challenge = answer.header("www-authenticate");
    assert_eq!(
        status == 401,
        challenge.contains("invalid_token"),
        "{challenge}"
    );
}

fn made(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

fn text(said: &Value, member: &str) -> String {
    let text = said[member].as_str().map(str::to_owned);
    text.unwrap_or_else(|| panic!("{member}: {said}"))
}

/// The path of an address of this server.
fn path(server: &Running, said: &Value) -> String {
    let address = text(said, "registration_client_uri");
    let path = address.strip_prefix(server.base());
    path.expect("an address of this server").to_owned()
}

// req: OA-35
async fn who_is_invited_registers_and_is_a_client(app: App) {
    let server = &app.server;
    server.sign_up("ada").await;
    let wanted = json!({
        "client_name": "Films of somebody's own",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": ["http://localhost:9/bye"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile email offline_access data:read data:write elsewhere",
        "first_party": true,
        "role": "admin",
        "client_id": "web",
    });
    is_refused(&register(server, "", &wanted).await, 401, "invalid_token");
    let guess = format!("rt_{}", "a".repeat(43));
    for bad in ["x", &guess, SECRET] {
        is_refused(&register(server, bad, &wanted).await, 401, "invalid_token");
    }
    let token = invitation(&app.project, &["--clients", "2"]);
    // What is refused uses nothing up.
    let bad = json!({"redirect_uris": ["http://films.example/"]});
    is_refused(
        &register(server, &token, &bad).await,
        400,
        "invalid_redirect_uri",
    );
    let client = made(&register(server, &token, &wanted).await);
    made(&register(server, &token, &json!({"redirect_uris": [CALLBACK]})).await);
    is_refused(
        &register(server, &token, &wanted).await,
        401,
        "invalid_token",
    );
    let id = text(&client, "client_id");
    assert_ne!(id, "web");
    assert_eq!(client["client_secret_expires_at"], 0);
    assert_eq!(client["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(client["application_type"], "web");
    assert_eq!(
        client["scope"],
        "openid profile email offline_access data:read data:write"
    );
    for alien in ["first_party", "role"] {
        assert!(client.get(alien).is_none(), "{client}");
    }
    // It is a client like any other, and people are asked.
    run(&app, &id, &text(&client, "client_secret")).await;
    let rows = app.database.dump().await;
    let manager = text(&client, "registration_access_token");
    for secret in [&token, &text(&client, "client_secret"), &manager] {
        assert!(
            !rows.iter().any(|row| row.contains(secret.as_str())),
            "{rows:#?}"
        );
    }
    let log = app.server.log();
    assert!(!log.contains(&token) && !log.contains(&manager), "{log}");
    for act in ["client_invited", "client_registered"] {
        let logged = app
            .project
            .succeed(PILASTER, &["--json", "audit", "--act", act])
            .out;
        assert!(logged.contains(act), "{act}: {logged}");
    }
    let listed = app.project.succeed(PILASTER, &["client", "list"]).out;
    assert!(
        listed.contains(&id) && listed.contains("registration"),
        "{listed}"
    );
}

async fn what_is_registered_is_its_own_to_change(app: App) {
    let server = &app.server;
    let token = invitation(&app.project, &["--clients", "2"]);
    let wanted = json!({"client_name": "One", "redirect_uris": [CALLBACK]});
    let client = made(&register(server, &token, &wanted).await);
    let other = made(&register(server, &token, &wanted).await);
    let (id, place) = (text(&client, "client_id"), path(server, &client));
    let first = text(&client, "registration_access_token");
    let secret = text(&client, "client_secret");
    let stranger = text(&other, "registration_access_token");
    for bad in ["", &stranger, &token, &secret] {
        for method in ["GET", "DELETE"] {
            let refused = send(server, method, &place, bad, &Value::Null).await;
            is_refused(&refused, 401, "invalid_token");
        }
    }
    let nobody = send(
        server,
        "GET",
        "/oauth2/register/nobody",
        &first,
        &Value::Null,
    )
    .await;
    is_refused(&nobody, 401, "invalid_token");
    let shown = send(server, "GET", &place, &first, &Value::Null).await;
    assert_eq!(
        (shown.status, &shown.json()["client_name"]),
        (200, &json!("One"))
    );
    assert!(
        shown.json().get("client_secret").is_none(),
        "{}",
        shown.body
    );
    refuses_changes(server, &id, &place, &first).await;
    let last = changes(server, &id, &place, (&first, &secret)).await;
    let removed = send(server, "DELETE", &place, &last, &Value::Null).await;
    assert_eq!((removed.status, removed.body.as_str()), (204, ""));
    let gone = send(server, "GET", &place, &last, &Value::Null).await;
    is_refused(&gone, 401, "invalid_token");
    for act in ["client_changed", "client_removed"] {
        let logged = app
            .project
            .succeed(PILASTER, &["--json", "audit", "--act", act])
            .out;
        assert!(logged.contains(&id), "{act}: {logged}");
    }
}

/// All that a client says of itself, with some members in another way.
fn change(id: &str, more: &Value) -> Value {
    let mut change = json!({"client_id": id, "client_name": "Two", "redirect_uris": [CALLBACK]});
    for (name, value) in more.as_object().expect("an object") {
        change[name] = value.clone();
    }
    change
}

async fn refuses_changes(server: &Running, id: &str, place: &str, token: &str) {
    for (more, error) in [
        (json!({"client_id": "web"}), "invalid_request"),
        (json!({"client_id": null}), "invalid_request"),
        (
            json!({"client_secret": "a secret of my own choosing"}),
            "invalid_request",
        ),
        (
            json!({"registration_access_token": token}),
            "invalid_request",
        ),
        (json!({"client_id_issued_at": 1}), "invalid_request"),
        (
            json!({"redirect_uris": ["javascript:alert(1)"]}),
            "invalid_redirect_uri",
        ),
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (
            json!({"grant_types": ["client_credentials"]}),
            "invalid_client_metadata",
        ),
    ] {
        let refused = send(server, "PUT", place, token, &change(id, &more)).await;
        is_refused(&refused, 400, error);
    }
}

/// Changes it twice; gives the token that it is managed by then.
async fn changes(server: &Running, id: &str, place: &str, (token, secret): (&str, &str)) -> String {
    let proves = async || {
        let asked = server.request("POST", "/oauth2/introspect");
        let asked = asked.basic_auth(id, Some(secret));
        Answer::read(asked.form(&[("token", "x")])).await.status
    };
    let own = change(id, &json!({"client_secret": secret}));
    let changed = send(server, "PUT", place, token, &own).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let changed = changed.json();
    assert_eq!(
        (&changed["client_name"], &changed["client_id"]),
        (&json!("Two"), &json!(id))
    );
    let next = text(&changed, "registration_access_token");
    assert_ne!(token, next);
    // The old token is dead; the secret is not.
    let stale = send(server, "PUT", place, token, &own).await;
    is_refused(&stale, 401, "invalid_token");
    assert_eq!(proves().await, 200);
    // One that proves nothing any more has no secret.
    let public = change(id, &json!({"token_endpoint_auth_method": "none"}));
    let changed = send(server, "PUT", place, &next, &public).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(proves().await, 401);
    text(&changed.json(), "registration_access_token")
}

/// What a program says of itself, and what it is told.
fn refused() -> Vec<(Value, &'static str)> {
    let (uri, other) = ("invalid_redirect_uri", "invalid_client_metadata");
    let at = |address: &str| json!({"redirect_uris": [address]});
    let with = |name: &str, value: Value| json!({"redirect_uris": [CALLBACK], name: value});
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    vec![
        (json!({}), uri),
        (at("http://films.example/callback"), uri),
        (at("https://films.example/callback#top"), uri),
        (at("javascript:alert(1)"), uri),
        (at("com.example.films:/callback"), uri),
        (at("https://*.films.example/"), uri),
        (json!({"redirect_uris": "https://films.example/"}), other),
        (
            with("token_endpoint_auth_method", json!("client_secret_jwt")),
            other,
        ),
        (
            with("token_endpoint_auth_method", json!("tls_client_auth")),
            other,
        ),
        (with("grant_types", json!(["implicit"])), other),
        (with("grant_types", json!(["client_credentials"])), other),
        (with("grant_types", json!([exchange])), other),
        (with("response_types", json!(["token"])), other),
        (with("jwks_uri", json!("https://films.example/keys")), other),
        (
            with("request_uris", json!(["https://films.example/request"])),
            other,
        ),
        (with("scope", json!("data:write")), other),
        (
            with(
                "frontchannel_logout_uri",
                json!("https://elsewhere.example/"),
            ),
            other,
        ),
        (with("client_name", json!("smliF\u{202e}")), other),
        (with("client_name", json!("x".repeat(101))), other),
    ]
}

async fn what_no_client_may_be(app: App) {
    for (said, error) in refused() {
        let answer = register(&app.server, "", &said).await;
        let told = answer.json();
        assert_eq!(
            (answer.status, &told["error"]),
            (400, &json!(error)),
            "{said}: {told}"
        );
    }
    // Without a secret, as a device, and with no more scopes than there are for such clients.
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let native = json!({
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", device],
        "redirect_uris": ["com.example.films:/callback"],
        "scope": "openid data:write",
    });
    let client = made(&register(&app.server, "", &native).await);
    assert_eq!(client["scope"], "openid");
    assert!(client.get("client_secret").is_none(), "{client}");
    let listed = app.database.dump().await;
    let clients = listed
        .iter()
        .filter(|row| row.starts_with("auth_clients.id:"));
    assert_eq!(clients.count(), 1);
}

async fn one_address_registers_so_often(app: App) {
    let said = json!({"redirect_uris": [CALLBACK]});
    for _ in 0..20 {
        made(&register(&app.server, "", &said).await);
    }
    let pause = register(&app.server, "", &said).await;
    is_refused(&pause, 429, "invalid_request");
    assert_eq!(pause.json()["code"], "too_many_attempts");
    assert!(!pause.header("retry-after").is_empty());
}

async fn nobody_registers_where_it_is_off(app: App) {
    let said = json!({"redirect_uris": [CALLBACK]});
    is_refused(
        &register(&app.server, "", &said).await,
        404,
        "invalid_request",
    );
    let metadata = app
        .server
        .get("/.well-known/openid-configuration")
        .await
        .json();
    assert!(
        metadata.get("registration_endpoint").is_none(),
        "{metadata}"
    );
    let finished = app.project.run(PILASTER, &["client", "invite"]);
    assert!(
        finished.text().contains("oauth.registration"),
        "{}",
        finished.text()
    );
}

// req: OA-35
async fn openid_client_registers_itself(app: App) {
    let Some(packages) = tool("TEST_NODE_MODULES") else {
        return;
    };
    let token = invitation(&app.project, &[]);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/oauth2/openid_client_registration.mjs"
    );
    let mut node = Command::new("node");
    node.args([script, app.server.base(), &token]);
    node.env("TEST_NODE_MODULES", packages);
    assert_eq!(facts(&app, "itself", node).await, 2);
}
