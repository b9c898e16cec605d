//! What clients are given: codes, access tokens, ID tokens, refresh tokens.

use std::sync::Arc;
use std::time::Duration;

use credentials::assurance::Evidence;
use credentials::token::AuthorizationCode;
use jiff::{SignedDuration, Timestamp};
use oauth::confirmation::{Confirmation, Scheme};
use oauth::refresh::RefreshToken;
use oauth::token::{ExchangeToken, IssuedCode};
use oauth::{
    AccessTokenClaims, Algorithm, Hashes, IdTokenClaims, RequestedClaim, SigningKey,
    encode_access_token, encode_id_token,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::grants::{self, NewGrant};
use store::sessions;
use store::signing_keys::SigningKeys;
use store::users::User;
use store::{roles, users};
use uuid::Uuid;

use super::authorize::Checked;
use super::clients::{PROFILE, Registered};
use super::person;
use crate::app::State;
use crate::auth::Held;
use crate::error::Refusal;
use crate::identity::{hook_claims, of_store};

/// The claim by which an access token names its grant.
pub(crate) const GRANT: &str = "grant";

/// The claim that says who acts for the user (RFC 8693 §4.1).
pub(crate) const ACT: &str = "act";

/// What ID tokens are signed with where a client says nothing (OpenID Connect Core §15.1: every
/// client understands it).
const DEFAULT: Algorithm = Algorithm::Rs256;

/// How long a code is remembered: much longer than it is good, so that a second use is known.
const CODE_KEPT: Duration = Duration::from_hours(24);

/// What a grant says, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Granted {
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) nonce: Option<String>,
    /// What was proved at the login, as sessions keep it.
    proven: String,
    /// Claims that are asked for by name: in the ID token, and in userinfo.
    id_token_claims: Vec<String>,
    userinfo_claims: Vec<String>,
}

/// What a code is bound to, as it is kept: [`IssuedCode`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Bound {
    redirect_uri: String,
    named_redirect_uri: bool,
    code_challenge: Option<String>,
    dpop_jkt: Option<String>,
    expires_at: i64,
}

impl Bound {
    pub(super) fn read(text: &str, client_id: String) -> Result<IssuedCode, Refusal> {
        let bound: Self = serde_json::from_str(text)
            .map_err(|error| Refusal::internal("what a code is bound to", &error))?;
        Ok(IssuedCode {
            client_id,
            redirect_uri: bound.redirect_uri,
            named_redirect_uri: bound.named_redirect_uri,
            code_challenge: bound.code_challenge,
            dpop_jkt: bound.dpop_jkt,
            expires_at: bound.expires_at,
        })
    }
}

impl Granted {
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        serde_json::from_str(text).map_err(|error| Refusal::internal("a grant", &error))
    }

    /// What is granted without a request of the browser's.
    pub(super) fn plain(scopes: &[String], resources: &[String], evidence: &Evidence) -> Self {
        Self {
            scopes: scopes.to_vec(),
            resources: resources.to_vec(),
            nonce: None,
            proven: sessions::write(evidence),
            id_token_claims: Vec::new(),
            userinfo_claims: Vec::new(),
        }
    }

    /// What was proved at the login.
    fn evidence(&self) -> Evidence {
        sessions::read_evidence(&self.proven).unwrap_or_else(|| Evidence::new(Vec::new()))
    }

    pub(super) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// Claims that userinfo is asked for by name.
    pub(super) fn userinfo_claims(&self) -> Vec<RequestedClaim> {
        by_name(&self.userinfo_claims)
    }
}

/// Writes a grant that waits for its code, and gives the code.
pub(super) async fn code(
    state: &State,
    checked: &Checked,
    held: &Held,
) -> Result<AuthorizationCode, Refusal> {
    let (request, session) = (&checked.request, &held.session);
    let now = state.clock.now();
    let code = AuthorizationCode::generate(&state.rng);
    let names = |claims: &[RequestedClaim]| claims.iter().map(|one| one.name.clone()).collect();
    let granted = Granted {
        scopes: request.scopes.clone(),
        resources: request.resources.clone(),
        nonce: request.nonce.clone(),
        proven: sessions::write(&session.evidence),
        id_token_claims: names(&request.claims.id_token),
        userinfo_claims: names(&request.claims.userinfo),
    };
    let bound = Bound {
        redirect_uri: request.redirect_uri.clone(),
        named_redirect_uri: request.named_redirect_uri,
        code_challenge: request.code_challenge.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        expires_at: now.as_second() + PROFILE.rules().code_life,
    };
    // OpenID Connect Core §11: what is for the time without the person outlives the session.
    let outlives = granted.has("offline_access");
    let grant = NewGrant {
        id: stdx::new_id(&state.clock, &state.rng),
        client_id: request.client_id.clone(),
        user: session.user,
        session: (!outlives).then(|| session.id.clone()),
        begun_in: Some(session.id.clone()),
        epoch: session.epoch,
        content: as_text(&granted)?,
        expires_at: later(now, state.settings.oauth.refresh_life),
    };
    let ends = later(now, CODE_KEPT);
    let bound = as_text(&bound)?;
    let unit = grants::insert_steps(&state.store, &grant, &code.hash(), &bound, ends);
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&error.into()))?;
    Ok(code)
}

