//! Back-Channel Logout 1.0: clients are told by the server that somebody's login there is over.
//!
//! What is to be told is a row of the outbox, written with the act itself. A client knows the login by
//! the `sid` of its ID tokens, which is the id of its grant: it stays the same when the browser's session
//! is replaced by a better one.

use std::collections::BTreeMap;

use axum::http::Uri;
use jiff::Timestamp;
use oauth::{LoggedOut, LogoutTokenClaims, encode_logout_token};
use serde::{Deserialize, Serialize};
use sql::Step;
use store::deliveries;
use store::grants::{self, Grant};
use uuid::Uuid;

use super::clients::{self, Registered};
use super::issue;
use crate::app::State;
use crate::error::Refusal;
use crate::identity::of_store;

/// The name of such deliveries in the outbox, and of their event.
pub const LOGOUTS: &str = "oauth.logouts";
const EVENT: &str = "logout";

/// How long a logout token is good, seconds (§2.4: two minutes are recommended).
const LIFE: i64 = 120;

/// What ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended<'e> {
    /// A session of a browser, and what was begun in it.
    Session(&'e str),
    /// Everything of a user.
    User(Uuid),
    /// What a user let one client do.
    Client(Uuid, &'e str),
}

/// What a client is told, as it stands in the outbox.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    client_id: String,
    /// The user, as the client knows them.
    sub: String,
    sid: String,
}

/// A logout token on its way, and where to.
pub(crate) struct Notice {
    pub(crate) uri: Uri,
    pub(crate) token: String,
}

/// The steps that put into the outbox what clients are to be told, for the unit of the act.
pub(crate) async fn steps(state: &State, ended: Ended<'_>) -> Result<Vec<Step>, Refusal> {
    let store = &state.store;
    let grants = match ended {
        Ended::Session(id) => grants::begun_in(store, id).await,
        Ended::User(user) | Ended::Client(user, _) => grants::of_user(store, user).await,
    };
    let grants = grants.map_err(|error| of_store(&error))?;
    let is_meant = |grant: &Grant| match ended {
        Ended::Client(_, client_id) => grant.family.client_id == client_id,
        Ended::Session(_) | Ended::User(_) => true,
    };
    let mut known: BTreeMap<String, Option<Registered>> = BTreeMap::new();
    let mut unit = Vec::new();
    let event = stdx::new_id(&state.clock, &state.rng);
    for grant in grants.into_iter().filter(is_meant) {
        let id = grant.family.client_id;
        if !known.contains_key(&id) {
            known.insert(id.clone(), clients::find(state, &id).await?);
        }
        let wants = |registered: &&Registered| registered.back_channel_uri.is_some();
        let Some(registered) = known.get(&id).and_then(Option::as_ref).filter(wants) else {
            continue;
        };
        let told = Told {
            sub: registered.subject(state, grant.user),
            sid: grant.id.to_string(),
            client_id: id,
        };
        let text =
            serde_json::to_string(&told).map_err(|error| Refusal::internal("a logout", &error))?;
        unit.push(deliveries::insert_step(store, event, EVENT, LOGOUTS, &text));
    }
    Ok(unit)
}

/// The logout token for what stands in the outbox, signed now; `id` is the same at every attempt.
/// `None`: the client is gone, or wants to be told no more.
pub(crate) async fn notice(
    state: &State,
    message: &str,
    id: Uuid,
    now: Timestamp,
) -> Result<Option<Notice>, Refusal> {
    let told: Told = serde_json::from_str(message)
        .map_err(|error| Refusal::internal("a logout in the outbox", &error))?;
    let Some(registered) = clients::find(state, &told.client_id).await? else {
        return Ok(None);
    };
    let Some(uri) = registered.back_channel_uri else {
        return Ok(None);
    };
    let now = now.as_second();
    let claims = LogoutTokenClaims {
        iss: state.settings.public_url.clone(),
        aud: told.client_id,
        iat: now,
        exp: now + LIFE,
        jti: id.to_string(),
        whom: LoggedOut::Session {
            sid: told.sid,
            sub: Some(told.sub),
        },
    };
    // §2.4: signed as the client's ID tokens are.
    let algorithm = issue::algorithm(registered.client.signing.id_token);
    let keys = state.signing_keys(algorithm).await?;
    let key = issue::signing(&keys, algorithm)?;
    let token = encode_logout_token(&claims, key)
        .map_err(|error| Refusal::internal("a logout token", &error))?;
    Ok(Some(Notice { uri, token }))
}
