//! Passwords that the server never sees.

use std::collections::HashSet;
use std::process::Stdio;

use serde_json::{Value, json};
use server::Password;
use server::opaque_client::ClientLogin;
use stdx::Rng;
use testkit::{Project, Running};

use super::{Browser, WORD, begin, finish, log_in, register_with, sign_up};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    an_account_is_made_and_used_without_showing_its_password,
    nobody_looks_like_somebody,
    a_login_is_finished_once_by_who_began_it,
    one_flow_is_not_anothers,
    starts_without_an_end_are_failed_attempts,
    a_hash_becomes_a_record_when_the_password_is_set,
    scripts_log_in_without_showing_the_password,
);
on_every_engine!(patient: malformed_messages_are_refused);

/// Nobody is slowed down.
fn patient() -> Project {
    Project::cruddur()
        .with("PILASTER_AUTH_LOGIN_ATTEMPTS", "1000000")
        .with("PILASTER_AUTH_ADDRESS_ATTEMPTS", "1000000")
}

// req: OP-5
async fn an_account_is_made_and_used_without_showing_its_password(app: App) {
    let made = sign_up(&app.server, "ada").await;
    assert_eq!(made.status, 201, "{}", made.body);
    let again = sign_up(&app.server, "ada").await;
    assert_eq!(again.status, 409, "{}", again.body);
    let browser = Browser::of(&app.server, &log_in(&app.server, "ada", WORD).await);
    let message = json!({"message": "Hello"});
    let posted = browser.send("POST", "/api/activities", &message).await;
    assert_eq!(posted.status, 201, "{}", posted.body);
    let wrong = log_in(&app.server, "ada", "a wrong pass phrase").await;
    assert_eq!(wrong.status, 401, "{}", wrong.body);
    // The door for shown passwords knows nothing of it.
    assert_eq!(app.server.token("ada", WORD).await.status, 401);
    let words = ["user", "update", "ada", "--email", "lovelace@example.org"];
    app.project.succeed(PILASTER, &words);
    let moved = log_in(&app.server, "Lovelace@example.org ", WORD).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    let gone = log_in(&app.server, "ada@example.org", WORD).await;
    assert_eq!(gone.status, 401, "{}", gone.body);
    let (log, rows) = (app.server.log(), app.database.dump().await);
    assert!(
        rows.iter()
            .any(|row| row.starts_with("auth_opaque_records"))
    );
    assert!(!log.contains(WORD) && !rows.iter().any(|row| row.contains(WORD)));
}

async fn nobody_looks_like_somebody(app: App) {
    sign_up(&app.server, "ada").await;
    sign_up(&app.server, "off").await;
    app.server.sign_up("hash").await;
    app.project.succeed(PILASTER, &["user", "disable", "off"]);
    let mut shapes = HashSet::new();
    let mut refusals = HashSet::new();
    for name in ["ada", "off", "hash", "nobody", "no@example.org", "@", ""] {
        let (_, started) = begin(&app.server, name, "a wrong pass phrase").await;
        assert_eq!(started.status, 200, "{}", started.body);
        let answer = started.json();
        let text = |member: &str| answer[member].as_str().expect("a text").len();
        let headers: Vec<String> = started.headers.keys().map(ToString::to_string).collect();
        let lengths = (text("login_id"), text("login_response"));
        shapes.insert(format!(
            "{lengths:?} {} {headers:?}",
            answer["key_stretching"]
        ));
        let body = json!({"login_id": answer["login_id"], "login_finish": "A".repeat(86)});
        let refused = app
            .server
            .send("POST", "", "/auth/opaque/login/finish", &body)
            .await;
        let mut body = refused.json();
        body["request_id"] = Value::Null;
        refusals.insert(format!("{} {body}", refused.status));
    }
    assert_eq!(shapes.len(), 1, "{shapes:#?}");
    assert_eq!(refusals.len(), 1, "{refusals:#?}");
    assert!(
        refusals.iter().all(|one| one.starts_with("401")),
        "{refusals:?}"
    );
    // The same question for nobody gets the same credential, its first 32 bytes; the rest is made
    // anew each time, as for somebody.
    let word = Password::presented(WORD.to_owned()).expect("short enough");
    let (_, request) = ClientLogin::start(word, &Rng::System).expect("a login begins");
    for name in ["ada", "nobody", "no@example.org"] {
        let body = json!({"identifier": name, "login_request": request.to_base64url()});
        let mut answers = Vec::new();
        for _ in 0..2 {
            let started = app
                .server
                .send("POST", "", "/auth/opaque/login/start", &body)
                .await;
            let response = started.json()["login_response"].as_str().map(str::to_owned);
            answers.push(response.expect("an answer"));
        }
        assert_eq!(answers[0][..42], answers[1][..42], "{name}");
        assert_ne!(answers[0][43..], answers[1][43..], "{name}");
    }
}

