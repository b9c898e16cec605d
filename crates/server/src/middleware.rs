//! What happens around every request: an id, limits, headers, one line in the log.

use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use stdx::Rng;
use tracing::Instrument as _;

use crate::App;
use crate::error::{Names, Refusal, Told};
use crate::traces;

/// How much of a body that is too large is read before it is refused, and for how long.
const MOST_DRAINED: usize = 16 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One pass in, one pass out; `answer` is what the routes make of the request.
pub(crate) async fn around<F: Future<Output = Response<Body>>>(
    app: &App,
    request: Request,
    answer: impl FnOnce(Request, &str) -> F,
) -> Response<Body> {
    let settings = &app.0.settings;
    let id = request_id(app, request.headers());
    let origin = allowed_origin(&settings.cors_origins, request.headers());
    let names = Names::at(request.uri().path());
    let span = traces::of_request(app, &request, &id);
    let shown = tracing::enabled!(tracing::Level::INFO).then(|| Shown {
        began: Instant::now(),
        method: request.method().clone(),
        path: without_tokens(request.uri().path()),
    });
    let request = match request.headers().contains_key(header::CONTENT_LENGTH) {
        true => request,
        false => request.map(Unread::around),
    };
    let mut response = if let Some(refusal) = refuse(app, &request) {
        if refusal.status == StatusCode::PAYLOAD_TOO_LARGE {
            drain(request.into_body()).await;
        }
        refusal.into_response()
    } else if is_preflight(&request) {
        preflight()
    } else {
        let answer = answer(request, &id).instrument(span.clone());
        let answer = pin!(AssertUnwindSafe(answer).catch_unwind());
        guarded(answer, settings.request_timeout)
            .await
            .unwrap_or_else(Refusal::into_response)
    };
    if let Some(refusal) = response.extensions_mut().remove::<crate::router::Refused>() {
        // The router knows which methods a path takes (RFC 9110 §15.5.6), and says so itself.
        let allow = response.headers_mut().remove(header::ALLOW);
        response = refusal.into_inner().respond(&id, names);
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    } else if response.extensions_mut().remove::<Told>().is_none() && is_foreign(&response) {
        // Said by the framework, in a shape of its own.
        let refusal = Refusal::of_framework(response.status(), settings.max_body_bytes);
        response = refusal.respond(&id, names);
    }
    dress(
        response.headers_mut(),
        &id,
        origin,
        settings.public_url.starts_with("https:"),
    );
    traces::tell(&span, &response);
    if let Some(shown) = shown {
        let status = response.status().as_u16();
        let micros = u64::try_from(shown.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let Shown { method, path, .. } = shown;
        tracing::info!(%method, path, status, micros, request_id = id, "request");
    }
    response
}

/// Characters of a link's token.
const TOKEN: usize = 43;

/// A path without the tokens of links: who reads the log could use them.
fn without_tokens(path: &str) -> String {
    if !["/auth", "/oauth2"].iter().any(|own| path.starts_with(own)) {
        return path.to_owned();
    }
    let part = |part: &str| match part.len() < TOKEN {
        true => part.to_owned(),
        false => String::from("***"),
    };
    let parts: Vec<String> = path.split('/').map(part).collect();
    parts.join("/")
}

/// What the log says of a request; the query string may hold what is nobody's business.
struct Shown {
    began: Instant,
    method: Method,
    path: String,
}

/// The answer, unless its handler panics or takes too long.
async fn guarded<P>(
    mut answer: Pin<&mut impl Future<Output = Result<Response<Body>, P>>>,
    limit: Duration,
) -> Result<Response<Body>, Refusal> {
    // Most answers are ready at once (SQLite reads inline) and need no timer.
    let done = match futures_util::poll!(answer.as_mut()) {
        Poll::Ready(done) => done,
        Poll::Pending => tokio::time::timeout(limit, answer).await.map_err(|_| {
            let message = "the request took too long";
            Refusal::new(StatusCode::GATEWAY_TIMEOUT, "57014", message)
        })?,
    };
    done.map_err(|_| Refusal::internal("a handler panicked", &"its panic stands above"))
}

/// Whether it is an error that none of our handlers told.
fn is_foreign(response: &Response<Body>) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

/// The caller's own id, if it is a plain word, or a new one.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => app.0.request_ids.next(),
    }
}

/// Ids for requests: unlike those of other processes, counted within this one. They need not be
/// unguessable, so no request pays for the system's generator.
pub(crate) struct RequestIds {
    process: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(rng: &Rng) -> Self {
        Self {
            process: u64::from_be_bytes(rng.bytes()),
            count: AtomicU64::new(1),
        }
    }

    fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // The shape of a trace id (W3C Trace Context, §3.2.2.3).
        format!("{:016x}{count:016x}", self.process)
    }
}

/// A body of unknown length, which may turn out to be too large: what its handler leaves of it is
/// read on for a while.
struct Unread(Option<Body>);

impl Unread {
    fn around(body: Body) -> Body {
        match body.is_end_stream() {
            true => body,
            false => Body::new(Self(Some(body))),
        }
    }
}

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        frame
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        if let Some(body) = self.0.take() {
            tokio::spawn(drain(body));
        }
    }
}

/// Reads on for a while what is not wanted: somebody who still sends does not see an answer, but
/// that the connection was reset.
async fn drain(mut body: Body) {
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > MOST_DRAINED {
                return;
            }
        }
    };
    // Whatever comes of it, the answer is the same.
    let _ = tokio::time::timeout(DRAIN_TIME, read).await;
}

fn refuse(app: &App, request: &Request) -> Option<Refusal> {
    let settings = &app.0.settings;
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > settings.max_body_bytes) {
        return Some(Refusal::too_large(settings.max_body_bytes));
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

/// Whether a browser asks before it sends something (Fetch Standard, 3.2.2).
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
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
    // Ours, and those that hyper adds: grown once.
    headers.reserve(8);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
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
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD, POST, PATCH, PUT, DELETE"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "authorization, content-type, prefer, accept-profile, content-profile, apikey, \
                 x-client-info, x-request-id, x-retry-count, range, range-unit, if-match, \
                 if-none-match, idempotency-key, last-event-id, x-csrf-token",
            ),
        );
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(
                "content-range, location, preference-applied, x-request-id, etag, link",
            ),
        );
    }
}
