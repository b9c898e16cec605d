//! Files, places in them, and what is wrong there.

use std::fmt;

/// A file of SQL, already read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user knows it, relative to the project: `schema/cruddur.sql`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A place in a [`Source`]; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Something wrong in a file: what, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub path: String,
    /// The place.
    pub span: Span,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A mistake at `span` of the file at `path`.
    pub fn new(path: impl Into<String>, span: Span, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            span,
            message: message.into(),
            hint: None,
        }
    }

    /// The same mistake with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.path, self.span.line, self.span.column, self.message
        )?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
