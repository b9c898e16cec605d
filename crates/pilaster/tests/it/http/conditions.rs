//! Conditional requests, cursors, and what a path takes; the same on every engine.

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::Answer;

use super::grammar::films;
use super::{App, on_every_engine};

on_every_engine!(
    films: readers_are_told_that_nothing_is_new, writers_change_what_they_have_read,
    one_of_many_writers_wins, paths_tell_their_methods,
);

/// A request with headers and a body.
async fn send(
    app: &App,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let mut request = app.server.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = match body {
        Value::Null => request,
        body => request.json(body),
    };
    Answer::read(request).await
}

async fn readers_are_told_that_nothing_is_new(app: App) {
    for path in ["/api/films/1", "/api/films?select=id,title&limit=2"] {
        let first = app.server.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
        assert!(first.header("vary").contains("Authorization"));
        let same = send(&app, "GET", path, &[("If-None-Match", &tag)], &Value::Null).await;
        assert_eq!(
            (same.status, same.body.as_str(), same.header("etag")),
            (304, "", &*tag)
        );
        let weak = format!("\"x\", W/{tag}");
        assert_eq!(
            send(
                &app,
                "HEAD",
                path,
                &[("If-None-Match", &weak)],
                &Value::Null
            )
            .await
            .status,
            304
        );
        let title = format!("new for {path}");
        let changed = send(&app, "PATCH", "/api/films/1", &[], &json!({"title": title})).await;
        assert_eq!(changed.status, 204, "{}", changed.body);
        let news = send(&app, "GET", path, &[("If-None-Match", &tag)], &Value::Null).await;
        assert_eq!(news.status, 200);
        assert_ne!(news.header("etag"), tag);
    }
}

async fn writers_change_what_they_have_read(app: App) {
    let path = "/api/films/2";
    let tag = app.server.get(path).await.header("etag").to_owned();
    let patched = send(
        &app,
        "PATCH",
        path,
        &[("If-Match", &tag)],
        &json!({"title": "a"}),
    )
    .await;
    assert_eq!(patched.status, 204, "{}", patched.body);
    for (method, body) in [("PATCH", json!({"title": "b"})), ("DELETE", Value::Null)] {
        let stale = send(&app, method, path, &[("If-Match", &tag)], &body).await;
        assert_eq!(
            (stale.status, stale.json()["code"].as_str()),
            (412, Some("PGRST412")),
            "{method}"
        );
    }
    assert_eq!(app.server.get(path).await.json()["title"], "a");
    let selected = "/api/films/2?select=id,title";
    let tag = app.server.get(selected).await.header("etag").to_owned();
    let headers = [
        ("If-Match", tag.as_str()),
        ("Prefer", "return=representation"),
    ];
    let shown = send(&app, "PATCH", selected, &headers, &json!({"title": "c"})).await;
    assert_eq!(
        (shown.status, shown.json()),
        (200, json!({"id": 2, "title": "c"}))
    );
    let director = json!({"first_name": "Maya", "last_name": "Deren"});
    let absent = [("If-None-Match", "*")];
    assert_eq!(
        send(&app, "PUT", "/api/directors/9", &absent, &director)
            .await
            .status,
        201
    );
    assert_eq!(
        send(&app, "PUT", "/api/directors/9", &absent, &director)
            .await
            .status,
        412
    );
    let present = [("If-Match", "*")];
    assert_eq!(
        send(&app, "PUT", "/api/directors/10", &present, &director)
            .await
            .status,
        412
    );
    assert_eq!(
        send(&app, "DELETE", "/api/directors/9", &present, &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        send(&app, "DELETE", "/api/directors/9", &present, &Value::Null)
            .await
            .status,
        412
    );
}

async fn one_of_many_writers_wins(app: App) {
    let path = "/api/films/3";
    let tag = app.server.get(path).await.header("etag").to_owned();
    let writers = (0..12).map(async |number| {
        let body = json!({"title": format!("by {number}")});
        send(&app, "PATCH", path, &[("If-Match", &tag)], &body)
            .await
            .status
    });
    let mut statuses = join_all(writers).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert!(
        statuses[1..].iter().all(|status| *status == 412),
        "{statuses:?}"
    );
}

async fn paths_tell_their_methods(app: App) {
    for (path, allow) in [
        ("/api/films", "GET, POST, PATCH, PUT, DELETE, HEAD, OPTIONS"),
        ("/api/films/1", "GET, PATCH, PUT, DELETE, HEAD, OPTIONS"),
    ] {
        let answer = send(&app, "OPTIONS", path, &[], &Value::Null).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (200, allow),
            "{path}"
        );
    }
    assert_eq!(
        send(&app, "OPTIONS", "/api/nothing", &[], &Value::Null)
            .await
            .status,
        404
    );
    let other = send(
        &app,
        "GET",
        "/api/films",
        &[("Accept-Profile", "secret")],
        &Value::Null,
    )
    .await;
    assert_eq!(
        (other.status, other.json()["code"].as_str()),
        (406, Some("PGRST106"))
    );
    let described = app.server.get("/rest/v1/").await;
    assert!(
        described.json()["paths"]["/api/films"]["get"].is_object(),
        "{}",
        described.body
    );
    let plan = [("Accept", "application/vnd.pgrst.plan+json")];
    let hidden = send(&app, "GET", "/api/films", &plan, &Value::Null).await;
    assert_eq!(
        (hidden.status, hidden.json()["code"].as_str()),
        (406, Some("PGRST107"))
    );
}
