//! `/auth/apps`: the clients that may act for somebody, and the end of it.

use std::collections::BTreeMap;

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::audit::Act;
use store::{consents, grants};
use uuid::Uuid;

use super::back_channel::{self, Ended};
use super::clients;
use super::issue::Granted;
use crate::App;
use crate::app::State;
use crate::error::{Answer, Refusal};
use crate::identity::session::Owner;
use crate::identity::{json_answer, of_store};

/// What one client may.
struct AppAccess {
    scopes: Vec<String>,
    since: Timestamp,
}

/// What each client may for a user: agreed to, or granted at a login.
async fn accesses(state: &State, user: Uuid) -> Result<BTreeMap<String, AppAccess>, Refusal> {
    let agreed = consents::of_user(&state.store, user).await;
    let given = grants::of_user(&state.store, user).await;
    let mut apps: BTreeMap<String, AppAccess> = BTreeMap::new();
    for consent in agreed.map_err(|error| of_store(&error))? {
        let access = AppAccess {
            scopes: consent.scopes,
            since: consent.agreed_at,
        };
        apps.insert(consent.client_id, access);
    }
    for grant in given.map_err(|error| of_store(&error))? {
        let granted = Granted::read(&grant.content)?;
        let since = Timestamp::from_second(grant.family.started_at).unwrap_or(Timestamp::MAX);
        let access = apps
            .entry(grant.family.client_id)
            .or_insert_with(|| AppAccess {
                scopes: Vec::new(),
                since,
            });
        access.since = access.since.min(since);
        for scope in granted.scopes {
            if !access.scopes.contains(&scope) {
                access.scopes.push(scope);
            }
        }
    }
    Ok(apps)
}

/// `GET /auth/apps`
pub(crate) async fn list(Shared(app): Shared<App>, owner: Owner) -> Answer {
    let state = &app.0;
    let apps = accesses(state, owner.user.id).await?;
    let mut body = Vec::with_capacity(apps.len());
    for (id, access) in apps {
        let registered = clients::find(state, &id).await?;
        let name = registered.map_or_else(|| id.clone(), |registered| registered.client.name);
        body.push(json!({
            "client_id": id,
            "name": name,
            "scopes": access.scopes,
            "since": format!("{:.6}", access.since),
        }));
    }
    Ok(json_answer(StatusCode::OK, &Value::Array(body)))
}

/// `DELETE /auth/apps/{client_id}`: all its tokens of this user die, and it has to ask again.
pub(crate) async fn remove(
    Shared(app): Shared<App>,
    Path(client_id): Path<String>,
    owner: Owner,
) -> Answer {
    let state = &app.0;
    let user = owner.user.id;
    if !accesses(state, user).await?.contains_key(&client_id) {
        let message = "no such app may act for you";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "app_unknown", message));
    }
    let details = json!({"client": client_id});
    let mut unit = vec![
        consents::withdraw_step(&state.store, user, &client_id),
        grants::revoke_of_client_step(&state.store, user, &client_id),
        owner.audit_step_with(state, Act::ConsentWithdrawn, &details),
    ];
    unit.extend(back_channel::steps(state, Ended::Client(user, &client_id)).await?);
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&error.into()))?;
    state.outbox.notify_waiters();
    Ok(json_answer(StatusCode::OK, &json!({"revoked": 1})))
}
