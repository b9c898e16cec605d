//! Arrays and ranges, which PostgreSQL alone has.

use lang::Type;
use serde_json::Value as Json;
use sql::{Element, RangeOf, Value};

use super::{Misfit, from_json, from_text, wrong};

/// The type of one value.
fn element_type(element: Element) -> Type {
    match element {
        Element::Boolean => Type::Boolean,
        Element::SmallInt => Type::SmallInt,
        Element::Integer => Type::Integer,
        Element::BigInt => Type::BigInt,
        Element::Double => Type::Double,
        // As many digits as anything of ours has.
        Element::Numeric => Type::Numeric {
            precision: 38,
            scale: 10,
        },
        Element::Text => Type::Text,
        Element::Uuid => Type::Uuid,
        Element::Date => Type::Date,
        Element::Timestamp => Type::Timestamp,
    }
}

/// A JSON array.
pub(super) fn from_values(values: &[Json], element: Element) -> Result<Value, Misfit> {
    let ty = element_type(element);
    let values = values.iter().map(|value| from_json(value, &ty));
    values.collect::<Result<_, _>>().map(Value::Array)
}

/// PostgreSQL's literal, `{a,"b,c",NULL}` (manual, 8.15.2), of one dimension.
pub(super) fn from_literal(text: &str, element: Element, ty: &Type) -> Result<Value, Misfit> {
    let misfit = || wrong(ty, "{a,b}");
    let inner = text
        .trim()
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    let own = element_type(element);
    let mut values = Vec::new();
    for (text, is_quoted) in items(inner.ok_or_else(misfit)?).ok_or_else(misfit)? {
        values.push(match !is_quoted && text.eq_ignore_ascii_case("null") {
            true => Value::Null,
            false => from_text(&text, &own)?,
        });
    }
    Ok(Value::Array(values))
}

/// The items of a literal, each with whether it was in quotes.
pub(crate) fn items(inner: &str) -> Option<Vec<(String, bool)>> {
    let mut items = Vec::new();
    if inner.trim().is_empty() {
        return Some(items);
    }
    let (mut item, mut is_quoted, mut in_quotes) = (String::new(), false, false);
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => item.push(characters.next()?),
            '"' => {
                in_quotes = !in_quotes;
                is_quoted = true;
            }
            ',' if !in_quotes => {
                items.push((std::mem::take(&mut item), std::mem::take(&mut is_quoted)));
            }
            '{' | '}' if !in_quotes => return None,
            other => item.push(other),
        }
    }
    items.push((item, is_quoted));
    (!in_quotes).then_some(items)
}

/// `[1,5)`, `(,2026-11-21]`, `empty` (manual, 8.17.5).
pub(super) fn range(text: &str, range: RangeOf, ty: &Type) -> Result<Value, Misfit> {
    let (example, bound) = match range {
        RangeOf::Integer => ("[1,5)", Type::Integer),
        RangeOf::BigInt => ("[1,5)", Type::BigInt),
        RangeOf::Numeric => ("[1.5,2)", element_type(Element::Numeric)),
        RangeOf::Date => ("[2026-11-21,2026-12-24)", Type::Date),
        RangeOf::Timestamp => ("[2026-11-21T04:00:00Z,)", Type::Timestamp),
    };
    let text = text.trim();
    if text.eq_ignore_ascii_case("empty") {
        return Ok(Value::Text(String::from("empty")));
    }
    let inner = text.strip_prefix(['[', '(']);
    let inner = inner.and_then(|text| text.strip_suffix([']', ')']));
    let bounds = inner.and_then(|text| text.split_once(','));
    let (lower, upper) = bounds.ok_or_else(|| wrong(ty, example))?;
    for value in [lower, upper] {
        let value = value.trim().trim_matches('"');
        if !value.is_empty() {
            from_text(value, &bound).map_err(|_| wrong(ty, example))?;
        }
    }
    Ok(Value::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{from_literal, range};
    use lang::Type;
    use sql::{Element, RangeOf, Value};

    #[test]
    fn literals_are_read_as_postgresql_writes_them() {
        let read = |text| from_literal(text, Element::Text, &Type::Array(Element::Text));
        let texts = |all: &[&str]| Value::Array(all.iter().map(|one| Value::from(*one)).collect());
        assert_eq!(read("{}"), Ok(texts(&[])));
        assert_eq!(
            read(r#"{a,"b,c","say \"hi\""}"#),
            Ok(texts(&["a", "b,c", "say \"hi\""]))
        );
        let nulls = Value::Array(vec![Value::Null, Value::from("NULL")]);
        assert_eq!(read(r#"{NULL,"NULL"}"#), Ok(nulls));
        for wrong in ["a", "{a", "{{a}}", "{\"a}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let numbers = from_literal("{1,x}", Element::Integer, &Type::Array(Element::Integer));
        assert!(numbers.is_err());
    }

    #[test]
    fn ranges_have_bounds_of_their_kind() {
        let read = |text| range(text, RangeOf::Date, &Type::Range(RangeOf::Date));
        for right in ["[2026-11-21,2026-12-24)", "(,2026-12-24]", "empty"] {
            assert!(read(right).is_ok(), "{right}");
        }
        for wrong in ["2026-11-21", "[1,2)", "[2026-11-21)", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
