//! Several requests in one transaction: `POST /api/$batch`.

use serde_json::{Value, json};

use super::responses::Responses;
use super::{Object, View, parameters, refer, security};

/// The most requests of a batch.
const MOST: u64 = 100;

pub(super) fn schemas(schemas: &mut Object) {
    let text = || json!({"type": "string"});
    let part = json!({
        "type": "object", "required": ["method", "path"], "additionalProperties": false,
        "properties": {
            "id": {"type": ["string", "null"],
                "description": "Its name in the paths and bodies of later requests"},
            "method": {"type": "string", "enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
            "path": {"type": "string", "description": "Of a table or an SQL file, with its query \
                string; `{film/0/id}` is a part of an earlier answer"},
            "headers": {"type": "object", "additionalProperties": text(),
                "description": "Prefer, Accept and Range"},
            "body": {"description": "JSON; `{\"$ref\": \"film/0/id\"}` is a part of an earlier answer"},
        },
        "example": {"id": "one", "method": "GET", "path": "/"}
    });
    let answer = json!({
        "type": "object", "required": ["id", "status", "headers", "body"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "status": {"type": "integer", "minimum": 200, "maximum": 299},
            "headers": {"type": "object", "additionalProperties": text()},
            "body": {"description": "What the request alone would answer; null without a body"},
        }
    });
    schemas.insert(String::from("Batch.request"), part);
    schemas.insert(String::from("Batch.answer"), answer);
}

pub(super) fn paths(view: View<'_>, paths: &mut Object) {
    let summary = "Several requests in one transaction, done all or none";
    let mut post = Value::Object(parameters::operation("batch", "endpoints", summary));
    post["security"] = security(true);
    let parts = json!({"type": "array", "maxItems": MOST, "items": refer("schemas", "Batch.request"),
                       "example": []});
    post["requestBody"] =
        json!({"required": true, "content": {"application/json": {"schema": parts}}});
    let answers = json!({"type": "array", "items": refer("schemas", "Batch.answer")});
    let content = json!({"application/json": {"schema": answers}});
    post["responses"] = Responses::new()
        .success(
            200,
            "The answers, in the order of the requests",
            &[],
            Some(content),
        )
        .refusals(&[
            300, 400, 401, 403, 404, 405, 406, 409, 413, 415, 416, 422, 500, 503, 504, 507,
        ])
        .into_value();
    let path = view.api.prefixes().path("/$batch");
    paths.insert(path, json!({"post": post}));
}
