//! Accounts, tokens, and the server itself.

use serde_json::{Value, json};

use super::responses::Responses;
use super::{Object, parameters, security};

/// What every answer about an account must not be: kept by a cache.
pub(super) const UNKEPT: [(&str, &str); 1] = [("Cache-Control", "CacheControl")];

pub(super) fn paths(paths: &mut Object) {
    let mut put = |path: &str, method: &str, operation: Value| {
        paths.insert(path.to_owned(), json!({method: operation}));
    };
    put("/register", "post", register());
    put("/token", "post", token());
    put("/auth/me", "get", me());
    put("/auth/export", "get", export());
    put("/openapi.json", "get", document());
    put("/.well-known/jwks.json", "get", keys());
    put(
        "/healthz",
        "get",
        health("healthz", "The process is alive", &[], &[]),
    );
    put(
        "/readyz",
        "get",
        health("readyz", "The database answers", &["read-only"], &[503]),
    );
}

pub(super) fn as_json(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

pub(super) fn operation(id: &str, tag: &str, summary: &str, is_for_all: bool) -> Value {
    let mut operation = parameters::operation(id, tag, summary);
    let security = match is_for_all {
        true => json!([]),
        false => security(false),
    };
    operation.insert(String::from("security"), security);
    Value::Object(operation)
}

/// The members of an account that people see of their own.
pub(super) fn account(more: &[(&str, Value)]) -> Value {
    let text = || json!({"type": ["string", "null"]});
    let mut properties = Object::new();
    properties.insert(
        String::from("id"),
        json!({"type": "string", "format": "uuid"}),
    );
    properties.insert(
        String::from("email"),
        json!({"type": "string", "format": "email"}),
    );
    for name in ["username", "first_name", "last_name", "display_name"] {
        properties.insert(name.to_owned(), text());
    }
    properties.insert(
        String::from("created_at"),
        json!({"type": "string", "format": "date-time"}),
    );
    for (name, schema) in more {
        properties.insert((*name).to_owned(), schema.clone());
    }
    let required: Vec<String> = properties.keys().cloned().collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn register() -> Value {
    let name = || json!({"type": ["string", "null"], "maxLength": 200});
    let body = json!({
        "type": "object", "required": ["email", "password"], "additionalProperties": false,
        "properties": {
            "email": {"type": "string", "format": "email", "maxLength": 254},
            "password": {"type": "string", "minLength": 8, "maxLength": 1024, "format": "password",
                "description": "At most 1024 bytes; common ones are refused"},
            "username": {"type": ["string", "null"], "maxLength": 40, "pattern": "^[^@]*$"},
            "first_name": name(), "last_name": name(), "display_name": name(),
        },
        "example": {"email": "ada@example.org", "password": "a long pass phrase",
            "username": "ada", "display_name": "Ada"}
    });
    let mut post = operation("register", "account", "Make an account", true);
    post["requestBody"] = json!({"required": true, "content": as_json(&body)});
    let waits = json!({"type": "object", "required": ["next"],
                       "properties": {"next": {"type": "string", "const": "confirm_email"}}});
    post["responses"] = Responses::new()
        .success(201, "Made", &UNKEPT, Some(as_json(&account(&[]))))
        .success(
            202,
            "A link was mailed; the account is made when the address is proved",
            &UNKEPT,
            Some(as_json(&waits)),
        )
        .refusals(&[400, 403, 409, 413, 422, 500, 503, 504, 507])
        .into_value();
    post
}

fn token() -> Value {
    let body = json!({
        "type": "object",
        "anyOf": [{"required": ["username", "password"]}, {"required": ["login_id"]}],
        "properties": {
            "grant_type": {"type": "string", "const": "password"},
            "username": {"type": "string", "description": "An e-mail address or a user name"},
            "password": {"type": "string", "format": "password"},
            "login_id": {"type": "string",
                "description": "Of a refusal with mfa_required; then code or recovery_code take the place of name and password"},
            "code": {"type": "string"},
            "recovery_code": {"type": "string"},
        },
        "example": {"username": "ada@example.org", "password": "a long pass phrase"}
    });
    let answer = json!({
        "type": "object", "required": ["access_token", "token_type", "expires_in"],
        "properties": {
            "access_token": {"type": "string"},
            "token_type": {"type": "string", "const": "bearer"},
            "expires_in": {"type": "integer", "minimum": 1, "description": "Seconds"},
        }
    });
    let mut post = operation("token", "account", "Sign in with a password", true);
    post["requestBody"] = json!({"required": true, "content": {
        "application/x-www-form-urlencoded": {"schema": body},
        "application/json": {"schema": body},
    }});
    post["responses"] = Responses::new()
        .success(200, "A bearer token", &UNKEPT, Some(as_json(&answer)))
        .refusals(&[400, 401, 403, 409, 413, 422, 429, 500, 503, 504, 507])
        .into_value();
    post
}

/// An account as its owner sees it.
pub(super) fn own_account() -> Value {
    let roles = json!({"type": "array", "items": {"type": "string"}});
    let sign_in = json!({"enum": ["opaque", "plain", null]});
    account(&[("roles", roles), ("sign_in", sign_in)])
}

fn export() -> Value {
    let list = || json!({"type": "array", "items": {"type": "object"}});
    let data = json!({"type": "object", "required": ["account"],
        "properties": {"account": own_account(), "passkeys": list(), "sessions": list(),
                       "acts": list()}});
    let mut get = operation(
        "export",
        "account",
        "All that is kept of your account",
        false,
    );
    get["responses"] = Responses::new()
        .success(200, "Your data", &UNKEPT, Some(as_json(&data)))
        .refusals(&[401, 500, 503, 504])
        .into_value();
    get
}

fn me() -> Value {
    let mut get = operation("me", "account", "Who you are", false);
    get["responses"] = Responses::new()
        .success(200, "Your account", &UNKEPT, Some(as_json(&own_account())))
        .refusals(&[401, 500, 503, 504])
        .into_value();
    get
}

fn document() -> Value {
    let mut get = operation("openapi", "server", "This document, for your roles", true);
    get["security"] = security(true);
    get["responses"] = Responses::new()
        .success(
            200,
            "OpenAPI 3.1",
            &[],
            Some(as_json(&json!({"type": "object"}))),
        )
        .refusals(&[401, 500])
        .into_value();
    get
}

fn keys() -> Value {
    let key = json!({"type": "object", "required": ["kty", "kid"]});
    let keys = json!({"type": "object", "required": ["keys"],
                      "properties": {"keys": {"type": "array", "items": key}}});
    let content = json!({"application/jwk-set+json": {"schema": keys}});
    let mut get = operation("jwks", "server", "Keys that verify tokens (RFC 7517)", true);
    get["responses"] = Responses::new()
        .success(200, "Keys", &[], Some(content))
        .refusals(&[500])
        .into_value();
    get
}

/// `modes` are those besides the usual one, which is not told.
fn health(id: &str, description: &str, modes: &[&str], refusals: &[u16]) -> Value {
    let mut schema = json!({"type": "object", "required": ["status"],
                        "properties": {"status": {"type": "string", "const": "ok"}}});
    if !modes.is_empty() {
        schema["properties"]["mode"] = json!({"type": "string", "enum": modes,
            "description": "read-only: the database takes no change from this server"});
    }
    let mut get = operation(id, "server", description, true);
    get["responses"] = Responses::new()
        .success(200, description, &[], Some(as_json(&schema)))
        .refusals(refusals)
        .into_value();
    get
}
