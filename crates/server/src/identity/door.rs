//! The one door behind all login doors: how often one may knock, and what somebody gets who proved
//! something: a session, a token, or the factor that is still owed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use credentials::assurance::{Assurance, Evidence, Method, Proven};
use credentials::token::SessionId;
use jiff::Timestamp;
use rest::Happened;
use serde_json::{Value, json};
use store::factors::{self, Factors};
use store::moments::{Count, Purpose};
use store::sessions::{self, NewSession};
use store::users::{self, LoginName, User};
use uuid::Uuid;

use super::body::Fields;
use super::cookie::{self, Presented};
use super::token::access_token;
use super::{json_answer, of_store, session};
use crate::app::State;
use crate::client::{Asked, Client};
use crate::error::{Answer, Refusal};
use crate::events::person;

/// How long somebody may take for the second factor.
const PENDING_LIFE: Duration = Duration::from_mins(5);

/// What somebody wants who comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// A session and its cookie.
    Session,
    /// A bearer token.
    Token,
}

/// Somebody who proved something.
pub(super) struct Guest {
    pub(super) user: User,
    pub(super) evidence: Evidence,
}

/// One refusal for a wrong name, a wrong password, and an account that may not be used.
pub(super) fn refused() -> Refusal {
    let mut refusal = Refusal::unauthorized("", "the name or the password is wrong");
    refusal.code = String::from("invalid_grant");
    refusal
}

/// A flow that nobody began, that is over, or that is of another kind.
pub(crate) fn unknown_flow() -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "flow_unknown",
        "this flow is unknown, over, or used up",
    )
    .hint("begin again")
}

/// An attempt at a name: counted before anything is looked at, so that neither parallel attempts
/// nor ones that are never finished are free.
pub(super) struct Attempt {
    name: String,
}

impl Attempt {
    /// Counts one, or refuses it because there were too many. What somebody typed as a name is
    /// counted, whether or not anybody is called so: a pause tells nothing.
    pub(super) async fn begin(
        state: &State,
        typed: &str,
        client: &Client,
    ) -> Result<Self, Refusal> {
        let throttle = &state.settings.identity.throttle;
        if let Some(household) = client.household() {
            let most = throttle.address_attempts;
            knock(state, Purpose::AddressAttempts, &household, most).await?;
        }
        let name = normal(typed);
        let most = throttle.login_attempts;
        if let Err(refusal) = knock(state, Purpose::LoginAttempts, &name, most).await {
            forgive_address(state, client).await?;
            return Err(refusal);
        }
        Ok(Self { name })
    }

    /// What was proved was right.
    pub(super) async fn succeeded(self, state: &State, client: &Client) -> Result<(), Refusal> {
        forgive(state, &self.name, client).await
    }
}

/// After a right proof: the name, in normal form, is free again, and the address has one attempt
/// less.
pub(super) async fn forgive(state: &State, name: &str, client: &Client) -> Result<(), Refusal> {
    let forgotten = state.moments.forget(Purpose::LoginAttempts, name).await;
    forgotten.map_err(|error| of_store(&error))?;
    forgive_address(state, client).await
}

/// Takes an attempt of an address back.
async fn forgive_address(state: &State, client: &Client) -> Result<(), Refusal> {
    let Some(household) = client.household() else {
        return Ok(());
    };
    let counted = state
        .moments
        .count_down(Purpose::AddressAttempts, &household)
        .await;
    counted.map_err(|error| of_store(&error))
}

/// What a client that comes in wants: `"result": "session"`, which is the default, or `"token"`.
pub(super) fn wants(fields: &mut Fields) -> Wants {
    match fields.text("result").as_deref() {
        None | Some("session") => Wants::Session,
        Some("token") => Wants::Token,
        Some(_) => {
            fields.fault("result", "invalid", "result is session or token");
            Wants::Session
        }
    }
}

/// The form of a name under which attempts are counted.
pub(super) fn normal(typed: &str) -> String {
    match LoginName::parse(typed) {
        Some(LoginName::Email(email)) => email.as_str().to_owned(),
        Some(LoginName::Username(name)) => name.username_key().to_owned(),
        None => typed.trim().to_lowercase(),
    }
}

