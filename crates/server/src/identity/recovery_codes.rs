//! `/auth/recovery-codes`: what is kept on paper for the day the phone is lost.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::recovery::{RecoveryCode, RecoveryCodeHash};
use serde_json::json;
use sql::Step;
use store::audit::Act;
use store::factors::recovery_codes;
use uuid::Uuid;

use super::door;
use super::session::Owner;
use super::{json_answer, of_store};
use crate::App;
use crate::app::State;
use crate::error::{Answer, Refusal};

/// `GET /auth/recovery-codes`: how many are left.
pub(crate) async fn show(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let has = door::factors_of(&app.0, owner.user.id).await?;
    let body = json!({"left": has.recovery_codes});
    Ok(json_answer(StatusCode::OK, &body))
}

/// `POST /auth/recovery-codes`: new ones, shown once; those before are worth nothing.
pub(crate) async fn renew(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let has = door::factors_of(state, owner.user.id).await?;
    if !has.are_demanded() {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "no_factor",
            "recovery codes stand for a second factor, and there is none",
        )
        .hint("POST /auth/totp or POST /auth/passkeys first"));
    }
    let (codes, mut unit) = fresh_codes(state, owner.user.id);
    unit.push(owner.audit_step(state, Act::RecoveryCodesRenewed));
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&error.into()))?;
    Ok(json_answer(
        StatusCode::CREATED,
        &json!({"recovery_codes": codes}),
    ))
}

/// New codes, and the steps that store their hashes.
pub(super) fn fresh_codes(state: &State, user: Uuid) -> (Vec<String>, Vec<Step>) {
    let codes = RecoveryCode::generate(&state.rng);
    let hashes: Vec<RecoveryCodeHash> = codes
        .iter()
        .map(|code| code.hash(user, &state.code_key))
        .collect();
    let texts = codes.iter().map(|code| code.to_text().expose().clone());
    let steps = recovery_codes::replace_steps(&state.store, user, &hashes);
    (texts.collect(), steps)
}
