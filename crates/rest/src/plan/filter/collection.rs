//! Lists, JSON values and ranges: what holds what.

use lang::Type;
use serde_json::Value as Json;
use sql::{Dialect, Ident, Kind, Sql, Value};

use super::super::operand::Operand;
use super::compare::{no_operator, typed};
use crate::RestError;
use crate::request::{Collection, RangeOperator};
use crate::value::{canonical, list_of};

/// `cs`, `cd` and `ov`.
pub(super) fn write(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    operator: Collection,
    text: &str,
) -> Result<(), RestError> {
    match operand.ty() {
        Type::Json => json(sql, alias, operand, operator, text),
        Type::Array(_) | Type::Range(_) => {
            let operator = match operator {
                Collection::Contains => " @> ",
                Collection::ContainedBy => " <@ ",
                Collection::Overlaps => " && ",
            };
            native(sql, alias, operand, operator, text)
        }
        _ => Err(no_operator(
            operand,
            "cs, cd and ov look into lists and JSON",
        )),
    }
}

/// `sl`, `sr`, `nxr`, `nxl` and `adj`.
pub(super) fn write_range(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    operator: RangeOperator,
    text: &str,
) -> Result<(), RestError> {
    if sql.dialect() != Dialect::Postgres {
        return Err(RestError::not_here("a range", sql.dialect())
            .hint("compare the bounds, each in a column of its own"));
    }
    if !matches!(operand.ty(), Type::Range(_)) {
        return Err(no_operator(
            operand,
            "sl, sr, nxr, nxl and adj compare ranges",
        ));
    }
    let operator = match operator {
        RangeOperator::Left => " << ",
        RangeOperator::Right => " >> ",
        RangeOperator::NotRight => " &< ",
        RangeOperator::NotLeft => " &> ",
        RangeOperator::Adjacent => " -|- ",
    };
    native(sql, alias, operand, operator, text)
}

fn native(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    operator: &'static str,
    text: &str,
) -> Result<(), RestError> {
    let value = typed(operand, text)?;
    sql.push("(");
    operand.write(sql, alias);
    sql.push(operator)
        .typed_arg(value, operand.kind())
        .push(")");
    Ok(())
}

fn json(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    operator: Collection,
    text: &str,
) -> Result<(), RestError> {
    let given = literal(operand, text)?;
    let value = Value::Json(canonical(&given).to_string());
    let is_postgres = sql.dialect() == Dialect::Postgres;
    match (operator, is_postgres) {
        (Collection::Overlaps, true) => {
            sql.push("(exists (select 1 from jsonb_array_elements(case jsonb_typeof(");
            operand.write(sql, alias);
            sql.push(") when 'array' then ");
            operand.write(sql, alias);
            sql.push(" else '[]'::jsonb end) as element where ")
                .typed_arg(value, Kind::Json)
                .push(" @> jsonb_build_array(element)))");
        }
        (Collection::Contains | Collection::ContainedBy, true) => {
            sql.push("(");
            operand.write(sql, alias);
            sql.push(match operator {
                Collection::Contains => " @> ",
                Collection::ContainedBy | Collection::Overlaps => " <@ ",
            });
            sql.typed_arg(value, Kind::Json).push(")");
        }
        (Collection::Overlaps, false) => {
            sql.push("(json_overlaps(");
            operand.write(sql, alias);
            sql.push(", ").typed_arg(value, Kind::Json).push("))");
        }
        (Collection::Contains, false) => {
            sql.push("(json_contains(");
            operand.write(sql, alias);
            sql.push(", ").typed_arg(value, Kind::Json).push("))");
        }
        (Collection::ContainedBy, false) => {
            sql.push("(json_contains(")
                .typed_arg(value, Kind::Json)
                .push(", ");
            operand.write(sql, alias);
            sql.push("))");
        }
    }
    Ok(())
}

/// JSON, or a list in braces as clients write it for PostgreSQL's arrays: `{a,1}`.
fn literal(operand: &Operand<'_>, text: &str) -> Result<Json, RestError> {
    if let Ok(json) = serde_json::from_str(text) {
        return Ok(json);
    }
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let items = inner.and_then(list_of);
    let items = items
        .ok_or_else(|| no_operator(operand, "the value is neither JSON nor a list in braces"))?;
    let item = |(text, is_quoted): (String, bool)| match serde_json::from_str(&text) {
        Ok(json) if !is_quoted => json,
        _ => Json::String(text),
    };
    Ok(Json::Array(items.into_iter().map(item).collect()))
}
