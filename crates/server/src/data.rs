//! The data API's one handler: request to plan to rows to answer.

mod perform;

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::Request as HttpRequest;
use axum::http::{HeaderName, HeaderValue, Method as HttpMethod, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use rest::{ContentType, Method, Request, Success};

use self::perform::Asked;
use crate::App;
use crate::auth::authenticate;
use crate::error::{Answer, Refusal};
use crate::status::of_success;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const RANGE_UNIT: HeaderName = HeaderName::from_static("range-unit");

/// Every method below `/api` and `/rest/v1`.
pub(crate) async fn handle(app: &App, request: HttpRequest) -> Answer {
    let state = &app.0;
    let (head, body) = request.into_parts();
    let headers = &head.headers;
    let compiled = state.compiled.load();
    let authenticated = authenticate(state, &compiled, headers)?;
    let caller = authenticated.as_deref().unwrap_or(&compiled.anonymous);
    let (mount, path) = segments(head.uri.path())?;
    let method = method_of(&head.method)?;
    let body = match method {
        Method::Get | Method::Head => Bytes::new(),
        Method::Post | Method::Patch | Method::Put | Method::Delete => {
            read_body(body, state.settings.max_body_bytes).await?
        }
    };
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let prefer: Vec<&str> = headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let request = Request {
        method,
        path: &path,
        query: head.uri.query().unwrap_or_default(),
        prefer: &prefer,
        accept: text(header::ACCEPT),
        range: text(header::RANGE)
            .filter(|_| text(RANGE_UNIT).is_none_or(|unit| unit.eq_ignore_ascii_case("items"))),
        content_type: text(header::CONTENT_TYPE),
        body: &body,
    };
    let asked = Asked {
        state,
        compiled: &compiled,
        caller,
        request: &request,
    };
    let success = asked.answer().await?;
    Ok(respond(success, mount, method == Method::Head))
}

fn method_of(method: &HttpMethod) -> Result<Method, Refusal> {
    Ok(match *method {
        HttpMethod::GET => Method::Get,
        HttpMethod::HEAD => Method::Head,
        HttpMethod::POST => Method::Post,
        HttpMethod::PATCH => Method::Patch,
        HttpMethod::PUT => Method::Put,
        HttpMethod::DELETE => Method::Delete,
        _ => {
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "PGRST117",
                "no such method",
            ));
        }
    })
}

/// The whole body; one that says no length is cut off at the same limit.
async fn read_body(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::too_large(limit)),
        Err(error) => {
            tracing::debug!(%error, "a body broke off");
            let message = "the body ended before its end";
            Err(Refusal::new(StatusCode::BAD_REQUEST, "PGRST102", message))
        }
    }
}

/// The mount and the decoded segments below it; a slash at the end changes nothing.
fn segments(path: &str) -> Result<(&'static str, Vec<Cow<'_, str>>), Refusal> {
    let (mount, rest) = match path.strip_prefix("/rest/v1") {
        Some(rest) => ("/rest/v1", rest),
        None => ("/api", path.strip_prefix("/api").unwrap_or(path)),
    };
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let missing = || Refusal::new(StatusCode::NOT_FOUND, "PGRST125", "there is no such path");
    let mut segments = Vec::with_capacity(2);
    for segment in rest.split('/') {
        if segment.is_empty() {
            return Err(missing());
        }
        let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "PGRST100",
                "the path is not percent-encoded UTF-8",
            )
        })?;
        if decoded.contains('\0') {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "PGRST100",
                "the path holds NUL",
            ));
        }
        segments.push(decoded);
    }
    Ok((mount, segments))
}

fn respond(success: Success, mount: &str, is_head: bool) -> Response<Body> {
    let length = success.body.len();
    let body = if is_head {
        Body::empty()
    } else {
        Body::from(success.body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = of_success(success.kind);
    let headers = response.headers_mut();
    let kind = match success.content_type {
        ContentType::None => None,
        ContentType::Json => Some(HeaderValue::from_static("application/json")),
        ContentType::Object => Some(HeaderValue::from_static(
            "application/vnd.pgrst.object+json",
        )),
        ContentType::Csv => Some(HeaderValue::from_static("text/csv; charset=utf-8")),
    };
    if let Some(kind) = kind {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if is_head {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let mut put = |name: header::HeaderName, value: Option<String>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    };
    put(header::CONTENT_RANGE, success.content_range);
    put(
        header::LOCATION,
        success
            .location
            .map(|location| format!("{mount}{location}")),
    );
    put(header::CACHE_CONTROL, success.cache_control);
    if !success.preference_applied.is_empty() {
        let applied = success.preference_applied.join(", ");
        put(
            header::HeaderName::from_static("preference-applied"),
            Some(applied),
        );
    }
    response
}
