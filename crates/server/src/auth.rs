//! Who a caller is: the one function that decides whether a token is good.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use moka::sync::Cache;
use oauth::decode_access_token;
use rest::{BaseRole, Caller};
use uuid::Uuid;

use crate::app::{Compiled, State};
use crate::error::Refusal;

/// Verified tokens, until they end; keyed by the whole token, so nothing can stand in for it.
pub(crate) struct TokenCache(Cache<Box<str>, Known>);

#[derive(Clone)]
struct Known {
    caller: Arc<Caller>,
    expires: i64,
}

impl TokenCache {
    pub(crate) fn new() -> Self {
        let cache = Cache::builder()
            .max_capacity(10_000)
            .time_to_live(Duration::from_mins(5));
        Self(cache.build())
    }

    pub(crate) fn clear(&self) {
        self.0.invalidate_all();
    }
}

/// What stands in the place of a token where a client cannot be without one, as `supabase-js`: the
/// name of the role that everybody has.
const ANONYMOUS: &str = "anon";

/// The caller of a request: anonymous without credentials, a user with a good token, and nobody
/// with a bad one.
pub(crate) fn authenticate(
    state: &State,
    compiled: &Compiled,
    headers: &HeaderMap,
) -> Result<Option<Arc<Caller>>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let malformed =
        || Refusal::unauthorized("invalid_request", "the Authorization header is malformed");
    if values.next().is_some() {
        return Err(malformed());
    }
    // RFC 6750 §2.1: the scheme in any case, one space, the token.
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(malformed());
    }
    if token == ANONYMOUS {
        return Ok(None);
    }
    let now = state.clock.now();
    if let Some(known) = state.tokens.0.get(token)
        && known.expires > now.as_second()
    {
        return Ok(Some(known.caller));
    }
    let claims = decode_access_token(token, &state.keys.verifying, &state.expectations, now)
        .map_err(|error| {
            tracing::debug!(%error, "a token was refused");
            Refusal::unauthorized("invalid_token", "the token is not good, or no longer")
        })?;
    let user = Uuid::try_parse(&claims.sub)
        .map_err(|_| Refusal::unauthorized("invalid_token", "the token is not a user's"))?;
    let scopes = claims.scope.as_deref().unwrap_or_default();
    let caller = Arc::new(Caller {
        user: Some(user),
        base_role: BaseRole::Authenticated,
        roles: State::roles(compiled, &claims.roles),
        scopes: scopes
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect(),
        acr: claims.acr.clone(),
        claims: claims.to_members(),
    });
    let known = Known {
        caller: Arc::clone(&caller),
        expires: claims.exp,
    };
    state.tokens.0.insert(token.into(), known);
    Ok(Some(caller))
}
