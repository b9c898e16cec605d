//! `/oauth2/device_authorization` and `/oauth2/device` (RFC 8628): a device without a browser asks for
//! a code, and a person types it where they are signed in and says yes or no.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::token::DeviceCode;
use oauth::authorize::{Delivery, deliver, resources_of, scopes_of};
use oauth::client::Grant as GrantType;
use oauth::device::{new_user_code, read_user_code, shown_user_code};
use oauth::{Parameters, ResponseMode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sql::DbError;
use store::audit::Act;
use store::devices::{self, Device, NewDevice};
use store::grants::NewGrant;
use store::moments::Purpose;

use super::client_auth::{authenticate, parameters};
use super::clients::{self, Registered};
use super::error::{invalid_request, named};
use super::issue::{self, Granted};
use crate::App;
use crate::app::State;
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::identity::body::{Fields, invalid};
use crate::identity::session::Owner;
use crate::identity::{door, json_answer, of_store};

/// How long somebody may take to fetch a phone, sign in and type.
const LIFE: Duration = Duration::from_mins(10);

/// How long a device waits between two questions, seconds (RFC 8628 §3.2).
const INTERVAL: i64 = 5;

/// How often a new code for people is drawn because another device has the same one.
const DRAWS: usize = 4;

/// What a device asks for, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wanted {
    scopes: Vec<String>,
    resources: Vec<String>,
}

/// `POST /oauth2/device_authorization` (RFC 8628 §3.1)
pub(crate) async fn begin(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    let parameters = parameters(&asked.headers, &body)?;
    let registered = authenticate(state, &asked.headers, &parameters).await?;
    if parameters.has_twice() {
        return Err(invalid_request("a parameter stands twice"));
    }
    if !registered.client.may_use(GrantType::DeviceCode) {
        let text = "the client may not use the grant device_code";
        let status = StatusCode::BAD_REQUEST;
        return Err(named(status, "unauthorized_client", text, false));
    }
    let wanted = wanted(state, &registered, &parameters)?;
    let code = DeviceCode::generate(&state.rng);
    let user_code = keep(state, &registered, &wanted, &code).await?;
    let shown = shown_user_code(&user_code);
    let place = place(state);
    let complete = with_query(&place, &[("user_code", &shown)])?;
    let body = json!({
        "device_code": code.to_text().expose(),
        "user_code": shown,
        "verification_uri": place,
        "verification_uri_complete": complete,
        "expires_in": LIFE.as_secs(),
        "interval": INTERVAL,
    });
    Ok(json_answer(StatusCode::OK, &body))
}

fn wanted(
    state: &State,
    registered: &Registered,
    parameters: &Parameters,
) -> Result<Wanted, Refusal> {
    let refused = |name, text: &str| named(StatusCode::BAD_REQUEST, name, text, false);
    let known = state.settings.oauth.known_scopes();
    let scope = parameters.get("scope").unwrap_or_default();
    let scopes = scopes_of(&registered.client, &known, scope);
    let resources: Vec<&str> = parameters.all("resource").collect();
    let resources = resources_of(&registered.client, &resources);
    Ok(Wanted {
        scopes: scopes.map_err(|text| refused("invalid_scope", text))?,
        resources: resources.map_err(|text| refused("invalid_target", text))?,
    })
}

/// Lets the device wait; gives the code that people type.
async fn keep(
    state: &State,
    registered: &Registered,
    wanted: &Wanted,
    code: &DeviceCode,
) -> Result<String, Refusal> {
    let content = serde_json::to_string(wanted);
    let content = content.map_err(|error| Refusal::internal("a device", &error))?;
    for _ in 0..DRAWS {
        let device = NewDevice {
            code: code.hash(),
            user_code: new_user_code(&state.rng),
            client_id: registered.client.id.clone(),
            content: content.clone(),
            interval: INTERVAL,
            expires_at: issue::later(state.clock.now(), LIFE),
        };
        let kept = devices::insert(&state.store, &device).await;
        if kept.map_err(|error| of_store(&error))? {
            return Ok(device.user_code);
        }
    }
    Err(Refusal::internal("a device", &"every code is taken"))
}

/// Where people type the code: the page of ours, or the operator's.
fn place(state: &State) -> String {
    let page = &state.settings.oauth.device_url;
    match page.starts_with('/') {
        true => format!("{}{page}", state.settings.public_url),
        false => page.clone(),
    }
}

fn with_query(place: &str, parameters: &[(&str, &str)]) -> Result<String, Refusal> {
    match deliver(place, ResponseMode::Query, parameters) {
        Delivery::Redirect(address) => Ok(address),
        Delivery::Form { .. } => Err(Refusal::internal("device", &"a query is no form")),
    }
}

/// Where somebody signs in to come back to the page with what stands in its address.
pub(crate) fn to_login(state: &State, user_code: Option<&str>) -> Result<String, Refusal> {
    let own = format!("{}/oauth2/device", state.pages.base());
    let given: Vec<(&str, &str)> = user_code
        .map(|code| ("user_code", code))
        .into_iter()
        .collect();
    let next = with_query(&own, &given)?;
    let page = &state.settings.oauth.login_url;
    let page = match page.starts_with('/') {
        true => format!("{}{page}", state.pages.base()),
        false => page.clone(),
    };
    with_query(&page, &[("next", &next)])
}

/// A device that waits, and the client that it is.
struct Found {
    device: Device,
    wanted: Wanted,
    registered: Registered,
}

