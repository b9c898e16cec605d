//! `/oauth2/logout` (RP-Initiated Logout): a client sends the browser here to end its session.

use axum::body::Bytes;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{Method, header};
use oauth::authorize::{Delivery, deliver};
use oauth::{Parameters, ResponseMode, decode_id_token_hint};
use store::{grants, sessions};

use super::back_channel::{self, Ended};
use super::clients::{self, Registered};
use super::{authorize, front_channel, page};
use crate::App;
use crate::app::State;
use crate::auth::{Held, held_session};
use crate::client::Asked;
use crate::error::Answer;
use crate::error::Refusal;
use crate::identity::{cookie, of_store};

/// `GET /oauth2/logout`
pub(crate) async fn get(
    Shared(app): Shared<App>,
    RawQuery(query): RawQuery,
    asked: Asked,
) -> Answer {
    let text = query.unwrap_or_default();
    log_out(&app.0, &asked, &text).await
}

/// `POST /oauth2/logout`
pub(crate) async fn post(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let text = String::from_utf8_lossy(&body);
    log_out(&app.0, &asked, &text).await
}

/// What a request to log out means.
struct Wish {
    /// The client that sends the browser.
    registered: Option<Registered>,
    /// Whom it means, as it knows them.
    subject: Option<String>,
    /// Where the browser goes afterwards: one of the client's own addresses.
    then: Option<String>,
}

async fn log_out(state: &State, asked: &Asked, text: &str) -> Answer {
    let parameters = match Parameters::from_form(text) {
        Ok(parameters) if !parameters.has_twice() => parameters,
        Ok(_) | Err(_) => {
            return Ok(page::problem(
                "invalid_request",
                "the request cannot be read",
            ));
        }
    };
    let wish = match wish(state, &parameters).await? {
        Ok(wish) => wish,
        Err(problem) => return Ok(page::problem("invalid_request", problem)),
    };
    let Some(held) = held_session(state, &Method::GET, &asked.headers).await? else {
        return leave(&wish, &parameters);
    };
    // §2: without a hint that it is this person's own, they are asked.
    let is_own = match (&wish.registered, &wish.subject) {
        (Some(registered), Some(subject)) => {
            registered.subject(state, held.session.user) == *subject
        }
        (_, _) => false,
    };
    let token = parameters.get("csrf_token");
    let has_agreed = token.is_some_and(|token| state.csrf.accepts(&held.id, token));
    if !is_own && !has_agreed {
        let token = state.csrf.token(&held.id, &state.rng);
        let mut fields = vec![("csrf_token", token.expose().as_str())];
        for name in [
            "client_id",
            "post_logout_redirect_uri",
            "state",
            "id_token_hint",
        ] {
            if let Some(value) = parameters.get(name) {
                fields.push((name, value));
            }
        }
        return Ok(page::log_out(state.pages.base(), &fields));
    }
    let frames = front_channel::frames(state, &held.session.id).await?;
    end(state, &held).await?;
    let mut answer = match frames.is_empty() {
        true => leave(&wish, &parameters)?,
        false => {
            let then = place(&wish, &parameters)?;
            page::telling(state.pages.base(), &frames, then.as_deref())?
        }
    };
    let cookie = cookie::taken(state)?;
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// Ends a session, and with it what clients were let do for its time.
async fn end(state: &State, held: &Held) -> Result<(), Refusal> {
    let id = &held.session.id;
    let mut unit = vec![
        sessions::delete_step(&state.store, id),
        grants::revoke_of_session_step(&state.store, id),
    ];
    unit.extend(back_channel::steps(state, Ended::Session(id)).await?);
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&error.into()))?;
    state.outbox.notify_waiters();
    Ok(())
}

/// Reads the request; the text says what is wrong with it.
async fn wish(
    state: &State,
    parameters: &Parameters,
) -> Result<Result<Wish, &'static str>, Refusal> {
    let hint = match parameters.get("id_token_hint") {
        None => None,
        Some(token) => {
            let keys = state.keys.verifying();
            match decode_id_token_hint(token, &keys, &state.settings.public_url) {
                Ok(claims) => Some(claims),
                Err(_) => return Ok(Err("id_token_hint is no ID token of this issuer")),
            }
        }
    };
    let named = parameters.get("client_id");
    let hinted = hint.as_ref().map(|claims| claims.aud.as_str());
    if let (Some(named), Some(hinted)) = (named, hinted)
        && named != hinted
    {
        return Ok(Err("id_token_hint is another client's"));
    }
    let registered = match named.or(hinted) {
        None => None,
        Some(id) => clients::find(state, id).await?,
    };
    let then = parameters.get("post_logout_redirect_uri");
    let allowed = registered
        .iter()
        .flat_map(|one| &one.client.post_logout_redirect_uris);
    if let Some(then) = then
        && !allowed.clone().any(|own| own == then)
    {
        return Ok(Err(
            "post_logout_redirect_uri is none that the client has registered",
        ));
    }
    Ok(Ok(Wish {
        registered,
        subject: hint.map(|claims| claims.sub),
        then: then.map(str::to_owned),
    }))
}

fn leave(wish: &Wish, parameters: &Parameters) -> Answer {
    match place(wish, parameters)? {
        None => Ok(page::logged_out()),
        Some(address) => authorize::redirect(&address),
    }
}

/// Where the browser goes afterwards, with the client's `state`.
fn place(wish: &Wish, parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let Some(then) = &wish.then else {
        return Ok(None);
    };
    let state = parameters.get("state");
    let parameters: Vec<(&str, &str)> = state.map(|state| ("state", state)).into_iter().collect();
    match deliver(then, ResponseMode::Query, &parameters) {
        Delivery::Redirect(address) => Ok(Some(address)),
        Delivery::Form { .. } => Err(Refusal::internal("logout", &"a query is no form")),
    }
}
