//! The four engines, and every way in which they differ that a statement can see.

use std::fmt;

/// A database engine's SQL.
///
/// Matched without a wildcard everywhere, so a fifth engine makes the compiler list the work.
/// MySQL and MariaDB share a driver, not a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// SQLite, bundled.
    Sqlite,
    /// PostgreSQL 15 or later.
    Postgres,
    /// MySQL 8.0.14 or later.
    MySql,
    /// MariaDB 10.6 or later.
    MariaDb,
}

impl Dialect {
    /// All of them, in the order of documentation.
    pub const ALL: [Self; 4] = [Self::Sqlite, Self::Postgres, Self::MariaDb, Self::MySql];

    /// The lower-case name used in configuration, file names and `-- @engine` lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }

    /// The character that surrounds a quoted identifier.
    #[must_use]
    pub fn quote(self) -> char {
        match self {
            Self::Sqlite | Self::Postgres => '"',
            Self::MySql | Self::MariaDb => '`',
        }
    }

    /// Whether `INSERT … RETURNING` exists.
    #[must_use]
    pub fn insert_returning(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres | Self::MariaDb => true,
            Self::MySql => false,
        }
    }

    /// Whether `UPDATE … RETURNING` exists (MariaDB 10.11 has it for insert and delete only).
    #[must_use]
    pub fn update_returning(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres => true,
            Self::MySql | Self::MariaDb => false,
        }
    }

    /// Whether `DELETE … RETURNING` exists.
    #[must_use]
    pub fn delete_returning(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres | Self::MariaDb => true,
            Self::MySql => false,
        }
    }

    /// Whether DDL can be rolled back.
    #[must_use]
    pub fn transactional_ddl(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres => true,
            Self::MySql | Self::MariaDb => false,
        }
    }

    /// Whether `NULLS FIRST` and `NULLS LAST` can be written.
    #[must_use]
    pub fn null_ordering(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres => true,
            Self::MySql | Self::MariaDb => false,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
