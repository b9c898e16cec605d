//! Names of tables, columns and constraints.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A name that can be written into SQL, always quoted.
#[derive(Clone)]
pub struct Ident(Name);

#[derive(Clone)]
enum Name {
    Literal(&'static str),
    Shared(Arc<str>),
}

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
        Ok(Self(Name::Shared(name.into())))
    }

    /// The name of a table, column or alias of our own.
    ///
    /// # Panics
    /// When the text is no plain name; it is a literal in our source, so a build or a test finds
    /// that.
    #[must_use]
    pub const fn of(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= Self::MAX_BYTES);
        let mut place = 0;
        while place < bytes.len() {
            assert!(bytes[place].is_ascii_graphic());
            place += 1;
        }
        Self(Name::Literal(name))
    }

    /// The name, unquoted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Literal(name) => name,
            Name::Shared(name) => name,
        }
    }
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Ident {}

impl PartialOrd for Ident {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ident {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

// As `Borrow<str>` asks for: the same hash as the text's.
impl Hash for Ident {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::borrow::Borrow<str> for Ident {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Ident {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}
