//! Texts and JSON to values of a column's type.

mod list;

pub(crate) use list::items as list_of;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lang::Type;
use serde_json::Value as Json;
use sql::Value;
use uuid::Uuid;

/// Why a value does not go into its column: a code and a sentence.
pub(crate) type Misfit = (&'static str, String);

fn wrong(ty: &Type, example: &str) -> Misfit {
    ("type", format!("must be {}, as {example}", article(ty)))
}

fn article(ty: &Type) -> String {
    let name = ty.to_string();
    let vowel = name.starts_with(['a', 'e', 'i', 'o']);
    if vowel {
        format!("an {name}")
    } else {
        format!("a {name}")
    }
}

/// A value out of a URL.
pub(crate) fn from_text(text: &str, ty: &Type) -> Result<Value, Misfit> {
    match ty {
        Type::Boolean => match text {
            "true" | "t" => Ok(Value::Bool(true)),
            "false" | "f" => Ok(Value::Bool(false)),
            _ => Err(wrong(ty, "true or false")),
        },
        Type::SmallInt | Type::Integer | Type::BigInt => integer(text, ty),
        Type::Real | Type::Double => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(wrong(ty, "1.5")),
        },
        Type::Numeric { precision, scale } => decimal(text, *precision, *scale, ty),
        Type::Text => plain(text, None),
        Type::Varchar(length) => plain(text, Some(*length)),
        Type::Uuid => Uuid::try_parse(text)
            .map(Value::Uuid)
            .map_err(|_| wrong(ty, "0193a000-0000-7000-8000-000000000001")),
        Type::Date => text
            .parse()
            .map(Value::Date)
            .map_err(|_| wrong(ty, "2026-11-21")),
        Type::Time => text
            .parse()
            .map(Value::Time)
            .map_err(|_| wrong(ty, "04:00:00")),
        Type::Timestamp => moment(text).ok_or_else(|| wrong(ty, "2026-11-21T04:00:00Z")),
        Type::Interval => match text.parse::<jiff::Span>() {
            Ok(span) => Ok(Value::Text(span.to_string())),
            Err(_) => Err(wrong(ty, "P10D")),
        },
        Type::Bytes => STANDARD
            .decode(text)
            .map(Value::Bytes)
            .map_err(|_| wrong(ty, "base64, AAEC")),
        Type::Json => match serde_json::from_str::<Json>(text) {
            Ok(json) => Ok(Value::Json(canonical(&json).to_string())),
            Err(_) => Err(wrong(ty, "{\"a\": 1}")),
        },
        Type::Array(element) => list::from_literal(text, *element, ty),
        Type::Range(range) => list::range(text, *range, ty),
    }
}

/// A value out of a body; `null` is the caller's to judge.
/// The value that [`crate::value_as_json`] wrote; what is wrong with it otherwise.
pub fn value_from_json(json: &Json, ty: &Type) -> Result<Value, String> {
    match (json, ty) {
        (Json::Null, _) => Ok(Value::Null),
        (Json::String(document), Type::Json) => Ok(Value::Json(document.clone())),
        (json, ty) => from_json(json, ty).map_err(|(code, message)| format!("{code}: {message}")),
    }
}

pub(crate) fn from_json(json: &Json, ty: &Type) -> Result<Value, Misfit> {
    match (json, ty) {
        (Json::Null, _) => Ok(Value::Null),
        (json, Type::Json) => Ok(Value::Json(canonical(json).to_string())),
        (Json::Array(values), Type::Array(element)) => list::from_values(values, *element),
        (Json::Bool(value), Type::Boolean) => Ok(Value::Bool(*value)),
        (Json::Number(number), Type::SmallInt | Type::Integer | Type::BigInt) => {
            integer(&number.to_string(), ty)
        }
        (Json::Number(number), Type::Real | Type::Double | Type::Numeric { .. }) => {
            from_text(&number.to_string(), ty)
        }
        // A number too long for a float may come as a text.
        (Json::String(text), Type::BigInt | Type::Numeric { .. }) => from_text(text, ty),
        (
            Json::String(text),
            Type::Text
            | Type::Varchar(_)
            | Type::Uuid
            | Type::Date
            | Type::Time
            | Type::Timestamp
            | Type::Interval
            | Type::Bytes
            | Type::Range(_),
        ) => from_text(text, ty),
        _ => Err(("type", format!("must be {}", article(ty)))),
    }
}

/// The same JSON with its members in the order that PostgreSQL's jsonb and MySQL keep them in, by
/// length, then by bytes; SQLite and MariaDB keep what they are given.
pub(crate) fn canonical(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let mut sorted: Vec<(&String, &Json)> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| (name.len(), name.as_bytes()));
            let sorted = sorted.into_iter();
            Json::Object(
                sorted
                    .map(|(name, value)| (name.clone(), canonical(value)))
                    .collect(),
            )
        }
        Json::Array(elements) => Json::Array(elements.iter().map(canonical).collect()),
        plain => plain.clone(),
    }
}

fn integer(text: &str, ty: &Type) -> Result<Value, Misfit> {
    let number: i64 = text.parse().map_err(|_| wrong(ty, "42"))?;
    let fits = match ty {
        Type::SmallInt => i16::try_from(number).is_ok(),
        Type::Integer => i32::try_from(number).is_ok(),
        _ => true,
    };
    if fits {
        Ok(Value::Int(number))
    } else {
        Err(("range", format!("is too large for {}", article(ty))))
    }
}

fn decimal(text: &str, precision: u8, scale: u8, ty: &Type) -> Result<Value, Misfit> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return Err(wrong(ty, "\"12.30\""));
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let room = usize::from(precision.saturating_sub(scale));
    if whole.len() > room || fraction.len() > usize::from(scale) {
        return Err(("range", format!("does not fit {}", article(ty))));
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let padded = format!("{fraction:0<width$}", width = usize::from(scale));
    let is_zero = whole == "0" && padded.bytes().all(|byte| byte == b'0');
    let sign = if text.starts_with('-') && !is_zero {
        "-"
    } else {
        ""
    };
    let point = if scale == 0 { "" } else { "." };
    Ok(Value::Decimal(format!("{sign}{whole}{point}{padded}")))
}

fn plain(text: &str, length: Option<u32>) -> Result<Value, Misfit> {
    if text.contains('\0') {
        return Err(("type", String::from("must not hold the character NUL")));
    }
    match length {
        Some(length) if text.chars().count() > length as usize => {
            Err(("too_long", format!("has more than {length} characters")))
        }
        _ => Ok(Value::Text(text.to_owned())),
    }
}

/// RFC 3339 with any offset, between the years 1 and 9999, cut to whole microseconds.
fn moment(text: &str) -> Option<Value> {
    let moment: Timestamp = text.parse().ok()?;
    let moment = Timestamp::from_microsecond(moment.as_microsecond()).ok()?;
    let year = jiff::tz::Offset::UTC.to_datetime(moment).year();
    (1..=9999)
        .contains(&year)
        .then_some(Value::Timestamp(moment))
}
