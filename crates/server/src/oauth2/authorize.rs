//! `/oauth2/authorize`: the request is checked, what it still needs is decided, and the answer is
//! sent to the client.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use credentials::token::BrowserId;
use jiff::Timestamp;
use oauth::authorize::{
    AuthorizationError, AuthorizationRequest, AuthorizeErrorCode, Delivery, Door, ErrorRedirect,
    Inputs, Issuer, Next, RequestSource, Session, Source, check_authorization_request, decide,
    deliver, request_source,
};
use oauth::{Parameters, ResponseMode, sign_authorization_response};
use store::consents;
use store::moments::Purpose;

use super::clients::{self, PROFILE, Registered};
use super::flow::{self, Flow, Pushed};
use super::{ACR_VALUES, issue, page};
use crate::App;
use crate::app::State;
use crate::auth::{Held, held_session};
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::identity::of_store;

/// How long a signed answer is good, seconds (JARM §2.1).
const SIGNED_LIFE: i64 = 60;

/// `GET /oauth2/authorize`
pub(crate) async fn get(
    Shared(app): Shared<App>,
    RawQuery(query): RawQuery,
    asked: Asked,
) -> Answer {
    begin(&app.0, &asked, query.as_deref().unwrap_or_default()).await
}

/// `POST /oauth2/authorize` (OpenID Connect Core §3.1.2.1)
pub(crate) async fn post(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let text = String::from_utf8_lossy(&body);
    begin(&app.0, &asked, &text).await
}

