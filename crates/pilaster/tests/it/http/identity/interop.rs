//! A client of OPAQUE that nobody here wrote, unmodified.

use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::tool;

use super::{WORD, log_in, sign_up};
use crate::http::{App, on_every_engine};

on_every_engine!(serenity_and_we_understand_each_other);

// req: OP-1, OP-2
async fn serenity_and_we_understand_each_other(app: App) {
    let Some(packages) = tool("TEST_NODE_MODULES") else {
        return;
    };
    assert_eq!(sign_up(&app.server, "ours").await.status, 201);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/opaque.mjs");
    let mut node = Command::new("node");
    node.args([script, app.server.base(), "ours"])
        .env("TEST_NODE_MODULES", packages)
        .stdin(Stdio::null());
    let finished = tokio::task::spawn_blocking(move || node.output());
    let output = finished.await.expect("joined").expect("node starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let facts: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        facts.len() == 7 && facts.iter().all(|fact| fact["error"].is_null()),
        "{text}\n{errors}\n{}",
        app.server.log()
    );
    let done = log_in(&app.server, "node@example.org", WORD).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(!app.server.log().contains(WORD));
}
