//! The same requests give the same bytes on every engine.

mod changes;
mod operators;
mod reads;
mod rows;
mod shape;
mod stage;
mod urls;
mod writes;

use std::fmt::Write as _;

use serde_json::json;
use testkit::Answer;

use super::App;

const ENGINES: [&str; 4] = ["sqlite", "postgres", "mariadb", "mysql"];

/// Ids by order of appearance and moments by shape, where they are made afresh each run.
fn normalise(text: &str) -> String {
    let mut ids: Vec<&str> = Vec::new();
    let mut result = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('"') {
        let (head, tail) = rest.split_at(place + 1);
        result.push_str(head);
        let end = tail.find('"').unwrap_or(tail.len());
        let inner = &tail[..end];
        let is_id =
            inner.len() == 36 && inner.matches('-').count() == 4 && !inner.starts_with("0193a000");
        let is_moment = inner.len() == 27 && inner.ends_with('Z') && inner.contains('T');
        if is_id {
            let known = ids.iter().position(|id| *id == inner).unwrap_or_else(|| {
                ids.push(inner);
                ids.len() - 1
            });
            let _ = write!(result, "<id {known}>");
        } else if is_moment {
            result.push_str("<moment>");
        } else if inner.len() == 32 && inner.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            result.push_str("<request>");
        } else {
            result.push_str(inner);
        }
        rest = &tail[end..];
        if let Some(stripped) = rest.strip_prefix('"') {
            result.push('"');
            rest = stripped;
        }
    }
    result.push_str(rest);
    result
}

async fn scenario(app: &App) -> Vec<String> {
    let mut seen = Vec::new();
    let mut see =
        |answer: &Answer| seen.push(format!("{} {}", answer.status, normalise(&answer.body)));
    let ada = app.server.sign_up("ada").await;
    for message in ["first", "sécond \u{1F600} \"quoted\" \\ \u{7}", "third"] {
        let body = json!({"message": message});
        let request = app
            .server
            .request("POST", "/api/activities")
            .bearer_auth(&ada)
            .json(&body);
        see(&Answer::read(request.header("Prefer", "return=representation")).await);
    }
    for path in [
        "/api/feed",
        "/api/users?order=handle",
        "/api/users?select=handle,activities(message,likes_count)&order=handle&activities.order=message",
        "/api/activities?select=message,expires_at,users(handle)&order=message.desc",
        "/api/activities?order=expires_at.nullsfirst,message&select=message",
        "/api/activities?order=expires_at.desc.nullslast,message&select=message",
        "/api/activities/0193a000-0000-7000-8000-0000000000a1?select=uuid,user_uuid,message,likes_count",
        "/api/users?select=email",
        "/api/users?uuid=eq.x",
        "/api/nothing",
        "/api/feed?limit=x",
    ] {
        see(&app.server.get(path).await);
    }
    let path = "/api/activities/0193a000-0000-7000-8000-0000000000a1";
    for (method, suffix, body) in [
        ("POST", "/reply", json!({"message": "a reply"})),
        ("POST", "/like", json!({})),
        ("POST", "/like", json!({})),
        ("PATCH", "", json!({"message": "not mine"})),
        ("DELETE", "", json!(null)),
    ] {
        see(&app
            .server
            .send(method, &ada, &format!("{path}{suffix}"), &body)
            .await);
    }
    see(&app.server.get("/api/feed").await);
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_scenario_gives_the_same_bytes_on_every_engine() {
    let mut first: Option<(&str, Vec<String>)> = None;
    for engine in ENGINES {
        let Some(app) = App::cruddur(engine).await else {
            continue;
        };
        let seen = scenario(&app).await;
        match &first {
            None => first = Some((engine, seen)),
            Some((other, expected)) => {
                for (ours, theirs) in seen.iter().zip(expected) {
                    assert_eq!(ours, theirs, "{engine} and {other} differ");
                }
            }
        }
    }
    assert!(first.is_some(), "no engine was asked for");
}
