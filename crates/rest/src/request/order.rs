//! `order=column.desc.nullslast,related(column)`

use super::Budget;
use super::cursor::Cursor;
use super::field::{self, Field};
use crate::RestError;

/// One key of an `order`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderKey {
    /// The embed whose column it is; `None` for the relation's own.
    pub(crate) related: Option<String>,
    pub(crate) field: Field,
    pub(crate) descending: bool,
    /// Where nulls go, if it was said.
    pub(crate) nulls_first: Option<bool>,
}

pub(super) fn parse(text: &str, budget: &mut Budget<'_>) -> Result<Vec<OrderKey>, RestError> {
    let mut cursor = Cursor::new(text, "order", "order=column.desc.nullslast,related(column)");
    let mut keys = Vec::new();
    loop {
        cursor.spaces();
        if cursor.is_at_end() {
            return Ok(keys);
        }
        budget.node()?;
        keys.push(key(&mut cursor)?);
        cursor.spaces();
        if !cursor.take(",") {
            cursor.finish()?;
            return Ok(keys);
        }
    }
}

fn key(cursor: &mut Cursor<'_>) -> Result<OrderKey, RestError> {
    let name = cursor.name()?;
    let (related, field) = match cursor.take("(") {
        false => (None, field::path(cursor, name)?),
        true => {
            let field = field::parse(cursor)?;
            cursor.expect(")", "a closing bracket")?;
            (Some(name), field)
        }
    };
    let mut key = OrderKey {
        related,
        field,
        descending: false,
        nulls_first: None,
    };
    while cursor.take(".") {
        match cursor.take_while(|c| c.is_ascii_alphabetic()) {
            "asc" => key.descending = false,
            "desc" => key.descending = true,
            "nullsfirst" => key.nulls_first = Some(true),
            "nullslast" => key.nulls_first = Some(false),
            word => {
                return Err(
                    RestError::query(format!("{word} is no direction of an order"))
                        .hint("write asc, desc, nullsfirst or nullslast"),
                );
            }
        }
    }
    Ok(key)
}
