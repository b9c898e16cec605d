//! Where a database is: `sqlite:data/app.db`, `postgres://user:password@host/name`, `mysql://…`,
//! `mariadb://…`.

/// A parsed database address. `Debug` and `Display` mask the password.
#[derive(Clone, Debug)]
pub struct DatabaseUrl {}

/// Why a database address could not be read; never holds the address itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DatabaseUrlError(pub String);

impl DatabaseUrl {
    /// Reads an address. Relative SQLite paths are taken from `base`.
    pub fn parse(_text: &str, _base: &std::path::Path) -> Result<Self, DatabaseUrlError> {
        unimplemented!()
    }
}
