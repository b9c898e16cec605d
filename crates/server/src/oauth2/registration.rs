//! `/oauth2/register` (RFC 7591, RFC 7592): programs register themselves as clients, where the operator
//! lets them, and change or remove what they have registered.

mod metadata;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Response, StatusCode, header};
use credentials::token::{ClientSecret, RegistrationToken, RegistrationUse};
use serde_json::{Map, Value, json};
use sql::{DbError, Step};
use store::audit::{self, Act, Actor, Entry, Target};
use store::client_invitations;
use store::clients::{self, ClientRecord};
use store::moments::Purpose;

use self::metadata::{Accepted, accepted};
use super::clients::check_client_record;
use super::error::{invalid_request, named};
use super::settings::RegistrationMode as Mode;
use crate::App;
use crate::app::State;
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::identity::{door, json_answer, of_store};

/// How many registrations one address may try before it has to pause.
const MOST: u32 = 20;

/// A client as it is kept, and what its program alone is told.
struct Made {
    record: ClientRecord,
    accepted: Accepted,
    secret: Option<ClientSecret>,
    token: RegistrationToken,
}

/// `POST /oauth2/register` (RFC 7591 §3.1)
pub(crate) async fn register(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    let mode = state.settings.oauth.registration;
    if mode == Mode::Off {
        let text = "clients do not register themselves here";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "PGRST125", text));
    }
    if let Some(household) = asked.client.household() {
        door::knock(state, Purpose::ClientRegistration, &household, MOST).await?;
    }
    let invitation = match (mode, bearer(&asked.headers)?) {
        (Mode::Token, None) => return Err(unauthorized("a token of `client invite` is needed")),
        (Mode::Token, Some(token)) => Some(token.hash(RegistrationUse::Register)),
        (Mode::Open | Mode::Off, _) => None,
    };
    let accepted = accepted(state, &asked.headers, &body)?;
    let made = make(state, accepted)?;
    let mut unit = Vec::new();
    if let Some(invitation) = &invitation {
        unit.push(client_invitations::use_step(&state.store, invitation));
    }
    unit.push(clients::insert_step(&state.store, &made.record));
    unit.push(noted(state, &asked, Act::ClientRegistered, &made.record));
    match state.db.write(unit).await {
        Ok(_) => Ok(made.answer(state, StatusCode::CREATED)),
        Err(DbError::Unexpected { .. }) => Err(unauthorized("the token is not good, or used up")),
        Err(error) => Err(of_store(&error.into())),
    }
}

/// `GET /oauth2/register/{client_id}` (RFC 7592 §2.1)
pub(crate) async fn show(Shared(app): Shared<App>, Path(id): Path<String>, asked: Asked) -> Answer {
    let state = &app.0;
    let (record, _) = own(state, &asked, &id).await?;
    let told = metadata::kept(&record)?;
    Ok(json_answer(StatusCode::OK, &about(state, &record, told)))
}

/// `PUT /oauth2/register/{client_id}` (RFC 7592 §2.2): all that is said of the client, anew. Its
/// registration token is replaced, and its secret where it needs another kind.
pub(crate) async fn change(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    asked: Asked,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    let (before, token) = own(state, &asked, &id).await?;
    let said: Map<String, Value> =
        serde_json::from_slice(&body).map_err(|_| invalid_request("the body is no JSON object"))?;
    // §2.2: the client says who it is, and nothing of what the server alone says.
    if said.get("client_id").and_then(Value::as_str) != Some(&id) {
        return Err(invalid_request("client_id is missing, or another one"));
    }
    for name in OF_THE_SERVER {
        if said.contains_key(name) {
            return Err(invalid_request(&format!(
                "{name} is not the client's to say"
            )));
        }
    }
    if let Some(secret) = said.get("client_secret") {
        let secret = secret.as_str().unwrap_or_default().to_owned();
        let secret = ClientSecret::of_text(stdx::Secret::new(secret));
        if !before.accepts(&secret, state.clock.now()) {
            return Err(invalid_request("client_secret is not the client's own"));
        }
    }
    let accepted = accepted(state, &asked.headers, &body)?;
    let mut made = make(state, accepted)?;
    made.record.id.clone_from(&before.id);
    made.record.created_at = before.created_at;
    if before.secret.is_some() && made.secret.is_some() {
        // It has a secret and goes on with it.
        made.record.secret.clone_from(&before.secret);
        made.secret = None;
    }
    check(state, &made.record)?;
    let seen = token.hash(RegistrationUse::Manage);
    let unit = vec![
        clients::replace_step(&state.store, &made.record, &seen),
        noted(state, &asked, Act::ClientChanged, &made.record),
    ];
    match state.db.write(unit).await {
        Ok(_) => Ok(made.answer(state, StatusCode::OK)),
        // Somebody else was faster, and has the new token.
        Err(DbError::Unexpected { .. }) => Err(unauthorized("the token is not good, or no longer")),
        Err(error) => Err(of_store(&error.into())),
    }
}

