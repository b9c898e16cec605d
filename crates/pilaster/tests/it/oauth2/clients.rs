//! `openid-client` and `jose` of npm, `authlib` and `requests-oauthlib` of `PyPI`, unmodified.

use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::tool;

use super::{SECRET, added, project};
use crate::http::{App, on_every_engine};

on_every_engine!(project: openid_client, authlib_and_requests_oauthlib);

// req: OA-7 OA-11 OA-12 OA-13 OA-15 OA-16 OA-17 OA-19 OA-23 OA-24 OA-28 OA-35 HK-6
async fn openid_client(app: App) {
    if tool("TEST_NODE_MODULES").is_none() {
        return;
    }
    app.server.sign_up("ada").await;
    let web = (String::from("web"), SECRET.to_owned());
    let spa = (String::from("spa"), String::new());
    // Added while the server runs, and usable at once.
    let redirects = ["--redirect", "http://localhost:9/callback"];
    let after = ["--after-logout", "http://localhost:9/bye"];
    let scopes = [
        "openid",
        "profile",
        "email",
        "offline_access",
        "data:read",
        "data:write",
    ];
    let mut words = vec!["late", "--id-token-alg", "EdDSA"];
    words.extend(redirects);
    words.extend(after);
    words.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    let late = added(&app.project, &words);
    let secret = late["client_secret"].as_str().expect("a secret");
    let late = (String::from("late"), secret.to_owned());
    for (id, secret) in [web, spa, late] {
        run(&app, &id, &secret).await;
    }
    let rows = app.database.dump().await;
    let codes = rows.iter().filter(|row| row.starts_with("auth_codes.id:"));
    assert!(codes.count() > 10, "{rows:#?}");
    for secret in [SECRET, secret] {
        assert!(!rows.iter().any(|row| row.contains(secret)), "{secret}");
    }
}

/// What becomes of a script's facts: every one of them has to hold.
pub(super) async fn facts(app: &App, id: &str, mut command: Command) -> usize {
    command.stdin(Stdio::null());
    let finished = tokio::task::spawn_blocking(move || command.output());
    let output = finished.await.expect("joined").expect("the client starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let facts: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let failed: Vec<&Value> = facts.iter().filter(|one| !one["error"].is_null()).collect();
    assert!(
        failed.is_empty() && output.status.success(),
        "{id}: {failed:#?}\n{errors}\n{}",
        app.server.log()
    );
    facts.len()
}

pub(super) async fn run(app: &App, id: &str, secret: &str) {
    let Some(packages) = tool("TEST_NODE_MODULES") else {
        return;
    };
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/oauth2/openid_client.mjs"
    );
    let mut node = Command::new("node");
    node.args([script, app.server.base(), id, secret, "ada"]);
    node.env("TEST_NODE_MODULES", packages);
    let expected = if secret.is_empty() { 15 } else { 16 };
    assert_eq!(facts(app, id, node).await, expected, "{id}");
}

// req: OA-35
async fn authlib_and_requests_oauthlib(app: App) {
    let Some(program) = tool("TEST_PYTHON") else {
        return;
    };
    app.server.sign_up("ada").await;
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/oauth2/python_clients.py"
    );
    for (id, secret) in [("web", SECRET), ("spa", "")] {
        let mut python = Command::new(&program);
        python.args(["-P", script, app.server.base(), id, secret, "ada"]);
        assert_eq!(facts(&app, id, python).await, 2, "{id}");
    }
}
