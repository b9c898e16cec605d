//! Where somebody goes after signing in: to a path of this server, or to where the operator says.

use super::settings::RedirectError;

/// Somewhere that a login may lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

/// The longest path that is kept in mind.
const LONGEST: usize = 2000;

/// The text, if it is a path of this server and can be read as nothing else. Browsers take `//host`
/// and `/\host` for other hosts, and leave out tabs and line breaks before they look (WHATWG URL §4.4).
pub(super) fn own_path(text: &str) -> Option<&str> {
    let mut letters = text.chars();
    let is_path = letters.next() == Some('/') && letters.next() != Some('/');
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>');
    (is_path && text.len() <= LONGEST && text.chars().all(is_plain)).then_some(text)
}

impl Target {
    /// A path of this server, asked for by whoever made the link.
    pub(super) fn own(text: &str) -> Option<Self> {
        own_path(text).map(|path| Self(path.to_owned()))
    }

    /// What an operator writes: a path, or an address on the web.
    pub(super) fn parse(text: &str) -> Result<Self, RedirectError> {
        if let Some(own) = Self::own(text) {
            return Ok(own);
        }
        let (scheme, rest) = text.split_once("://").ok_or(RedirectError)?;
        let is_plain = rest.chars().all(|c| c.is_ascii_graphic() && c != '\\');
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // What stands before an @ is taken for a host by whoever reads it.
        let is_host = !host.is_empty() && !host.contains('@');
        match matches!(scheme, "https" | "http") && is_plain && is_host {
            true => Ok(Self(text.to_owned())),
            false => Err(RedirectError),
        }
    }

    /// The server's first page.
    pub(super) fn root() -> Self {
        Self(String::from("/"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    //! What leads elsewhere although it looks as if it did not.

    use super::{Target, own_path};

    #[test]
    fn only_own_paths_are_own() {
        for text in [
            "/",
            "/auth/account",
            "/a?b=c&d=//e#f",
            "/a//b",
            "/%2F%2Fevil.example",
        ] {
            assert_eq!(own_path(text), Some(text));
        }
        for text in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=y",
            "/ü",
            "https:evil.example",
            "/a\\..\\..\\evil",
        ] {
            assert_eq!(own_path(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_operator_may_name_other_places() {
        for text in [
            "/billing",
            "https://pay.example/a?b=c",
            "http://localhost:3000",
        ] {
            assert!(Target::parse(text).is_ok(), "{text}");
        }
        for text in [
            "javascript:alert(1)",
            "ftp://x",
            "https://a@b",
            "https://",
            "//x",
            "x",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }
}
