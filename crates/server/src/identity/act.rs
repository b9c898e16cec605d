//! What every act of an account does: it is checked, written whole with its audit row and those who
//! are told, and the workers behind it are woken.

use std::fmt::Display;

use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode};
use credentials::assurance::Assurance;
use credentials::token::{LinkToken, MailCode, Purpose};
use credentials::{EmailAddress, Password};
use rest::{Caller, Happened, Person, RestError, RoleSet};
use serde_json::{Value, json};
use sql::{DbError, Step};
use store::administrators::ADMIN;
use store::audit::{self, Act, Actor, Entry, Target};
use store::tickets::{self, Ticket, Tried};
use store::users::{self, LoginName, User};
use store::{StoreError, roles};
use uuid::Uuid;

use super::body::{Fields, invalid};
use super::door::Attempt;
use super::{of_store, session};
use crate::app::State;
use crate::auth::{authenticate_owner, held_session, step_up};
use crate::client::Client;
use crate::error::Refusal;
use crate::passwords::Compared;

/// A request that acts, and who makes it.
pub(super) struct Acting<'a> {
    pub(super) state: &'a State,
    pub(super) client: &'a Client,
    pub(super) actor: Actor,
}

/// Why a unit was not written.
pub(super) enum Failure {
    /// Its ticket was used, replaced or has expired meanwhile.
    TicketIsGone,
    /// Somebody else has what must be unique.
    Taken(DbError),
    /// Anything else.
    Refused(Refusal),
}

impl<'a> Acting<'a> {
    /// Of somebody who has not signed in.
    pub(super) fn anonymous(state: &'a State, client: &'a Client) -> Result<Self, Refusal> {
        Self::by(state, client, Actor::Anonymous)
    }

    /// Of the owner of an account.
    pub(super) fn of(state: &'a State, client: &'a Client, user: &User) -> Result<Self, Refusal> {
        let actor = Actor::User(user.id, user.email.as_str().to_owned());
        Self::by(state, client, actor)
    }

    fn by(state: &'a State, client: &'a Client, actor: Actor) -> Result<Self, Refusal> {
        match state.is_read_only {
            true => Err(RestError::of_read(&DbError::ReadOnly).into()),
            false => Ok(Self {
                state,
                client,
                actor,
            }),
        }
    }

    /// The step that writes the act down.
    pub(super) fn audit(&self, act: Act, id: Option<Uuid>, name: &EmailAddress) -> Step {
        self.audit_with(act, id, name, None)
    }

    /// The same with what else is to be known.
    pub(super) fn audit_with(
        &self,
        act: Act,
        id: Option<Uuid>,
        name: &EmailAddress,
        details: Option<&Value>,
    ) -> Step {
        let entry = Entry {
            act,
            actor: self.actor.clone(),
            target: Target {
                id,
                name: Some(name.as_str().to_owned()),
            },
            address: self.client.address.map(|address| address.to_string()),
            request_id: Some(self.client.request_id.clone()),
            details: details.map(ToString::to_string),
        };
        audit::insert_step(&self.state.store, &entry)
    }

    /// The steps of those who are told.
    pub(super) fn told(&self, person: &Person, happened: Happened) -> Vec<Step> {
        let compiled = self.state.compiled.load();
        self.state.announcer(&compiled).steps(person, happened)
    }

    /// Writes a unit, and wakes who delivers what stands in it.
    pub(super) async fn write(&self, unit: Vec<Step>) -> Result<(), Refusal> {
        let written = self.state.db.write(unit).await;
        written.map_err(|error| of_store(&StoreError::Db(error)))?;
        self.wake();
        Ok(())
    }

    /// Writes a unit whose first step uses a ticket.
    pub(super) async fn write_once(&self, unit: Vec<Step>) -> Result<(), Failure> {
        match self.state.db.write(unit).await {
            Ok(_) => {
                self.wake();
                Ok(())
            }
            Err(DbError::Unexpected { step: 0, .. }) => Err(Failure::TicketIsGone),
            Err(error @ DbError::Unique { .. }) => Err(Failure::Taken(error)),
            Err(error) => Err(Failure::Refused(of_unit(error))),
        }
    }

