//! The portable column types.

use std::fmt;

use sql::{Element, Kind, RangeOf};

/// A type of the schema language (design: the portable subset of PostgreSQL's types).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `boolean`
    Boolean,
    /// `smallint`
    SmallInt,
    /// `integer`
    Integer,
    /// `bigint`
    BigInt,
    /// `real`
    Real,
    /// `double precision`
    Double,
    /// `numeric(precision, scale)`
    Numeric {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// `text`
    Text,
    /// `varchar(n)`, n in characters
    Varchar(u32),
    /// `uuid`
    Uuid,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `timestamptz`
    Timestamp,
    /// `interval`
    Interval,
    /// `bytea`
    Bytes,
    /// `json` and `jsonb`
    Json,
    /// `text[]` and its like, on PostgreSQL alone
    Array(Element),
    /// `int4range` and its like, on PostgreSQL alone
    Range(RangeOf),
}

impl Type {
    /// How its values are bound and decoded.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::SmallInt => Kind::SmallInt,
            Self::Integer => Kind::Integer,
            Self::BigInt => Kind::BigInt,
            Self::Real => Kind::Real,
            Self::Double => Kind::Double,
            Self::Numeric { .. } => Kind::Numeric,
            Self::Text | Self::Varchar(_) => Kind::Text,
            Self::Uuid => Kind::Uuid,
            Self::Date => Kind::Date,
            Self::Time => Kind::Time,
            Self::Timestamp => Kind::Timestamp,
            Self::Interval => Kind::Interval,
            Self::Bytes => Kind::Bytes,
            Self::Json => Kind::Json,
            Self::Array(element) => Kind::Array(*element),
            Self::Range(range) => Kind::Range(*range),
        }
    }
}

impl Type {
    /// Whether PostgreSQL alone has it.
    #[must_use]
    pub fn is_postgres_alone(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Range(_))
    }

    /// Whether every value of `other` is one of this type too, as the same text or number.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        use Type::{BigInt, Double, Integer, Numeric, Real, SmallInt, Text, Varchar};
        match (self, other) {
            (own, other) if own == other => true,
            (Integer, SmallInt)
            | (BigInt, SmallInt | Integer)
            | (Double, Real | SmallInt | Integer)
            | (Text, Varchar(_)) => true,
            (Varchar(own), Varchar(other)) => own >= other,
            (
                Numeric { precision, scale },
                Numeric {
                    precision: old,
                    scale: old_scale,
                },
            ) => scale >= old_scale && precision - scale >= old - old_scale,
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Integer => f.write_str("integer"),
            Self::BigInt => f.write_str("bigint"),
            Self::Real => f.write_str("real"),
            Self::Double => f.write_str("double precision"),
            Self::Numeric { precision, scale } => write!(f, "numeric({precision},{scale})"),
            Self::Text => f.write_str("text"),
            Self::Varchar(length) => write!(f, "varchar({length})"),
            Self::Uuid => f.write_str("uuid"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Timestamp => f.write_str("timestamptz"),
            Self::Interval => f.write_str("interval"),
            Self::Bytes => f.write_str("bytea"),
            Self::Json => f.write_str("jsonb"),
            Self::Array(element) => f.write_str(element.array_name()),
            Self::Range(range) => f.write_str(range.name()),
        }
    }
}
