//! `/auth/deletion` and `DELETE /auth/me`: an account goes, when its owner has proved himself for
//! just that.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use credentials::token::Purpose;
use rest::Happened;
use serde_json::json;
use sql::DbError;
use std::time::Duration;
use store::administrators::{NOBODY_LEFT, keep_one_steps};
use store::audit::Act;
use store::tickets::{self, NewTicket};
use store::users;

use super::act::{Acting, link_is_dead, of_unit, own_ticket, prove, signed_in};
use super::admin::last_administrator;
use super::body::{Fields, invalid};
use super::json_answer;
use crate::App;
use crate::client::Client;
use crate::error::Answer;
use crate::events::person;
use crate::mail::{Addressee, Letter};
use crate::oauth2::back_channel::{self, Ended};

/// How long somebody may hesitate.
const LIFE: Duration = Duration::from_mins(10);

/// `POST /auth/deletion`: a token that deletes this account, and opens nothing else.
pub(crate) async fn request(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let user = signed_in(state, &headers).await?;
    let mut fields = Fields::parse(&body, &["password"], "send {\"password\": …}")?;
    let password = fields.text("password");
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    let acting = Acting::of(state, &client, &user)?;
    prove(state, &client, &headers, &user, password).await?;
    let ticket = NewTicket {
        purpose: Purpose::DeleteAccount,
        user: Some(user.id),
        mailbox: None,
        content: String::from("{}"),
        life: LIFE,
    };
    let (issued, mut unit) = tickets::issue_steps(&state.store, &state.post.codes, &ticket);
    unit.push(acting.audit(Act::DeletionRequested, Some(user.id), &user.email));
    acting.write(unit).await?;
    let body = json!({
        "token": issued.token.to_text().expose(),
        "expires_at": format!("{:.6}", issued.expires_at),
    });
    Ok(json_answer(StatusCode::OK, &body))
}

/// `DELETE /auth/me`
pub(crate) async fn delete(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let user = signed_in(state, &headers).await?;
    let ticket = own_ticket(state, &user, Purpose::DeleteAccount, &body).await?;
    let acting = Acting::of(state, &client, &user)?;
    let store = &state.store;
    let (name, language) = (
        person(&user).display_name,
        acting.language(Some(user.id)).await?,
    );
    let to = Addressee {
        mailbox: &user.email,
        name: Some(&name),
        language: &language,
    };
    let mut unit = keep_one_steps(store, &[user.id], store.clock.now());
    let ticket_used = unit.len();
    unit.push(tickets::use_step(store, &ticket));
    // What is told of it may still look at it.
    unit.extend(acting.told(&person(&user), Happened::UserDeleted));
    unit.extend(back_channel::steps(state, Ended::User(user.id)).await?);
    unit.push(users::delete_step(store, user.id));
    unit.push(acting.audit(Act::UserDeleted, Some(user.id), &user.email));
    unit.extend(state.post.notice_step(store, &to, Letter::AccountDeleted));
    state.db.write(unit).await.map_err(|error| match error {
        DbError::Unexpected { step, .. } if step == NOBODY_LEFT => last_administrator(),
        DbError::Unexpected { step, .. } if step == ticket_used => link_is_dead(),
        error => of_unit(error),
    })?;
    acting.wake();
    let body = json!({"deleted": user.id.to_string()});
    Ok(json_answer(StatusCode::OK, &body))
}
