//! Types as JSON Schema: as they are answered, as they are sent, as they stand in a URL.

use lang::Type;
use schema::{Column, ColumnDefault, Table};
use serde_json::{Value, json};
use sql::Element;

use super::bounds::Bounds;
use crate::json::value_as_json;

/// 53 bits: beyond, a JSON number loses digits in many readers.
const SAFE: i64 = 9_007_199_254_740_991;

/// Canonical base64 (RFC 4648 §4), the bits that hold nothing zero.
const BASE64: &str =
    "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/// A value of the type as the API writes it.
pub(super) fn answered(ty: &Type) -> Value {
    match ty {
        Type::Boolean => json!({"type": "boolean"}),
        Type::SmallInt => integer(i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::Integer => int32(),
        Type::BigInt => {
            json!({"type": ["integer", "string"], "format": "int64", "pattern": "^-?[0-9]{16,19}$",
                   "minimum": -SAFE, "maximum": SAFE})
        }
        Type::Real => json!({"type": "number", "format": "float"}),
        Type::Double => json!({"type": "number", "format": "double"}),
        Type::Numeric { .. } => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}),
        Type::Text => json!({"type": "string"}),
        Type::Varchar(length) => json!({"type": "string", "maxLength": length}),
        Type::Uuid => json!({"type": "string", "format": "uuid"}),
        Type::Date => json!({"type": "string", "format": "date"}),
        Type::Time => {
            json!({"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}$"})
        }
        Type::Timestamp => json!({"type": "string", "format": "date-time"}),
        Type::Interval => json!({"type": "string", "format": "duration"}),
        Type::Bytes => json!({"type": "string", "contentEncoding": "base64", "pattern": BASE64}),
        Type::Json => json!({}),
        Type::Array(element) => {
            json!({"type": "array", "items": nullable(answered(&of_element(*element)))})
        }
        Type::Range(_) => json!({"type": "string", "pattern": "^(empty|[\\[(].*,.*[\\])])$"}),
    }
}

/// A value of the type as a JSON body may bring it: more than what is answered.
pub(super) fn sent(ty: &Type) -> Value {
    match ty {
        Type::BigInt => {
            json!({"type": ["integer", "string"], "format": "int64", "pattern": "^[+-]?[0-9]{1,19}$",
                   "minimum": i64::MIN, "maximum": i64::MAX})
        }
        Type::Numeric { precision, scale } => numeric(*precision, *scale),
        Type::Time => {
            let pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?$";
            json!({"type": "string", "pattern": pattern})
        }
        Type::Array(element) => {
            json!({"type": "array", "items": nullable(sent(&of_element(*element)))})
        }
        Type::Boolean
        | Type::SmallInt
        | Type::Integer
        | Type::Real
        | Type::Double
        | Type::Text
        | Type::Varchar(_)
        | Type::Uuid
        | Type::Date
        | Type::Timestamp
        | Type::Interval
        | Type::Bytes
        | Type::Json
        | Type::Range(_) => answered(ty),
    }
}

/// A value of the type in a path or query string.
pub(super) fn in_url(ty: &Type) -> Value {
    match ty {
        Type::BigInt => {
            let mut schema = integer(i64::MIN, i64::MAX);
            schema["format"] = json!("int64");
            schema
        }
        Type::Numeric { precision, scale } => {
            let mut schema = numeric(*precision, *scale);
            schema["type"] = json!("string");
            if let Some(members) = schema.as_object_mut() {
                members.retain(|name, _| matches!(name.as_str(), "type" | "pattern"));
            }
            schema
        }
        Type::Json | Type::Array(_) => json!({"type": "string"}),
        other => sent(other),
    }
}

fn integer(minimum: i64, maximum: i64) -> Value {
    json!({"type": "integer", "minimum": minimum, "maximum": maximum})
}

fn int32() -> Value {
    let mut schema = integer(i64::from(i32::MIN), i64::from(i32::MAX));
    schema["format"] = json!("int32");
    schema
}

/// As many digits as fit, as a string or a number.
fn numeric(precision: u8, scale: u8) -> Value {
    let whole = match precision.saturating_sub(scale) {
        0 => String::from("0+"),
        digits => format!("0*[0-9]{{1,{digits}}}"),
    };
    let fraction = match scale {
        0 => String::from("(\\.0*)?"),
        digits => format!("(\\.[0-9]{{0,{digits}}}0*)?"),
    };
    let bound = 10_f64.powi(i32::from(precision.saturating_sub(scale)));
    json!({"type": ["string", "number"], "pattern": format!("^-?{whole}{fraction}$"),
           "exclusiveMinimum": -bound, "exclusiveMaximum": bound})
}

