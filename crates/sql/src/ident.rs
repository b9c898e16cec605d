//! Names of tables, columns and constraints.

use std::fmt;
use std::sync::Arc;

/// A name that can be written into SQL, always quoted.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(Arc<str>);

/// A text that cannot be a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentError {
    /// Nothing between the quotes.
    #[error("a name cannot be empty")]
    Empty,
    /// Longer than PostgreSQL's limit, the smallest of the four engines.
    #[error("a name has at most 63 bytes")]
    TooLong,
    /// A control character; NUL in particular ends a name in every engine.
    #[error("a name cannot hold control characters")]
    Control,
}

impl Ident {
    /// The most bytes that a name can have on every engine (PostgreSQL's `NAMEDATALEN` - 1).
    pub const MAX_BYTES: usize = 63;

    /// Checks `name`.
    pub fn new(name: &str) -> Result<Self, IdentError> {
        if name.is_empty() {
            return Err(IdentError::Empty);
        }
        if name.len() > Self::MAX_BYTES {
            return Err(IdentError::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(IdentError::Control);
        }
        Ok(Self(name.into()))
    }

    /// The name of a static table, column or alias of our own.
    ///
    /// # Panics
    /// When the text is no name; it is a literal in our source, so a test finds that.
    #[must_use]
    pub fn of(name: &'static str) -> Self {
        Self::new(name).expect("a literal name is valid")
    }

    /// The name, unquoted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl std::borrow::Borrow<str> for Ident {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Ident {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}
