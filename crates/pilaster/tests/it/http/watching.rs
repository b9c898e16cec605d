//! Rows as they change, over a stream; the same on every engine.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::Project;

use super::{App, PILASTER, on_every_engine};

on_every_engine!(letters: changes_are_told_as_they_happen, only_what_may_be_read_is_told);

const SCHEMA: &str = "
create table letters (
  id    integer primary key,
  owner uuid not null default auth.uid(),
  body  text not null,
  open  boolean not null default false
);
grant select, insert, update, delete on letters to authenticated;
grant select on letters to anon;
create policy own on letters to authenticated using (owner = auth.uid()) with check (true);
create policy public on letters for select using (open);
create policy sent on letters for update to authenticated using (owner = auth.uid()) with check (true);
";

fn letters() -> Project {
    let project = Project::empty();
    project.write("schema/letters.sql", SCHEMA);
    project
}

/// An open stream and what of it has not been read yet.
struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(app: &App, token: &str, path: &str) -> Self {
        let request = app
            .server
            .request("GET", path)
            .header("Accept", "text/event-stream");
        let request = if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        };
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event; `None` where there is none for a while.
    async fn next(&mut self, wait: Duration) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let Some((name, data)) = event.split_once("\ndata: ") else {
                    continue;
                };
                let name = name.trim_start_matches("event: ").to_owned();
                return Some((name, serde_json::from_str(data).expect("JSON")));
            }
            let chunk = tokio::time::timeout(wait, self.response.chunk())
                .await
                .ok()?;
            let chunk = chunk.expect("the stream goes on")?;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    async fn expect(&mut self, name: &str, data: Value) {
        let found = self.next(Duration::from_secs(20)).await;
        assert_eq!(found, Some((name.to_owned(), data)));
    }
}

async fn changes_are_told_as_they_happen(app: App) {
    let ada = app.server.sign_up("ada").await;
    let write = async |method: &str, path: &str, body: Value| {
        let answer = app.server.send(method, &ada, path, &body).await;
        assert!(answer.status < 300, "{}", answer.body);
    };
    write("POST", "/api/letters", json!({"id": 1, "body": "a"})).await;
    let mut stream = Stream::open(&app, &ada, "/api/letters?select=body,open&order=id").await;
    stream
        .expect("snapshot", json!([{"body": "a", "open": false}]))
        .await;
    write("POST", "/api/letters", json!({"id": 2, "body": "b"})).await;
    stream
        .expect("insert", json!({"body": "b", "open": false}))
        .await;
    write("PATCH", "/api/letters/1", json!({"body": "c"})).await;
    stream
        .expect("update", json!({"body": "c", "open": false}))
        .await;
    write("DELETE", "/api/letters/2", Value::Null).await;
    stream.expect("delete", json!({"id": 2})).await;
    // Somebody else's write, past this server.
    let outside = "update letters set body = 'outside' where id = 1";
    app.project.succeed(
        PILASTER,
        &["db", "connect", "--builtin", "--execute", outside],
    );
    stream
        .expect("update", json!({"body": "outside", "open": false}))
        .await;
    let mut filtered = Stream::open(&app, &ada, "/api/letters?select=id&body=like.x*").await;
    filtered.expect("snapshot", json!([])).await;
    write("PATCH", "/api/letters/1", json!({"body": "xyz"})).await;
    filtered.expect("insert", json!({"id": 1})).await;
    write("PATCH", "/api/letters/1", json!({"body": "abc"})).await;
    filtered.expect("delete", json!({"id": 1})).await;
}

async fn only_what_may_be_read_is_told(app: App) {
    let (ada, eve) = (
        app.server.sign_up("ada").await,
        app.server.sign_up("eve").await,
    );
    let mut stream = Stream::open(&app, &eve, "/api/letters?select=id,body").await;
    let mut public = Stream::open(&app, "", "/api/letters?select=id,body").await;
    stream.expect("snapshot", json!([])).await;
    public.expect("snapshot", json!([])).await;
    let write = async |method: &str, path: &str, body: Value| {
        let answer = app.server.send(method, &ada, path, &body).await;
        assert!(answer.status < 300, "{}", answer.body);
    };
    write("POST", "/api/letters", json!({"id": 1, "body": "secret"})).await;
    write("PATCH", "/api/letters/1", json!({"body": "more"})).await;
    write("DELETE", "/api/letters/1", Value::Null).await;
    assert_eq!(stream.next(Duration::from_secs(3)).await, None);
    write(
        "POST",
        "/api/letters",
        json!({"id": 2, "body": "hello", "open": true}),
    )
    .await;
    stream
        .expect("insert", json!({"id": 2, "body": "hello"}))
        .await;
    public
        .expect("insert", json!({"id": 2, "body": "hello"}))
        .await;
    // A row that is hidden goes like one that is deleted: its key alone is told.
    write(
        "PATCH",
        "/api/letters/2",
        json!({"open": false, "body": "hidden"}),
    )
    .await;
    stream.expect("delete", json!({"id": 2})).await;
    public.expect("delete", json!({"id": 2})).await;
    for (path, status) in [("/api/nothing", 404), ("/api/letters?select=nothing", 400)] {
        let request = app
            .server
            .request("GET", path)
            .header("Accept", "text/event-stream");
        assert_eq!(
            request.send().await.expect("an answer").status(),
            status,
            "{path}"
        );
    }
}
