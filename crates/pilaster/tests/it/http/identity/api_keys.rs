//! API keys: made and revoked by their owner, good for the data API within their scopes.

use serde_json::json;
use testkit::{Answer, Project, Running};

use super::{Browser, WORD};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(project: a_key_is_shown_once_and_stored_hashed, a_key_does_what_its_scopes_say);

fn project() -> Project {
    let project = Project::empty();
    project.write(
        "schema/notes.sql",
        "create role editor;
         create table notes (id integer primary key, owner uuid not null);
         grant select on notes to authenticated;
         grant insert on notes to editor;
         create policy own on notes using (owner = auth.uid()) with check (owner = auth.uid());",
    );
    project
}

async fn made(browser: &Browser<'_>, scopes: &[&str]) -> (String, String) {
    let body = json!({"name": "nightly", "scopes": scopes});
    let made = browser.send("POST", "/auth/api-keys", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let text = |member: &str| made.json()[member].as_str().expect("a text").to_owned();
    (text("id"), text("key"))
}

async fn read(server: &Running, path: &str, key: &str) -> Answer {
    Answer::read(server.request("GET", path).bearer_auth(key)).await
}

// req: AK-1 AK-2
async fn a_key_is_shown_once_and_stored_hashed(app: App) {
    app.server.sign_up("ada").await;
    let browser = Browser::sign_in(&app.server, "ada").await;
    let (id, key) = made(&browser, &["data:read"]).await;
    assert!(key.starts_with("pk_"), "{key}");
    assert_eq!(read(&app.server, "/api/notes", &key).await.status, 200);
    let listed = browser.get("/auth/api-keys").await.json();
    assert_eq!(listed[0]["name"], "nightly", "{listed}");
    assert_eq!(listed[0]["hint"], key[..8], "{listed}");
    assert!(
        listed[0]["used_at"].is_string() && listed[0]["key"].is_null(),
        "{listed}"
    );
    let rows = app.database.dump().await;
    assert!(!rows.iter().any(|row| row.contains(&key)));
    assert!(rows.contains(&String::from("auth_audit.act: api_key_created")));
    // In the address it is refused, whatever the parameter is called.
    for name in ["api_key", "apikey", "access_token", "id"] {
        let path = format!("/api/notes?{name}={key}");
        let refused = app.server.get(&path).await;
        assert_eq!(refused.status, 401, "{name}: {}", refused.body);
    }
    // Revoked, it is worth nothing at once; so is one that is mistyped.
    let revoked = browser
        .send("DELETE", &format!("/auth/api-keys/{id}"), &json!({}))
        .await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
    assert_eq!(read(&app.server, "/api/notes", &key).await.status, 401);
    let typo = format!("{}x", &key[..key.len() - 1]);
    assert_eq!(read(&app.server, "/api/notes", &typo).await.status, 401);
    assert_eq!(browser.get("/auth/api-keys").await.json(), json!([]));
    // An end in the past, a scope that nobody knows, no name.
    for body in [
        json!({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"name": "x", "scopes": ["openid"]}),
        json!({"name": "x", "scopes": []}),
        json!({"name": " "}),
        json!({"scopes": ["data:read"]}),
    ] {
        let refused = browser.send("POST", "/auth/api-keys", &body).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.body);
    }
}

// req: AK-4
async fn a_key_does_what_its_scopes_say(app: App) {
    app.server.sign_up("ada").await;
    app.project
        .succeed(PILASTER, &["user", "grant", "ada", "editor"]);
    let browser = Browser::sign_in(&app.server, "ada").await;
    let me = browser.get("/auth/session").await.json()["user"]["id"].clone();
    let (_, reader) = made(&browser, &["data:read"]).await;
    let (_, writer) = made(&browser, &["data:read", "data:write"]).await;
    let note = json!({"id": 1, "owner": me});
    let refused = app.server.send("POST", &reader, "/api/notes", &note).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(refused.json()["code"], "insufficient_scope");
    let written = app.server.send("POST", &writer, "/api/notes", &note).await;
    assert_eq!(written.status, 201, "{}", written.body);
    let rows = read(&app.server, "/api/notes", &reader).await.json();
    assert_eq!(rows, json!([{"id": 1, "owner": me}]));
    // Interchangeable with tokens on data, worth nothing on the account.
    for (method, path) in [
        ("PUT", "/auth/password"),
        ("POST", "/auth/email"),
        ("POST", "/auth/api-keys"),
        ("GET", "/auth/sessions"),
        ("GET", "/auth/me"),
    ] {
        let body = json!({"password": WORD});
        let refused = app.server.send(method, &writer, path, &body).await;
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.body);
    }
    // What the owner may no more, the key may no more.
    app.project
        .succeed(PILASTER, &["user", "revoke", "ada", "editor"]);
    let note = json!({"id": 2, "owner": me});
    let refused = app.server.send("POST", &writer, "/api/notes", &note).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    app.project.succeed(PILASTER, &["user", "disable", "ada"]);
    assert_eq!(read(&app.server, "/api/notes", &reader).await.status, 401);
}