/// Counts an attempt, or refuses it during the pause that the failed ones before it ask for.
pub(crate) async fn knock(
    state: &State,
    purpose: Purpose,
    name: &str,
    most: u32,
) -> Result<(), Refusal> {
    let failed = |error| of_store(&error);
    let before = state.moments.count(purpose, name).await.map_err(failed)?;
    let before = before.filter(|count| count.number >= most);
    if let Some(count) = before {
        let wait = state.wait(count, most);
        if !wait.is_zero() {
            return Err(too_many(wait));
        }
    }
    let life = state.attempts_life();
    let now = state
        .moments
        .count_up(purpose, name, life)
        .await
        .map_err(failed)?;
    // Behind the limit one may try at a time: of those who found the pause over, the first.
    let allowed = before.map_or(most, |count| count.number + 1);
    if now.number <= allowed {
        return Ok(());
    }
    // What was not judged was no attempt, or a burst would ask for the longest pause at once.
    let undone = state.moments.count_down(purpose, name).await;
    undone.map_err(failed)?;
    Err(too_many(state.wait(now, most)))
}

fn too_many(wait: Duration) -> Refusal {
    let mut refusal = Refusal::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_attempts",
        "there were too many attempts",
    )
    .hint("wait as long as Retry-After says");
    refusal.retry_after = Some(wait.as_secs().max(1));
    refusal
}

impl State {
    /// How long attempts are remembered after the last one.
    fn attempts_life(&self) -> Duration {
        self.settings.identity.throttle.longest_pause * 2
    }

    /// How much of the pause is left.
    fn wait(&self, count: Count, most: u32) -> Duration {
        let throttle = &self.settings.identity.throttle;
        let doublings = count.number.saturating_sub(most).min(20);
        let pause = throttle.first_pause * 2_u32.pow(doublings);
        let pause = pause.min(throttle.longest_pause);
        let last = count.ends_at.checked_sub(self.attempts_life());
        let until = last.and_then(|last| last.checked_add(pause));
        let left = until.map_or(0, |until| {
            until.duration_since(self.clock.now()).as_millis()
        });
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// A proof made now.
    pub(super) fn proven(&self, method: Method) -> Proven {
        let at = self.clock.now().as_second();
        Proven { method, at }
    }
}

/// What becomes of somebody who proved something: the second factor is asked for where there is
/// one, whatever the door; then the session or the token is given.
pub(super) async fn enter(state: &Arc<State>, asked: &Asked, guest: Guest, wants: Wants) -> Answer {
    if !guest.user.active {
        return Err(refused());
    }
    let has = factors_of(state, guest.user.id).await?;
    let is_enough = guest.evidence.assurance().satisfies(Assurance::Multi);
    if has.are_demanded() && !is_enough {
        return owe(state, &guest, has, wants).await;
    }
    match wants {
        Wants::Session => begin_session(state, asked, &guest).await,
        Wants::Token => access_token(state, &guest).await,
    }
}

pub(super) async fn factors_of(state: &State, user: Uuid) -> Result<Factors, Refusal> {
    let found = factors::of_user(&state.store, user).await;
    found.map_err(|error| of_store(&error))
}

/// The names of what somebody can show.
pub(super) fn names(has: Factors) -> Vec<&'static str> {
    let all = [
        (has.passkeys > 0, "passkey"),
        (has.totp, "totp"),
        (has.recovery_codes > 0, "recovery_code"),
    ];
    let held = all.into_iter().filter(|(held, _)| *held);
    held.map(|(_, name)| name).collect()
}