fn of_element(element: Element) -> Type {
    match element {
        Element::Boolean => Type::Boolean,
        Element::SmallInt => Type::SmallInt,
        Element::Integer => Type::Integer,
        Element::BigInt => Type::BigInt,
        Element::Double => Type::Double,
        // An array's decimals have as many digits as they like.
        Element::Numeric => Type::Numeric {
            precision: 38,
            scale: 19,
        },
        Element::Text => Type::Text,
        Element::Uuid => Type::Uuid,
        Element::Date => Type::Date,
        Element::Timestamp => Type::Timestamp,
    }
}

/// The same, or null.
pub(super) fn nullable(mut schema: Value) -> Value {
    if let Some(name) = schema.get("type").cloned() {
        let mut names = match name {
            Value::Array(names) => names,
            one => vec![one],
        };
        names.push(json!("null"));
        schema["type"] = Value::Array(names);
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    schema
}

/// A value that goes into the column, for examples.
pub(super) fn example(ty: &Type, bounds: &Bounds) -> Value {
    if let Some(choice) = bounds.choices.first() {
        return json!(choice);
    }
    match ty {
        Type::Boolean => json!(true),
        Type::SmallInt | Type::Integer | Type::BigInt | Type::Real | Type::Double => {
            json!(bounds.minimum.unwrap_or(1))
        }
        Type::Numeric { .. } => json!("1"),
        Type::Text | Type::Varchar(_) => {
            let most = usize::try_from(bounds.max_length.unwrap_or(7)).unwrap_or(7);
            let least = usize::try_from(bounds.min_length.unwrap_or(0)).unwrap_or(0);
            let width = match ty {
                Type::Varchar(length) => most.min(*length as usize),
                _ => most,
            };
            let text: String = "example".chars().take(width).collect();
            json!(format!("{text:x<least$}"))
        }
        Type::Uuid => json!("0193a000-0000-7000-8000-000000000001"),
        Type::Date => json!("2030-01-31"),
        Type::Time => json!("04:00:00"),
        Type::Timestamp => json!("2030-01-31T04:00:00Z"),
        Type::Interval => json!("P10D"),
        Type::Bytes => json!("AAEC"),
        Type::Json => json!({"key": "value"}),
        Type::Array(element) => json!([example(&of_element(*element), &Bounds::default())]),
        Type::Range(_) => json!("empty"),
    }
}

/// A constant default.
pub(super) fn default(column: &Column) -> Option<Value> {
    let Some(ColumnDefault::Engine(expr)) = &column.default else {
        return None;
    };
    let value = expr.evaluate(&|_| None)?;
    let value = match (&value, &column.ty) {
        (sql::Value::Text(text), Type::Json) => return serde_json::from_str(text).ok(),
        (sql::Value::Json(text), _) => return serde_json::from_str(text).ok(),
        // A number, where the column spells its values as texts.
        (sql::Value::Int(number), Type::Numeric { .. }) => return Some(json!(number.to_string())),
        _ => value_as_json(&value, column.ty.kind()),
    };
    serde_json::from_str(&value).ok()
}

/// What is said of a column: its comment, its keys.
pub(super) fn description(table: &Table, column: &Column) -> Option<String> {
    let mut sentences: Vec<String> = column.comment.iter().cloned().collect();
    let primary = table.primary_key.as_ref();
    if primary.is_some_and(|key| key.columns.contains(&column.name)) {
        sentences.push(String::from("Of the primary key."));
    }
    for key in &table.foreign_keys {
        if let Some(place) = key.columns.iter().position(|name| *name == column.name)
            && let Some(target) = key.target_columns.get(place)
        {
            sentences.push(format!("Points to {}.{target}.", key.target));
        }
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Whether `count+` can change it.
pub(super) fn is_number(ty: &Type) -> bool {
    matches!(
        ty,
        Type::SmallInt
            | Type::Integer
            | Type::BigInt
            | Type::Real
            | Type::Double
            | Type::Numeric { .. }
    )
}
