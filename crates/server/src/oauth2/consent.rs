//! `/oauth2/consent/{flow}`: what a client asks a person for, and what the person says.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;
use store::audit::Act;
use store::consents;

use super::authorize::{checked_flow, resume_path};
use super::flow;
use crate::App;
use crate::app::State;
use crate::error::{Answer, Refusal};
use crate::identity::body::{Fields, invalid};
use crate::identity::session::Owner;
use crate::identity::{json_answer, of_store};

/// What a client asks for, for the page.
pub(crate) struct Asking {
    /// Its name.
    pub(crate) client: String,
    pub(crate) scopes: Vec<String>,
    /// The host that the person comes to afterwards.
    pub(crate) place: String,
    /// Where the request goes on.
    pub(crate) resume: String,
}

/// What a client asks for in that flow, which this browser has begun.
pub(crate) async fn asking(
    state: &State,
    headers: &HeaderMap,
    id: &str,
) -> Result<Asking, Refusal> {
    let (_, checked) = checked_flow(state, headers, id).await?;
    let address = &checked.request.redirect_uri;
    let (scheme, rest) = address.split_once("://").unwrap_or((address, ""));
    let host = rest
        .split(['/', '?'])
        .next()
        .filter(|host| !host.is_empty());
    Ok(Asking {
        client: checked.registered.client.name,
        scopes: checked.request.scopes,
        place: host.unwrap_or(scheme).to_owned(),
        resume: resume_path(state, id),
    })
}

/// `GET /oauth2/consent/{flow}`: for the page that asks.
pub(crate) async fn show(Shared(app): Shared<App>, Path(id): Path<String>, owner: Owner) -> Answer {
    let state = &app.0;
    let (_, checked) = checked_flow(state, &owner.asked.headers, &id).await?;
    let client = &checked.registered.client;
    let agreed = agreed(state, &owner, &client.id).await?;
    let body = json!({
        "client": {"id": client.id, "name": client.name},
        "scopes": checked.request.scopes,
        "agreed_scopes": agreed,
        "redirect_uri": checked.request.redirect_uri,
        "user": {"id": owner.user.id.to_string(), "email": owner.user.email.as_str()},
    });
    Ok(json_answer(StatusCode::OK, &body))
}

/// What somebody has agreed to before.
async fn agreed(state: &State, owner: &Owner, client_id: &str) -> Result<Vec<String>, Refusal> {
    let known = consents::find(&state.store, owner.user.id, client_id).await;
    let known = known.map_err(|error| of_store(&error))?;
    Ok(known.map(|consent| consent.scopes).unwrap_or_default())
}

/// `POST /oauth2/consent/{flow}`: `{"decision": "allow"}` or `"deny"`.
pub(crate) async fn decide(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    owner: Owner,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let hint = "send {\"decision\": \"allow\"}";
    let mut fields = Fields::parse(&body, &["decision"], hint)?;
    let decision = fields.some_text("decision");
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    let (mut flow, checked) = checked_flow(state, &owner.asked.headers, &id).await?;
    match decision.as_deref() {
        Some("allow") => {
            let (client, scopes) = (&checked.registered.client, &checked.request.scopes);
            let mut all = agreed(state, &owner, &client.id).await?;
            all.extend(
                scopes
                    .iter()
                    .filter(|scope| !all.contains(scope))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            let mut unit = consents::agree_steps(&state.store, owner.user.id, &client.id, &all);
            let details = json!({"client": client.id, "scopes": scopes});
            unit.push(owner.audit_step_with(state, Act::ConsentGiven, &details));
            let written = state.db.write(unit).await;
            written.map_err(|error| of_store(&error.into()))?;
        }
        Some("deny") => {
            flow.is_denied = true;
            flow::put(state, &id, &flow).await?;
        }
        Some(_) | None => {
            return Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "22000",
                "decision is allow or deny",
            )
            .hint(hint));
        }
    }
    let next = resume_path(state, &id);
    Ok(json_answer(StatusCode::OK, &json!({"next": next})))
}
