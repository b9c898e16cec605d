//! `/auth/invitations` and `/admin/api/invitations`: who may become a user where not everybody may.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use credentials::EmailAddress;
use credentials::token::Purpose;
use rest::Happened;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sql::{Ident, Step};
use store::audit::Act;
use store::invitations::{self, Invitation, Stage};
use store::roles;
use store::tickets::{self, NewTicket};
use store::users::{self, NewUser};
use uuid::Uuid;

use super::act::{
    Acting, Failure, Proof, administrator, as_content, content, exists, link_is_dead,
};
use super::assignable::{RoleError, find_role, require_unprotected};
use super::body::{Fields, invalid};
use super::confirm::{Origin, Waiting, new_account, send, send_with, taken};
use super::register::show;
use super::secret::{NewPassword, NewSecret};
use super::{json_answer, of_store};
use crate::App;
use crate::app::{RegistrationMode, State};
use crate::client::Client;
use crate::error::{Answer, Refusal};
use crate::events::new_person;
use crate::mail::{Addressee, Letter, LinkTo};

/// The longest that an application's own fields may be, in bytes of JSON.
const MOST_FIELDS: usize = 8192;

/// Invitations that are listed.
const LISTED: u64 = 500;

/// What an administrator says of somebody.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Given {
    roles: Vec<String>,
    external_id: Option<String>,
    language: Option<String>,
    fields: Map<String, Value>,
}

/// What the link of an invitation holds.
#[derive(Serialize, Deserialize)]
struct Link {
    invitation: Uuid,
}

fn shown(invitation: &Invitation) -> Result<Value, Refusal> {
    let given: Given = content(&invitation.content)?;
    let at = |moment: Option<jiff::Timestamp>| moment.map(|moment| format!("{moment:.6}"));
    let stage = match (invitation.confirmed_at, invitation.approved_at) {
        (_, Some(_)) => "approved",
        (Some(_), None) => "waiting",
        (None, None) => "unconfirmed",
    };
    Ok(json!({
        "id": invitation.id.to_string(), "email": invitation.email.as_str(),
        "first_name": invitation.first_name, "last_name": invitation.last_name,
        "stage": stage, "roles": given.roles, "external_id": given.external_id,
        "fields": given.fields, "confirmed_at": at(invitation.confirmed_at),
        "approved_at": at(invitation.approved_at), "created_at": at(Some(invitation.created_at)),
    }))
}

/// `POST /auth/invitations`: somebody asks to become a user. Everybody is answered alike.
pub(crate) async fn apply(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    if state.settings.accounts.registration != RegistrationMode::Approval {
        let message = "nobody can ask for an account here";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "42501", message));
    }
    let known = ["email", "first_name", "last_name", "fields"];
    let mut fields = Fields::parse(&body, &known, "send {\"email\": …}")?;
    let email = fields.required("email", |text| EmailAddress::parse(&text));
    let (first_name, last_name) = (fields.name("first_name"), fields.name("last_name"));
    let own = fields.object("fields", MOST_FIELDS);
    let (Some(email), true) = (email, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let acting = Acting::anonymous(state, &client)?;
    state.post.require()?;
    let account = users::by_email(&state.store, &email).await;
    let account = account.map_err(|error| of_store(&error))?;
    let known = invitations::by_email(&state.store, &email).await;
    let known = known.map_err(|error| of_store(&error))?;
    let language = acting
        .language(account.as_ref().map(|user| user.id))
        .await?;
    let is_taken = known.is_some_and(|known| known.confirmed_at.or(known.approved_at).is_some());
    match (account, is_taken) {
        (Some(_), _) => {
            let letter = Some(Letter::AccountExists);
            send(&acting, &email, &language, &Waiting::Nothing, letter).await?;
        }
        (None, true) => send(&acting, &email, &language, &Waiting::Nothing, None).await?,
        (None, false) => {
            let mut invitation = Invitation::new(&state.store, email.clone());
            invitation.first_name = first_name;
            invitation.last_name = last_name;
            invitation.content = as_content(&Given {
                language: Some(language.clone()),
                fields: own,
                ..Given::default()
            })?;
            let waiting = Waiting::Application { id: invitation.id };
            let mut more = invitations::insert_steps(&state.store, &invitation);
            more.push(acting.audit(Act::ApplicationReceived, None, &email));
            let letter = Some(Letter::ConfirmApplication);
            send_with(&acting, &email, &language, &waiting, letter, more).await?;
        }
    }
    let body = json!({"next": "confirm_email"});
    Ok(json_answer(StatusCode::ACCEPTED, &body))
}

/// Which invitations somebody wants to see.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    stage: Option<String>,
}

/// `GET /admin/api/invitations`
pub(crate) async fn list(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let state = &app.0;
    administrator(state, &headers).await?;
    let stage = match wanted.stage.as_deref() {
        None | Some("any") => Stage::Any,
        Some("unconfirmed") => Stage::Unconfirmed,
        Some("waiting") => Stage::Waiting,
        Some("approved") => Stage::Approved,
        Some(_) => {
            let message = "stage is any, unconfirmed, waiting or approved";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "22000", message));
        }
    };
    let list = invitations::list(&state.store, stage, LISTED).await;
    let list: Result<Vec<Value>, Refusal> = list
        .map_err(|error| of_store(&error))?
        .iter()
        .map(shown)
        .collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(list?)))
}

