//! `/auth/session/step-up`: somebody who is signed in proves more, or the same again.

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::assurance::Method;
use credentials::token::SessionId;
use serde_json::json;
use sql::DbError;
use store::sessions;

use super::body::{Fields, invalid};
use super::door::{self, refused};
use super::session::{self, Owner};
use super::{cookie, factor, json_answer, of_store, opaque, password};
use crate::App;
use crate::error::{Answer, Refusal};

/// `POST /auth/session/step-up`: one of `password`; `login_id` and `login_finish`; or a second
/// factor as `POST /auth/session/factor` takes it. The session gets a new id.
pub(crate) async fn step_up(Shared(app): Shared<App>, owner: Owner, body: Bytes) -> Answer {
    let state = &app.0;
    let known = [
        "password",
        "login_id",
        "login_finish",
        "code",
        "recovery_code",
        "passkey_id",
        "credential",
    ];
    let hint = "send {\"password\": …} or {\"login_id\": …, \"login_finish\": …} or {\"code\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let user = &owner.user;
    let (method, mut unit) = if fields.has("password") {
        let Some(text) = fields.some_text("password") else {
            return Err(invalid(fields.faults));
        };
        let name = user.email.as_str();
        let proved = password::prove(state, &owner.asked.client, name, text).await?;
        require_same(proved.user.id == user.id)?;
        (Method::Password, Vec::new())
    } else if fields.has("login_id") {
        let (id, finish) = (
            fields.some_text("login_id"),
            fields.some_text("login_finish"),
        );
        let (Some(id), Some(finish)) = (id, finish) else {
            return Err(invalid(fields.faults));
        };
        let proved = opaque::prove(state, &owner.asked, &id, &finish, None).await?;
        require_same(proved.id == user.id)?;
        (Method::Password, Vec::new())
    } else {
        factor::prove(state, user, &mut fields).await?
    };
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    let mut evidence = owner.held.session.evidence.clone();
    evidence.add(state.proven(method));
    let id = SessionId::generate(&state.rng);
    let mut new = door::new_session(state, &owner.asked, &owner.guest(evidence), &id);
    new.expires_at = owner.held.session.expires_at;
    unit.extend(sessions::replace_steps(
        &state.store,
        &owner.held.session.id,
        &new,
    ));
    match state.db.write(unit).await {
        Ok(_) => {}
        // The code or the session was used meanwhile.
        Err(DbError::Unexpected { .. }) => return Err(refused()),
        Err(error) => return Err(of_store(&error.into())),
    }
    factor::succeeded(state, user.id).await?;
    let body = session::shown(state, user, &id, &new.evidence, new.expires_at);
    let mut body = body;
    body["next"] = json!("done");
    let answer = json_answer(StatusCode::OK, &body);
    Ok(door::with_cookie(answer, cookie::given(state, &id)?))
}

fn require_same(is_same: bool) -> Result<(), Refusal> {
    match is_same {
        true => Ok(()),
        false => Err(refused()),
    }
}
