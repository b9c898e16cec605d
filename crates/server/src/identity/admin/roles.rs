//! `/admin/api/users/{id}/roles` and `/admin/api/roles`: who may do what, for how long.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use sql::Ident;
use store::roles::{self as stored, Held};

use super::{Desk, moment, of_change, users};
use crate::App;
use crate::app::State;
use crate::client::Client;
use crate::error::{Answer, Refusal};
use crate::identity::act::administrator;
use crate::identity::administration::{ChangeError, Granted};
use crate::identity::api_keys::later;
use crate::identity::assignable::{RoleError, assignable, find_role, require_unprotected};
use crate::identity::body::{Fields, invalid};
use crate::identity::{json_answer, of_store};

pub(super) fn shown(held: &Held) -> Value {
    json!({"role": held.role, "expires_at": moment(held.expires_at)})
}

/// `GET /admin/api/roles`: those that there are, and how many accounts hold each.
pub(crate) async fn all(Shared(app): Shared<App>, headers: HeaderMap) -> Answer {
    let state = &app.0;
    administrator(state, &headers).await?;
    let holders = stored::holders(&state.store).await;
    let holders = holders.map_err(|error| of_store(&error))?;
    let compiled = state.compiled.load();
    let catalog = compiled.api.catalog();
    let protected = &state.settings.identity.administration.protected_roles;
    let one = |role: &Ident| {
        let held = holders.iter().find(|(name, _)| name == role.as_str());
        json!({
            "role": role.as_str(),
            "protected": require_unprotected(catalog, role, protected).is_err(),
            "holders": held.map_or(0, |(_, count)| *count),
        })
    };
    let list: Vec<Value> = assignable(catalog).iter().map(one).collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(list)))
}

/// `GET /admin/api/users/{id}/roles`
pub(crate) async fn list(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    administrator(state, &headers).await?;
    let held = held(state, &id).await?;
    let list: Vec<Value> = held.iter().map(shown).collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(list)))
}

async fn held(state: &State, id: &str) -> Result<Vec<Held>, Refusal> {
    let id = users::require(state, id).await?;
    let held = stored::held(&state.store, id).await;
    held.map_err(|error| of_store(&error))
}

/// `GET /admin/api/users/{id}/roles/{role}`
pub(crate) async fn show(
    Shared(app): Shared<App>,
    Path((id, role)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    administrator(state, &headers).await?;
    let held = held(state, &id).await?;
    let found = held.iter().find(|held| held.role == role.trim());
    let found = found.ok_or_else(|| of_change(ChangeError::RoleNotHeld))?;
    Ok(json_answer(StatusCode::OK, &shown(found)))
}

/// `PUT /admin/api/users/{id}/roles/{role}`: for good, or up to `expires_at`. A role that is held gets
/// the new end; with the same one it is refused.
pub(crate) async fn grant(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path((id, role)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let desk = Desk::open(state, &client, &headers, &id).await?;
    let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let hint = "send {\"expires_at\": \"2027-01-31T12:00:00Z\"}";
    let mut fields = Fields::parse(text, &["expires_at"], hint)?;
    let expires_at = match fields.has("expires_at") {
        true => fields.required("expires_at", |text| later(&text, state.clock.now())),
        false => None,
    };
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    let compiled = state.compiled.load();
    let role = find_role(compiled.api.catalog(), &role).map_err(of_role)?;
    require_free(state, &role)?;
    let administration = desk.administration(&compiled);
    let granted = administration.grant(&desk.user, &role, expires_at).await;
    let status = match granted.map_err(of_change)? {
        Granted::New => StatusCode::CREATED,
        Granted::Ends => StatusCode::OK,
    };
    desk.acting.wake();
    Ok(json_answer(status, &held_as(&role, expires_at)))
}

fn held_as(role: &Ident, expires_at: Option<Timestamp>) -> Value {
    shown(&Held {
        role: role.to_string(),
        expires_at,
    })
}

/// `DELETE /admin/api/users/{id}/roles/{role}`
pub(crate) async fn revoke(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    Path((id, role)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let state = &app.0;
    let desk = Desk::open(state, &client, &headers, &id).await?;
    // A role that schema/ has lost can still be taken away.
    let role = Ident::new(role.trim()).map_err(|_| of_change(ChangeError::RoleNotHeld))?;
    require_free(state, &role)?;
    let compiled = state.compiled.load();
    let administration = desk.administration(&compiled);
    let revoked = administration.revoke(&desk.user, &role).await;
    revoked.map_err(of_change)?;
    desk.acting.wake();
    let body = json!({"revoked": role.as_str()});
    Ok(json_answer(StatusCode::OK, &body))
}

/// Refuses a role that is the shell's to give and to take.
fn require_free(state: &State, role: &Ident) -> Result<(), Refusal> {
    let compiled = state.compiled.load();
    let protected = &state.settings.identity.administration.protected_roles;
    require_unprotected(compiled.api.catalog(), role, protected).map_err(of_role)
}

fn of_role(error: RoleError) -> Refusal {
    let message = error.to_string();
    match error {
        RoleError::Unknown { near, .. } => {
            let refusal = Refusal::new(StatusCode::NOT_FOUND, "role_unknown", message);
            match near {
                Some(near) => refusal.hint(format!("did you mean {near}?")),
                None => refusal.hint("GET /admin/api/roles lists them"),
            }
        }
        RoleError::Protected(role) => Refusal::forbidden("role_protected", &message).hint(format!(
            "pilaster user grant ADDRESS {role}; auth.protected_roles says which roles these are"
        )),
    }
}
