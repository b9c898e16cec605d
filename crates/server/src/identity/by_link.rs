//! The first step of a password that the server never sees, for who holds a link or a code: a lost
//! password is replaced, an invitation accepted, the first administrator made.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use credentials::token::Purpose as Link;
use serde_json::json;
use store::moments::Purpose;
use uuid::Uuid;

use super::act::{Proof, link_is_dead};
use super::body::{Fields, invalid};
use super::{administrator, cookie, opaque};
use crate::App;
use crate::app::State;
use crate::client::Asked;
use crate::error::{Answer, Refusal};

/// How long setting the password may take: people think about one.
const LIFE: Duration = Duration::from_mins(10);

/// `POST /auth/reset/start`
pub(crate) async fn reset(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    start(&app.0, &asked, &body, Link::ResetPassword).await
}

/// `POST /auth/invitations/start`
pub(crate) async fn invitation(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    start(&app.0, &asked, &body, Link::AcceptInvitation).await
}

/// `POST /auth/administrator/start`
pub(crate) async fn first(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    administrator::require(&app.0).await?;
    start(&app.0, &asked, &body, Link::FirstAdministrator).await
}

async fn start(state: &State, asked: &Asked, body: &[u8], link: Link) -> Answer {
    cookie::require_own_site(state, &asked.headers)?;
    let known = ["token", "email", "code", "registration_request"];
    let hint = "send {\"token\": …, \"registration_request\": …}";
    let mut fields = Fields::parse(body, &known, hint)?;
    let proof = Proof::read(&mut fields);
    let request = fields.some_text("registration_request");
    let (Some(proof), Some(request), true) = (proof, request, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let ticket = proof.ticket(state, link).await?.ok_or_else(link_is_dead)?;
    let user = match link {
        Link::ResetPassword => ticket.user.ok_or_else(link_is_dead)?,
        // An account that is to be made.
        _ => stdx::new_id(&state.clock, &state.rng),
    };
    let begun = opaque::begin_registration(state, user, &request)?;
    let content = json!({"state": begun.state});
    let id = opaque::keep(state, Purpose::OpaqueByLink, &content, LIFE).await?;
    Ok(begun.answer(&id))
}

/// Ends such a flow: whose record it is, and the record.
pub(super) async fn finish(
    state: &State,
    id: &str,
    record: credentials::opaque::RegistrationRecord,
) -> Result<(Uuid, credentials::opaque::OpaqueRecord), Refusal> {
    let content = opaque::take(state, Purpose::OpaqueByLink, id).await?;
    opaque::finish_registration(&content, record)
}
