//! What lives for seconds or minutes: the state between two steps of a flow, taken once, and
//! counts of attempts.
//!
//! Kept in the database, where it outlives a restart and is shared by all processes; in Redis, where
//! there is one; or in memory, for one process alone. All three behave alike.
//!
//! A name comes from a client more often than not. It is hashed together with its purpose, so that
//! whatever a client sends is looked for among the moments of that purpose and nowhere else.

use std::time::Duration;

use credentials::sha256_hex;
use jiff::Timestamp;

use crate::{Store, StoreResult};

mod database;
mod memory;
mod redis;

use self::memory::Memory;
use self::redis::Redis;

/// What a moment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// OPAQUE: an account is being made.
    OpaqueRegistration,
    /// OPAQUE: somebody logs in.
    OpaqueLogin,
    /// OPAQUE: somebody proves the present password again.
    OpaqueProof,
    /// OPAQUE: a signed-in user sets another password.
    OpaquePassword,
    /// OPAQUE: who holds a link sets a password.
    OpaqueByLink,
    /// A first factor was proved, a second one is still owed.
    PendingLogin,
    /// A passkey is being made.
    PasskeyRegistration,
    /// A passkey is asked for at a login without a name.
    PasskeyLogin,
    /// A passkey is asked for beside what was proved before.
    PasskeySecondFactor,
    /// Attempts at one name, by whatever login door.
    LoginAttempts,
    /// Failed attempts from one address.
    AddressAttempts,
    /// Attempts at one account's second factor.
    FactorAttempts,
    /// OAuth: a request that waits for a person.
    Authorization,
    /// OAuth: a request that a client has left here (RFC 9126).
    PushedRequest,
    /// OAuth: ids of the assertions that clients have proved themselves by.
    ClientAssertion,
    /// OAuth: ids of proofs of possession (RFC 9449).
    Proof,
    /// OAuth: ids of access tokens that were revoked.
    RevokedToken,
    /// OAuth: ids of assertions of other issuers (RFC 7523).
    BearerAssertion,
    /// OAuth: registrations of clients from one address.
    ClientRegistration,
    /// OAuth: guesses at the codes of devices (RFC 8628 §5.1).
    DeviceGuess,
    /// Uses of one API key within one window of time.
    ApiKeyUses,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::OpaqueRegistration,
        Self::OpaqueLogin,
        Self::OpaqueProof,
        Self::OpaquePassword,
        Self::OpaqueByLink,
        Self::PendingLogin,
        Self::PasskeyRegistration,
        Self::PasskeyLogin,
        Self::PasskeySecondFactor,
        Self::LoginAttempts,
        Self::AddressAttempts,
        Self::FactorAttempts,
        Self::Authorization,
        Self::PushedRequest,
        Self::ClientAssertion,
        Self::Proof,
        Self::RevokedToken,
        Self::BearerAssertion,
        Self::ClientRegistration,
        Self::DeviceGuess,
        Self::ApiKeyUses,
    ];

    /// The name under which it is stored, at most 40 characters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpaqueRegistration => "opaque-registration",
            Self::OpaqueLogin => "opaque-login",
            Self::OpaqueProof => "opaque-proof",
            Self::OpaquePassword => "opaque-password",
            Self::OpaqueByLink => "opaque-by-link",
            Self::PendingLogin => "pending-login",
            Self::PasskeyRegistration => "passkey-registration",
            Self::PasskeyLogin => "passkey-login",
            Self::PasskeySecondFactor => "passkey-second-factor",
            Self::LoginAttempts => "login-attempts",
            Self::AddressAttempts => "address-attempts",
            Self::FactorAttempts => "factor-attempts",
            Self::Authorization => "authorization",
            Self::PushedRequest => "pushed-request",
            Self::ClientAssertion => "client-assertion",
            Self::Proof => "proof",
            Self::RevokedToken => "revoked-token",
            Self::BearerAssertion => "bearer-assertion",
            Self::ClientRegistration => "client-registration",
            Self::DeviceGuess => "device-guess",
            Self::ApiKeyUses => "api-key-uses",
        }
    }
}

/// A count and when it is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How often it was counted up; never less than nothing.
    pub number: u32,
    /// The life that [`Moments::count_up`] was last given, from then on.
    pub ends_at: Timestamp,
}

/// Where moments are kept; cheap to clone.
#[derive(Clone)]
pub struct Moments(Place);

#[derive(Clone)]
enum Place {
    Database(Store),
    Memory(Memory),
    Redis(Redis),
}

/// An address of Redis that cannot be used. Never holds the address, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no address of Redis, as redis://host:6379/0 or rediss://user:password@host:6380")]
pub struct RedisUrlError;

