//! Accounts: making one, signing in, looking at oneself.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use credentials::{EmailAddress, Password, Username};
use oauth::{AccessTokenClaims, encode_access_token};
use rest::{Event, Happened, Moment, Occurrence, RestError};
use serde_json::{Map, Value, json};
use store::accounts::{self, Registration, Taken};
use store::users::{self, LoginName, NewUser, User};
use store::{StoreError, roles};
use tracing::Instrument as _;

use crate::App;
use crate::app::State;
use crate::auth::authenticate;
use crate::error::{Answer, Refusal};
use crate::events::{new_person, person};
use crate::passwords::Compared;
use crate::traces;

/// What a registration may say.
const FIELDS: [&str; 6] = [
    "email",
    "password",
    "username",
    "first_name",
    "last_name",
    "display_name",
];

fn json_answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn show(user: &NewUser) -> Value {
    json!({
        "id": user.id.to_string(),
        "email": user.email.as_str(),
        "username": user.username.as_ref().map(ToString::to_string),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.display_name,
        "created_at": format!("{:.6}", user.created_at),
    })
}

/// A body's text fields; everything that is wrong is told at once.
struct Fields {
    object: Map<String, Value>,
    faults: Vec<Value>,
}

impl Fields {
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let parsed = serde_json::from_slice(body);
        let Ok(Value::Object(object)) = parsed else {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "PGRST102",
                "the body is no JSON object",
            )
            .hint("send {\"email\": …, \"password\": …}"));
        };
        let mut fields = Self {
            object,
            faults: Vec::new(),
        };
        let unknown: Vec<String> = fields
            .object
            .keys()
            .filter(|key| !FIELDS.contains(&key.as_str()))
            .cloned()
            .collect();
        for key in unknown {
            fields.fault(&key, "unknown", &format!("there is no field {key}"));
        }
        Ok(fields)
    }

    fn fault(&mut self, field: &str, code: &str, message: &str) {
        self.faults
            .push(json!({"pointer": format!("/{field}"), "code": code, "message": message}));
    }

    fn text(&mut self, field: &str) -> Option<String> {
        match self.object.remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.fault(field, "type", &format!("{field} must be a text"));
                None
            }
        }
    }

    fn name(&mut self, field: &str) -> Option<String> {
        let text = self.text(field)?;
        let text = text.trim();
        if text.chars().count() > 200 {
            let message = format!("{field} has more than 200 characters");
            self.fault(field, "too_long", &message);
        } else if text.chars().any(char::is_control) {
            let message = format!("{field} cannot hold control characters");
            self.fault(field, "invalid", &message);
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn required<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let had_fault = self.faults.len();
        let Some(text) = self.text(field) else {
            if self.faults.len() == had_fault {
                self.fault(field, "required", &format!("{field} is required"));
            }
            return None;
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(field, "invalid", &error.to_string());
                None
            }
        }
    }
}

fn invalid(faults: Vec<Value>) -> Refusal {
    Refusal::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "22000",
        "the body is not valid",
    )
    .details(Value::Array(faults))
}

