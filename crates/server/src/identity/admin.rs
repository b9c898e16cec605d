//! `/admin/api/`: accounts, their roles and the audit log, for whoever has the role `admin`.

pub(crate) mod audit;
mod query;
pub(crate) mod roles;
pub(crate) mod users;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use sql::Step;
use store::accounts::Taken;
use store::users::{self as accounts, User};
use uuid::Uuid;

use super::act::{Acting, administrator, exists};
use super::administration::{Administration, ChangeError};
use super::of_store;
use crate::app::{Compiled, State};
use crate::client::Client;
use crate::error::Refusal;
use crate::events::person;
use crate::mail::{Addressee, Letter};

/// Where all of it is.
const ROOT: &str = "/admin/api";

/// An administrator who changes an account.
struct Desk<'a> {
    acting: Acting<'a>,
    user: User,
}

impl<'a> Desk<'a> {
    /// Looks who asks, and at the account of that id.
    async fn open(
        state: &'a State,
        client: &'a Client,
        headers: &HeaderMap,
        id: &str,
    ) -> Result<Self, Refusal> {
        let admin = administrator(state, headers).await?;
        let user = find(state, id).await?;
        let acting = Acting::of(state, client, &admin)?;
        Ok(Self { acting, user })
    }

    /// What is done here is done by the administrator.
    fn administration<'c>(&'c self, compiled: &'c Compiled) -> Administration<'c> {
        let client = self.acting.client;
        Administration {
            announcer: self.acting.state.announcer(compiled),
            actor: self.acting.actor.clone(),
            address: client.address_text(),
            request_id: Some(client.request_id.clone()),
        }
    }

    /// The step that tells the owner by mail; none where mails go nowhere.
    async fn notice(&self, letter: Letter) -> Result<Option<Step>, Refusal> {
        let state = self.acting.state;
        let (name, language) = (
            person(&self.user).display_name,
            self.acting.language(Some(self.user.id)).await?,
        );
        let to = Addressee {
            mailbox: &self.user.email,
            name: Some(&name),
            language: &language,
        };
        Ok(state.post.notice_step(&state.store, &to, letter))
    }
}

/// The account of an id that stands in a path.
async fn find(state: &State, id: &str) -> Result<User, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| unknown())?;
    let found = accounts::by_id(&state.store, id).await;
    found.map_err(|error| of_store(&error))?.ok_or_else(unknown)
}

fn unknown() -> Refusal {
    let message = "there is no such account";
    Refusal::new(StatusCode::NOT_FOUND, "user_unknown", message)
}

/// Why an account stays as it is, as an answer.
pub(super) fn of_change(error: ChangeError) -> Refusal {
    let conflict = |code: &str, message: &str| Refusal::new(StatusCode::CONFLICT, code, message);
    match error {
        ChangeError::LastAdministrator => last_administrator(),
        ChangeError::Gone => unknown(),
        ChangeError::RoleHeld => conflict(
            "role_held",
            "the account holds this role already, until the same moment",
        ),
        ChangeError::RoleNotHeld => Refusal::new(
            StatusCode::NOT_FOUND,
            "role_not_held",
            "the account does not hold this role",
        ),
        ChangeError::Taken(Taken::Email) => exists("email"),
        ChangeError::Taken(Taken::Username) => exists("username"),
        ChangeError::ExternalIdTaken => exists("external_id"),
        ChangeError::Store(store::StoreError::Db(error)) => super::act::of_unit(error),
        ChangeError::Store(error) => of_store(&error),
    }
}

/// Somebody has to be left who administers.
pub(super) fn last_administrator() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "last_administrator",
        "nobody would be left who administers",
    )
    .hint("make somebody else an administrator first: pilaster user grant ADDRESS admin")
}

fn moment(at: Option<jiff::Timestamp>) -> Value {
    json!(at.map(|at| format!("{at:.6}")))
}
