//! `/auth/me`: what an account says of itself.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use store::users;

use super::{json_answer, of_store};
use crate::App;
use crate::auth::authenticate_owner;
use crate::error::{Answer, Refusal};

/// `GET /auth/me`
pub(crate) async fn me(Shared(app): Shared<App>, headers: HeaderMap) -> Answer {
    let state = &app.0;
    let caller = authenticate_owner(state, &Method::GET, &headers).await?;
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
    let names: Vec<String> = caller.roles.names().map(ToString::to_string).collect();
    Ok(json_answer(
        StatusCode::OK,
        &json!({
            "id": user.id.to_string(), "email": user.email.as_str(), "username": user.username,
            "first_name": user.first_name, "last_name": user.last_name,
            "display_name": user.display_name, "roles": names,
            "created_at": format!("{:.6}", user.created_at),
        }),
    ))
}
