//! What is told of a person: the claims of ID tokens and userinfo.

use oauth::{RequestedClaim, select_claims};
use serde_json::{Map, Value};
use store::users::{self, User};

use crate::app::State;
use crate::error::Refusal;
use crate::identity::of_store;

/// What scopes and requested claims ask for, of all that is known about a user (OpenID Connect Core
/// §5.1).
pub(super) async fn claims(
    state: &State,
    user: &User,
    scopes: &[String],
    requested: &[RequestedClaim],
) -> Result<Map<String, Value>, Refusal> {
    let language = users::language_of(&state.store, user.id).await;
    let language = language.map_err(|error| of_store(&error))?;
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    Ok(select_claims(&known(user, language), &scopes, requested))
}

fn known(user: &User, language: Option<String>) -> Map<String, Value> {
    let names = [&user.first_name, &user.last_name];
    let both: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    let name = match (&user.display_name, both.is_empty()) {
        (Some(name), _) => Some(name.clone()),
        (None, false) => Some(both.join(" ")),
        (None, true) => user.username.clone(),
    };
    let claims = [
        ("name", name.into()),
        ("given_name", user.first_name.clone().into()),
        ("family_name", user.last_name.clone().into()),
        ("preferred_username", user.username.clone().into()),
        ("locale", language.into()),
        ("updated_at", user.updated_at.as_second().into()),
        ("email", user.email.as_str().into()),
        ("email_verified", user.email_verified_at.is_some().into()),
    ];
    let claims = claims
        .into_iter()
        .map(|(name, value): (&str, Value)| (name.to_owned(), value));
    claims.collect()
}
