//! The query string as a whole.

use percent_encoding::percent_decode_str;

use super::filter::{self, Condition};
use super::select::{self, Selection};
use crate::{Limits, RestError};

/// One key of an `order`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderKey {
    pub(crate) column: String,
    pub(crate) descending: bool,
    /// Where nulls go, if it was said.
    pub(crate) nulls_first: Option<bool>,
}

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
    /// By the embed's name or alias.
    pub(crate) embeds: Vec<(String, Scope)>,
    /// `columns=`, of an insert.
    pub(crate) columns: Option<Vec<String>>,
}

impl ReadRequest {
    fn scope(&mut self, path: Option<&str>) -> &mut Scope {
        let Some(path) = path else {
            return &mut self.root;
        };
        let place = match self.embeds.iter().position(|(name, _)| name == path) {
            Some(place) => place,
            None => {
                self.embeds.push((path.to_owned(), Scope::default()));
                self.embeds.len() - 1
            }
        };
        &mut self.embeds[place].1
    }
}

/// Parses a raw query string.
pub(crate) fn parse(raw: &str, limits: &Limits) -> Result<ReadRequest, RestError> {
    let mut request = ReadRequest::default();
    let mut nodes = 0;
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decode(key)?, decode(value)?);
        nodes += 1 + value.matches(',').count();
        if nodes > limits.max_nodes {
            let most = limits.max_nodes;
            return Err(
                RestError::query(format!("the query has more than {most} parts"))
                    .hint("ask in several requests; the limit is max_nodes"),
            );
        }
        parameter(&mut request, &key, &value, limits)?;
    }
    Ok(request)
}

fn parameter(
    request: &mut ReadRequest,
    key: &str,
    value: &str,
    limits: &Limits,
) -> Result<(), RestError> {
    match key {
        "select" => request.select = Some(select::parse(value, limits)?),
        "columns" => request.columns = Some(names(value)),
        "on_conflict" => {
            return Err(RestError::query("on_conflict is not offered yet")
                .hint("PUT a row by its key to replace it"));
        }
        _ => {
            let (path, last) = match key.rsplit_once('.') {
                Some((path, last)) if path != "not" => (Some(path), last),
                _ => (None, key),
            };
            match last {
                "order" => request.scope(path).order = order(value)?,
                "limit" => request.scope(path).limit = Some(count(last, value)?),
                "offset" => request.scope(path).offset = Some(count(last, value)?),
                _ => {
                    let condition = filter::parameter(last, value, limits)?;
                    request.scope(path).conditions.push(condition);
                }
            }
        }
    }
    Ok(())
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

fn names(value: &str) -> Vec<String> {
    value
        .split(',')
        .map(|name| name.trim().trim_matches('"').to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn count(key: &str, value: &str) -> Result<u64, RestError> {
    value.parse().map_err(|_| {
        RestError::query(format!("{key} is not a whole number: {value}"))
            .hint(format!("write {key}=20"))
    })
}

fn order(value: &str) -> Result<Vec<OrderKey>, RestError> {
    let mut keys = Vec::new();
    for part in value
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let mut words = filter::split_name(part)?;
        let mut key = OrderKey {
            column: words.0.to_owned(),
            descending: false,
            nulls_first: None,
        };
        if key.column.is_empty() || key.column.contains("->") || key.column.contains('(') {
            return Err(RestError::query(format!("cannot order by {part}"))
                .hint("write order=column.desc.nullslast"));
        }
        for word in std::mem::take(&mut words.1)
            .split('.')
            .filter(|word| !word.is_empty())
        {
            match word {
                "asc" => key.descending = false,
                "desc" => key.descending = true,
                "nullsfirst" => key.nulls_first = Some(true),
                "nullslast" => key.nulls_first = Some(false),
                _ => {
                    return Err(
                        RestError::query(format!("{word} is no direction of an order"))
                            .hint("write asc, desc, nullsfirst or nullslast"),
                    );
                }
            }
        }
        keys.push(key);
    }
    Ok(keys)
}
