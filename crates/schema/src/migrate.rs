//! Migrations: files, the state they fold to, and the runner that applies them.

mod alter;
mod file;
mod fold;
mod runner;
mod write;

pub use file::{Migration, Migrations};
pub use runner::{History, Loss, MigrationState, MigrationStatus, Runner};
pub use write::NewMigration;

use lang::Diagnostic;
use sql::DbError;

/// Why migrations could not be read, made or applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// It takes rows or values away, and nobody has allowed that.
    #[error("{name} loses data: {}", steps.join(", "))]
    Destructive {
        /// The migration.
        name: String,
        /// The steps that lose something.
        steps: Vec<String>,
    },
    /// Something is wrong in a file.
    #[error("{}", show(.0))]
    Files(Vec<Diagnostic>),
    /// A file that was applied has changed since.
    #[error("migration {name} was applied and has been edited since ({applied} is not {found})")]
    Edited {
        /// Revision and name.
        name: String,
        /// The checksum in the database.
        applied: String,
        /// The file's.
        found: String,
    },
    /// A file that was applied is gone.
    #[error("migration {0} was applied and its file is missing")]
    Missing(String),
    /// Files stand before one that was applied.
    #[error("migration {0} stands before one that was applied already")]
    OutOfOrder(String),
    /// Another process holds the lock for too long.
    #[error("another process is migrating; its lock was not free in time")]
    Locked,
    /// A statement failed.
    #[error("migration {name} failed at step {step}: {error}")]
    Step {
        /// Revision and name.
        name: String,
        /// Which statement, from 1.
        step: usize,
        /// What the engine said.
        error: DbError,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Db(#[from] DbError),
}

fn show(diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