/// `POST /register`
pub(crate) async fn register(Shared(app): Shared<App>, body: Bytes) -> Answer {
    let state = &app.0;
    if !state.settings.registration_open {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "42501",
            "registration is closed",
        ));
    }
    if state.is_read_only {
        // A password need not be hashed for that.
        return Err(RestError::of_read(&sql::DbError::ReadOnly).into());
    }
    let mut fields = Fields::parse(&body)?;
    let email = fields.required("email", |text| EmailAddress::parse(&text));
    let password = fields.required("password", Password::new);
    let username = fields
        .text("username")
        .and_then(|text| match Username::parse(&text) {
            Ok(username) => Some(username),
            Err(error) => {
                fields.fault("username", "invalid", &error.to_string());
                None
            }
        });
    let (first_name, last_name) = (fields.name("first_name"), fields.name("last_name"));
    let display_name = fields.name("display_name");
    let (Some(email), Some(password), true) = (email, password, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    let mut user = NewUser::new(&state.store, email);
    user.username = username;
    user.first_name = first_name;
    user.last_name = last_name;
    user.display_name = display_name;
    let hash = state.passwords.hash(password, state.rng.clone()).await?;
    let steps = {
        let compiled = state.compiled.load();
        let announcer = state.announcer(&compiled);
        announcer.steps(&new_person(&user), Happened::UserRegistered)
    };
    let exists = |field: &str| {
        let message = format!("an account with this {field} exists already");
        Refusal::new(StatusCode::CONFLICT, "23505", message).details(json!({"columns": [field]}))
    };
    match accounts::register(&state.store, &user, &hash, steps).await {
        Ok(Registration::Created { .. }) => {
            state.outbox.notify_waiters();
            Ok(json_answer(StatusCode::CREATED, &show(&user)))
        }
        Ok(Registration::AlreadyExists(Taken::Email)) => Err(exists("email")),
        Ok(Registration::AlreadyExists(Taken::Username)) => Err(exists("username")),
        // A key of the hook's own tables: the account's profile cannot be made.
        Err(StoreError::Db(sql::DbError::Unique { .. })) => Err(exists("profile")),
        Err(StoreError::Db(sql::DbError::Check { .. } | sql::DbError::DoesNotFit { .. })) => {
            Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "23514",
                "the profile cannot be made",
            )
            .hint("hooks/user_registered.sql breaks a rule of its table with these values"))
        }
        Err(error) => Err(of_store(&error)),
    }
}

/// What people say of themselves stands in these statements, so it is not logged.
fn of_store(error: &StoreError) -> Refusal {
    match error {
        StoreError::Db(error) => {
            let refusal = Refusal::from(RestError::of_read(error));
            if refusal.status.is_server_error() {
                tracing::error!(error = error.without_values(), "an account's unit failed");
            }
            refusal
        }
        other => Refusal::internal("account", other),
    }
}

/// `POST /token`: a form (RFC 6749 §4.3.2's fields) or the same as JSON. A first-party door,
/// never announced as an OAuth grant.
pub(crate) async fn token(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let state = &app.0;
    let (name, text) = login(&headers, &body)?;
    let refused = || {
        let mut refusal = Refusal::unauthorized("", "the name or the password is wrong");
        refusal.code = String::from("invalid_grant");
        refusal
    };
    let password = Password::presented(text).map_err(|_| refused())?;
    let candidate = match LoginName::parse(&name) {
        Some(name) => users::find_for_login(&state.store, &name)
            .await
            .map_err(|error| of_store(&error))?,
        None => None,
    };
    let (user, hash) = match candidate {
        Some(candidate) => (Some(candidate.user), candidate.hash),
        None => (None, None),
    };
    match (
        state
            .passwords
            .compare(password, hash, state.rng.clone())
            .await?,
        user,
    ) {
        (Compared::Right { upgrade }, Some(user)) if user.active => {
            if let (Some((old, new)), false) = (upgrade, state.is_read_only) {
                users::upgrade_password(&state.store, user.id, &old, &new)
                    .await
                    .map_err(|error| of_store(&error))?;
            }
            grant(state, &user).await
        }
        _ => Err(refused()),
    }
}

fn login(headers: &HeaderMap, body: &[u8]) -> Result<(String, String), Refusal> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let missing = || {
        Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "22000",
            "username and password are required",
        )
        .hint("send the form username=…&password=…")
    };
    if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        let parsed: Value = serde_json::from_slice(body).map_err(|_| missing())?;
        let text = |key: &str| parsed[key].as_str().map(str::to_owned);
        require_password_grant(parsed.get("grant_type").map(|grant| grant == "password"))?;
        return text("username").zip(text("password")).ok_or_else(missing);
    }
    let pairs: Vec<(String, String)> = serde_urlencoded(body);
    let text = |key: &str| {
        let mut found = pairs
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value.clone());
        found.next().filter(|_| found.next().is_none())
    };
    require_password_grant(text("grant_type").map(|grant| grant == "password"))?;
    text("username").zip(text("password")).ok_or_else(missing)
}

