//! What a condition, an order or a selection speaks of: a column, or a part of a JSON column.

use lang::JsonKey;

use super::cursor::Cursor;
use crate::RestError;

/// A column with the way to a part of its JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// `->key->0`, empty for the column itself.
    pub(crate) path: Vec<JsonKey>,
    /// Whether the last step is `->>`.
    pub(crate) as_text: bool,
}

impl Field {
    /// A column.
    pub(crate) fn column(name: String) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// Whether it is a column and no part of one.
    pub(crate) fn is_plain(&self) -> bool {
        self.path.is_empty()
    }

    /// Its name in an answer: that of the last member on the way, else the column's.
    pub(crate) fn key(&self) -> &str {
        let mut members = self.path.iter().rev().filter_map(|step| match step {
            JsonKey::Member(name) => Some(name.as_str()),
            JsonKey::Element(_) => None,
        });
        members.next().unwrap_or(&self.name)
    }
}

/// `name`, `name->key`, `name->0->>key`.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Field, RestError> {
    let name = cursor.name()?;
    path(cursor, name)
}

/// The steps behind a name.
pub(super) fn path(cursor: &mut Cursor<'_>, name: String) -> Result<Field, RestError> {
    let mut field = Field::column(name);
    loop {
        let as_text = cursor.rest().starts_with("->>");
        if !cursor.take("->>") && !cursor.take("->") {
            return Ok(field);
        }
        if field.as_text {
            return Err(cursor.error("follows ->>, which gives text and stands last,"));
        }
        field.path.push(step(cursor)?);
        field.as_text = as_text;
    }
}

/// A whole number is an element's place, everything else a member's name.
fn step(cursor: &mut Cursor<'_>) -> Result<JsonKey, RestError> {
    if cursor.peek() == Some('"') {
        return cursor.quoted().map(JsonKey::Member);
    }
    let digits = cursor.rest().strip_prefix('-').unwrap_or(cursor.rest());
    let length = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let behind = digits[length..].chars().next();
    let ends = behind.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '$'));
    if length > 0 && ends {
        let sign = if cursor.take("-") { "-" } else { "" };
        let digits = cursor.take_while(|c| c.is_ascii_digit());
        let number = format!("{sign}{digits}");
        return number
            .parse()
            .map(JsonKey::Element)
            .map_err(|_| cursor.error("follows a number that is no place in a list,"));
    }
    cursor.name().map(JsonKey::Member)
}
