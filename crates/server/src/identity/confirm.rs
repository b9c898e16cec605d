//! `/auth/confirm`: an address is proved, and what waited for that happens: an account is made, an
//! application goes to the administrators, an account of before has its address proved.

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{Response, StatusCode};
use credentials::token::Purpose;
use credentials::{EmailAddress, Username};
use rest::Happened;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sql::Step;
use store::audit::Act;
use store::tickets::{self, NewTicket, Ticket};
use store::users::{self, NewUser};
use store::{StoreError, invitations};
use uuid::Uuid;

use super::act::{Acting, Failure, Proof, as_content, content, exists, link_is_dead};
use super::body::{Fields, invalid};
use super::register::show;
use super::secret::NewSecret;
use super::{json_answer, of_store};
use crate::App;
use crate::app::State;
use crate::client::Client;
use crate::error::{Answer, Refusal};
use crate::events::{new_person, person};
use crate::mail::{Addressee, Admission, Letter, LinkTo};

/// What waits for the proof of an address.
#[derive(Serialize, Deserialize)]
#[serde(tag = "waits", rename_all = "snake_case")]
pub(super) enum Waiting {
    /// An account to be made.
    Registration(Box<Registration>),
    /// An application.
    Application {
        /// Its id.
        id: Uuid,
    },
    /// An account that was made without a proof.
    Account {
        /// Its id.
        id: Uuid,
    },
    /// Nothing: the address has an account already, or none. Its owner knows no such ticket.
    Nothing,
}

/// An account to be made when its address is proved.
#[derive(Serialize, Deserialize)]
pub(super) struct Registration {
    id: Uuid,
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: Option<String>,
    secret: String,
    language: String,
}

/// What everybody is answered, whoever has an account.
fn sent() -> Response<Body> {
    let body = json!({"next": "confirm_email"});
    json_answer(StatusCode::ACCEPTED, &body)
}

/// Lets a registration wait for the proof of its address. An address that has an account is told
/// of it by mail; who asks is answered alike.
pub(super) async fn begin(acting: &Acting<'_>, user: &NewUser, secret: &NewSecret) -> Answer {
    let state = acting.state;
    state.post.require()?;
    if let Some(username) = &user.username {
        let found = users::by_username(&state.store, username).await;
        if found.map_err(|error| of_store(&error))?.is_some() {
            return Err(exists("username"));
        }
    }
    let existing = users::by_email(&state.store, &user.email).await;
    let existing = existing.map_err(|error| of_store(&error))?;
    if existing.is_some() && state.settings.accounts.reveal_accounts {
        return Err(exists("email"));
    }
    let language = acting
        .language(existing.as_ref().map(|user| user.id))
        .await?;
    let waiting = match &existing {
        Some(_) => Waiting::Nothing,
        None => Waiting::Registration(Box::new(Registration {
            id: user.id,
            username: user.username.as_ref().map(ToString::to_string),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            display_name: user.display_name.clone(),
            secret: secret.to_stored(),
            language: language.clone(),
        })),
    };
    let letter = match existing {
        Some(_) => Letter::AccountExists,
        None => Letter::Confirm,
    };
    send(acting, &user.email, &language, &waiting, Some(letter)).await?;
    Ok(sent())
}

/// Issues a ticket and mails it, within the limits; without a letter nothing is mailed, and all the
/// rest is the same.
pub(super) async fn send(
    acting: &Acting<'_>,
    mailbox: &EmailAddress,
    language: &str,
    waiting: &Waiting,
    letter: Option<Letter>,
) -> Result<(), Refusal> {
    send_with(acting, mailbox, language, waiting, letter, Vec::new()).await
}

