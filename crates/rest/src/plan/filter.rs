//! Conditions of a request, written over one relation.

mod collection;
mod compare;
mod pattern;
mod search;

use sql::{Ident, Sql};

use super::Target;
use super::operand::Operand;
use crate::RestError;
use crate::request::{Condition, Is, Operation};

/// What a condition may name besides columns.
pub(crate) trait Related {
    /// Writes whether the embed of that name has a row (`negated`: has none); `None` where there
    /// is no embed of that name.
    fn has_row(&self, sql: &mut Sql, name: &str, negated: bool) -> Option<Result<(), RestError>>;
}

/// No embeds.
pub(crate) struct Alone;

impl Related for Alone {
    fn has_row(&self, _: &mut Sql, _: &str, _: bool) -> Option<Result<(), RestError>> {
        None
    }
}

/// The relation that conditions are written over.
#[derive(Clone, Copy)]
pub(crate) struct Over<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) alias: &'a Ident,
    pub(crate) related: &'a dyn Related,
    /// Whether null and false are the same to what is written: no `not` stands before it.
    pub(crate) only_true_counts: bool,
}

impl Over<'_> {
    fn behind(self, not: bool) -> Self {
        let only_true_counts = self.only_true_counts && !not;
        Self {
            only_true_counts,
            ..self
        }
    }
}

/// Writes `and condition` for each.
pub(crate) fn write_conditions(
    sql: &mut Sql,
    over: Over<'_>,
    conditions: &[Condition],
) -> Result<(), RestError> {
    for condition in conditions {
        sql.push(" and ");
        write(sql, over, condition)?;
    }
    Ok(())
}

fn write(sql: &mut Sql, over: Over<'_>, condition: &Condition) -> Result<(), RestError> {
    match condition {
        Condition::Logic {
            any,
            conditions,
            negated,
        } => {
            sql.push(if *negated { "(not (" } else { "((" });
            let over = over.behind(*negated);
            for (place, condition) in conditions.iter().enumerate() {
                if place > 0 {
                    sql.push(if *any { " or " } else { " and " });
                }
                write(sql, over, condition)?;
            }
            sql.push("))");
            Ok(())
        }
        Condition::Compare {
            field,
            operation,
            negated,
        } => {
            // `related=is.null`: whether there is a related row.
            if let (true, Operation::Is(is @ (Is::Null | Is::NotNull))) =
                (field.is_plain(), operation)
            {
                let none = (*is == Is::Null) != *negated;
                if let Some(written) = over.related.has_row(sql, &field.name, none) {
                    return written;
                }
            }
            let operand = Operand::resolve(over.target, field)?;
            if *negated {
                sql.push("(not ");
            }
            compare::write(sql, over.behind(*negated), &operand, operation)?;
            if *negated {
                sql.push(")");
            }
            Ok(())
        }
    }
}
