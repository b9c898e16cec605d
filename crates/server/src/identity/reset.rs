//! `/auth/reset`: a new password for who has lost his, by a link or a code in his mailbox.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::EmailAddress;
use credentials::token::Purpose;
use rest::Happened;
use serde_json::json;
use store::audit::Act;
use store::tickets::{self, NewTicket};
use store::users;

use super::act::{Acting, Failure, Proof, link_is_dead};
use super::body::{Fields, invalid};
use super::secret::{NewPassword, NewSecret};
use super::{json_answer, of_store};
use crate::App;
use crate::client::Client;
use crate::error::Answer;
use crate::events::person;
use crate::mail::{Addressee, Admission, Letter, LinkTo};

/// `POST /auth/reset`: answered alike whether there is an account, and with the same work: a ticket
/// is written in any case, and mailed where somebody can use it.
pub(crate) async fn request(
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
    let sent = || {
        let body = json!({"next": "check_mail"});
        Ok(json_answer(StatusCode::ACCEPTED, &body))
    };
    let limits = &state.post.limits;
    let admission = limits.admit(&state.store, Purpose::ResetPassword, &email, client.address);
    let turn = match admission.await.map_err(|error| of_store(&error))? {
        Admission::Granted(turn) => turn,
        Admission::Suppressed => return sent(),
    };
    let user = users::by_email(&state.store, &email).await;
    let user = user.map_err(|error| of_store(&error))?;
    let user = user.filter(|user| user.active);
    let ticket = NewTicket {
        purpose: Purpose::ResetPassword,
        user: user.as_ref().map(|user| user.id),
        mailbox: Some(email.clone()),
        content: String::from("{}"),
        life: state.settings.accounts.reset_life,
    };
    let (issued, mut unit) = tickets::issue_steps(&state.store, &state.post.codes, &ticket);
    let language = acting.language(ticket.user).await?;
    if let Some(user) = &user {
        let name = person(user).display_name;
        let to = Addressee {
            mailbox: &email,
            name: Some(&name),
            language: &language,
        };
        let post = &state.post;
        unit.push(post.link_step(&state.store, &to, Letter::Reset, LinkTo::Reset, &issued));
    }
    unit.push(acting.audit(Act::ResetRequested, ticket.user, &email));
    acting.write(unit).await?;
    drop(turn);
    sent()
}

/// `POST /auth/reset/finish`
pub(crate) async fn finish(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let known = [
        "token",
        "email",
        "code",
        "password",
        "registration_id",
        "registration_record",
    ];
    let hint = "send {\"token\": …, \"password\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let proof = Proof::read(&mut fields);
    let password = NewPassword::read(&mut fields);
    let (Some(proof), Some(password), true) = (proof, password, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let acting = Acting::anonymous(state, &client)?;
    let ticket = proof.ticket(state, Purpose::ResetPassword).await?;
    let ticket = ticket.ok_or_else(link_is_dead)?;
    let id = ticket.user.ok_or_else(link_is_dead)?;
    let user = users::by_id(&state.store, id).await;
    let user = user
        .map_err(|error| of_store(&error))?
        // A mailbox that the account has left proves nothing any more.
        .filter(|user| user.active && Some(&user.email) == ticket.mailbox.as_ref())
        .ok_or_else(link_is_dead)?;
    let secret = NewSecret::of_user(state, password, user.id).await?;
    let acting = Acting::of(state, acting.client, &user)?;
    let mut unit = vec![tickets::use_step(&state.store, &ticket)];
    unit.extend(secret.change_steps(&state.store, user.id));
    unit.extend(acting.told(&person(&user), Happened::PasswordChanged));
    let how = json!({"by": "reset"});
    unit.push(acting.audit_with(Act::PasswordChanged, Some(user.id), &user.email, Some(&how)));
    let (name, language) = (
        person(&user).display_name,
        acting.language(Some(user.id)).await?,
    );
    let to = Addressee {
        mailbox: &user.email,
        name: Some(&name),
        language: &language,
    };
    let notice = state
        .post
        .notice_step(&state.store, &to, Letter::PasswordChanged);
    unit.extend(notice);
    acting
        .write_once(unit)
        .await
        .map_err(Failure::into_refusal)?;
    Ok(json_answer(StatusCode::OK, &json!({"next": "login"})))
}
