//! The session's cookie, and who may ask for one.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use credentials::token::SessionId;

use crate::app::State;
use crate::error::Refusal;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request says of its session.
pub(crate) enum Presented {
    /// Nothing.
    Nothing,
    /// What no server gave out, or two of them.
    Altered,
    /// The id of a session, which need not be there any more.
    Id(SessionId),
}

/// `__Host-` binds a cookie to this host and to encryption (RFC 6265bis §4.1.3.2); browsers refuse
/// it without https, so that development has a name of its own.
fn name(state: &State) -> &'static str {
    match state.settings.public_url.starts_with("https:") {
        true => "__Host-pilaster",
        false => "pilaster",
    }
}

/// Reads the session's cookie.
pub(crate) fn presented(state: &State, headers: &HeaderMap) -> Presented {
    let name = name(state);
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name);
    match (values.next(), values.next()) {
        (None, _) => Presented::Nothing,
        (Some((_, value)), None) => match SessionId::parse(value) {
            Ok(id) => Presented::Id(id),
            Err(_) => Presented::Altered,
        },
        (Some(_), Some(_)) => Presented::Altered,
    }
}

/// The header that gives a session to a browser. It ends with the browser, or when the server says
/// so.
pub(super) fn given(state: &State, id: &SessionId) -> Result<HeaderValue, Refusal> {
    line(state, id.to_text().expose(), "")
}

/// The header that takes the session away.
pub(crate) fn taken(state: &State) -> Result<HeaderValue, Refusal> {
    line(state, "", "; Max-Age=0")
}

fn line(state: &State, value: &str, more: &str) -> Result<HeaderValue, Refusal> {
    let name = name(state);
    let secure = match name.starts_with("__Host-") {
        true => "; Secure",
        false => "",
    };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}");
    HeaderValue::from_str(&text).map_err(|error| Refusal::internal("cookie", &error))
}

/// Refuses a request that another site's page sends: nobody is to be signed in unawares, as
/// somebody else. Programs that are no browser say nothing of a site and may ask.
pub(super) fn require_own_site(state: &State, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let origin = text(header::ORIGIN);
    let is_allowed = |origin: &str| {
        let host = text(header::HOST).unwrap_or_default();
        let own = origin.split_once("://").is_some_and(|(_, own)| own == host);
        let listed = &state.settings.cors_origins;
        own || origin == state.settings.origin() || listed.iter().any(|other| other == origin)
    };
    let is_own = match (text(FETCH_SITE), origin) {
        (Some("same-origin" | "none"), _) => true,
        (Some(_), None) => false,
        (_, Some(origin)) => is_allowed(origin),
        (None, None) => true,
    };
    match is_own {
        true => Ok(()),
        false => Err(Refusal::forbidden(
            "cross_site",
            "a page of another site may not do this",
        )),
    }
}
