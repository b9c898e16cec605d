//! The query string as a whole.

use percent_encoding::percent_decode_str;

use super::cursor::Cursor;
use super::field::{self, Field};
use super::filter::{self, Condition};
use super::order::{self, OrderKey};
use super::select::{self, Selection};
use crate::{ErrorKind, Limits, RestError};

/// What is asked of one relation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) order: Vec<OrderKey>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

/// A parsed query string.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadRequest {
    pub(crate) select: Option<Selection>,
    pub(crate) root: Scope,
    /// By the names or aliases of the embeds on the way.
    pub(crate) embeds: Vec<(Vec<String>, Scope)>,
    /// `columns=`, of an insert.
    pub(crate) columns: Option<Vec<String>>,
    /// `on_conflict=`, of an insert.
    pub(crate) on_conflict: Option<Vec<String>>,
    /// `cursor=`: behind which row the page begins; empty for the first page.
    pub(crate) cursor: Option<String>,
}

impl ReadRequest {
    fn scope(&mut self, path: Vec<String>) -> &mut Scope {
        if path.is_empty() {
            return &mut self.root;
        }
        let place = match self.embeds.iter().position(|(known, _)| *known == path) {
            Some(place) => place,
            None => {
                self.embeds.push((path, Scope::default()));
                self.embeds.len() - 1
            }
        };
        &mut self.embeds[place].1
    }
}

impl ReadRequest {
    /// Takes the page of a `Range: 10-19` where the query string names none. Other spellings are
    /// other units' and mean nothing here (RFC 9110 §14.2).
    pub(crate) fn page(&mut self, range: &str) -> Result<(), RestError> {
        let Some((first, last)) = range.trim().split_once('-') else {
            return Ok(());
        };
        let Ok(first) = first.parse::<u64>() else {
            return Ok(());
        };
        let last = match last {
            "" => None,
            last => match last.parse::<u64>() {
                Ok(last) if last >= first => Some(last),
                Ok(_) => {
                    let message = format!("the range {range} ends before it begins");
                    let kind = ErrorKind::RangeNotSatisfiable;
                    return Err(RestError::new(kind, "PGRST103", message));
                }
                Err(_) => return Ok(()),
            },
        };
        let root = &mut self.root;
        if root.limit.is_none() && root.offset.is_none() {
            root.offset = Some(first);
            root.limit = last.map(|last| last - first + 1);
        }
        Ok(())
    }
}

/// How much a request may ask for.
pub(super) struct Budget<'l> {
    limits: &'l Limits,
    nodes: usize,
}

impl Budget<'_> {
    /// One more condition, selected item or key of an order.
    pub(super) fn node(&mut self) -> Result<(), RestError> {
        self.nodes += 1;
        let most = self.limits.max_nodes;
        if self.nodes > most {
            return Err(
                RestError::query(format!("the query has more than {most} parts"))
                    .hint("ask in several requests; the limit is max_nodes"),
            );
        }
        Ok(())
    }

    /// Brackets within brackets.
    pub(super) fn depth(&self, depth: usize, what: &str) -> Result<(), RestError> {
        let most = self.limits.max_depth;
        if depth > most {
            return Err(
                RestError::query(format!("{what} is nested deeper than {most}"))
                    .hint("the limit is max_depth"),
            );
        }
        Ok(())
    }
}

/// Parses a raw query string.
pub(crate) fn parse(raw: &str, limits: &Limits) -> Result<ReadRequest, RestError> {
    parse_pairs(&pairs(raw)?, limits)
}

/// Parses decoded names and values.
pub(crate) fn parse_pairs(
    pairs: &[(String, String)],
    limits: &Limits,
) -> Result<ReadRequest, RestError> {
    let mut request = ReadRequest::default();
    let mut budget = Budget { limits, nodes: 0 };
    for (key, value) in pairs {
        parameter(&mut request, key, value, &mut budget)?;
    }
    Ok(request)
}

/// The column of a condition, or the word of another parameter; `None` where the name is of a
/// relation's or cannot be read.
pub(crate) fn subject(key: &str) -> Option<String> {
    let (path, field) = place(key).ok()?;
    match path.as_slice() {
        [] => Some(field.name),
        [not] if not == "not" => Some(field.name),
        _ => None,
    }
}

/// The decoded names and values of a query string (`application/x-www-form-urlencoded`).
pub(crate) fn pairs(raw: &str) -> Result<Vec<(String, String)>, RestError> {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect()
}

fn parameter(
    request: &mut ReadRequest,
    key: &str,
    value: &str,
    budget: &mut Budget<'_>,
) -> Result<(), RestError> {
    match key {
        "select" => request.select = Some(select::parse(value, budget)?),
        "columns" => request.columns = Some(names(value)?),
        "on_conflict" => request.on_conflict = Some(names(value)?),
        // A condition on a column of that name has a dot.
        "cursor" if !value.contains('.') => request.cursor = Some(value.to_owned()),
        _ => {
            let (mut path, field) = place(key)?;
            match field.name.as_str() {
                "order" => request.scope(path).order = order::parse(value, budget)?,
                "limit" => request.scope(path).limit = Some(count("limit", value)?),
                "offset" => request.scope(path).offset = Some(count("offset", value)?),
                word @ ("and" | "or") if value.starts_with('(') => {
                    let negated = path.last().is_some_and(|name| name == "not");
                    path.truncate(path.len() - usize::from(negated));
                    let condition = filter::logic(word, negated, value, budget)?;
                    request.scope(path).conditions.push(condition);
                }
                _ => {
                    let condition = filter::condition(field, value, budget)?;
                    request.scope(path).conditions.push(condition);
                }
            }
        }
    }
    Ok(())
}

/// `embed.embed.column->path`: the embeds on the way, and the last name.
fn place(key: &str) -> Result<(Vec<String>, Field), RestError> {
    if key.is_empty() {
        return Err(RestError::query("a parameter has no name").hint("write column=eq.value"));
    }
    let mut cursor = Cursor::new(
        key,
        "parameter",
        "column=eq.value or related.column=eq.value",
    );
    let mut path = Vec::new();
    loop {
        let field = field::parse(&mut cursor)?;
        if cursor.is_at_end() {
            return Ok((path, field));
        }
        cursor.expect(".", "a dot between names")?;
        path.push(field.name);
    }
}

fn decode(text: &str) -> Result<String, RestError> {
    let bytes = text.as_bytes();
    let broken = bytes.iter().enumerate().any(|(place, byte)| {
        *byte == b'%'
            && !bytes
                .get(place + 1..place + 3)
                .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .filter(|_| !broken);
    match decoded {
        Some(decoded) if !decoded.contains('\0') => Ok(decoded.into_owned()),
        _ => Err(
            RestError::query("the query string is not percent-encoded UTF-8")
                .hint("write % as %25, & as %26, + as %2B"),
        ),
    }
}

/// `a,"b"`
fn names(value: &str) -> Result<Vec<String>, RestError> {
    let mut cursor = Cursor::new(value, "columns", "columns=a,b");
    let mut names = Vec::new();
    loop {
        cursor.spaces();
        if cursor.is_at_end() {
            return Ok(names);
        }
        names.push(cursor.name()?);
        cursor.spaces();
        if !cursor.take(",") {
            cursor.finish()?;
            return Ok(names);
        }
    }
}

fn count(key: &str, value: &str) -> Result<u64, RestError> {
    // The engines count with one bit less.
    let number = value.parse::<i64>().ok();
    number
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| {
            RestError::query(format!("{key} is not a whole number: {value}"))
                .hint(format!("write {key}=20"))
        })
}
