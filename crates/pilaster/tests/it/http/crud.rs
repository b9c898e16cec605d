//! Declared tables as an API: verbs, statuses, bodies, rules.

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::Answer;

use super::{App, on_every_engine};

on_every_engine!(
    six_requests_without_code,
    every_outcome_has_its_status,
    wrong_bodies_name_their_fields,
    hidden_columns_are_nowhere,
    filters_orders_and_relations,
    rows_belong_to_their_owner,
    violations_are_the_apis_own_words,
    slashes_change_nothing,
    many_rows_go_in_together_or_not_at_all,
    callers_do_not_mix,
    expired_rows_are_gone,
    a_thousand_rows_are_paged,
    writes_take_bodies_alone,
);

async fn post(app: &App, token: &str, message: &str) -> String {
    let body = json!({"message": message});
    let request = app
        .server
        .request("POST", "/api/activities")
        .bearer_auth(token)
        .json(&body);
    let answer = Answer::read(request.header("Prefer", "return=representation")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()[0]["uuid"].as_str().expect("an id").to_owned()
}

// req: CR-1
async fn six_requests_without_code(app: App) {
    let ada = app.server.sign_up("ada").await;
    let id = post(&app, &ada, "first").await;
    let path = format!("/api/activities/{id}");
    assert_eq!(app.server.get(&path).await.json()["message"], "first");
    let listed = app
        .server
        .get("/api/activities?select=message&order=message")
        .await;
    assert_eq!(listed.json()[1]["message"], "first", "{}", listed.body);
    let replaced = app
        .server
        .send("PUT", &ada, &path, &json!({"message": "second"}))
        .await;
    assert_eq!(replaced.status, 204, "{}", replaced.body);
    let patched = app
        .server
        .send("PATCH", &ada, &path, &json!({"message": "third"}))
        .await;
    assert_eq!(patched.status, 204, "{}", patched.body);
    assert_eq!(app.server.get(&path).await.json()["message"], "third");
    let deleted = Answer::read(app.server.request("DELETE", &path).bearer_auth(&ada)).await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    assert_eq!(app.server.get(&path).await.status, 404);
}

// req: CR-2
async fn every_outcome_has_its_status(app: App) {
    let ada = app.server.sign_up("ada").await;
    let created = app
        .server
        .send("POST", &ada, "/api/activities", &json!({"message": "x"}))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let location = created.header("location").to_owned();
    assert!(location.starts_with("/api/activities/"), "{location}");
    assert_eq!(app.server.get(&location).await.status, 200);
    let nobody = "/api/activities/0193a000-0000-7000-8000-0000000000ff";
    let like = format!("{location}/like");
    let cases: [(&str, &str, &str, Value, u16); 9] = [
        ("PATCH", &ada, &location, json!({"message": "y"}), 204),
        ("PATCH", &ada, nobody, json!({"message": "y"}), 404),
        ("POST", &ada, &like, json!({}), 200),
        ("POST", &ada, &like, json!({}), 409),
        ("POST", &ada, "/api/activities", json!({"message": ""}), 422),
        ("POST", &ada, &location, json!({"message": "y"}), 405),
        ("PUT", &ada, "/api/activities", json!({"message": "y"}), 405),
        ("POST", "", "/api/activities", json!({"message": "y"}), 401),
        ("DELETE", &ada, &location, json!(null), 204),
    ];
    for (method, token, path, body, status) in cases {
        let answer = app.server.send(method, token, path, &body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        if status == 405 {
            assert!(answer.header("allow").contains("GET"), "{answer:?}");
        }
    }
    assert_eq!(app.server.get("/api/nothing").await.status, 404);
}

// req: CR-3
async fn wrong_bodies_name_their_fields(app: App) {
    let ada = app.server.sign_up("ada").await;
    let cases = [
        (json!({"message": 5}), "/message", "type"),
        (json!({"message": "x".repeat(281)}), "/message", "check"),
        (json!({}), "/message", "required"),
        (json!({"message": "x", "mesage": "y"}), "/mesage", "unknown"),
        (
            json!({"message": "x", "user_uuid": "0193a000-0000-7000-8000-000000000001"}),
            "/user_uuid",
            "not_writable",
        ),
        (
            json!({"message": "x", "expires_at": "tomorrow"}),
            "/expires_at",
            "type",
        ),
    ];
    for (body, pointer, code) in cases {
        let refused = app
            .server
            .send("POST", &ada, "/api/activities", &body)
            .await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        let details = refused.json()["errors"].clone();
        let named = details.as_array().is_some_and(|list| {
            list.iter()
                .any(|fault| fault["pointer"] == pointer && fault["code"] == code)
        });
        assert!(named, "{pointer} {code}: {details}");
    }
}

// req: CR-4
async fn hidden_columns_are_nowhere(app: App) {
    for query in [
        "select=email",
        "email=eq.x",
        "order=email",
        "select=uuid,email",
        "or=(email.eq.x,handle.eq.y)",
    ] {
        let hidden = app.server.get(&format!("/api/users?{query}")).await;
        let missing = app
            .server
            .get(&format!("/api/users?{}", query.replace("email", "xmail")))
            .await;
        assert_eq!(hidden.status, 400, "{query}: {}", hidden.body);
        assert_eq!(missing.status, 400, "{query}: {}", missing.body);
        assert_eq!(hidden.json()["code"], missing.json()["code"]);
    }
    let all = app.server.get("/api/users").await;
    assert!(!all.body.contains("cruddur.example"), "{}", all.body);
}

#[expect(clippy::too_many_lines, reason = "one list of requests")]
async fn filters_orders_and_relations(app: App) {
    let ada = app.server.sign_up("ada").await;
    for message in ["b", "a", "A", "c%"] {
        post(&app, &ada, message).await;
    }
    let texts = |answer: &Answer| -> Vec<String> {
        let rows = answer.json();
        let rows = rows.as_array().unwrap_or_else(|| panic!("{}", answer.body));
        rows.iter()
            .map(|row| row["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let own = "message=neq.This%20was%20imported%20as%20seed%20data!";
    for (query, expected) in [
        ("message=eq.a", vec!["a"]),
        ("message=in.(a,b)&order=message", vec!["a", "b"]),
        ("message=not.in.(a,b,A)&message=like.c*", vec!["c%"]),
        ("message=ilike.A&order=message", vec!["A", "a"]),
        ("message=like.a", vec!["a"]),
        (
            "or=(message.eq.a,message.eq.b)&order=message.desc",
            vec!["b", "a"],
        ),
        (
            "and=(message.gte.a,message.lte.b)&order=message",
            vec!["a", "b"],
        ),
        (
            "not.or=(message.eq.a,message.eq.b)&message=in.(a,b,A)",
            vec!["A"],
        ),
        (
            "likes_count=gte.0&expires_at=is.null&order=message&limit=2&offset=1",
            vec!["a", "b"],
        ),
    ] {
        let answer = app
            .server
            .get(&format!("/api/activities?select=message&{own}&{query}"))
            .await;
        assert_eq!(texts(&answer), expected, "{query}: {}", answer.body);
    }
    let joined = app
        .server
        .get("/api/activities?select=message,author:users(handle)&message=eq.b")
        .await;
    assert_eq!(
        joined.json(),
        json!([{"message": "b", "author": {"handle": "ada"}}])
    );
    let many = app.server.get("/api/users?select=handle,activities(message)&handle=eq.ada&activities.order=message&activities.limit=2").await;
    assert_eq!(
        many.json(),
        json!([{"handle": "ada", "activities": [{"message": "A"}, {"message": "a"}]}]),
        "{}",
        many.body
    );
    let counted = Answer::read(
        app.server
            .request("GET", "/api/users?limit=1&order=handle")
            .header("Prefer", "count=exact"),
    )
    .await;
    assert_eq!(
        (counted.status, counted.header("content-range")),
        (206, "0-0/3"),
        "{}",
        counted.body
    );
    let limit = app.server.get("/api/users?limit=1000000000").await;
    assert_eq!(limit.status, 422, "{}", limit.body);
    assert!(limit.body.contains("max_rows"), "{}", limit.body);
}

// req: RB-4, RB-9, CR-8, X-7
async fn rows_belong_to_their_owner(app: App) {
    let (ada, eve) = (
        app.server.sign_up("ada").await,
        app.server.sign_up("eve").await,
    );
    let id = post(&app, &ada, "mine").await;
    let path = format!("/api/activities/{id}");
    let changed = app
        .server
        .send("PATCH", &eve, &path, &json!({"message": "stolen"}))
        .await;
    assert_eq!(changed.status, 404, "{}", changed.body);
    let deleted = Answer::read(app.server.request("DELETE", &path).bearer_auth(&eve)).await;
    assert_eq!(deleted.status, 404, "{}", deleted.body);
    let spoofed = json!({"message": "x", "user_uuid": "0193a000-0000-7000-8000-000000000001"});
    assert_eq!(
        app.server
            .send("POST", &eve, "/api/activities", &spoofed)
            .await
            .status,
        422
    );
    let (as_nobody, as_eve) = (
        app.server.get(&path).await,
        app.server.get_as(&eve, &path).await,
    );
    assert_eq!((as_nobody.status, as_eve.status), (200, 200));
    assert_eq!(as_nobody.json()["message"], "mine");
    assert_eq!(as_nobody.body, as_eve.body);
    assert_eq!(app.server.get("/api/likes").await.status, 404);
    assert_eq!(app.server.get_as(&ada, "/api/likes").await.status, 200);
}

async fn violations_are_the_apis_own_words(app: App) {
    let ada = app.server.sign_up("ada").await;
    let taken = app.server.get("/auth/me").await;
    assert_eq!(taken.status, 401);
    let me = app.server.get_as(&ada, "/auth/me").await.json()["id"].clone();
    let path = format!("/api/users/{}", me.as_str().expect("an id"));
    let duplicate = app
        .server
        .send("PATCH", &ada, &path, &json!({"handle": "bayko"}))
        .await;
    assert_eq!(duplicate.status, 409, "{}", duplicate.body);
    let mut body = duplicate.json();
    body["request_id"] = json!(null);
    assert_eq!(
        body,
        json!({"code": "23505", "message": "a row with this handle exists already",
        "details": "columns: handle", "errors": [{"columns": ["handle"]}], "hint": null,
        "request_id": null})
    );
    let long = app
        .server
        .send("PATCH", &ada, &path, &json!({"handle": "x".repeat(41)}))
        .await;
    assert_eq!(long.status, 422, "{}", long.body);
    assert!(long.body.contains("/handle"), "{}", long.body);
}

// req: CR-14
async fn slashes_change_nothing(app: App) {
    let ada = app.server.sign_up("ada").await;
    for path in [
        "/api/activities",
        "/api/activities/",
        "/rest/v1/activities",
        "/rest/v1/activities/",
    ] {
        let answer = app
            .server
            .send("POST", &ada, path, &json!({"message": "x"}))
            .await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        let refused = app
            .server
            .send("POST", "", path, &json!({"message": "x"}))
            .await;
        assert_eq!(refused.status, 401, "{path}: {}", refused.body);
    }
    assert_eq!(app.server.get("/api//activities").await.status, 404);
}

// req: CR-11, CR-16
async fn many_rows_go_in_together_or_not_at_all(app: App) {
    let ada = app.server.sign_up("ada").await;
    let good: Vec<Value> = (0..1_000)
        .map(|n| json!({"message": format!("bulk {n}")}))
        .collect();
    let answer = app
        .server
        .send("POST", &ada, "/api/activities", &json!(good))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let mut bad = good.clone();
    bad[999] = json!({"message": ""});
    let refused = app
        .server
        .send("POST", &ada, "/api/activities", &json!(bad))
        .await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("/999/message"), "{}", refused.body);
    // A second like fails after the first statement of the file has run.
    let id = post(&app, &ada, "liked").await;
    let like = format!("/api/activities/{id}/like");
    assert_eq!(
        app.server
            .send("POST", &ada, &like, &json!({}))
            .await
            .status,
        200
    );
    assert_eq!(
        app.server
            .send("POST", &ada, &like, &json!({}))
            .await
            .status,
        409
    );
    let row = app
        .server
        .get(&format!("/api/activities/{id}?select=likes_count"))
        .await;
    assert_eq!(row.json()["likes_count"], 1, "{}", row.body);
    let rows = app
        .server
        .get("/api/activities?select=uuid&message=like.bulk*&limit=1000")
        .await;
    assert_eq!(rows.json().as_array().map(Vec::len), Some(1_000));
}

// req: CR-16
async fn callers_do_not_mix(app: App) {
    let (ada, eve) = (
        app.server.sign_up("ada").await,
        app.server.sign_up("eve").await,
    );
    let requests = (0..200).map(|n| {
        let (app, token, name) = if n % 2 == 0 {
            (&app, &ada, "ada")
        } else {
            (&app, &eve, "eve")
        };
        async move {
            let me = app.server.get_as(token, "/auth/me").await;
            assert_eq!(me.json()["username"], name, "{}", me.body);
            let id = post(app, token, &format!("{name} {n}")).await;
            let row = app
                .server
                .get(&format!(
                    "/api/activities?select=message,users(handle)&uuid=eq.{id}"
                ))
                .await;
            assert_eq!(row.json()[0]["users"]["handle"], name, "{}", row.body);
        }
    });
    join_all(requests).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server under test has the real clock"
)]
async fn expired_rows_are_gone(app: App) {
    let ada = app.server.sign_up("ada").await;
    let soon = std::time::SystemTime::now() + std::time::Duration::from_millis(1500);
    let soon = soon
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_millis();
    let soon = i64::try_from(soon).expect("in range");
    let (seconds, millis) = (soon / 1000, soon % 1000);
    let expires = testkit::rfc3339(seconds, millis);
    let body = json!({"message": "short", "expires_at": expires});
    let created = app
        .server
        .send("POST", &ada, "/api/activities", &body)
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let path = "/api/activities?select=message&message=eq.short";
    assert_eq!(
        app.server.get(path).await.json(),
        json!([{"message": "short"}])
    );
    tokio::time::sleep(std::time::Duration::from_millis(1800)).await;
    assert_eq!(app.server.get(path).await.json(), json!([]));
    assert!(!app.server.get("/api/feed").await.body.contains("short"));
}

// req: CR-5
async fn a_thousand_rows_are_paged(app: App) {
    let ada = app.server.sign_up("ada").await;
    let rows: Vec<Value> = (0..1_000)
        .map(|n| json!({"message": format!("row {n:04}")}))
        .collect();
    let answer = app
        .server
        .send("POST", &ada, "/api/activities", &json!(rows))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let own = "/api/activities?select=message&message=like.row*&order=message";
    let page = app
        .server
        .get(&format!("{own}&offset=100&limit=200"))
        .await
        .json();
    let page = page.as_array().expect("rows");
    assert_eq!(page.len(), 200);
    assert_eq!(
        (&page[0]["message"], &page[199]["message"]),
        (&json!("row 0100"), &json!("row 0299"))
    );
    let default = app.server.get(own).await.json();
    assert_eq!(default.as_array().map(Vec::len), Some(100));
    assert_eq!(
        app.server
            .get(&format!("{own}&limit=1000000000"))
            .await
            .status,
        422
    );
}

// req: CR-12
async fn writes_take_bodies_alone(app: App) {
    let ada = app.server.sign_up("ada").await;
    let id = post(&app, &ada, "mine").await;
    let path = format!("/api/activities/{id}?message=eq.mine");
    let body = json!({"message": "other"});
    let refused = app.server.send("PUT", &ada, &path, &body).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let row = app.server.get(&format!("/api/activities/{id}")).await;
    assert_eq!(row.json()["message"], "mine");
}
