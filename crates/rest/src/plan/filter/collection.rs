//! Lists, JSON values and ranges: what holds what.

use lang::Type;
use serde_json::Value as Json;
use sql::{Dialect, Ident, Kind, Sql, Value};

use super::super::operand::Operand;
use super::compare::{no_operator, typed};
use crate::RestError;
use crate::request::{Collection, RangeOperator};
use crate::value::{canonical, list_of};

/// Parts of a JSON value that is compared with a column: more than anybody writes.
const MOST_PARTS: usize = 50;

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
    bounded(operand, &given)?;
    if operator == Collection::Overlaps && !given.is_array() {
        return Err(no_operator(operand, "ov compares lists, as ov.{a,b}"));
    }
    let value = Value::Json(canonical(&given).to_string());
    let is_postgres = sql.dialect() == Dialect::Postgres;
    match (operator, is_postgres) {
        (Collection::Overlaps, true) => {
            sql.push("(case jsonb_typeof(");
            operand.write(sql, alias);
            sql.push(") when 'array' then exists (select 1 from jsonb_array_elements(");
            operand.write(sql, alias);
            sql.push(") as element where element in (select jsonb_array_elements(");
            sql.typed_arg(value, Kind::Json).push(")))");
            or_false(sql, alias, operand);
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
            sql.push(match sql.dialect() {
                Dialect::Sqlite => "(case json_type(",
                Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => "(case lower(json_type(",
            });
            operand.write(sql, alias);
            sql.push(match sql.dialect() {
                Dialect::Sqlite => ") when 'array' then json_overlaps(",
                Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => {
                    ")) when 'array' then json_overlaps("
                }
            });
            operand.write(sql, alias);
            sql.push(", ").typed_arg(value, Kind::Json).push(")");
            or_false(sql, alias, operand);
        }
        (Collection::Contains, false) if sql.dialect() == Dialect::Sqlite => {
            sql.push("(json_contains(");
            operand.write(sql, alias);
            sql.push(", ").typed_arg(value, Kind::Json).push("))");
        }
        (Collection::Contains, false) => {
            sql.push("(case when ");
            operand.write(sql, alias);
            sql.push(" is not null then ");
            holds(sql, alias, operand, &given, false);
            sql.push(" end)");
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

/// Lists within lists mean something else on each engine, and too much takes too long.
fn bounded(operand: &Operand<'_>, given: &Json) -> Result<(), RestError> {
    let mut parts = 0;
    let mut left = vec![given];
    while let Some(json) = left.pop() {
        parts += 1;
        match json {
            Json::Array(elements) if elements.iter().any(Json::is_array) => {
                return Err(no_operator(operand, "a list within a list is not compared"));
            }
            Json::Array(elements) => left.extend(elements),
            Json::Object(members) => left.extend(members.values()),
            _ => {}
        }
    }
    match parts > MOST_PARTS {
        true => Err(RestError::limit(
            format!("the value has more than {MOST_PARTS} parts"),
            "write a smaller one",
        )),
        false => Ok(()),
    }
}

/// PostgreSQL's rule of what holds what (manual, 8.14.3), for MySQL and MariaDB: their own
/// `json_contains` also looks into lists within lists. `within`: it is a member of an object,
/// where a list does not stand for its elements.
fn holds(sql: &mut Sql, alias: &Ident, operand: &Operand<'_>, given: &Json, within: bool) {
    let kind = |sql: &mut Sql, is: &'static str| {
        sql.push("(coalesce(json_type(");
        operand.write(sql, alias);
        sql.push("), '')").push(is);
    };
    let call = |sql: &mut Sql, function: &'static str, value: &Json| {
        sql.push(function);
        operand.write(sql, alias);
        let value = Value::Json(value.to_string());
        sql.push(", ").typed_arg(value, Kind::Json).push(")");
    };
    match given {
        Json::Object(members) => {
            kind(sql, " = 'OBJECT'");
            for (name, value) in members {
                sql.push(" and ");
                holds(sql, alias, &operand.member(name), value, true);
            }
            sql.push(")");
        }
        Json::Array(elements) => {
            kind(sql, " = 'ARRAY'");
            for element in elements {
                let function = match element {
                    Json::Object(_) => " and json_contains(",
                    _ => " and json_overlaps(",
                };
                call(sql, function, &Json::Array(vec![element.clone()]));
            }
            sql.push(")");
        }
        plain => {
            kind(sql, " not in ('ARRAY', '', 'OBJECT') and ");
            call(sql, "json_contains(", plain);
            sql.push(")");
            if !within {
                sql.push(" or ");
                kind(sql, " = 'ARRAY' and ");
                call(sql, "json_overlaps(", &Json::Array(vec![plain.clone()]));
                sql.push(")");
            }
        }
    }
}

/// What is no list shares nothing; null stays null.
fn or_false(sql: &mut Sql, alias: &Ident, operand: &Operand<'_>) {
    sql.push(" else case when ");
    operand.write(sql, alias);
    sql.push(" is not null then false end end)");
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
