//! Pilaster's own tables, one file per aggregate.
//!
//! Functions take the [`Store`] first and data after. What writes gives [`sql::Step`]s where it
//! can be part of a larger unit, and runs its own unit where it cannot. "Not there" is `None`.
//!
//! A password cannot get into a table by any path: only a [`credentials::PasswordHash`] is
//! taken, and a [`credentials::Password`] turns into nothing that a statement binds. This
//! compiles:
//!
//! ```
//! use credentials::PasswordHash;
//! use store::users::{NewUser, insert_steps};
//! fn save(store: &store::Store, user: &NewUser, hash: &PasswordHash) -> Vec<sql::Step> {
//!     insert_steps(store, user, hash)
//! }
//! ```
//!
//! The same with a password does not:
//!
//! ```compile_fail,E0308
//! // req: X-2
//! use credentials::Password;
//! use store::users::{NewUser, insert_steps};
//! fn save(store: &store::Store, user: &NewUser, hash: &Password) -> Vec<sql::Step> {
//!     insert_steps(store, user, hash)
//! }
//! ```
//!
//! A text can be bound:
//!
//! ```
//! fn bind(sql: &mut sql::Sql, text: String) {
//!     sql.arg(text);
//! }
//! ```
//!
//! A password cannot:
//!
//! ```compile_fail,E0277
//! fn bind(sql: &mut sql::Sql, password: credentials::Password) {
//!     sql.arg(password);
//! }
//! ```
//!
//! And where an address can be made a text, a password cannot:
//!
//! ```
//! fn print(address: &credentials::EmailAddress) -> String {
//!     format!("{address}")
//! }
//! ```
//!
//! ```compile_fail,E0277
//! fn print(password: &credentials::Password) -> String {
//!     format!("{password}")
//! }
//! ```

pub mod access;
pub mod accounts;
pub mod administrators;
pub mod api_keys;
pub mod audit;
pub mod client_invitations;
pub mod clients;
pub mod consents;
mod decode;
pub mod deliveries;
pub mod devices;
pub mod directory;
mod error;
pub mod external;
pub mod factors;
pub mod grants;
pub mod hook_runs;
pub mod invitations;
pub mod kept_answers;
pub mod mails;
mod migrations;
pub mod moments;
pub mod opaque;
pub mod roles;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
pub mod tickets;
pub mod users;

pub use error::{StoreError, StoreResult};
pub use migrations::{system_migrations, system_schema};

use sql::{Db, Sql};
use stdx::{Clock, Rng};

/// What every function here needs: the database, the time, chance. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub rng: Rng,
}

impl Store {
    /// A store over a migrated database.
    #[must_use]
    pub fn new(db: Db, clock: Clock, rng: Rng) -> Self {
        Self { db, clock, rng }
    }

    /// An empty statement for this database.
    fn sql(&self) -> Sql {
        Sql::new(self.db.dialect())
    }
}

/// Words that are separated by spaces.
fn words(text: &str) -> Vec<String> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
