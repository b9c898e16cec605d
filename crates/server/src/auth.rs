//! Who a caller is: the one function from a request's credentials to a caller.

mod api_key;

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use credentials::token::{ApiKey, SessionId};
use jiff::Timestamp;
use moka::sync::Cache;
use oauth::confirmation::{Confirmation, Scheme, Shown, check_confirmation};
use oauth::{AccessTokenClaims, TokenError, decode_access_token};
use rest::{BaseRole, Caller, RoleSet};
use serde_json::{Map, Value};
use store::moments::Purpose;
use store::sessions::{self, Session};
use store::signing_keys::SigningKeys;
use store::{grants, roles, users};
use uuid::Uuid;

use self::api_key::by_api_key;
use crate::app::{Compiled, State};
use crate::error::{Challenge, Refusal};
use crate::identity::cookie::{self, Presented};
use crate::identity::{FIRST_PARTY, claims_of_hook, of_store};
use crate::oauth2::{ACT, GRANT, READ, WRITE, proof_of_possession};

/// Verified tokens, until they end; keyed by the whole token, so nothing can stand in for it.
pub(crate) struct TokenCache(Cache<Box<str>, Known>);

#[derive(Clone)]
struct Known {
    caller: Arc<Caller>,
    holder: Holder,
    bound: Option<Confirmation>,
    expires: i64,
}

/// On whom it depends whether a token is good, asked at each use.
#[derive(Clone, Debug)]
enum Holder {
    /// A token of `/token`: on its user.
    User { id: Uuid, epoch: Option<i64> },
    /// A token of a client for a user: on what the user lets the client do.
    Grant { id: Uuid, epoch: Option<i64> },
    /// A token that another client was given for that one: on the same, and on its own id.
    Exchanged {
        id: Uuid,
        epoch: Option<i64>,
        jti: String,
    },
    /// A token of a client for itself: on nothing but its own id.
    Client { jti: String },
}

