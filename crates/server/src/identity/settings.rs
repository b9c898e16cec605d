//! How accounts behave.

use std::time::Duration;

use credentials::assurance::Assurance;
use stdx::Secret;
use store::moments::{Moments, Purpose, RedisUrlError};
use store::users::User;
use store::{Store, StoreError};

use super::door;
use super::rate::Rate;

/// How accounts behave; plain values, already read from wherever they come.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// How new passwords are proved.
    pub password_mode: PasswordMode,
    /// How long a session is good without being used.
    pub session_idle: Duration,
    /// How long a session is good, whatever is done with it.
    pub session_life: Duration,
    /// How guessing is slowed down.
    pub throttle: Throttle,
    /// Where short-lived state is kept.
    pub moments: MomentsPlace,
    /// Who administers accounts through HTTP, and what they may not do there.
    pub administration: AdministrationSettings,
    /// How often an API key may be used that says nothing of its own; `None`: as often as it likes.
    pub api_key_rate: Option<Rate>,
}

/// Who administers accounts through HTTP, and what they may not do there.
#[derive(Clone, Debug)]
pub struct AdministrationSettings {
    /// How sure one has to be of who administers.
    pub acr: Assurance,
    /// Roles that are given and taken at the shell alone.
    pub protected_roles: Vec<String>,
}

/// How new passwords are proved. Old ones go on as they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMode {
    /// By OPAQUE: the server never sees them.
    Opaque,
    /// By the password itself, of which a hash is stored.
    Hash,
}

/// How guessing is slowed down: so many attempts are free, then each failed one doubles the pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Failed attempts at one name.
    pub login_attempts: u32,
    /// Failed attempts from one address, at whatever name.
    pub address_attempts: u32,
    /// Failed attempts at one account's second factor.
    pub factor_attempts: u32,
    /// The first pause.
    pub first_pause: Duration,
    /// The longest one.
    pub longest_pause: Duration,
}

/// Where short-lived state is kept.
#[derive(Clone, Debug)]
pub enum MomentsPlace {
    /// In the database.
    Database,
    /// In this process, for one process alone.
    Memory,
    /// In Redis.
    Redis {
        /// `redis://…` or `rediss://…`
        url: Secret<String>,
        /// What its keys begin with.
        prefix: String,
    },
}

impl MomentsPlace {
    /// The place itself.
    pub fn open(&self, store: &Store) -> Result<Moments, RedisUrlError> {
        match self {
            Self::Database => Ok(Moments::in_database(store.clone())),
            Self::Memory => Ok(Moments::in_memory(store)),
            Self::Redis { url, prefix } => Moments::in_redis(store, url.expose(), prefix),
        }
    }
}

/// Forgets all failed attempts at an account, whatever it was called by.
pub async fn unlock(moments: &Moments, user: &User) -> Result<(), StoreError> {
    let names = [Some(user.email.as_str()), user.username.as_deref()];
    for name in names.into_iter().flatten() {
        let name = door::normal(name);
        moments.forget(Purpose::LoginAttempts, &name).await?;
    }
    let id = user.id.to_string();
    moments.forget(Purpose::FactorAttempts, &id).await
}