/// A purpose and a name as one key: 64 hexadecimal digits.
struct Key {
    purpose: Purpose,
    id: String,
}

impl Key {
    fn new(purpose: Purpose, name: &str) -> Self {
        // No purpose's name holds a zero, so no two readings are possible.
        let whole = format!("pilaster/moment/1\0{}\0{name}", purpose.name());
        Self {
            purpose,
            id: sha256_hex(whole.as_bytes()),
        }
    }
}

impl Moments {
    /// In the table `auth_moments`.
    #[must_use]
    pub fn in_database(store: Store) -> Self {
        Self(Place::Database(store))
    }

    /// In this process; gone with it.
    #[must_use]
    pub fn in_memory(store: &Store) -> Self {
        Self(Place::Memory(Memory::new(store.clock.clone())))
    }

    /// In Redis, under keys that begin with `prefix`. Nothing is asked of it yet: where it cannot be
    /// reached, each use fails with [`crate::StoreError::Moments`] until it can.
    pub fn in_redis(store: &Store, url: &str, prefix: &str) -> Result<Self, RedisUrlError> {
        let redis = Redis::new(store.clock.clone(), url, prefix)?;
        Ok(Self(Place::Redis(redis)))
    }

    /// Keeps `content` for a while; what was there under the same name is gone.
    pub async fn put(
        &self,
        purpose: Purpose,
        name: &str,
        content: &str,
        life: Duration,
    ) -> StoreResult<()> {
        let key = Key::new(purpose, name);
        match &self.0 {
            Place::Database(store) => database::put(store, &key, content, life).await,
            Place::Memory(memory) => {
                memory.put(&key, content, life);
                Ok(())
            }
            Place::Redis(redis) => redis.put(&key, content, life).await,
        }
    }

    /// Gives what is kept and forgets it: of any number of takers one gets it.
    pub async fn take(&self, purpose: Purpose, name: &str) -> StoreResult<Option<String>> {
        let key = Key::new(purpose, name);
        match &self.0 {
            Place::Database(store) => database::take(store, &key).await,
            Place::Memory(memory) => Ok(memory.take(&key)),
            Place::Redis(redis) => redis.take(&key).await,
        }
    }

    /// Gives what is kept, and keeps it.
    pub async fn peek(&self, purpose: Purpose, name: &str) -> StoreResult<Option<String>> {
        let key = Key::new(purpose, name);
        match &self.0 {
            Place::Database(store) => database::peek(store, &key).await,
            Place::Memory(memory) => Ok(memory.peek(&key)),
            Place::Redis(redis) => redis.peek(&key).await,
        }
    }

    /// Forgets what is kept or counted, if anything is.
    pub async fn forget(&self, purpose: Purpose, name: &str) -> StoreResult<()> {
        let key = Key::new(purpose, name);
        match &self.0 {
            Place::Database(store) => database::forget(store, &key).await,
            Place::Memory(memory) => {
                memory.forget(&key);
                Ok(())
            }
            Place::Redis(redis) => redis.forget(&key).await,
        }
    }

    /// Counts one more; the count is forgotten when it was not counted up for `life`. Of any number
    /// who count at once each gets a number of its own.
    pub async fn count_up(
        &self,
        purpose: Purpose,
        name: &str,
        life: Duration,
    ) -> StoreResult<Count> {
        let key = Key::new(purpose, name);
        match &self.0 {
            Place::Database(store) => database::count_up(store, &key, life).await,
            Place::Memory(memory) => Ok(memory.count_up(&key, life)),
            Place::Redis(redis) => redis.count_up(&key, life).await,
        }
    }

    /// Counts one less, where something is counted.
    pub async fn count_down(&self, purpose: Purpose, name: &str) -> StoreResult<()> {
        let key = Key::new(purpose, name);
        match &self.0 {
            Place::Database(store) => database::count_down(store, &key).await,
            Place::Memory(memory) => {
                memory.count_down(&key);
                Ok(())
            }
            Place::Redis(redis) => redis.count_down(&key).await,
        }
    }

    /// What is counted; `None` for nothing.
    pub async fn count(&self, purpose: Purpose, name: &str) -> StoreResult<Option<Count>> {
        let key = Key::new(purpose, name);
        match &self.0 {
            Place::Database(store) => database::count(store, &key).await,
            Place::Memory(memory) => Ok(memory.count(&key)),
            Place::Redis(redis) => redis.count(&key).await,
        }
    }

    /// Deletes what is past its time; gives how many. Redis does it by itself.
    pub async fn purge(&self) -> StoreResult<u64> {
        match &self.0 {
            Place::Database(store) => database::purge(store).await,
            Place::Memory(memory) => Ok(memory.purge()),
            Place::Redis(_) => Ok(0),
        }
    }
}