/// The same, with further steps in its unit.
pub(super) async fn send_with(
    acting: &Acting<'_>,
    mailbox: &EmailAddress,
    language: &str,
    waiting: &Waiting,
    letter: Option<Letter>,
    more: Vec<Step>,
) -> Result<(), Refusal> {
    let state = acting.state;
    let limits = &state.post.limits;
    let admission = limits.admit(
        &state.store,
        Purpose::ConfirmAddress,
        mailbox,
        acting.client.address,
    );
    let turn = match admission.await.map_err(|error| of_store(&error))? {
        Admission::Granted(turn) => turn,
        Admission::Suppressed => return Ok(()),
    };
    let ticket = NewTicket {
        purpose: Purpose::ConfirmAddress,
        user: None,
        mailbox: Some(mailbox.clone()),
        content: as_content(waiting)?,
        life: state.settings.accounts.confirm_life,
    };
    let (issued, mut unit) = tickets::issue_steps(&state.store, &state.post.codes, &ticket);
    let to = Addressee {
        mailbox,
        name: None,
        language,
    };
    match letter {
        Some(Letter::AccountExists) => {
            let notice = state
                .post
                .notice_step(&state.store, &to, Letter::AccountExists);
            unit.extend(notice);
        }
        Some(letter) => {
            let step = state
                .post
                .link_step(&state.store, &to, letter, LinkTo::Confirm, &issued);
            unit.push(step);
        }
        None => {}
    }
    unit.push(acting.audit(Act::ConfirmationRequested, None, mailbox));
    unit.extend(more);
    let written = acting.write(unit).await;
    drop(turn);
    written
}

