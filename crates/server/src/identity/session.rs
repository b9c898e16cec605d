//! `/auth/session` and `/auth/sessions`: beginning, looking at and ending sessions.

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State as Shared};
use axum::http::StatusCode;
use axum::http::request::Parts;
use credentials::assurance::{Assurance, Demand, Evidence};
use credentials::token::SessionId;
use jiff::Timestamp;
use serde_json::{Value, json};
use sql::{DbError, Step};
use store::audit::{self, Act, Actor, Entry, Target};
use store::grants;
use store::sessions::{self, Session};
use store::users::{self, User};
use uuid::Uuid;

use super::body::{Fields, invalid};
use super::door::{self, Guest, Wants};
use super::{cookie, json_answer, of_store, password};
use crate::App;
use crate::app::State;
use crate::auth::{Held, Possession, identify};
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::oauth2::back_channel::{self, Ended};

/// How old a proof may be for what changes how somebody signs in, seconds.
pub(super) const FRESH: i64 = 300;

/// Whose session it is; what only its owner may do takes no bearer token.
pub(crate) struct Owner {
    pub(crate) held: Held,
    pub(crate) user: User,
    pub(crate) asked: Asked,
}

impl FromRequestParts<App> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let state = &app.0;
        let Ok(asked) = Asked::from_request_parts(parts, app).await;
        let compiled = state.compiled.load();
        let found = identify(
            state,
            &compiled,
            &asked.method,
            Possession::NotAsked,
            &asked.headers,
        )
        .await?;
        let found = found.ok_or_else(|| Refusal::unauthorized("", "sign in first"))?;
        let held = found.session.ok_or_else(|| {
            Refusal::forbidden(
                "session_required",
                "a session is needed, a token is not enough",
            )
            .hint("sign in with POST /auth/session and send its cookie")
        })?;
        let user = users::by_id(&state.store, held.session.user).await;
        let user = user.map_err(|error| of_store(&error))?;
        let user = user.ok_or_else(|| Refusal::unauthorized("", "sign in first"))?;
        Ok(Self { held, user, asked })
    }
}

impl Owner {
    /// Refuses what changes how somebody signs in, unless all factors were proved just now.
    pub(super) async fn require_fresh(&self, state: &State) -> Result<(), Refusal> {
        require_fresh(state, self.user.id, &self.held.session.evidence).await
    }

    /// The step that notes what the owner did to the own account.
    pub(super) fn audit_step(&self, state: &State, act: Act) -> Step {
        self.audit_step_with(state, act, &Value::Null)
    }

    /// The same with what else is to be known.
    pub(crate) fn audit_step_with(&self, state: &State, act: Act, details: &Value) -> Step {
        let (id, email) = (self.user.id, self.user.email.as_str());
        let client = &self.asked.client;
        let entry = Entry {
            act,
            actor: Actor::User(id, email.to_owned()),
            target: Target {
                id: Some(id),
                name: Some(email.to_owned()),
            },
            address: client.address_text(),
            request_id: Some(client.request_id.clone()),
            details: (!details.is_null()).then(|| details.to_string()),
        };
        audit::insert_step(&state.store, &entry)
    }

    /// The owner, as somebody who comes in again.
    pub(super) fn guest(&self, evidence: Evidence) -> Guest {
        Guest {
            user: self.user.clone(),
            evidence,
        }
    }
}

/// Refuses what is for somebody whose factors were all proved within the last minutes.
pub(super) async fn require_fresh(
    state: &State,
    user: Uuid,
    evidence: &Evidence,
) -> Result<(), Refusal> {
    let has = door::factors_of(state, user).await?;
    let demand = Demand {
        assurance: match has.are_demanded() {
            true => Assurance::Multi,
            false => Assurance::Single,
        },
        max_age: Some(FRESH),
    };
    let now = state.clock.now().as_second();
    if evidence.meets(demand, now) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "reauthentication_required",
        "who you are has to be proved again for this",
    )
    .hint("POST /auth/session/step-up, then try again")
    .details(json!({"acr": demand.assurance.acr(), "max_age": FRESH})))
}

