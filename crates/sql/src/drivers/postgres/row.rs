//! Values in and out of PostgreSQL's binary formats.

use std::borrow::Cow;
use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use jiff::civil::{Date, Time, date};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::numeric;
use crate::{DbError, DbResult, Kind, Value, ValueRef};

/// 2000-01-01, from which PostgreSQL counts, in microseconds since the Unix epoch.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAY: Date = date(2000, 1, 1);

/// A row of PostgreSQL.
pub struct PostgresRow<'row>(pub(super) &'row tokio_postgres::Row);

/// A column's bytes and type, as they came.
struct Raw<'a>(&'a [u8], Type);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw, ty.clone()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl PostgresRow<'_> {
    pub(crate) fn is_null(&self, index: usize) -> bool {
        matches!(self.0.try_get::<_, Option<Raw<'_>>>(index), Ok(None))
    }

    pub(crate) fn get(&self, index: usize, kind: Kind) -> DbResult<ValueRef<'_>> {
        let raw: Option<Raw<'_>> = self
            .0
            .try_get(index)
            .map_err(|error| DbError::Other(error.to_string()))?;
        let Some(Raw(bytes, ty)) = raw else {
            return Ok(ValueRef::Null);
        };
        decode(bytes, &ty, kind).ok_or_else(|| DbError::Decode {
            column: index,
            expected: "the declared type",
            found: ty.name().to_owned(),
        })
    }
}

fn decode<'a>(bytes: &'a [u8], ty: &Type, kind: Kind) -> Option<ValueRef<'a>> {
    let text = || std::str::from_utf8(bytes).ok();
    Some(match kind {
        Kind::Boolean => ValueRef::Bool(*bytes.first()? != 0),
        Kind::SmallInt | Kind::Integer | Kind::BigInt => ValueRef::Int(integer(bytes, ty)?),
        Kind::Real | Kind::Double => ValueRef::Float(match bytes.len() {
            4 => f64::from(f32::from_be_bytes(bytes.try_into().ok()?)),
            _ => f64::from_be_bytes(bytes.try_into().ok()?),
        }),
        Kind::Numeric => ValueRef::Decimal(Cow::Owned(match *ty {
            Type::NUMERIC => numeric::decode(bytes)?,
            _ => integer(bytes, ty)?.to_string(),
        })),
        Kind::Text => ValueRef::Text(Cow::Borrowed(text()?)),
        Kind::Uuid => ValueRef::Uuid(Uuid::from_slice(bytes).ok()?),
        Kind::Date => {
            let days = i32::from_be_bytes(bytes.try_into().ok()?);
            ValueRef::Date(EPOCH_DAY.checked_add(days.days()).ok()?)
        }
        Kind::Time => {
            let micros = i64::from_be_bytes(bytes.try_into().ok()?);
            let midnight = Time::midnight();
            ValueRef::Time(
                midnight
                    .checked_add(SignedDuration::from_micros(micros))
                    .ok()?,
            )
        }
        Kind::Timestamp => {
            let micros = i64::from_be_bytes(bytes.try_into().ok()?);
            ValueRef::Timestamp(
                Timestamp::from_microsecond(micros.checked_add(EPOCH_MICROS)?).ok()?,
            )
        }
        Kind::Interval => ValueRef::Text(Cow::Owned(interval(bytes)?)),
        Kind::Bytes => ValueRef::Bytes(Cow::Borrowed(bytes)),
        Kind::Json => ValueRef::Json(Cow::Borrowed(match *ty {
            // The first byte of jsonb is the version of its format.
            Type::JSONB => std::str::from_utf8(bytes.get(1..)?).ok()?,
            _ => text()?,
        })),
        Kind::Array(element) => ValueRef::Array(array(bytes, ty, element.kind())?),
        Kind::Range(range) => ValueRef::Text(Cow::Owned(range_text(bytes, range.kind())?)),
    })
}

fn array<'a>(bytes: &'a [u8], ty: &Type, kind: Kind) -> Option<Vec<ValueRef<'a>>> {
    let elements = Vec::<Option<Raw<'a>>>::from_sql(ty, bytes).ok()?;
    let value = |element: Option<Raw<'a>>| match element {
        None => Some(ValueRef::Null),
        Some(Raw(bytes, ty)) => decode(bytes, &ty, kind),
    };
    elements.into_iter().map(value).collect()
}

/// Flags of a range's binary format (PostgreSQL's `rangetypes.h`).
const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const NO_LOWER: u8 = 0x08;
const NO_UPPER: u8 = 0x10;

