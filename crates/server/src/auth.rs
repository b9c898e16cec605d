//! Who a caller is: the one function from a request's credentials to a caller.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use credentials::token::SessionId;
use jiff::Timestamp;
use moka::sync::Cache;
use oauth::decode_access_token;
use rest::{BaseRole, Caller, RoleSet};
use serde_json::{Map, Value};
use store::sessions::{self, Session};
use store::{roles, users};
use uuid::Uuid;

use crate::app::{Compiled, State};
use crate::error::Refusal;
use crate::identity::cookie::{self, Presented};
use crate::identity::{claims_of_hook, of_store};

/// Verified tokens, until they end; keyed by the whole token, so nothing can stand in for it.
pub(crate) struct TokenCache(Cache<Box<str>, Known>);

#[derive(Clone)]
struct Known {
    caller: Arc<Caller>,
    user: Uuid,
    epoch: Option<i64>,
    expires: i64,
}

/// Who asks, and through which session if through one.
pub(crate) struct Identity {
    pub(crate) caller: Arc<Caller>,
    pub(crate) session: Option<Held>,
}

/// A session that holds.
pub(crate) struct Held {
    /// The cookie's value.
    pub(crate) id: SessionId,
    /// What is stored of it.
    pub(crate) session: Session,
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

/// Where a page shows that a request is its own.
const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// How long a session is in use before that is noted again.
const TOUCH: Duration = Duration::from_mins(1);

/// The caller of a request: anonymous without credentials, a user with good ones, and nobody with a
/// bad token. A cookie that is not good is as none.
pub(crate) async fn authenticate(
    state: &State,
    compiled: &Compiled,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Arc<Caller>>, Refusal> {
    // Most requests of strangers carry neither.
    if !headers.contains_key(header::AUTHORIZATION) && !headers.contains_key(header::COOKIE) {
        return Ok(None);
    }
    let identity = Box::pin(identify(state, compiled, method, headers)).await?;
    Ok(identity.map(|identity| identity.caller))
}

/// The same, with the session.
pub(crate) async fn identify(
    state: &State,
    compiled: &Compiled,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Identity>, Refusal> {
    if headers.contains_key(header::AUTHORIZATION) {
        let Some(token) = bearer(headers)? else {
            return Ok(None);
        };
        let caller = by_token(state, compiled, token).await?;
        return Ok(Some(Identity {
            caller,
            session: None,
        }));
    }
    match cookie::presented(state, headers) {
        Presented::Nothing => Ok(None),
        Presented::Altered => {
            tracing::warn!("a session's cookie was altered");
            Ok(None)
        }
        Presented::Id(id) => by_session(state, compiled, method, headers, id).await,
    }
}

/// The token of the one `Authorization` header, unless it names nobody.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let malformed =
        || Refusal::unauthorized("invalid_request", "the Authorization header is malformed");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(malformed());
    };
    // RFC 6750 §2.1: the scheme in any case, one space, the token.
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(malformed());
    }
    Ok((token != ANONYMOUS).then_some(token))
}

async fn by_token(state: &State, compiled: &Compiled, token: &str) -> Result<Arc<Caller>, Refusal> {
    let now = state.clock.now();
    let kept = state.tokens.0.get(token);
    let known = match kept.filter(|known| known.expires > now.as_second()) {
        Some(known) => known,
        None => {
            let known = decode(state, compiled, token, now)?;
            state.tokens.0.insert(token.into(), known.clone());
            known
        }
    };
    // Asked each time: who was disabled, or logged out everywhere, is out with the next request.
    let standing = users::standing(&state.store, known.user).await;
    let standing = standing.map_err(|error| of_store(&error))?;
    let is_good = standing.is_some_and(|standing| {
        standing.active && known.epoch.is_none_or(|epoch| epoch == standing.epoch)
    });
    match is_good {
        true => Ok(known.caller),
        false => Err(Refusal::unauthorized(
            "invalid_token",
            "the token is not good, or no longer",
        )),
    }
}

fn decode(
    state: &State,
    compiled: &Compiled,
    token: &str,
    now: Timestamp,
) -> Result<Known, Refusal> {
    let claims = decode_access_token(token, &state.keys.verifying, &state.expectations, now)
        .map_err(|error| {
            tracing::debug!(%error, "a token was refused");
            Refusal::unauthorized("invalid_token", "the token is not good, or no longer")
        })?;
    let user = Uuid::try_parse(&claims.sub)
        .map_err(|_| Refusal::unauthorized("invalid_token", "the token is not a user's"))?;
    let scopes = claims.scope.as_deref().unwrap_or_default();
    let caller = Caller {
        user: Some(user),
        base_role: BaseRole::Authenticated,
        roles: State::roles(compiled, &claims.roles, claims.acr.as_deref()),
        scopes: scopes
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect(),
        acr: claims.acr.clone(),
        claims: claims.to_members(),
    };
    Ok(Known {
        caller: Arc::new(caller),
        user,
        epoch: claims.epoch,
        expires: claims.exp,
    })
}