/// What the server says of a client, and no client of itself (RFC 7592 §2.2).
const OF_THE_SERVER: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// `DELETE /oauth2/register/{client_id}` (RFC 7592 §2.3): with everything that users let it do.
pub(crate) async fn remove(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    asked: Asked,
) -> Answer {
    let state = &app.0;
    let (record, _) = own(state, &asked, &id).await?;
    let mut unit = clients::delete_steps(&state.store, &record.id);
    unit.push(noted(state, &asked, Act::ClientRemoved, &record));
    match state.db.write(unit).await {
        Ok(_) => {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            let kept = axum::http::HeaderValue::from_static("no-store");
            answer.headers_mut().insert(header::CACHE_CONTROL, kept);
            Ok(answer)
        }
        Err(DbError::Unexpected { .. }) => Err(unauthorized("the token is not good, or no longer")),
        Err(error) => Err(of_store(&error.into())),
    }
}

/// A new client out of what was accepted, with a secret where it needs one.
fn make(state: &State, accepted: Accepted) -> Result<Made, Refusal> {
    let secret = accepted
        .needs_secret
        .then(|| ClientSecret::generate(&state.rng));
    let token = RegistrationToken::generate(&state.rng);
    let now = state.clock.now();
    let record = ClientRecord {
        id: stdx::new_id(&state.clock, &state.rng).to_string(),
        metadata: Value::Object(accepted.members.clone()).to_string(),
        secret: secret.as_ref().map(ClientSecret::hash),
        previous: None,
        is_first_party: false,
        role: None,
        registration: Some(token.hash(RegistrationUse::Manage)),
        used_at: None,
        created_at: now,
        updated_at: now,
    };
    check(state, &record)?;
    Ok(Made {
        record,
        accepted,
        secret,
        token,
    })
}

fn check(state: &State, record: &ClientRecord) -> Result<(), Refusal> {
    check_client_record(&state.settings.public_url, record)
        .map_err(|error| metadata::refused(&error.to_string()))
}

impl Made {
    /// What the program is told, this once (RFC 7591 §3.2.1, RFC 7592 §3).
    fn answer(self, state: &State, status: StatusCode) -> Response<Body> {
        let mut body = about(state, &self.record, self.accepted.members);
        body["registration_access_token"] = json!(self.token.to_text().expose());
        if let Some(secret) = &self.secret {
            body["client_secret"] = json!(secret.to_text().expose());
            body["client_secret_expires_at"] = json!(0);
        }
        json_answer(status, &body)
    }
}

/// What is told of a client each time.
fn about(state: &State, record: &ClientRecord, members: Map<String, Value>) -> Value {
    let mut about = members;
    let id = record.id.as_str();
    let place = format!("{}/oauth2/register/{id}", state.settings.public_url);
    about.insert(String::from("client_id"), id.into());
    about.insert(
        String::from("client_id_issued_at"),
        record.created_at.as_second().into(),
    );
    about.insert(String::from("registration_client_uri"), place.into());
    Value::Object(about)
}

/// The client of that id, whose token the request brings. One that is not there is refused like one of
/// somebody else's (RFC 7592 §2.1).
async fn own(
    state: &State,
    asked: &Asked,
    id: &str,
) -> Result<(ClientRecord, RegistrationToken), Refusal> {
    let refused = || unauthorized("the token is not good for this client");
    let token = bearer(&asked.headers)?.ok_or_else(refused)?;
    let found = clients::find(&state.store, id).await;
    let record = found
        .map_err(|error| of_store(&error))?
        .ok_or_else(refused)?;
    let hash = token.hash(RegistrationUse::Manage);
    match record.registration.as_ref() {
        Some(own) if own.is_same(&hash) => Ok((record, token)),
        Some(_) | None => Err(refused()),
    }
}

/// The token of the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Result<Option<RegistrationToken>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Err(invalid_request("there are two Authorization headers")),
    };
    let text = value.to_str().ok().and_then(|text| text.split_once(' '));
    let token = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = token.and_then(|(_, token)| RegistrationToken::parse(token).ok());
    token
        .map(Some)
        .ok_or_else(|| unauthorized("the token is not good, or no longer"))
}

fn unauthorized(text: &str) -> Refusal {
    let mut refusal = Refusal::unauthorized("invalid_token", text);
    refusal.oauth = Some("invalid_token");
    refusal
}

fn noted(state: &State, asked: &Asked, act: Act, record: &ClientRecord) -> Step {
    let entry = Entry {
        act,
        actor: Actor::Anonymous,
        target: Target::default(),
        address: asked.client.address_text(),
        request_id: Some(asked.client.request_id.clone()),
        details: Some(json!({"client": record.id}).to_string()),
    };
    audit::insert_step(&state.store, &entry)
}

/// An error of RFC 7591 §3.2.2.
fn of_registration(name: &'static str, text: &str) -> Refusal {
    named(StatusCode::BAD_REQUEST, name, text, false)
}

/// Removes clients that registered themselves and that nobody uses; each stands in the audit log.
pub(crate) async fn purge(state: &State) -> store::StoreResult<()> {
    let unused = state.settings.oauth.registration_unused;
    for id in clients::unused(&state.store, unused).await? {
        let entry = Entry {
            act: Act::ClientExpired,
            actor: Actor::Anonymous,
            target: Target::default(),
            address: None,
            request_id: None,
            details: Some(json!({"client": id}).to_string()),
        };
        let mut unit = clients::delete_steps(&state.store, &id);
        unit.push(audit::insert_step(&state.store, &entry));
        match state.db.write(unit).await {
            Ok(_) => tracing::info!(client = id, "a client that nobody used was removed"),
            // Another process was faster.
            Err(DbError::Unexpected { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    store::client_invitations::purge(&state.store).await?;
    Ok(())
}