/// What a session says of itself.
pub(super) fn shown(
    state: &State,
    user: &User,
    id: &SessionId,
    evidence: &Evidence,
    expires_at: Timestamp,
) -> Value {
    let time = |at: Option<i64>| at.and_then(|at| Timestamp::from_second(at).ok());
    json!({
        "user": {"id": user.id.to_string(), "email": user.email.as_str(), "username": user.username,
                 "display_name": user.display_name},
        "csrf_token": state.csrf.token(id, &state.rng).expose(),
        "amr": evidence.amr(),
        "acr": evidence.assurance().acr(),
        "authenticated_at": time(evidence.auth_time()).map(|at| format!("{at:.6}")),
        "expires_at": format!("{expires_at:.6}"),
    })
}

/// `GET /auth/session`
pub(crate) async fn show(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let Held { id, session } = &owner.held;
    let body = shown(
        &app.0,
        &owner.user,
        id,
        &session.evidence,
        session.expires_at,
    );
    Ok(json_answer(StatusCode::OK, &body))
}

/// `POST /auth/session`: a name and a password for a session.
pub(crate) async fn begin(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    cookie::require_own_site(state, &asked.headers)?;
    let hint = "send {\"identifier\": …, \"password\": …}";
    let mut fields = Fields::parse(&body, &["identifier", "password"], hint)?;
    let identifier = fields.some_text("identifier");
    let text = fields.some_text("password");
    let (Some(identifier), Some(text), true) = (identifier, text, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let guest = password::prove(state, &asked.client, &identifier, text).await?;
    door::enter(state, &asked, guest, Wants::Session).await
}

/// `DELETE /auth/session`
pub(crate) async fn end(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let state = &app.0;
    let id = &owner.held.session.id;
    let mut unit = vec![
        sessions::delete_step(&state.store, id),
        grants::revoke_of_session_step(&state.store, id),
    ];
    unit.extend(back_channel::steps(state, Ended::Session(id)).await?);
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&error.into()))?;
    state.outbox.notify_waiters();
    let answer = json_answer(StatusCode::OK, &json!({"next": "signed_out"}));
    Ok(door::with_cookie(answer, cookie::taken(state)?))
}

/// `GET /auth/sessions`
pub(crate) async fn list(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let state = &app.0;
    let idle = state.settings.identity.session_idle;
    let found = sessions::of_user(&state.store, owner.user.id, idle).await;
    let found = found.map_err(|error| of_store(&error))?;
    let one = |session: &Session| {
        json!({
            "id": session.id,
            "current": session.id == owner.held.session.id,
            "amr": session.evidence.amr(),
            "acr": session.evidence.assurance().acr(),
            "address": session.address,
            "user_agent": session.user_agent,
            "created_at": format!("{:.6}", session.created_at),
            "seen_at": format!("{:.6}", session.seen_at),
            "expires_at": format!("{:.6}", session.expires_at),
        })
    };
    let list: Vec<Value> = found.iter().map(one).collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(list)))
}

/// `DELETE /auth/sessions/{id}`: one of one's own.
pub(crate) async fn revoke(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    owner: Owner,
) -> Answer {
    let state = &app.0;
    let mut unit = vec![
        sessions::revoke_step(&state.store, owner.user.id, &id),
        grants::revoke_of_session_step(&state.store, &id),
    ];
    unit.extend(back_channel::steps(state, Ended::Session(&id)).await?);
    match state.db.write(unit).await {
        Ok(_) => {
            state.outbox.notify_waiters();
            Ok(json_answer(StatusCode::OK, &json!({"revoked": 1})))
        }
        Err(DbError::Unexpected { step: 0, .. }) => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "session_unknown",
            "you have no such session",
        )),
        Err(error) => Err(of_store(&error.into())),
    }
}

/// `DELETE /auth/sessions`: all others. Bearer tokens die with them.
pub(crate) async fn revoke_others(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let state = &app.0;
    let (user, kept) = (owner.user.id, owner.held.session.id.as_str());
    let mut unit = vec![
        sessions::delete_others_step(&state.store, user, Some(kept)),
        users::bump_epoch_step(&state.store, user),
        sessions::follow_epoch_step(&state.store, user, kept),
    ];
    unit.extend(back_channel::steps(state, Ended::User(user)).await?);
    let outcomes = state.db.write(unit).await;
    let outcomes = outcomes.map_err(|error| of_store(&error.into()))?;
    state.outbox.notify_waiters();
    let revoked = outcomes.first().map_or(0, |outcome| outcome.affected);
    Ok(json_answer(StatusCode::OK, &json!({"revoked": revoked})))
}
