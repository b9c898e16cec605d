//! `/auth/export`: everything that is kept of an account, for its owner, in one file.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use store::audit::{self, Filter, Line};
use store::factors::passkeys;
use store::sessions::{self, Session};
use uuid::Uuid;

use super::{door, json_answer, me, of_store};
use crate::App;
use crate::error::Answer;

/// The most acts that are told; the newest ones.
const MOST_ACTS: u64 = 10_000;

/// `GET /auth/export`: the account, its sessions and factors, and what was done by it and to it. No
/// secret is in it, and nothing of the application's own tables: those are read through the data API.
pub(crate) async fn export(Shared(app): Shared<App>, headers: HeaderMap) -> Answer {
    let state = &app.0;
    let (caller, user) = me::own(state, &headers).await?;
    let store = &state.store;
    let idle = state.settings.identity.session_idle;
    let sessions = sessions::of_user(store, user.id, idle).await;
    let sessions = sessions.map_err(|error| of_store(&error))?;
    let keys = passkeys::of_user(store, user.id).await;
    let keys = keys.map_err(|error| of_store(&error))?;
    let filter = Filter {
        user: Some(user.id),
        ..Filter::default()
    };
    let acts = audit::list(store, &filter, MOST_ACTS).await;
    let acts = acts.map_err(|error| of_store(&error))?;
    let has = door::factors_of(state, user.id).await?;
    let keys = keys.iter().map(|key| {
        json!({
            "id": key.id.to_string(), "name": key.name, "synced": key.passkey.is_synced(),
            "created_at": format!("{:.6}", key.created_at),
            "used_at": key.used_at.map(|at| format!("{at:.6}")),
        })
    });
    let body = json!({
        "account": me::described(state, &caller, &user).await?,
        "email_verified_at": user.email_verified_at.map(|at| format!("{at:.6}")),
        "updated_at": format!("{:.6}", user.updated_at),
        "totp": has.totp,
        "recovery_codes_left": has.recovery_codes,
        "passkeys": keys.collect::<Vec<Value>>(),
        "sessions": sessions.iter().map(of_session).collect::<Vec<Value>>(),
        "acts": acts.iter().map(|act| of_act(act, user.id)).collect::<Vec<Value>>(),
    });
    let mut answer = json_answer(StatusCode::OK, &body);
    let name = HeaderValue::from_static("attachment; filename=\"account.json\"");
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(answer)
}

fn of_session(session: &Session) -> Value {
    json!({
        "address": session.address, "user_agent": session.user_agent,
        "amr": session.evidence.amr(),
        "created_at": format!("{:.6}", session.created_at),
        "seen_at": format!("{:.6}", session.seen_at),
    })
}

/// Who else did something to the account is not told by name.
fn of_act(line: &Line, owner: Uuid) -> Value {
    let is_others = line.actor_id.is_some_and(|actor| actor != owner);
    let (actor, address) = match is_others {
        true => ("administrator", None),
        false => (line.actor.as_str(), line.address.as_deref()),
    };
    json!({
        "at": format!("{:.6}", line.at), "act": line.act, "actor": actor,
        "target": line.target, "address": address,
    })
}
