//! `/auth/administrator`: the first administrator, by a link that `pilaster admin create` prints.
//! While nobody holds such a link, there is no such path.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::token::{LinkToken, Purpose};
use store::administrators::ADMIN;
use store::tickets;
use store::users::NewUser;

use super::act::{Acting, Failure};
use super::body::{Fields, invalid};
use super::confirm::{Origin, new_account, taken};
use super::invitations::role_steps;
use super::register::show;
use super::secret::{NewPassword, NewSecret};
use super::{json_answer, of_store};
use crate::App;
use crate::app::State;
use crate::client::Client;
use crate::error::{Answer, Refusal};

/// Answers as if the path were not there, unless somebody holds a link.
pub(crate) async fn require(state: &State) -> Result<(), Refusal> {
    let live = tickets::is_any_live(&state.store, Purpose::FirstAdministrator).await;
    match live.map_err(|error| of_store(&error))? {
        true => Ok(()),
        false => Err(missing()),
    }
}

fn missing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "PGRST125", "there is no such path")
}

/// `POST /auth/administrator`
pub(crate) async fn create(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    require(state).await?;
    let known = [
        "token",
        "password",
        "registration_id",
        "registration_record",
        "username",
        "display_name",
    ];
    let hint = "send {\"token\": …, \"password\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let token = fields.required("token", Ok::<_, std::convert::Infallible>);
    let password = NewPassword::read(&mut fields);
    let username = fields.username();
    let display_name = fields.name("display_name");
    let (Some(token), Some(password), true) = (token, password, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let acting = Acting::anonymous(state, &client)?;
    let token = LinkToken::parse(&token).map_err(|_| missing())?;
    let ticket = tickets::by_token(&state.store, Purpose::FirstAdministrator, &token).await;
    let ticket = ticket
        .map_err(|error| of_store(&error))?
        .ok_or_else(missing)?;
    let mailbox = ticket.mailbox.clone().ok_or_else(missing)?;
    let mut user = NewUser::new(&state.store, mailbox);
    user.username = username;
    user.display_name = display_name;
    let secret = NewSecret::of_new(state, password, &mut user).await?;
    let language = acting.language(None).await?;
    let origin = Origin {
        language: &language,
        external_id: None,
        fields: None,
    };
    let mut unit = vec![tickets::use_step(&state.store, &ticket)];
    unit.extend(new_account(&acting, &user, &secret, &origin));
    unit.extend(role_steps(&acting, &user, &[ADMIN.to_owned()])?);
    match acting.write_once(unit).await {
        Ok(()) => Ok(json_answer(StatusCode::CREATED, &show(&user))),
        Err(Failure::TicketIsGone) => Err(missing()),
        Err(failure) => Err(taken(state, &user, failure).await),
    }
}
