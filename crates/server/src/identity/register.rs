//! `/register`: an account is made.

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::{EmailAddress, Password, Username};
use rest::{Happened, RestError};
use serde_json::{Value, json};
use store::StoreError;
use store::accounts::{self, Registration, Taken};
use store::users::NewUser;

use super::body::{Fields, invalid};
use super::{json_answer, of_store};
use crate::App;
use crate::error::{Answer, Refusal};
use crate::events::new_person;

/// What a registration may say.
const FIELDS: [&str; 6] = [
    "email",
    "password",
    "username",
    "first_name",
    "last_name",
    "display_name",
];

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
    let mut fields = Fields::parse(&body, &FIELDS, "send {\"email\": …, \"password\": …}")?;
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
