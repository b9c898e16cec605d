//! Files in the event's own transaction: what they are given, what they undo, how they are checked.

use serde_json::json;
use testkit::Project;

use super::{HOSTILE, failures, pilaster, project, register, registered, rows};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    of_people: a_confirmed_account_has_its_row_in_the_applications_table,
    a_failing_file_undoes_the_registration,
    hostile_values_arrive_as_they_are,
);
on_every_engine!(of_log: every_event_is_told, a_failing_login_file_refuses_the_sign_in);
on_every_engine!(of_claims: columns_become_claims_of_the_token);
on_every_engine!(project: a_file_that_does_not_fit_the_schema_stops_the_start);

fn of_people() -> Project {
    let project = project();
    project.write(
        "hooks/user_registered.sql",
        "insert into people (sub, name, email, handle) \
         values (:user_id, :display_name, :email, :username)",
    );
    project.write(
        "hooks/user_confirmed.sql",
        "update people set confirmed = true where sub = :user_id",
    );
    project
}

// req: HK-1
async fn a_confirmed_account_has_its_row_in_the_applications_table(app: App) {
    let id = registered(&app, "ada", "Ada Lovelace").await;
    let row = |confirmed: bool| {
        vec![
            json!({"sub": id, "name": "Ada Lovelace", "email": "ada@example.org",
                    "handle": "ada", "confirmed": confirmed}),
        ]
    };
    assert_eq!(rows(&app, "/api/people").await, row(false));
    let shown = pilaster(&app, &["user", "confirm", "ada"]);
    assert!(shown["email_verified_at"].is_string(), "{shown}");
    assert_eq!(rows(&app, "/api/people").await, row(true));
    // Twice is once: the first moment stays. Another address is confirmed again.
    assert_eq!(pilaster(&app, &["user", "confirm", "ada"]), shown);
    let moved = pilaster(
        &app,
        &["user", "update", "ada", "--email", "ada@new.example"],
    );
    assert!(moved["email_verified_at"].is_null(), "{moved}");
    let again = pilaster(&app, &["user", "confirm", "ada"]);
    assert!(again["email_verified_at"].is_string(), "{again}");
}

async fn a_failing_file_undoes_the_registration(app: App) {
    let id = registered(&app, "ada", "Ada").await;
    // The row is in the way of a second one: the file fails, and so does what it belongs to.
    app.project.succeed(
        PILASTER,
        &["user", "delete", "ada", "--confirm", "ada@example.org"],
    );
    assert_eq!(rows(&app, "/api/people").await.len(), 1);
    let too_long = register(&app, "bo", &"b".repeat(200)).await;
    assert_eq!(too_long.status, 201, "{}", too_long.body);
    app.project.write(
        "hooks/user_registered.sql",
        &format!("insert into people (sub, name, email) values ('{id}', :display_name, :email)"),
    );
    let App {
        project, database, ..
    } = app;
    let server = testkit::Running::serve(PILASTER, &project).await;
    let app = App {
        server,
        project,
        database,
    };
    let refused = register(&app, "eve", "Eve").await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    let accounts = pilaster(&app, &["user", "list"]);
    let accounts: Vec<_> = accounts.as_array().expect("a list").iter().collect();
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    assert_eq!(accounts[0]["username"], "bo");
    assert_eq!(
        app.server.token("eve", "a long pass phrase").await.status,
        401
    );
    assert_eq!(rows(&app, "/api/people").await.len(), 2);
    assert_eq!(failures(&app), (Vec::new(), 0));
}

// req: HK-4
async fn hostile_values_arrive_as_they_are(app: App) {
    let names = [
        HOSTILE,
        "' or '1'='1",
        "\\'; -- \"",
        "$1 ? :user_id {{7*7}}",
        "😀\u{2028}.",
    ];
    for (number, name) in names.iter().enumerate() {
        registered(&app, &format!("u{number}"), name).await;
    }
    let mut found = rows(&app, "/api/people?select=name&order=handle").await;
    for (row, name) in found.iter_mut().zip(names) {
        assert_eq!(row["name"].take(), name);
    }
    assert_eq!(found.len(), names.len());
    assert_eq!(
        pilaster(&app, &["user", "list"]).as_array().map(Vec::len),
        Some(names.len())
    );
}