// req: OP-7
async fn a_login_is_finished_once_by_who_began_it(app: App) {
    sign_up(&app.server, "ada").await;
    sign_up(&app.server, "eve").await;
    let path = "/auth/opaque/login/finish";
    let (client, started) = begin(&app.server, "ada", WORD).await;
    let message = finish(client, &started).expect("the password is right");
    let body = json!({"login_id": started.json()["login_id"], "login_finish": message});
    let done = app.server.send("POST", "", path, &body).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let twice = app.server.send("POST", "", path, &body).await;
    assert_eq!(twice.status, 400, "{}", twice.body);
    assert_eq!(twice.json()["code"], "flow_unknown");
    let (client, started) = begin(&app.server, "ada", WORD).await;
    let message = finish(client, &started).expect("the password is right");
    let body = json!({"login_id": started.json()["login_id"], "login_finish": message,
                      "identifier": "eve@example.org"});
    let other = app.server.send("POST", "", path, &body).await;
    assert_eq!(other.status, 400, "{}", other.body);
    // What is kept of a login ends within a minute.
    let (_, started) = begin(&app.server, "ada", WORD).await;
    assert_eq!(started.status, 200);
    let rows = app.database.dump().await;
    assert!(
        rows.iter()
            .any(|row| row.starts_with("auth_moments.expires_at"))
    );
}

// req: OP-13
async fn one_flow_is_not_anothers(app: App) {
    sign_up(&app.server, "ada").await;
    let browser = Browser::of(&app.server, &log_in(&app.server, "ada", WORD).await);
    // A registration's record cannot set the password of somebody who is signed in, nor the other
    // way round, and neither finishes a login.
    let registration = register_with("another pass phrase", async |request| {
        let body = json!({"email": "eve@example.org", "registration_request": request});
        app.server
            .send("POST", "", "/auth/opaque/register/start", &body)
            .await
    })
    .await;
    let refused = browser.send("PUT", "/auth/password", &registration).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let change = register_with("another pass phrase", async |request| {
        let body = json!({"registration_request": request});
        browser.send("POST", "/auth/password/start", &body).await
    })
    .await;
    let path = "/auth/opaque/register/finish";
    let refused = app.server.send("POST", "", path, &change).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    for id in [&registration["registration_id"], &change["registration_id"]] {
        let body = json!({"login_id": id, "login_finish": "A".repeat(86)});
        let refused = app
            .server
            .send("POST", "", "/auth/opaque/login/finish", &body)
            .await;
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    // None of that has used them up.
    let set = browser.send("PUT", "/auth/password", &change).await;
    assert_eq!(set.status, 200, "{}", set.body);
    let made = app.server.send("POST", "", path, &registration).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

// req: OP-9
async fn starts_without_an_end_are_failed_attempts(app: App) {
    sign_up(&app.server, "ada").await;
    for name in ["ada", "nobody"] {
        let mut statuses = Vec::new();
        for _ in 0..20 {
            let (_, started) = begin(&app.server, name, WORD).await;
            statuses.push(started.status);
            if started.status == 429 {
                assert!(!started.header("retry-after").is_empty());
            }
        }
        assert_eq!(statuses[..10], [200; 10], "{name}: {statuses:?}");
        assert_eq!(statuses[10..], [429; 10], "{name}: {statuses:?}");
    }
    // The door for shown passwords counts with it.
    assert_eq!(app.server.token("ada", WORD).await.status, 429);
    app.project.succeed(PILASTER, &["user", "unlock", "ada"]);
    for _ in 0..3 {
        for _ in 0..9 {
            begin(&app.server, "ada", WORD).await;
        }
        let done = log_in(&app.server, "ada", WORD).await;
        assert_eq!(done.status, 200, "{}", done.body);
    }
}

// req: OP-8
async fn malformed_messages_are_refused(app: App) {
    let (client, started) = begin(&app.server, "nobody", WORD).await;
    drop(client);
    let id = started.json()["login_id"].clone();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % 1_000_003).expect("small")
    };
    let letters: Vec<char> = "ABCxyz019-_=+/ \u{e9}\u{1f600}\0".chars().collect();
    let ways = [
        ("/auth/opaque/login/start", "login_request", 128),
        ("/auth/opaque/login/finish", "login_finish", 86),
        ("/auth/opaque/register/start", "registration_request", 43),
        ("/auth/opaque/register/finish", "registration_record", 256),
    ];
    let mut count = 0;
    while count < 10_000 {
        let mut sent = Vec::new();
        for _ in 0..50 {
            let (path, member, length) = ways[next() % ways.len()];
            let length = match next() % 3 {
                0 => next() % 400,
                _ => length,
            };
            let text: String = match next() % 4 {
                0 => (0..length)
                    .map(|_| letters[next() % letters.len()])
                    .collect(),
                1 => "A".repeat(length),
                _ => (0..length).map(|_| letters[next() % 11]).collect(),
            };
            let body = json!({"identifier": "nobody", "email": "no@example.org", "login_id": id,
                              "registration_id": id, member: text});
            let body: serde_json::Map<String, Value> = match path {
                "/auth/opaque/login/start" => pick(&body, &["identifier", member]),
                "/auth/opaque/login/finish" => pick(&body, &["login_id", member]),
                "/auth/opaque/register/start" => pick(&body, &["email", member]),
                _ => pick(&body, &["registration_id", member]),
            };
            sent.push(async move { (path, Value::Object(body)) });
        }
        for one in sent {
            let (path, body) = one.await;
            let answer = app.server.send("POST", "", path, &body).await;
            let is_message = answer.status == 200 || answer.status == 401;
            assert!(
                answer.status == 400 || answer.status == 422 || is_message,
                "{path} {body}: {} {}",
                answer.status,
                answer.body
            );
            count += 1;
        }
    }
}

