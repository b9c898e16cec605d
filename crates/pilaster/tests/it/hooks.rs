//! Hook files, the outbox and webhooks, through the command line and HTTP, on every engine.

mod files;
mod outbox;
pub(crate) mod receiver;
mod webhooks;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::Project;

use crate::http::{App, PILASTER};

/// What the tests' hooks write into; everybody may look.
const SCHEMA: &str = "\
create table people (
  sub uuid primary key, name varchar(200) not null, email text not null, handle varchar(80),
  confirmed boolean not null default false
);
create table log (
  delivery uuid primary key, event_id uuid not null, event varchar(40) not null,
  person uuid not null, email text not null, detail text
);
create table switches (id integer primary key);
create table guarded (delivery uuid primary key, switch integer not null references switches);
create role editor;
grant select on people to anon;
grant select on log to anon;
grant select, insert on switches to anon;
grant select on guarded to anon;
create policy people_all on people for select to anon using (true);
create policy log_all on log for select to anon using (true);
create policy switches_all on switches for all to anon using (true) with check (true);
create policy guarded_all on guarded for select to anon using (true);
";

/// A name that would do harm if it were ever SQL.
const HOSTILE: &str = "x'); drop table users;--";

fn project() -> Project {
    let project = Project::empty()
        .with("PILASTER_HOOKS_ATTEMPTS", "2")
        .with("PILASTER_HOOKS_FIRST_PAUSE", "100ms");
    project.write("schema/app.sql", SCHEMA);
    project
}

/// Waits until `look` gives something; what it gave.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} does not happen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn rows(app: &App, path: &str) -> Vec<Value> {
    let answer = app.server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json().as_array().expect("a list").clone()
}

async fn register(app: &App, name: &str, display_name: &str) -> testkit::Answer {
    let account = json!({
        "email": format!("{name}@example.org"), "password": "a long pass phrase",
        "username": name, "display_name": display_name,
    });
    app.server.send("POST", "", "/register", &account).await
}

/// Registers somebody; their id.
async fn registered(app: &App, name: &str, display_name: &str) -> String {
    let answer = register(app, name, display_name).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["id"].as_str().expect("an id").to_owned()
}

/// What `pilaster hooks failed --json` lists, and its exit code.
fn failures(app: &App) -> (Vec<Value>, i32) {
    let shown = app.project.run(PILASTER, &["hooks", "failed", "--json"]);
    let list: Value = serde_json::from_str(&shown.out)
        .unwrap_or_else(|error| panic!("{error}: {}", shown.text()));
    (list.as_array().expect("a list").clone(), shown.code)
}

/// Waits for the one dead letter.
pub(crate) async fn dead_letter(app: &App) -> Value {
    eventually("a dead letter", async || {
        let (list, code) = failures(app);
        let dead = list.into_iter().find(|one| one["state"] == "dead");
        assert_eq!(code, if dead.is_some() { 6 } else { 0 });
        dead
    })
    .await
}

pub(crate) fn pilaster(app: &App, words: &[&str]) -> Value {
    let mut words = words.to_vec();
    words.push("--json");
    let done = app.project.succeed(PILASTER, &words);
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}", done.text()))
}
