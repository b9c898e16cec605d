//! `/token`: a name and a password for a bearer token.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use credentials::Password;
use oauth::{AccessTokenClaims, encode_access_token};
use rest::{Event, Happened, Moment, Occurrence};
use serde_json::{Map, Value, json};
use store::users::{self, LoginName, User};
use store::{StoreError, roles};
use tracing::Instrument as _;

use super::{json_answer, of_store};
use crate::App;
use crate::app::State;
use crate::error::{Answer, Refusal};
use crate::events::person;
use crate::passwords::Compared;
use crate::traces;

/// `POST /token`: a form (RFC 6749 §4.3.2's fields) or the same as JSON. A first-party door,
/// never announced as an OAuth grant.
pub(crate) async fn token(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let state = &app.0;
    let (name, text) = login(&headers, &body)?;
    let refused = || {
        let mut refusal = Refusal::unauthorized("", "the name or the password is wrong");
        refusal.code = String::from("invalid_grant");
        refusal
    };
    let password = Password::presented(text).map_err(|_| refused())?;
    let candidate = match LoginName::parse(&name) {
        Some(name) => users::find_for_login(&state.store, &name)
            .await
            .map_err(|error| of_store(&error))?,
        None => None,
    };
    let (user, hash) = match candidate {
        Some(candidate) => (Some(candidate.user), candidate.hash),
        None => (None, None),
    };
    match (
        state
            .passwords
            .compare(password, hash, state.rng.clone())
            .await?,
        user,
    ) {
        (Compared::Right { upgrade }, Some(user)) if user.active => {
            if let (Some((old, new)), false) = (upgrade, state.is_read_only) {
                users::upgrade_password(&state.store, user.id, &old, &new)
                    .await
                    .map_err(|error| of_store(&error))?;
            }
            grant(state, &user).await
        }
        _ => Err(refused()),
    }
}

fn login(headers: &HeaderMap, body: &[u8]) -> Result<(String, String), Refusal> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let missing = || {
        Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "22000",
            "username and password are required",
        )
        .hint("send the form username=…&password=…")
    };
    if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        let parsed: Value = serde_json::from_slice(body).map_err(|_| missing())?;
        let text = |key: &str| parsed[key].as_str().map(str::to_owned);
        require_password_grant(parsed.get("grant_type").map(|grant| grant == "password"))?;
        return text("username").zip(text("password")).ok_or_else(missing);
    }
    let pairs: Vec<(String, String)> = serde_urlencoded(body);
    let text = |key: &str| {
        let mut found = pairs
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value.clone());
        found.next().filter(|_| found.next().is_none())
    };
    require_password_grant(text("grant_type").map(|grant| grant == "password"))?;
    text("username").zip(text("password")).ok_or_else(missing)
}

/// The grant need not be named; `is_password` where it is.
fn require_password_grant(is_password: Option<bool>) -> Result<(), Refusal> {
    match is_password {
        None | Some(true) => Ok(()),
        Some(false) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "this door takes a name and a password alone",
        )),
    }
}

/// `application/x-www-form-urlencoded`; a pair that is no UTF-8 is left out.
fn serde_urlencoded(body: &[u8]) -> Vec<(String, String)> {
    use percent_encoding::percent_decode_str;
    let text = String::from_utf8_lossy(body);
    let decode = |part: &str| {
        percent_decode_str(&part.replace('+', " "))
            .decode_utf8()
            .ok()
            .map(std::borrow::Cow::into_owned)
    };
    text.split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

/// The client of our own door.
const FIRST_PARTY: &str = "first-party";

async fn grant(state: &Arc<State>, user: &User) -> Answer {
    sign_in(state, user).await?;
    let own = roles::roles_of(&state.store, user.id)
        .await
        .map_err(|error| of_store(&error))?;
    let now = state.clock.now().as_second();
    let life = i64::try_from(state.settings.token_life.as_secs()).unwrap_or(900);
    let claims = AccessTokenClaims {
        iss: state.settings.public_url.clone(),
        sub: user.id.to_string(),
        aud: state.settings.public_url.clone(),
        client_id: String::from(FIRST_PARTY),
        scope: None,
        roles: own,
        iat: now,
        exp: now + life,
        nbf: None,
        jti: stdx::new_id(&state.clock, &state.rng).to_string(),
        auth_time: Some(now),
        acr: None,
        epoch: Some(user.epoch),
        extra: more_claims(state, user).await?,
    };
    let token = encode_access_token(&claims, &state.keys.current)
        .map_err(|error| Refusal::internal("token", &error))?;
    Ok(json_answer(
        StatusCode::OK,
        &json!({"access_token": token, "token_type": "bearer", "expires_in": life}),
    ))
}

/// Tells of the sign-in; where a hook's transaction refuses it, there is none.
async fn sign_in(state: &Arc<State>, user: &User) -> Result<(), Refusal> {
    let unit = {
        let compiled = state.compiled.load();
        let happened = Happened::Login { method: "password" };
        state.announcer(&compiled).steps(&person(user), happened)
    };
    if unit.is_empty() {
        return Ok(());
    }
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&StoreError::Db(error)))?;
    state.outbox.notify_waiters();
    Ok(())
}

/// What `hooks/before_token.sql` adds to the token.
async fn more_claims(state: &Arc<State>, user: &User) -> Result<Map<String, Value>, Refusal> {
    let asked = {
        let compiled = state.compiled.load();
        let moment = Moment {
            now: state.clock.now(),
            clock: &state.clock,
            rng: &state.rng,
        };
        let happened = Happened::BeforeToken {
            client_id: String::from(FIRST_PARTY),
        };
        let id = stdx::new_id(&state.clock, &state.rng);
        let told = Occurrence::new(id, moment.now, &person(user), happened);
        let hook = compiled.hooks.of(Event::BeforeToken);
        hook.and_then(|hook| hook.claims(&told, moment))
    };
    let Some(asked) = asked else {
        return Ok(Map::new());
    };
    let span = traces::of_hook("before_token", 1);
    let rows = state.db.rows(&asked.query).instrument(span.clone()).await;
    if let Ok(rows) = &rows {
        span.record(
            "app.result_length",
            i64::try_from(rows.len()).unwrap_or(i64::MAX),
        );
    }
    let rows = rows.map_err(|error| of_store(&StoreError::Db(error)))?;
    asked
        .claims(&rows)
        .map_err(|error| Refusal::internal("claims", &error))
}
