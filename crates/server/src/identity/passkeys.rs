//! `/auth/passkeys`: keys that verify their user; beside a password, or all there is.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use credentials::assurance::Evidence;
use credentials::passkey::{Passkey, PasskeyLogin, PasskeyOwner, PasskeyRegistration};
use serde_json::{Value, json};
use sql::DbError;
use store::audit::Act;
use store::factors::{passkeys, recovery_codes};
use store::moments::Purpose;
use store::users;
use uuid::Uuid;

use super::body::{Fields, invalid};
use super::door::{self, Guest};
use super::factor::{no_passkeys, of_passkey, wrong};
use super::recovery_codes::fresh_codes;
use super::session::Owner;
use super::{cookie, json_answer, of_store};
use crate::App;
use crate::app::State;
use crate::auth::held_session;
use crate::client::Asked;
use crate::error::{Answer, Refusal};

/// How long a ceremony may take: people look for their keys.
const LIFE: Duration = Duration::from_mins(5);
/// The longest name of a passkey, characters.
const LONGEST_NAME: usize = 60;
/// The most passkeys of one account.
const MOST: usize = 20;

/// `GET /auth/passkeys`
pub(crate) async fn list(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let stored = of_user(&app.0, owner.user.id).await?;
    let one = |key: &passkeys::StoredPasskey| {
        json!({
            "id": key.id.to_string(),
            "name": key.name,
            "synced": key.passkey.is_synced(),
            "created_at": format!("{:.6}", key.created_at),
            "used_at": key.used_at.map(|at| format!("{at:.6}")),
        })
    };
    let list: Vec<Value> = stored.iter().map(one).collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(list)))
}

/// `POST /auth/passkeys/start`: options for `navigator.credentials.create()`.
pub(crate) async fn register_start(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let site = state.relying_party.as_ref().ok_or_else(no_passkeys)?;
    let stored = of_user(state, owner.user.id).await?;
    if stored.len() >= MOST {
        let message = format!("an account has at most {MOST} passkeys");
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "too_many_passkeys",
            message,
        ));
    }
    let keys: Vec<Passkey> = stored.into_iter().map(|one| one.passkey).collect();
    let user = &owner.user;
    let email = user.email.as_str();
    let shown = PasskeyOwner {
        user: user.id,
        name: email,
        display_name: user.display_name.as_deref().unwrap_or(email),
    };
    let begun = site.start_registration(shown, &keys);
    let (options, begun) = begun.map_err(of_passkey)?;
    let text = begun.to_text().map_err(of_passkey)?;
    let id = keep(state, Purpose::PasskeyRegistration, text.expose()).await?;
    Ok(json_answer(
        StatusCode::OK,
        &json!({"registration_id": id, "options": options}),
    ))
}

/// `POST /auth/passkeys`: what the browser made. Who has no recovery codes yet gets them here.
pub(crate) async fn register_finish(Shared(app): Shared<App>, owner: Owner, body: Bytes) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let site = state.relying_party.as_ref().ok_or_else(no_passkeys)?;
    let known = ["registration_id", "credential", "name"];
    let hint = "send {\"registration_id\": …, \"credential\": …, \"name\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let id = fields.some_text("registration_id");
    let answer = fields.json("credential");
    let name = fields
        .name("name")
        .unwrap_or_else(|| String::from("passkey"));
    if name.chars().count() > LONGEST_NAME {
        let message = format!("name has more than {LONGEST_NAME} characters");
        fields.fault("name", "too_long", &message);
    }
    let (Some(id), Some(answer), true) = (id, answer, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let begun = take(state, Purpose::PasskeyRegistration, &id).await?;
    let begun = PasskeyRegistration::from_text(&begun).map_err(of_passkey)?;
    if begun.user() != owner.user.id {
        return Err(door::unknown_flow());
    }
    let made = site.finish_registration(&begun, &answer);
    let passkey = made.map_err(of_passkey)?;
    let has = door::factors_of(state, owner.user.id).await?;
    let id = stdx::new_id(&state.clock, &state.rng);
    let step = passkeys::insert_step(&state.store, id, owner.user.id, &name, &passkey);
    let mut unit = vec![step.map_err(|error| of_store(&error))?];
    let mut body = json!({"id": id.to_string(), "name": name, "synced": passkey.is_synced()});
    if has.recovery_codes == 0 {
        let (codes, steps) = fresh_codes(state, owner.user.id);
        unit.extend(steps);
        body["recovery_codes"] = Value::from(codes);
    }
    unit.push(owner.audit_step(state, Act::PasskeyAdded));
    match state.db.write(unit).await {
        Ok(_) => Ok(json_answer(StatusCode::CREATED, &body)),
        Err(DbError::Unique { .. }) => Err(Refusal::new(
            StatusCode::CONFLICT,
            "passkey_known",
            "this passkey is registered already",
        )),
        Err(error) => Err(of_store(&error.into())),
    }
}