fn of_log() -> Project {
    let project = project();
    for (event, detail) in [
        ("user_registered", ":username"),
        ("user_confirmed", "null"),
        ("user_deleted", ":display_name"),
        ("login", ":method"),
        ("password_changed", "null"),
        ("email_changed", ":old_email"),
        (
            "roles_changed",
            "case when :granted then :role else '-' || :role end",
        ),
    ] {
        project.write(
            &format!("hooks/{event}.sql"),
            &format!(
                "insert into log (delivery, event_id, event, person, email, detail) \
                 values (:delivery_id, :event_id, '{event}', :user_id, :email, {detail})"
            ),
        );
    }
    project
}

async fn every_event_is_told(app: App) {
    let id = registered(&app, "ada", "Ada").await;
    assert_eq!(
        app.server.token("ada", "a long pass phrase").await.status,
        200
    );
    assert_eq!(
        app.server.token("ada", "a wrong pass phrase").await.status,
        401
    );
    pilaster(&app, &["user", "confirm", "ada"]);
    pilaster(
        &app,
        &["user", "update", "ada", "--email", "ada@new.example"],
    );
    assert_eq!(
        pilaster(&app, &["user", "grant", "ada", "editor"])["roles"],
        json!(["editor"])
    );
    assert_eq!(
        pilaster(&app, &["user", "revoke", "ada", "editor"])["roles"],
        json!([])
    );
    pilaster(&app, &["user", "revoke", "ada", "editor"]);
    let unknown = app
        .project
        .run(PILASTER, &["user", "grant", "ada", "edit0r"]);
    assert_eq!(
        (unknown.code, unknown.err.contains("did you mean editor?")),
        (2, true)
    );
    let made = pilaster(&app, &["user", "password", "ada"]);
    let password = made["password"].as_str().expect("a password");
    assert_eq!(
        app.server.token("ada", "a long pass phrase").await.status,
        401
    );
    assert_eq!(app.server.token("ada", password).await.status, 200);
    let wrong = app
        .project
        .run(PILASTER, &["user", "delete", "ada", "--confirm", "ada"]);
    assert_eq!(wrong.code, 5, "{}", wrong.text());
    pilaster(
        &app,
        &["user", "delete", "ada", "--confirm", "ada@new.example"],
    );
    assert_eq!(app.server.token("ada", password).await.status, 401);

    all_were_told(&rows(&app, "/api/log?order=delivery").await, &id);
}

fn all_were_told(told: &[serde_json::Value], id: &str) {
    let (old, new) = ("ada@example.org", "ada@new.example");
    let expected = [
        ("user_registered", old, json!("ada")),
        ("login", old, json!("password")),
        ("user_confirmed", old, json!(null)),
        ("email_changed", new, json!(old)),
        ("roles_changed", new, json!("editor")),
        ("roles_changed", new, json!("-editor")),
        ("password_changed", new, json!(null)),
        ("login", new, json!("password")),
        ("user_deleted", new, json!("Ada")),
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (row, (event, email, detail)) in told.iter().zip(expected) {
        assert_eq!(row["event"], event, "{told:?}");
        assert_eq!(
            (&row["person"], &row["email"]),
            (&json!(id), &json!(email)),
            "{event}"
        );
        assert_eq!(row["detail"], detail, "{event}");
    }
}

async fn a_failing_login_file_refuses_the_sign_in(app: App) {
    registered(&app, "ada", "Ada").await;
    app.project.write(
        "hooks/login.sql",
        "insert into guarded (delivery, switch) values (:delivery_id, 7)",
    );
    let App {
        project, database, ..
    } = app;
    let server = testkit::Running::serve(PILASTER, &project).await;
    let app = App {
        server,
        project,
        database,
    };
    let refused = app.server.token("ada", "a long pass phrase").await;
    assert!(
        refused.status >= 400 && !refused.body.contains("access_token"),
        "{refused:?}"
    );
    let opened = app
        .server
        .send("POST", "", "/api/switches", &json!({"id": 7}))
        .await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    assert_eq!(
        app.server.token("ada", "a long pass phrase").await.status,
        200
    );
    assert_eq!(rows(&app, "/api/guarded").await.len(), 1);
}

fn of_claims() -> Project {
    let project = of_people();
    project.write(
        "hooks/before_token.sql",
        "select handle as nickname, 7 as level, confirmed, sub as person, null as nothing, \
         cast(9007199254740993 as bigint) as large, :client_id as client \
         from people where sub = :user_id",
    );
    project.write(
        "api/me.get.sql",
        "-- @access authenticated\n-- @returns one\nselect auth.claim('nickname') as nickname",
    );
    project
}

async fn columns_become_claims_of_the_token(app: App) {
    use base64::Engine as _;
    let id = registered(&app, "ada", HOSTILE).await;
    let answer = app.server.token("ada", "a long pass phrase").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let middle = token.split('.').nth(1).expect("three parts");
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = engine.decode(middle).expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["sub"], json!(id));
    assert_eq!(claims["nickname"], "ada");
    assert_eq!(claims["level"], 7);
    assert_eq!(claims["confirmed"], false);
    assert_eq!(claims["person"], json!(id));
    assert_eq!(claims["large"], "9007199254740993");
    assert_eq!(claims["client"], "first-party");
    assert!(claims.get("nothing").is_none(), "{claims}");
    // A policy or a file can rest on it.
    let me = app.server.get_as(&token, "/api/me").await;
    assert_eq!(me.json(), json!({"nickname": "ada"}), "{}", me.body);
}

