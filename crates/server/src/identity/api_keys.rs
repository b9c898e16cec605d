//! `/auth/api-keys`: what programs act for somebody with, within scopes.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use credentials::token::ApiKey;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::api_keys::{self, StoredApiKey};
use store::audit::Act;
use uuid::Uuid;

use super::body::{Fields, invalid};
use super::rate::{Rate, RateError};
use super::session::Owner;
use super::{json_answer, of_store};
use crate::App;
use crate::error::{Answer, Refusal};
use crate::oauth2::READ;

/// The most keys of one account.
const MOST: usize = 100;
/// The longest name of a key, characters.
const LONGEST_NAME: usize = 120;

/// `GET /auth/api-keys`
pub(crate) async fn list(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let stored = api_keys::of_user(&app.0.store, owner.user.id).await;
    let stored = stored.map_err(|error| of_store(&error))?;
    let list: Vec<Value> = stored.iter().map(shown).collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(list)))
}

/// `POST /auth/api-keys`: a new key, shown this once.
pub(crate) async fn create(Shared(app): Shared<App>, owner: Owner, body: Bytes) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let hint = "send {\"name\": \"nightly\", \"scopes\": [\"data:read\"]}";
    let mut fields = Fields::parse(&body, &["name", "scopes", "expires_at", "rate"], hint)?;
    let name = fields.required("name", |text| named(&text));
    let scopes = fields.texts("scopes");
    let expires_at = match fields.has("expires_at") {
        true => fields.required("expires_at", |text| later(&text, state.clock.now())),
        false => None,
    };
    let most = state.settings.identity.api_key_rate;
    let rate = match fields.has("rate") {
        true => fields.required("rate", |text| lower(&text, most)),
        false => None,
    };
    let scopes = scopes.unwrap_or_else(|| vec![READ.to_owned()]);
    let known = state.settings.oauth.data_scopes();
    if scopes.is_empty() || !scopes.iter().all(|scope| known.contains(scope)) {
        let message = format!("scopes are {}", known.join(", "));
        fields.fault("scopes", "invalid", &message);
    }
    let (Some(name), true) = (name, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let there = api_keys::of_user(&state.store, owner.user.id).await;
    if there.map_err(|error| of_store(&error))?.len() >= MOST {
        let message = format!("an account has at most {MOST} API keys");
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "too_many_api_keys",
            message,
        ));
    }
    let key = ApiKey::generate(&state.rng);
    let stored = StoredApiKey {
        id: stdx::new_id(&state.clock, &state.rng),
        hint: key.start(),
        user: owner.user.id,
        name,
        scopes,
        created_at: state.clock.now(),
        expires_at,
        used_at: None,
        rate: rate.map(|rate| rate.to_string()),
    };
    let details = json!({"api_key": stored.id.to_string(), "name": stored.name});
    let unit = vec![
        api_keys::insert_step(&state.store, &stored, &key.hash()),
        owner.audit_step_with(state, Act::ApiKeyCreated, &details),
    ];
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&error.into()))?;
    let mut body = shown(&stored);
    body["key"] = key.to_text().expose().as_str().into();
    Ok(json_answer(StatusCode::CREATED, &body))
}

/// `DELETE /auth/api-keys/{id}`: it is worth nothing from then on.
pub(crate) async fn revoke(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    owner: Owner,
) -> Answer {
    let state = &app.0;
    let unknown = || {
        let message = "you have no such API key";
        Refusal::new(StatusCode::NOT_FOUND, "api_key_unknown", message)
    };
    let id = Uuid::try_parse(&id).map_err(|_| unknown())?;
    let details = json!({"api_key": id.to_string()});
    let noted = owner.audit_step_with(state, Act::ApiKeyRevoked, &details);
    let revoked = api_keys::revoke(&state.store, owner.user.id, id, noted).await;
    match revoked.map_err(|error| of_store(&error))? {
        true => Ok(json_answer(StatusCode::OK, &json!({"revoked": 1}))),
        false => Err(unknown()),
    }
}

fn shown(key: &StoredApiKey) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| format!("{at:.6}"));
    json!({
        "id": key.id.to_string(),
        "name": key.name,
        "hint": key.hint,
        "scopes": key.scopes,
        "created_at": format!("{:.6}", key.created_at),
        "expires_at": time(key.expires_at),
        "used_at": time(key.used_at),
        "rate": key.rate,
    })
}

fn named(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let is_plain = !text.is_empty() && !text.chars().any(char::is_control);
    match is_plain && text.chars().count() <= LONGEST_NAME {
        true => Ok(text.to_owned()),
        false => Err("name is 1 to 120 characters"),
    }
}

/// A rate of the key's own, no higher than what holds for all.
fn lower(text: &str, most: Option<Rate>) -> Result<Rate, String> {
    let rate: Rate = text.parse().map_err(|error: RateError| error.to_string())?;
    match most {
        Some(most) if rate.hourly() > most.hourly() => {
            Err(format!("a key may be used {most} at most"))
        }
        Some(_) | None => Ok(rate),
    }
}

/// A moment that is still to come, to the microsecond.
pub(super) fn later(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    let at: Timestamp = text
        .parse()
        .map_err(|_| "expires_at is a moment, as 2027-01-31T12:00:00Z")?;
    match at > now {
        // As exactly as databases keep it.
        true => Timestamp::from_microsecond(at.as_microsecond())
            .map_err(|_| "expires_at lies behind the calendar"),
        false => Err("expires_at lies in the past"),
    }
}
