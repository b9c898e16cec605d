//! One shape of errors. Every test of this suite holds what it is answered against
//! `docs/error.schema.json`, see `testkit::Answer::read`; here is one of each status.

use serde_json::{Value, json};
use testkit::{Answer, Project, check_error, workspace};

use super::{App, on_every_engine};

on_every_engine!(project: every_refusal_has_the_one_shape);

/// Cruddur behind small limits, for one name.
fn project() -> Project {
    Project::cruddur()
        .with("PILASTER_SERVER_MAX_BODY_BYTES", "2000")
        .with("PILASTER_SERVER_ALLOWED_HOSTS", "127.0.0.1")
}

/// A request that is refused: the status, the method, the path, headers, the body.
type Refused = (
    u16,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// More than the limit of [`project`].
const LARGE: &str = match std::str::from_utf8(&[b'x'; 3000]) {
    Ok(text) => text,
    Err(_) => "",
};

const REFUSED: [Refused; 24] = [
    (400, "GET", "/api/users?select=(", &[], ""),
    (400, "GET", "/api/users?handle=is.maybe", &[], ""),
    (400, "POST", "/register", &[], "[]"),
    (401, "GET", "/auth/me", &[], ""),
    (
        401,
        "GET",
        "/api/users",
        &[("authorization", "Bearer x")],
        "",
    ),
    (401, "GET", "/api/users", &[("authorization", "Basic")], ""),
    (
        401,
        "GET",
        "/openapi.json",
        &[("authorization", "Bearer x")],
        "",
    ),
    (401, "DELETE", "/api/users?handle=eq.x", &[], ""),
    (404, "GET", "/nowhere", &[], ""),
    (404, "GET", "/api/nowhere", &[], ""),
    (404, "GET", "/docs/nowhere", &[], ""),
    (405, "DELETE", "/register", &[], ""),
    (405, "TRACE", "/api/users", &[], ""),
    (406, "GET", "/api/users", &[("accept", "image/png")], ""),
    (
        406,
        "GET",
        "/api/users",
        &[("accept", "application/vnd.pgrst.object+json")],
        "",
    ),
    (413, "POST", "/register", &[], LARGE),
    (413, "POST", "/api/users", &[], LARGE),
    (
        416,
        "GET",
        "/api/users?offset=10000",
        &[("prefer", "count=exact")],
        "",
    ),
    (
        421,
        "GET",
        "/api/users",
        &[("host", "elsewhere.example")],
        "",
    ),
    (422, "POST", "/register", &[], "{\"email\":\"x\"}"),
    (
        401,
        "POST",
        "/token",
        &[],
        "{\"username\":\"ada@example.org\",\"password\":\"wrong 123\"}",
    ),
    (422, "POST", "/token", &[], "{\"username\":\"é\\\"\"}"),
    (405, "GET", "/token", &[], ""),
    (413, "POST", "/token", &[], LARGE),
];

// req: CR-18
async fn every_refusal_has_the_one_shape(app: App) {
    let server = &app.server;
    let token = server.sign_up("ada").await;
    for (status, method, path, headers, body) in REFUSED {
        let mut request = server.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let answer = Answer::read(request.body(body.to_owned())).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        check_error(path, &answer).expect("one shape");
        let wanted = match (path, status) {
            ("/token", 401) => json!("invalid_grant"),
            ("/token", _) => json!("invalid_request"),
            _ => Value::Null,
        };
        assert_eq!(answer.json()["error"], wanted, "{method} {path}");
    }
    // Of unknown length, too large as it comes: the framework's own words are none of ours.
    for path in ["/register", "/token", "/api/users"] {
        let pieces = [LARGE, LARGE].map(Ok::<_, std::io::Error>);
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        let answer = Answer::read(server.request("POST", path).body(body)).await;
        assert_eq!(answer.status, 413, "{path}: {}", answer.body);
    }
    let form = [
        ("grant_type", "client_credentials"),
        ("username", "a"),
        ("password", "b"),
    ];
    let grant = Answer::read(server.request("POST", "/token").form(&form)).await;
    assert_eq!(
        (grant.status, &grant.json()["error"]),
        (400, &json!("unsupported_grant_type"))
    );
    for (message, status) in [("one", 201), ("two", 422)] {
        let request = server
            .request("POST", "/api/activities")
            .bearer_auth(&token);
        let request = request.header("Idempotency-Key", "7d1f0a");
        let answer = Answer::read(request.json(&json!({"message": message}))).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

/// The shape that is published is the one that is tested, and tells right from wrong.
// req: CR-18
#[tokio::test(flavor = "multi_thread")]
async fn the_shape_is_published() {
    let app = App::of("sqlite", Project::cruddur()).await;
    let app = app.expect("SQLite is always there");
    let file = workspace().join("docs/error.schema.json");
    let text = std::fs::read_to_string(file).expect("the schema is committed");
    let committed: Value = serde_json::from_str(&text).expect("JSON");
    let document = app.server.get("/openapi.json").await.json();
    let schemas = &document["components"]["schemas"];
    for member in [
        "required",
        "dependentRequired",
        "additionalProperties",
        "examples",
    ] {
        assert_eq!(schemas["Error"][member], committed[member], "{member}");
    }
    for (name, member) in committed["properties"].as_object().expect("members") {
        if name != "errors" {
            assert_eq!(&schemas["Error"]["properties"][name], member, "{name}");
        }
    }
    assert_eq!(schemas["Fault"], committed["$defs"]["Fault"]);
    let refusals = document["components"]["responses"].as_object();
    for (name, response) in refusals.expect("refusals") {
        let shape = &response["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(shape, "#/components/schemas/Error", "{name}");
    }
    let right = app.server.get("/api/nowhere").await;
    for (member, value) in [
        ("request_id", json!("another-one")),
        ("code", json!("Not a code")),
        ("code", Value::Null),
        ("hint", json!(1)),
        ("errors", json!([])),
        ("more", json!(1)),
        ("error", json!("invalid_grant")),
    ] {
        let mut body = right.json();
        body[member] = value;
        let wrong = Answer {
            body: body.to_string(),
            headers: right.headers.clone(),
            ..right
        };
        assert!(
            check_error("/api/nowhere", &wrong).is_err(),
            "{member}: {body}"
        );
    }
    assert!(
        check_error("/token", &right).is_err(),
        "no names of RFC 6749"
    );
}
