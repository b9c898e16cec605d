//! `column=operator.value` and logical trees.

use crate::{Limits, RestError};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// A column compared with something.
    Compare {
        column: String,
        operation: Operation,
        negated: bool,
    },
    /// `and(…)`, `or(…)`
    Logic {
        any: bool,
        conditions: Vec<Condition>,
        negated: bool,
    },
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Eq(String),
    NotEq(String),
    Gt(String),
    GtEq(String),
    Lt(String),
    LtEq(String),
    IsDistinct(String),
    Like { pattern: String, insensitive: bool },
    In(Vec<String>),
    IsNull,
    IsNotNull,
    IsTrue,
    IsFalse,
    IsUnknown,
}

/// The operators, for messages.
const KNOWN: &str =
    "eq, neq, gt, gte, lt, lte, like, ilike, in, is, isdistinct, each with not. before it";

/// A parameter that is no keyword: `column=op.value`, `and=(…)`, `not.or=(…)`.
pub(crate) fn parameter(key: &str, value: &str, limits: &Limits) -> Result<Condition, RestError> {
    let (negated, word) = match key.strip_prefix("not.") {
        Some(rest) => (true, rest),
        None => (false, key),
    };
    if matches!(word, "and" | "or") && value.starts_with('(') {
        let mut tree = Tree {
            text: value,
            place: 0,
            depth: 0,
            most: limits.max_depth,
        };
        let conditions = tree.list()?;
        if tree.place < value.len() {
            return Err(tree.error("is not expected"));
        }
        return Ok(Condition::Logic {
            any: word == "or",
            conditions,
            negated,
        });
    }
    if key.is_empty() {
        return Err(RestError::query("a parameter has no name").hint("write column=eq.value"));
    }
    compare(key.trim_matches('"'), value, false)
}

/// `[not.]operator.value` for a column; `nested` values are already unquoted of the tree's marks.
fn compare(column: &str, text: &str, nested: bool) -> Result<Condition, RestError> {
    if column.contains("->") {
        return Err(RestError::query(format!(
            "{column}: JSON paths are not offered yet"
        )));
    }
    let (negated, text) = match text.strip_prefix("not.") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let unknown = || {
        RestError::query(format!(
            "{column}: '{text}' does not begin with an operator"
        ))
        .hint(format!("write {column}=eq.value; known are {KNOWN}"))
    };
    let (operator, value) = text.split_once('.').ok_or_else(unknown)?;
    let value_text = || {
        if nested {
            unquote(value)
        } else {
            value.to_owned()
        }
    };
    let operation = match operator {
        "eq" => Operation::Eq(value_text()),
        "neq" => Operation::NotEq(value_text()),
        "gt" => Operation::Gt(value_text()),
        "gte" => Operation::GtEq(value_text()),
        "lt" => Operation::Lt(value_text()),
        "lte" => Operation::LtEq(value_text()),
        "isdistinct" => Operation::IsDistinct(value_text()),
        "like" | "ilike" => Operation::Like {
            pattern: value_text().replace('*', "%"),
            insensitive: operator == "ilike",
        },
        "in" => Operation::In(list(column, value)?),
        "is" => match value.to_ascii_lowercase().as_str() {
            "null" => Operation::IsNull,
            "not_null" => Operation::IsNotNull,
            "true" => Operation::IsTrue,
            "false" => Operation::IsFalse,
            "unknown" => Operation::IsUnknown,
            _ => {
                return Err(
                    RestError::query(format!("{column}: is.{value} is not known"))
                        .hint("write is.null, is.not_null, is.true, is.false or is.unknown"),
                );
            }
        },
        _ => return Err(unknown()),
    };
    Ok(Condition::Compare {
        column: column.to_owned(),
        operation,
        negated,
    })
}

