//! One column and one operator.

use lang::Type;
use sql::{Dialect, Ident, Kind, Sql, Value};

use super::super::operand::Operand;
use super::{Over, collection, pattern, search};
use crate::request::{Comparison, Is, Operation, Quantifier};
use crate::value::from_text;
use crate::{ErrorKind, RestError};

/// More wild cards than any search needs cost more than any search is worth.
const MOST_WILD_CARDS: usize = 10;

/// Digits behind the point, MySQL's (manual, 14.24.1).
const MOST_DIGITS: u8 = 30;

pub(super) fn write(
    sql: &mut Sql,
    over: Over<'_>,
    operand: &Operand<'_>,
    operation: &Operation,
) -> Result<(), RestError> {
    let alias = over.alias;
    match operation {
        Operation::Compare(comparison, text) => one(sql, alias, operand, *comparison, text),
        Operation::Quantified(comparison, quantifier, texts) => {
            several(sql, alias, operand, *comparison, *quantifier, texts)
        }
        Operation::IsDistinct(text) => is_distinct(sql, alias, operand, text),
        Operation::In(texts) => within(sql, alias, operand, texts),
        Operation::Is(is) => test(sql, alias, operand, *is),
        Operation::Collection(operator, text) => {
            collection::write(sql, alias, operand, *operator, text)
        }
        Operation::Range(operator, text) => {
            collection::write_range(sql, alias, operand, *operator, text)
        }
        Operation::TextSearch(search) => search::write(sql, over, operand, search),
    }
}

/// The value that a text of the URL is, for this operand.
pub(super) fn typed(operand: &Operand<'_>, text: &str) -> Result<Value, RestError> {
    // What is longer or more exact than the column's values can still be compared with them.
    let ty = match operand.ty() {
        Type::Varchar(_) => Type::Text,
        Type::Numeric { scale, .. } => {
            let digits = text
                .split_once('.')
                .map_or(0, |(_, fraction)| fraction.len());
            let digits = u8::try_from(digits).unwrap_or(u8::MAX).min(MOST_DIGITS);
            Type::Numeric {
                precision: 65,
                scale: digits.max(*scale),
            }
        }
        ty => ty.clone(),
    };
    from_text(text, &ty).map_err(|(_, message)| {
        let message = format!("{}: '{text}' {message}", operand.column.name);
        RestError::new(ErrorKind::BadRequest, "22P02", message)
    })
}

pub(super) fn no_operator(operand: &Operand<'_>, what: &str) -> RestError {
    let message = format!("{} is a {}; {what}", operand.column.name, operand.ty());
    RestError::new(ErrorKind::BadRequest, "42883", message)
}

fn one(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    comparison: Comparison,
    text: &str,
) -> Result<(), RestError> {
    let operator = match comparison {
        Comparison::Like => return like(sql, alias, operand, text, false),
        Comparison::ILike => return like(sql, alias, operand, text, true),
        Comparison::Match => return pattern::write(sql, alias, operand, text, false),
        Comparison::IMatch => return pattern::write(sql, alias, operand, text, true),
        Comparison::Eq => " = ",
        Comparison::NotEq => " <> ",
        Comparison::Gt => " > ",
        Comparison::GtEq => " >= ",
        Comparison::Lt => " < ",
        Comparison::LtEq => " <= ",
    };
    if *operand.ty() == Type::Json {
        return json(sql, alias, operand, operator, text);
    }
    simple(sql, alias, operand, operator, text)
}

fn simple(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    operator: &'static str,
    text: &str,
) -> Result<(), RestError> {
    if *operand.ty() == Type::Json {
        return Err(no_operator(
            operand,
            "take a part of it as text with ->> and compare that",
        ));
    }
    let value = typed(operand, text)?;
    sql.push("(");
    operand.write(sql, alias);
    sql.push(operator)
        .typed_arg(value, operand.kind())
        .push(")");
    Ok(())
}

