//! Which row: the values of a primary key, out of a path or out of filters.

use crate::plan::Target;
use crate::request::{Comparison, Condition, Operation, ReadRequest};
use crate::value::from_text;
use crate::{ErrorKind, RestError};

/// [`key_values`] for a caller, to whom a key that may not be read is none: a row that can be asked for
/// by a column's value tells that value.
pub(super) fn readable_key(target: Target<'_>, text: &str) -> Result<Vec<sql::Value>, RestError> {
    let readable = target.access.readable();
    let primary = target.table.primary_key.iter();
    if primary
        .flat_map(|key| &key.columns)
        .all(|column| readable.contains(column))
    {
        return key_values(target, text);
    }
    Err(no_key(target))
}

fn no_key(target: Target<'_>) -> RestError {
    let message = format!("{} has no primary key", target.table.name);
    RestError::new(ErrorKind::NotFound, "PGRST125", message)
}

/// `/table/key`: the values of the primary key, separated by commas.
pub(crate) fn key_values(target: Target<'_>, text: &str) -> Result<Vec<sql::Value>, RestError> {
    let Some(primary) = &target.table.primary_key else {
        return Err(no_key(target));
    };
    let parts: Vec<&str> = match primary.columns.len() {
        1 => vec![text],
        _ => text.split(',').collect(),
    };
    if parts.len() != primary.columns.len() {
        return Err(
            RestError::query(format!("the key has {} parts", primary.columns.len()))
                .hint("write them separated by commas"),
        );
    }
    let values = primary.columns.iter().zip(parts).map(|(column, part)| {
        let column = target
            .table
            .column(column.as_str())
            .ok_or_else(RestError::row)?;
        from_text(part, &column.ty).map_err(|(_, message)| {
            let message = format!("{}: '{part}' {message}", column.name);
            RestError::new(ErrorKind::BadRequest, "22P02", message)
        })
    });
    values.collect()
}

/// `PUT /table?id=eq.1`: the key that the filters name, which name nothing else.
pub(super) fn filtered_key(
    target: Target<'_>,
    read: &mut ReadRequest,
) -> Result<Vec<sql::Value>, RestError> {
    let root = &mut read.root;
    if root.limit.is_some() || root.offset.is_some() {
        return Err(RestError::new(
            ErrorKind::BadRequest,
            "PGRST114",
            "a replacement takes no limit",
        ));
    }
    let primary = target.table.primary_key.as_ref();
    let columns = primary.map_or(&[][..], |key| &key.columns);
    let conditions = std::mem::take(&mut root.conditions);
    let value = |column: &sql::Ident| {
        let found = conditions.iter().find_map(|condition| match condition {
            Condition::Compare {
                field,
                operation: Operation::Compare(Comparison::Eq, text),
                negated: false,
            } if field.is_plain() && *column == *field.name.as_str() => Some(text),
            _ => None,
        })?;
        from_text(found, &target.table.column(column.as_str())?.ty).ok()
    };
    let values: Option<Vec<sql::Value>> = columns.iter().map(value).collect();
    match values.filter(|values| !values.is_empty() && values.len() == conditions.len()) {
        Some(values) => Ok(values),
        None => {
            let message = "a replacement names its row by the columns of the primary key";
            let mut error = RestError::new(ErrorKind::MethodNotAllowed, "PGRST105", message);
            error.allow = Some(String::from("GET, HEAD, POST, PATCH, DELETE, OPTIONS"));
            Err(error.hint("PUT /table/key, or PUT /table?id=eq.key"))
        }
    }
}