async fn by_session(
    state: &State,
    compiled: &Compiled,
    method: &Method,
    headers: &HeaderMap,
    id: SessionId,
) -> Result<Option<Identity>, Refusal> {
    let idle = state.settings.identity.session_idle;
    let found = sessions::find(&state.store, &id.hash(), idle).await;
    let found = found.map_err(|error| of_store(&error))?;
    let Some(holder) = found.filter(|holder| holder.active && holder.epoch == holder.session.epoch)
    else {
        tracing::info!("a session's cookie is of none that holds");
        return Ok(None);
    };
    if !method.is_safe() {
        require_csrf(state, headers, &id)?;
    }
    let session = holder.session;
    let now = state.clock.now();
    if now.duration_since(session.seen_at).unsigned_abs() >= TOUCH {
        let touched = sessions::touch(&state.store, &session.id).await;
        touched.map_err(|error| of_store(&error))?;
    }
    let own = roles::roles_of(&state.store, session.user).await;
    let own = own.map_err(|error| of_store(&error))?;
    let acr = session.evidence.assurance().acr();
    let mut claims = Map::new();
    claims.insert(String::from("sub"), session.user.to_string().into());
    claims.insert(String::from("roles"), own.clone().into());
    claims.insert(String::from("acr"), acr.into());
    claims.insert(String::from("amr"), session.evidence.amr().into());
    if let Some(at) = session.evidence.auth_time() {
        claims.insert(String::from("auth_time"), Value::from(at));
    }
    for (name, value) in claims_of_hook(state, compiled, session.user).await? {
        claims.entry(name).or_insert(value);
    }
    let caller = Arc::new(Caller {
        user: Some(session.user),
        base_role: BaseRole::Authenticated,
        roles: State::roles(compiled, &own, Some(acr)),
        scopes: Vec::new(),
        acr: Some(acr.to_owned()),
        claims,
    });
    let session = Some(Held { id, session });
    Ok(Some(Identity { caller, session }))
}

/// What a refusal says to somebody who has a role for which more has to be proved (RFC 9470).
/// `is_there` tells whether anything is at the path for a caller: what no role of theirs may see is
/// not.
pub(crate) fn ask_for_more(
    compiled: &Compiled,
    caller: &Caller,
    mut refusal: Refusal,
    is_there: impl Fn(&Caller) -> bool,
) -> Refusal {
    if !matches!(
        refusal.status,
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    ) {
        return refusal;
    }
    let own = caller.claims.get("roles").and_then(Value::as_array);
    let own: Vec<String> = own
        .into_iter()
        .flatten()
        .filter_map(|role| role.as_str().map(str::to_owned))
        .collect();
    let catalog = compiled.api.catalog();
    let Some(missing) = RoleSet::missing_acr(catalog, &own, caller.acr.as_deref()) else {
        return refusal;
    };
    let full = Caller {
        roles: RoleSet::effective(catalog, caller.base_role, &own),
        ..caller.clone()
    };
    // A row that is missing is missing for the caller as he is.
    if refusal.status == StatusCode::NOT_FOUND && (is_there(caller) || !is_there(&full)) {
        return refusal;
    }
    let hint = format!(
        "a role of yours asks for {missing}: POST /auth/session/step-up, or sign in with a second \
         factor"
    );
    let message = "more has to be proved for this";
    refusal = Refusal::forbidden("step_up_required", message).hint(hint);
    refusal.acr = Some(missing);
    refusal.challenge = Some("insufficient_user_authentication");
    refusal
}

/// A page of another site can send the cookie, but does not know the token.
fn require_csrf(state: &State, headers: &HeaderMap, id: &SessionId) -> Result<(), Refusal> {
    let token = headers.get(CSRF_TOKEN);
    let token = token.and_then(|token| token.to_str().ok());
    match token.is_some_and(|token| state.csrf.accepts(id, token)) {
        true => Ok(()),
        false => Err(Refusal::forbidden(
            "csrf_token",
            "a request with a session's cookie needs the session's token in X-CSRF-Token",
        )
        .hint("GET /auth/session gives it as csrf_token")),
    }
}
