//! API keys have a rate of their own.

use serde_json::{Value, json};
use testkit::Answer;

use super::{WORD, project, somebody};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(project: a_key_has_a_rate_of_its_own_and_reads_alone);

/// A key of somebody's: its id and itself.
pub(super) async fn made(app: &App, name: &str, body: Value) -> (String, String) {
    let answer = ask(app, name, body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let text = |member: &str| answer.json()[member].as_str().expect("a text").to_owned();
    (text("id"), text("key"))
}

/// Signs in at a browser and asks for a key.
async fn ask(app: &App, name: &str, body: Value) -> Answer {
    let login = json!({"identifier": name, "password": WORD});
    let begun = app.server.send("POST", "", "/auth/session", &login).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let (cookie, _) = begun
        .header("set-cookie")
        .split_once(';')
        .expect("a cookie");
    let csrf = begun.json()["csrf_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let request = app.server.request("POST", "/auth/api-keys").json(&body);
    Answer::read(
        request
            .header("cookie", cookie)
            .header("x-csrf-token", csrf),
    )
    .await
}

// req: AK-3
async fn a_key_has_a_rate_of_its_own_and_reads_alone(app: App) {
    let ada = somebody(&app, "ada").await;
    app.project
        .succeed(PILASTER, &["user", "grant", "ada", "editor"]);
    let body = json!({"name": "slow", "rate": "3/h", "scopes": ["data:read"]});
    let (_, slow) = made(&app, "ada", body).await;
    let (_, other) = made(&app, "ada", json!({"name": "other"})).await;
    let note = json!({"id": 1, "owner": ada.id});
    let refused = app.server.send("POST", &slow, "/api/notes", &note).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(refused.json()["code"], "insufficient_scope");
    // Three times in an hour, even if another one begins in between.
    let mut told = Vec::new();
    for _ in 0..7 {
        let answer = app.server.get_as(&slow, "/api/notes").await;
        told.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.json()["code"], "too_many_requests");
            let wait: u64 = answer.header("retry-after").parse().expect("seconds");
            assert!((1..=3600).contains(&wait), "{wait}");
        }
    }
    // The refused write was a use of it, too.
    assert!(told.starts_with(&[200]) && told.contains(&429), "{told:?}");
    // One key's uses are not another's.
    assert_eq!(app.server.get_as(&other, "/api/notes").await.status, 200);
    for rate in ["fast", "0/s", "10/day", "601/min", "11/s", "100000/h"] {
        let body = json!({"name": "x", "rate": rate});
        let refused = ask(&app, "ada", body).await;
        assert_eq!(refused.status, 422, "{rate}: {}", refused.body);
    }
}
