//! SQL files as endpoints.

use serde_json::json;
use testkit::Project;

use super::{App, on_every_engine};

on_every_engine!(
    the_feed_nests_authors_and_replies,
    parameters_are_typed_and_all_faults_named,
    parameters_are_only_bound,
);

// req: SQ-7
async fn the_feed_nests_authors_and_replies(app: App) {
    let ada = app.server.sign_up("ada").await;
    let created = app
        .server
        .send(
            "POST",
            &ada,
            "/api/activities",
            &json!({"message": "a \"quoted\" message"}),
        )
        .await;
    let path = created.header("location").to_owned();
    for reply in ["one", "two"] {
        let answer = app
            .server
            .send(
                "POST",
                &ada,
                &format!("{path}/reply"),
                &json!({"message": reply}),
            )
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    let feed = app.server.get("/api/feed?limit=1").await;
    assert_eq!(feed.status, 200, "{}", feed.body);
    let row = &feed.json()[0];
    assert_eq!(row["message"], "a \"quoted\" message");
    assert_eq!(row["author"]["handle"], "ada");
    assert_eq!(row["replies_count"], 2);
    let replies: Vec<&str> = row["replies"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|r| r["message"].as_str())
        .collect();
    assert_eq!(replies, ["one", "two"]);
    let moment = row["replies"][0]["created_at"].as_str().expect("a moment");
    assert!(moment.len() == 27 && moment.ends_with('Z'), "{moment}");
    assert_eq!(
        app.server.get_as(&ada, "/api/feed?limit=1").await.body,
        feed.body
    );
    let before = row["created_at"].as_str().expect("a moment");
    let uuid = row["uuid"].as_str().expect("an id");
    let next = app
        .server
        .get(&format!("/api/feed?before={before}&before_uuid={uuid}"))
        .await;
    assert_eq!(
        next.json()[0]["message"],
        "This was imported as seed data!",
        "{}",
        next.body
    );
    let spoofed = app
        .server
        .get("/api/feed?auth_uid=0193a000-0000-7000-8000-000000000001")
        .await;
    assert_eq!(spoofed.status, 422, "{}", spoofed.body);
}

// req: SQ-6
async fn parameters_are_typed_and_all_faults_named(app: App) {
    let refused = app
        .server
        .get("/api/feed?limit=abc&before=soon&xyz=1")
        .await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    for pointer in ["?limit", "?before", "?xyz"] {
        assert!(refused.body.contains(pointer), "{}", refused.body);
    }
    assert_eq!(app.server.get("/api/feed?limit=51").await.status, 422);
    let ada = app.server.sign_up("ada").await;
    let missing = app
        .server
        .send("POST", &ada, "/api/activities/nonsense/reply", &json!({}))
        .await;
    assert_eq!(missing.status, 422, "{}", missing.body);
    assert!(
        missing.body.contains("path uuid") && missing.body.contains("/message"),
        "{}",
        missing.body
    );
    let path = "/api/activities/0193a000-0000-7000-8000-0000000000a1/reply";
    assert_eq!(
        app.server
            .send("POST", "", path, &json!({"message": "x"}))
            .await
            .status,
        401
    );
}

// req: SQ-1, SQ-4
#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_answer() {
    let project = Project::cruddur();
    let head = "-- @access anon\n-- @returns";
    project.write(
        "api/activities/home.get.sql",
        &format!("{head} many\nselect handle from users where handle = 'x' order by handle\n"),
    );
    project.write("api/one.get.sql", &format!("{head} one\n-- @param handle text\nselect handle from users where handle like :handle\n"));
    project.write(
        "api/or.get.sql",
        &format!("{head} one\n-- @empty {{}}\nselect handle from users where handle = 'x'\n"),
    );
    project.write(
        "api/value.get.sql",
        &format!("{head} value\nselect count(*) as n from users\n"),
    );
    let Some(app) = App::of("sqlite", project).await else {
        return;
    };
    let get = |path: &'static str| app.server.get(path);
    let home = get("/api/activities/home").await;
    assert_eq!((home.status, home.body.as_str()), (200, "[]"));
    let one = get("/api/one?handle=bayko").await;
    assert_eq!(
        (one.status, one.body.as_str()),
        (200, "{\"handle\":\"bayko\"}")
    );
    assert_eq!(get("/api/one?handle=x").await.status, 404);
    assert_eq!(get("/api/one?handle=%25").await.status, 406);
    assert_eq!(get("/api/or").await.body, "{}");
    assert_eq!(get("/api/value").await.body, "2");
}

// req: SQ-2
async fn parameters_are_only_bound(app: App) {
    let ada = app.server.sign_up("ada").await;
    let path = "/api/activities/0193a000-0000-7000-8000-0000000000a1/reply";
    let hostile = "'; drop table users;-- \\'; x' or '1'='1";
    let answer = app
        .server
        .send("POST", &ada, path, &json!({"message": hostile}))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.json()["message"], hostile);
    let users = app
        .server
        .get("/api/users?select=handle&order=handle")
        .await;
    assert_eq!(
        users.json().as_array().map(Vec::len),
        Some(3),
        "{}",
        users.body
    );
}

/// A file runs with its caller's rules: what a policy forbids is refused there too.
#[tokio::test(flavor = "multi_thread")]
async fn policies_hold_inside_sql_files() {
    let project = Project::cruddur();
    project.write(
        "api/note.post.sql",
        "-- @access authenticated\n-- @returns one\n-- @param message text\n\
         insert into activities (message) values (:message) returning uuid, message\n",
    );
    project.write(
        "api/edit.post.sql",
        "-- @access authenticated\n-- @returns one\n-- @param id uuid\n-- @param message text\n\
         update activities set message = :message where uuid = :id returning uuid, message\n",
    );
    let Some(app) = App::of("sqlite", project).await else {
        return;
    };
    let (ada, eve) = (
        app.server.sign_up("ada").await,
        app.server.sign_up("eve").await,
    );
    let made = app
        .server
        .send("POST", &ada, "/api/note", &json!({"message": "mine"}))
        .await;
    assert_eq!(made.status, 200, "{}", made.body);
    let edit = json!({"id": made.json()["uuid"], "message": "changed"});
    assert_eq!(
        app.server
            .send("POST", &eve, "/api/edit", &edit)
            .await
            .status,
        404
    );
    assert_eq!(
        app.server
            .send("POST", &ada, "/api/edit", &edit)
            .await
            .status,
        200
    );
    let text = app.project.read("schema/cruddur.sql");
    let wide = text.replace(
        "update (message, expires_at)",
        "update (message, expires_at, user_uuid)",
    );
    app.project.write("schema/cruddur.sql", &wide);
    app.project.write(
        "api/give.post.sql",
        "-- @access authenticated\n-- @returns none\n-- @param id uuid\n-- @param to uuid\n\
         update activities set user_uuid = :to where uuid = :id\n",
    );
    let refused = app.project.run(super::PILASTER, &["check", "--offline"]);
    assert_eq!(refused.code, 3, "{}", refused.text());
    assert!(
        refused.err.contains("api/give.post.sql") && refused.err.contains("rules of activities"),
        "{}",
        refused.err
    );
}
