//! What can go wrong between a statement and its engine, in words that somebody acts on.

/// The result of everything that talks to a database.
pub type DbResult<T> = Result<T, DbError>;

/// A failed statement or connection, the same for all four engines.
///
/// The texts of `Full`, `Denied`, `RowSecurity`, `Unavailable`, `Other` and `Decode` are for the log and for the
/// terminal; a caller of the API never sees them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// A second row with the same key. SQLite names the columns, the others the constraint.
    #[error("a unique constraint was violated: {}", constraint.as_deref().unwrap_or("?"))]
    Unique {
        /// The constraint's name, where the engine tells it.
        constraint: Option<String>,
        /// The columns' names, where the engine tells them.
        columns: Vec<String>,
    },
    /// A row that points to nothing, or is still pointed to. SQLite does not say which.
    #[error("a foreign key was violated: {}", constraint.as_deref().unwrap_or("?"))]
    ForeignKey {
        /// The constraint's name, where the engine tells it.
        constraint: Option<String>,
    },
    /// A CHECK that is not true.
    #[error("a check was violated: {}", constraint.as_deref().unwrap_or("?"))]
    Check {
        /// The constraint's name, where the engine tells it.
        constraint: Option<String>,
    },
    /// A missing value.
    #[error("a value is missing: {}", column.as_deref().unwrap_or("?"))]
    NotNull {
        /// The column's name, where the engine tells it.
        column: Option<String>,
    },
    /// A text longer than its column, or a number outside its type's range.
    #[error("a value does not fit: {}", column.as_deref().unwrap_or("?"))]
    DoesNotFit {
        /// The column's name, where the engine tells it.
        column: Option<String>,
    },
    /// A condition of a [`crate::Step`] was not met; the unit was rolled back.
    #[error("step {step} touched {affected} rows")]
    Unexpected {
        /// Which step of the unit, from 0.
        step: usize,
        /// How many rows it changed or gave.
        affected: u64,
    },
    /// Another transaction won (serialization failure, deadlock, certification); run it again.
    #[error("another transaction was in the way")]
    Conflict,
    /// There is no room for what the statement writes: the disk, a quota, the largest size of the
    /// database.
    #[error("there is no space left: {0}")]
    Full(String),
    /// The statement writes and the connection may only read: the login's transactions are
    /// read-only, the server is a replica, the file cannot be written.
    #[error("the connection is read-only")]
    ReadOnly,
    /// The database's role lacks a privilege.
    #[error("the database role lacks a privilege: {0}")]
    Denied(String),
    /// A policy of the database's own kept a row from being written.
    #[error("row-level security refused a row: {0}")]
    RowSecurity(String),
    /// The statement or the wait for a connection took longer than allowed.
    #[error("the database took too long")]
    Timeout,
    /// The server cannot be reached, or the connection broke.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// A column did not hold what was declared.
    #[error("column {column} does not hold {expected}: {found}")]
    Decode {
        /// The column's place in the row, from 0.
        column: usize,
        /// What was declared.
        expected: &'static str,
        /// What the driver found.
        found: String,
    },
    /// Whoever takes the rows wants no more of them; it says itself why.
    #[error("the reader of the rows stopped")]
    Stopped,
    /// A statement that the engine does not take, or anything not named above.
    #[error("the database refused the statement: {0}")]
    Other(String),
}

/// What is in the way of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody answers at that host and port.
    Host,
    /// The server does not take the login.
    Login,
    /// The server has no such database, or not for this login.
    Database,
    /// The two cannot agree on encryption.
    Tls,
    /// Anything else.
    Unknown,
}

/// MySQL's and MariaDB's numbers for a structure that is there already, or is gone already: a
/// table, a view, a column, an index, a constraint.
const ALREADY: [u16; 13] = [
    1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1826, 3821, 3822, 3940, 4092,
];

impl DbError {
    /// What is wrong, without any value of a row: engines quote them in their own words, of which
    /// only the code is kept. For logs and lists that must not hold what people say of themselves.
    #[must_use]
    pub fn without_values(&self) -> String {
        let text = match self {
            Self::Other(text) => text,
            Self::Decode {
                column, expected, ..
            } => return format!("column {column} does not hold {expected}"),
            Self::Unique { .. }
            | Self::ForeignKey { .. }
            | Self::Check { .. }
            | Self::NotNull { .. }
            | Self::DoesNotFit { .. }
            | Self::Unexpected { .. }
            | Self::Stopped
            | Self::Conflict
            | Self::Full(_)
            | Self::ReadOnly
            | Self::Denied(_)
            | Self::RowSecurity(_)
            | Self::Timeout
            | Self::Unavailable(_) => return self.to_string(),
        };
        let code = text.split(' ').next().unwrap_or_default();
        let is_code = (4..=5).contains(&code.len())
            && code.chars().any(|c| c.is_ascii_digit())
            && code
                .chars()
                .all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
        match is_code {
            true => format!("the database refused the statement, code {code}"),
            false => String::from("the database refused the statement"),
        }
    }

    /// What about the address is wrong, where a database cannot be reached.
    #[must_use]
    pub fn obstacle(&self) -> Obstacle {
        let Self::Unavailable(text) = self else {
            return Obstacle::Unknown;
        };
        let lower = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        match text.split(' ').next().unwrap_or_default() {
            "28P01" | "28000" | "1045" | "1698" => Obstacle::Login,
            "3D000" | "1049" | "1044" => Obstacle::Database,
            _ if says(&["tls", "ssl", "certificate"]) => Obstacle::Tls,
            _ if says(&[
                "refused",
                "lookup",
                "timed out",
                "timeout",
                "unreachable",
                "no route",
            ]) =>
            {
                Obstacle::Host
            }
            _ => Obstacle::Unknown,
        }
    }

    /// Whether a statement of DDL failed because it has been run before. Only engines that commit
    /// DDL by itself are asked: on the others it cannot have been.
    #[must_use]
    pub fn says_already_done(&self) -> bool {
        let Self::Other(text) = self else {
            return false;
        };
        // MariaDB has a number of its own for a foreign key of the same name.
        if text.starts_with("1005 ") && text.contains("errno: 121") {
            return true;
        }
        let number = text.split(' ').next().and_then(|word| word.parse().ok());
        number.is_some_and(|number| ALREADY.contains(&number))
    }
}
