//! Conditional requests, cursors, and what a path takes; the same on every engine.

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::Answer;

use super::grammar::films;
use super::{App, on_every_engine};

on_every_engine!(
    films: readers_are_told_that_nothing_is_new, writers_change_what_they_have_read,
    one_of_many_writers_wins, paths_tell_their_methods, answers_say_where_they_are,
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

/// Two spellings of one address are told alike; what is written has none.
async fn answers_say_where_they_are(app: App) {
    for (path, told) in [
        ("/api/films?order=id&limit=1", "/api/films?limit=1&order=id"),
        ("/api/films?limit=1&order=id", "/api/films?limit=1&order=id"),
        ("/rest/v1/films?id=eq.1", "/rest/v1/films?id=eq.1"),
        ("/api/films/1", "/api/films/1"),
        (
            "/api/films?id=gt.1&id=lt.3&and=(id.eq.2)",
            "/api/films?and=(id.eq.2)&id=gt.1&id=lt.3",
        ),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = send(&app, method, path, &[], &Value::Null).await;
            assert_eq!(answer.header("server-timing"), "");
            assert_eq!(
                (answer.status, answer.header("content-location")),
                (200, told)
            );
        }
    }
    let written = send(
        &app,
        "PATCH",
        "/api/films?id=eq.1",
        &[],
        &json!({"year": 1928}),
    )
    .await;
    assert_eq!(
        (written.status, written.header("content-location")),
        (204, "")
    );
    let nowhere = send(&app, "HEAD", "/api/nothing", &[], &Value::Null).await;
    let status = nowhere.header("proxy-status");
    assert_eq!((nowhere.status, status), (404, "pilaster; error=PGRST205"));
    let geo = [("Accept", "application/geo+json")];
    let none = send(&app, "GET", "/api/films", &geo, &Value::Null).await;
    assert_eq!(
        (none.status, none.json()["code"].as_str()),
        (406, Some("PGRST107"))
    );
    assert!(
        none.json()["hint"].to_string().contains("geometry"),
        "{}",
        none.body
    );
    let either = [("Accept", "application/geo+json, application/json;q=0.5")];
    let rows = send(&app, "GET", "/api/films", &either, &Value::Null).await;
    assert_eq!(
        (rows.status, rows.header("content-type")),
        (200, "application/json")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_told_where_that_is_wanted() {
    let project = films().with("PILASTER_API_TIMINGS", "on");
    let Some(app) = App::of("sqlite", project).await else {
        return;
    };
    let parts =
        json!([{"method": "GET", "path": "/films?limit=1"}, {"method": "GET", "path": "/films/1"}]);
    for (method, path, body) in [
        ("GET", "/api/films?limit=1", Value::Null),
        ("HEAD", "/api/films/1", Value::Null),
        ("PATCH", "/api/films?id=eq.1", json!({"year": 1928})),
        ("POST", "/api/$batch", parts),
    ] {
        let answer = send(&app, method, path, &[], &body).await;
        let timing = answer.header("server-timing");
        let parts: Vec<(&str, f64)> = timing
            .split(", ")
            .filter_map(|part| part.split_once(";dur="))
            .filter_map(|(name, spent)| Some((name, spent.parse().ok()?)))
            .collect();
        let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["jwt", "parse", "plan", "transaction", "response"],
            "{path}: {timing}"
        );
        assert!(parts.iter().all(|(_, spent)| *spent >= 0.0), "{timing}");
    }
}
