//! The server's own spans. None of them holds a value: no row, no key, no query string.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response, header};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use rest::Prefixes;
use sql::TRACE_TARGET;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::App;

/// The paths of the server's own routes.
static OWN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let routes = crate::routes(&Prefixes::default()).into_iter();
    let own = routes.filter(|route| route.method != "*");
    own.map(|route| route.path).collect()
});

/// Whether anybody collects spans.
fn is_on() -> bool {
    tracing::enabled!(target: TRACE_TARGET, tracing::Level::INFO)
}

/// A request's, part of its caller's trace where it says so (W3C Trace Context, §3).
pub(crate) fn of_request(app: &App, request: &Request, id: &str) -> Span {
    if !is_on() {
        return Span::none();
    }
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        // A word of somebody's own would be a value.
        _ => "_OTHER",
    };
    let route = route(app, request.uri().path());
    let span = tracing::info_span!(
        target: TRACE_TARGET,
        "request",
        otel.name = %format_args!("{method} {}", route.as_deref().unwrap_or("no route")),
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
        app.request_id = id,
        app.result_length = field::Empty,
    );
    let caller = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    if let Err(error) = span.set_parent(caller) {
        tracing::debug!(%error, "a caller's trace was not taken up");
    }
    span
}

/// The path without what stands for a value in it.
fn route(app: &App, path: &str) -> Option<String> {
    let state = &app.0;
    let compiled = state.compiled.load();
    let of_api = |prefixes: &Prefixes| {
        let (prefix, inner) = prefixes.split(path)?;
        let route = compiled.api.route(inner)?;
        Some(format!("{prefix}{route}"))
    };
    let own = || {
        let trimmed = path.trim_end_matches('/');
        let found = OWN.iter().find(|route| match route.split_once('{') {
            None => *route == path || *route == trimmed,
            Some((fixed, _)) => path.starts_with(fixed),
        });
        found.cloned()
    };
    of_api(&state.settings.api.prefixes).or_else(own)
}

/// Tells what came of a request.
pub(crate) fn tell(span: &Span, response: &Response<Body>) {
    if span.is_disabled() {
        return;
    }
    let status = response.status();
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    if let Some(rows) = rows(response.headers()) {
        span.record("app.result_length", rows);
    }
}

/// The rows of an answer: `0-19/57` are 20, `*/0` are none.
fn rows(headers: &HeaderMap) -> Option<i64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    match range.split_once('/')?.0 {
        "*" => Some(0),
        page => {
            let (first, last) = page.split_once('-')?;
            let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
            last.checked_sub(first).map(|rows| rows + 1)
        }
    }
}

/// A hook file's statements, wherever they run; `steps` are those that it adds to a unit.
pub(crate) fn of_hook(event: &str, steps: usize) -> Span {
    if !is_on() {
        return Span::none();
    }
    let steps = i64::try_from(steps).unwrap_or(i64::MAX);
    tracing::info_span!(
        target: TRACE_TARGET,
        "hook",
        otel.name = %format_args!("hook {event}"),
        otel.kind = "internal",
        otel.status_code = field::Empty,
        app.event = event,
        app.statements = steps,
        app.result_length = field::Empty,
    )
}

/// An attempt at a delivery of the outbox, to a hook file or to a webhook.
pub(crate) fn of_delivery(event: &str, target: &str, kind: &'static str) -> Span {
    if !is_on() {
        return Span::none();
    }
    tracing::info_span!(
        target: TRACE_TARGET,
        "delivery",
        otel.name = %format_args!("deliver {event}"),
        otel.kind = kind,
        otel.status_code = field::Empty,
        app.event = event,
        app.target = target,
        app.result_length = field::Empty,
    )
}

/// Tells whoever is asked of which trace this is a part.
pub(crate) fn inject(headers: &mut HeaderMap) {
    let span = Span::current();
    if is_on() && !span.is_disabled() {
        let propagator = TraceContextPropagator::new();
        propagator.inject_context(&span.context(), &mut HeaderInjector(headers));
    }
}
