//! Several requests as one, and one request sent several times; the same on every engine.

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::Answer;

use super::calls::calling;
use super::{App, on_every_engine};

on_every_engine!(
    calling: batches_use_what_they_made, batches_are_all_or_nothing, wrong_batches_say_why,
    repeated_requests_are_done_once, keys_belong_to_requests,
);

async fn batch(app: &App, headers: &[(&str, &str)], parts: &Value) -> Answer {
    let mut request = app.server.request("POST", "/api/$batch");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::read(request.json(parts)).await
}

const SHOW: &str = "return=representation";

// req: CR-16
async fn batches_use_what_they_made(app: App) {
    let parts = json!([
        {"id": "who", "method": "POST", "path": "/directors", "headers": {"prefer": SHOW},
         "body": {"id": 50, "first_name": "Alice", "last_name": "Guy & Co"}},
        {"id": "what", "method": "POST", "path": "/api/films?select=id,director_id", "headers": {"Prefer": SHOW},
         "body": [{"id": 51, "title": "x", "year": 1906, "director_id": {"$ref": "who/0/id"}}]},
        {"method": "PATCH", "path": "films/{what/0/id}", "body": {"title": {"$ref": "who/0/last_name"}}},
        {"id": "list", "method": "GET", "path": "/films?select=title,directors!director_id(last_name)&title=eq.{who/0/last_name}"},
        {"method": "GET", "path": "/films?select=id&title=like(any).{Seven*,x*}"},
        {"method": "POST", "path": "/rpc/films_of", "body": {"director": {"$ref": "who/0/id"}}},
        {"method": "DELETE", "path": "/nominations?id=eq.4"}
    ]);
    let done = batch(&app, &[], &parts).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let answers = done.json();
    let statuses: Vec<i64> = answers
        .as_array()
        .expect("answers")
        .iter()
        .filter_map(|one| one["status"].as_i64())
        .collect();
    assert_eq!(statuses, [201, 201, 204, 200, 200, 200, 204]);
    assert_eq!(answers[1]["body"], json!([{"id": 51, "director_id": 50}]));
    assert_eq!(
        answers[3]["body"],
        json!([{"title": "Guy & Co", "directors": {"last_name": "Guy & Co"}}])
    );
    assert_eq!(answers[4]["body"], json!([{"id": 2}]));
    assert_eq!(answers[5]["body"][0]["id"], 51);
    assert_eq!(
        (&answers[0]["id"], &answers[6]["body"]),
        (&json!("who"), &Value::Null)
    );
    assert_eq!(
        app.server.get("/api/films/51?select=title").await.json()["title"],
        "Guy & Co"
    );
}

async fn batches_are_all_or_nothing(app: App) {
    let actor = |id: i64| json!({"method": "POST", "path": "/actors", "body": {"id": id, "name": format!("a{id}")}});
    let failing = json!([actor(60), actor(61), {"id": "bad", "method": "POST", "path": "/actors", "body": {"id": 60, "name": "again"}}]);
    let refused = batch(&app, &[], &failing).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (409, Some("23505")),
        "{}",
        refused.body
    );
    assert!(
        refused.json()["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("request bad of the batch"))
    );
    assert_eq!(app.server.get("/api/actors?id=gte.60").await.body, "[]");
    let rehearsed = batch(
        &app,
        &[("Prefer", "tx=rollback")],
        &json!([actor(60), {"method": "GET", "path": "/actors/60"}]),
    )
    .await;
    assert_eq!(
        rehearsed.json()[1]["body"]["name"],
        "a60",
        "{}",
        rehearsed.body
    );
    assert_eq!(app.server.get("/api/actors/60").await.status, 404);
    // Many at once: each whole, none lost.
    let many = (0..16).map(async |number| {
        let parts = json!([actor(100 + number), {"method": "PATCH", "path": "/films/1", "body": {"budget+": 1}}]);
        batch(&app, &[], &parts).await.status
    });
    let statuses = join_all(many).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(
        app.server.get("/api/films/1?select=budget").await.json()["budget"],
        64016
    );
}

