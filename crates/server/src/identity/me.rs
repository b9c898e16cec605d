//! `/auth/me`: what an account says of itself.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode};
use rest::Caller;
use serde_json::{Value, json};
use store::accounts::Taken;
use store::audit::Act;
use store::opaque;
use store::users::{self, PersonName, User, UserChange};

use super::act::{Acting, exists, signed_in};
use super::body::{Fields, invalid};
use super::{json_answer, of_store};
use crate::App;
use crate::app::State;
use crate::auth::authenticate_owner;
use crate::client::Client;
use crate::error::{Answer, Refusal};

/// The caller and his account.
pub(super) async fn own(
    state: &State,
    headers: &HeaderMap,
) -> Result<(std::sync::Arc<Caller>, User), Refusal> {
    let caller = authenticate_owner(state, &Method::GET, headers).await?;
    let id = caller.as_ref().and_then(|caller| caller.user);
    let Some((caller, id)) = caller.zip(id) else {
        return Err(Refusal::unauthorized("", "sign in first"));
    };
    let found = users::by_id(&state.store, id)
        .await
        .map_err(|error| of_store(&error))?;
    let user = found
        .filter(|user| user.active)
        .ok_or_else(|| Refusal::unauthorized("invalid_token", "the account is gone"))?;
    Ok((caller, user))
}

/// What an account says of itself.
pub(super) async fn described(
    state: &State,
    caller: &Caller,
    user: &User,
) -> Result<Value, Refusal> {
    let names: Vec<String> = caller.roles.names().map(ToString::to_string).collect();
    let record = opaque::record_of(&state.store, user.id).await;
    let sign_in = match record.map_err(|error| of_store(&error))? {
        Some(_) => Some("opaque"),
        None => {
            let has = users::has_password(&state.store, user.id).await;
            has.map_err(|error| of_store(&error))?.then_some("plain")
        }
    };
    Ok(json!({
        "id": user.id.to_string(), "email": user.email.as_str(), "username": user.username,
        "first_name": user.first_name, "last_name": user.last_name,
        "display_name": user.display_name, "roles": names, "sign_in": sign_in,
        "created_at": format!("{:.6}", user.created_at),
    }))
}

/// `GET /auth/me`
pub(crate) async fn me(Shared(app): Shared<App>, headers: HeaderMap) -> Answer {
    let state = &app.0;
    let (caller, user) = own(state, &headers).await?;
    Ok(json_answer(
        StatusCode::OK,
        &described(state, &caller, &user).await?,
    ))
}

/// `PATCH /auth/me`: the names; what is not mentioned stays, `null` takes a name away.
pub(crate) async fn change_me(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let user = signed_in(state, &headers).await?;
    let known = ["username", "first_name", "last_name", "display_name"];
    let hint = "send {\"display_name\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let mut change = UserChange {
        username: fields.username(),
        ..UserChange::default()
    };
    for (which, field) in [
        (PersonName::First, "first_name"),
        (PersonName::Last, "last_name"),
        (PersonName::Display, "display_name"),
    ] {
        if fields.mentions(field) {
            change.names.push((which, fields.name(field)));
        }
    }
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    let acting = Acting::of(state, &client, &user)?;
    let audit = acting.audit(Act::UserUpdated, Some(user.id), &user.email);
    let taken = users::update(&state.store, user.id, &change, vec![audit]).await;
    match taken.map_err(|error| of_store(&error))? {
        Some(Taken::Email) => return Err(exists("email")),
        Some(Taken::Username) => return Err(exists("username")),
        None => {}
    }
    let (caller, user) = own(state, &headers).await?;
    Ok(json_answer(
        StatusCode::OK,
        &described(state, &caller, &user).await?,
    ))
}