/// `(a,"b,c",d)`
fn list(column: &str, text: &str) -> Result<Vec<String>, RestError> {
    let inner = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .ok_or_else(|| {
            RestError::query(format!("{column}: in takes a list in brackets"))
                .hint(format!("write {column}=in.(a,b,\"c,d\")"))
        })?;
    if inner.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut elements = Vec::new();
    let mut rest = inner;
    loop {
        let end = element_end(rest, &[',']);
        elements.push(unquote(&rest[..end]));
        match rest.get(end..).and_then(|tail| tail.strip_prefix(',')) {
            Some(tail) => rest = tail,
            None => break,
        }
    }
    Ok(elements)
}

/// Where an element ends: at one of `stops` outside of double quotes.
fn element_end(text: &str, stops: &[char]) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (place, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if !quoted && stops.contains(&character) => return place,
            _ => {}
        }
    }
    text.len()
}

/// `"a\"b"` without its quotes; other texts as they are.
fn unquote(text: &str) -> String {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return text.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// `name.rest` or `"quoted.name".rest`.
pub(crate) fn split_name(text: &str) -> Result<(&str, &str), RestError> {
    if let Some(quoted) = text.strip_prefix('"') {
        let end = quoted
            .find('"')
            .ok_or_else(|| RestError::query(format!("the quote in {text} is not closed")))?;
        let rest = quoted.get(end + 1..).unwrap_or_default();
        return Ok((&quoted[..end], rest.strip_prefix('.').unwrap_or(rest)));
    }
    Ok(text.split_once('.').unwrap_or((text, "")))
}

/// `(a.eq.1,or(b.lt.2,c.is.null))`
struct Tree<'t> {
    text: &'t str,
    place: usize,
    depth: usize,
    most: usize,
}

impl Tree<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.place..).unwrap_or_default()
    }

    fn error(&self, what: &str) -> RestError {
        let found = self
            .rest()
            .chars()
            .next()
            .map_or(String::from("the end"), |c| format!("'{c}'"));
        let column = self.place + 1;
        RestError::query(format!(
            "logical filter: {found} {what} at character {column}"
        ))
        .hint("write and=(a.eq.1,or(b.lt.2,c.is.null))")
    }

    fn list(&mut self) -> Result<Vec<Condition>, RestError> {
        self.depth += 1;
        if self.depth > self.most {
            return Err(
                RestError::query(format!("a filter is nested deeper than {}", self.most))
                    .hint("the limit is max_depth"),
            );
        }
        if !self.rest().starts_with('(') {
            return Err(self.error("should be an opening bracket"));
        }
        self.place += 1;
        let mut conditions = Vec::new();
        loop {
            conditions.push(self.condition()?);
            let next = self.rest().chars().next();
            match next {
                Some(',') => self.place += 1,
                Some(')') => {
                    self.place += 1;
                    self.depth -= 1;
                    return Ok(conditions);
                }
                _ => return Err(self.error("should be a comma or a closing bracket")),
            }
        }
    }

    fn condition(&mut self) -> Result<Condition, RestError> {
        for (word, any, negated) in [
            ("and(", false, false),
            ("or(", true, false),
            ("not.and(", false, true),
            ("not.or(", true, true),
        ] {
            if self.rest().starts_with(word) {
                self.place += word.len() - 1;
                let conditions = self.list()?;
                return Ok(Condition::Logic {
                    any,
                    conditions,
                    negated,
                });
            }
        }
        let rest = self.rest();
        // A list in brackets belongs to its operator.
        let end = match rest
            .find(".in.(")
            .filter(|place| *place < element_end(rest, &[',', ')']))
        {
            Some(place) => {
                let list = &rest[place + 5..];
                place + 5 + element_end(list, &[')']) + 1
            }
            None => element_end(rest, &[',', ')']),
        };
        let text = rest
            .get(..end)
            .ok_or_else(|| self.error("ends too early"))?;
        let (column, comparison) = split_name(text)?;
        if column.is_empty() || comparison.is_empty() {
            return Err(self.error("should be column.operator.value"));
        }
        let condition = compare(column, comparison, true)?;
        self.place += end;
        Ok(condition)
    }
}