/// `POST /auth/confirm/resend`
pub(crate) async fn resend(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let mut fields = Fields::parse(&body, &["email"], "send {\"email\": …}")?;
    let email = fields.required("email", |text| EmailAddress::parse(&text));
    let (Some(email), true) = (email, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let acting = Acting::anonymous(state, &client)?;
    state.post.require()?;
    let waits = tickets::newest_content(&state.store, Purpose::ConfirmAddress, &email).await;
    let waits = waits.map_err(|error| of_store(&error))?;
    let account = users::by_email(&state.store, &email).await;
    let account = account.map_err(|error| of_store(&error))?;
    let waiting = match (waits, &account) {
        (_, Some(user)) if user.active && user.email_verified_at.is_none() => {
            Waiting::Account { id: user.id }
        }
        (_, Some(_)) | (None, None) => Waiting::Nothing,
        (Some(text), None) => content(&text)?,
    };
    let letter = match &waiting {
        Waiting::Registration(_) | Waiting::Account { .. } => Some(Letter::Confirm),
        Waiting::Application { .. } => Some(Letter::ConfirmApplication),
        Waiting::Nothing => None,
    };
    let language = acting.language(account.map(|user| user.id)).await?;
    send(&acting, &email, &language, &waiting, letter).await?;
    Ok(sent())
}

/// `POST /auth/confirm`
pub(crate) async fn confirm(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let known = ["token", "email", "code", "username"];
    let mut fields = Fields::parse(&body, &known, "send {\"token\": …}")?;
    let proof = Proof::read(&mut fields);
    let username = fields.username();
    let (Some(proof), true) = (proof, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let acting = Acting::anonymous(state, &client)?;
    let ticket = proof.ticket(state, Purpose::ConfirmAddress).await?;
    let ticket = ticket.ok_or_else(link_is_dead)?;
    match content(&ticket.content)? {
        Waiting::Registration(waiting) => register(&acting, &ticket, *waiting, username).await,
        Waiting::Application { id } => confirm_application(&acting, &ticket, id).await,
        Waiting::Account { id } => confirm_account(&acting, &ticket, id).await,
        Waiting::Nothing => Err(link_is_dead()),
    }
}

/// Makes the account that waited.
async fn register(
    acting: &Acting<'_>,
    ticket: &Ticket,
    waiting: Registration,
    username: Option<Username>,
) -> Answer {
    let state = acting.state;
    let mailbox = ticket.mailbox.clone().ok_or_else(link_is_dead)?;
    let asked = waiting.username.as_deref().map(Username::parse).transpose();
    let asked = asked.map_err(|error| Refusal::internal("a stored name", &error))?;
    let mut user = NewUser::new(&state.store, mailbox);
    user.id = waiting.id;
    user.username = username.or(asked);
    user.first_name = waiting.first_name;
    user.last_name = waiting.last_name;
    user.display_name = waiting.display_name;
    let secret = NewSecret::from_stored(&waiting.secret)?;
    let mut unit = vec![tickets::use_step(&state.store, ticket)];
    let origin = Origin {
        language: &waiting.language,
        external_id: None,
        fields: None,
    };
    unit.extend(new_account(acting, &user, &secret, &origin));
    match acting.write_once(unit).await {
        Ok(()) => Ok(json_answer(StatusCode::CREATED, &show(&user))),
        Err(failure) => Err(taken(state, &user, failure).await),
    }
}

/// What is known of a new account besides what its owner says.
pub(super) struct Origin<'a> {
    pub(super) language: &'a str,
    pub(super) external_id: Option<&'a str>,
    /// Fields of the application's own, a JSON object.
    pub(super) fields: Option<String>,
}

/// The steps that make an account whose address is proved, and tell of it.
pub(super) fn new_account(
    acting: &Acting<'_>,
    user: &NewUser,
    secret: &NewSecret,
    origin: &Origin<'_>,
) -> Vec<Step> {
    let state = acting.state;
    let store = &state.store;
    let told = new_person(user);
    let mut unit = vec![users::insert_step(store, user)];
    unit.extend(secret.first_steps(store, user.id));
    let (language, external_id) = (origin.language, origin.external_id);
    unit.push(users::proved_step(store, user.id, language, external_id));
    let fields = origin.fields.clone();
    unit.extend(acting.told(&told, Happened::UserRegistered { fields }));
    unit.extend(acting.told(&told, Happened::UserConfirmed));
    unit.push(acting.audit(Act::UserRegistered, Some(user.id), &user.email));
    unit.push(acting.audit(Act::UserConfirmed, Some(user.id), &user.email));
    let to = Addressee {
        mailbox: &user.email,
        name: Some(&told.display_name),
        language,
    };
    unit.extend(state.post.notice_step(store, &to, Letter::Welcome));
    unit
}

/// Why an account could not be made: another one has its name, or its address by now.
pub(super) async fn taken(state: &State, user: &NewUser, failure: Failure) -> Refusal {
    let Failure::Taken(error) = failure else {
        return failure.into_refusal();
    };
    match users::by_email(&state.store, &user.email).await {
        Ok(Some(_)) => return link_is_dead(),
        Ok(None) => {}
        Err(error) => return of_store(&error),
    }
    if let Some(username) = &user.username {
        match users::by_username(&state.store, username).await {
            Ok(Some(_)) => return exists("username").hint("send another username with the link"),
            Ok(None) => {}
            Err(error) => return of_store(&error),
        }
    }
    match error {
        // A key of the hook's own tables.
        sql::DbError::Unique { .. } => exists("profile"),
        error => of_store(&StoreError::Db(error)),
    }
}

async fn confirm_application(acting: &Acting<'_>, ticket: &Ticket, id: Uuid) -> Answer {
    let store = &acting.state.store;
    let mailbox = ticket.mailbox.as_ref().ok_or_else(link_is_dead)?;
    let unit = vec![
        tickets::use_step(store, ticket),
        invitations::confirm_step(store, id),
        acting.audit(Act::ApplicationConfirmed, None, mailbox),
    ];
    let written = acting.write_once(unit).await;
    written.map_err(|failure| match failure {
        Failure::TicketIsGone => link_is_dead(),
        other => other.into_refusal(),
    })?;
    Ok(json_answer(StatusCode::OK, &json!({"next": "approval"})))
}

async fn confirm_account(acting: &Acting<'_>, ticket: &Ticket, id: Uuid) -> Answer {
    let store = &acting.state.store;
    let user = users::by_id(store, id).await;
    let user = user.map_err(|error| of_store(&error))?;
    // Whoever has moved on to another address has not proved that one.
    let user = user
        .filter(|user| Some(&user.email) == ticket.mailbox.as_ref())
        .ok_or_else(link_is_dead)?;
    let mut unit = vec![
        tickets::use_step(store, ticket),
        users::confirm_step(store, &user),
        acting.audit(Act::UserConfirmed, Some(user.id), &user.email),
    ];
    unit.extend(acting.told(&person(&user), Happened::UserConfirmed));
    acting
        .write_once(unit)
        .await
        .map_err(Failure::into_refusal)?;
    Ok(json_answer(StatusCode::OK, &json!({"next": "login"})))
}
