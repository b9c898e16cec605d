//! User names (handles): one form to show, one to compare.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use crate::email::is_unseen;

/// A user name as its owner writes it, NFC and trimmed, with the key that makes it unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username {
    name: String,
    key: String,
}

/// Why a text is no user name; the sentence is fit for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Nothing but white space.
    #[error("a user name is needed")]
    Empty,
    /// More than [`Username::MAX_CHARS`].
    #[error("a user name has at most 40 characters")]
    TooLong,
    /// A control character, or one that shows nothing or turns the line round.
    #[error("a user name cannot hold control or invisible characters")]
    Character,
    /// An `@`: what is typed at login is an e-mail address exactly if it has one.
    #[error("a user name cannot hold an @")]
    At,
}

impl Username {
    /// The most characters (Unicode scalar values) a name has.
    pub const MAX_CHARS: usize = 40;

    /// Reads what somebody typed (after RFC 8265 §3.3, without its width mapping).
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(UsernameError::Empty);
        }
        if trimmed.len() > Self::MAX_CHARS * 8 {
            return Err(UsernameError::TooLong);
        }
        let name: String = trimmed.nfc().collect();
        if name.chars().count() > Self::MAX_CHARS {
            return Err(UsernameError::TooLong);
        }
        if name.contains('@') {
            return Err(UsernameError::At);
        }
        // Joiners build one picture out of several emoji and belong inside a name, not at an end.
        let joins = |c: char| matches!(c, '\u{200c}' | '\u{200d}');
        if name.starts_with(joins) || name.ends_with(joins) {
            return Err(UsernameError::Character);
        }
        if name.chars().any(|c| c != ' ' && !joins(c) && is_unseen(c)) {
            return Err(UsernameError::Character);
        }
        let key = name.to_lowercase().nfc().collect();
        Ok(Self { name, key })
    }

    /// The name to show.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The name to compare: lower-case, at most 80 characters.
    #[must_use]
    pub fn username_key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
