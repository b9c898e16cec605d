//! What can go wrong with Pilaster's own tables.

use credentials::HashError;
use sql::DbError;

/// The result of everything that reads or writes Pilaster's own tables.
pub type StoreResult<T> = Result<T, StoreError>;

/// A failure that is not an ordinary answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database's.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A stored password hash that cannot be read.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A signing key that cannot be made or written down.
    #[error(transparent)]
    Key(#[from] oauth::KeyError),
    /// The private keys in the database were sealed under another `SECRET_KEY`.
    #[error(
        "SECRET_KEY does not match this database: its signing key {kid} was sealed under another \
         one; restore the SECRET_KEY that belongs to it"
    )]
    SecretKeyMismatch {
        /// The key that does not open.
        kid: String,
    },
    /// Where short-lived state is kept cannot be reached now. Says what happened, never what was
    /// asked.
    #[error("the store of short-lived state cannot be reached: {0}")]
    Moments(String),
    /// A set-up in the database was sealed under another `SECRET_KEY`.
    #[error(
        "SECRET_KEY does not match this database: its OPAQUE set-up {setup} was sealed under \
         another one; restore the SECRET_KEY that belongs to it"
    )]
    OpaqueSetupSealed {
        /// The set-up that does not open.
        setup: u32,
    },
    /// Passwords that no set-up proves any more.
    #[error(
        "the OPAQUE set-up of {records} password(s) is missing in auth_opaque_setups; restore it \
         from a backup: a new one would lock these accounts out for good"
    )]
    OpaqueSetupMissing {
        /// How many.
        records: u64,
    },
    /// A row that we never write.
    #[error("a row of {table} cannot be read: {what}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
}
