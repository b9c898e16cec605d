//! The `Prefer` header.

use jiff::tz::{Offset, TimeZone};

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

/// Which total is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// None.
    None,
    /// As many as there are.
    Exact,
    /// As many as there are, up to a bound that is cheap to count to.
    Bounded,
}

/// What becomes of a new row whose key is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// It is a conflict.
    Refuse,
    /// The row that is there is changed.
    Merge,
    /// The row that is there stays as it is.
    Ignore,
}

/// The preferences of a request (RFC 7240), in PostgREST's words.
#[derive(Clone, Debug)]
pub(crate) struct Prefer {
    pub(crate) returning: Returning,
    pub(crate) count: Count,
    pub(crate) missing_default: bool,
    pub(crate) resolution: Resolution,
    pub(crate) rollback: bool,
    pub(crate) max_affected: Option<u64>,
    /// The zone in which moments are written; UTC by default.
    pub(crate) zone: Option<TimeZone>,
    /// Those that were followed, as they were written.
    pub(crate) applied: Vec<String>,
}

impl Prefer {
    /// Reads all `Prefer` headers; the first of a kind wins, an unknown one is refused only
    /// under `handling=strict`.
    pub(crate) fn parse(headers: &[&str]) -> Result<Self, RestError> {
        let mut prefer = Self {
            returning: Returning::Minimal,
            count: Count::None,
            missing_default: false,
            resolution: Resolution::Refuse,
            rollback: false,
            max_affected: None,
            zone: None,
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
            strict |= (key, value) == ("handling", "strict");
            match prefer.take(key, value) {
                true => prefer.applied.push(token.to_owned()),
                false => unknown.push(token),
            }
        }
        if strict && !unknown.is_empty() {
            let message = format!("unknown preferences: {}", unknown.join(", "));
            return Err(RestError::new(ErrorKind::BadRequest, "PGRST122", message)
                .hint("leave handling=strict away, or the preference"));
        }
        if !strict && prefer.max_affected.take().is_some() {
            prefer
                .applied
                .retain(|one| !one.starts_with("max-affected"));
        }
        Ok(prefer)
    }

    /// Notes one preference; gives whether it is known.
    fn take(&mut self, key: &str, value: &str) -> bool {
        match (key, value) {
            ("return", "minimal") => self.returning = Returning::Minimal,
            ("return", "headers-only") => self.returning = Returning::Headers,
            ("return", "representation") => self.returning = Returning::Representation,
            ("count", "exact") => self.count = Count::Exact,
            ("count", "planned" | "estimated") => self.count = Count::Bounded,
            ("missing", "default") => self.missing_default = true,
            ("resolution", "merge-duplicates") => self.resolution = Resolution::Merge,
            ("resolution", "ignore-duplicates") => self.resolution = Resolution::Ignore,
            ("missing", "null") | ("tx", "commit") | ("handling", "lenient" | "strict") => {}
            ("tx", "rollback") => self.rollback = true,
            ("max-affected", count) => match count.parse() {
                Ok(count) => self.max_affected = Some(count),
                Err(_) => return false,
            },
            ("timezone", name) => match zone(name) {
                Some(zone) => self.zone = Some(zone),
                None => return false,
            },
            _ => return false,
        }
        true
    }
}

/// `Europe/Berlin`, `+02:00`
fn zone(name: &str) -> Option<TimeZone> {
    if let Some((sign, digits)) = name
        .split_at_checked(1)
        .filter(|(sign, _)| matches!(*sign, "+" | "-"))
    {
        let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let seconds = (hours * 60 + minutes).checked_mul(60)?;
        let seconds = if sign == "-" { -seconds } else { seconds };
        return Offset::from_seconds(seconds).ok().map(TimeZone::fixed);
    }
    TimeZone::get(name).ok()
}
