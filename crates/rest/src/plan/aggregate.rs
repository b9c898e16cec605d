//! Functions over the rows of a group, with one result on every engine.

use lang::Type;
use sql::{Dialect, Ident, Kind, Sql};

use super::operand::Operand;
use crate::request::AggregateFunction;
use crate::{ErrorKind, RestError};

/// What is added up is a number, and what is first or last has an order on every engine.
pub(super) fn require(function: AggregateFunction, operand: &Operand<'_>) -> Result<(), RestError> {
    let is_number = matches!(
        operand.ty(),
        Type::SmallInt
            | Type::Integer
            | Type::BigInt
            | Type::Real
            | Type::Double
            | Type::Numeric { .. }
    );
    let is_ordered = is_number
        || operand.is_text()
        || matches!(operand.ty(), Type::Date | Type::Time | Type::Timestamp);
    let fits = match function {
        AggregateFunction::Count => true,
        AggregateFunction::Sum | AggregateFunction::Avg => is_number,
        AggregateFunction::Min | AggregateFunction::Max => is_ordered,
    };
    if fits {
        return Ok(());
    }
    let (name, ty) = (&operand.column.name, operand.ty());
    let message = format!("{name} is a {ty}, of which there is no {}", function.name());
    Err(RestError::new(ErrorKind::BadRequest, "42883", message))
}

/// What the result decodes to. An average is a float, also that of exact numbers.
pub(super) fn kind(function: AggregateFunction, operand: Option<&Operand<'_>>) -> Kind {
    match (function, operand.map(Operand::ty)) {
        (AggregateFunction::Count, _) | (_, None) => Kind::BigInt,
        (AggregateFunction::Sum, Some(Type::SmallInt | Type::Integer)) => Kind::BigInt,
        (AggregateFunction::Sum, Some(Type::BigInt)) => Kind::Numeric,
        (AggregateFunction::Avg, _) | (AggregateFunction::Sum, Some(Type::Real)) => Kind::Double,
        (_, Some(ty)) => ty.kind(),
    }
}

/// Writes `sum(alias.column)` and its like.
pub(super) fn write(
    sql: &mut Sql,
    alias: &Ident,
    function: AggregateFunction,
    operand: Option<&Operand<'_>>,
) {
    let Some(operand) = operand else {
        sql.push("count(*)");
        return;
    };
    match function {
        AggregateFunction::Count => call(sql, "count(", alias, operand),
        AggregateFunction::Min => call(sql, "min(", alias, operand),
        AggregateFunction::Max => call(sql, "max(", alias, operand),
        AggregateFunction::Sum => sum(sql, alias, operand),
        AggregateFunction::Avg => {
            sql.push("(cast(");
            sum(sql, alias, operand);
            sql.push(match sql.dialect() {
                Dialect::Sqlite => " as real) / nullif(",
                Dialect::Postgres => " as double precision) / nullif(",
                Dialect::MySql | Dialect::MariaDb => " as double) / nullif(",
            });
            call(sql, "count(", alias, operand);
            sql.push(", 0))");
        }
    }
}

fn call(sql: &mut Sql, function: &'static str, alias: &Ident, operand: &Operand<'_>) {
    sql.push(function);
    operand.write(sql, alias);
    sql.push(")");
}

fn sum(sql: &mut Sql, alias: &Ident, operand: &Operand<'_>) {
    let (open, close) = match (operand.ty(), sql.dialect()) {
        // The sum of 32-bit floats is not rounded to one of them.
        (Type::Real, Dialect::Postgres) => ("sum(cast(", " as double precision))"),
        // SQLite keeps exact numbers as text, and would add them up as floats.
        (Type::Numeric { .. } | Type::BigInt, Dialect::Sqlite) => ("decimal_sum(", ")"),
        (Type::SmallInt | Type::Integer, Dialect::MySql | Dialect::MariaDb) => {
            ("cast(sum(", ") as signed)")
        }
        _ => ("sum(", ")"),
    };
    sql.push(open);
    operand.write(sql, alias);
    sql.push(close);
}