/// `POST /oauth2/device`: what the device asks for whose code that is. It changes nothing.
pub(crate) async fn show(Shared(app): Shared<App>, owner: Owner, body: Bytes) -> Answer {
    let state = &app.0;
    let hint = "send {\"user_code\": \"BCDF-GHJK\"}";
    let mut fields = Fields::parse(&body, &["user_code"], hint)?;
    let typed = fields.some_text("user_code").unwrap_or_default();
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    let (code, found) = find(state, &owner, &typed).await?;
    let client = &found.registered.client;
    let body = json!({
        "user_code": shown_user_code(&code),
        "client": {"id": client.id, "name": client.name},
        "scopes": found.wanted.scopes,
        "user": {"id": owner.user.id.to_string(), "email": owner.user.email.as_str()},
    });
    Ok(json_answer(StatusCode::OK, &body))
}

/// `POST /oauth2/device/decision`: `{"user_code": …, "decision": "allow"}` or `"deny"`.
pub(crate) async fn decide(Shared(app): Shared<App>, owner: Owner, body: Bytes) -> Answer {
    let state = &app.0;
    let hint = "send {\"user_code\": \"BCDF-GHJK\", \"decision\": \"allow\"}";
    let mut fields = Fields::parse(&body, &["user_code", "decision"], hint)?;
    let typed = fields.some_text("user_code").unwrap_or_default();
    let decision = fields.some_text("decision").unwrap_or_default();
    if !fields.faults.is_empty() {
        return Err(invalid(fields.faults));
    }
    if !matches!(decision.as_str(), "allow" | "deny") {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Refusal::new(status, "22000", "decision is allow or deny").hint(hint));
    }
    let (_, found) = find(state, &owner, &typed).await?;
    let (act, mut unit) = match decision.as_str() {
        "allow" => {
            let grant = grant(state, &owner, &found)?;
            let steps = devices::approve_steps(&state.store, &found.device, &grant);
            (Act::DeviceApproved, steps)
        }
        _ => {
            let step = devices::deny_step(&state.store, &found.device);
            (Act::DeviceDenied, vec![step])
        }
    };
    let client = &found.registered.client.id;
    let details = json!({"client": client, "scopes": found.wanted.scopes});
    unit.push(owner.audit_step_with(state, act, &details));
    match state.db.write(unit).await {
        Ok(_) => Ok(json_answer(StatusCode::OK, &json!({"decision": decision}))),
        // Somebody else has answered, or its time is over.
        Err(DbError::Unexpected { .. }) => Err(unknown()),
        Err(error) => Err(of_store(&error.into())),
    }
}

/// What a device may do from now on. It is another place than the browser in which somebody said yes,
/// so it does not end with that browser's session.
fn grant(state: &State, owner: &Owner, found: &Found) -> Result<NewGrant, Refusal> {
    let session = &owner.held.session;
    let wanted = &found.wanted;
    let granted = Granted::plain(&wanted.scopes, &wanted.resources, &session.evidence);
    Ok(NewGrant {
        id: stdx::new_id(&state.clock, &state.rng),
        client_id: found.registered.client.id.clone(),
        user: session.user,
        session: None,
        begun_in: None,
        epoch: session.epoch,
        content: issue::as_text(&granted)?,
        expires_at: issue::later(state.clock.now(), state.settings.oauth.refresh_life),
    })
}

/// The device that waits under what somebody typed, and its code. A guess is counted before it is
/// looked at, for the address and for the account (RFC 8628 §5.1); a right one is taken back and
/// makes no wrong one undone.
async fn find(state: &State, owner: &Owner, typed: &str) -> Result<(String, Found), Refusal> {
    let throttle = &state.settings.identity.throttle;
    let household = owner.asked.client.household();
    let address = household.map(|household| format!("address {household}"));
    let account = format!("account {}", owner.user.id);
    if let Some(address) = &address {
        let most = throttle.address_attempts;
        door::knock(state, Purpose::DeviceGuess, address, most).await?;
    }
    let most = throttle.login_attempts;
    let knocked = door::knock(state, Purpose::DeviceGuess, &account, most).await;
    if let Err(refusal) = knocked {
        forgive(state, address.as_deref()).await?;
        return Err(refusal);
    }
    let code = read_user_code(typed).ok_or_else(unknown)?;
    let device = devices::waiting(&state.store, &code).await;
    let device = device
        .map_err(|error| of_store(&error))?
        .ok_or_else(unknown)?;
    let registered = clients::find(state, &device.waiting.client_id).await?;
    let registered = registered.ok_or_else(unknown)?;
    let wanted = serde_json::from_str(&device.content)
        .map_err(|error| Refusal::internal("a device", &error))?;
    forgive(state, address.as_deref()).await?;
    forgive(state, Some(&account)).await?;
    let found = Found {
        device,
        wanted,
        registered,
    };
    Ok((code, found))
}

async fn forgive(state: &State, name: Option<&str>) -> Result<(), Refusal> {
    let Some(name) = name else {
        return Ok(());
    };
    let counted = state.moments.count_down(Purpose::DeviceGuess, name).await;
    counted.map_err(|error| of_store(&error))
}

fn unknown() -> Refusal {
    let text = "no device waits under this code, or it does no longer";
    Refusal::new(StatusCode::BAD_REQUEST, "user_code_unknown", text)
        .hint("begin again on the device")
}
