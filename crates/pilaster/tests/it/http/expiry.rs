//! Rows that expire: gone for everybody at their moment, deleted soon after; the same on every
//! engine.

use serde_json::{Value, json};
use testkit::{Answer, Project};

use super::{App, PILASTER, on_every_engine};

on_every_engine!(notes: expired_rows_are_gone_and_purged);

const SCHEMA: &str = "
create table notes (
  id         integer primary key,
  body       text not null,
  expires_at timestamptz
);
comment on column notes.expires_at is 'When nobody sees the note any more. @expires';
create table links (
  id   integer primary key,
  note integer references notes on delete cascade
);
grant select, insert, update, delete on notes, links to anon;
create policy everybody on notes using (true) with check (true);
create policy everybody on links using (true) with check (true);
";

fn notes() -> Project {
    let project = Project::empty();
    project.write("schema/notes.sql", SCHEMA);
    project.write(
        "seed/notes.sql",
        "insert into notes (id, body, expires_at) values\n\
           (1, 'for ever', null), (2, 'long ago', '2020-01-01T00:00:00Z'), (3, 'far away', '2999-01-01T00:00:00Z');\n\
         insert into links (id, note) values (1, 1), (2, 2), (3, 3);\n",
    );
    project.write(
        "api/bodies.get.sql",
        "-- @access anon\n-- @returns many\nselect body from notes order by id\n",
    );
    project
}

// req: CR-9
#[expect(
    clippy::disallowed_methods,
    reason = "the server under test has the real clock"
)]
async fn expired_rows_are_gone_and_purged(app: App) {
    let ids = async |path: &str| app.server.get(path).await.body;
    assert_eq!(
        ids("/api/notes?select=id&order=id").await,
        r#"[{"id":1},{"id":3}]"#
    );
    assert_eq!(app.server.get("/api/notes/2").await.status, 404);
    assert_eq!(
        ids("/api/bodies").await,
        r#"[{"body":"for ever"},{"body":"far away"}]"#
    );
    assert_eq!(
        ids("/api/links?select=id,notes(id)&order=id").await,
        r#"[{"id":1,"notes":{"id":1}},{"id":2,"notes":null},{"id":3,"notes":{"id":3}}]"#
    );
    for (method, body) in [("PATCH", json!({"body": "x"})), ("DELETE", Value::Null)] {
        let request = app.server.request(method, "/api/notes/2").json(&body);
        assert_eq!(Answer::read(request).await.status, 404, "{method}");
    }
    let soon = std::time::SystemTime::now() + std::time::Duration::from_millis(1500);
    let soon = soon
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_millis();
    let soon = i64::try_from(soon).expect("in range");
    let expires = testkit::rfc3339(soon / 1000, soon % 1000);
    let made = app
        .server
        .send(
            "POST",
            "",
            "/api/notes",
            &json!({"id": 4, "body": "short", "expires_at": expires}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(app.server.get("/api/notes/4").await.status, 200);
    tokio::time::sleep(std::time::Duration::from_millis(1800)).await;
    assert_eq!(app.server.get("/api/notes/4").await.status, 404);
    let purged = app.project.succeed(PILASTER, &["db", "purge"]);
    assert!(
        purged.out.contains("notes: 2 row(s) purged"),
        "{}",
        purged.text()
    );
    let again = app.project.succeed(PILASTER, &["db", "purge", "--json"]);
    assert_eq!(again.out.trim(), r#"[{"table":"notes","rows":0}]"#);
    assert_eq!(
        ids("/api/links?select=id&order=id").await,
        r#"[{"id":1},{"id":3}]"#
    );
}
