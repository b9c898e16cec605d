//! What a new account, or one that has lost its password, proves itself with from then on.

use credentials::opaque::OpaqueRecord;
use credentials::{Password, PasswordHash};
use sql::Step;
use store::{Store, opaque, users};
use uuid::Uuid;

use super::body::Fields;
use crate::app::State;
use crate::error::Refusal;

/// A new secret, as it is stored.
pub(super) enum NewSecret {
    /// The hash of a password.
    Hash(PasswordHash),
    /// What OPAQUE proves a password by that the server never sees.
    Record(OpaqueRecord),
}

impl NewSecret {
    /// The password of a body, which may be hashed.
    pub(super) fn read(fields: &mut Fields) -> Option<Password> {
        fields.required("password", Password::new)
    }

    /// Hashes it.
    pub(super) async fn of(state: &State, password: Password) -> Result<Self, Refusal> {
        let hash = state.passwords.hash(password, state.rng.clone()).await?;
        Ok(Self::Hash(hash))
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
