//! The data API's one handler: request to plan to rows to answer.

mod batch;
mod conditions;
mod nested;
mod perform;
mod repeat;
mod respond;
mod timing;
mod watch;

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request as HttpRequest;
use axum::http::request::Parts;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, Response, StatusCode, header,
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use rest::{Caller, Method, Moment, Prefixes, Request, Success};

use self::conditions::Conditions;
use self::perform::{Asked, Terms};
use self::repeat::Repeat;
use self::respond::respond;
use self::timing::{Part, Timing};
use crate::App;
use crate::app::{Compiled, State};
use crate::auth::{Possession, ask_for_more, authenticate, refuse_key_in_query};
use crate::error::{Answer, Refusal};

pub(crate) use watch::Watchers;

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// What a path of the data API may take.
const METHODS: &str = "GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS";
const RANGE_UNIT: HeaderName = HeaderName::from_static("range-unit");
const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");

/// Where several requests are sent as one.
const BATCH: &str = "$batch";

/// Who asks, by the headers of the request alone.
async fn identified(
    state: &State,
    compiled: &Compiled,
    head: &Parts,
) -> Result<Option<Arc<Caller>>, Refusal> {
    refuse_key_in_query(head.uri.query().unwrap_or_default())?;
    let shown = Possession::Shown(head.uri.path());
    authenticate(state, compiled, &head.method, shown, &head.headers).await
}

/// Every method below the data API's prefixes.
pub(crate) async fn handle(app: &App, request: HttpRequest) -> Answer {
    let state = &app.0;
    let (head, body) = request.into_parts();
    let headers = &head.headers;
    let compiled = state.compiled.load();
    let timing = state.settings.timings.then(Timing::begin);
    let over = |part| timing.iter().for_each(|timing| timing.over(part));
    let authenticated = identified(state, &compiled, &head).await?;
    let caller = authenticated.as_deref().unwrap_or(&compiled.anonymous);
    over(Part::Jwt);
    let (mount, path) = segments(&state.settings.api.prefixes, head.uri.path())?;
    if path.is_empty() && !compiled.api.has_index() {
        return description(app, &compiled, caller, &head.method);
    }
    if head.method == HttpMethod::OPTIONS {
        return options(state, &compiled, caller, &path);
    }
    let method = method_of(&head.method)?;
    if method == Method::Get && watch::is_asked(headers) {
        let query = head.uri.query().unwrap_or_default();
        return watch::answer(app, headers, &path, query).await;
    }
    let reads = matches!(method, Method::Get | Method::Head);
    let body = match reads {
        true => Bytes::new(),
        false => read_body(body, state.settings.max_body_bytes).await?,
    };
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let prefer = preferences(headers);
    let request = Request {
        method,
        path: &path,
        query: head.uri.query().unwrap_or_default(),
        prefer: &prefer,
        accept: text(header::ACCEPT),
        range: text(header::RANGE)
            .filter(|_| text(RANGE_UNIT).is_none_or(|unit| unit.eq_ignore_ascii_case("items"))),
        profile: text(match reads {
            true => ACCEPT_PROFILE,
            false => CONTENT_PROFILE,
        }),
        content_type: text(header::CONTENT_TYPE),
        body: &body,
    };
    let asked = Asked {
        state,
        compiled: &compiled,
        caller,
        request: &request,
        timing: timing.as_ref(),
    };
    let conditions = Conditions::of(headers);
    let repeat = match reads {
        true => None,
        false => Repeat::of(headers, caller, &request)?,
    };
    let terms = Terms { conditions, repeat };
    over(Part::Parse);
    let success = answer(asked, &terms).await;
    let is_there = |caller: &Caller| is_there(state, &compiled, caller, &path);
    let success = success.map_err(|refusal| ask_for_more(&compiled, caller, refusal, is_there))?;
    if !reads {
        state.watchers.wake();
    }
    over(Part::Transaction);
    let response = respond(success, mount, &head, &conditions);
    over(Part::Response);
    Ok(with_times(response, timing.as_ref()))
}

fn preferences(headers: &HeaderMap) -> Vec<&str> {
    let all = headers.get_all(PREFER).iter();
    all.filter_map(|value| value.to_str().ok()).collect()
}

fn with_times(mut response: Response<Body>, timing: Option<&Timing>) -> Response<Body> {
    let times = timing.and_then(|timing| HeaderValue::from_str(&timing.header()).ok());
    if let Some(times) = times {
        response.headers_mut().insert(SERVER_TIMING, times);
    }
    response
}

/// One request, or several sent as one.
async fn answer(asked: Asked<'_>, terms: &Terms<'_>) -> Result<Success, Refusal> {
    let request = asked.request;
    if matches!(request.path, [only] if only == BATCH) {
        return Box::pin(batch::answer(asked, terms)).await;
    }
    match terms.repeat.is_some() || terms.conditions.guards(request.method) {
        true => Box::pin(asked.answer_on(terms)).await,
        false => asked.answer().await,
    }
}

/// `GET` of the mount itself: the description of the API, as clients of PostgREST ask for it.
fn description(app: &App, compiled: &Compiled, caller: &Caller, method: &HttpMethod) -> Answer {
    if !app.0.settings.docs || !matches!(*method, HttpMethod::GET | HttpMethod::HEAD) {
        return Err(missing(&app.0.settings.api.prefixes));
    }
    let document = app.0.document(compiled, &caller.roles).to_string();
    let mut response = Response::new(Body::from(document));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/openapi+json"),
    );
    Ok(response)
}

/// `OPTIONS`: the methods that this caller may use.
fn options(
    state: &Arc<State>,
    compiled: &Compiled,
    caller: &Caller,
    path: &[Cow<'_, str>],
) -> Answer {
    let methods = compiled.api.methods(path, caller, moment(state));
    let methods = methods.ok_or_else(|| missing(&state.settings.api.prefixes))?;
    let mut response = Response::new(Body::empty());
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    Ok(response)
}

/// Whether anything answers this caller at the path.
fn is_there(state: &State, compiled: &Compiled, caller: &Caller, path: &[Cow<'_, str>]) -> bool {
    let methods = compiled.api.methods(path, caller, moment(state));
    methods.is_some()
}

fn moment(state: &State) -> Moment<'_> {
    Moment {
        now: state.clock.now(),
        clock: &state.clock,
        rng: &state.rng,
    }
}

/// Nothing answers at the path, whatever it asks for.
pub(crate) fn missing(prefixes: &Prefixes) -> Refusal {
    let below: Vec<&str> = prefixes.all().collect();
    Refusal::new(StatusCode::NOT_FOUND, "PGRST125", "there is no such path").hint(format!(
        "the data API is below {}, its description at /docs",
        below.join(" and ")
    ))
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
            let (status, message) = (StatusCode::METHOD_NOT_ALLOWED, "no such method");
            let mut refusal = Refusal::new(status, "PGRST117", message);
            refusal.allow = Some(String::from(METHODS));
            return Err(refusal);
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
fn segments<'p>(
    prefixes: &Prefixes,
    path: &'p str,
) -> Result<(&'p str, Vec<Cow<'p, str>>), Refusal> {
    let (mount, rest) = prefixes.split(path).unwrap_or(("", path));
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut segments = Vec::with_capacity(2);
    if rest.is_empty() {
        return Ok((mount, segments));
    }
    for segment in rest.split('/') {
        if segment.is_empty() {
            return Err(missing(prefixes));
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
