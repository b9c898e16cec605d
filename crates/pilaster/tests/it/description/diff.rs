//! `pilaster openapi diff`

use serde_json::{Value, json};
use testkit::Project;

use crate::http::PILASTER;

/// Cruddur's document as somebody signed in sees it, and the project that it stands in.
fn documents() -> (Project, Value) {
    let project = Project::cruddur();
    let words = ["openapi", "--role", "authenticated", "--out", "old.json"];
    project.succeed(PILASTER, &words);
    let document = serde_json::from_str(&project.read("old.json")).expect("a document is JSON");
    (project, document)
}

/// Exit code and lines for a newer document.
fn compared(project: &Project, newer: &Value) -> (i32, Vec<String>) {
    project.write("new.json", &newer.to_string());
    let finished = project.run(PILASTER, &["openapi", "diff", "old.json", "new.json"]);
    (
        finished.code,
        finished.out.lines().map(str::to_owned).collect(),
    )
}

/// Where, what stands there in the newer document (`""`: nothing), a line that says it.
const BREAKING: [(&str, &str, &str); 16] = [
    ("/paths/~1api~1feed", "", "/api/feed is gone"),
    (
        "/paths/~1api~1activities/delete",
        "",
        "DELETE /api/activities is gone",
    ),
    (
        "/paths/~1api~1feed/get/parameters",
        "[]",
        "GET /api/feed: the parameter limit is gone",
    ),
    (
        "/paths/~1api~1feed/get/parameters/0/required",
        "true",
        "GET /api/feed: the parameter limit is required now",
    ),
    (
        "/paths/~1api~1feed/get/parameters/0/schema/maximum",
        "20",
        "GET /api/feed: the parameter limit has the maximum 20 now",
    ),
    (
        "/components/schemas/activities/properties/likes_count",
        "",
        "GET /api/activities: the answer 200[].likes_count is gone",
    ),
    (
        "/components/schemas/activities/properties/likes_count/type",
        "\"string\"",
        "GET /api/activities: the answer 200[].likes_count was integer and is string",
    ),
    (
        "/components/schemas/activities/properties/message/type",
        "[\"string\", \"null\"]",
        "GET /api/activities: the answer 200[].message was string and is null or string",
    ),
    (
        "/components/schemas/activities/required",
        "[]",
        "GET /api/activities: the answer 200[].message may be missing now",
    ),
    (
        "/components/schemas/activities.insert/required",
        "[\"message\", \"expires_at\"]",
        "POST /api/activities: the body.expires_at is required now",
    ),
    (
        "/components/schemas/activities.insert/properties/message/maxLength",
        "140",
        "POST /api/activities: the body.message has the maxLength 140 now",
    ),
    (
        "/components/schemas/activities.insert/properties/message/enum",
        "[\"Hello\"]",
        "POST /api/activities: the body.message may only be one of a list now",
    ),
    (
        "/components/schemas/activities.insert/properties/expires_at",
        "",
        "POST /api/activities: the body.expires_at is gone",
    ),
    (
        "/paths/~1api~1activities/post/responses/201",
        "",
        "POST /api/activities: the answer 201 is gone",
    ),
    (
        "/paths/~1api~1activities/post/requestBody/content/text~1csv",
        "",
        "POST /api/activities: the body may no longer be text/csv",
    ),
    (
        "/paths/~1api~1activities/get/security",
        "[{\"bearer\": []}]",
        "GET /api/activities takes credentials now",
    ),
];

// req: DO-4
#[test]
fn what_breaks_clients_is_named() {
    let (project, old) = documents();
    assert_eq!(compared(&project, &old), (0, Vec::new()));
    for (pointer, value, line) in BREAKING {
        let (code, lines) = compared(&project, &changed(&old, pointer, value));
        assert_eq!(code, 1, "{pointer}: {lines:?}");
        assert!(lines.iter().any(|own| own == line), "{pointer}: {lines:?}");
    }
}

/// The document with another value at a place, or without what stands there.
fn changed(document: &Value, pointer: &str, value: &str) -> Value {
    let mut newer = document.clone();
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    let member = member.replace("~1", "/");
    let parent = newer.pointer_mut(parent).expect("it is there");
    let parent = parent.as_object_mut().expect("an object");
    match value {
        "" => parent.shift_remove(&member),
        value => parent.insert(member, serde_json::from_str(value).expect("JSON")),
    };
    newer
}

// req: DO-4
#[test]
fn what_only_adds_breaks_nobody() {
    let (project, old) = documents();
    let insert = "/components/schemas/activities.insert/properties";
    let additions = [
        ("/paths/~1api~1later", json!({"get": {"responses": {}}})),
        (
            "/components/schemas/activities/properties/shares",
            json!({"type": "integer"}),
        ),
        (&format!("{insert}/mood"), json!({"type": "string"})),
        (&format!("{insert}/message/maxLength"), json!(500)),
        (
            "/paths/~1api~1feed/get/parameters/0/schema/maximum",
            json!(100),
        ),
        (
            "/components/schemas/activities/properties/expires_at/type",
            json!("string"),
        ),
    ];
    for (pointer, value) in additions {
        let found = compared(&project, &changed(&old, pointer, &value.to_string()));
        assert_eq!(found, (0, Vec::new()), "{pointer}");
    }
}

// req: DO-4
#[test]
fn a_document_is_compared_with_the_project() {
    let (project, _) = documents();
    let diff = ["openapi", "diff", "old.json", "--role", "authenticated"];
    project.succeed(PILASTER, &diff);
    let path = "schema/cruddur.sql";
    let narrower = project
        .read(path)
        .replace("grant select on activities to anon, authenticated", "grant select (uuid, message, user_uuid, created_at, reply_to_activity_uuid, expires_at, replies_count, reposts_count, likes_count) on activities to anon, authenticated")
        .replace("between 1 and 280", "between 1 and 140");
    project.write(path, &narrower);
    let finished = project.run(PILASTER, &diff);
    assert_eq!(finished.code, 1, "{}", finished.text());
    let line = "POST /api/activities: the body.message has the maxLength 140 now";
    assert!(finished.out.contains(line), "{}", finished.out);
    let mut as_json = diff.to_vec();
    as_json.push("--json");
    let finished = project.run(PILASTER, &as_json);
    let listed: Value = serde_json::from_str(&finished.out).expect("--json prints JSON");
    assert!(
        listed["breaking"]
            .as_array()
            .expect("a list")
            .contains(&json!(line))
    );
    project.write("text.json", "[]");
    let finished = project.run(PILASTER, &["openapi", "diff", "text.json", "old.json"]);
    assert_eq!(finished.code, 3, "{}", finished.text());
}
