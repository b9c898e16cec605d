//! `/auth/session/factor`: the second factor that was still owed, whatever it is.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Shared;
use credentials::assurance::Method;
use credentials::passkey::{Passkey, PasskeyError, PasskeySecondFactor};
use credentials::recovery::RecoveryCode;
use credentials::totp::TotpCode;
use sql::{DbError, Step};
use store::factors::{passkeys, recovery_codes, totp};
use store::moments::Purpose;
use store::users::User;
use uuid::Uuid;

use super::body::{Fields, invalid};
use super::door::{self, Guest, Wants};
use super::{cookie, of_store};
use crate::App;
use crate::app::State;
use crate::client::Asked;
use crate::error::{Answer, Refusal};

/// What proves a second factor, as bodies have it.
pub(super) const FIELDS: [&str; 4] = ["code", "recovery_code", "passkey_id", "credential"];

/// `POST /auth/session/factor`
pub(crate) async fn finish(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    cookie::require_own_site(state, &asked.headers)?;
    let known: Vec<&str> = FIELDS.into_iter().chain(["login_id", "result"]).collect();
    let hint = "send {\"login_id\": …, \"code\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let id = fields.some_text("login_id");
    let wants = door::wants(&mut fields);
    let (Some(id), true) = (id, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    admit(state, &asked, &id, &mut fields, wants).await
}

/// Takes the factor that is owed and lets in who showed it.
pub(super) async fn admit(
    state: &Arc<State>,
    asked: &Asked,
    id: &str,
    fields: &mut Fields,
    wants: Wants,
) -> Answer {
    let Guest { user, mut evidence } = door::pending(state, id).await?;
    let (method, unit) = prove(state, &user, fields).await?;
    // The flow first: of two who show the same code at once, one had it.
    door::settle(state, id).await?;
    match state.db.write(unit).await {
        Ok(_) => {}
        Err(DbError::Unexpected { .. }) => return Err(wrong()),
        Err(error) => return Err(of_store(&error.into())),
    }
    succeeded(state, user.id).await?;
    evidence.add(state.proven(method));
    door::enter(state, asked, Guest { user, evidence }, wants).await
}

/// Judges `code`, `recovery_code`, or `passkey_id` and `credential`; gives what it proves and the
/// steps that use it up. Every attempt counts, whatever it is made with.
pub(super) async fn prove(
    state: &State,
    user: &User,
    fields: &mut Fields,
) -> Result<(Method, Vec<Step>), Refusal> {
    let most = state.settings.identity.throttle.factor_attempts;
    let name = user.id.to_string();
    door::knock(state, Purpose::FactorAttempts, &name, most).await?;
    if let Some(code) = fields.text("code") {
        let step = by_totp(state, user.id, &code).await?;
        return Ok((Method::Totp, vec![step]));
    }
    if let Some(code) = fields.text("recovery_code") {
        let code = RecoveryCode::parse(&code).map_err(|_| wrong())?;
        let hash = code.hash(user.id, &state.code_key);
        let step = recovery_codes::use_step(&state.store, user.id, &hash);
        return Ok((Method::RecoveryCode, vec![step]));
    }
    let (id, answer) = (fields.some_text("passkey_id"), fields.json("credential"));
    let (Some(id), Some(answer)) = (id, answer) else {
        return Err(invalid(std::mem::take(&mut fields.faults)));
    };
    by_passkey(state, user.id, &id, &answer).await
}

/// After a right factor its attempts are forgotten.
pub(super) async fn succeeded(state: &State, user: Uuid) -> Result<(), Refusal> {
    let name = user.to_string();
    let forgotten = state.moments.forget(Purpose::FactorAttempts, &name).await;
    forgotten.map_err(|error| of_store(&error))
}

async fn by_totp(state: &State, user: Uuid, code: &str) -> Result<Step, Refusal> {
    let code = TotpCode::parse(code).map_err(|_| wrong())?;
    let enrolment = totp::find(&state.store, user, &state.totp_key).await;
    let enrolment = enrolment.map_err(|error| of_store(&error))?;
    let enrolment = enrolment.filter(|one| one.confirmed_at.is_some());
    let enrolment = enrolment.ok_or_else(wrong)?;
    let now = state.clock.now().as_second();
    let step = enrolment.secret.check(&code, now, enrolment.last);
    step.map(|step| totp::take_step(&state.store, user, step))
        .ok_or_else(wrong)
}

async fn by_passkey(
    state: &State,
    user: Uuid,
    id: &str,
    answer: &str,
) -> Result<(Method, Vec<Step>), Refusal> {
    let site = state.relying_party.as_ref().ok_or_else(no_passkeys)?;
    let taken = state.moments.take(Purpose::PasskeySecondFactor, id).await;
    let taken = taken.map_err(|error| of_store(&error))?;
    let begun = taken.ok_or_else(door::unknown_flow)?;
    let begun = PasskeySecondFactor::from_text(&begun).map_err(of_passkey)?;
    if begun.user() != user {
        return Err(door::unknown_flow());
    }
    let stored = passkeys::of_user(&state.store, user).await;
    let stored = stored.map_err(|error| of_store(&error))?;
    let keys: Vec<Passkey> = stored.iter().map(|one| one.passkey.clone()).collect();
    let proof = site
        .finish_second_factor(&begun, answer, &keys)
        .map_err(of_passkey)?;
    let used = stored
        .iter()
        .find(|one| one.passkey.id() == proof.passkey.id());
    let used = used.ok_or_else(wrong)?;
    let step = passkeys::use_step(&state.store, used, &proof.passkey);
    let step = step.map_err(|error| of_store(&error))?;
    Ok((proof.passkey.method(), vec![step]))
}

/// One refusal for every factor that is not right.
pub(super) fn wrong() -> Refusal {
    let mut refusal = Refusal::unauthorized("", "the second factor is wrong or used up");
    refusal.code = String::from("factor_wrong");
    refusal
}

/// Browsers make passkeys for https and for localhost alone.
pub(super) fn no_passkeys() -> Refusal {
    Refusal::new(
        axum::http::StatusCode::CONFLICT,
        "passkeys_unavailable",
        "this address cannot have passkeys",
    )
    .hint("server.public_url has to be https://… or http://localhost")
}

pub(super) fn of_passkey(error: PasskeyError) -> Refusal {
    match error {
        PasskeyError::Malformed => Refusal::new(
            axum::http::StatusCode::BAD_REQUEST,
            "passkey_malformed",
            "the passkey's answer is malformed",
        ),
        PasskeyError::Refused => wrong(),
        PasskeyError::Cloned => {
            tracing::warn!("a passkey's counter went back: there may be a copy of it");
            wrong()
        }
        PasskeyError::Stored => Refusal::internal("passkey", &error),
    }
}
