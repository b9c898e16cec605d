//! `POST /api/$batch`: several requests in one transaction, done all or none. Later ones may use
//! what earlier ones gave.
//!
//! ```json
//! [{"id": "film", "method": "POST", "path": "/films", "body": {"title": "…"},
//!   "headers": {"Prefer": "return=representation"}},
//!  {"method": "POST", "path": "/nominations", "body": {"film_id": {"$ref": "film/0/id"}}},
//!  {"method": "GET", "path": "/films/{film/0/id}"}]
//! ```
//!
//! A reference is the id of an earlier request and, behind it, a JSON pointer (RFC 6901) into the
//! body of its answer.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rest::{ContentType, Method, Request, Success};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sql::Tx;

use super::perform::{Asked, Failed, Terms, Work};
use super::segments;
use crate::error::Refusal;
use crate::status::of_success;

/// The most requests of a batch.
const MOST: usize = 100;

/// One request of a batch, as it came.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    id: Option<String>,
    method: String,
    path: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
}

/// Answers a batch.
pub(super) async fn answer(asked: Asked<'_>, terms: &Terms<'_>) -> Result<Success, Refusal> {
    if asked.request.method != Method::Post {
        let message = "a batch is sent with POST";
        let mut refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "PGRST117", message);
        refusal.allow = Some(String::from("POST"));
        return Err(refusal);
    }
    let parts: Vec<Part> = serde_json::from_slice(asked.request.body).map_err(|error| {
        malformed(format!("the batch cannot be read: {error}"))
            .hint("send [{\"id\": \"a\", \"method\": \"GET\", \"path\": \"/films\"}, …]")
    })?;
    if parts.len() > MOST {
        return Err(malformed(format!("a batch has at most {MOST} requests"))
            .hint("send them in several batches"));
    }
    Work::Batch(asked, terms, &parts).transact().await
}

/// Runs a batch in a transaction; gives whether its changes are to be kept.
pub(super) async fn run(
    asked: Asked<'_>,
    terms: &Terms<'_>,
    tx: &mut Tx,
    parts: &[Part],
) -> Result<(Success, bool), Failed> {
    if let Some(repeat) = &terms.repeat
        && let Some(success) = repeat.answer(asked.state, tx).await?
    {
        return Ok((success, false));
    }
    let success = all(asked, tx, parts).await?;
    let mut prefer = asked.request.prefer.iter();
    let keeps = !prefer.any(|prefer| prefer.contains("tx=rollback"));
    if let (Some(repeat), true) = (&terms.repeat, keeps) {
        asked.enter(tx, true).await?;
        repeat.keep(asked.state, tx, &success).await?;
    }
    Ok((success, keeps))
}

fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "PGRST102", message)
}

async fn all(asked: Asked<'_>, tx: &mut Tx, parts: &[Part]) -> Result<Success, Failed> {
    let mut answers: Vec<Value> = Vec::with_capacity(parts.len());
    let mut bodies: HashMap<&str, Value> = HashMap::new();
    for (place, part) in parts.iter().enumerate() {
        let (success, body) = match one(asked, tx, part, &bodies).await {
            Ok(done) => done,
            Err(Failed::Refused(refusal)) => {
                return Err(Failed::Refused(of_part(refusal, place, part)));
            }
            Err(overtaken) => return Err(overtaken),
        };
        let mut headers = Map::new();
        if let Some(location) = &success.location {
            headers.insert(String::from("Location"), json!(location));
        }
        if let Some(range) = &success.content_range {
            headers.insert(String::from("Content-Range"), json!(range));
        }
        let status = of_success(success.kind).as_u16();
        answers.push(json!({"id": part.id, "status": status, "headers": headers, "body": body}));
        if let Some(id) = &part.id
            && bodies.insert(id, body).is_some()
        {
            let refusal = malformed(format!("two requests of the batch have the id {id}"));
            return Err(Failed::Refused(refusal));
        }
    }
    Ok(Success::rows(
        Value::Array(answers).to_string().into_bytes(),
    ))
}

/// The refusal of one request is that of the batch.
fn of_part(mut refusal: Refusal, place: usize, part: &Part) -> Refusal {
    let name = part
        .id
        .as_ref()
        .map_or(format!("number {}", place + 1), Clone::clone);
    refusal.message = format!("request {name} of the batch: {}", refusal.message);
    refusal
}

