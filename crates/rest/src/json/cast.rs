//! `column::type`: a value shown as one of another type, the same on every engine.

use lang::Type;
use serde_json::Value as Json;
use sql::{Kind, Value, ValueRef};

use super::spell::write_value;
use crate::value::from_text;
use crate::{ErrorKind, RestError};

/// The value as one of type `to`.
pub(super) fn cast(value: &ValueRef<'_>, kind: Kind, to: &Type) -> Result<Value, RestError> {
    if matches!(value, ValueRef::Null) {
        return Ok(Value::Null);
    }
    let text = text_of(value, kind);
    let text = match (to, value) {
        (Type::Boolean, ValueRef::Int(number)) => (*number != 0).to_string(),
        (Type::SmallInt | Type::Integer | Type::BigInt, ValueRef::Bool(value)) => {
            u8::from(*value).to_string()
        }
        (
            Type::SmallInt | Type::Integer | Type::BigInt,
            ValueRef::Float(_) | ValueRef::Decimal(_),
        ) => rounded(&text),
        (Type::Date, ValueRef::Timestamp(_)) => text.get(..10).unwrap_or(&text).to_owned(),
        (Type::Time, ValueRef::Timestamp(_)) => text.get(11..26).unwrap_or(&text).to_owned(),
        (Type::Timestamp, ValueRef::Date(_)) => format!("{text}T00:00:00Z"),
        _ => text,
    };
    from_text(&text, to).map_err(|(_, message)| {
        let message = format!("'{text}' as a {to}: it {message}");
        RestError::new(ErrorKind::BadRequest, "22P02", message)
    })
}

/// As on the wire, without quotes.
fn text_of(value: &ValueRef<'_>, kind: Kind) -> String {
    let mut json = Vec::new();
    write_value(&mut json, value, kind);
    match serde_json::from_slice(&json) {
        Ok(Json::String(text)) if !matches!(value, ValueRef::Json(_)) => text,
        _ => String::from_utf8(json).unwrap_or_default(),
    }
}

/// To the nearest whole number, halves away from zero, as PostgreSQL's `numeric` does.
fn rounded(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_up = fraction
        .as_bytes()
        .first()
        .is_some_and(|digit| *digit >= b'5');
    match whole.parse::<u128>() {
        Ok(whole) => format!("{sign}{}", whole + u128::from(is_up)),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (text, whole) in [("2.5", "3"), ("-2.5", "-3"), ("2.4", "2"), ("7", "7")] {
            assert_eq!(rounded(text), whole);
        }
    }
}