/// The grant need not be named; `is_password` where it is.
fn require_password_grant(is_password: Option<bool>) -> Result<(), Refusal> {
    match is_password {
        None | Some(true) => Ok(()),
        Some(false) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "this door takes a name and a password alone",
        )),
    }
}

/// `application/x-www-form-urlencoded`; a pair that is no UTF-8 is left out.
fn serde_urlencoded(body: &[u8]) -> Vec<(String, String)> {
    use percent_encoding::percent_decode_str;
    let text = String::from_utf8_lossy(body);
    let decode = |part: &str| {
        percent_decode_str(&part.replace('+', " "))
            .decode_utf8()
            .ok()
            .map(std::borrow::Cow::into_owned)
    };
    text.split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

/// The client of our own door.
const FIRST_PARTY: &str = "first-party";

async fn grant(state: &Arc<State>, user: &User) -> Answer {
    sign_in(state, user).await?;
    let own = roles::roles_of(&state.store, user.id)
        .await
        .map_err(|error| of_store(&error))?;
    let now = state.clock.now().as_second();
    let life = i64::try_from(state.settings.token_life.as_secs()).unwrap_or(900);
    let claims = AccessTokenClaims {
        iss: state.settings.public_url.clone(),
        sub: user.id.to_string(),
        aud: state.settings.public_url.clone(),
        client_id: String::from(FIRST_PARTY),
        scope: None,
        roles: own,
        iat: now,
        exp: now + life,
        nbf: None,
        jti: stdx::new_id(&state.clock, &state.rng).to_string(),
        auth_time: Some(now),
        acr: None,
        epoch: Some(user.epoch),
        extra: more_claims(state, user).await?,
    };
    let token = encode_access_token(&claims, &state.keys.current)
        .map_err(|error| Refusal::internal("token", &error))?;
    Ok(json_answer(
        StatusCode::OK,
        &json!({"access_token": token, "token_type": "bearer", "expires_in": life}),
    ))
}

/// Tells of the sign-in; where a hook's transaction refuses it, there is none.
async fn sign_in(state: &Arc<State>, user: &User) -> Result<(), Refusal> {
    let unit = {
        let compiled = state.compiled.load();
        let happened = Happened::Login { method: "password" };
        state.announcer(&compiled).steps(&person(user), happened)
    };
    if unit.is_empty() {
        return Ok(());
    }
    let written = state.db.write(unit).await;
    written.map_err(|error| of_store(&StoreError::Db(error)))?;
    state.outbox.notify_waiters();
    Ok(())
}

/// What `hooks/before_token.sql` adds to the token.
async fn more_claims(state: &Arc<State>, user: &User) -> Result<Map<String, Value>, Refusal> {
    let asked = {
        let compiled = state.compiled.load();
        let moment = Moment {
            now: state.clock.now(),
            clock: &state.clock,
            rng: &state.rng,
        };
        let happened = Happened::BeforeToken {
            client_id: String::from(FIRST_PARTY),
        };
        let id = stdx::new_id(&state.clock, &state.rng);
        let told = Occurrence::new(id, moment.now, &person(user), happened);
        let hook = compiled.hooks.of(Event::BeforeToken);
        hook.and_then(|hook| hook.claims(&told, moment))
    };
    let Some(asked) = asked else {
        return Ok(Map::new());
    };
    let span = traces::of_hook("before_token", 1);
    let rows = state.db.rows(&asked.query).instrument(span.clone()).await;
    if let Ok(rows) = &rows {
        span.record(
            "app.result_length",
            i64::try_from(rows.len()).unwrap_or(i64::MAX),
        );
    }
    let rows = rows.map_err(|error| of_store(&StoreError::Db(error)))?;
    asked
        .claims(&rows)
        .map_err(|error| Refusal::internal("claims", &error))
}

/// `GET /auth/me`
pub(crate) async fn me(Shared(app): Shared<App>, headers: HeaderMap) -> Answer {
    let state = &app.0;
    let compiled = state.compiled.load();
    let caller = authenticate(state, &compiled, &headers)?;
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
