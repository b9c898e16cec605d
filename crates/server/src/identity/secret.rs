//! What a new account, or one that has lost its password, proves itself with from then on.

use credentials::opaque::{OpaqueRecord, RegistrationRecord};
use credentials::{Password, PasswordHash};
use sql::Step;
use store::users::NewUser;
use store::{Store, opaque, users};
use uuid::Uuid;

use super::body::Fields;
use super::{by_link, door};
use crate::app::State;
use crate::error::Refusal;

/// A new password, as a body sends it.
pub(super) enum NewPassword {
    /// As it is.
    Password(Password),
    /// As OPAQUE's last message of the flow with that id.
    Record(String, RegistrationRecord),
}

impl NewPassword {
    /// Reads `password`, or `registration_id` and `registration_record`.
    pub(super) fn read(fields: &mut Fields) -> Option<Self> {
        if !fields.has("registration_id") {
            return fields
                .required("password", Password::new)
                .map(Self::Password);
        }
        let id = fields.some_text("registration_id");
        let record = fields.required("registration_record", |text| {
            RegistrationRecord::from_base64url(&text)
        });
        id.zip(record).map(|(id, record)| Self::Record(id, record))
    }
}

/// A new secret, as it is stored.
pub(super) enum NewSecret {
    /// The hash of a password.
    Hash(PasswordHash),
    /// What OPAQUE proves a password by that the server never sees.
    Record(OpaqueRecord),
}

impl NewSecret {
    /// Hashes a password.
    pub(super) async fn of(state: &State, password: Password) -> Result<Self, Refusal> {
        let hash = state.passwords.hash(password, state.rng.clone()).await?;
        Ok(Self::Hash(hash))
    }

    /// For an account that is there.
    pub(super) async fn of_user(
        state: &State,
        wanted: NewPassword,
        user: Uuid,
    ) -> Result<Self, Refusal> {
        match wanted {
            NewPassword::Password(password) => Self::of(state, password).await,
            NewPassword::Record(id, record) => match by_link::finish(state, &id, record).await? {
                (owner, record) if owner == user => Ok(Self::Record(record)),
                _ => Err(door::unknown_flow()),
            },
        }
    }

    /// For an account that is to be made, which gets the id that the record was made for.
    pub(super) async fn of_new(
        state: &State,
        wanted: NewPassword,
        user: &mut NewUser,
    ) -> Result<Self, Refusal> {
        match wanted {
            NewPassword::Password(password) => Self::of(state, password).await,
            NewPassword::Record(id, record) => {
                let (owner, record) = by_link::finish(state, &id, record).await?;
                user.id = owner;
                Ok(Self::Record(record))
            }
        }
    }

    /// For what waits until an address is proved.
    pub(super) fn to_stored(&self) -> String {
        match self {
            Self::Hash(hash) => hash.to_phc(),
            Self::Record(record) => record.to_stored(),
        }
    }

    /// Reads [`Self::to_stored`].
    pub(super) fn from_stored(text: &str) -> Result<Self, Refusal> {
        if let Ok(record) = OpaqueRecord::from_stored(text) {
            return Ok(Self::Record(record));
        }
        let hash = PasswordHash::from_stored(text);
        hash.map(Self::Hash)
            .map_err(|error| Refusal::internal("a stored hash", &error))
    }

    /// The steps that give it to a new account.
    pub(super) fn first_steps(&self, store: &Store, user: Uuid) -> Vec<Step> {
        match self {
            Self::Hash(hash) => vec![users::password_step(store, user, hash)],
            Self::Record(record) => vec![opaque::insert_record_step(store, user, record)],
        }
    }

    /// The steps that replace what an account had; its tokens and sessions die.
    pub(super) fn change_steps(&self, store: &Store, user: Uuid) -> Vec<Step> {
        match self {
            Self::Hash(hash) => users::change_password_steps(store, user, hash),
            Self::Record(record) => {
                let mut steps = opaque::set_record_steps(store, user, record);
                steps.push(users::bump_epoch_step(store, user));
                steps
            }
        }
    }
}
