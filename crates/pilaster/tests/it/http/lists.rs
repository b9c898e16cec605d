//! Arrays and ranges: PostgreSQL alone has them, and the others say so.

use serde_json::{Value, json};
use testkit::{Project, Running, ThrowAwayDatabase};

use super::PILASTER;

const SCHEMA: &str = "
create table events (
  id       integer primary key,
  tags     text[] not null default '{}',
  numbers  bigint[],
  amounts  numeric[],
  people   uuid[],
  at       timestamptz[],
  flags    boolean[],
  seats    int4range,
  days     daterange not null default '[2026-01-01,2026-02-01)',
  open     tstzrange
);
create view tagged as select id, tags, days from events where days is not null;
grant select, insert, update on events to anon;
grant select on tagged to anon;
create policy all_events on events for all using (true) with check (true);
";

fn project(url: &str) -> Project {
    let project = Project::empty().with("DATABASE_URL", url);
    project.write("schema/events.sql", SCHEMA);
    project.write(
        "api/tags.get.sql",
        "-- @access anon\n-- @returns many\nselect id, tags, seats from events order by id\n",
    );
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    project
}

async fn list(server: &Running, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_has_arrays_and_ranges() {
    let Some(database) = ThrowAwayDatabase::create("postgres").await else {
        return;
    };
    let project = project(database.url());
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["migrate", "check"]);
    project.succeed(PILASTER, &["check", "--offline"]);
    let server = Running::serve(PILASTER, &project).await;
    let person = "0193a000-0000-7000-8000-000000000001";
    let row = json!({
        "id": 1, "tags": ["a", "b,c", "say \"hi\"", null, "é"], "numbers": [1, 9_007_199_254_740_993_i64],
        "amounts": ["1.50", 2], "people": [person], "at": ["2026-11-21T04:00:00Z"],
        "flags": [true, null], "seats": "[1,5]", "days": "(2026-11-20,2026-12-24)",
        "open": "[2026-11-21T04:00:00Z,)",
    });
    let made = server.send("POST", "", "/api/events", &row).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = server
        .send("POST", "", "/api/events", &json!({"id": 2}))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let found = list(&server, "/api/events?order=id").await;
    let expected = json!({
        "id": 1, "tags": ["a", "b,c", "say \"hi\"", null, "é"], "numbers": [1, "9007199254740993"],
        "amounts": found[0]["amounts"], "people": [person], "at": ["2026-11-21T04:00:00.000000Z"],
        "flags": [true, null], "seats": "[1,6)", "days": "[2026-11-21,2026-12-24)",
        "open": "[2026-11-21T04:00:00.000000Z,)",
    });
    assert_eq!(found[0], expected);
    let amounts = found[0]["amounts"].to_string();
    assert!(
        amounts.starts_with("[\"1.50") && amounts.contains(",\"2"),
        "{amounts}"
    );
    assert_eq!(
        (&found[1]["tags"], &found[1]["numbers"]),
        (&json!([]), &Value::Null)
    );
    // Compared as wholes, by PostgreSQL's literals; changed; through a view and an SQL file.
    let found = list(&server, "/api/events?seats=eq.[1,6)&select=id").await;
    assert_eq!(found, json!([{"id": 1}]));
    let found = list(&server, "/api/events?tags=eq.{}&select=id").await;
    assert_eq!(found, json!([{"id": 2}]));
    let change = json!({"tags": ["x"], "seats": "empty"});
    let changed = server
        .send("PATCH", "", "/api/events?id=eq.2", &change)
        .await;
    assert_eq!(changed.status, 204, "{}", changed.body);
    assert_eq!(
        list(&server, "/api/tagged?id=eq.2&select=tags").await,
        json!([{"tags": ["x"]}])
    );
    let found = list(&server, "/api/tags").await;
    assert_eq!(found[1], json!({"id": 2, "tags": ["x"], "seats": "empty"}));
    refuses_what_does_not_fit(&server).await;
    drop(server);
    are_copied_and_pulled(project, &expected).await;
}

async fn refuses_what_does_not_fit(server: &Running) {
    // What does not fit is named with its field.
    for (body, field) in [
        (json!({"id": 3, "tags": "a"}), "/tags"),
        (json!({"id": 3, "numbers": ["x"]}), "/numbers"),
        (json!({"id": 3, "seats": "1..5"}), "/seats"),
        (json!({"id": 3, "days": "[1,2)"}), "/days"),
    ] {
        let refused = server.send("POST", "", "/api/events", &body).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert_eq!(
            refused.json()["errors"][0]["pointer"],
            field,
            "{}",
            refused.body
        );
    }
    // A bound above the other is PostgreSQL's to find.
    let refused = server
        .send(
            "POST",
            "",
            "/api/events",
            &json!({"id": 3, "seats": "[5,1]"}),
        )
        .await;
    assert!((400..500).contains(&refused.status), "{}", refused.body);
}

async fn are_copied_and_pulled(project: Project, expected: &Value) {
    // They are dumped and loaded, and pulled as what they are.
    project.succeed(PILASTER, &["db", "dump", "all.jsonl"]);
    let Some(second) = ThrowAwayDatabase::create("postgres").await else {
        return;
    };
    let project = project.with("DATABASE_URL", second.url());
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["db", "load", "all.jsonl"]);
    let server = Running::serve(PILASTER, &project).await;
    assert_eq!(list(&server, "/api/events?id=eq.1").await[0], *expected);
    let adopted = Project::empty().with("DATABASE_URL", second.url());
    adopted.succeed(PILASTER, &["db", "pull"]);
    let pulled = adopted.read("schema/pulled.sql");
    for column in [
        "\"tags\" text[] not null default '{}'",
        "\"numbers\" bigint[]",
        "\"open\" tstzrange",
    ] {
        assert!(pulled.contains(column), "{column}\n{pulled}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_say_that_they_have_none() {
    for engine in ["sqlite", "mariadb", "mysql"] {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project(database.url());
        for verb in [["migrate", "up"], ["check", "--offline"]] {
            let refused = project.run(PILASTER, &verb);
            assert_eq!(refused.code, 3, "{engine} {verb:?}: {}", refused.text());
            let text = refused.text();
            assert!(
                text.contains("events.tags is text[], which"),
                "{engine}: {text}"
            );
            assert!(
                text.contains("write jsonb, or two columns"),
                "{engine}: {text}"
            );
        }
    }
}
