//! What whoever has the role `admin` does with accounts, their roles and the audit log.

use serde_json::{Value, json};

use super::Object;
use super::account::{UNKEPT, as_json, operation};
use super::responses::Responses;

const USERS: &str = "/admin/api/users";
const USER: &str = "/admin/api/users/{id}";
const HELD: &str = "/admin/api/users/{id}/roles/{role}";

/// One of them.
struct Administrative {
    path: &'static str,
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    /// What the body may say; `None` without a body.
    body: Option<Value>,
    /// The statuses of a success.
    statuses: &'static [u16],
    answer: Value,
}

pub(super) fn paths(paths: &mut Object) {
    for one in reading().into_iter().chain(changing()) {
        let (path, method) = (one.path, one.method);
        let described = one.describe();
        let slot = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        slot[method] = described;
    }
}

fn read(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    answer: Value,
) -> Administrative {
    Administrative {
        path,
        method: "get",
        id,
        summary,
        body: None,
        statuses: &[200],
        answer,
    }
}

fn reading() -> [Administrative; 6] {
    [
        read(
            USERS,
            "users",
            "The accounts, the newest first",
            list(&user()),
        ),
        read(USER, "user", "An account", user()),
        read(
            "/admin/api/users/{id}/roles",
            "userRoles",
            "The roles of an account",
            list(&held()),
        ),
        read(HELD, "userRole", "A role of an account", held()),
        read(
            "/admin/api/roles",
            "roles",
            "The roles that can be given",
            list(&object(&[
                ("role", json!({"type": "string"})),
                ("protected", json!({"type": "boolean"})),
                ("holders", json!({"type": "integer"})),
            ])),
        ),
        read(
            "/admin/api/audit",
            "audit",
            "Who did what to whom, the newest first",
            list(&act()),
        ),
    ]
}

fn changing() -> [Administrative; 7] {
    let gone = |member| object(&[(member, json!({"type": "string"}))]);
    let write = |path, method, id, summary, answer| Administrative {
        method,
        ..read(path, id, summary, answer)
    };
    let sessions = "/admin/api/users/{id}/sessions";
    let end = "End all sessions, tokens and logins at apps";
    let factors = "/admin/api/users/{id}/factors";
    let remove = "Remove all second factors";
    let unlock = "/admin/api/users/{id}/unlock";
    [
        Administrative {
            body: Some(change()),
            ..write(USER, "patch", "changeUser", "Change an account", user())
        },
        write(
            USER,
            "delete",
            "deleteUser",
            "Delete an account",
            gone("deleted"),
        ),
        write(
            unlock,
            "post",
            "unlockUser",
            "Forget failed sign-ins",
            user(),
        ),
        write(sessions, "delete", "endUserSessions", end, user()),
        write(factors, "delete", "removeUserFactors", remove, user()),
        Administrative {
            statuses: &[200, 201],
            body: Some(object_of(&[(
                "expires_at",
                json!({"type": ["string", "null"], "format": "date-time"}),
            )])),
            ..write(
                HELD,
                "put",
                "grantRole",
                "Give a role, or another end to it",
                held(),
            )
        },
        write(
            HELD,
            "delete",
            "revokeRole",
            "Take a role away",
            gone("revoked"),
        ),
    ]
}

/// What can be changed about an account.
fn change() -> Value {
    let text = || json!({"type": ["string", "null"], "maxLength": 200});
    let flag = || json!({"type": ["boolean", "null"]});
    object_of(&[
        ("active", flag()),
        ("email_confirmed", flag()),
        (
            "username",
            json!({"type": ["string", "null"], "maxLength": 40}),
        ),
        ("first_name", text()),
        ("last_name", text()),
        ("display_name", text()),
        ("language", text()),
        ("external_source", text()),
        ("external_id", text()),
    ])
}

impl Administrative {
    fn describe(&self) -> Value {
        let mut described = operation(self.id, "account", self.summary, false);
        let mut parameters = super::places(self.path)
            .iter()
            .map(|name| in_path(name))
            .collect::<Vec<Value>>();
        parameters.extend(filters(self.path, self.method));
        if !parameters.is_empty() {
            described["parameters"] = Value::Array(parameters);
        }
        if let Some(body) = &self.body {
            let required = self.method != "put";
            described["requestBody"] = json!({"required": required, "content": as_json(body)});
        }
        let mut responses = Responses::new();
        for status in self.statuses {
            let content = Some(as_json(&self.answer));
            responses = responses.success(*status, self.summary, &UNKEPT, content);
        }
        described["responses"] = responses
            .refusals(&[400, 401, 403, 404, 409, 413, 422, 500, 503, 504, 507])
            .into_value();
        described
    }
}

fn in_path(name: &str) -> Value {
    let schema = match name {
        "id" => json!({"type": "string", "format": "uuid"}),
        _ => json!({"type": "string", "maxLength": 63}),
    };
    json!({"name": name, "in": "path", "required": true, "schema": schema})
}

/// What a list takes.
fn filters(path: &str, method: &str) -> Vec<Value> {
    let one = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    let text = || json!({"type": "string"});
    let flag = || json!({"type": "boolean"});
    let mut filters = match (path, method) {
        (USERS, "get") => vec![
            one("q", text()),
            one("role", text()),
            one("active", flag()),
            one("confirmed", flag()),
        ],
        ("/admin/api/audit", _) => vec![
            one("act", text()),
            one("user", text()),
            one("since", text()),
        ],
        _ => return Vec::new(),
    };
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 50});
    filters.push(one("limit", limit));
    filters.push(one("cursor", json!({"type": "string", "format": "uuid"})));
    filters
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object that has all of these members.
fn object(members: &[(&str, Value)]) -> Value {
    let mut schema = object_of(members);
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    schema["required"] = json!(names);
    schema
}

/// An object that may have these members and no others.
fn object_of(members: &[(&str, Value)]) -> Value {
    let properties: Object = members
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn held() -> Value {
    object(&[
        ("role", json!({"type": "string"})),
        ("expires_at", json!({"type": ["string", "null"]})),
    ])
}

fn user() -> Value {
    let text = || json!({"type": ["string", "null"]});
    let names = json!({"type": "array", "items": {"type": "string"}});
    object(&[
        ("id", json!({"type": "string", "format": "uuid"})),
        ("email", json!({"type": "string", "format": "email"})),
        ("username", text()),
        ("first_name", text()),
        ("last_name", text()),
        ("display_name", text()),
        ("language", text()),
        ("active", json!({"type": "boolean"})),
        ("email_confirmed", json!({"type": "boolean"})),
        ("email_verified_at", text()),
        ("roles", list(&held())),
        ("factors", names),
        ("external_source", json!({"type": "string"})),
        ("external_id", text()),
        ("created_at", json!({"type": "string"})),
        ("updated_at", json!({"type": "string"})),
        ("seen_at", text()),
    ])
}

fn act() -> Value {
    let text = || json!({"type": ["string", "null"]});
    object(&[
        ("id", json!({"type": "string", "format": "uuid"})),
        ("at", json!({"type": "string"})),
        ("act", json!({"type": "string"})),
        ("actor_id", text()),
        ("actor", json!({"type": "string"})),
        ("target_id", text()),
        ("target", text()),
        ("address", text()),
        ("request_id", text()),
        ("details", json!({"type": ["object", "null"]})),
    ])
}
