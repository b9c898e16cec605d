//! Answers: headers that all carry, the one shape of errors, what each refusal means.

use serde_json::{Value, json};

use super::{Object, refer};

/// The one shape of errors, a JSON Schema.
const ERROR: &str = include_str!("../../../../docs/error.schema.json");

/// A refusal: its status, the key below `components.responses`, what it means.
const REFUSALS: [(u16, &str, &str); 17] = [
    (
        300,
        "Ambiguous",
        "Several relations are meant; details lists them, a hint in select chooses.",
    ),
    (
        400,
        "BadRequest",
        "The request cannot be read, or names what is not there.",
    ),
    (401, "Unauthorized", "Sign in first, or again."),
    (
        403,
        "Forbidden",
        "Your roles or the rules of the table do not allow it.",
    ),
    (404, "NotFound", "There is no such thing, for you."),
    (405, "MethodNotAllowed", "The path takes other methods."),
    (
        406,
        "NotAcceptable",
        "Not available in the type asked for; or one row was asked for, and there are several.",
    ),
    (
        409,
        "Conflict",
        "A row with this key is there; the row is pointed to, or points nowhere; or others were faster.",
    ),
    (
        413,
        "TooLarge",
        "The body has more bytes or rows than the limit.",
    ),
    (
        415,
        "UnsupportedMediaType",
        "The body is of a type that is not understood.",
    ),
    (
        416,
        "RangeNotSatisfiable",
        "The page begins behind the last row.",
    ),
    (
        422,
        "Unprocessable",
        "Fields are wrong; details lists all of them.",
    ),
    (
        429,
        "TooManyAttempts",
        "There were too many attempts; wait as long as Retry-After says.",
    ),
    (
        500,
        "Internal",
        "A fault of the server; its log has the cause under the request's id.",
    ),
    (503, "Unavailable", "The database cannot be reached now."),
    (504, "Timeout", "It took too long."),
    (
        507,
        "StorageFull",
        "The database has no space left to write to.",
    ),
];

/// Schemas that every document has.
pub(super) fn schemas(schemas: &mut Object) {
    let [error, fault] = error_shape();
    schemas.insert(String::from("Error"), error);
    schemas.insert(String::from("Fault"), fault);
    schemas.insert(
        String::from("Filter"),
        json!({"type": "string", "pattern": super::parameters::FILTER,
            "description": "`operator.value`; `not.` before it, `(any)` or `(all)` behind some"}),
    );
    schemas.insert(
        String::from("Selected"),
        json!({"type": "object",
            "description": "What `select` asks for: columns under their names or aliases, related \
                rows as objects or lists. With `nulls=stripped` in Accept, no nulls"}),
    );
}

/// The shape of errors as it is published, and that of a fault within it: as components they refer
/// to each other by other names than in a file of their own.
fn error_shape() -> [Value; 2] {
    let mut error: Value = serde_json::from_str(ERROR).unwrap_or_default();
    let fault = error["$defs"]["Fault"].take();
    if let Some(members) = error.as_object_mut() {
        for name in ["$defs", "$schema", "title"] {
            members.remove(name);
        }
    }
    error["properties"]["errors"]["items"]["anyOf"][0] = refer("schemas", "Fault");
    [error, fault]
}

/// Headers, by the keys that answers refer to.
pub(super) fn headers() -> Value {
    let header = |required: bool, schema: Value, description: &str| json!({"required": required, "schema": schema, "description": description});
    let text = || json!({"type": "string"});
    json!({
        "RequestId": header(true, json!({"type": "string", "minLength": 8, "maxLength": 64}),
            "The request's id: its own X-Request-Id where that is a word of 8 to 64 letters and digits"),
        "ContentRange": header(true, json!({"type": "string", "pattern": "^(\\*|[0-9]+-[0-9]+)/(\\*|[0-9]+)$"}),
            "First and last row of the page, and the total where Prefer asks for it: 0-19/57"),
        "ContentLocation": header(true, text(), "The same address, its parameters in the order of their names"),
        "Location": header(false, text(), "Where the new row is, if it is one and has a key"),
        "PreferenceApplied": header(false, text(), "The preferences that were followed (RFC 7240)"),
        "CacheControl": header(false, text(), "As the file declares it"),
        "Allow": header(true, text(), "The methods that the path takes"),
        "WwwAuthenticate": header(true, text(), "A bearer challenge (RFC 6750 §3)"),
        "RetryAfter": header(true, json!({"type": "integer", "minimum": 0}), "Seconds"),
    })
}

/// All refusals, by their keys.
pub(super) fn shared() -> Value {
    let mut all = Object::new();
    for (status, key, description) in REFUSALS {
        let mut headers = json!({"X-Request-Id": refer("headers", "RequestId")});
        match status {
            401 => headers["WWW-Authenticate"] = refer("headers", "WwwAuthenticate"),
            405 => headers["Allow"] = refer("headers", "Allow"),
            429 | 503 => headers["Retry-After"] = refer("headers", "RetryAfter"),
            _ => {}
        }
        let content = json!({"application/json": {"schema": refer("schemas", "Error")}});
        let response = json!({"description": description, "headers": headers, "content": content});
        all.insert(key.to_owned(), response);
    }
    Value::Object(all)
}

/// An operation's answers.
pub(super) struct Responses(Object);

impl Responses {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(Object::new())
    }

    /// A success; headers besides the request's id are named as in an answer, with their keys.
    pub(super) fn success(
        mut self,
        status: u16,
        description: &str,
        headers: &[(&str, &str)],
        content: Option<Value>,
    ) -> Self {
        let mut all = json!({"X-Request-Id": refer("headers", "RequestId")});
        for (name, key) in headers {
            all[*name] = refer("headers", key);
        }
        let mut response = json!({"description": description, "headers": all});
        if let Some(content) = content {
            response["content"] = content;
        }
        self.0.insert(status.to_string(), response);
        self
    }

    /// Refusals with these statuses.
    pub(super) fn refusals(mut self, statuses: &[u16]) -> Self {
        for (status, key, _) in REFUSALS {
            if statuses.contains(&status) {
                self.0.insert(status.to_string(), refer("responses", key));
            }
        }
        self
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}