/// `POST /admin/api/invitations`: an administrator invites somebody.
pub(crate) async fn invite(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let admin = administrator(state, &headers).await?;
    let known = [
        "email",
        "first_name",
        "last_name",
        "roles",
        "external_id",
        "language",
        "fields",
    ];
    let mut fields = Fields::parse(&body, &known, "send {\"email\": …}")?;
    let email = fields.required("email", |text| EmailAddress::parse(&text));
    let (first_name, last_name) = (fields.name("first_name"), fields.name("last_name"));
    let given = given(state, &mut fields, Given::default());
    let (Some(email), true) = (email, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let acting = Acting::of(state, &client, &admin)?;
    state.post.require()?;
    let account = users::by_email(&state.store, &email).await;
    if account.map_err(|error| of_store(&error))?.is_some() {
        return Err(exists("email"));
    }
    let mut invitation = Invitation::new(&state.store, email);
    invitation.first_name = first_name;
    invitation.last_name = last_name;
    invitation.content = as_content(&given)?;
    invitation.approved_at = Some(invitation.created_at);
    let unit = invitations::insert_steps(&state.store, &invitation);
    match send_link(&acting, &invitation, &given, unit).await {
        Ok(()) => Ok(json_answer(StatusCode::CREATED, &shown(&invitation)?)),
        Err(Failure::Taken(_)) => Err(Refusal::new(
            StatusCode::CONFLICT,
            "23505",
            "this address has applied or was invited already",
        )
        .hint("approve of it: POST /admin/api/invitations/{id}/approve")),
        Err(failure) => Err(failure.into_refusal()),
    }
}

/// `POST /admin/api/invitations/{id}/approve`: yes to an application, or another link to who was
/// invited.
pub(crate) async fn approve(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let admin = administrator(state, &headers).await?;
    let mut invitation = find(state, &id).await?;
    let before: Given = content(&invitation.content)?;
    let known = ["roles", "external_id", "language", "fields"];
    let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let mut fields = Fields::parse(text, &known, "send {\"roles\": […]}")?;
    let given = given(state, &mut fields, before);
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    if invitation.confirmed_at.or(invitation.approved_at).is_none() {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "unconfirmed",
            "the address of this application is not proved yet",
        ));
    }
    let acting = Acting::of(state, &client, &admin)?;
    state.post.require()?;
    invitation.content = as_content(&given)?;
    invitation.approved_at = Some(state.store.clock.now());
    let step = invitations::approve_step(&state.store, invitation.id, &invitation.content);
    let sent = send_link(&acting, &invitation, &given, vec![step]).await;
    sent.map_err(|failure| match failure {
        // Somebody else has refused it or its owner has accepted, a moment ago.
        Failure::TicketIsGone => missing(),
        other => other.into_refusal(),
    })?;
    Ok(json_answer(StatusCode::OK, &shown(&invitation)?))
}

/// `DELETE /admin/api/invitations/{id}`
pub(crate) async fn withdraw(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    let admin = administrator(state, &headers).await?;
    let invitation = find(state, &id).await?;
    let acting = Acting::of(state, &client, &admin)?;
    let email = &invitation.email;
    let unit = vec![
        invitations::delete_step(&state.store, invitation.id),
        tickets::void_of_mailbox_step(&state.store, Purpose::AcceptInvitation, email),
        acting.audit(Act::InvitationWithdrawn, None, email),
    ];
    acting
        .write_once(unit)
        .await
        .map_err(|failure| match failure {
            Failure::TicketIsGone => missing(),
            other => other.into_refusal(),
        })?;
    let body = json!({"deleted": invitation.id.to_string()});
    Ok(json_answer(StatusCode::OK, &body))
}