/// `DELETE /auth/passkeys/{id}`
pub(crate) async fn remove(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    owner: Owner,
) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let missing = || {
        let message = "you have no such passkey";
        Refusal::new(StatusCode::NOT_FOUND, "passkey_unknown", message)
    };
    let id = Uuid::try_parse(&id).map_err(|_| missing())?;
    let has = door::factors_of(state, owner.user.id).await?;
    let mut unit = vec![passkeys::delete_step(&state.store, owner.user.id, id)];
    // Codes that stand for a lost factor are of no use without one.
    if has.passkeys <= 1 && !has.totp {
        unit.push(recovery_codes::delete_step(&state.store, owner.user.id));
    }
    unit.push(owner.audit_step(state, Act::PasskeyRemoved));
    match state.db.write(unit).await {
        Ok(_) => Ok(json_answer(
            StatusCode::OK,
            &json!({"removed": id.to_string()}),
        )),
        Err(DbError::Unexpected { .. }) => Err(missing()),
        Err(error) => Err(of_store(&error.into())),
    }
}

/// `POST /auth/passkeys/login/start`: options for `navigator.credentials.get()`. With a `login_id`
/// for the factor that is owed, with a session for a step-up, else for a login without a name.
pub(crate) async fn login_start(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    cookie::require_own_site(state, &asked.headers)?;
    let site = state.relying_party.as_ref().ok_or_else(no_passkeys)?;
    let mut fields = Fields::parse(&body, &["login_id", "step_up"], "send {}")?;
    let (pending, step_up) = (fields.text("login_id"), fields.flag("step_up"));
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    let user = match (pending, step_up) {
        (Some(id), _) => Some(door::pending(state, &id).await?.user.id),
        (None, false) => None,
        (None, true) => {
            let held = held_session(state, &asked.method, &asked.headers).await?;
            let held = held.ok_or_else(|| Refusal::unauthorized("", "sign in first"))?;
            Some(held.session.user)
        }
    };
    let Some(user) = user else {
        let (options, begun) = site.start_login().map_err(of_passkey)?;
        let text = begun.to_text().map_err(of_passkey)?;
        let id = keep(state, Purpose::PasskeyLogin, text.expose()).await?;
        let body = json!({"passkey_id": id, "options": options});
        return Ok(json_answer(StatusCode::OK, &body));
    };
    let stored = of_user(state, user).await?;
    let keys: Vec<Passkey> = stored.into_iter().map(|one| one.passkey).collect();
    if keys.is_empty() {
        return Err(wrong());
    }
    let begun = site.start_second_factor(user, &keys);
    let (options, begun) = begun.map_err(of_passkey)?;
    let text = begun.to_text().map_err(of_passkey)?;
    let id = keep(state, Purpose::PasskeySecondFactor, text.expose()).await?;
    let body = json!({"passkey_id": id, "options": options});
    Ok(json_answer(StatusCode::OK, &body))
}

/// `POST /auth/passkeys/login/finish`: a login without a name or a password.
pub(crate) async fn login_finish(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    cookie::require_own_site(state, &asked.headers)?;
    let site = state.relying_party.as_ref().ok_or_else(no_passkeys)?;
    let hint = "send {\"passkey_id\": …, \"credential\": …}";
    let mut fields = Fields::parse(&body, &["passkey_id", "credential", "result"], hint)?;
    let (id, answer) = (fields.some_text("passkey_id"), fields.json("credential"));
    let wants = door::wants(&mut fields);
    let (Some(id), Some(answer), true) = (id, answer, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let begun = take(state, Purpose::PasskeyLogin, &id).await?;
    let begun = PasskeyLogin::from_text(&begun).map_err(of_passkey)?;
    let (user, key) = site.claimed(&answer).map_err(of_passkey)?;
    let stored = passkeys::find(&state.store, user, &key).await;
    let stored = stored
        .map_err(|error| of_store(&error))?
        .ok_or_else(wrong)?;
    let proof = site.finish_login(begun, &answer, user, &stored.passkey);
    let proof = proof.map_err(of_passkey)?;
    let step = passkeys::use_step(&state.store, &stored, &proof.passkey);
    let step = step.map_err(|error| of_store(&error))?;
    match state.db.write(vec![step]).await {
        Ok(_) => {}
        Err(DbError::Unexpected { .. }) => return Err(wrong()),
        Err(error) => return Err(of_store(&error.into())),
    }
    let found = users::by_id(&state.store, user).await;
    let found = found.map_err(|error| of_store(&error))?;
    let user = found.filter(|user| user.active).ok_or_else(wrong)?;
    let evidence = Evidence::new(vec![state.proven(proof.passkey.method())]);
    door::enter(state, &asked, Guest { user, evidence }, wants).await
}

async fn of_user(state: &State, user: Uuid) -> Result<Vec<passkeys::StoredPasskey>, Refusal> {
    let found = passkeys::of_user(&state.store, user).await;
    found.map_err(|error| of_store(&error))
}

async fn keep(state: &State, purpose: Purpose, content: &str) -> Result<String, Refusal> {
    let id = door::flow_id(state);
    let kept = state.moments.put(purpose, &id, content, LIFE).await;
    kept.map_err(|error| of_store(&error))?;
    Ok(id)
}

async fn take(state: &State, purpose: Purpose, id: &str) -> Result<String, Refusal> {
    let taken = state.moments.take(purpose, id).await;
    let taken = taken.map_err(|error| of_store(&error))?;
    taken.ok_or_else(door::unknown_flow)
}
