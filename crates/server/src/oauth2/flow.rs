//! Authorization requests that wait for a person: kept for a while, and bound to the browser that
//! they began in.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use credentials::token::BrowserId;
use oauth::Parameters;
use oauth::authorize::PushedRequest;
use serde::{Deserialize, Serialize};
use store::moments::Purpose;

use crate::app::State;
use crate::error::Refusal;
use crate::identity::{door, of_store};

/// How long somebody may take to sign in and agree.
const LIFE: Duration = Duration::from_mins(30);

/// A request that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Flow {
    /// What came with the request.
    pub(super) parameters: Vec<(String, String)>,
    /// What had been pushed before, where it refers to that.
    pub(super) pushed: Option<Pushed>,
    /// When it came in, seconds since 1970.
    pub(super) started_at: i64,
    /// The hash of the id of the browser that it began in.
    pub(super) browser: String,
    /// Whether the person has said no.
    pub(super) is_denied: bool,
}

/// A pushed request (RFC 9126), as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pushed {
    client_id: String,
    parameters: Vec<(String, String)>,
    signed: bool,
    expires_at: i64,
}

impl Pushed {
    pub(super) fn of(request: &PushedRequest) -> Self {
        Self {
            client_id: request.client_id.clone(),
            parameters: pairs(&request.parameters),
            signed: request.signed,
            expires_at: request.expires_at,
        }
    }

    /// The request, good until then.
    pub(super) fn request(&self, expires_at: i64) -> Result<PushedRequest, Refusal> {
        Ok(PushedRequest {
            client_id: self.client_id.clone(),
            parameters: read(&self.parameters)?,
            signed: self.signed,
            expires_at,
        })
    }

    /// Until when somebody may begin with it.
    pub(super) fn expires_at(&self) -> i64 {
        self.expires_at
    }
}

/// Names and values, to be kept.
pub(super) fn pairs(parameters: &Parameters) -> Vec<(String, String)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    parameters.iter().map(owned).collect()
}

/// Reads [`pairs`].
pub(super) fn read(pairs: &[(String, String)]) -> Result<Parameters, Refusal> {
    Parameters::new(pairs.iter().cloned())
        .map_err(|error| Refusal::internal("a kept request", &error))
}

/// Keeps a flow; gives the id that addresses have of it.
pub(super) async fn keep(state: &State, flow: &Flow) -> Result<String, Refusal> {
    let id = door::flow_id(state);
    put(state, &id, flow).await?;
    Ok(id)
}

/// Keeps a flow under the id that it has.
pub(super) async fn put(state: &State, id: &str, flow: &Flow) -> Result<(), Refusal> {
    let text = serde_json::to_string(flow).map_err(|error| Refusal::internal("a flow", &error))?;
    let kept = state.moments.put(Purpose::Authorization, id, &text, LIFE);
    kept.await.map_err(|error| of_store(&error))
}

/// The flow of that id, in the browser that it began in and in no other (RFC 9700 §4.7: what is
/// begun by one and finished by another is how logins are stolen).
pub(super) async fn of(state: &State, headers: &HeaderMap, id: &str) -> Result<Flow, Refusal> {
    let kept = state.moments.peek(Purpose::Authorization, id).await;
    let kept = kept.map_err(|error| of_store(&error))?;
    let flow: Option<Flow> = kept.and_then(|text| serde_json::from_str(&text).ok());
    let browser = browser(state, headers).map(|browser| browser.hash());
    flow.filter(|flow| browser.is_some_and(|browser| browser == flow.browser))
        .ok_or_else(door::unknown_flow)
}

/// Ends a flow; of two who finish it at once one goes on.
pub(super) async fn settle(state: &State, id: &str) -> Result<(), Refusal> {
    let taken = state.moments.take(Purpose::Authorization, id).await;
    let taken = taken.map_err(|error| of_store(&error))?;
    taken.map(drop).ok_or_else(door::unknown_flow)
}

fn name(state: &State) -> &'static str {
    match state.settings.public_url.starts_with("https:") {
        true => "__Host-pilaster-browser",
        false => "pilaster-browser",
    }
}

/// What the browser is known by, if it has been here.
pub(super) fn browser(state: &State, headers: &HeaderMap) -> Option<BrowserId> {
    let name = name(state);
    let lines = headers.get_all(header::COOKIE).iter();
    let mut values = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => BrowserId::parse(value).ok(),
        (_, _) => None,
    }
}

/// The header that lets a browser be known again; it says nothing of who sits there.
pub(super) fn cookie(state: &State, browser: &BrowserId) -> Result<HeaderValue, Refusal> {
    let name = name(state);
    let secure = match name.starts_with("__Host-") {
        true => "; Secure",
        false => "",
    };
    let value = browser.to_text();
    let text = format!(
        "{name}={}; Path=/; HttpOnly; SameSite=Lax{secure}",
        value.expose()
    );
    HeaderValue::from_str(&text).map_err(|error| Refusal::internal("cookie", &error))
}
