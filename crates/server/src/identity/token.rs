//! `/token`: a name and a password for a bearer token.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use credentials::assurance::Evidence;
use oauth::{AccessTokenClaims, encode_access_token};
use rest::{Event, Happened, Moment, Occurrence};
use serde_json::{Map, Value, json};
use store::users::{self, User};
use store::{StoreError, roles};
use tracing::Instrument as _;
use uuid::Uuid;

use super::body::{Fields, invalid};
use super::door::{self, Guest, Wants};
use super::{factor, json_answer, of_store, password};
use crate::App;
use crate::app::{Compiled, State};
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::events::person;
use crate::traces;

/// What `/token` takes.
const FIELDS: [&str; 6] = [
    "grant_type",
    "username",
    "password",
    "login_id",
    "code",
    "recovery_code",
];

/// `POST /token`: a form (RFC 6749 §4.3.2's fields) or the same as JSON; `login_id` and `code` where
/// a second factor is owed. A first-party door, never announced as an OAuth grant.
pub(crate) async fn token(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    let mut given = given(&asked.headers, &body)?;
    let mut text = |name: &str| {
        given.remove(name).and_then(|value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    };
    require_password_grant(text("grant_type").as_deref())?;
    if let Some(id) = text("login_id") {
        let mut fields = Fields::of(given);
        return factor::admit(state, &asked, &id, &mut fields, Wants::Token).await;
    }
    let Some((name, text)) = text("username").zip(text("password")) else {
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "22000",
            "username and password are required",
        )
        .hint("send the form username=…&password=…"));
    };
    let guest = password::prove(state, &asked.client, &name, text).await?;
    door::enter(state, &asked, guest, Wants::Token).await
}

/// The known members of a form or of JSON. One that a form says twice says nothing; unknown ones
/// are left out, as OAuth's clients expect (RFC 6749 §3.2).
fn given(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let mut given = Map::new();
    if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
            let message = "the body is no JSON object";
            return Err(
                Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "22000", message)
                    .hint("send {\"username\": …, \"password\": …}"),
            );
        };
        given = object;
    } else {
        let mut twice = Vec::new();
        for (name, value) in serde_urlencoded(body) {
            if given.insert(name.clone(), value.into()).is_some() {
                twice.push(name);
            }
        }
        for name in twice {
            given.remove(&name);
        }
    }
    given.retain(|name, _| FIELDS.contains(&name.as_str()));
    match given.iter().find(|(_, value)| !value.is_string()) {
        None => Ok(given),
        Some((name, _)) => {
            let message = format!("{name} must be a text");
            let fault = json!({"pointer": format!("/{name}"), "code": "type", "message": message});
            Err(invalid(vec![fault]))
        }
    }
}

/// The grant need not be named.
fn require_password_grant(grant: Option<&str>) -> Result<(), Refusal> {
    match grant {
        None | Some("password") => Ok(()),
        Some(_) => Err(Refusal::new(
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
pub(crate) const FIRST_PARTY: &str = "first-party";

/// A bearer token for somebody who came in.
pub(super) async fn access_token(state: &Arc<State>, guest: &Guest) -> Answer {
    let Guest { user, evidence } = guest;
    sign_in(state, user, evidence).await?;
    let own = roles::roles_of(&state.store, user.id)
        .await
        .map_err(|error| of_store(&error))?;
    let now = state.clock.now().as_second();
    let life = i64::try_from(state.settings.token_life.as_secs()).unwrap_or(900);
    let mut extra = {
        let compiled = state.compiled.load();
        more_claims(state, &compiled, user, FIRST_PARTY).await?
    };
    extra.insert(String::from("amr"), evidence.amr().into());
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
        auth_time: evidence.auth_time(),
        acr: Some(evidence.assurance().acr().to_owned()),
        epoch: Some(user.epoch),
        extra,
    };
    let token = encode_access_token(&claims, &state.keys.known().current)
        .map_err(|error| Refusal::internal("token", &error))?;
    Ok(json_answer(
        StatusCode::OK,
        &json!({"access_token": token, "token_type": "bearer", "expires_in": life}),
    ))
}

/// Tells of the sign-in; where a hook's transaction refuses it, there is none.
async fn sign_in(state: &Arc<State>, user: &User, evidence: &Evidence) -> Result<(), Refusal> {
    let last = evidence.proven().last();
    let method = last.map_or("password", |proof| proof.method.name());
    let unit = {
        let compiled = state.compiled.load();
        let happened = Happened::Login { method };
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

/// What `hooks/before_token.sql` says of a user who has a session and no token.
pub(crate) async fn claims_of_hook(
    state: &State,
    compiled: &Compiled,
    user: Uuid,
) -> Result<Map<String, Value>, Refusal> {
    if compiled.hooks.of(Event::BeforeToken).is_none() {
        return Ok(Map::new());
    }
    let user = users::by_id(&state.store, user).await;
    match user.map_err(|error| of_store(&error))? {
        Some(user) => more_claims(state, compiled, &user, FIRST_PARTY).await,
        None => Ok(Map::new()),
    }
}

/// What `hooks/before_token.sql` adds to the tokens of a client.
pub(crate) async fn hook_claims(
    state: &Arc<State>,
    user: &User,
    client_id: &str,
) -> Result<Map<String, Value>, Refusal> {
    let compiled = state.compiled.load();
    more_claims(state, &compiled, user, client_id).await
}

/// What `hooks/before_token.sql` adds to the token.
async fn more_claims(
    state: &State,
    compiled: &Compiled,
    user: &User,
    client_id: &str,
) -> Result<Map<String, Value>, Refusal> {
    let asked = {
        let moment = Moment {
            now: state.clock.now(),
            clock: &state.clock,
            rng: &state.rng,
        };
        let happened = Happened::BeforeToken {
            client_id: client_id.to_owned(),
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
