//! The one shape of errors: every answer of 400 and above that a test sees is held against it.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::Answer;

static SHAPE: LazyLock<Validator> = LazyLock::new(|| {
    let text = include_str!("../../../docs/error.schema.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is one")
});

/// Whether an error's body has the shape, says what kind of body it is, and tells the request's id
/// as its header does; at the endpoints of OAuth it has the names of its specifications, elsewhere it
/// has not.
pub fn check(path: &str, answer: &Answer) -> Result<(), String> {
    if answer.header("content-type") != "application/json" {
        return Err(format!("it is {:?}", answer.header("content-type")));
    }
    let body: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
    SHAPE.validate(&body).map_err(|error| error.to_string())?;
    if body["request_id"] != answer.header("x-request-id") {
        return Err(String::from("its request_id is not that of X-Request-Id"));
    }
    let path = path.trim_end_matches('/');
    // What a person is asked is asked by a page, not by a client.
    let is_page = path.starts_with("/oauth2/consent/")
        || path == "/oauth2/device"
        || path.starts_with("/oauth2/device/");
    let is_oauth = path == "/token" || (path.starts_with("/oauth2/") && !is_page);
    match body.get("error").is_some() == is_oauth {
        true => Ok(()),
        false => Err(format!("names of RFC 6749 are due: {is_oauth}")),
    }
}
