//! What happens around every request: an id, limits, headers, one line in the log.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use futures_util::FutureExt as _;

use crate::App;
use crate::error::Refusal;

/// One pass in, one pass out.
pub(crate) async fn around(
    Shared(app): Shared<App>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let began = Instant::now();
    let settings = &app.0.settings;
    let id = request_id(&app, request.headers());
    let method = request.method().clone();
    let origin = allowed_origin(&settings.cors_origins, request.headers());
    let path = tracing::enabled!(tracing::Level::INFO).then(|| request.uri().path().to_owned());
    let mut response = if let Some(refusal) = refuse(&app, &request) {
        refusal.respond(&id)
    } else if method == Method::OPTIONS {
        preflight()
    } else {
        let work = AssertUnwindSafe(next.run(request)).catch_unwind();
        match tokio::time::timeout(settings.request_timeout, work).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => Refusal::internal("a handler panicked", &id).respond(&id),
            Err(_) => Refusal::new(
                StatusCode::GATEWAY_TIMEOUT,
                "57014",
                "the request took too long",
            )
            .respond(&id),
        }
    };
    if let Some(refusal) = response.extensions_mut().remove::<crate::router::Refused>() {
        response = refusal.into_inner().respond(&id);
    }
    dress(
        response.headers_mut(),
        &id,
        origin,
        settings.public_url.starts_with("https:"),
    );
    if let Some(path) = path {
        let status = response.status().as_u16();
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(%method, path, status, micros, request_id = id, "request");
    }
    response
}

/// The caller's own id, if it is a plain word, or a new one.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let given = headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => stdx::new_id(&app.0.clock, &app.0.rng).simple().to_string(),
    }
}

fn refuse(app: &App, request: &Request) -> Option<Refusal> {
    let settings = &app.0.settings;
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > settings.max_body_bytes) {
        let most = settings.max_body_bytes;
        let message = format!("the body has more than {most} bytes");
        return Some(
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "PGRST102", message)
                .hint("the limit is server.max_body_bytes"),
        );
    }
    if !settings.allowed_hosts.is_empty() {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok());
        let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
        if !name.is_some_and(|name| settings.allowed_hosts.iter().any(|allowed| allowed == name)) {
            return Some(Refusal::new(
                StatusCode::MISDIRECTED_REQUEST,
                "PGRST125",
                "this server does not answer for that host",
            ));
        }
    }
    None
}

fn allowed_origin(origins: &[String], headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let text = origin.to_str().ok()?;
    origins
        .iter()
        .any(|allowed| allowed == text)
        .then(|| origin.clone())
}

fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(
        header::ALLOW,
        HeaderValue::from_static("GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"),
    );
    response
}

/// Headers that every answer carries.
fn dress(headers: &mut HeaderMap, id: &str, origin: Option<HeaderValue>, is_https: bool) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    if is_https {
        let value = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD, POST, PATCH, PUT, DELETE"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "authorization, content-type, prefer, accept-profile, content-profile, apikey, \
                 x-client-info, x-request-id, x-retry-count",
            ),
        );
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("content-range, location, preference-applied, x-request-id"),
        );
    }
}
