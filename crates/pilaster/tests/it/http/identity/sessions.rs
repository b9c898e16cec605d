//! Sessions and their cookies.

use std::time::Duration;

use serde_json::json;
use testkit::{Answer, Project, Running};

use super::{Browser, WORD};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    a_session_is_begun_looked_at_and_ended,
    an_altered_cookie_is_as_none,
    every_login_and_every_step_up_has_an_id_of_its_own,
    sessions_are_listed_and_revoked_for_every_process,
    a_cookie_alone_changes_nothing,
    who_is_disabled_is_out_with_the_next_request,
);
on_every_engine!(short_lived: sessions_end_by_themselves);

fn short_lived() -> Project {
    Project::cruddur().with("PILASTER_AUTH_SESSION_IDLE", "2s")
}

// req: SE-1
async fn a_session_is_begun_looked_at_and_ended(app: App) {
    app.server.sign_up("ada").await;
    let wrong = json!({"identifier": "ada", "password": "a wrong pass phrase"});
    let refused = app.server.send("POST", "", "/auth/session", &wrong).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    let body = json!({"identifier": "ada", "password": WORD});
    let begun = app.server.send("POST", "", "/auth/session", &body).await;
    let line = begun.header("set-cookie").to_owned();
    assert!(line.starts_with("pilaster="), "{line}");
    assert!(line.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{line}");
    assert_eq!(begun.header("cache-control"), "no-store");
    let browser = Browser::of(&app.server, &begun);
    let shown = browser.get("/auth/session").await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let shown = shown.json();
    assert_eq!(shown["user"]["email"], "ada@example.org");
    assert_eq!(shown["amr"], json!(["pwd"]));
    assert_eq!(shown["acr"], "single");
    assert_eq!(browser.get("/auth/me").await.json()["username"], "ada");
    let ended = browser.send("DELETE", "/auth/session", &json!({})).await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    assert!(ended.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(browser.get("/auth/session").await.status, 401);
    let App {
        server,
        project,
        database: _database,
    } = app;
    drop(server);
    let secure = project.with("PILASTER_SERVER_PUBLIC_URL", "https://example.org");
    let server = Running::serve(PILASTER, &secure).await;
    let begun = server.send("POST", "", "/auth/session", &body).await;
    let line = begun.header("set-cookie");
    assert!(line.starts_with("__Host-pilaster="), "{line}");
    assert!(
        line.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{line}"
    );
}

// req: SE-2
async fn an_altered_cookie_is_as_none(app: App) {
    app.server.sign_up("ada").await;
    let browser = Browser::sign_in(&app.server, "ada").await;
    let (name, value) = browser.cookie.split_once('=').expect("a pair");
    let other = |at: usize| {
        let mut bytes = value.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'B' { b'Q' } else { b'B' };
        format!("{name}={}", String::from_utf8(bytes).expect("ASCII"))
    };
    let strange = [
        other(0),
        other(20),
        format!("{name}={value}x"),
        format!("{name}="),
        format!("{name}=%00'--"),
        format!("{}; {name}={}", browser.cookie, "A".repeat(43)),
    ];
    for cookie in strange {
        for path in ["/auth/session", "/auth/me"] {
            let request = app.server.request("GET", path).header("cookie", &cookie);
            let refused = Answer::read(request).await;
            assert_eq!(refused.status, 401, "{cookie}: {}", refused.body);
        }
        let request = app.server.request("GET", "/api/feed");
        let open = Answer::read(request.header("cookie", &cookie)).await;
        assert_eq!(open.status, 200, "{}", open.body);
    }
    let log = app.server.log();
    assert!(log.contains("a session's cookie was altered"), "{log}");
    assert!(
        log.contains("a session's cookie is of none that holds"),
        "{log}"
    );
    assert!(!log.contains(value), "{log}");
    assert_eq!(browser.get("/auth/session").await.status, 200);
}

// req: SE-3
async fn every_login_and_every_step_up_has_an_id_of_its_own(app: App) {
    app.server.sign_up("ada").await;
    let planted = format!("pilaster={}", "A".repeat(43));
    let body = json!({"identifier": "ada", "password": WORD});
    let request = app.server.request("POST", "/auth/session").json(&body);
    let begun = Answer::read(request.header("cookie", &planted)).await;
    let mut browser = Browser::of(&app.server, &begun);
    assert_ne!(browser.cookie, planted);
    let first = browser.cookie.clone();
    let request = app.server.request("POST", "/auth/session").json(&body);
    let again = Answer::read(request.header("cookie", &first)).await;
    let old = Browser::of(&app.server, &begun);
    browser.follow(&again);
    assert_ne!(browser.cookie, first);
    assert_eq!(old.get("/auth/session").await.status, 401);
    let old = Browser::of(&app.server, &again);
    let body = json!({"password": WORD});
    let stepped = browser.send("POST", "/auth/session/step-up", &body).await;
    browser.follow(&stepped);
    assert_ne!(browser.cookie, old.cookie);
    assert_eq!(browser.get("/auth/session").await.status, 200);
    assert_eq!(old.get("/auth/session").await.status, 401);
    for planted in [&planted, &first] {
        let request = app.server.request("GET", "/auth/session");
        let refused = Answer::read(request.header("cookie", planted)).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
    }
}

// req: SE-4
async fn sessions_are_listed_and_revoked_for_every_process(app: App) {
    let token = app.server.sign_up("ada").await;
    app.server.sign_up("eve").await;
    let other = Running::serve(PILASTER, &app.project).await;
    let here = Browser::sign_in(&app.server, "ada").await;
    let there = Browser::sign_in(&other, "ada").await;
    let eve = Browser::sign_in(&app.server, "eve").await;
    let listed = here.get("/auth/sessions").await.json();
    let listed = listed.as_array().expect("a list").clone();
    assert_eq!(listed.len(), 2, "{listed:?}");
    let id = |current: bool| {
        let found = listed.iter().find(|one| one["current"] == current);
        found.expect("one each")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    // Somebody else's session cannot be named.
    let path = format!("/auth/sessions/{}", id(false));
    assert_eq!(eve.send("DELETE", &path, &json!({})).await.status, 404);
    assert_eq!(there.get("/auth/session").await.status, 200);
    assert_eq!(here.send("DELETE", &path, &json!({})).await.status, 200);
    assert_eq!(there.get("/auth/session").await.status, 401);
    assert_eq!(here.get("/auth/session").await.status, 200);
    // All others, tokens among them.
    let there = Browser::sign_in(&other, "ada").await;
    assert_eq!(app.server.get_as(&token, "/auth/me").await.status, 200);
    let all = here.send("DELETE", "/auth/sessions", &json!({})).await;
    assert_eq!((all.status, all.json()["revoked"].as_i64()), (200, Some(1)));
    assert_eq!(there.get("/auth/session").await.status, 401);
    assert_eq!(app.server.get_as(&token, "/auth/me").await.status, 401);
    assert_eq!(other.get_as(&token, "/api/feed").await.status, 401);
    assert_eq!(here.get("/auth/session").await.status, 200);
    // By the administrator.
    app.project.succeed(PILASTER, &["user", "logout", "ada"]);
    assert_eq!(here.get("/auth/session").await.status, 401);
    assert_eq!(eve.get("/auth/session").await.status, 200);
}

// req: SE-4
async fn sessions_end_by_themselves(app: App) {
    app.server.sign_up("ada").await;
    let browser = Browser::sign_in(&app.server, "ada").await;
    assert_eq!(browser.get("/auth/session").await.status, 200);
    tokio::time::sleep(Duration::from_millis(2_300)).await;
    assert_eq!(browser.get("/auth/session").await.status, 401);
    let App {
        server,
        project,
        database: _database,
    } = app;
    drop(server);
    let project = project
        .with("PILASTER_AUTH_SESSION_IDLE", "1h")
        .with("PILASTER_AUTH_SESSION_LIFE", "2s");
    let server = Running::serve(PILASTER, &project).await;
    let browser = Browser::sign_in(&server, "ada").await;
    assert_eq!(browser.get("/auth/session").await.status, 200);
    tokio::time::sleep(Duration::from_millis(2_300)).await;
    assert_eq!(browser.get("/auth/session").await.status, 401);
}

// req: SE-5
async fn a_cookie_alone_changes_nothing(app: App) {
    let token = app.server.sign_up("ada").await;
    let browser = Browser::sign_in(&app.server, "ada").await;
    let eve = Browser::sign_in(&app.server, "ada").await;
    let message = json!({"message": "Hello"});
    for (method, path) in [
        ("POST", "/api/activities"),
        ("DELETE", "/auth/session"),
        ("DELETE", "/auth/sessions"),
        ("POST", "/auth/session/step-up"),
        ("POST", "/auth/totp"),
        ("PUT", "/auth/password"),
    ] {
        for csrf in ["", "nonsense", &eve.csrf] {
            let request = app.server.request(method, path).json(&message);
            let request = request.header("cookie", &browser.cookie);
            let refused = Answer::read(request.header("x-csrf-token", csrf)).await;
            assert_eq!(refused.status, 403, "{method} {path}: {}", refused.body);
            assert_eq!(refused.json()["code"], "csrf_token", "{}", refused.body);
        }
    }
    let made = browser.send("POST", "/api/activities", &message).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = app
        .server
        .send("POST", &token, "/api/activities", &message)
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    // A page of another site cannot sign anybody in either.
    let body = json!({"identifier": "ada", "password": WORD});
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let request = app.server.request("POST", "/auth/session").json(&body);
        let refused = Answer::read(request.header(name, value)).await;
        assert_eq!(refused.status, 403, "{name}: {}", refused.body);
        assert!(refused.header("set-cookie").is_empty());
    }
    let request = app.server.request("POST", "/auth/session").json(&body);
    let own = Answer::read(request.header("origin", app.server.base())).await;
    assert_eq!(own.status, 200, "{}", own.body);
}

async fn who_is_disabled_is_out_with_the_next_request(app: App) {
    let token = app.server.sign_up("ada").await;
    let browser = Browser::sign_in(&app.server, "ada").await;
    app.project.succeed(PILASTER, &["user", "disable", "ada"]);
    assert_eq!(browser.get("/auth/session").await.status, 401);
    assert_eq!(app.server.get_as(&token, "/api/feed").await.status, 401);
    assert_eq!(app.server.token("ada", WORD).await.status, 401);
    app.project.succeed(PILASTER, &["user", "enable", "ada"]);
    assert_eq!(browser.get("/auth/session").await.status, 401);
    assert_eq!(app.server.get_as(&token, "/api/feed").await.status, 401);
    assert_eq!(app.server.token("ada", WORD).await.status, 200);
}