    /// Wakes who delivers.
    pub(super) fn wake(&self) {
        self.state.outbox.notify_waiters();
        self.state.post.written.notify_waiters();
    }

    /// The language of mails to an account, or to whoever asks.
    pub(super) async fn language(&self, user: Option<Uuid>) -> Result<String, Refusal> {
        let (post, asked) = (&self.state.post, &self.client.languages);
        let language = post.language_of(&self.state.store, user, asked).await;
        language.map_err(|error| of_store(&error))
    }
}

impl Failure {
    /// The refusal, where nothing that must be unique is at stake.
    pub(super) fn into_refusal(self) -> Refusal {
        match self {
            Self::TicketIsGone => link_is_dead(),
            Self::Taken(error) => of_store(&StoreError::Db(error)),
            Self::Refused(refusal) => refusal,
        }
    }
}

/// A unit that failed in what hook files did, or in the database.
pub(super) fn of_unit(error: DbError) -> Refusal {
    match error {
        DbError::Check { .. } | DbError::DoesNotFit { .. } => Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "23514",
            "the profile cannot be made",
        )
        .hint("a file of hooks/ breaks a rule of its table with these values"),
        error => of_store(&StoreError::Db(error)),
    }
}

/// Whatever is wrong with a link or a code: it is told alike.
pub(super) fn link_is_dead() -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "link_invalid",
        "the link or code is wrong, was used or has expired",
    )
    .hint("ask for another one")
}

/// Somebody else has it.
pub(super) fn exists(field: &str) -> Refusal {
    let message = format!("an account with this {field} exists already");
    Refusal::new(StatusCode::CONFLICT, "23505", message).details(json!({"columns": [field]}))
}

/// How a body names its ticket.
pub(super) enum Proof {
    /// By the token of a link.
    Link(LinkToken),
    /// By a mailbox and the code that it got.
    Code(EmailAddress, MailCode),
    /// By a text that is neither; it is answered as a wrong one is.
    Unreadable,
}

impl Proof {
    /// Reads `token`, or `email` and `code`; `None` where there is a fault, which `fields` then has.
    pub(super) fn read(fields: &mut Fields) -> Option<Self> {
        let (token, code) = (fields.text("token"), fields.text("code"));
        match (token, code) {
            (Some(token), None) => {
                Some(LinkToken::parse(&token).map_or(Self::Unreadable, Self::Link))
            }
            (None, Some(code)) => {
                let email = fields.required("email", |text| EmailAddress::parse(&text))?;
                let code = MailCode::parse(&code);
                Some(code.map_or(Self::Unreadable, |code| Self::Code(email, code)))
            }
            (Some(_), Some(_)) => {
                fields.fault("code", "invalid", "send either a token or a code");
                None
            }
            (None, None) => {
                fields.fault("token", "required", "token, or email and code, is required");
                None
            }
        }
    }

    /// The ticket, if it is good for that purpose now.
    pub(super) async fn ticket(
        &self,
        state: &State,
        purpose: Purpose,
    ) -> Result<Option<Ticket>, Refusal> {
        let store = &state.store;
        let found = match self {
            Self::Unreadable => return Ok(None),
            Self::Link(token) => tickets::by_token(store, purpose, token).await,
            Self::Code(email, code) => {
                let tried = tickets::by_code(store, &state.post.codes, purpose, email, code).await;
                tried.map(|tried| match tried {
                    Tried::Right(ticket) => Some(ticket),
                    Tried::Wrong => None,
                })
            }
        };
        found.map_err(|error| of_store(&error))
    }
}

/// The account of whoever sent these headers.
///
/// The method does not matter to who it is, but for a cookie: without a form's token it is taken for
/// reading alone, so it is asked as if something were written.
pub(super) async fn signed_in(state: &State, headers: &HeaderMap) -> Result<User, Refusal> {
    let (_, user) = caller_and_user(state, headers).await?;
    Ok(user)
}

