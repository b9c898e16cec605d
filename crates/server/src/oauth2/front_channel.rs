//! Front-Channel Logout 1.0: clients are told in the browser that a session is over, by a frame for each
//! on the page after a logout.

use axum::http::Uri;
use oauth::ResponseMode;
use oauth::authorize::{Delivery, deliver};
use store::grants;

use super::clients;
use crate::app::State;
use crate::error::Refusal;
use crate::identity::of_store;

/// What a page loads so that a client knows.
pub(super) struct Frame {
    /// The client's address, with `iss` and the `sid` of its ID tokens (§3).
    pub(super) address: String,
    /// Its origin, which the page's policy lets in.
    pub(super) origin: String,
}

/// A frame for each login that was begun in a session, of clients that want to know; to be asked
/// before the session ends.
pub(super) async fn frames(state: &State, session: &str) -> Result<Vec<Frame>, Refusal> {
    let grants = grants::begun_in(&state.store, session).await;
    let mut frames = Vec::new();
    for grant in grants.map_err(|error| of_store(&error))? {
        let registered = clients::find(state, &grant.family.client_id).await?;
        let Some(uri) = registered.and_then(|one| one.front_channel_uri) else {
            continue;
        };
        frames.push(frame(state, &uri, &grant.id.to_string())?);
    }
    Ok(frames)
}

fn frame(state: &State, uri: &Uri, sid: &str) -> Result<Frame, Refusal> {
    let named = [("iss", state.settings.public_url.as_str()), ("sid", sid)];
    let scheme = uri.scheme_str().unwrap_or_default();
    let host = uri.authority().map_or("", |authority| authority.as_str());
    match deliver(&uri.to_string(), ResponseMode::Query, &named) {
        Delivery::Redirect(address) => Ok(Frame {
            address,
            origin: format!("{scheme}://{host}"),
        }),
        Delivery::Form { .. } => Err(Refusal::internal("logout", &"a query is no form")),
    }
}