/// A file, what stands in it, and what is told of it.
const MISFITS: [(&str, &str, &str); 10] = [
    (
        "hooks/login.sql",
        "insert into people (sub, nme) values (:user_id, :email)",
        "people has no column nme",
    ),
    (
        "hooks/login.sql",
        "insert into peple (sub) values (:user_id)",
        "peple",
    ),
    (
        "hooks/login.sql",
        "update people set name = :nickname",
        "nickname",
    ),
    (
        "hooks/login.sql",
        "select sub from people",
        "nobody takes what this reads",
    ),
    (
        "hooks/login.sql",
        "-- @mode later\ndelete from people",
        "@mode later is not known",
    ),
    (
        "hooks/login.sql",
        "-- @mod outbox\ndelete from people",
        "@mod is not known",
    ),
    (
        "hooks/logins.sql",
        "delete from people",
        "did you mean hooks/login.sql?",
    ),
    (
        "hooks/before_token.sql",
        "select 'root' as sub",
        "the claim sub is the server's own",
    ),
    (
        "hooks/before_token.sql",
        "delete from people",
        "this is one query",
    ),
    (
        "hooks/before_token.sql",
        "-- @mode outbox\nselect 1 as level",
        "cannot wait for the outbox",
    ),
];

// req: HK-5
async fn a_file_that_does_not_fit_the_schema_stops_the_start(app: App) {
    let App {
        project,
        database: _database,
        server,
    } = app;
    drop(server);
    for (path, text, expected) in MISFITS {
        project.write(path, text);
        for verb in [
            &["serve", "--port", "0"][..],
            &["check"],
            &["check", "--offline"],
        ] {
            let refused = project.run(PILASTER, verb);
            assert_eq!(refused.code, 3, "{verb:?} {text}: {}", refused.text());
            assert!(
                refused.err.contains(path) && refused.err.contains(expected),
                "{expected}: {}",
                refused.err
            );
        }
        std::fs::remove_file(project.path().join(path)).expect("it is there");
    }
    project.write(
        "hooks/login.sql",
        "update people set name = :email where sub = :user_id",
    );
    let checked = project.succeed(PILASTER, &["check"]);
    assert!(checked.out.contains("1 SQL file(s)"), "{}", checked.text());
}

/// The blocks of a page between fences of that language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let parts = page.split(begin.as_str()).skip(1);
    let blocks = parts.map(|part| part.split("```").next().unwrap_or_default().to_owned());
    blocks.collect()
}

#[test]
fn what_the_page_about_hooks_shows_is_right() {
    let page = testkit::workspace().join("docs/hooks.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let project = project().with("WEBHOOK_CRM_SECRET", super::webhooks::SECRET);
    project.write(
        "schema/app.sql",
        "create table users (uuid uuid primary key, handle text, display_name text, email text);\n\
         create table welcome_queue (delivery uuid primary key, email text not null);\n\
         create table customers (sub uuid primary key, plan text, tenant text);\n",
    );
    let files = ["user_registered", "user_confirmed", "before_token"];
    let shown = blocks(&page, "sql");
    assert_eq!(shown.len(), files.len());
    for (event, text) in files.iter().zip(shown) {
        project.write(&format!("hooks/{event}.sql"), &text);
    }
    let shown = blocks(&page, "toml");
    assert_eq!(shown.len(), 3);
    project.write("pilaster.toml", &shown.concat());
    project.write("own-ca.pem", super::receiver::AUTHORITY);
    project.succeed(PILASTER, &["check", "--offline"]);
    for event in rest::Event::ALL {
        assert!(
            page.contains(&format!("`{}`", event.path())),
            "{}",
            event.path()
        );
    }
}
