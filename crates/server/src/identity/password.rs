//! `/auth/password`: setting a new one; and passwords that are shown to the server.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::Password;
use credentials::assurance::{Evidence, Method};
use credentials::opaque::RegistrationRecord;
use credentials::token::SessionId;
use rest::Happened;
use serde_json::json;
use store::audit::Act;
use store::moments::Purpose;
use store::users::{self, LoginName};
use store::{opaque as records, sessions};

use super::body::{Fields, invalid};
use super::door::{self, Attempt, Guest, refused};
use super::session::{self, Owner};
use super::settings::PasswordMode;
use super::{cookie, json_answer, of_store, opaque};
use crate::App;
use crate::app::State;
use crate::client::Client;
use crate::error::{Answer, Refusal};
use crate::events::person;
use crate::oauth2::back_channel::{self, Ended};
use crate::passwords::Compared;

/// How long setting a password may take between its steps.
const LIFE: Duration = Duration::from_mins(10);

/// `POST /auth/password/start`: the first step of setting a password that the server never sees.
pub(crate) async fn start(Shared(app): Shared<App>, owner: Owner, body: Bytes) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let hint = "send {\"registration_request\": …}";
    let mut fields = Fields::parse(&body, &["registration_request"], hint)?;
    let request = fields.some_text("registration_request");
    let (Some(request), true) = (request, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let begun = opaque::begin_registration(state, owner.user.id, &request)?;
    let content = json!({"state": begun.state});
    let id = opaque::keep(state, Purpose::OpaquePassword, &content, LIFE).await?;
    Ok(begun.answer(&id))
}

/// `PUT /auth/password`: the second step, or a new password as it is where hashes are stored. All
/// other sessions end, and so do all tokens.
pub(crate) async fn set(Shared(app): Shared<App>, owner: Owner, body: Bytes) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let known = ["registration_id", "registration_record", "password"];
    let hint = "send {\"registration_id\": …, \"registration_record\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    if fields.has("password") {
        let password = fields.required("password", Password::new);
        let (Some(password), true) = (password, fields.faults.is_empty()) else {
            return Err(invalid(fields.faults));
        };
        if state.settings.identity.password_mode == PasswordMode::Opaque {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                "opaque_required",
                "new passwords are set without being shown to the server",
            )
            .hint("POST /auth/password/start, see docs/identity.md"));
        }
        let hash = state.passwords.hash(password, state.rng.clone()).await?;
        let mut unit = vec![records::delete_record_step(&state.store, owner.user.id)];
        unit.push(users::delete_password_step(&state.store, owner.user.id));
        unit.push(users::password_step(&state.store, owner.user.id, &hash));
        return change(state, &owner, unit).await;
    }
    let id = fields.some_text("registration_id");
    let record = fields.some_text("registration_record");
    let (Some(id), Some(record), true) = (id, record, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let record = RegistrationRecord::from_base64url(&record);
    let record = record.map_err(opaque::of_opaque)?;
    let content = opaque::take(state, Purpose::OpaquePassword, &id).await?;
    let (user, record) = opaque::finish_registration(&content, record)?;
    if user != owner.user.id {
        return Err(door::unknown_flow());
    }
    let unit = records::set_record_steps(&state.store, user, &record);
    change(state, &owner, unit).await
}

/// Sets the password by these steps; the owner goes on with a new session, everybody else is out.
async fn change(state: &Arc<State>, owner: &Owner, mut unit: Vec<sql::Step>) -> Answer {
    let store = &state.store;
    let (user, session) = (&owner.user, &owner.held.session);
    let id = SessionId::generate(&state.rng);
    let guest = owner.guest(session.evidence.clone());
    let mut new = door::new_session(state, &owner.asked, &guest, &id);
    new.epoch = user.epoch + 1;
    new.expires_at = session.expires_at;
    unit.push(users::bump_epoch_step(store, user.id));
    unit.push(sessions::delete_others_step(store, user.id, None));
    unit.push(sessions::insert_step(store, &new));
    unit.push(owner.audit_step(state, Act::PasswordChanged));
    unit.extend(back_channel::steps(state, Ended::User(user.id)).await?);
    {
        let compiled = state.compiled.load();
        let announcer = state.announcer(&compiled);
        unit.extend(announcer.steps(&person(user), Happened::PasswordChanged));
    }
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&error.into()))?;
    state.outbox.notify_waiters();
    let body = session::shown(state, user, &id, &new.evidence, new.expires_at);
    let answer = json_answer(StatusCode::OK, &body);
    Ok(door::with_cookie(answer, cookie::given(state, &id)?))
}

/// Who is called so and has that password. Unknown names, wrong passwords, accounts that are
/// disabled and those without a hash are refused alike, after the same work.
pub(super) async fn prove(
    state: &Arc<State>,
    client: &Client,
    name: &str,
    text: String,
) -> Result<Guest, Refusal> {
    let attempt = Attempt::begin(state, name, client).await?;
    let password = Password::presented(text).map_err(|_| refused())?;
    let candidate = match LoginName::parse(name) {
        Some(name) => users::find_for_login(&state.store, &name)
            .await
            .map_err(|error| of_store(&error))?,
        None => None,
    };
    let (user, hash) = match candidate {
        Some(candidate) => (Some(candidate.user), candidate.hash),
        None => (None, None),
    };
    let compared = state
        .passwords
        .compare(password, hash, state.rng.clone())
        .await?;
    let (Compared::Right { upgrade }, Some(user)) = (compared, user) else {
        return Err(refused());
    };
    if !user.active {
        return Err(refused());
    }
    if let Some((old, new)) = upgrade {
        users::upgrade_password(&state.store, user.id, &old, &new)
            .await
            .map_err(|error| of_store(&error))?;
    }
    attempt.succeeded(state, client).await?;
    let evidence = Evidence::new(vec![state.proven(Method::Password)]);
    Ok(Guest { user, evidence })
}