async fn begin(state: &Arc<State>, asked: &Asked, text: &str) -> Answer {
    let parameters = match Parameters::from_form(text) {
        Ok(parameters) => parameters,
        Err(problem) => return Ok(page::problem("invalid_request", problem)),
    };
    let pushed = pushed(state, &parameters).await?;
    let browser = flow::browser(state, &asked.headers);
    let browser = browser.unwrap_or_else(|| BrowserId::generate(&state.rng));
    let flow = Flow {
        parameters: flow::pairs(&parameters),
        pushed,
        started_at: state.clock.now().as_second(),
        browser: browser.hash(),
        is_denied: false,
    };
    let checked = match check(state, &flow, &parameters).await? {
        Ok(checked) => checked,
        Err(answer) => return Ok(answer),
    };
    let step = next(state, asked, &checked, &flow).await?;
    if let Some(answer) = finish(state, &checked, &step).await? {
        return Ok(answer);
    }
    let id = flow::keep(state, &flow).await?;
    let mut answer = ask(state, &id, &checked, &step.next)?;
    let cookie = flow::cookie(state, &browser)?;
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// `GET /oauth2/authorize/{flow}`: the same request, when the person has done what was asked for.
pub(crate) async fn resume(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    asked: Asked,
) -> Answer {
    let state = &app.0;
    let flow = match flow::of(state, &asked.headers, &id).await {
        Ok(flow) => flow,
        Err(refusal) if refusal.status == StatusCode::BAD_REQUEST => {
            return Ok(page::problem(
                "flow_unknown",
                "this login was begun elsewhere, is over, or took too long",
            ));
        }
        Err(refusal) => return Err(refusal),
    };
    let parameters = flow::read(&flow.parameters)?;
    let checked = match check(state, &flow, &parameters).await? {
        Ok(checked) => checked,
        Err(answer) => return Ok(answer),
    };
    let step = next(state, &asked, &checked, &flow).await?;
    if !matches!(step.next, Next::Ready | Next::Refuse(..)) {
        return ask(state, &id, &checked, &step.next);
    }
    flow::settle(state, &id).await?;
    let answer = finish(state, &checked, &step).await?;
    answer.ok_or_else(|| Refusal::internal("authorize", &"a finished request has no answer"))
}

/// A request that is in order, and whose it is.
pub(super) struct Checked {
    pub(super) registered: Registered,
    pub(super) request: AuthorizationRequest,
}

/// What comes next, and for whom.
struct Step {
    next: Next,
    held: Option<Held>,
}

/// Checks a request; its errors are answers already.
pub(super) async fn check(
    state: &State,
    flow: &Flow,
    parameters: &Parameters,
) -> Result<Result<Checked, Response<Body>>, Refusal> {
    let client_id = parameters.get("client_id").unwrap_or_default();
    let registered = clients::find(state, client_id).await?;
    let source = match (request_source(parameters), &flow.pushed) {
        (Ok(RequestSource::Value(object)), _) => Source::Object(object.to_owned()),
        (Ok(RequestSource::Pushed(_)), Some(pushed)) => {
            // Once it was begun with, it lives as long as the flow does.
            let is_good = flow.started_at < pushed.expires_at();
            match is_good {
                true => Source::Pushed(pushed.request(i64::MAX)?),
                false => Source::NotPushed,
            }
        }
        (Ok(RequestSource::Pushed(_)), None) => Source::NotPushed,
        (Ok(RequestSource::Reference(_)), _) => Source::Unfetched,
        (Ok(RequestSource::Plain) | Err(_), _) => Source::Plain,
    };
    let scopes = state.settings.oauth.known_scopes();
    let acr_values = ACR_VALUES.map(str::to_owned);
    let keys = state.keys.verifying();
    let inputs = Inputs {
        issuer: Issuer {
            id: &state.settings.public_url,
            profile: PROFILE,
            scopes: &scopes,
            acr_values: &acr_values,
            keys: &keys,
        },
        client: registered.as_ref().map(|one| &one.client),
        parameters,
        source: &source,
        door: Door::Authorize,
        // What was good when it came in is good while somebody signs in.
        now: Timestamp::from_second(flow.started_at).unwrap_or_else(|_| state.clock.now()),
    };
    match (check_authorization_request(&inputs), registered) {
        (Ok(request), Some(registered)) => Ok(Ok(Checked {
            registered,
            request,
        })),
        (Ok(_), None) => Ok(Err(page::problem("invalid_request", "no such client"))),
        (Err(AuthorizationError::Page { code, description }), _) => {
            Ok(Err(page::problem(code.name(), description)))
        }
        (Err(AuthorizationError::Redirect(error)), registered) => {
            let answer = refuse(state, registered.as_ref(), &error).await?;
            Ok(Err(answer))
        }
    }
}

/// What was pushed before, where the request refers to it; it is taken, so that it is used once.
async fn pushed(state: &State, parameters: &Parameters) -> Result<Option<Pushed>, Refusal> {
    let Ok(RequestSource::Pushed(uri)) = request_source(parameters) else {
        return Ok(None);
    };
    let taken = state.moments.take(Purpose::PushedRequest, uri).await;
    let taken = taken.map_err(|error| of_store(&error))?;
    Ok(taken.and_then(|text| serde_json::from_str(&text).ok()))
}

/// What the request needs, given who sits at the browser.
async fn next(
    state: &State,
    asked: &Asked,
    checked: &Checked,
    flow: &Flow,
) -> Result<Step, Refusal> {
    // Nothing is changed by who asks, so that a cookie alone is enough.
    let held = held_session(state, &Method::GET, &asked.headers).await?;
    let client = &checked.registered.client;
    let session = match &held {
        None => None,
        Some(held) => {
            let user = held.session.user;
            let consent = consents::find(&state.store, user, &client.id).await;
            let consent = consent.map_err(|error| of_store(&error))?;
            Some(Session {
                subject: checked.registered.subject(state, user),
                auth_time: held.session.evidence.auth_time().unwrap_or(0),
                acr: held.session.evidence.assurance().acr().to_owned(),
                consent: consent.map(|one| (one.scopes, one.agreed_at.as_second())),
                chosen_at: None,
            })
        }
    };
    let now = state.clock.now().as_second();
    let request = &checked.request;
    let next = match flow.is_denied {
        true => Next::Refuse(AuthorizeErrorCode::AccessDenied, "the user said no"),
        false => decide(request, client, session.as_ref(), flow.started_at, now),
    };
    Ok(Step { next, held })
}

/// The answer for the client, where there is one now.
async fn finish(
    state: &Arc<State>,
    checked: &Checked,
    step: &Step,
) -> Result<Option<Response<Body>>, Refusal> {
    match (&step.next, &step.held) {
        (Next::Ready, Some(held)) => {
            let code = issue::code(state, checked, held).await?;
            let text = code.to_text();
            let issuer = state.settings.public_url.as_str();
            let mut parameters = vec![("code", text.expose().as_str()), ("iss", issuer)];
            if let Some(given) = &checked.request.state {
                parameters.push(("state", given));
            }
            let to = &checked.request.redirect_uri;
            let mode = checked.request.response_mode;
            let registered = Some(&checked.registered);
            send(state, registered, to, mode, &parameters)
                .await
                .map(Some)
        }
        (Next::Refuse(code, description), _) => {
            let issuer = &state.settings.public_url;
            let error = checked.request.refused(*code, description, issuer);
            refuse(state, Some(&checked.registered), &error)
                .await
                .map(Some)
        }
        (_, _) => Ok(None),
    }
}

/// Where a request goes on when the person has done what was asked for.
pub(super) fn resume_path(state: &State, id: &str) -> String {
    format!("{}/oauth2/authorize/{id}", state.pages.base())
}

/// Sends the person to where what is missing can be done; from there they come back here.
fn ask(state: &State, id: &str, checked: &Checked, next: &Next) -> Answer {
    let settings = &state.settings.oauth;
    let resume = resume_path(state, id);
    let page = match next {
        Next::Consent => &settings.consent_url,
        Next::Create => &settings.register_url,
        _ => &settings.login_url,
    };
    let page = match page.starts_with('/') {
        true => format!("{}{page}", state.pages.base()),
        false => page.clone(),
    };
    let mut parameters = vec![("next", resume.as_str())];
    match next {
        Next::Consent => parameters = vec![("flow", id)],
        Next::Login { again: true } | Next::SelectAccount => parameters.push(("prompt", "login")),
        Next::StepUp(wanted) => {
            let first = wanted.first().map_or("mfa", String::as_str);
            parameters.push(("acr", first));
        }
        Next::Create | Next::Login { again: false } | Next::Ready | Next::Refuse(..) => {}
    }
    if let Some(login) = &checked.request.hint.login {
        parameters.push(("login_hint", login));
    }
    let locales = checked.request.ui_locales.join(" ");
    if !locales.is_empty() {
        parameters.push(("ui_locales", &locales));
    }
    match deliver(&page, ResponseMode::Query, &parameters) {
        Delivery::Redirect(address) => redirect(&address),
        Delivery::Form { .. } => Err(Refusal::internal("authorize", &"a query is no form")),
    }
}

async fn refuse(
    state: &State,
    registered: Option<&Registered>,
    error: &ErrorRedirect,
) -> Result<Response<Body>, Refusal> {
    let (to, mode) = (&error.redirect_uri, error.response_mode);
    send(state, registered, to, mode, &error.parameters()).await
}

/// Sends an answer to the client, signed as a whole where it asks for that.
async fn send(
    state: &State,
    registered: Option<&Registered>,
    to: &str,
    mode: ResponseMode,
    parameters: &[(&str, &str)],
) -> Answer {
    let delivery = match (mode.is_signed(), registered) {
        (true, Some(registered)) => {
            let client = &registered.client;
            let algorithm = issue::algorithm(client.signing.authorization);
            let keys = state.signing_keys(algorithm).await?;
            let key = issue::signing(&keys, algorithm)?;
            let issuer = &state.settings.public_url;
            let until = state.clock.now().as_second() + SIGNED_LIFE;
            let signed = sign_authorization_response(parameters, issuer, &client.id, until, key)
                .map_err(|error| Refusal::internal("an authorization response", &error))?;
            deliver(to, mode, &[("response", &signed)])
        }
        (_, _) => deliver(to, mode, parameters),
    };
    match delivery {
        Delivery::Redirect(address) => redirect(&address),
        Delivery::Form { action, fields } => Ok(page::form(state.pages.base(), &action, &fields)),
    }
}

/// 303: the browser comes with GET, whatever it came with (RFC 9700 §4.12).
pub(super) fn redirect(address: &str) -> Answer {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(address)
        .map_err(|error| Refusal::internal("an address to go to", &error))?;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    Ok(response)
}

/// The headers of a request say who sits at the browser; kept for who asks about a flow.
pub(super) async fn checked_flow(
    state: &State,
    headers: &HeaderMap,
    id: &str,
) -> Result<(Flow, Checked), Refusal> {
    let flow = flow::of(state, headers, id).await?;
    let parameters = flow::read(&flow.parameters)?;
    match check(state, &flow, &parameters).await? {
        Ok(checked) => Ok((flow, checked)),
        Err(_) => Err(crate::identity::door::unknown_flow()),
    }
}