/// The same with how he came in.
async fn caller_and_user(
    state: &State,
    headers: &HeaderMap,
) -> Result<(Arc<Caller>, User), Refusal> {
    let caller = authenticate_owner(state, &Method::POST, headers).await?;
    let id = caller.as_ref().and_then(|caller| caller.user);
    let Some((caller, id)) = caller.zip(id) else {
        return Err(Refusal::unauthorized("", "sign in first"));
    };
    let found = users::by_id(&state.store, id).await;
    let user = found
        .map_err(|error| of_store(&error))?
        .filter(|user| user.active)
        .ok_or_else(|| Refusal::unauthorized("invalid_token", "the account is gone"))?;
    Ok((caller, user))
}

/// The account of whoever sent these headers, if it may administer others now.
pub(super) async fn administrator(state: &State, headers: &HeaderMap) -> Result<User, Refusal> {
    let (caller, user) = caller_and_user(state, headers).await?;
    // Asked anew: a role that was taken away is gone at once.
    let held = roles::roles_of(&state.store, user.id).await;
    let held = held.map_err(|error| of_store(&error))?;
    if !held.iter().any(|role| role == ADMIN) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "42501",
            "this is for administrators",
        ));
    }
    require_assurance(state, &caller)?;
    Ok(user)
}

/// Refuses an administrator who proved less than `auth.admin_acr` asks for, or than the role does.
fn require_assurance(state: &State, caller: &Caller) -> Result<(), Refusal> {
    let proved = caller.acr.as_deref().and_then(Assurance::from_acr);
    let proved = proved.unwrap_or(Assurance::Nothing);
    let wanted = state.settings.identity.administration.acr;
    if !proved.satisfies(wanted) {
        return Err(step_up(wanted.acr()));
    }
    let compiled = state.compiled.load();
    let (catalog, own) = (compiled.api.catalog(), [ADMIN.to_owned()]);
    match RoleSet::missing_acr(catalog, &own, caller.acr.as_deref()) {
        None => Ok(()),
        Some(missing) => Err(step_up(missing)),
    }
}

/// Proves anew who is signed in: by the password, where a hash of it is stored, or by what the
/// session has seen proved within the last minutes. A password is an attempt at the account's name,
/// as at every login door.
pub(super) async fn prove(
    state: &State,
    client: &Client,
    headers: &HeaderMap,
    user: &User,
    password: Option<String>,
) -> Result<(), Refusal> {
    if password.is_none() {
        let held = held_session(state, &Method::POST, headers).await?;
        if let Some(held) = held {
            return session::require_fresh(state, user.id, &held.session.evidence).await;
        }
    }
    let wrong = || {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "wrong_password",
            "the password is wrong",
        )
    };
    let password = Password::presented(password.ok_or_else(wrong)?).map_err(|_| wrong())?;
    let attempt = Attempt::begin(state, user.email.as_str(), client).await?;
    let name = LoginName::Email(user.email.clone());
    let candidate = users::find_for_login(&state.store, &name).await;
    let hash = candidate
        .map_err(|error| of_store(&error))?
        .filter(|candidate| candidate.user.id == user.id)
        .and_then(|candidate| candidate.hash);
    let compared = state.passwords.compare(password, hash, state.rng.clone());
    match compared.await? {
        Compared::Right { .. } => attempt.succeeded(state, client).await,
        Compared::Wrong => Err(wrong()),
    }
}

/// The ticket of the link that a body names by `token`, if it is that account's own.
pub(super) async fn own_ticket(
    state: &State,
    user: &User,
    purpose: Purpose,
    body: &[u8],
) -> Result<Ticket, Refusal> {
    let mut fields = Fields::parse(body, &["token"], "send {\"token\": …}")?;
    let token = fields.some_text("token");
    let (Some(token), true) = (token, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let token = LinkToken::parse(&token).map_err(|_| link_is_dead())?;
    let ticket = tickets::by_token(&state.store, purpose, &token).await;
    ticket
        .map_err(|error| of_store(&error))?
        .filter(|ticket| ticket.user == Some(user.id))
        .ok_or_else(link_is_dead)
}

/// What a ticket holds, when nobody else can have written it.
pub(super) fn content<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

/// The text of a ticket's content.
pub(super) fn as_content<T: serde::Serialize>(content: &T) -> Result<String, Refusal> {
    serde_json::to_string(content).map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn Display) -> Refusal {
    Refusal::internal("what a ticket holds", error)
}