/// Runs one request; gives its answer and the answer's body.
async fn one(
    asked: Asked<'_>,
    tx: &mut Tx,
    part: &Part,
    bodies: &HashMap<&str, Value>,
) -> Result<(Success, Value), Failed> {
    let refused = Failed::Refused;
    let method = method_of(&part.method).map_err(refused)?;
    let target = with_references(&part.path, bodies).map_err(refused)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let prefixes = &asked.state.settings.api.prefixes;
    let (_, path) = segments(prefixes, path).map_err(refused)?;
    if path.is_empty() || path.first().is_some_and(|first| first == super::BATCH) {
        let message = "a request of a batch is of a table or an SQL file";
        return Err(Failed::Refused(malformed(message)));
    }
    let body = part
        .body
        .clone()
        .map(|body| resolved(body, bodies))
        .transpose();
    let body = body.map_err(refused)?;
    let text = match &body {
        None => Vec::new(),
        Some(body) => body.to_string().into_bytes(),
    };
    let header = |name: &str| {
        let mut headers = part.headers.iter();
        let found = headers.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    let prefer: Vec<&str> = header("prefer").into_iter().collect();
    if prefer.iter().any(|prefer| prefer.contains("tx=rollback")) {
        let refusal = malformed("tx=rollback is for the batch as a whole");
        return Err(Failed::Refused(refusal.hint("send it with the batch")));
    }
    let request = Request {
        method,
        path: &path,
        query,
        prefer: &prefer,
        accept: header("accept"),
        range: header("range"),
        profile: None,
        content_type: Some("application/json"),
        body: &text,
    };
    let (success, _) = Asked {
        request: &request,
        ..asked
    }
    .within(tx)
    .await?;
    let body = match success.content_type {
        ContentType::None => Value::Null,
        ContentType::Json | ContentType::Object | ContentType::JsonPlan => {
            serde_json::from_slice(&success.body).unwrap_or(Value::Null)
        }
        ContentType::Csv | ContentType::TextPlan => {
            json!(String::from_utf8_lossy(&success.body))
        }
    };
    Ok((success, body))
}

fn method_of(name: &str) -> Result<Method, Refusal> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PATCH" => Method::Patch,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => return Err(malformed(format!("{other} is no method of a batch"))),
    })
}

/// `film/0/id`: a value of an earlier answer.
fn referred<'b>(reference: &str, bodies: &'b HashMap<&str, Value>) -> Result<&'b Value, Refusal> {
    let (id, pointer) = match reference.split_once('/') {
        Some((id, rest)) => (id, format!("/{rest}")),
        None => (reference, String::new()),
    };
    let body = bodies
        .get(id)
        .ok_or_else(|| malformed(format!("there is no earlier request {id} in the batch")))?;
    body.pointer(&pointer).ok_or_else(|| {
        malformed(format!("the answer to {id} has nothing at {pointer}"))
            .hint("ask for it with Prefer: return=representation")
    })
}

/// A path with its `{references}` put in, escaped.
fn with_references<'p>(
    path: &'p str,
    bodies: &HashMap<&str, Value>,
) -> Result<Cow<'p, str>, Refusal> {
    if !path.contains('{') {
        return Ok(Cow::Borrowed(path));
    }
    let mut whole = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('{') {
        whole.push_str(before);
        // Lists in braces, as `like(any).{a,b}`, are no references.
        let end = behind.split_once('}').filter(|(name, _)| {
            let id = name.split('/').next().unwrap_or_default();
            bodies.contains_key(id)
        });
        let Some((name, after)) = end else {
            whole.push('{');
            rest = behind;
            continue;
        };
        let text = match referred(name, bodies)? {
            Value::String(text) => text.clone(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(malformed(format!("{name} is no text or number for a path")));
            }
            plain => plain.to_string(),
        };
        whole.extend(utf8_percent_encode(&text, NON_ALPHANUMERIC));
        rest = after;
    }
    whole.push_str(rest);
    Ok(Cow::Owned(whole))
}

/// A body with its `{"$ref": "…"}` put in.
fn resolved(body: Value, bodies: &HashMap<&str, Value>) -> Result<Value, Refusal> {
    Ok(match body {
        Value::Object(members) => match members.get("$ref") {
            Some(Value::String(reference)) if members.len() == 1 => {
                referred(reference, bodies)?.clone()
            }
            _ => {
                let members = members
                    .into_iter()
                    .map(|(name, value)| Ok((name, resolved(value, bodies)?)));
                Value::Object(members.collect::<Result<_, Refusal>>()?)
            }
        },
        Value::Array(values) => {
            let values = values.into_iter().map(|value| resolved(value, bodies));
            Value::Array(values.collect::<Result<_, Refusal>>()?)
        }
        plain => plain,
    })
}
