//! Values in and out of MySQL's binary protocol.

use std::borrow::Cow;

use jiff::civil::{Date, Time};
use mysql_async::Value as Stored;
use uuid::Uuid;

use crate::spell;
use crate::{DbError, DbResult, Dialect, Kind, Value, ValueRef};

/// A row of MySQL or MariaDB.
pub struct MySqlRow<'row>(pub(super) &'row mysql_async::Row);

impl MySqlRow<'_> {
    pub(crate) fn is_null(&self, index: usize) -> bool {
        matches!(self.0.as_ref(index), None | Some(Stored::NULL))
    }

    pub(crate) fn get(&self, index: usize, kind: Kind) -> DbResult<ValueRef<'_>> {
        let stored = self.0.as_ref(index).unwrap_or(&Stored::NULL);
        decode(stored, kind).ok_or_else(|| DbError::Decode {
            column: index,
            expected: "the declared type",
            found: shape(stored).to_owned(),
        })
    }
}

/// The kind of a stored value; never the value, which may be secret.
fn shape(stored: &Stored) -> &'static str {
    match stored {
        Stored::NULL => "null",
        Stored::Bytes(_) => "bytes",
        Stored::Int(_) | Stored::UInt(_) => "an integer",
        Stored::Float(_) | Stored::Double(_) => "a float",
        Stored::Date(..) => "a date",
        Stored::Time(..) => "a time",
    }
}

fn decode(stored: &Stored, kind: Kind) -> Option<ValueRef<'_>> {
    if matches!(stored, Stored::NULL) {
        return Some(ValueRef::Null);
    }
    let bytes = || match stored {
        Stored::Bytes(bytes) => Some(bytes.as_slice()),
        _ => None,
    };
    let text = || std::str::from_utf8(bytes()?).ok();
    Some(match kind {
        Kind::Boolean => ValueRef::Bool(integer(stored)? != 0),
        Kind::SmallInt | Kind::Integer | Kind::BigInt => ValueRef::Int(integer(stored)?),
        Kind::Real | Kind::Double => ValueRef::Float(match stored {
            Stored::Float(number) => f64::from(*number),
            Stored::Double(number) => *number,
            _ => text()?.parse().ok()?,
        }),
        Kind::Numeric => ValueRef::Decimal(match stored {
            Stored::Bytes(_) => Cow::Borrowed(text()?),
            _ => Cow::Owned(integer(stored)?.to_string()),
        }),
        Kind::Text | Kind::Interval => ValueRef::Text(Cow::Borrowed(text()?)),
        // PostgreSQL alone has them; `schema` lets none through to here.
        Kind::Array(_) | Kind::Range(_) => return None,
        Kind::Json => ValueRef::Json(Cow::Borrowed(text()?)),
        Kind::Uuid => ValueRef::Uuid(match bytes()? {
            raw if raw.len() == 16 => Uuid::from_slice(raw).ok()?,
            _ => Uuid::try_parse(text()?).ok()?,
        }),
        Kind::Date => match stored {
            Stored::Date(year, month, day, ..) => ValueRef::Date(date(*year, *month, *day)?),
            _ => ValueRef::Date(text()?.parse().ok()?),
        },
        Kind::Time => match stored {
            Stored::Time(false, 0, hour, minute, second, micros) => {
                ValueRef::Time(time(*hour, *minute, *second, *micros)?)
            }
            _ => ValueRef::Time(text()?.parse().ok()?),
        },
        Kind::Timestamp => ValueRef::Timestamp(moment(stored)?),
        Kind::Bytes => ValueRef::Bytes(Cow::Borrowed(bytes()?)),
    })
}

fn moment(stored: &Stored) -> Option<jiff::Timestamp> {
    if let Stored::Date(year, month, day, hour, minute, second, micros) = stored {
        let date = date(*year, *month, *day)?;
        return spell::civil(date, time(*hour, *minute, *second, *micros)?);
    }
    let Stored::Bytes(bytes) = stored else {
        return None;
    };
    let civil: jiff::civil::DateTime = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    spell::civil(civil.date(), civil.time())
}

fn integer(stored: &Stored) -> Option<i64> {
    match stored {
        Stored::Int(number) => Some(*number),
        Stored::UInt(number) => i64::try_from(*number).ok(),
        // The text protocol, and DECIMAL sums of integers.
        Stored::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

fn date(year: u16, month: u8, day: u8) -> Option<Date> {
    Date::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    )
    .ok()
}

fn time(hour: u8, minute: u8, second: u8, micros: u32) -> Option<Time> {
    let nanos = i32::try_from(micros).ok()? * 1000;
    Time::new(
        hour.try_into().ok()?,
        minute.try_into().ok()?,
        second.try_into().ok()?,
        nanos,
    )
    .ok()
}

/// A bound value.
pub(super) fn bind(value: &Value, dialect: Dialect) -> Stored {
    let unsigned = |number: i8| number.unsigned_abs();
    match value {
        // PostgreSQL alone has lists; `schema` lets none through to here.
        Value::Null | Value::Array(_) => Stored::NULL,
        Value::Bool(value) => Stored::Int(i64::from(*value)),
        Value::Int(number) => Stored::Int(*number),
        Value::Float(number) => Stored::Double(*number),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => {
            Stored::Bytes(text.clone().into_bytes())
        }
        Value::Bytes(bytes) => Stored::Bytes(bytes.clone()),
        Value::Uuid(id) => Stored::Bytes(match dialect {
            // MariaDB has a uuid type that reads text; MySQL keeps the sixteen bytes.
            Dialect::MariaDb => id.hyphenated().to_string().into_bytes(),
            Dialect::MySql | Dialect::Sqlite | Dialect::Postgres => id.as_bytes().to_vec(),
        }),
        Value::Date(day) => Stored::Date(
            day.year().unsigned_abs(),
            unsigned(day.month()),
            unsigned(day.day()),
            0,
            0,
            0,
            0,
        ),
        Value::Time(time) => Stored::Time(
            false,
            0,
            unsigned(time.hour()),
            unsigned(time.minute()),
            unsigned(time.second()),
            time.subsec_nanosecond().unsigned_abs() / 1000,
        ),
        Value::Timestamp(moment) => {
            let civil = jiff::tz::Offset::UTC.to_datetime(*moment);
            Stored::Date(
                civil.year().unsigned_abs(),
                unsigned(civil.month()),
                unsigned(civil.day()),
                unsigned(civil.hour()),
                unsigned(civil.minute()),
                unsigned(civil.second()),
                civil.subsec_nanosecond().unsigned_abs() / 1000,
            )
        }
    }
}