/// Keeps what was proved until the second factor is.
async fn owe(state: &State, guest: &Guest, has: Factors, wants: Wants) -> Answer {
    let id = flow_id(state);
    let content = json!({
        "user": guest.user.id.to_string(),
        "epoch": guest.user.epoch,
        "proven": sessions::write(&guest.evidence),
    });
    let kept = state
        .moments
        .put(
            Purpose::PendingLogin,
            &id,
            &content.to_string(),
            PENDING_LIFE,
        )
        .await;
    kept.map_err(|error| of_store(&error))?;
    let factors = names(has);
    match wants {
        Wants::Session => Ok(json_answer(
            StatusCode::OK,
            &json!({"user": null, "next": "second_factor", "factors": factors, "login_id": id}),
        )),
        // What waits for a token must not take this for one.
        Wants::Token => Err(
            Refusal::forbidden("mfa_required", "a second factor is needed")
                .hint("send login_id and code to this path")
                .details(json!({"login_id": id, "factors": factors})),
        ),
    }
}

/// Somebody whose first proof is kept; the flow goes on until it is over.
pub(super) async fn pending(state: &State, id: &str) -> Result<Guest, Refusal> {
    let kept = state.moments.peek(Purpose::PendingLogin, id).await;
    let kept = kept.map_err(|error| of_store(&error))?;
    let content: Value = kept
        .and_then(|text| serde_json::from_str(&text).ok())
        .ok_or_else(unknown_flow)?;
    let user = content["user"].as_str();
    let user = user.and_then(|user| Uuid::try_parse(user).ok());
    let evidence = content["proven"].as_str().and_then(sessions::read_evidence);
    let (user, evidence) = user.zip(evidence).ok_or_else(unknown_flow)?;
    let found = users::by_id(&state.store, user).await;
    let found = found.map_err(|error| of_store(&error))?;
    // Who was disabled or reset meanwhile begins again.
    let user = found
        .filter(|user| user.active && content["epoch"] == user.epoch)
        .ok_or_else(unknown_flow)?;
    Ok(Guest { user, evidence })
}

/// Ends a flow; of two who finish it at once one goes on.
pub(super) async fn settle(state: &State, id: &str) -> Result<(), Refusal> {
    let taken = state.moments.take(Purpose::PendingLogin, id).await;
    let taken = taken.map_err(|error| of_store(&error))?;
    taken.map(drop).ok_or_else(unknown_flow)
}

/// 256 random bits as text: what a flow is known by.
pub(crate) fn flow_id(state: &State) -> String {
    SessionId::generate(&state.rng).to_text().expose().clone()
}

/// A new session in the browser, and an old one gone: none lives on from before the login.
async fn begin_session(state: &Arc<State>, asked: &Asked, guest: &Guest) -> Answer {
    let id = SessionId::generate(&state.rng);
    let method = guest.evidence.proven().last();
    let method = method.map_or("password", |proof| proof.method.name());
    let mut unit = {
        let compiled = state.compiled.load();
        let happened = Happened::Login { method };
        state
            .announcer(&compiled)
            .steps(&person(&guest.user), happened)
    };
    if let Presented::Id(old) = cookie::presented(state, &asked.headers) {
        unit.push(sessions::delete_step(&state.store, old.hash().as_str()));
    }
    let new = new_session(state, asked, guest, &id);
    unit.push(sessions::insert_step(&state.store, &new));
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&error.into()))?;
    state.outbox.notify_waiters();
    let mut body = session::shown(state, &guest.user, &id, &guest.evidence, new.expires_at);
    body["next"] = json!("done");
    let answer = json_answer(StatusCode::OK, &body);
    Ok(with_cookie(answer, cookie::given(state, &id)?))
}

pub(super) fn new_session(
    state: &State,
    asked: &Asked,
    guest: &Guest,
    id: &SessionId,
) -> NewSession {
    let now = state.clock.now();
    let life = state.settings.identity.session_life;
    NewSession {
        id: id.hash(),
        user: guest.user.id,
        epoch: guest.user.epoch,
        evidence: guest.evidence.clone(),
        expires_at: now.checked_add(life).unwrap_or(Timestamp::MAX),
        address: asked.client.address_text(),
        user_agent: asked.client.user_agent.clone(),
    }
}

pub(super) fn with_cookie(mut response: Response<Body>, cookie: HeaderValue) -> Response<Body> {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
