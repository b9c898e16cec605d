//! Migrations: files, the state they fold to, and the runner that applies them.

mod advice;
mod alter;
mod books;
mod file;
mod fold;
mod holder;
mod plan;
mod rewrite;
mod runner;
mod state;
mod write;

pub(crate) use alter::change as change_table;
pub use books::Direction;
pub(crate) use file::checksum_of;
pub use file::{Migration, Migrations, Reference};
pub use plan::{Plan, PlannedStep};
pub use rewrite::Rewritten;
pub use runner::{Loss, Progress, Runner};
pub use state::{MigrationState, MigrationStatus};
pub use write::NewMigration;
pub(crate) use write::comment_text;

use crate::CatalogKind;

/// Which line of migrations: Pilaster's own or the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Pilaster's own.
    System,
    /// The user's.
    App,
}

impl History {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::App => "app",
        }
    }

    fn kind(self) -> CatalogKind {
        match self {
            Self::System => CatalogKind::System,
            Self::App => CatalogKind::User,
        }
    }
}

use lang::Diagnostic;
use sql::DbError;

/// Why migrations could not be read, made or applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// It takes rows or values away, and nobody has allowed that.
    #[error("{name} loses data{}: {}", match direction { Direction::Up => "", Direction::Down => " when it is taken back" }, steps.join(", "))]
    Destructive {
        /// The migration.
        name: String,
        /// Which way.
        direction: Direction,
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
    /// Files were squashed that this database has applied in part.
    #[error("{squashed} replaces migrations of which this database has applied only some: it lacks {}", lacks.join(", "))]
    HalfSquashed {
        /// The file that replaces others.
        squashed: String,
        /// What was not applied.
        lacks: Vec<String>,
    },
    /// It was cut off on its way, and has to be finished that way first.
    #[error("{name} was cut off on its way {} after step {done} of {of}", direction.name())]
    CutOff {
        /// Revision and name.
        name: String,
        /// Which way.
        direction: Direction,
        /// Statements that are done.
        done: i64,
        /// Of how many.
        of: i64,
    },
    /// There is no such migration.
    #[error("there is no migration {0}")]
    Unknown(String),
    /// Another process holds the lock for too long.
    #[error("another process is migrating; its lock was not free in time")]
    Locked,
    /// Another process has taken the lock: this one gave no sign of life for too long.
    #[error("another process has taken over")]
    TakenOver,
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
