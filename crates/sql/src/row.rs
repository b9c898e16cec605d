//! Rows: owned ones, and ones still in a driver's hands.

use crate::drivers;
use crate::{DbResult, Kind, Value, ValueRef};

/// An owned row, decoded to the kinds that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

/// A row that is still in the driver's buffer; its values are decoded one by one, on demand,
/// without an allocation where the driver's bytes can be borrowed.
pub enum RowRef<'row> {
    /// An owned row.
    Owned(&'row Row),
    /// A row of SQLite.
    Sqlite(drivers::SqliteRow<'row>),
    /// A row of PostgreSQL.
    Postgres(drivers::PostgresRow<'row>),
    /// A row of MySQL or MariaDB.
    MySql(drivers::MySqlRow<'row>),
}

/// Something that takes rows as they come.
pub trait RowSink {
    /// Takes one row. An error stops the statement.
    fn row(&mut self, row: &RowRef<'_>) -> DbResult<()>;
}

impl RowRef<'_> {
    /// Decodes column `index` (from 0) as a `kind`.
    pub fn get(&self, index: usize, kind: Kind) -> DbResult<ValueRef<'_>> {
        match self {
            Self::Owned(row) => Ok(row.0.get(index).map_or(ValueRef::Null, Value::as_ref)),
            Self::Sqlite(row) => row.get(index, kind),
            Self::Postgres(row) => row.get(index, kind),
            Self::MySql(row) => row.get(index, kind),
        }
    }

    /// Whether column `index` (from 0) holds nothing.
    #[must_use]
    pub fn is_null(&self, index: usize) -> bool {
        match self {
            Self::Owned(row) => row.0.get(index).is_none_or(Value::is_null),
            Self::Sqlite(row) => row.is_null(index),
            Self::Postgres(row) => row.is_null(index),
            Self::MySql(row) => row.is_null(index),
        }
    }

    /// Column `index` in the wire spelling, where the engine's bytes are just that: SQLite keeps
    /// ids and moments as such text. `None` means: decode it.
    #[must_use]
    pub fn spelled(&self, index: usize, kind: Kind) -> Option<&[u8]> {
        match self {
            Self::Sqlite(row) => row.spelled(index, kind),
            Self::Owned(_) | Self::Postgres(_) | Self::MySql(_) => None,
        }
    }

    /// Copies the row out of the driver's buffer.
    pub fn to_owned_row(&self, kinds: &[Kind]) -> DbResult<Row> {
        let mut values = Vec::with_capacity(kinds.len());
        for (index, kind) in kinds.iter().enumerate() {
            values.push(self.get(index, *kind)?.into_owned());
        }
        Ok(Row(values))
    }
}
