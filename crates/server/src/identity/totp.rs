//! `/auth/totp`: an authenticator app as a second factor.

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::totp::{TotpCode, TotpSecret};
use serde_json::{Value, json};
use sql::{DbError, Step};
use store::audit::Act;
use store::factors::{recovery_codes, totp};
use store::moments::Purpose;

use super::body::{Fields, invalid};
use super::door;
use super::factor::{self, wrong};
use super::recovery_codes::fresh_codes;
use super::session::Owner;
use super::{json_answer, of_store};
use crate::App;
use crate::app::State;
use crate::error::{Answer, Refusal};

/// `GET /auth/totp`
pub(crate) async fn show(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let has = door::factors_of(&app.0, owner.user.id).await?;
    Ok(json_answer(StatusCode::OK, &json!({"enabled": has.totp})))
}

/// `POST /auth/totp`: a secret for an app, shown once; it counts from the first right code on.
pub(crate) async fn begin(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let secret = TotpSecret::generate(&state.rng);
    let begun = totp::begin(&state.store, owner.user.id, &secret, &state.totp_key).await;
    if !begun.map_err(|error| of_store(&error))? {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "totp_enabled",
            "there is an authenticator app already",
        )
        .hint("DELETE /auth/totp first"));
    }
    let (issuer, account) = (state.settings.title.as_str(), owner.user.email.as_str());
    let uri = secret.uri(issuer, account);
    let uri = uri.map_err(|error| Refusal::internal("totp", &error))?;
    let image = secret.qr_svg(issuer, account);
    let image = image.map_err(|error| Refusal::internal("totp", &error))?;
    Ok(json_answer(
        StatusCode::CREATED,
        &json!({
            "secret": secret.to_base32().expose(), "uri": uri.expose(), "qr_svg": image.expose(),
        }),
    ))
}

/// `POST /auth/totp/confirm`: the first code. Who has no recovery codes yet gets them here.
pub(crate) async fn confirm(Shared(app): Shared<App>, owner: Owner, body: Bytes) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let mut fields = Fields::parse(&body, &["code"], "send {\"code\": …}")?;
    let (Some(code), true) = (fields.some_text("code"), fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let user = &owner.user;
    let most = state.settings.identity.throttle.factor_attempts;
    let name = user.id.to_string();
    door::knock(state, Purpose::FactorAttempts, &name, most).await?;
    let code = TotpCode::parse(&code).map_err(|_| wrong())?;
    let enrolment = totp::find(&state.store, user.id, &state.totp_key).await;
    let enrolment = enrolment.map_err(|error| of_store(&error))?;
    let enrolment = enrolment.filter(|one| one.confirmed_at.is_none());
    let enrolment = enrolment.ok_or_else(|| {
        Refusal::new(
            StatusCode::CONFLICT,
            "totp_not_begun",
            "nothing is to be confirmed",
        )
        .hint("POST /auth/totp first")
    })?;
    let now = state.clock.now().as_second();
    let step = enrolment.secret.check(&code, now, None).ok_or_else(wrong)?;
    let has = door::factors_of(state, user.id).await?;
    let mut unit = vec![totp::confirm_step(&state.store, user.id, step)];
    let mut body = json!({"enabled": true});
    if has.recovery_codes == 0 {
        let (codes, steps) = fresh_codes(state, user.id);
        unit.extend(steps);
        body["recovery_codes"] = Value::from(codes);
    }
    unit.push(owner.audit_step(state, Act::TotpEnabled));
    write(state, unit).await?;
    factor::succeeded(state, user.id).await?;
    Ok(json_answer(StatusCode::OK, &body))
}

/// `DELETE /auth/totp`
pub(crate) async fn remove(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let state = &app.0;
    owner.require_fresh(state).await?;
    let has = door::factors_of(state, owner.user.id).await?;
    let mut unit = vec![totp::delete_step(&state.store, owner.user.id)];
    // Codes that stand for a lost factor are of no use without one.
    if has.passkeys == 0 {
        unit.push(recovery_codes::delete_step(&state.store, owner.user.id));
    }
    unit.push(owner.audit_step(state, Act::TotpDisabled));
    write(state, unit).await?;
    Ok(json_answer(StatusCode::OK, &json!({"enabled": false})))
}

async fn write(state: &State, unit: Vec<Step>) -> Result<(), Refusal> {
    match state.db.write(unit).await {
        Ok(_) => Ok(()),
        Err(DbError::Unexpected { .. }) => Err(Refusal::new(
            StatusCode::CONFLICT,
            "totp_changed",
            "there is no such authenticator app, or it has changed meanwhile",
        )),
        Err(error) => Err(of_store(&error.into())),
    }
}
