//! What a statement binds and what a row holds.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use uuid::Uuid;

/// How a column's values are decoded and a parameter's are encoded: a portable type without its
/// length or precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// 16-bit integer.
    SmallInt,
    /// 32-bit integer.
    Integer,
    /// 64-bit integer.
    BigInt,
    /// 32-bit float.
    Real,
    /// 64-bit float.
    Double,
    /// Exact decimal, kept as text; never passes through a float.
    Numeric,
    /// Unicode text, also `varchar(n)` and enums.
    Text,
    /// 128-bit id.
    Uuid,
    /// Calendar date.
    Date,
    /// Time of day, microseconds.
    Time,
    /// A moment, UTC, microseconds (`timestamptz`).
    Timestamp,
    /// ISO 8601 duration text.
    Interval,
    /// Bytes.
    Bytes,
    /// JSON text.
    Json,
    /// A list of values of one kind; PostgreSQL alone.
    Array(Element),
    /// What lies between two values, as text: `[1,5)`; PostgreSQL alone.
    Range(RangeOf),
}

/// What the values of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// True or false.
    Boolean,
    /// 16-bit integer.
    SmallInt,
    /// 32-bit integer.
    Integer,
    /// 64-bit integer.
    BigInt,
    /// 64-bit float.
    Double,
    /// Exact decimal.
    Numeric,
    /// Text.
    Text,
    /// Id.
    Uuid,
    /// Calendar date.
    Date,
    /// Moment.
    Timestamp,
}

impl Element {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Boolean,
        Self::SmallInt,
        Self::Integer,
        Self::BigInt,
        Self::Double,
        Self::Numeric,
        Self::Text,
        Self::Uuid,
        Self::Date,
        Self::Timestamp,
    ];

    /// The kind of one value.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::SmallInt => Kind::SmallInt,
            Self::Integer => Kind::Integer,
            Self::BigInt => Kind::BigInt,
            Self::Double => Kind::Double,
            Self::Numeric => Kind::Numeric,
            Self::Text => Kind::Text,
            Self::Uuid => Kind::Uuid,
            Self::Date => Kind::Date,
            Self::Timestamp => Kind::Timestamp,
        }
    }

    /// The array's name in the schema language and in PostgreSQL.
    #[must_use]
    pub fn array_name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean[]",
            Self::SmallInt => "smallint[]",
            Self::Integer => "integer[]",
            Self::BigInt => "bigint[]",
            Self::Double => "double precision[]",
            Self::Numeric => "numeric[]",
            Self::Text => "text[]",
            Self::Uuid => "uuid[]",
            Self::Date => "date[]",
            Self::Timestamp => "timestamptz[]",
        }
    }
}

/// Between what a range lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RangeOf {
    /// 32-bit integers.
    Integer,
    /// 64-bit integers.
    BigInt,
    /// Exact decimals.
    Numeric,
    /// Calendar dates.
    Date,
    /// Moments.
    Timestamp,
}

impl RangeOf {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Integer,
        Self::BigInt,
        Self::Numeric,
        Self::Date,
        Self::Timestamp,
    ];

    /// The kind of a bound.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Integer => Kind::Integer,
            Self::BigInt => Kind::BigInt,
            Self::Numeric => Kind::Numeric,
            Self::Date => Kind::Date,
            Self::Timestamp => Kind::Timestamp,
        }
    }

    /// Its name in the schema language and in PostgreSQL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "int4range",
            Self::BigInt => "int8range",
            Self::Numeric => "numrange",
            Self::Date => "daterange",
            Self::Timestamp => "tstzrange",
        }
    }
}

/// A value that a statement binds or an owned row holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// A float.
    Float(f64),
    /// An exact decimal in plain notation, as `-12.30`.
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An id.
    Uuid(Uuid),
    /// A calendar date.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A moment, whole microseconds.
    Timestamp(Timestamp),
    /// JSON text, valid.
    Json(String),
    /// A list.
    Array(Vec<Value>),
}

/// A value that is still in the driver's row.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueRef<'row> {
    /// SQL `NULL`.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// A float.
    Float(f64),
    /// An exact decimal in plain notation.
    Decimal(Cow<'row, str>),
    /// Text.
    Text(Cow<'row, str>),
    /// Bytes.
    Bytes(Cow<'row, [u8]>),
    /// An id.
    Uuid(Uuid),
    /// A calendar date.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A moment, whole microseconds.
    Timestamp(Timestamp),
    /// JSON text.
    Json(Cow<'row, str>),
    /// A list.
    Array(Vec<ValueRef<'row>>),
}

impl ValueRef<'_> {
    /// Copies the value out of the row.
    #[must_use]
    pub fn into_owned(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::Decimal(value) => Value::Decimal(value.into_owned()),
            Self::Text(value) => Value::Text(value.into_owned()),
            Self::Bytes(value) => Value::Bytes(value.into_owned()),
            Self::Uuid(value) => Value::Uuid(value),
            Self::Date(value) => Value::Date(value),
            Self::Time(value) => Value::Time(value),
            Self::Timestamp(value) => Value::Timestamp(value),
            Self::Json(value) => Value::Json(value.into_owned()),
            Self::Array(values) => {
                Value::Array(values.into_iter().map(ValueRef::into_owned).collect())
            }
        }
    }
}

impl Value {
    /// Looks at the value without copying it.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Int(value) => ValueRef::Int(*value),
            Self::Float(value) => ValueRef::Float(*value),
            Self::Decimal(value) => ValueRef::Decimal(Cow::Borrowed(value)),
            Self::Text(value) => ValueRef::Text(Cow::Borrowed(value)),
            Self::Bytes(value) => ValueRef::Bytes(Cow::Borrowed(value)),
            Self::Uuid(value) => ValueRef::Uuid(*value),
            Self::Date(value) => ValueRef::Date(*value),
            Self::Time(value) => ValueRef::Time(*value),
            Self::Timestamp(value) => ValueRef::Timestamp(*value),
            Self::Json(value) => ValueRef::Json(Cow::Borrowed(value)),
            Self::Array(values) => ValueRef::Array(values.iter().map(Self::as_ref).collect()),
        }
    }

    /// Whether this is SQL `NULL`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Timestamp(moment)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
