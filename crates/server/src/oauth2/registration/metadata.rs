//! What a program may say of itself when it registers: checked whole, and kept as far as it is served.

use axum::http::{HeaderMap, header};
use oauth::client::{AuthMethod, Grant, Registration, RegistrationError, validate_registration};
use oauth::{ResponseType, client::Application};
use serde_json::{Map, Value, json};
use store::clients::ClientRecord;

use super::super::clients::PROFILE;
use super::of_registration;
use crate::app::State;
use crate::error::Refusal;

/// What is kept and told back; everything else is passed over (RFC 7591 §2).
const KEPT: [&str; 24] = [
    "client_name",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "application_type",
    "redirect_uris",
    "post_logout_redirect_uris",
    "token_endpoint_auth_method",
    "grant_types",
    "response_types",
    "jwks",
    "subject_type",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "introspection_signed_response_alg",
    "authorization_signed_response_alg",
    "request_object_signing_alg",
    "require_pushed_authorization_requests",
    "dpop_bound_access_tokens",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
];

/// The grants that a client which registered itself may have: those in which a person says yes.
const GRANTS: [Grant; 3] = [
    Grant::AuthorizationCode,
    Grant::RefreshToken,
    Grant::DeviceCode,
];

/// The longest name that people are shown, characters.
const LONGEST_NAME: usize = 100;

/// What of a registration holds.
pub(super) struct Accepted {
    /// As it is kept and told.
    pub(super) members: Map<String, Value>,
    /// Whether the client proves who it is by a secret.
    pub(super) needs_secret: bool,
}

/// Something that a client cannot be.
pub(super) fn refused(text: &str) -> Refusal {
    of_registration("invalid_client_metadata", text)
}

/// Checks what a program says of itself.
pub(super) fn accepted(
    state: &State,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Accepted, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != "application/json" {
        return Err(refused("the body has to be application/json"));
    }
    let read = validate_registration(body, PROFILE).map_err(|error| {
        let (RegistrationError::RedirectUri(text) | RegistrationError::Metadata(text)) = error;
        of_registration(error.name(), text)
    })?;
    check(&read)?;
    let mut members: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| refused("the body is not a JSON object"))?;
    members.retain(|name, value| KEPT.contains(&name.as_str()) && !value.is_null());
    for (name, value) in defaults(&read) {
        members.insert(name.to_owned(), value);
    }
    members.insert(String::from("scope"), scope(state, &read)?.into());
    Ok(Accepted {
        members,
        needs_secret: matches!(read.auth_method, AuthMethod::Basic | AuthMethod::Post),
    })
}

/// What is in order and yet nothing for somebody whom nobody has looked at.
fn check(read: &Registration) -> Result<(), Refusal> {
    if read.grants.iter().any(|grant| !GRANTS.contains(grant)) {
        return Err(refused(
            "one of these grant_types is for clients that the operator adds",
        ));
    }
    let fetched = [
        (
            "sector_identifier_uri",
            read.sector_identifier_uri.is_some(),
        ),
        ("jwks_uri", read.jwks_uri.is_some()),
        ("request_uris", !read.request_uris.is_empty()),
    ];
    if let Some((name, _)) = fetched.into_iter().find(|(_, is_said)| *is_said) {
        return Err(refused(&format!("{name} is not served here")));
    }
    let name = read.name.as_deref().unwrap_or_default();
    if name.chars().count() > LONGEST_NAME || name.chars().any(is_deceptive) {
        return Err(refused(
            "client_name has more than 100 characters, or some that nobody sees",
        ));
    }
    Ok(())
}

/// Characters that change how what stands beside them looks (Unicode's `Bidi_Control` and such as have
/// no width): a name with them can look like another one.
fn is_deceptive(letter: char) -> bool {
    matches!(
        letter,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// What holds where nothing was said, told in full (RFC 7591 §3.2.1).
fn defaults(read: &Registration) -> [(&'static str, Value); 4] {
    let grants: Vec<&str> = read.grants.iter().map(|grant| grant.name()).collect();
    let types: Vec<&str> = read
        .response_types
        .iter()
        .map(|one: &ResponseType| one.name())
        .collect();
    let application = match read.application {
        Application::Web => "web",
        Application::Native => "native",
    };
    [
        ("grant_types", json!(grants)),
        ("response_types", json!(types)),
        ("token_endpoint_auth_method", json!(read.auth_method.name())),
        ("application_type", json!(application)),
    ]
}

/// Of the scopes that it asks for, those that the operator lets such clients have; all of these where
/// it asks for none.
fn scope(state: &State, read: &Registration) -> Result<String, Refusal> {
    let allowed = &state.settings.oauth.registration_scopes;
    if read.scopes.is_empty() {
        return Ok(allowed.join(" "));
    }
    let asked = read.scopes.iter().filter(|scope| allowed.contains(scope));
    let asked: Vec<&str> = asked.map(String::as_str).collect();
    match asked.is_empty() {
        false => Ok(asked.join(" ")),
        true => Err(refused(
            "a client that registers itself may have none of these scopes",
        )),
    }
}

/// What is kept of a client.
pub(super) fn kept(record: &ClientRecord) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_str(&record.metadata)
        .map_err(|error| Refusal::internal("a client's metadata", &error))
}