/// `[1,5)`, as PostgreSQL writes it; moments and days in the API's spelling.
fn range_text(bytes: &[u8], kind: Kind) -> Option<String> {
    let (flags, mut rest) = bytes.split_first()?;
    if flags & EMPTY != 0 {
        return Some(String::from("empty"));
    }
    let mut bound = |is_there: bool| {
        if !is_there {
            return Some(String::new());
        }
        let length = usize::try_from(i32::from_be_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
        let value = rest.get(4..4 + length)?;
        rest = rest.get(4 + length..)?;
        let ty = match kind {
            Kind::Numeric => Type::NUMERIC,
            _ => Type::INT8,
        };
        Some(match decode(value, &ty, kind)? {
            ValueRef::Int(number) => number.to_string(),
            ValueRef::Decimal(text) => text.into_owned(),
            ValueRef::Date(day) => day.to_string(),
            ValueRef::Timestamp(moment) => crate::spell::timestamp_text(moment),
            _ => return None,
        })
    };
    let lower = bound(flags & NO_LOWER == 0)?;
    let upper = bound(flags & NO_UPPER == 0)?;
    let open = if flags & LOWER_INCLUSIVE != 0 {
        '['
    } else {
        '('
    };
    let close = if flags & UPPER_INCLUSIVE != 0 {
        ']'
    } else {
        ')'
    };
    Some(format!("{open}{lower},{upper}{close}"))
}

fn integer(bytes: &[u8], ty: &Type) -> Option<i64> {
    Some(match bytes.len() {
        2 => i64::from(i16::from_be_bytes(bytes.try_into().ok()?)),
        4 => i64::from(i32::from_be_bytes(bytes.try_into().ok()?)),
        8 if *ty != Type::NUMERIC => i64::from_be_bytes(bytes.try_into().ok()?),
        // A sum of integers comes as numeric.
        _ => numeric::decode(bytes)?.parse().ok()?,
    })
}

/// Microseconds, days and months as an ISO 8601 duration.
fn interval(bytes: &[u8]) -> Option<String> {
    let micros = i64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let days = i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    let months = i32::from_be_bytes(bytes.get(12..16)?.try_into().ok()?);
    let span = jiff::Span::new()
        .try_months(months)
        .and_then(|span| span.try_days(days))
        .and_then(|span| span.try_microseconds(micros))
        .ok()?;
    Some(span.to_string())
}

/// A bound value, encoded as the type that the server expects.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub(super) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        if self.0.is_null() {
            return Ok(IsNull::Yes);
        }
        encode(self.0, ty, out).ok_or_else(|| format!("the value is not a {}", ty.name()))?;
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn encode(value: &Value, ty: &Type, out: &mut BytesMut) -> Option<()> {
    match value {
        Value::Null => {}
        Value::Bool(value) => out.put_u8(u8::from(*value)),
        Value::Int(number) => encode_integer(*number, ty, out)?,
        Value::Float(number) => match *ty {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the column is a 32-bit float"
            )]
            Type::FLOAT4 => out.put_f32(*number as f32),
            _ => out.put_f64(*number),
        },
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => {
            encode_text(text, ty, out)?;
        }
        Value::Bytes(bytes) => out.put_slice(bytes),
        Value::Array(values) => encode_array(values, ty, out)?,
        Value::Uuid(id) => match *ty {
            Type::UUID => out.put_slice(id.as_bytes()),
            _ => out.put_slice(id.hyphenated().to_string().as_bytes()),
        },
        Value::Date(day) => {
            let days = day.since((jiff::Unit::Day, EPOCH_DAY)).ok()?.get_days();
            out.put_i32(days);
        }
        Value::Time(time) => {
            out.put_i64(
                time.duration_since(Time::midnight())
                    .as_micros()
                    .try_into()
                    .ok()?,
            );
        }
        Value::Timestamp(moment) => match *ty {
            Type::TIMESTAMPTZ | Type::TIMESTAMP => {
                out.put_i64(moment.as_microsecond() - EPOCH_MICROS);
            }
            _ => out.put_slice(crate::spell::timestamp_text(*moment).as_bytes()),
        },
    }
    Some(())
}

fn encode_array(values: &[Value], ty: &Type, out: &mut BytesMut) -> Option<()> {
    let values: Vec<Bound<'_>> = values.iter().map(Bound).collect();
    values.to_sql(ty, out).ok().map(drop)
}

fn encode_integer(number: i64, ty: &Type, out: &mut BytesMut) -> Option<()> {
    match *ty {
        Type::INT2 => out.put_i16(number.try_into().ok()?),
        Type::INT4 => out.put_i32(number.try_into().ok()?),
        Type::NUMERIC => out.put_slice(&numeric::encode(&number.to_string())?),
        #[expect(clippy::cast_precision_loss, reason = "the server asked for a float")]
        Type::FLOAT8 => out.put_f64(number as f64),
        Type::TEXT | Type::VARCHAR => out.put_slice(number.to_string().as_bytes()),
        _ => out.put_i64(number),
    }
    Some(())
}

fn encode_text(text: &str, ty: &Type, out: &mut BytesMut) -> Option<()> {
    match *ty {
        Type::NUMERIC => out.put_slice(&numeric::encode(text)?),
        Type::JSONB => {
            out.put_u8(1);
            out.put_slice(text.as_bytes());
        }
        Type::UUID => out.put_slice(Uuid::try_parse(text).ok()?.as_bytes()),
        Type::INTERVAL => {
            let span: jiff::Span = text.parse().ok()?;
            let months = i32::from(span.get_years()) * 12 + span.get_months();
            let days = span.get_weeks() * 7 + span.get_days();
            let time = i64::from(span.get_hours()) * 3_600_000_000
                + span.get_minutes() * 60_000_000
                + span.get_seconds() * 1_000_000
                + span.get_milliseconds() * 1_000
                + span.get_microseconds();
            out.put_i64(time);
            out.put_i32(days);
            out.put_i32(months);
        }
        _ => out.put_slice(text.as_bytes()),
    }
    Some(())
}
