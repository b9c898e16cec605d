//! A success as a response.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use rest::Success;

use super::conditions::{Conditions, etag};
use crate::status::of_success;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// On what an answer to a read depends besides its address.
const VARY: HeaderValue = HeaderValue::from_static("Accept, Prefer, Range, Authorization");

pub(super) fn respond(
    success: Success,
    mount: &str,
    head: &Parts,
    conditions: &Conditions<'_>,
) -> Response<Body> {
    let is_read = matches!(head.method, Method::GET | Method::HEAD);
    let tag = is_read.then(|| etag(&success.body));
    let is_known = tag.as_ref().is_some_and(|tag| conditions.knows(tag));
    let length = success.body.len();
    let mut response = Response::new(match head.method == Method::HEAD || is_known {
        true => Body::empty(),
        false => Body::from(success.body),
    });
    *response.status_mut() = match is_known {
        true => StatusCode::NOT_MODIFIED,
        false => of_success(success.kind),
    };
    let headers = response.headers_mut();
    if let Some(kind) = success.content_type.name() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if head.method == Method::HEAD {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if is_read {
        headers.insert(header::VARY, VARY);
    }
    put(
        headers,
        header::CONTENT_LOCATION,
        is_read.then(|| own_address(head)),
    );
    put(headers, header::ETAG, tag);
    put(headers, header::CONTENT_RANGE, success.content_range);
    let location = success.location;
    let location = location.map(|location| format!("{mount}{location}"));
    put(headers, header::LOCATION, location);
    put(headers, header::CACHE_CONTROL, success.cache_control);
    let next = success.next.map(|cursor| {
        let uri = next_page(head, &cursor);
        format!("<{uri}>; rel=\"next\"")
    });
    put(headers, header::LINK, next);
    if success.is_repeated {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    if !success.preference_applied.is_empty() {
        let applied = success.preference_applied.join(", ");
        put(headers, PREFERENCE_APPLIED, Some(applied));
    }
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
        headers.insert(name, value);
    }
}

/// The address of what is answered: parameters in the order of their names, so that requests for the
/// same are told alike (RFC 9110 §8.7).
fn own_address(head: &Parts) -> String {
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    if pairs.is_empty() {
        return path.to_owned();
    }
    pairs.sort_by_key(|pair| pair.split('=').next());
    format!("{path}?{}", pairs.join("&"))
}

/// The same address with another cursor.
fn next_page(head: &Parts, cursor: &str) -> String {
    let query = head.uri.query().unwrap_or_default();
    let others = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="))
        .map(|pair| format!("{pair}&"));
    format!(
        "{}?{}cursor={cursor}",
        head.uri.path(),
        others.collect::<String>()
    )
}

/// A write whose condition was not met.
pub(super) fn unmet() -> crate::error::Refusal {
    crate::error::Refusal::new(
        StatusCode::PRECONDITION_FAILED,
        "PGRST412",
        "the row is not as the condition says",
    )
    .hint("read it again and send its new ETag")
}