/// Whether a request has to show what its token is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Possession<'a> {
    /// By a proof for its method and for this path.
    Shown(&'a str),
    /// Not again, or not at all: what was begun with it goes on, or no bound token gets anything.
    NotAsked,
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

/// How long a session or a key is in use before that is noted again.
const TOUCH: Duration = Duration::from_mins(1);

/// The caller of a request to the data API: anonymous without credentials, a user with good ones,
/// and nobody with a bad token. A cookie that is not good is as none. What a client may do is limited
/// by the scopes of its token.
pub(crate) async fn authenticate(
    state: &State,
    compiled: &Compiled,
    method: &Method,
    possession: Possession<'_>,
    headers: &HeaderMap,
) -> Result<Option<Arc<Caller>>, Refusal> {
    // Most requests of strangers carry neither.
    if !headers.contains_key(header::AUTHORIZATION) && !headers.contains_key(header::COOKIE) {
        return Ok(None);
    }
    let identity = Box::pin(identify(state, compiled, method, possession, headers)).await?;
    if let Some(identity) = &identity {
        require_scope(&identity.caller, method)?;
    }
    Ok(identity.map(|identity| identity.caller))
}

/// The caller of a request to an account: a token that some client was given opens none.
pub(crate) async fn authenticate_owner(
    state: &State,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Arc<Caller>>, Refusal> {
    let compiled = state.compiled.load();
    let possession = Possession::NotAsked;
    let identity = Box::pin(identify(state, &compiled, method, possession, headers)).await?;
    match identity {
        Some(identity) if is_of_client(&identity.caller) => Err(Refusal::forbidden(
            "session_required",
            "a client's token is for the data API; for an account one signs in",
        )),
        Some(identity) => Ok(Some(identity.caller)),
        None => Ok(None),
    }
}

/// Whether a caller comes with a token that a client of OAuth was given.
fn is_of_client(caller: &Caller) -> bool {
    let client = caller.claims.get("client_id").and_then(Value::as_str);
    client.is_some_and(|client| client != FIRST_PARTY)
}

/// Refuses what a client's token was not given for.
fn require_scope(caller: &Caller, method: &Method) -> Result<(), Refusal> {
    let needed = match method.is_safe() {
        true => READ,
        false => WRITE,
    };
    match is_of_client(caller) && !caller.scopes.iter().any(|scope| scope == needed) {
        true => Err(Refusal::insufficient_scope(needed)),
        false => Ok(()),
    }
}

/// The same, with the session, and whatever the token is for.
pub(crate) async fn identify(
    state: &State,
    compiled: &Compiled,
    method: &Method,
    possession: Possession<'_>,
    headers: &HeaderMap,
) -> Result<Option<Identity>, Refusal> {
    if headers.contains_key(header::AUTHORIZATION) {
        let Some((scheme, token)) = presented_token(headers)? else {
            return Ok(None);
        };
        if token.starts_with(ApiKey::PREFIX) {
            let caller = by_api_key(state, compiled, token).await?;
            return Ok(Some(Identity {
                caller,
                session: None,
            }));
        }
        let known = by_token(state, compiled, token).await?;
        if let Possession::Shown(path) = possession {
            let at = (method.as_str(), path);
            require_possession(state, &known, (scheme, token), at, headers).await?;
        }
        return Ok(Some(Identity {
            caller: known.caller,
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

/// The session of a browser, if it has one that holds.
pub(crate) async fn held_session(
    state: &State,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Held>, Refusal> {
    let compiled = state.compiled.load();
    let found = identify(state, &compiled, method, Possession::NotAsked, headers).await?;
    Ok(found.and_then(|identity| identity.session))
}

/// The caller of a token, whatever its scopes; `None` without one.
pub(crate) async fn bearer_caller(
    state: &State,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<Option<Arc<Caller>>, Refusal> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let compiled = state.compiled.load();
    let possession = Possession::Shown(path);
    let found = identify(state, &compiled, method, possession, headers).await?;
    Ok(found.map(|identity| identity.caller))
}

/// The token of the one `Authorization` header, unless it names nobody.
fn presented_token(headers: &HeaderMap) -> Result<Option<(Scheme, &str)>, Refusal> {
    let malformed =
        || Refusal::unauthorized("invalid_request", "the Authorization header is malformed");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(malformed());
    };
    // RFC 6750 §2.1: the scheme in any case, one space, the token.
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(malformed)?;
    let scheme = Scheme::from_name(scheme).ok_or_else(malformed)?;
    if token.is_empty() || token.contains(' ') {
        return Err(malformed());
    }
    Ok((token != ANONYMOUS).then_some((scheme, token)))
}

fn not_good() -> Refusal {
    Refusal::unauthorized("invalid_token", "the token is not good, or no longer")
}

async fn by_token(state: &State, compiled: &Compiled, token: &str) -> Result<Known, Refusal> {
    let now = state.clock.now();
    let kept = state.tokens.0.get(token);
    if let Some(known) = kept.filter(|known| known.expires > now.as_second()) {
        // Asked each time: who was disabled, or logged out everywhere, is out with the next request.
        standing(state, &known.holder).await?;
        return Ok(known);
    }
    let claims = decode(state, token, now).await?;
    let holder = holder(&claims)?;
    let user = standing(state, &holder).await?;
    let bound = Confirmation::from_claims(&claims.extra).map_err(|_| not_good())?;
    let scopes = claims.scope.as_deref().unwrap_or_default();
    let caller = Caller {
        user,
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
    let known = Known {
        caller: Arc::new(caller),
        holder,
        bound,
        expires: claims.exp,
    };
    state.tokens.0.insert(token.into(), known.clone());
    Ok(known)
}

/// What an access token says and who its user is, if it is good now; for whoever asks about it.
pub(crate) async fn good_token(
    state: &State,
    token: &str,
) -> Result<Option<(AccessTokenClaims, Option<Uuid>)>, Refusal> {
    let judged = async {
        let claims = decode(state, token, state.clock.now()).await?;
        let user = standing(state, &holder(&claims)?).await?;
        Ok::<_, Refusal>((claims, user))
    };
    match judged.await {
        Ok(good) => Ok(Some(good)),
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

async fn decode(state: &State, token: &str, now: Timestamp) -> Result<AccessTokenClaims, Refusal> {
    let known = state.keys.known();
    let read =
        |keys: &SigningKeys| decode_access_token(token, &keys.verifying, &state.expectations, now);
    let decoded = match read(&known) {
        // Another process may have made the key.
        Err(TokenError::UnknownKey) => match state.newer_keys().await? {
            Some(newer) => read(&newer),
            None => Err(TokenError::UnknownKey),
        },
        decoded => decoded,
    };
    decoded.map_err(|error| {
        tracing::debug!(%error, "a token was refused");
        not_good()
    })
}

/// On whom a token depends.
fn holder(claims: &AccessTokenClaims) -> Result<Holder, Refusal> {
    if claims.client_id == FIRST_PARTY {
        let id = Uuid::try_parse(&claims.sub).map_err(|_| not_good())?;
        let epoch = claims.epoch;
        return Ok(Holder::User { id, epoch });
    }
    match claims.extra.get(GRANT).and_then(Value::as_str) {
        Some(id) => {
            let id = Uuid::try_parse(id).map_err(|_| not_good())?;
            let epoch = claims.epoch;
            Ok(match claims.extra.contains_key(ACT) {
                false => Holder::Grant { id, epoch },
                true => Holder::Exchanged {
                    id,
                    epoch,
                    jti: claims.jti.clone(),
                },
            })
        }
        None if claims.sub == format!("client:{}", claims.client_id) => Ok(Holder::Client {
            jti: claims.jti.clone(),
        }),
        None => Err(not_good()),
    }
}

/// Refuses a token whose holder may not use it now; gives its user.
async fn standing(state: &State, holder: &Holder) -> Result<Option<Uuid>, Refusal> {
    let failed = |error| of_store(&error);
    let (user, is_good) = match holder {
        Holder::User { id, epoch } => {
            let found = users::standing(&state.store, *id).await.map_err(failed)?;
            let is_good = found
                .is_some_and(|user| user.active && epoch.is_none_or(|epoch| epoch == user.epoch));
            (Some(*id), is_good)
        }
        Holder::Grant { id, epoch } => {
            let found = by_grant(state, *id, *epoch).await?;
            (found, found.is_some())
        }
        Holder::Exchanged { id, epoch, jti } => {
            let found = by_grant(state, *id, *epoch).await?;
            let is_good = found.is_some() && !is_revoked(state, jti).await?;
            (found, is_good)
        }
        Holder::Client { jti } => (None, !is_revoked(state, jti).await?),
    };
    match is_good {
        true => Ok(user),
        false => Err(not_good()),
    }
}

/// The user of a grant that holds.
async fn by_grant(state: &State, id: Uuid, epoch: Option<i64>) -> Result<Option<Uuid>, Refusal> {
    let found = grants::standing(&state.store, id).await;
    let found = found.map_err(|error| of_store(&error))?;
    let holds = found.filter(|grant| {
        grant.active && !grant.is_revoked && epoch.is_none_or(|epoch| epoch == grant.epoch)
    });
    Ok(holds.map(|grant| grant.user))
}

/// Whether a token itself was revoked.
async fn is_revoked(state: &State, jti: &str) -> Result<bool, Refusal> {
    let revoked = state.moments.count(Purpose::RevokedToken, jti).await;
    Ok(revoked.map_err(|error| of_store(&error))?.is_some())
}

/// Refuses a bound token without what it is bound to, and a free one that is shown as a bound one.
async fn require_possession(
    state: &State,
    known: &Known,
    (scheme, token): (Scheme, &str),
    at: (&str, &str),
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let jkt = match scheme {
        Scheme::Bearer => None,
        Scheme::Dpop => Some(proof_of_possession(state, headers, at, Some(token)).await?),
    };
    let shown = Shown {
        jkt: jkt.as_deref(),
        certificate: None,
    };
    check_confirmation(known.bound.as_ref(), scheme, shown).map_err(|_| not_good())
}

/// Refuses a key in the address: it would stand in logs and histories.
pub(crate) fn refuse_key_in_query(query: &str) -> Result<(), Refusal> {
    let is_key = |pair: &str| {
        let value = pair.split_once('=').map_or("", |(_, value)| value);
        value.starts_with(ApiKey::PREFIX) && ApiKey::parse(value).is_ok()
    };
    match query.split('&').any(is_key) {
        false => Ok(()),
        true => Err(
            Refusal::unauthorized("invalid_request", "an API key stands in the address")
                .hint("send it in the header Authorization: Bearer, and revoke this one"),
        ),
    }
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
    refusal: Refusal,
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
    step_up(missing)
}

/// The refusal of somebody who has to prove as much as `acr` says (RFC 9470).
pub(crate) fn step_up(acr: &'static str) -> Refusal {
    let hint = format!(
        "a role of yours asks for {acr}: POST /auth/session/step-up, or sign in with a second \
         factor"
    );
    let message = "more has to be proved for this";
    let mut refusal = Refusal::forbidden("step_up_required", message).hint(hint);
    refusal.challenge = Some(Box::new(Challenge::Bearer {
        error: "insufficient_user_authentication",
        acr: Some(acr),
        scope: None,
    }));
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
