//! Bodies of writes: JSON, CSV and forms to typed rows, every fault named at once.

mod assign;
mod parse;

use lang::{Expr, ExprKind, Literal, Type};
use schema::{Column, ColumnDefault, Table};
use serde_json::Value as Json;
use sql::{Ident, Value};

use super::{Context, Target};
use crate::RestError;
use crate::access::new_id;
use crate::error::Fault;
use crate::value::from_text;

pub(super) use assign::{Assignment, Change, assignments, values};
pub(super) use parse::{Body, parse};

/// Rows to write: the same columns in each.
pub(super) struct Rows {
    pub(super) columns: Vec<Ident>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Rows {
    /// The values of these columns in each row, where all of them are written.
    pub(super) fn values_of(&self, columns: &[Ident]) -> Option<Vec<Vec<Value>>> {
        let places = columns.iter().map(|column| {
            let mut written = self.columns.iter();
            written.position(|name| name == column)
        });
        let places: Vec<usize> = places.collect::<Option<_>>()?;
        let values = |row: &Vec<Value>| places.iter().map(|place| row[*place].clone()).collect();
        Some(self.rows.iter().map(values).collect())
    }
}

/// Rows of an insert, defaults filled in. `columns`: those that are taken from the body.
pub(super) fn insert_rows(
    context: Context<'_>,
    target: Target<'_>,
    body: &Body,
    columns: Option<&[String]>,
    missing_default: bool,
) -> Result<Rows, RestError> {
    let names = body.names(columns)?;
    let is_named = |column: &Column| names.iter().any(|name| *name == *column.name.as_str());
    let mut faults = Vec::new();
    check_names(target, target.access.insertable(), &names, "", &mut faults);
    if !faults.is_empty() && columns.is_some() {
        return Err(unknown_column(target, &faults));
    }
    let written: Vec<&Column> = target
        .table
        .columns
        .iter()
        .filter(|column| is_named(column) || is_filled(column) || is_decimal(column))
        .collect();
    faults.clear();
    let mut rows = Vec::with_capacity(body.objects.len());
    for (place, object) in body.objects.iter().enumerate() {
        let prefix = match body.is_array {
            true => format!("/{place}"),
            false => String::new(),
        };
        let before = faults.len();
        if columns.is_none() {
            let names: Vec<String> = object.keys().cloned().collect();
            check_names(
                target,
                target.access.insertable(),
                &names,
                &prefix,
                &mut faults,
            );
        }
        require(target.table, &names, &prefix, &mut faults);
        let mut row = Vec::with_capacity(written.len());
        for column in &written {
            let before = faults.len();
            let value = match object.get(column.name.as_str()) {
                Some(json) if is_named(column) => body.typed(column, json, &prefix, &mut faults),
                None if is_named(column) && !missing_default => {
                    body.typed(column, &Json::Null, &prefix, &mut faults)
                }
                None if is_named(column) => default(context, column, &prefix, &mut faults),
                Some(_) | None => filled(context, column),
            };
            if is_named(column) && faults.len() == before {
                faults.extend(missing(column, &value, &prefix));
            }
            row.push(value);
        }
        if faults.len() == before {
            let known = |name: &Ident| {
                let place = written.iter().position(|column| column.name == *name);
                place.map(|place| row[place].clone())
            };
            check_row(target.table, &known, &prefix, &mut faults);
        }
        rows.push(row);
        if faults.len() > 100 {
            break;
        }
    }
    if faults.is_empty() {
        let columns = written.iter().map(|column| column.name.clone()).collect();
        return Ok(Rows { columns, rows });
    }
    Err(RestError::faults("the body", &faults))
}

/// `columns=` names something that is not there.
fn unknown_column(target: Target<'_>, faults: &[Fault]) -> RestError {
    let wanted = faults[0].pointer.trim_start_matches('/');
    RestError::column(
        &target.table.name,
        wanted,
        target.access.insertable().iter(),
    )
}

/// The default of a column that an object lacks and others of the body have.
fn default(context: Context<'_>, column: &Column, prefix: &str, faults: &mut Vec<Fault>) -> Value {
    if is_filled(column) {
        return filled(context, column);
    }
    let known = |leaf: &ExprKind| match leaf {
        ExprKind::Now => Some(Value::Timestamp(context.moment.now)),
        _ => None,
    };
    let value = match &column.default {
        Some(ColumnDefault::Caller(expr) | ColumnDefault::Engine(expr)) => expr.evaluate(&known),
        None if column.nullable => Some(Value::Null),
        None => None,
    };
    value.unwrap_or_else(|| {
        faults.push(Fault {
            pointer: pointer(prefix, column.name.as_str()),
            code: "required",
            message: format!(
                "{} is made by the database: give it to all rows or to none",
                column.name
            ),
        });
        Value::Null
    })
}

/// Whether we make the value when the body does not name it.
pub(crate) fn is_filled(column: &Column) -> bool {
    match &column.default {
        Some(ColumnDefault::Caller(_)) => true,
        Some(ColumnDefault::Engine(expr)) => {
            matches!(
                expr.kind,
                lang::ExprKind::Now | lang::ExprKind::NewId { .. }
            )
        }
        None => false,
    }
}

fn filled(context: Context<'_>, column: &Column) -> Value {
    let expr: &Expr = match &column.default {
        Some(ColumnDefault::Caller(expr) | ColumnDefault::Engine(expr)) => expr,
        None => return Value::Null,
    };
    match &expr.kind {
        lang::ExprKind::Now => context.moment.now.into(),
        lang::ExprKind::NewId { ordered } => new_id(&context.moment, *ordered).into(),
        lang::ExprKind::Auth(function) => {
            let environment = crate::access::RequestEnvironment::new(
                Some(context.caller),
                context.moment,
                None,
                &[],
            );
            lang::Environment::auth(&environment, function)
        }
        // With as many digits behind the point as the column has.
        ExprKind::Literal(Literal::Int(number)) => {
            from_text(&number.to_string(), &column.ty).unwrap_or(Value::Null)
        }
        ExprKind::Literal(Literal::Decimal(text)) => {
            from_text(text, &column.ty).unwrap_or(Value::Null)
        }
        _ => Value::Null,
    }
}

/// A decimal with a constant for its default, which SQLite would keep as it is written.
fn is_decimal(column: &Column) -> bool {
    let constant = match &column.default {
        Some(ColumnDefault::Engine(expr)) => {
            matches!(
                expr.kind,
                ExprKind::Literal(Literal::Int(_) | Literal::Decimal(_))
            )
        }
        Some(ColumnDefault::Caller(_)) | None => false,
    };
    constant && matches!(column.ty, Type::Numeric { .. })
}

fn check_names(
    target: Target<'_>,
    writable: &[Ident],
    names: &[String],
    prefix: &str,
    faults: &mut Vec<Fault>,
) {
    for key in names
        .iter()
        .filter(|key| !writable.iter().any(|column| *column == *key.as_str()))
    {
        let readable = target.access.readable();
        let is_known = readable.iter().any(|column| *column == *key.as_str());
        let (code, message) = if is_known {
            (
                "not_writable",
                format!("{key} is set by the server or by others"),
            )
        } else {
            let near = stdx::nearest(key, writable.iter().map(Ident::as_str));
            let advice = near
                .map(|near| format!("; did you mean {near}?"))
                .unwrap_or_default();
            (
                "unknown",
                format!("{} has no field {key}{advice}", target.table.name),
            )
        };
        faults.push(Fault {
            pointer: pointer(prefix, key),
            code,
            message,
        });
    }
}

fn require(table: &Table, names: &[String], prefix: &str, faults: &mut Vec<Fault>) {
    for column in &table.columns {
        let optional = column.nullable || column.default.is_some() || column.identity;
        if !optional && !names.iter().any(|name| *name == *column.name.as_str()) {
            let message = format!("{} is required", column.name);
            faults.push(Fault {
                pointer: pointer(prefix, column.name.as_str()),
                code: "required",
                message,
            });
        }
    }
}

/// A null where there has to be a value. SQLite and MySQL would number such a key themselves.
fn missing(column: &Column, value: &Value, prefix: &str) -> Option<Fault> {
    (value.is_null() && !column.nullable).then(|| Fault {
        pointer: pointer(prefix, column.name.as_str()),
        code: "required",
        message: format!("{} is required", column.name),
    })
}

/// The table's checks, as far as they can be decided here.
fn check_row(
    table: &Table,
    known: &dyn Fn(&Ident) -> Option<Value>,
    prefix: &str,
    faults: &mut Vec<Fault>,
) {
    let known = |leaf: &ExprKind| match leaf {
        ExprKind::Column { column, .. } => known(column),
        _ => None,
    };
    for check in &table.checks {
        if check.expr.evaluate(&known) == Some(Value::Bool(false)) {
            let at = check.column.as_ref().map_or("", |column| column.as_str());
            let condition = check.expr.to_string().replace('"', "");
            let condition = without_brackets(&condition);
            let message = format!("must satisfy {condition}");
            let pointer = if at.is_empty() {
                prefix.to_owned()
            } else {
                pointer(prefix, at)
            };
            faults.push(Fault {
                pointer,
                code: "check",
                message,
            });
        }
    }
}

/// A condition without the brackets around the whole of it.
pub(crate) fn without_brackets(condition: &str) -> &str {
    let Some(inner) = condition
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return condition;
    };
    let mut depth = 0_i32;
    for character in inner.chars() {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth < 0 {
            // The first bracket ends before the last one begins.
            return condition;
        }
    }
    inner
}

/// RFC 6901: `~` and `/` are escaped.
fn pointer(prefix: &str, key: &str) -> String {
    format!("{prefix}/{}", key.replace('~', "~0").replace('/', "~1"))
}
