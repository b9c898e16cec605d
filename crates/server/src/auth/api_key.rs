//! API keys: whose they are, and how often each may be used.

use std::sync::Arc;

use axum::http::StatusCode;
use credentials::token::ApiKey;
use jiff::Timestamp;
use rest::{BaseRole, Caller};
use serde_json::Map;
use store::api_keys::{self, StoredApiKey};
use store::moments::Purpose;
use store::roles;

use super::{TOUCH, not_good};
use crate::app::{Compiled, State};
use crate::error::Refusal;
use crate::identity::{Rate, claims_of_hook, of_store};

/// The owner of an API key, within the key's scopes. Roles are read anew each time.
pub(super) async fn by_api_key(
    state: &State,
    compiled: &Compiled,
    text: &str,
) -> Result<Arc<Caller>, Refusal> {
    // A mistyped key asks the database nothing.
    let hash = ApiKey::parse(text).map_err(|_| not_good())?.hash();
    let found = api_keys::find(&state.store, &hash).await;
    let holder = found.map_err(|error| of_store(&error))?;
    let key = match holder {
        Some(holder) if holder.active => holder.key,
        Some(_) | None => return Err(not_good()),
    };
    spend(state, &key).await?;
    let now = state.clock.now();
    let was_used = |at: Timestamp| now.duration_since(at).unsigned_abs() < TOUCH;
    if !state.is_read_only && !key.used_at.is_some_and(was_used) {
        let touched = api_keys::touch(&state.store, key.id).await;
        touched.map_err(|error| of_store(&error))?;
    }
    let own = roles::roles_of(&state.store, key.user).await;
    let own = own.map_err(|error| of_store(&error))?;
    let mut claims = Map::new();
    claims.insert(String::from("sub"), key.user.to_string().into());
    claims.insert(String::from("roles"), own.clone().into());
    claims.insert(String::from("scope"), key.scopes.join(" ").into());
    claims.insert(
        String::from("client_id"),
        format!("api-key:{}", key.id).into(),
    );
    for (name, value) in claims_of_hook(state, compiled, key.user).await? {
        claims.entry(name).or_insert(value);
    }
    Ok(Arc::new(Caller {
        user: Some(key.user),
        base_role: BaseRole::Authenticated,
        roles: State::roles(compiled, &own, None),
        scopes: key.scopes,
        acr: None,
        claims,
    }))
}

/// Counts a use of a key, or refuses it when its window has seen enough of them.
async fn spend(state: &State, key: &StoredApiKey) -> Result<(), Refusal> {
    let own = key.rate.as_deref().map(str::parse::<Rate>).transpose();
    let own = own.map_err(|error| Refusal::internal("a stored rate", &error))?;
    let Some(rate) = own.or(state.settings.identity.api_key_rate) else {
        return Ok(());
    };
    let (now, length) = (state.clock.now().as_second(), rate.window().as_secs());
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let name = format!("{} {}", key.id, now.div_euclid(length));
    let refused = || {
        let mut refusal = Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            format!("this API key may be used {rate}"),
        )
        .hint("wait as long as Retry-After says");
        let left = length - now.rem_euclid(length);
        refusal.retry_after = Some(left.unsigned_abs());
        refusal
    };
    // What is refused anyway is not written down.
    let (purpose, moments) = (Purpose::ApiKeyUses, &state.moments);
    let seen = moments.count(purpose, &name).await;
    let seen = seen.map_err(|error| of_store(&error))?;
    if seen.is_some_and(|count| count.number >= rate.times()) {
        return Err(refused());
    }
    let counted = moments.count_up(purpose, &name, rate.window()).await;
    let counted = counted.map_err(|error| of_store(&error))?;
    match counted.number > rate.times() {
        true => Err(refused()),
        false => Ok(()),
    }
}
