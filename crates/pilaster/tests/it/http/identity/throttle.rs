//! Guessing is slowed down.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Project, Running};

use super::WORD;
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    ten_wrong_passwords_are_enough,
    who_is_signed_in_guesses_no_faster
);
on_every_engine!(quick: a_pause_ends_by_itself_and_doubles);

// req: SE-6
async fn ten_wrong_passwords_are_enough(app: App) {
    app.server.sign_up("ada").await;
    app.server.sign_up("eve").await;
    let mut bodies = Vec::new();
    for name in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..10 {
            let refused = app.server.token(name, "a wrong pass phrase").await;
            assert_eq!(refused.status, 401, "{}", refused.body);
        }
        // Now the right one is refused as well, and nobody's name as somebody's.
        let refused = app.server.token(name, WORD).await;
        assert_eq!(refused.status, 429, "{}", refused.body);
        let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=30).contains(&seconds), "{seconds}");
        let mut body = refused.json();
        body["request_id"] = Value::Null;
        bodies.push(body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0]["code"], "too_many_attempts");
    // Whatever door, and however it is written.
    let body = json!({"identifier": " ADA@example.org", "password": WORD});
    let refused = app.server.send("POST", "", "/auth/session", &body).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    // Another process counts with this one; another account is as it was.
    let other = Running::serve(PILASTER, &app.project).await;
    assert_eq!(other.token("ada@example.org", WORD).await.status, 429);
    assert_eq!(app.server.token("eve", WORD).await.status, 200);
    app.project.succeed(PILASTER, &["user", "unlock", "ada"]);
    assert_eq!(app.server.token("ada@example.org", WORD).await.status, 200);
}

// req: SE-6
async fn who_is_signed_in_guesses_no_faster(app: App) {
    let token = app.server.sign_up("ada").await;
    let guess = async |password: &str| {
        let body = json!({"password": password});
        app.server
            .send("POST", &token, "/auth/deletion", &body)
            .await
    };
    for _ in 0..10 {
        let refused = guess("a wrong pass phrase").await;
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    assert_eq!(guess(WORD).await.status, 429);
    // The doors count together.
    assert_eq!(app.server.token("ada@example.org", WORD).await.status, 429);
    app.project.succeed(PILASTER, &["user", "unlock", "ada"]);
    assert_eq!(guess(WORD).await.status, 200);
}

fn quick() -> Project {
    Project::cruddur()
        .with("PILASTER_AUTH_LOGIN_ATTEMPTS", "3")
        .with("PILASTER_AUTH_ADDRESS_ATTEMPTS", "6")
        .with("PILASTER_AUTH_FIRST_PAUSE", "2s")
        .with("PILASTER_AUTH_LONGEST_PAUSE", "1h")
}

// req: SE-6
async fn a_pause_ends_by_itself_and_doubles(app: App) {
    app.server.sign_up("ada").await;
    let wrong = async || app.server.token("ada", "a wrong pass phrase").await;
    // Of many at once no more are judged than one after the other.
    let attempts = (0..20).map(|_| wrong());
    let judged = futures_util::future::join_all(attempts).await;
    let judged = judged.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(judged, 3);
    tokio::time::sleep(Duration::from_millis(2_300)).await;
    assert_eq!(wrong().await.status, 401);
    let refused = wrong().await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((2..=4).contains(&seconds), "{seconds}");
    tokio::time::sleep(Duration::from_millis(4_300)).await;
    assert_eq!(app.server.token("ada", WORD).await.status, 200);
    // One address guesses at many names: four were wrong before.
    let mut statuses = Vec::new();
    for number in 0..6 {
        let name = format!("nobody{number}");
        statuses.push(app.server.token(&name, "a wrong pass phrase").await.status);
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}
