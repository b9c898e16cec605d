//! `/admin/api/users`: looking at accounts and changing them.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use store::directory::{self, Listed, Wanted};
use store::users::{PersonName, UserChange};
use uuid::Uuid;

use super::query::{Parameters, cut};
use super::roles::shown as shown_role;
use super::{Desk, ROOT, moment, of_change, unknown};
use crate::App;
use crate::app::State;
use crate::client::Client;
use crate::error::{Answer, Refusal};
use crate::identity::act::administrator;
use crate::identity::administration::AccountChange;
use crate::identity::body::{Fields, invalid};
use crate::identity::settings::unlock as forget_attempts;
use crate::identity::{door, json_answer, of_store};
use crate::mail::Letter;

fn shown(listed: &Listed) -> Value {
    let user = &listed.user;
    json!({
        "id": user.id.to_string(), "email": user.email.as_str(), "username": user.username,
        "first_name": user.first_name, "last_name": user.last_name,
        "display_name": user.display_name, "language": listed.language,
        "active": user.active, "email_confirmed": user.email_verified_at.is_some(),
        "email_verified_at": moment(user.email_verified_at),
        "roles": listed.roles.iter().map(shown_role).collect::<Vec<Value>>(),
        "factors": door::names(listed.factors),
        "external_source": listed.external_source, "external_id": listed.external_id,
        "created_at": moment(Some(user.created_at)), "updated_at": moment(Some(user.updated_at)),
        "seen_at": moment(listed.seen_at),
    })
}

async fn answer(state: &State, id: Uuid) -> Answer {
    let found = directory::by_id(&state.store, id).await;
    let found = found.map_err(|error| of_store(&error))?;
    let found = found.ok_or_else(unknown)?;
    Ok(json_answer(StatusCode::OK, &shown(&found)))
}

/// `GET /admin/api/users`: the newest first, page by page.
pub(crate) async fn list(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let state = &app.0;
    administrator(state, &headers).await?;
    let mut asked = Parameters::new(pairs);
    let flag = "true or false";
    let wanted = Wanted {
        id: None,
        text: asked.text("q"),
        role: asked.text("role"),
        active: asked.parsed("active", flag)?,
        confirmed: asked.parsed("confirmed", flag)?,
        before: asked.cursor()?,
    };
    let limit = asked.limit()?;
    asked.finish()?;
    let list = directory::list(&state.store, &wanted, limit + 1).await;
    let mut list = list.map_err(|error| of_store(&error))?;
    let next = cut(&mut list, limit, |one| one.user.id);
    let path = format!("{}{ROOT}/users", state.settings.base_path);
    Ok(asked.answer(&path, list.iter().map(shown).collect(), next))
}

/// `GET /admin/api/users/{id}`
pub(crate) async fn show(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    administrator(state, &headers).await?;
    answer(state, Uuid::try_parse(&id).map_err(|_| unknown())?).await
}

/// `PATCH /admin/api/users/{id}`: what is not mentioned stays; `null` takes a name away.
pub(crate) async fn change(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let desk = Desk::open(state, &client, &headers, &id).await?;
    let known = [
        "active",
        "email_confirmed",
        "username",
        "first_name",
        "last_name",
        "display_name",
        "language",
        "external_source",
        "external_id",
    ];
    let mut fields = Fields::parse(&body, &known, "send {\"active\": false}")?;
    let change = read_change(state, &mut fields);
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    let compiled = state.compiled.load();
    let administration = desk.administration(&compiled);
    let changed = administration.change(&desk.user, &change);
    changed.await.map_err(of_change)?;
    desk.acting.wake();
    answer(state, desk.user.id).await
}

fn read_change(state: &State, fields: &mut Fields) -> AccountChange {
    let mut person = UserChange {
        username: fields.username(),
        ..UserChange::default()
    };
    for (which, field) in [
        (PersonName::First, "first_name"),
        (PersonName::Last, "last_name"),
        (PersonName::Display, "display_name"),
    ] {
        if fields.mentions(field) {
            person.names.push((which, fields.name(field)));
        }
    }
    let language = fields.mentions("language").then(|| {
        let text = fields.text("language")?;
        let known = state.post.templates.known(&text);
        if known.is_none() {
            fields.fault("language", "unknown", "there are no mails in this language");
        }
        known
    });
    let source = fields.name("external_source");
    let external = match (fields.mentions("external_id"), source) {
        (true, source) => Some((source.unwrap_or_default(), fields.name("external_id"))),
        (false, Some(_)) => {
            fields.fault("external_id", "required", "external_id is required");
            None
        }
        (false, None) => None,
    };
    if external
        .as_ref()
        .is_some_and(|(source, _)| source.chars().count() > 60)
    {
        let message = "external_source has more than 60 characters";
        fields.fault("external_source", "too_long", message);
    }
    AccountChange {
        person,
        active: flag(fields, "active"),
        confirmed: flag(fields, "email_confirmed"),
        language,
        external,
    }
}

fn flag(fields: &mut Fields, name: &str) -> Option<bool> {
    fields.has(name).then(|| fields.flag(name))
}

/// `DELETE /admin/api/users/{id}`: the account, and all that is its own. Its owner gets a mail.
pub(crate) async fn delete(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    let desk = Desk::open(state, &client, &headers, &id).await?;
    let told = desk.notice(Letter::AccountDeleted).await?;
    let compiled = state.compiled.load();
    let administration = desk.administration(&compiled);
    let deleted = administration.delete(&desk.user, told.into_iter().collect());
    deleted.await.map_err(of_change)?;
    desk.acting.wake();
    let body = json!({"deleted": desk.user.id.to_string()});
    Ok(json_answer(StatusCode::OK, &body))
}

/// `POST /admin/api/users/{id}/unlock`: failed sign-ins are forgotten.
pub(crate) async fn unlock(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    let desk = Desk::open(state, &client, &headers, &id).await?;
    let forgotten = forget_attempts(&state.moments, &desk.user).await;
    forgotten.map_err(|error| of_store(&error))?;
    let compiled = state.compiled.load();
    let noted = desk.administration(&compiled);
    noted.unlocked(&desk.user).await.map_err(of_change)?;
    answer(state, desk.user.id).await
}

/// `DELETE /admin/api/users/{id}/sessions`: everybody who came in as this account is out, and so are
/// the apps that act for it.
pub(crate) async fn end_sessions(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    let desk = Desk::open(state, &client, &headers, &id).await?;
    let compiled = state.compiled.load();
    let ended = desk.administration(&compiled);
    ended.end_sessions(&desk.user).await.map_err(of_change)?;
    answer(state, desk.user.id).await
}

/// `DELETE /admin/api/users/{id}/factors`: for who has lost them all; the password is left. The owner
/// gets a mail.
pub(crate) async fn remove_factors(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    let desk = Desk::open(state, &client, &headers, &id).await?;
    let told = desk.notice(Letter::FactorsRemoved).await?;
    let compiled = state.compiled.load();
    let administration = desk.administration(&compiled);
    let removed = administration.remove_factors(&desk.user, told.into_iter().collect());
    removed.await.map_err(of_change)?;
    desk.acting.wake();
    answer(state, desk.user.id).await
}

/// Whether this is somebody at all; for what needs no more of it.
pub(super) async fn require(state: &State, id: &str) -> Result<Uuid, Refusal> {
    Ok(super::find(state, id).await?.id)
}