/// `POST /auth/invitations/accept`: the account is made, its address proved by the link.
pub(crate) async fn accept(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let known = [
        "token",
        "password",
        "registration_id",
        "registration_record",
        "username",
        "first_name",
        "last_name",
        "display_name",
    ];
    let hint = "send {\"token\": …, \"password\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let proof = Proof::read(&mut fields);
    let password = NewPassword::read(&mut fields);
    let username = fields.username();
    let (first_name, last_name) = (fields.name("first_name"), fields.name("last_name"));
    let display_name = fields.name("display_name");
    let (Some(proof), Some(password), true) = (proof, password, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let acting = Acting::anonymous(state, &client)?;
    let ticket = proof.ticket(state, Purpose::AcceptInvitation).await?;
    let ticket = ticket.ok_or_else(link_is_dead)?;
    let link: Link = content(&ticket.content)?;
    let invitation = invitations::by_id(&state.store, link.invitation).await;
    let invitation = invitation
        .map_err(|error| of_store(&error))?
        .filter(|invitation| invitation.approved_at.is_some())
        .ok_or_else(link_is_dead)?;
    let given: Given = content(&invitation.content)?;
    let mut user = NewUser::new(&state.store, invitation.email.clone());
    user.username = username;
    user.first_name = first_name.or(invitation.first_name.clone());
    user.last_name = last_name.or(invitation.last_name.clone());
    user.display_name = display_name;
    let secret = NewSecret::of_new(state, password, &mut user).await?;
    let language = language_of(state, &given);
    let mut unit = vec![tickets::use_step(&state.store, &ticket)];
    let fields = (!given.fields.is_empty()).then(|| json!(given.fields).to_string());
    let origin = Origin {
        language: &language,
        external_id: given.external_id.as_deref(),
        fields,
    };
    unit.extend(new_account(&acting, &user, &secret, &origin));
    unit.extend(role_steps(&acting, &user, &given.roles)?);
    unit.push(invitations::delete_step(&state.store, invitation.id));
    match acting.write_once(unit).await {
        Ok(()) => Ok(json_answer(StatusCode::CREATED, &show(&user))),
        Err(failure) => Err(taken(state, &user, failure).await),
    }
}

/// The steps that give roles to a new account, and tell of them.
pub(super) fn role_steps(
    acting: &Acting<'_>,
    user: &NewUser,
    names: &[String],
) -> Result<Vec<Step>, Refusal> {
    let store = &acting.state.store;
    let mut steps = Vec::new();
    for name in names {
        let role = Ident::new(name.as_str());
        let role = role.map_err(|error| Refusal::internal("a stored role", &error))?;
        steps.extend(roles::grant_role_steps(store, user.id, &role, None));
        let happened = Happened::RolesChanged {
            role: name.clone(),
            granted: true,
            expires_at: None,
        };
        steps.extend(acting.told(&new_person(user), happened));
        let details = json!({"role": name});
        let (id, email) = (Some(user.id), &user.email);
        steps.push(acting.audit_with(Act::RoleGranted, id, email, Some(&details)));
    }
    Ok(steps)
}

/// Writes `unit` and sends the link of an invitation that stands in it.
async fn send_link(
    acting: &Acting<'_>,
    invitation: &Invitation,
    given: &Given,
    mut unit: Vec<Step>,
) -> Result<(), Failure> {
    let state = acting.state;
    let link = Link {
        invitation: invitation.id,
    };
    let ticket = NewTicket {
        purpose: Purpose::AcceptInvitation,
        user: None,
        mailbox: Some(invitation.email.clone()),
        content: as_content(&link).map_err(Failure::Refused)?,
        life: state.settings.accounts.invitation_life,
    };
    let (issued, steps) = tickets::issue_steps(&state.store, &state.post.codes, &ticket);
    unit.extend(steps);
    let language = language_of(state, given);
    let to = Addressee {
        mailbox: &invitation.email,
        name: invitation.first_name.as_deref(),
        language: &language,
    };
    let (letter, leads) = (Letter::Invitation, LinkTo::Invitation);
    let mail = state
        .post
        .link_step(&state.store, &to, letter, leads, &issued);
    unit.push(mail);
    unit.push(acting.audit(Act::InvitationSent, None, &invitation.email));
    acting.write_once(unit).await
}

fn language_of(state: &State, given: &Given) -> String {
    let templates = &state.post.templates;
    let own = given.language.as_deref();
    own.and_then(|language| templates.known(language))
        .unwrap_or_else(|| templates.choose(""))
}

/// What an administrator says, before what is said already.
fn given(state: &State, fields: &mut Fields, before: Given) -> Given {
    let mut given = before;
    if let Some(roles) = fields.texts("roles") {
        let compiled = state.compiled.load();
        let catalog = compiled.api.catalog();
        let protected = &state.settings.identity.administration.protected_roles;
        given.roles = Vec::new();
        for name in &roles {
            let role = find_role(catalog, name);
            let role =
                role.and_then(|role| require_unprotected(catalog, &role, protected).map(|()| role));
            match role {
                Ok(role) => given.roles.push(role.to_string()),
                Err(error @ RoleError::Unknown { .. }) => {
                    fields.fault("roles", "unknown", &error.to_string());
                }
                Err(error @ RoleError::Protected(_)) => {
                    fields.fault("roles", "protected", &error.to_string());
                }
            }
        }
    }
    if let Some(external_id) = fields.name("external_id") {
        given.external_id = Some(external_id);
    }
    if let Some(language) = fields.text("language") {
        match state.post.templates.known(&language) {
            Some(known) => given.language = Some(known),
            None => fields.fault("language", "unknown", "there are no mails in this language"),
        }
    }
    given.fields.extend(fields.object("fields", MOST_FIELDS));
    given
}

async fn find(state: &State, id: &str) -> Result<Invitation, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| missing())?;
    let found = invitations::by_id(&state.store, id).await;
    found.map_err(|error| of_store(&error))?.ok_or_else(missing)
}

fn missing() -> Refusal {
    let message = "there is no such invitation";
    Refusal::new(StatusCode::NOT_FOUND, "PGRST116", message)
}