fn pick(body: &Value, members: &[&str]) -> serde_json::Map<String, Value> {
    let one = |member: &&str| ((*member).to_owned(), body[*member].clone());
    members.iter().map(one).collect()
}

// req: OP-12
async fn a_hash_becomes_a_record_when_the_password_is_set(app: App) {
    let token = app.server.sign_up("ada").await;
    let elsewhere = Browser::sign_in(&app.server, "ada").await;
    let mut browser = Browser::sign_in(&app.server, "ada").await;
    let shown = browser
        .send(
            "PUT",
            "/auth/password",
            &json!({"password": "another pass phrase"}),
        )
        .await;
    assert_eq!(shown.status, 409, "{}", shown.body);
    assert_eq!(shown.json()["code"], "opaque_required");
    let change = register_with("another pass phrase", async |request| {
        let body = json!({"registration_request": request});
        browser.send("POST", "/auth/password/start", &body).await
    })
    .await;
    let set = browser.send("PUT", "/auth/password", &change).await;
    browser.follow(&set);
    let rows = app.database.dump().await;
    assert!(
        rows.iter()
            .any(|row| row.starts_with("auth_opaque_records"))
    );
    assert!(!rows.iter().any(|row| row.starts_with("auth_passwords.")));
    // Everybody else is out.
    assert_eq!(browser.get("/auth/session").await.status, 200);
    assert_eq!(elsewhere.get("/auth/session").await.status, 401);
    assert_eq!(app.server.get_as(&token, "/auth/me").await.status, 401);
    assert_eq!(app.server.token("ada", WORD).await.status, 401);
    assert_eq!(log_in(&app.server, "ada", WORD).await.status, 401);
    let done = log_in(&app.server, "ada", "another pass phrase").await;
    assert_eq!(done.status, 200, "{}", done.body);
    let App {
        server,
        project,
        database: _database,
    } = app;
    drop(server);
    // Where hashes are stored it goes the other way too.
    let project = project.with("PILASTER_AUTH_PASSWORD_MODE", "hash");
    let server = Running::serve(PILASTER, &project).await;
    let done = log_in(&server, "ada", "another pass phrase").await;
    let browser = Browser::of(&server, &done);
    let set = browser
        .send("PUT", "/auth/password", &json!({"password": WORD}))
        .await;
    assert_eq!(set.status, 200, "{}", set.body);
    assert_eq!(server.token("ada", WORD).await.status, 200);
    let old = log_in(&server, "ada", "another pass phrase").await;
    assert_eq!(old.status, 401, "{}", old.body);
}

// req: OP-14
async fn scripts_log_in_without_showing_the_password(app: App) {
    sign_up(&app.server, "ada").await;
    let port = app.server.base().rsplit(':').next().unwrap_or_default();
    let run = |word: &str| {
        use std::io::Write as _;
        let mut command = app.project.command(PILASTER, &["login", "--opaque", "ada"]);
        command.env("PORT", port).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut input = child.stdin.take().expect("it is piped");
        writeln!(input, "{word}").expect("it listens");
        drop(input);
        child.wait_with_output().expect("it ends")
    };
    let done = run(WORD);
    let token = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    assert!(done.status.success(), "{done:?}");
    let me = app.server.get_as(&token, "/auth/me").await;
    assert_eq!(me.status, 200, "{}", me.body);
    assert_eq!(me.json()["username"], "ada");
    let refused = run("a wrong pass phrase");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stdout.is_empty(), "{refused:?}");
}
