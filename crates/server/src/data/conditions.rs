//! Conditional requests (RFC 9110 §13): a cache that asks for news, a writer who wants to change
//! what he has read and nothing newer.

use axum::http::{HeaderMap, HeaderName, header};
use rest::Method;
use xxhash_rust::xxh3::xxh3_128;

/// `If-Match` and `If-None-Match`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Conditions<'h> {
    matches: Option<&'h str>,
    differs: Option<&'h str>,
}

/// The strong validator of a representation.
pub(super) fn etag(body: &[u8]) -> String {
    format!("\"{:032x}\"", xxh3_128(body))
}

impl<'h> Conditions<'h> {
    pub(super) fn of(headers: &'h HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            matches: text(header::IF_MATCH),
            differs: text(header::IF_NONE_MATCH),
        }
    }

    /// Whether a write is to happen only if the row is as they say.
    pub(super) fn guards(&self, method: Method) -> bool {
        let writes = !matches!(method, Method::Get | Method::Head);
        writes && (self.matches.is_some() || self.differs.is_some())
    }

    /// Whether a reader has this representation already. The comparison is weak (§13.1.2).
    pub(super) fn knows(&self, tag: &str) -> bool {
        self.differs.is_some_and(|tags| names(tags, tag, true))
    }

    /// Whether the row that is there, or that there is none, is what they ask for. `If-Match`
    /// compares strongly (§13.1.1).
    pub(super) fn allow(&self, current: Option<&str>) -> bool {
        let matches = self.matches.is_none_or(|tags| {
            current.is_some_and(|current| tags.trim() == "*" || names(tags, current, false))
        });
        let differs = self.differs.is_none_or(|tags| match current {
            None => true,
            Some(current) => tags.trim() != "*" && !names(tags, current, true),
        });
        matches && differs
    }
}

/// Whether a list of validators holds this one.
fn names(tags: &str, tag: &str, weak: bool) -> bool {
    tags.split(',').map(str::trim).any(|one| {
        let plain = match weak {
            true => one.strip_prefix("W/").unwrap_or(one),
            false => one,
        };
        plain == tag || (weak && one == "*")
    })
}

#[cfg(test)]
mod tests {
    use super::Conditions;

    #[test]
    fn conditions_compare_as_their_rfc_says() {
        let of = |matches, differs| Conditions { matches, differs };
        assert!(of(Some("\"a\", \"b\""), None).allow(Some("\"b\"")));
        assert!(!of(Some("W/\"b\""), None).allow(Some("\"b\"")));
        assert!(of(Some("*"), None).allow(Some("\"b\"")));
        assert!(!of(Some("*"), None).allow(None));
        assert!(of(None, Some("*")).allow(None));
        assert!(!of(None, Some("*")).allow(Some("\"b\"")));
        assert!(of(None, Some("W/\"b\"")).knows("\"b\""));
        assert!(!of(None, Some("\"c\"")).knows("\"b\""));
    }
}
