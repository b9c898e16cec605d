//! The same answers with the setting on and off, through every door of the data API.

use serde_json::{Value, json};
use testkit::Answer;

use super::{Stage, console, run};

/// A request: who (0 is ada, 1 is bob), method, path, `Prefer`, body.
type Asked = (usize, &'static str, &'static str, &'static str, Value);

#[expect(clippy::too_many_lines, reason = "a list")]
fn requests() -> Vec<Asked> {
    let plain = "return=representation";
    vec![
        (
            0,
            "GET",
            "/api/notes?select=id,title&order=id",
            "count=exact",
            Value::Null,
        ),
        (
            1,
            "GET",
            "/api/notes?select=*&order=id",
            "count=exact",
            Value::Null,
        ),
        (
            1,
            "GET",
            "/api/notes?select=id,handed_in(by)&order=id",
            "",
            Value::Null,
        ),
        (0, "GET", "/api/notes/4", "", Value::Null),
        (0, "GET", "/api/notes/1", "", Value::Null),
        (0, "GET", "/api/notes?select=body", "", Value::Null),
        (2, "GET", "/api/notes", "", Value::Null),
        (2, "GET", "/api/totals", "", Value::Null),
        (0, "GET", "/api/mine?order=id", "", Value::Null),
        (1, "GET", "/api/titles", "", Value::Null),
        (1, "GET", "/api/titles?id=gt.2", "count=exact", Value::Null),
        (0, "GET", "/api/everything", "", Value::Null),
        (
            0,
            "GET",
            "/api/everything?id=lt.3",
            "count=exact",
            Value::Null,
        ),
        // Made, refused, taken by a row that is hidden.
        (
            0,
            "POST",
            "/api/notes",
            plain,
            json!({"id": 10, "title": "ten"}),
        ),
        (
            0,
            "POST",
            "/api/notes",
            "",
            json!([{"id": 11, "title": "11"}, {"id": 12, "title": "damn"}]),
        ),
        (
            0,
            "POST",
            "/api/notes",
            "",
            json!({"id": 3, "title": "other"}),
        ),
        (
            0,
            "POST",
            "/api/notes",
            "",
            json!({"id": 13, "title": "three"}),
        ),
        (
            0,
            "POST",
            "/api/handed_in",
            "",
            json!({"note": 1, "by": "ada"}),
        ),
        (
            1,
            "POST",
            "/api/handed_in",
            plain,
            json!({"note": 3, "by": "bob"}),
        ),
        (
            1,
            "POST",
            "/api/handed_in",
            plain,
            json!({"note": 999, "by": "bob"}),
        ),
        (
            1,
            "POST",
            "/api/notes?select=id,handed_in(by)",
            plain,
            json!({"id": 14, "title": "14", "handed_in": {"by": "me"}}),
        ),
        (
            0,
            "PATCH",
            "/api/notes/1",
            plain,
            json!({"title": "uno", "marks+": 2}),
        ),
        (0, "PATCH", "/api/notes/1", plain, json!({"title": "damn"})),
        (0, "PATCH", "/api/notes/3", plain, json!({"title": "mine"})),
        (1, "PATCH", "/api/notes/2", plain, json!({"title": "bob's"})),
        (
            1,
            "PATCH",
            "/api/notes?id=gt.0",
            plain,
            json!({"body": "changed"}),
        ),
        (0, "PUT", "/api/notes/2", plain, json!({"title": "deux"})),
        (0, "PUT", "/api/notes/3", plain, json!({"title": "mine"})),
        (0, "PUT", "/api/notes/4", plain, json!({"title": "mine"})),
        (0, "PUT", "/api/notes/20", plain, json!({"title": "vingt"})),
        (
            0,
            "POST",
            "/api/notes",
            "resolution=merge-duplicates,return=representation",
            json!([{"id": 20, "title": "XX"}, {"id": 21, "title": "XXI"}]),
        ),
        (
            0,
            "POST",
            "/api/notes",
            "resolution=merge-duplicates,return=representation",
            json!([{"id": 3, "title": "stolen"}, {"id": 22, "title": "XXII"}]),
        ),
        (
            0,
            "POST",
            "/api/notes",
            "resolution=merge-duplicates,return=representation",
            json!([{"id": 5, "title": "back"}]),
        ),
        (
            0,
            "POST",
            "/api/notes",
            "resolution=ignore-duplicates,return=representation",
            json!([{"id": 3, "title": "stolen"}, {"id": 23, "title": "XXIII"}]),
        ),
        (
            0,
            "POST",
            "/api/notes?on_conflict=title",
            "resolution=merge-duplicates,return=representation",
            json!([{"id": 24, "title": "XXI", "body": "b"}]),
        ),
        (
            0,
            "POST",
            "/api/notes?on_conflict=title",
            "resolution=ignore-duplicates",
            json!([{"id": 25, "title": "three"}, {"id": 26, "title": "XXVI"}]),
        ),
        (1, "DELETE", "/api/notes/2", "", Value::Null),
        (0, "DELETE", "/api/notes?title=eq.XXIII", plain, Value::Null),
        (
            0,
            "PATCH",
            "/api/notes/1",
            "tx=rollback,return=representation",
            json!({"title": "never"}),
        ),
        (
            0,
            "POST",
            "/api/$batch",
            "",
            json!([
            {"id": "a", "method": "POST", "path": "/notes", "headers": {"Prefer": plain}, "body": {"id": 30, "title": "XXX"}},
            {"id": "b", "method": "PATCH", "path": "/notes/{a/0/id}", "headers": {"Prefer": plain}, "body": {"title": "thirty"}},
            {"id": "c", "method": "GET", "path": "/everything?id=gte.30&id=lt.100"},
            {"id": "d", "method": "GET", "path": "/notes?select=id&order=id"}]),
        ),
        (
            0,
            "POST",
            "/api/$batch",
            "",
            json!([
            {"method": "POST", "path": "/notes", "body": {"id": 31, "title": "XXXI"}},
            {"method": "PATCH", "path": "/notes/3", "body": {"title": "no"}}]),
        ),
    ]
}

async fn answer(stage: &Stage, (who, method, path, prefer, body): &Asked) -> Answer {
    let mut request = stage
        .app
        .server
        .request(method, path)
        .header("Prefer", *prefer);
    if let Some(token) = stage.tokens.get(*who) {
        request = request.bearer_auth(token);
    }
    if !body.is_null() {
        request = request.json(body);
    }
    Answer::read(request).await
}

/// What an answer says, without what differs by chance.
fn said(stage: &Stage, answer: &Answer) -> String {
    let [ada, bob] = &stage.ids;
    let body = answer.body.replace(ada, "ADA").replace(bob, "BOB");
    let body = match body.split_once("\"request_id\"") {
        Some((before, _)) => before.to_owned(),
        None => body,
    };
    format!(
        "{} {} {} {body}",
        answer.status,
        answer.header("content-range"),
        answer.header("location")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_the_same_with_and_without_policies_of_the_database() {
    let (Some(off), Some(on)) = (Stage::build("off").await, Stage::build("on").await) else {
        return;
    };
    let mut consoles = [
        console(&off.app.database).await,
        console(&on.app.database).await,
    ];
    let mut statuses = std::collections::BTreeMap::new();
    for asked in requests() {
        let (without, with) = (answer(&off, &asked).await, answer(&on, &asked).await);
        assert_eq!(said(&on, &with), said(&off, &without), "{asked:?}");
        *statuses.entry(with.status).or_insert(0) += 1;
        let rows = "select id, title, body, marks from notes order by id";
        let [first, second] = &mut consoles;
        assert_eq!(run(second, rows).await, run(first, rows).await, "{asked:?}");
    }
    // Neither all refused nor all let through.
    for status in [200, 201, 403, 404, 409] {
        assert!(statuses.contains_key(&status), "{statuses:?}");
    }
    // No statement met the second belt: the first one held.
    let log = on.app.server.log();
    assert!(!log.contains("the database refused"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_repeats_and_streams_go_through_it() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let (server, token) = (&stage.app.server, &stage.tokens[0]);
    let of = |request: reqwest::RequestBuilder| Answer::read(request.bearer_auth(token));
    let tag = of(server.request("GET", "/api/notes/1"))
        .await
        .header("etag")
        .to_owned();
    assert!(!tag.is_empty());
    for (tag, status) in [(tag.as_str(), 204), (tag.as_str(), 412)] {
        let change = server
            .request("PATCH", "/api/notes/1")
            .header("If-Match", tag);
        let answer = of(change.json(&json!({"title": "uno"}))).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    for replayed in ["", "true"] {
        let make = server
            .request("POST", "/api/notes")
            .header("Idempotency-Key", "once");
        let answer = of(make.json(&json!({"id": 40, "title": "forty"}))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("idempotency-replayed"), replayed);
    }
    let stream = server.request("GET", "/api/notes?select=id&order=id");
    let stream = stream
        .header("Accept", "text/event-stream")
        .bearer_auth(token);
    let mut stream = stream.send().await.expect("an answer");
    let mut text = String::new();
    let mut until = async |words: &str| {
        while !text.contains(words) {
            let chunk = stream.chunk().await.expect("it goes on").expect("more");
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        text.clone()
    };
    until("event: snapshot").await;
    for (token, id) in [(&stage.tokens[1], 50), (token, 51)] {
        let body = json!({"id": id, "title": format!("{id}")});
        assert_eq!(
            server.send("POST", token, "/api/notes", &body).await.status,
            201
        );
    }
    let seen = until("event: insert").await;
    assert!(
        seen.contains("{\"id\":51}") && !seen.contains("50"),
        "{seen}"
    );
    assert!(
        seen.contains("[{\"id\":1},{\"id\":2},{\"id\":40},{\"id\":100}]"),
        "{seen}"
    );
}
