//! Conditions and orders of a request, written over one relation.

use lang::Type;
use sql::{Dialect, Ident, Sql, Value};

use super::Target;
use crate::request::{Condition, Operation, OrderKey};
use crate::value::from_text;
use crate::{ErrorKind, RestError};

/// The column of that name, if the caller may read it.
pub(crate) fn readable<'a>(
    target: Target<'a>,
    name: &str,
) -> Result<&'a schema::Column, RestError> {
    let is_readable = target
        .access
        .readable()
        .iter()
        .any(|column| *column == *name);
    target
        .table
        .column(name)
        .filter(|_| is_readable)
        .ok_or_else(|| RestError::column(&target.table.name, name, target.access.readable().iter()))
}

/// Writes `and condition` for each.
pub(crate) fn write_conditions(
    sql: &mut Sql,
    target: Target<'_>,
    alias: &Ident,
    conditions: &[Condition],
) -> Result<(), RestError> {
    for condition in conditions {
        sql.push(" and ");
        write(sql, target, alias, condition)?;
    }
    Ok(())
}

fn write(
    sql: &mut Sql,
    target: Target<'_>,
    alias: &Ident,
    condition: &Condition,
) -> Result<(), RestError> {
    match condition {
        Condition::Logic {
            any,
            conditions,
            negated,
        } => {
            sql.push(if *negated { "(not (" } else { "((" });
            for (place, condition) in conditions.iter().enumerate() {
                if place > 0 {
                    sql.push(if *any { " or " } else { " and " });
                }
                write(sql, target, alias, condition)?;
            }
            sql.push("))");
            Ok(())
        }
        Condition::Compare {
            column,
            operation,
            negated,
        } => {
            let column = readable(target, column)?;
            if *negated {
                sql.push("(not ");
            }
            compare(sql, alias, column, operation)?;
            if *negated {
                sql.push(")");
            }
            Ok(())
        }
    }
}

fn typed(column: &schema::Column, text: &str) -> Result<Value, RestError> {
    from_text(text, &column.ty).map_err(|(_, message)| {
        let message = format!("{}: '{text}' {message}", column.name);
        RestError::new(ErrorKind::BadRequest, "22P02", message)
    })
}

#[expect(clippy::too_many_lines, reason = "one arm for each operator")]
fn compare(
    sql: &mut Sql,
    alias: &Ident,
    column: &schema::Column,
    operation: &Operation,
) -> Result<(), RestError> {
    let kind = column.ty.kind();
    let json = column.ty == Type::Json;
    let simple = |sql: &mut Sql, operator: &'static str, text: &str| {
        if json {
            return Err(RestError::new(
                ErrorKind::BadRequest,
                "42883",
                format!("{} is JSON and is compared by is.null alone", column.name),
            ));
        }
        let value = typed(column, text)?;
        sql.push("(")
            .column(alias, &column.name)
            .push(operator)
            .typed_arg(value, kind)
            .push(")");
        Ok(())
    };
    match operation {
        Operation::Eq(text) => simple(sql, " = ", text),
        Operation::NotEq(text) => simple(sql, " <> ", text),
        Operation::Gt(text) => simple(sql, " > ", text),
        Operation::GtEq(text) => simple(sql, " >= ", text),
        Operation::Lt(text) => simple(sql, " < ", text),
        Operation::LtEq(text) => simple(sql, " <= ", text),
        Operation::IsDistinct(text) => match sql.dialect() {
            Dialect::Postgres => simple(sql, " is distinct from ", text),
            Dialect::Sqlite => simple(sql, " is not ", text),
            Dialect::MySql | Dialect::MariaDb => {
                sql.push("(not ");
                simple(sql, " <=> ", text)?;
                sql.push(")");
                Ok(())
            }
        },
        Operation::Like {
            pattern,
            insensitive,
        } => like(sql, alias, column, pattern, *insensitive),
        Operation::In(elements) => {
            if elements.is_empty() {
                sql.push("(1 = 0)");
                return Ok(());
            }
            sql.push("(").column(alias, &column.name).push(" in (");
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    sql.push(", ");
                }
                sql.typed_arg(typed(column, element)?, kind);
            }
            sql.push("))");
            Ok(())
        }
        Operation::IsNull => {
            test(sql, alias, column, " is null)");
            Ok(())
        }
        Operation::IsNotNull => {
            test(sql, alias, column, " is not null)");
            Ok(())
        }
        Operation::IsTrue | Operation::IsFalse | Operation::IsUnknown
            if column.ty != Type::Boolean =>
        {
            let message = format!("{} is no boolean", column.name);
            Err(RestError::new(ErrorKind::BadRequest, "42804", message))
        }
        Operation::IsTrue => {
            test(sql, alias, column, " is true)");
            Ok(())
        }
        Operation::IsFalse => {
            test(sql, alias, column, " is false)");
            Ok(())
        }
        Operation::IsUnknown => {
            test(sql, alias, column, " is null)");
            Ok(())
        }
    }
}

fn test(sql: &mut Sql, alias: &Ident, column: &schema::Column, what: &'static str) {
    sql.push("(").column(alias, &column.name).push(what);
}

fn like(
    sql: &mut Sql,
    alias: &Ident,
    column: &schema::Column,
    pattern: &str,
    insensitive: bool,
) -> Result<(), RestError> {
    if !matches!(column.ty, Type::Text | Type::Varchar(_)) {
        let message = format!("{} is a {}; like compares texts", column.name, column.ty);
        return Err(RestError::new(ErrorKind::BadRequest, "42883", message));
    }
    let native = sql.dialect() == Dialect::Postgres;
    let lowered = insensitive && !native;
    sql.push(if lowered { "(lower(" } else { "(" })
        .column(alias, &column.name);
    sql.push(match (lowered, insensitive) {
        (true, _) => ") like lower(",
        (false, true) => " ilike ",
        (false, false) => " like ",
    });
    sql.typed_arg(pattern, sql::Kind::Text);
    sql.push(if lowered {
        ") escape '\\')"
    } else {
        " escape '\\')"
    });
    Ok(())
}

/// Writes ` order by …`: what was asked for, then the primary key, so that pages never overlap.
pub(crate) fn write_order(
    sql: &mut Sql,
    target: Target<'_>,
    alias: &Ident,
    keys: &[OrderKey],
) -> Result<(), RestError> {
    let mut next = " order by ";
    for key in keys {
        let column = readable(target, &key.column)?;
        sql.push(next);
        next = ", ";
        let nulls_first = key.nulls_first.unwrap_or(key.descending);
        let engine_puts_first = match sql.dialect() {
            Dialect::Postgres => key.descending,
            Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => !key.descending,
        };
        let say = column.nullable && nulls_first != engine_puts_first;
        if say && !sql.dialect().null_ordering() {
            sql.push("(").column(alias, &column.name);
            sql.push(if nulls_first {
                " is not null), "
            } else {
                " is null), "
            });
        }
        sql.column(alias, &column.name);
        sql.push(if key.descending { " desc" } else { " asc" });
        if say && sql.dialect().null_ordering() {
            sql.push(if nulls_first {
                " nulls first"
            } else {
                " nulls last"
            });
        }
    }
    let primary = target
        .table
        .primary_key
        .as_ref()
        .map(|key| key.columns.as_slice());
    for column in primary.unwrap_or_default() {
        if keys.iter().all(|key| *column != *key.column.as_str()) {
            sql.push(next).column(alias, column);
            next = ", ";
        }
    }
    Ok(())
}