/// A while from now.
pub(super) fn later(now: Timestamp, life: Duration) -> Timestamp {
    let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

/// As it is kept.
pub(super) fn as_text<T: Serialize>(value: &T) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Refusal::internal("a grant", &error))
}

fn by_name(names: &[String]) -> Vec<RequestedClaim> {
    let claim = |name: &String| RequestedClaim {
        name: name.clone(),
        essential: false,
        values: Vec::new(),
    };
    names.iter().map(claim).collect()
}

/// What tokens are made of.
pub(super) struct Making<'a> {
    pub(super) registered: &'a Registered,
    pub(super) user: &'a User,
    pub(super) grant: Uuid,
    pub(super) granted: &'a Granted,
    /// Of those granted, the scopes that this access token is for.
    pub(super) scopes: Vec<String>,
    /// The resource server that it is for.
    pub(super) resource: Option<String>,
    /// The key that it is bound to.
    pub(super) jkt: Option<String>,
    /// The refresh token's number in its family, where one is given.
    pub(super) number: Option<u32>,
}

/// The body of a token response (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
pub(super) async fn tokens(state: &Arc<State>, making: Making<'_>) -> Result<Value, Refusal> {
    let client = &making.registered.client;
    let hook = hook_claims(state, making.user, &client.id).await?;
    let subject = making.registered.subject(state, making.user.id);
    let evidence = making.granted.evidence();
    let own = roles::roles_of(&state.store, making.user.id).await;
    let own = own.map_err(|error| of_store(&error))?;
    let mut extra = hook.clone();
    extra.insert(GRANT.to_owned(), making.grant.to_string().into());
    extra.insert(String::from("amr"), evidence.amr().into());
    let (now, life) = times(state);
    let claims = AccessTokenClaims {
        iss: state.settings.public_url.clone(),
        sub: subject.clone(),
        aud: audience(state, making.resource.clone()),
        client_id: client.id.clone(),
        scope: Some(making.scopes.join(" ")),
        roles: own,
        iat: now,
        exp: now + life,
        nbf: None,
        jti: stdx::new_id(&state.clock, &state.rng).to_string(),
        auth_time: evidence.auth_time(),
        acr: Some(evidence.assurance().acr().to_owned()),
        epoch: Some(making.user.epoch),
        extra: bound(extra, making.jkt.as_deref()),
    };
    let access_token = access_token(state, &claims)?;
    let mut body = response(&access_token, life, &making.scopes, making.jkt.is_some());
    if making.granted.has("openid") {
        let id_token = id_token(state, &making, subject, &access_token, &hook).await?;
        body["id_token"] = id_token.into();
    }
    if let Some(number) = making.number {
        let family = making.grant;
        let token = RefreshToken { family, number }.encode(&state.refresh_key);
        body["refresh_token"] = token.expose().as_str().into();
    }
    Ok(body)
}

/// What an exchanged token is made of (RFC 8693).
pub(super) struct Exchanging<'a> {
    pub(super) registered: &'a Registered,
    pub(super) user: &'a User,
    /// The grant of the subject's token, with which both end.
    pub(super) grant: Uuid,
    pub(super) subject: &'a AccessTokenClaims,
    pub(super) exchanged: &'a ExchangeToken,
    pub(super) scopes: Vec<String>,
    pub(super) resource: Option<String>,
    /// The key that it is bound to.
    pub(super) jkt: Option<&'a str>,
}

/// The body of the answer to an exchange, apart from the type of what was issued.
pub(super) async fn exchanged(
    state: &Arc<State>,
    making: Exchanging<'_>,
) -> Result<Value, Refusal> {
    let client = &making.registered.client;
    let mut extra = hook_claims(state, making.user, &client.id).await?;
    extra.insert(GRANT.to_owned(), making.grant.to_string().into());
    // Who acts is said by us alone, and so is how the user was known.
    for (name, value) in [
        ("amr", making.subject.extra.get("amr")),
        (ACT, making.exchanged.act.as_ref()),
    ] {
        match value {
            Some(value) => extra.insert(name.to_owned(), value.clone()),
            None => extra.remove(name),
        };
    }
    let own = roles::roles_of(&state.store, making.user.id).await;
    let (now, life) = times(state);
    // No longer than what it comes from.
    let until = making.exchanged.until.min(now + life);
    let claims = AccessTokenClaims {
        iss: state.settings.public_url.clone(),
        sub: making.registered.subject(state, making.user.id),
        aud: audience(state, making.resource),
        client_id: client.id.clone(),
        scope: Some(making.scopes.join(" ")),
        roles: own.map_err(|error| of_store(&error))?,
        iat: now,
        exp: until,
        nbf: None,
        jti: stdx::new_id(&state.clock, &state.rng).to_string(),
        auth_time: making.subject.auth_time,
        acr: making.subject.acr.clone(),
        epoch: making.exchanged.epoch,
        extra: bound(extra, making.jkt),
    };
    let token = access_token(state, &claims)?;
    let is_bound = making.jkt.is_some();
    Ok(response(&token, until - now, &making.scopes, is_bound))
}