async fn wrong_batches_say_why(app: App) {
    let get = |path: &str| json!([{"id": "a", "method": "GET", "path": path}]);
    for (parts, status) in [
        (json!({"method": "GET"}), 400),
        (
            json!([{"method": "GET", "path": "/films", "colour": 1}]),
            400,
        ),
        (json!([{"method": "TRACE", "path": "/films"}]), 400),
        (get("/$batch"), 400),
        (get("/nothing"), 404),
        (
            json!([{"method": "POST", "path": "/actors", "body": {"id": {"$ref": "later/0/id"}, "name": "x"}}]),
            400,
        ),
        (
            json!([{"method": "POST", "path": "/actors", "headers": {"Prefer": "tx=rollback"}, "body": {"id": 5, "name": "x"}}]),
            400,
        ),
        (
            json!([{"id": "a", "method": "GET", "path": "/films"}, {"id": "a", "method": "GET", "path": "/films"}]),
            400,
        ),
        (
            json!(vec![json!({"method": "GET", "path": "/films/1"}); 101]),
            400,
        ),
    ] {
        let refused = batch(&app, &[], &parts).await;
        assert_eq!(refused.status, status, "{parts}: {}", refused.body);
        assert!(refused.json()["code"].is_string());
    }
    assert_eq!(batch(&app, &[], &json!([])).await.json(), json!([]));
    assert_eq!(app.server.get("/api/$batch").await.status, 405);
}

async fn repeated_requests_are_done_once(app: App) {
    let send = async |key: &str| {
        let request = app.server.request("PATCH", "/api/films/1?select=budget");
        let request = request
            .header("Idempotency-Key", key)
            .header("Prefer", SHOW);
        Answer::read(request.json(&json!({"budget+": 1}))).await
    };
    let first = send("one").await;
    assert_eq!(
        (first.status, first.json()["budget"].as_i64()),
        (200, Some(64001)),
        "{}",
        first.body
    );
    let again = send("one").await;
    assert_eq!(
        (
            again.status,
            &again.body,
            again.header("idempotency-replayed")
        ),
        (200, &first.body, "true")
    );
    assert_eq!(again.header("content-type"), first.header("content-type"));
    let together = join_all((0..10).map(async |_| send("two").await.body)).await;
    assert!(
        together.iter().all(|body| *body == together[0]),
        "{together:?}"
    );
    assert_eq!(
        app.server.get("/api/films/1?select=budget").await.json()["budget"],
        64002
    );
    let parts = json!([{"method": "POST", "path": "/actors", "body": {"id": 70, "name": "z"}}]);
    let first = batch(&app, &[("Idempotency-Key", "three")], &parts).await;
    let again = batch(&app, &[("Idempotency-Key", "three")], &parts).await;
    assert_eq!(
        (first.status, again.status, &again.body),
        (200, 200, &first.body)
    );
    let made = app
        .server
        .request("POST", "/api/actors")
        .header("Idempotency-Key", "four");
    let made = Answer::read(made.json(&json!({"id": 71, "name": "y"}))).await;
    let again = app
        .server
        .request("POST", "/api/actors")
        .header("Idempotency-Key", "four");
    let again = Answer::read(again.json(&json!({"id": 71, "name": "y"}))).await;
    assert_eq!((made.status, again.status), (201, 201), "{}", again.body);
    assert_eq!(
        (again.header("location"), made.header("location")),
        ("/api/actors/71", "/api/actors/71")
    );
}

async fn keys_belong_to_requests(app: App) {
    let send = async |key: &str, body: &Value| {
        let request = app
            .server
            .request("POST", "/api/actors")
            .header("Idempotency-Key", key);
        Answer::read(request.json(body)).await
    };
    assert_eq!(send("k", &json!({"id": 80, "name": "a"})).await.status, 201);
    let other = send("k", &json!({"id": 81, "name": "b"})).await;
    assert_eq!(
        (other.status, other.json()["code"].as_str()),
        (422, Some("PGRST409")),
        "{}",
        other.body
    );
    // What was refused is tried again.
    assert_eq!(send("m", &json!({"id": 80, "name": "c"})).await.status, 409);
    assert_eq!(
        app.server
            .send("DELETE", "anon", "/api/actors/80", &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(send("m", &json!({"id": 80, "name": "c"})).await.status, 201);
    assert_eq!(
        send(&"x".repeat(256), &json!({"id": 82, "name": "d"}))
            .await
            .status,
        400
    );
}
