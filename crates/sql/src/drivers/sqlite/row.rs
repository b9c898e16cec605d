//! Values in and out of SQLite's five storage classes.

use std::borrow::Cow;

use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef as StoredRef};
use uuid::Uuid;

use crate::spell;
use crate::{DbError, DbResult, Kind, Value, ValueRef};

/// A row of SQLite, where the statement stands.
pub struct SqliteRow<'row>(pub(super) &'row rusqlite::Row<'row>);

impl SqliteRow<'_> {
    pub(crate) fn get(&self, index: usize, kind: Kind) -> DbResult<ValueRef<'_>> {
        let stored = self
            .0
            .get_ref(index)
            .map_err(|error| DbError::Other(error.to_string()))?;
        decode(stored, kind).ok_or_else(|| DbError::Decode {
            column: index,
            expected: expected(kind),
            found: format!("{:?}", stored.data_type()),
        })
    }

    pub(crate) fn is_null(&self, index: usize) -> bool {
        matches!(self.0.get_ref(index), Ok(StoredRef::Null))
    }

    pub(crate) fn spelled(&self, index: usize, kind: Kind) -> Option<&[u8]> {
        let fits = match kind {
            Kind::Timestamp => spell::is_timestamp,
            Kind::Uuid => spell::is_uuid,
            _ => return None,
        };
        match self.0.get_ref(index) {
            Ok(StoredRef::Text(text)) if fits(text) => Some(text),
            _ => None,
        }
    }
}

fn decode(stored: StoredRef<'_>, kind: Kind) -> Option<ValueRef<'_>> {
    if matches!(stored, StoredRef::Null) {
        return Some(ValueRef::Null);
    }
    let text = || match stored {
        StoredRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    };
    Some(match kind {
        Kind::Boolean => ValueRef::Bool(stored.as_i64().ok()? != 0),
        Kind::SmallInt | Kind::Integer | Kind::BigInt => ValueRef::Int(stored.as_i64().ok()?),
        Kind::Real | Kind::Double => ValueRef::Float(match stored {
            StoredRef::Real(number) => number,
            #[expect(
                clippy::cast_precision_loss,
                reason = "SQLite keeps whole floats as integers"
            )]
            StoredRef::Integer(number) => number as f64,
            _ => return None,
        }),
        Kind::Numeric => ValueRef::Decimal(match stored {
            StoredRef::Integer(number) => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed(text()?),
        }),
        Kind::Text | Kind::Interval => ValueRef::Text(Cow::Borrowed(text()?)),
        // PostgreSQL alone has them; `schema` lets none through to here.
        Kind::Array(_) | Kind::Range(_) => return None,
        Kind::Json => ValueRef::Json(Cow::Borrowed(text()?)),
        Kind::Uuid => ValueRef::Uuid(Uuid::try_parse(text()?).ok()?),
        Kind::Date => ValueRef::Date(text()?.parse().ok()?),
        Kind::Time => ValueRef::Time(text()?.parse().ok()?),
        Kind::Timestamp => ValueRef::Timestamp(text()?.parse().ok()?),
        Kind::Bytes => ValueRef::Bytes(Cow::Borrowed(stored.as_blob().ok()?)),
    })
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "a boolean",
        Kind::SmallInt | Kind::Integer | Kind::BigInt => "an integer",
        Kind::Real | Kind::Double => "a float",
        Kind::Numeric => "a decimal",
        Kind::Text => "text",
        Kind::Uuid => "a uuid",
        Kind::Date => "a date",
        Kind::Time => "a time",
        Kind::Timestamp => "a moment",
        Kind::Interval => "an interval",
        Kind::Bytes => "bytes",
        Kind::Json => "JSON",
        Kind::Array(_) => "an array",
        Kind::Range(_) => "a range",
    }
}

/// A bound value.
pub(super) struct Bound<'a>(pub(super) &'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let owned = |text: String| ToSqlOutput::Owned(Stored::Text(text));
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Stored::Null),
            // PostgreSQL alone has lists; `schema` lets none through to here.
            Value::Array(_) => {
                let cause = "SQLite has no arrays";
                return Err(rusqlite::Error::ToSqlConversionFailure(cause.into()));
            }
            Value::Bool(value) => ToSqlOutput::Owned(Stored::Integer(i64::from(*value))),
            Value::Int(number) => ToSqlOutput::Owned(Stored::Integer(*number)),
            Value::Float(number) => ToSqlOutput::Owned(Stored::Real(*number)),
            Value::Decimal(text) | Value::Text(text) | Value::Json(text) => {
                ToSqlOutput::Borrowed(StoredRef::Text(text.as_bytes()))
            }
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(StoredRef::Blob(bytes)),
            Value::Uuid(id) => owned(id.hyphenated().to_string()),
            Value::Date(date) => owned(spell::date_text(*date)),
            Value::Time(time) => owned(spell::time_text(*time)),
            Value::Timestamp(moment) => owned(spell::timestamp_text(*moment)),
        })
    }
}
