//! The schema language through the whole product, on every engine.

use serde_json::{Value, json};
use testkit::{Project, Running, ThrowAwayDatabase};

use crate::http::PILASTER;

const ENGINES: [&str; 4] = ["sqlite", "postgres", "mariadb", "mysql"];

const SCHEMA: &str = "
create type mood as enum ('sad', 'ok', 'it''s fine');

create function tidy(word text) returns text language sql return lower(trim(word));
create function is_member(wanted integer) returns boolean language sql
  as $$ select exists (select 1 from members where room = wanted and person = auth.uid()) $$;
create function may_post(wanted integer) returns boolean language sql
  as $$ select is_member(wanted) $$;

create table rooms (
  id integer primary key,
  name text not null,
  mood mood not null default 'ok',
  check (tidy(name) <> 'admin')
);
create unique index rooms_name on rooms ((tidy(name)));
create table members (
  -- Of the same name as the room's, so that a careless inlining would compare it with itself.
  id integer primary key,
  room integer not null references rooms,
  person uuid not null
);
create table posts (id integer primary key, room integer not null references rooms, text text);

grant select, insert on rooms to authenticated;
grant select, insert on members to authenticated;
grant select, insert on posts to authenticated;
create policy seen on rooms for select to authenticated using (is_member(id) or id = 9);
create policy made on rooms for insert to authenticated with check (true);
create policy own on members for all to authenticated
  using (person = auth.uid()) with check (person = auth.uid());
create policy posted on posts for all to authenticated
  using (is_member(room)) with check (may_post(room));
";

async fn status(server: &Running, token: &str, path: &str, body: Value) -> u16 {
    server.send("POST", token, path, &body).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_put_in_and_enums_are_checked() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = Project::empty().with("DATABASE_URL", database.url());
        project.write("schema/rooms.sql", SCHEMA);
        project.succeed(PILASTER, &["migrate", "new", "init"]);
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "check"]);
        let server = Running::serve(PILASTER, &project).await;
        let ada = server.sign_up("ada").await;
        let grace = server.sign_up("grace").await;
        let me = server.get_as(&ada, "/auth/me").await.json()["id"].clone();

        for (row, wanted) in [
            (json!({"id": 1, "name": "Lobby"}), 201),
            (json!({"id": 2, "name": "Cellar", "mood": "it's fine"}), 201),
            (json!({"id": 3, "name": " lobby "}), 409),
            (json!({"id": 4, "name": " Admin"}), 400),
            (json!({"id": 5, "name": "Attic", "mood": "angry"}), 400),
        ] {
            let got = status(&server, &ada, "/api/rooms", row.clone()).await;
            let is_refused = wanted == 400 && (got == 400 || got == 422);
            assert!(got == wanted || is_refused, "{engine}: {row}: {got}");
        }
        // A member whose own id is the other room's.
        let member = json!({"id": 2, "room": 1, "person": me});
        assert_eq!(
            status(&server, &ada, "/api/members", member).await,
            201,
            "{engine}"
        );
        let seen = server
            .get_as(&ada, "/api/rooms?select=id,mood&order=id")
            .await;
        assert_eq!(seen.body, r#"[{"id":1,"mood":"ok"}]"#, "{engine}");
        let seen = server.get_as(&grace, "/api/rooms").await;
        assert_eq!(seen.body, "[]", "{engine}");
        let post = json!({"id": 1, "room": 1, "text": "hello"});
        assert_eq!(
            status(&server, &grace, "/api/posts", post.clone()).await,
            403,
            "{engine}"
        );
        assert_eq!(
            status(&server, &ada, "/api/posts", post).await,
            201,
            "{engine}"
        );
        let other = json!({"id": 2, "room": 2, "text": "hello"});
        assert_eq!(
            status(&server, &ada, "/api/posts", other).await,
            403,
            "{engine}"
        );
        drop(server);

        // A new value is a new check, and no value is lost.
        project.write(
            "schema/rooms.sql",
            &SCHEMA.replace("'sad',", "'sad', 'elated',"),
        );
        let written = project.succeed(PILASTER, &["migrate", "new", "elated"]).out;
        assert!(!written.contains("loses data"), "{written}");
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "check"]);
        project.succeed(PILASTER, &["migrate", "down"]);
        project.succeed(PILASTER, &["migrate", "check"]);
    }
}

#[test]
fn functions_and_enums_are_refused_with_their_place() {
    let table = "create table t (id integer primary key, b integer not null);\n";
    for (text, place, message) in [
        (
            "create table t (a mood);",
            "1:17",
            "mood is not a known type",
        ),
        (
            "create function f(b integer) returns boolean language sql as $$ select exists (select 1 from t where b = 1) $$;",
            "2:1",
            "b is a column of t, too",
        ),
        (
            "create function f() returns boolean language sql return id = 1;",
            "2:57",
            "there is no column id",
        ),
        (
            "create function f() returns integer language sql return true;",
            "2:1",
            "returns integer, its body a boolean",
        ),
        (
            "create function f() returns integer language sql return f();",
            "2:57",
            "calls itself",
        ),
        (
            "create function lower(x text) returns text language sql return x;",
            "2:1",
            "is a function of the language",
        ),
        (
            "create function f() returns integer language plpgsql as 'x';",
            "2:1",
            "written in SQL",
        ),
        (
            "create function f() returns integer language sql security definer return 1;",
            "2:1",
            "no rights of its own",
        ),
    ] {
        let project = Project::empty();
        let whole = match text.starts_with("create table") {
            true => text.to_owned(),
            false => format!("{table}{text}"),
        };
        project.write("schema/wrong.sql", &whole);
        let refused = project.run(PILASTER, &["check", "--offline"]);
        assert_eq!(refused.code, 3, "{text}: {}", refused.text());
        let wanted = format!("schema/wrong.sql:{place}: ");
        assert!(refused.err.contains(&wanted), "{text}: {}", refused.err);
        assert!(refused.err.contains(message), "{text}: {}", refused.err);
    }
}
