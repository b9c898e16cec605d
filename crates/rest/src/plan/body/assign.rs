//! The body of a change: columns and what becomes of their values.

use lang::Type;
use schema::Column;
use serde_json::{Map, Value as Json};
use sql::{Ident, Value};

use super::super::Target;
use super::{Body, check_names, check_row, missing, pointer};
use crate::RestError;
use crate::error::Fault;

/// A column and what becomes of its value.
pub(in super::super) struct Assignment {
    pub(in super::super) column: Ident,
    pub(in super::super) change: Change,
}

/// What becomes of a value.
pub(in super::super) enum Change {
    /// It is this one.
    To(Value),
    /// It grows by this number, or, with ` - `, becomes less: in the statement itself, so that
    /// nobody's change is lost.
    By(Value, &'static str),
}

impl Assignment {
    /// The new value, where it is known.
    pub(in super::super) fn value(&self) -> Option<&Value> {
        match &self.change {
            Change::To(value) => Some(value),
            Change::By(..) => None,
        }
    }
}

/// Columns and their new values, as far as these are known.
pub(in super::super) fn values(assignments: &[Assignment]) -> Vec<(Ident, Value)> {
    let known = assignments.iter().filter_map(|own| {
        let value = own.value()?;
        Some((own.column.clone(), value.clone()))
    });
    known.collect()
}

/// Columns and values of an update; `count+` and `count-` change a number by the given one.
pub(in super::super) fn assignments(
    target: Target<'_>,
    body: &Body,
    object: &Map<String, Json>,
) -> Result<Vec<Assignment>, RestError> {
    let mut faults = Vec::new();
    let mut assignments: Vec<Assignment> = Vec::new();
    for (name, json) in object {
        let (plain, sign) = modifier(target, name);
        check_names(
            target,
            target.access.updatable(),
            &[plain.to_owned()],
            "",
            &mut faults,
        );
        let Some(column) = target.table.column(plain) else {
            continue;
        };
        let before = faults.len();
        let value = body.typed(column, json, "", &mut faults);
        if sign.is_none() && faults.len() == before {
            faults.extend(missing(column, &value, ""));
        }
        let twice = assignments.iter().any(|own| own.column == column.name);
        if twice || (sign.is_some() && (value.is_null() || !is_number(column))) {
            faults.push(Fault {
                pointer: pointer("", name),
                code: if twice { "unknown" } else { "type" },
                message: match twice {
                    true => format!("{plain} is assigned twice"),
                    false => format!("{name} takes a number, for a column of numbers"),
                },
            });
        }
        let change = match sign {
            None => Change::To(value),
            Some(sign) => Change::By(value, sign),
        };
        let column = column.name.clone();
        assignments.push(Assignment { column, change });
    }
    // The statements are the same in whichever order the body names them.
    let place = |own: &Assignment| {
        let mut columns = target.table.columns.iter();
        columns.position(|column| column.name == own.column)
    };
    assignments.sort_by_key(place);
    if faults.is_empty() {
        let known = |name: &Ident| {
            let own = assignments.iter().find(|own| own.column == *name)?;
            own.value().cloned()
        };
        check_row(target.table, &known, "", &mut faults);
    }
    match faults.is_empty() {
        true => Ok(assignments),
        false => Err(RestError::faults("the body", &faults)),
    }
}

/// `likes+` is `likes`, changed by what stands there; unless a column is called so.
fn modifier<'n>(target: Target<'_>, name: &'n str) -> (&'n str, Option<&'static str>) {
    if target.table.column(name).is_some() {
        return (name, None);
    }
    match (name.strip_suffix('+'), name.strip_suffix('-')) {
        (Some(plain), _) => (plain, Some(" + ")),
        (None, Some(plain)) => (plain, Some(" - ")),
        (None, None) => (name, None),
    }
}

fn is_number(column: &Column) -> bool {
    matches!(
        column.ty,
        Type::SmallInt
            | Type::Integer
            | Type::BigInt
            | Type::Real
            | Type::Double
            | Type::Numeric { .. }
    )
}