/// A part of a JSON value and a JSON number, text or boolean: `data->age=gt.20`. Another kind of
/// value than the given one is neither equal to it nor less nor greater.
fn json(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    operator: &'static str,
    text: &str,
) -> Result<(), RestError> {
    let literal = serde_json::from_str::<serde_json::Value>(text);
    let Ok(serde_json::Value::Number(number)) = literal else {
        return Err(no_operator(
            operand,
            "-> compares numbers; compare texts with ->>, as data->>key=eq.text",
        ));
    };
    let number = number.as_f64().filter(|number| number.is_finite());
    let number = number.ok_or_else(|| no_operator(operand, "the number is too large"))?;
    let is_number = match sql.dialect() {
        Dialect::Postgres => ("(case when jsonb_typeof(", ") = 'number' then cast("),
        Dialect::Sqlite => (
            "(case when json_type(",
            ") in ('integer', 'real') then cast(",
        ),
        Dialect::MySql | Dialect::MariaDb => (
            "(case when json_type(",
            ") in ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') then cast(",
        ),
    };
    sql.push(is_number.0);
    operand.write(sql, alias);
    sql.push(is_number.1);
    operand.write(sql, alias);
    sql.push(match sql.dialect() {
        Dialect::Postgres => " as double precision)",
        Dialect::Sqlite => " as real)",
        Dialect::MySql | Dialect::MariaDb => " as double)",
    });
    sql.push(operator)
        .typed_arg(Value::Float(number), Kind::Double);
    sql.push(" end)");
    Ok(())
}

fn several(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    comparison: Comparison,
    quantifier: Quantifier,
    texts: &[String],
) -> Result<(), RestError> {
    let (none, between) = match quantifier {
        Quantifier::Any => ("(1 = 0)", " or "),
        Quantifier::All => ("(1 = 1)", " and "),
    };
    if texts.is_empty() {
        sql.push(none);
        return Ok(());
    }
    sql.push("(");
    for (place, text) in texts.iter().enumerate() {
        sql.push(if place > 0 { between } else { "" });
        one(sql, alias, operand, comparison, text)?;
    }
    sql.push(")");
    Ok(())
}

fn is_distinct(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    text: &str,
) -> Result<(), RestError> {
    match sql.dialect() {
        Dialect::Postgres => simple(sql, alias, operand, " is distinct from ", text),
        Dialect::Sqlite => simple(sql, alias, operand, " is not ", text),
        Dialect::MySql | Dialect::MariaDb => {
            sql.push("(not ");
            simple(sql, alias, operand, " <=> ", text)?;
            sql.push(")");
            Ok(())
        }
    }
}

fn within(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    texts: &[String],
) -> Result<(), RestError> {
    if *operand.ty() == Type::Json {
        return several(sql, alias, operand, Comparison::Eq, Quantifier::Any, texts);
    }
    if texts.is_empty() {
        sql.push("(1 = 0)");
        return Ok(());
    }
    sql.push("(");
    operand.write(sql, alias);
    sql.push(" in (");
    for (place, text) in texts.iter().enumerate() {
        sql.push(if place > 0 { ", " } else { "" });
        sql.typed_arg(typed(operand, text)?, operand.kind());
    }
    sql.push("))");
    Ok(())
}

fn test(sql: &mut Sql, alias: &Ident, operand: &Operand<'_>, is: Is) -> Result<(), RestError> {
    let what = match is {
        Is::Null => " is null)",
        Is::NotNull => " is not null)",
        Is::True | Is::False | Is::Unknown if *operand.ty() != Type::Boolean => {
            let message = format!("{} is no boolean", operand.column.name);
            return Err(RestError::new(ErrorKind::BadRequest, "42804", message));
        }
        Is::True => " is true)",
        Is::False => " is false)",
        Is::Unknown => " is null)",
    };
    sql.push("(");
    operand.write(sql, alias);
    sql.push(what);
    Ok(())
}

/// `*` is `%`, as `%` means something else in a URL.
fn like(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    pattern: &str,
    insensitive: bool,
) -> Result<(), RestError> {
    if !operand.is_text() {
        return Err(no_operator(operand, "like compares texts"));
    }
    let pattern = pattern.replace('*', "%");
    if pattern.matches('%').count() > MOST_WILD_CARDS {
        return Err(RestError::limit(
            format!("the pattern has more than {MOST_WILD_CARDS} wild cards"),
            "write fewer of them",
        ));
    }
    let pattern = typed(operand, &pattern)?;
    let lowered = insensitive && sql.dialect() != Dialect::Postgres;
    sql.push(if lowered { "(lower(" } else { "(" });
    operand.write(sql, alias);
    sql.push(match (lowered, insensitive) {
        (true, _) => ") like lower(",
        (false, true) => " ilike ",
        (false, false) => " like ",
    });
    sql.typed_arg(pattern, Kind::Text);
    sql.push(if lowered {
        ") escape '\\')"
    } else {
        " escape '\\')"
    });
    Ok(())
}
