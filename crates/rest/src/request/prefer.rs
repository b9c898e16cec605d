//! The `Prefer` and `Accept` headers.

use crate::{ErrorKind, RestError};

/// What a write answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returning {
    /// Nothing.
    Minimal,
    /// Headers.
    Headers,
    /// The rows.
    Representation,
}

/// The preferences of a request (RFC 7240), in PostgREST's words.
#[derive(Clone, Debug)]
pub(crate) struct Prefer {
    pub(crate) returning: Returning,
    pub(crate) exact_count: bool,
    pub(crate) missing_default: bool,
    pub(crate) rollback: bool,
    pub(crate) max_affected: Option<u64>,
    /// Those that were followed, as they were written.
    pub(crate) applied: Vec<String>,
}

impl Prefer {
    /// Reads all `Prefer` headers; the first of a kind wins, an unknown one is refused only
    /// under `handling=strict`.
    pub(crate) fn parse(headers: &[&str]) -> Result<Self, RestError> {
        let mut prefer = Self {
            returning: Returning::Minimal,
            exact_count: false,
            missing_default: false,
            rollback: false,
            max_affected: None,
            applied: Vec::new(),
        };
        let mut strict = false;
        let mut unknown = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for token in headers
            .iter()
            .flat_map(|header| header.split(','))
            .map(str::trim)
        {
            let (key, value) = token.split_once('=').unwrap_or((token, ""));
            if token.is_empty() || seen.contains(&key) {
                continue;
            }
            seen.push(key);
            match (key, value) {
                ("return", "minimal") => prefer.returning = Returning::Minimal,
                ("return", "headers-only") => prefer.returning = Returning::Headers,
                ("return", "representation") => prefer.returning = Returning::Representation,
                ("count", "exact" | "planned" | "estimated") => prefer.exact_count = true,
                ("missing", "default") => prefer.missing_default = true,
                ("missing", "null") | ("tx", "commit") | ("handling", "lenient") => {}
                ("tx", "rollback") => prefer.rollback = true,
                ("handling", "strict") => strict = true,
                ("max-affected", count) if count.parse::<u64>().is_ok() => {
                    prefer.max_affected = count.parse().ok();
                }
                _ => {
                    unknown.push(token.to_owned());
                    continue;
                }
            }
            prefer.applied.push(token.to_owned());
        }
        if strict && !unknown.is_empty() {
            let message = format!("unknown preferences: {}", unknown.join(", "));
            return Err(RestError::new(ErrorKind::BadRequest, "PGRST122", message)
                .hint("leave handling=strict away, or the preference"));
        }
        if !strict {
            prefer.max_affected = None;
        }
        Ok(prefer)
    }
}

/// Whether one object is asked for instead of an array; an `Accept` that JSON does not satisfy is
/// refused.
pub(crate) fn wants_object(accept: Option<&str>) -> Result<bool, RestError> {
    let Some(accept) = accept else {
        return Ok(false);
    };
    let mut types = accept
        .split(',')
        .map(|entry| entry.split(';').next().unwrap_or("").trim());
    let first = types.find_map(|name| match name {
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Some(true),
        "application/json"
        | "application/*"
        | "*/*"
        | ""
        | "text/html"
        | "application/vnd.pgrst.array+json" => Some(false),
        _ => None,
    });
    first.ok_or_else(|| {
        let message = format!("none of these media types can be served: {accept}");
        RestError::new(ErrorKind::NotAcceptable, "PGRST107", message)
            .hint("ask for application/json")
    })
}
