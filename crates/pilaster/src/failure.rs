//! Failures as the terminal shows them: cause, fix, exit code.

use std::process::ExitCode;

use lang::Diagnostic;
use schema::MigrationError;
use sql::{Db, DbError, Obstacle};

/// What to do about a disk that is full.
const MAKE_ROOM: &str = "make room where the database keeps its files, then run the same again; \
    what failed has left nothing behind that is in the way";

/// What to do where somebody may only read.
fn way_to_write(address: &str) -> &'static str {
    match address.starts_with("sqlite:") {
        true => {
            "the file and its folder have to be writable: look at their owner and mode, and whether \
             the disk is mounted read-only"
        }
        false => {
            "DATABASE_URL names the login that changes rows, MIGRATOR_DATABASE_URL the one that \
             changes the structure; pilaster db create makes both and gives them their rights. A \
             replica, or a server in read-only mode, takes no change from anybody"
        }
    }
}

/// Something that ends a command.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    cause: String,
    fix: Option<String>,
}

/// What commands give.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// 1: it did not work.
    pub(crate) fn failed(cause: impl Into<String>) -> Self {
        Self {
            code: 1,
            cause: cause.into(),
            fix: None,
        }
    }

    /// 2: the command line is not understood.
    pub(crate) fn usage(cause: impl Into<String>) -> Self {
        Self {
            code: 2,
            ..Self::failed(cause)
        }
    }

    /// 3: the configuration or a file of the project is wrong.
    pub(crate) fn config(cause: impl Into<String>) -> Self {
        Self {
            code: 3,
            ..Self::failed(cause)
        }
    }

    /// 5: somebody has to decide.
    pub(crate) fn decision(cause: impl Into<String>) -> Self {
        Self {
            code: 5,
            ..Self::failed(cause)
        }
    }

    /// 6: a check found something.
    pub(crate) fn findings(cause: impl Into<String>) -> Self {
        Self {
            code: 6,
            ..Self::failed(cause)
        }
    }

    /// 7: the login, or the server, may only read.
    pub(crate) fn not_allowed(cause: impl Into<String>) -> Self {
        Self {
            code: 7,
            ..Self::failed(cause)
        }
    }

    /// 8: there is no space left.
    fn full(cause: impl Into<String>) -> Self {
        Self {
            code: 8,
            ..Self::failed(cause)
        }
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Mistakes in files, each on lines of its own.
    pub(crate) fn files(diagnostics: &[Diagnostic]) -> Self {
        let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        Self::config(lines.join("\n"))
    }

    /// A database that did not do what it should; 4 where it cannot be reached, 7 where the login
    /// may not, 8 where there is no space left.
    pub(crate) fn database(address: &str, error: &DbError) -> Self {
        match error {
            DbError::Unavailable(cause) => Self {
                code: 4,
                cause: format!("{address} cannot be reached: {cause}"),
                fix: Some(String::from(match error.obstacle() {
                    Obstacle::Host => {
                        "check host and port in DATABASE_URL, and that the server runs and listens there"
                    }
                    Obstacle::Login => "check user and password in DATABASE_URL",
                    Obstacle::Database => {
                        "check the database's name in DATABASE_URL; pilaster db create makes it"
                    }
                    Obstacle::Tls => {
                        "the server offers no encryption that can be trusted; give it a certificate, \
                         or take sslmode away from DATABASE_URL on a network of your own"
                    }
                    Obstacle::Unknown => {
                        "check DATABASE_URL, and that the server runs and knows the user and the database"
                    }
                })),
            },
            DbError::ReadOnly | DbError::Denied(_) => {
                Self::not_allowed(format!("{address}: {error}")).fix(way_to_write(address))
            }
            DbError::Full(_) => Self::full(format!("{address}: {error}")).fix(MAKE_ROOM),
            other => Self::failed(format!("{address}: {other}")),
        }
    }

    /// A migration that cannot be read or applied.
    pub(crate) fn migration(db: &Db, error: &MigrationError) -> Self {
        match error {
            MigrationError::Files(diagnostics) => Self::files(diagnostics),
            MigrationError::Db(error) => Self::of_migrator(db, "the migrations' books", error),
            MigrationError::Step { name, step, error } => Self::of_migrator(
                db,
                &format!("migration {name} failed at step {step}"),
                error,
            ),
            MigrationError::Edited { .. } => Self::failed(error.to_string())
                .fix("put the file back as it was, and write the change as a new migration"),
            MigrationError::Destructive { .. } => Self::decision(error.to_string())
                .fix("look at the file, then run the same with --allow-destructive"),
            MigrationError::CutOff { direction, .. } => {
                Self::failed(error.to_string()).fix(format!(
                    "pilaster migrate {} finishes it; if it cannot be finished, mend the tables by \
                 hand and tell the books with pilaster migrate stamp",
                    direction.name()
                ))
            }
            MigrationError::Unknown(_) => Self::usage(error.to_string())
                .fix("pilaster migrate history lists revisions and tags"),
            MigrationError::HalfSquashed { .. } => Self::failed(error.to_string())
                .fix("take the files from before the squash, pilaster migrate up, then go on"),
            MigrationError::Missing(_) => {
                Self::failed(error.to_string()).fix("bring the file back from your repository")
            }
            other => Self::failed(other.to_string()),
        }
    }

    /// What a migration met in the database; `place` is where.
    fn of_migrator(db: &Db, place: &str, error: &DbError) -> Self {
        let failure = Self::database(&db.description(), error);
        let cause = match (error, db.login()) {
            (DbError::ReadOnly, Some(login)) => format!("{place}: the login {login} may only read"),
            (DbError::Denied(what), Some(login)) => {
                format!("{place}: the login {login} lacks a privilege: {what}")
            }
            _ => format!("{place}: {}", failure.cause),
        };
        Self { cause, ..failure }
    }

    /// Prints it and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        anstream::eprintln!("error: {}", self.cause);
        if let Some(fix) = self.fix {
            anstream::eprintln!("  fix: {fix}");
        }
        ExitCode::from(self.code)
    }
}
