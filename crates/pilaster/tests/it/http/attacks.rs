//! Hostile input changes nothing and breaks nothing.

use serde_json::json;
use testkit::Answer;

use super::{App, on_every_engine};

on_every_engine!(injected_sql_is_only_text, malformed_requests_are_refused);

const HOSTILE: [&str; 6] = [
    "'; drop table users;--",
    "\"; drop table users;--",
    "\\'; drop table users;#",
    "x' or '1'='1",
    "x\") or 1=1 union select hash from auth_passwords--",
    "1; delete from activities",
];

fn escape(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

async fn injected_sql_is_only_text(app: App) {
    let ada = app.server.sign_up("ada").await;
    let before = app
        .server
        .get("/api/users?select=handle&order=handle")
        .await
        .body;
    for hostile in HOSTILE {
        let text = escape(hostile);
        let stored = app
            .server
            .send(
                "POST",
                &ada,
                "/api/activities",
                &json!({"message": hostile}),
            )
            .await;
        assert_eq!(stored.status, 201, "{}", stored.body);
        let found = app
            .server
            .get(&format!("/api/activities?select=message&message=eq.{text}"))
            .await;
        assert_eq!(found.json()[0]["message"], hostile, "{}", found.body);
        for path in [
            format!("/api/users?{text}=eq.1"),
            format!("/api/users?order={text}"),
            format!("/api/users?select={text}"),
            format!("/api/users?limit={text}"),
            format!("/api/users?or=({text})"),
            format!("/api/users/{text}"),
            format!("/api/{text}"),
            format!("/api/feed?limit={text}"),
            format!("/api/feed?before_uuid={text}"),
        ] {
            let refused = app.server.get(&path).await;
            assert!(
                (400..500).contains(&refused.status),
                "{path}: {} {}",
                refused.status,
                refused.body
            );
        }
        let account = json!({"email": "h@example.org", "password": "a long pass phrase", "username": hostile});
        let answer = app.server.send("POST", "", "/register", &account).await;
        assert!(
            answer.status == 422 || answer.status == 201 || answer.status == 409,
            "{}",
            answer.body
        );
        assert_eq!(app.server.token(hostile, hostile).await.status, 401);
    }
    let after = app
        .server
        .get("/api/users?select=handle&handle=in.(ada,andrewbrown,bayko)&order=handle")
        .await;
    assert_eq!(after.body, before);
}

// req: OA-29
#[expect(clippy::too_many_lines, reason = "one list of requests")]
async fn malformed_requests_are_refused(app: App) {
    for path in [
        "/api/users?select=a(",
        "/api/users?select=...users(x)",
        "/api/users?or=(",
        "/api/users?or=(a",
        "/api/users?and=((((((((((((a.eq.1))))))))))))",
        "/api/users?handle=like",
        "/api/users?handle=xx.1",
        "/api/users?handle=in.1",
        "/api/users?handle=is.maybe",
        "/api/users?order=handle.up",
        "/api/users?limit=-1",
        "/api/users?x=%ZZ",
        "/api/users?x=%FF",
        "/api/users?uuid=eq.5",
        "/api/users?created_at=gt.now",
        "/api/users?select=users(x)",
        "/api/%FF",
    ] {
        let refused = app.server.get(path).await;
        assert!(
            (400..500).contains(&refused.status),
            "{path}: {} {}",
            refused.status,
            refused.body
        );
        let body = refused.json();
        for member in ["code", "message", "details", "hint", "request_id"] {
            assert!(body.get(member).is_some(), "{path}: {body}");
        }
        assert_eq!(body["request_id"], refused.header("x-request-id"));
    }
    let ada = app.server.sign_up("ada").await;
    for body in ["", "{", "[1]", "null", "{\"message\":\"x\"}x", "\u{0}"] {
        let request = app
            .server
            .request("POST", "/api/activities")
            .bearer_auth(&ada);
        let answer = Answer::read(
            request
                .header("Content-Type", "application/json")
                .body(body),
        )
        .await;
        assert_eq!(answer.status, 400, "{body:?}: {}", answer.body);
    }
    let flipped = format!("{}A", &ada[..ada.len() - 1]);
    for value in [
        "Bearer",
        "Bearer ",
        "bearer a b",
        "Basic x",
        "Bearer x.y.z",
        "Bearer ..",
        &flipped,
        &format!("Bearer {flipped}x"),
        &format!("Token {ada}"),
        &ada,
    ] {
        let request = app
            .server
            .request("GET", "/api/users")
            .header("Authorization", value);
        let answer = Answer::read(request).await;
        assert_eq!(answer.status, 401, "{value}: {}", answer.body);
        assert!(
            answer.header("www-authenticate").contains("error="),
            "{value}"
        );
    }
}
