//! `/auth/email`: an account moves to another address, when its owner has proved himself and that
//! the new mailbox is his.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use credentials::EmailAddress;
use credentials::token::Purpose;
use rest::Happened;
use serde_json::json;
use store::audit::Act;
use store::tickets::{self, NewTicket};
use store::users;

use super::act::{Acting, Failure, exists, link_is_dead, own_ticket, prove, signed_in};
use super::body::{Fields, invalid};
use super::{json_answer, of_store};
use crate::App;
use crate::client::Client;
use crate::error::Answer;
use crate::events::person;
use crate::mail::{Addressee, Admission, Letter, LinkTo};

/// `POST /auth/email`
pub(crate) async fn request(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let user = signed_in(state, &headers).await?;
    let hint = "send {\"email\": …, \"password\": …}";
    let mut fields = Fields::parse(&body, &["email", "password"], hint)?;
    let email = fields.required("email", |text| EmailAddress::parse(&text));
    let password = fields.text("password");
    let (Some(email), true) = (email, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let acting = Acting::of(state, &client, &user)?;
    state.post.require()?;
    prove(state, &client, &headers, &user, password).await?;
    let taken = users::by_email(&state.store, &email).await;
    if taken.map_err(|error| of_store(&error))?.is_some() {
        return Err(exists("email"));
    }
    let sent = || {
        let body = json!({"next": "confirm_email"});
        Ok(json_answer(StatusCode::ACCEPTED, &body))
    };
    let limits = &state.post.limits;
    let admission = limits.admit(&state.store, Purpose::ChangeAddress, &email, client.address);
    let turn = match admission.await.map_err(|error| of_store(&error))? {
        Admission::Granted(turn) => turn,
        Admission::Suppressed => return sent(),
    };
    let ticket = NewTicket {
        purpose: Purpose::ChangeAddress,
        user: Some(user.id),
        mailbox: Some(email.clone()),
        content: json!({"from": user.email.as_str()}).to_string(),
        life: state.settings.accounts.reset_life,
    };
    let (issued, mut unit) = tickets::issue_steps(&state.store, &state.post.codes, &ticket);
    let (name, language) = (
        person(&user).display_name,
        acting.language(Some(user.id)).await?,
    );
    let to = Addressee {
        mailbox: &email,
        name: Some(&name),
        language: &language,
    };
    let post = &state.post;
    unit.push(post.link_step(
        &state.store,
        &to,
        Letter::EmailChange,
        LinkTo::Email,
        &issued,
    ));
    let new = json!({"email": email.as_str()});
    unit.push(acting.audit_with(
        Act::EmailChangeRequested,
        Some(user.id),
        &user.email,
        Some(&new),
    ));
    acting.write(unit).await?;
    drop(turn);
    sent()
}

/// `POST /auth/email/confirm`: by the account's owner alone. A mistyped address is somebody's
/// mailbox, and its owner must not get the account.
pub(crate) async fn confirm(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let user = signed_in(state, &headers).await?;
    let ticket = own_ticket(state, &user, Purpose::ChangeAddress, &body).await?;
    let acting = Acting::of(state, &client, &user)?;
    let email = ticket.mailbox.clone().ok_or_else(link_is_dead)?;
    let store = &state.store;
    let mut after = user.clone();
    after.email = email.clone();
    let old_email = user.email.as_str().to_owned();
    let mut unit = vec![
        tickets::use_step(store, &ticket),
        users::move_step(store, &user, &email),
        // What was sent to the old mailbox opens nothing any more.
        tickets::void_of_user_step(store, Purpose::ResetPassword, user.id),
        tickets::void_of_user_step(store, Purpose::DeleteAccount, user.id),
    ];
    let told = person(&after);
    let happened = Happened::EmailChanged {
        old_email: old_email.clone(),
    };
    unit.extend(acting.told(&told, happened));
    unit.extend(acting.told(&told, Happened::UserConfirmed));
    let details = json!({"from": old_email, "to": email.as_str()});
    unit.push(acting.audit_with(Act::EmailChanged, Some(user.id), &email, Some(&details)));
    let (name, language) = (
        person(&user).display_name,
        acting.language(Some(user.id)).await?,
    );
    let to = Addressee {
        mailbox: &user.email,
        name: Some(&name),
        language: &language,
    };
    unit.extend(state.post.notice_step(store, &to, Letter::EmailChanged));
    match acting.write_once(unit).await {
        Ok(()) => {}
        Err(Failure::Taken(_)) => return Err(exists("email")),
        Err(failure) => return Err(failure.into_refusal()),
    }
    let body = json!({"email": email.as_str(), "old_email": user.email.as_str()});
    Ok(json_answer(StatusCode::OK, &body))
}
