//! Where the data API is mounted: the paths below which every table and file answers.

use std::sync::Arc;

use crate::Limits;

/// What an [`crate::Api`] is made with besides its catalog and files.
#[derive(Clone, Debug, Default)]
pub struct ApiOptions {
    /// How much a request may ask for.
    pub limits: Limits,
    /// Where the API is mounted.
    pub prefixes: Prefixes,
}

impl From<Limits> for ApiOptions {
    fn from(limits: Limits) -> Self {
        Self {
            limits,
            prefixes: Prefixes::default(),
        }
    }
}

/// One or several prefixes, as `/api` and `/api/v1`; all of them lead to the same routes. Cheap to
/// clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// As they were given, without a slash at the end; the root is empty.
    given: Arc<[String]>,
    /// The same, longer ones first, so that `/api/v1` is not taken for `v1` below `/api`.
    matched: Arc<[String]>,
}

/// Why prefixes are refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// There is none.
    #[error("there has to be one, as /api")]
    None,
    /// It does not begin with a slash.
    #[error("{0} does not start with /")]
    Relative(String),
    /// Two slashes stand together.
    #[error("{0} has an empty part")]
    EmptyPart(String),
    /// A part is `.` or `..`, or has other characters than those that need no escape.
    #[error("{0} has a part that is not made of letters, digits, -, _, ~ and dots between them")]
    Part(String),
    /// It stands twice on the list.
    #[error("{0} is there twice")]
    Twice(String),
    /// The server itself answers there.
    #[error("{0} is taken: the server's own routes are below /{1}")]
    Taken(String, String),
}

impl Default for Prefixes {
    /// `/api`, and `/rest/v1` for clients of PostgREST.
    fn default() -> Self {
        Self::of(vec![String::from("/api"), String::from("/rest/v1")])
    }
}

impl Prefixes {
    /// Reads prefixes; `/` is the root, a slash at the end changes nothing. `taken` are first parts
    /// of paths that others answer at.
    pub fn parse(given: &[String], taken: &[&str]) -> Result<Self, PrefixError> {
        let mut prefixes: Vec<String> = Vec::with_capacity(given.len());
        for text in given {
            let inner = text
                .strip_prefix('/')
                .ok_or_else(|| PrefixError::Relative(text.clone()))?;
            let inner = inner.strip_suffix('/').unwrap_or(inner);
            if !inner.is_empty() {
                inner.split('/').try_for_each(|part| check(text, part))?;
            }
            let first = inner.split('/').next().unwrap_or_default();
            if taken.contains(&first) {
                return Err(PrefixError::Taken(text.clone(), first.to_owned()));
            }
            let prefix = match inner {
                "" => String::new(),
                inner => format!("/{inner}"),
            };
            if prefixes.contains(&prefix) {
                return Err(PrefixError::Twice(text.clone()));
            }
            prefixes.push(prefix);
        }
        match prefixes.is_empty() {
            true => Err(PrefixError::None),
            false => Ok(Self::of(prefixes)),
        }
    }

    fn of(given: Vec<String>) -> Self {
        let mut matched = given.clone();
        matched.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        Self {
            given: given.into(),
            matched: matched.into(),
        }
    }

    /// A path's prefix, empty for the root, and what is behind it: nothing, or a slash and more.
    #[must_use]
    pub fn split<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        self.matched.iter().find_map(|prefix| {
            let rest = path.strip_prefix(prefix.as_str())?;
            let is_whole = rest.is_empty() || rest.starts_with('/');
            is_whole.then(|| path.split_at(prefix.len()))
        })
    }

    /// A route below the first prefix, which is the one that is written out.
    #[must_use]
    pub fn path(&self, route: &str) -> String {
        let first = self.given.first().map_or("", String::as_str);
        match (first, route) {
            ("", "") => String::from("/"),
            (first, route) => format!("{first}{route}"),
        }
    }

    /// All of them, in the order in which they were given; the root is `/`.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.given.iter().map(|prefix| match prefix.as_str() {
            "" => "/",
            prefix => prefix,
        })
    }
}

/// A part of a prefix is made of characters that need no escape (RFC 3986 §2.3), and is not one
/// that clients take out of paths (§5.2.4).
fn check(prefix: &str, part: &str) -> Result<(), PrefixError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    match part {
        "" => Err(PrefixError::EmptyPart(prefix.to_owned())),
        "." | ".." => Err(PrefixError::Part(prefix.to_owned())),
        part if !part.bytes().all(is_plain) => Err(PrefixError::Part(prefix.to_owned())),
        _ => Ok(()),
    }
}
