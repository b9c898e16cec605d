//! `/register`: an account is made.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::{EmailAddress, Password, Username};
use rest::Happened;
use serde_json::{Value, json};
use sql::DbError;
use store::StoreError;
use store::accounts::{self, Taken};
use store::audit::Act;
use store::users::{self, NewUser};

use super::act::{Acting, exists, of_unit};
use super::body::{Fields, invalid};
use super::secret::NewSecret;
use super::{confirm, json_answer, of_store};
use crate::App;
use crate::app::{RegistrationMode, State};
use crate::client::Client;
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

/// A new account, as its owner sees it.
pub(super) fn show(user: &NewUser) -> Value {
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

/// How a new account is called.
pub(super) struct Names {
    username: Option<Username>,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: Option<String>,
}

/// Reads `username`, `first_name`, `last_name` and `display_name`.
pub(super) fn names(fields: &mut Fields) -> Names {
    Names {
        username: fields.username(),
        first_name: fields.name("first_name"),
        last_name: fields.name("last_name"),
        display_name: fields.name("display_name"),
    }
}

impl Names {
    pub(super) fn give_to(self, user: &mut NewUser) {
        user.username = self.username;
        user.first_name = self.first_name;
        user.last_name = self.last_name;
        user.display_name = self.display_name;
    }
}

/// Refuses where not everybody may make an account.
pub(super) fn require_open(state: &State) -> Result<(), Refusal> {
    let refused = |message: &str| Refusal::new(StatusCode::FORBIDDEN, "42501", message);
    match state.settings.accounts.registration {
        RegistrationMode::Open => Ok(()),
        RegistrationMode::Closed => Err(refused("registration is closed")),
        RegistrationMode::Approval => Err(refused("an administrator approves of accounts")
            .hint("ask for one: POST /auth/invitations")),
        RegistrationMode::Invite => Err(refused("accounts are for who is invited")),
    }
}

/// `POST /register`
pub(crate) async fn register(
    Shared(app): Shared<App>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let state = &app.0;
    require_open(state)?;
    let acting = Acting::anonymous(state, &client)?;
    let mut fields = Fields::parse(&body, &FIELDS, "send {\"email\": …, \"password\": …}")?;
    let email = fields.required("email", |text| EmailAddress::parse(&text));
    let password = fields.required("password", Password::new);
    let names = names(&mut fields);
    let (Some(email), Some(password), true) = (email, password, fields.faults.is_empty()) else {
        return Err(invalid(fields.faults));
    };
    if state.settings.accounts.confirm_email {
        // Before the work of a hash.
        state.post.require()?;
    }
    let mut user = NewUser::new(&state.store, email);
    names.give_to(&mut user);
    let secret = NewSecret::of(state, password).await?;
    make(&acting, user, secret).await
}

/// Makes an account with whatever proves its password, or begins to where its address has to be
/// proved first.
pub(super) async fn make(acting: &Acting<'_>, user: NewUser, secret: NewSecret) -> Answer {
    let state = acting.state;
    if state.settings.accounts.confirm_email {
        return confirm::begin(acting, &user, &secret).await;
    }
    let mut unit = vec![users::insert_step(&state.store, &user)];
    unit.extend(secret.first_steps(&state.store, user.id));
    unit.extend(acting.told(
        &new_person(&user),
        Happened::UserRegistered { fields: None },
    ));
    unit.push(acting.audit(Act::UserRegistered, Some(user.id), &user.email));
    let taken = match state.db.write(unit).await {
        Ok(_) => {
            acting.wake();
            return Ok(json_answer(StatusCode::CREATED, &show(&user)));
        }
        Err(error @ DbError::Unique { .. }) => {
            let taken = accounts::taken(&state.store, &user).await;
            taken.map_err(|_| of_store(&StoreError::Db(error)))?
        }
        Err(error) => return Err(of_unit(error)),
    };
    Err(match taken {
        Some(Taken::Email) => exists("email"),
        Some(Taken::Username) => exists("username"),
        // A key of the hook's own tables: the account's profile cannot be made.
        None => exists("profile"),
    })
}