/// The body of a token response in which no user takes part (RFC 6749 §4.4.3).
pub(super) fn own_token(
    state: &State,
    registered: &Registered,
    scopes: &[String],
    resource: Option<String>,
    jkt: Option<&str>,
) -> Result<Value, Refusal> {
    let client = &registered.client;
    let (now, life) = times(state);
    let claims = AccessTokenClaims {
        iss: state.settings.public_url.clone(),
        sub: client.subject(),
        aud: audience(state, resource),
        client_id: client.id.clone(),
        scope: Some(scopes.join(" ")),
        roles: registered.role.iter().cloned().collect(),
        iat: now,
        exp: now + life,
        nbf: None,
        jti: stdx::new_id(&state.clock, &state.rng).to_string(),
        auth_time: None,
        acr: None,
        epoch: None,
        extra: bound(Map::new(), jkt),
    };
    let token = access_token(state, &claims)?;
    Ok(response(&token, life, scopes, jkt.is_some()))
}

fn times(state: &State) -> (i64, i64) {
    let life = i64::try_from(state.settings.oauth.access_life.as_secs());
    let life = life.unwrap_or(AccessTokenClaims::MAX_LIFE);
    let now = state.clock.now().as_second();
    (now, life.clamp(1, AccessTokenClaims::MAX_LIFE))
}

fn audience(state: &State, resource: Option<String>) -> String {
    resource.unwrap_or_else(|| state.settings.public_url.clone())
}

fn bound(mut extra: Map<String, Value>, jkt: Option<&str>) -> Map<String, Value> {
    if let Some(jkt) = jkt {
        let value = Confirmation::Key(jkt.to_owned()).to_value();
        extra.insert(String::from("cnf"), value);
    }
    extra
}

fn access_token(state: &State, claims: &AccessTokenClaims) -> Result<String, Refusal> {
    encode_access_token(claims, &state.keys.known().current)
        .map_err(|error| Refusal::internal("an access token", &error))
}

fn response(access_token: &str, life: i64, scopes: &[String], is_bound: bool) -> Value {
    let scheme = match is_bound {
        true => Scheme::Dpop,
        false => Scheme::Bearer,
    };
    json!({
        "access_token": access_token,
        "token_type": scheme.name(),
        "expires_in": life,
        "scope": scopes.join(" "),
    })
}

async fn id_token(
    state: &State,
    making: &Making<'_>,
    subject: String,
    access_token: &str,
    hook: &Map<String, Value>,
) -> Result<String, Refusal> {
    let client = &making.registered.client;
    let algorithm = algorithm(client.signing.id_token);
    let keys = state.signing_keys(algorithm).await?;
    let key = signing(&keys, algorithm)?;
    let granted = making.granted;
    let requested = by_name(&granted.id_token_claims);
    let mut extra = hook.clone();
    // What is known of the person comes before what a hook says of them.
    extra.extend(person::claims(state, making.user, &granted.scopes, &requested).await?);
    let evidence = granted.evidence();
    let (now, life) = times(state);
    let claims = IdTokenClaims {
        iss: state.settings.public_url.clone(),
        sub: subject,
        aud: client.id.clone(),
        exp: now + life,
        iat: now,
        auth_time: evidence.auth_time(),
        nonce: granted.nonce.clone(),
        acr: Some(evidence.assurance().acr().to_owned()),
        amr: evidence.amr().into_iter().map(str::to_owned).collect(),
        azp: None,
        // What the client is told of when this login ends (Back-Channel Logout §2.1).
        sid: Some(making.grant.to_string()),
        hashes: Hashes::of(algorithm, Some(access_token), None, None),
        extra,
    };
    encode_id_token(&claims, key).map_err(|error| Refusal::internal("an ID token", &error))
}

/// What a client's answers are signed with.
pub(super) fn algorithm(wanted: Option<Algorithm>) -> Algorithm {
    wanted.unwrap_or(DEFAULT)
}

/// The key of an algorithm, which [`State::signing_keys`] has made sure of.
pub(super) fn signing(keys: &SigningKeys, algorithm: Algorithm) -> Result<&SigningKey, Refusal> {
    keys.signing(algorithm)
        .ok_or_else(|| Refusal::internal("a signing key", &algorithm.name()))
}

/// The user of a grant; `None`: they may no more do what they let the client do.
pub(super) async fn user_of(state: &State, grant: &grants::Grant) -> Result<Option<User>, Refusal> {
    let found = users::by_id(&state.store, grant.user).await;
    let found = found.map_err(|error| of_store(&error))?;
    Ok(found.filter(|user| user.active && user.epoch == grant.epoch))
}
