//! `/auth/opaque/…`: passwords that the server never sees (RFC 9807), each way in two steps.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use credentials::EmailAddress;
use credentials::assurance::{Evidence, Method};
use credentials::opaque::{
    KeyStretching, LoginFinish, LoginRequest, LoginState, OpaqueError, OpaqueRecord,
    RegistrationRecord, RegistrationRequest, RegistrationState,
};
use serde_json::{Value, json};
use store::moments::Purpose;
use store::opaque;
use store::users::{self, LoginName, NewUser, User};
use uuid::Uuid;

use super::act::Acting;
use super::body::{Fields, invalid};
use super::door::{self, Attempt, Guest, flow_id, refused, unknown_flow};
use super::register;
use super::secret::NewSecret;
use super::{cookie, json_answer, of_store};
use crate::App;
use crate::app::State;
use crate::client::Asked;
use crate::error::{Answer, Refusal};

/// How long a login may take between its steps.
const LOGIN_LIFE: Duration = Duration::from_mins(1);
/// How long setting a password may take: the client may ask for names in between.
const REGISTRATION_LIFE: Duration = Duration::from_mins(10);

/// What a client does with a password before it uses it, for new records and for nobody's.
const STRETCHING: KeyStretching = KeyStretching::DEFAULT;

/// `POST /auth/opaque/register/start`. Says nothing of whether the address is taken.
pub(crate) async fn register_start(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    cookie::require_own_site(state, &asked.headers)?;
    register::require_open(state)?;
    let hint = "send {\"email\": …, \"registration_request\": …}";
    let mut fields = Fields::parse(&body, &["email", "registration_request"], hint)?;
    let email = fields.required("email", |text| EmailAddress::parse(&text));
    let request = fields.some_text("registration_request");
    let (Some(email), Some(request), true) = (email, request, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let user = stdx::new_id(&state.clock, &state.rng);
    let begun = begin_registration(state, user, &request)?;
    let content = json!({"email": email.as_str(), "state": begun.state});
    let id = keep(
        state,
        Purpose::OpaqueRegistration,
        &content,
        REGISTRATION_LIFE,
    )
    .await?;
    Ok(begun.answer(&id))
}

/// `POST /auth/opaque/register/finish`
pub(crate) async fn register_finish(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    cookie::require_own_site(state, &asked.headers)?;
    register::require_open(state)?;
    let known = [
        "registration_id",
        "registration_record",
        "username",
        "first_name",
        "last_name",
        "display_name",
    ];
    let hint = "send {\"registration_id\": …, \"registration_record\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let id = fields.some_text("registration_id");
    let record = fields.some_text("registration_record");
    let names = register::names(&mut fields);
    let (Some(id), Some(record), true) = (id, record, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    // Read before the flow is used up: who sends nonsense may try again.
    let record = RegistrationRecord::from_base64url(&record).map_err(of_opaque)?;
    let content = take(state, Purpose::OpaqueRegistration, &id).await?;
    let email = content["email"].as_str().map(EmailAddress::parse);
    let Some(Ok(email)) = email else {
        return Err(unknown_flow());
    };
    let (user, record) = finish_registration(&content, record)?;
    let mut user = NewUser {
        id: user,
        ..NewUser::new(&state.store, email)
    };
    names.give_to(&mut user);
    let acting = Acting::anonymous(state, &asked.client)?;
    register::make(&acting, user, NewSecret::Record(record)).await
}

/// `POST /auth/opaque/login/start`. The answer is of one shape whoever is asked for.
pub(crate) async fn login_start(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    cookie::require_own_site(state, &asked.headers)?;
    let hint = "send {\"identifier\": …, \"login_request\": …}";
    let mut fields = Fields::parse(&body, &["identifier", "login_request"], hint)?;
    let identifier = fields.some_text("identifier");
    let request = fields.some_text("login_request");
    let (Some(identifier), Some(request), true) = (identifier, request, fields.faults.is_empty())
    else {
        return Err(invalid(fields.faults));
    };
    let request = LoginRequest::from_base64url(&request).map_err(of_opaque)?;
    // Counted here and forgiven at the end, so that a start without an end is a failed attempt.
    Attempt::begin(state, &identifier, &asked.client).await?;
    let (user, record) = account(state, &identifier).await?;
    let known = user.zip(record.as_ref());
    let stretching = record.as_ref().map_or(STRETCHING, OpaqueRecord::stretching);
    let name = door::normal(&identifier);
    let (response, begun) = state
        .opaque
        .start_login(&name, known, request, &state.rng)
        .map_err(of_opaque)?;
    let content = json!({
        "identifier": name,
        "state": URL_SAFE_NO_PAD.encode(begun.to_bytes().expose()),
    });
    let id = keep(state, Purpose::OpaqueLogin, &content, LOGIN_LIFE).await?;
    Ok(json_answer(
        StatusCode::OK,
        &json!({
            "login_id": id,
            "login_response": response.to_base64url(),
            "key_stretching": stretching,
        }),
    ))
}

/// `POST /auth/opaque/login/finish`
pub(crate) async fn login_finish(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    cookie::require_own_site(state, &asked.headers)?;
    let known = ["login_id", "login_finish", "identifier", "result"];
    let hint = "send {\"login_id\": …, \"login_finish\": …}";
    let mut fields = Fields::parse(&body, &known, hint)?;
    let (id, finish) = (
        fields.some_text("login_id"),
        fields.some_text("login_finish"),
    );
    let identifier = fields.text("identifier");
    let wants = door::wants(&mut fields);
    let (Some(id), Some(finish), true) = (id, finish, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let user = prove(state, &asked, &id, &finish, identifier.as_deref()).await?;
    let evidence = Evidence::new(vec![state.proven(Method::Password)]);
    door::enter(state, &asked, Guest { user, evidence }, wants).await
}

/// Who proved to know a password by the second message of a login. The flow is used up either way.
pub(super) async fn prove(
    state: &Arc<State>,
    asked: &Asked,
    id: &str,
    finish: &str,
    identifier: Option<&str>,
) -> Result<User, Refusal> {
    let finish = LoginFinish::from_base64url(finish).map_err(of_opaque)?;
    let content = take(state, Purpose::OpaqueLogin, id).await?;
    let name = content["identifier"].as_str().ok_or_else(unknown_flow)?;
    if identifier.is_some_and(|typed| door::normal(typed) != name) {
        return Err(unknown_flow());
    }
    let begun = bytes(&content["state"]).ok_or_else(unknown_flow)?;
    let begun = LoginState::from_bytes(&begun).map_err(of_opaque)?;
    let proof = begun.finish(finish).map_err(of_opaque)?;
    let user = users::by_id(&state.store, proof.user).await;
    let user = user.map_err(|error| of_store(&error))?;
    let user = user.filter(|user| user.active).ok_or_else(refused)?;
    door::forgive(state, name, &asked.client).await?;
    Ok(user)
}

/// A registration's first answer.
pub(super) struct Begun {
    response: String,
    /// To be kept.
    pub(super) state: String,
}

impl Begun {
    pub(super) fn answer(&self, id: &str) -> axum::http::Response<axum::body::Body> {
        json_answer(
            StatusCode::OK,
            &json!({
                "registration_id": id,
                "registration_response": self.response,
                "key_stretching": STRETCHING,
            }),
        )
    }
}

pub(super) fn begin_registration(
    state: &State,
    user: Uuid,
    request: &str,
) -> Result<Begun, Refusal> {
    let request = RegistrationRequest::from_base64url(request).map_err(of_opaque)?;
    let (response, begun) = state
        .opaque
        .start_registration(user, request, STRETCHING)
        .map_err(of_opaque)?;
    Ok(Begun {
        response: response.to_base64url(),
        state: URL_SAFE_NO_PAD.encode(begun.to_bytes().expose()),
    })
}

/// Whose record it is, and the record to store.
pub(super) fn finish_registration(
    content: &Value,
    record: RegistrationRecord,
) -> Result<(Uuid, OpaqueRecord), Refusal> {
    let begun = bytes(&content["state"]).ok_or_else(unknown_flow)?;
    let begun = RegistrationState::from_bytes(&begun).map_err(of_opaque)?;
    Ok((begun.user(), begun.finish(record)))
}

pub(super) async fn keep(
    state: &State,
    purpose: Purpose,
    content: &Value,
    life: Duration,
) -> Result<String, Refusal> {
    let id = flow_id(state);
    let content = content.to_string();
    let kept = state.moments.put(purpose, &id, &content, life).await;
    kept.map_err(|error| of_store(&error))?;
    Ok(id)
}

pub(super) async fn take(state: &State, purpose: Purpose, id: &str) -> Result<Value, Refusal> {
    let taken = state.moments.take(purpose, id).await;
    let taken = taken.map_err(|error| of_store(&error))?;
    let content = taken.and_then(|text| serde_json::from_str(&text).ok());
    content.ok_or_else(unknown_flow)
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(value.as_str()?).ok()
}

/// The account of that name and its record, if it may log in; as many questions to the database
/// for nobody as for somebody.
async fn account(
    state: &State,
    identifier: &str,
) -> Result<(Option<Uuid>, Option<OpaqueRecord>), Refusal> {
    let found = match LoginName::parse(identifier) {
        Some(name) => users::find_for_login(&state.store, &name)
            .await
            .map_err(|error| of_store(&error))?,
        None => None,
    };
    let user = found.map(|found| found.user).filter(|user| user.active);
    let user = user.map(|user| user.id);
    let record = opaque::record_of(&state.store, user.unwrap_or_default()).await;
    Ok((user, record.map_err(|error| of_store(&error))?))
}

/// A message that is none is told so; a proof that fails is refused as any wrong password.
pub(super) fn of_opaque(error: OpaqueError) -> Refusal {
    match error {
        OpaqueError::Malformed => Refusal::new(
            StatusCode::BAD_REQUEST,
            "opaque_malformed",
            "the OPAQUE message is malformed",
        )
        .hint("messages are base64url without padding, of one length for each kind"),
        OpaqueError::Refused => refused(),
        OpaqueError::Stored => Refusal::internal("opaque", &error),
    }
}
