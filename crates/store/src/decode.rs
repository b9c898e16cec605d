//! Rows to values, column by column.

use jiff::Timestamp;
use sql::{Row, Value};
use uuid::Uuid;

use crate::{StoreError, StoreResult};

/// The values of a row, taken in the order of the statement.
pub(crate) struct Columns {
    table: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl Columns {
    /// The values of a row of `table`.
    pub(crate) fn of(table: &'static str, row: Row) -> Self {
        Self {
            table,
            values: row.0.into_iter(),
        }
    }

    pub(crate) fn uuid(&mut self) -> StoreResult<Uuid> {
        match self.values.next() {
            Some(Value::Uuid(id)) => Ok(id),
            _ => Err(self.corrupt("an id is missing")),
        }
    }

    pub(crate) fn optional_uuid(&mut self) -> StoreResult<Option<Uuid>> {
        match self.values.next() {
            Some(Value::Uuid(id)) => Ok(Some(id)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.corrupt("an id is missing")),
        }
    }

    pub(crate) fn text(&mut self) -> StoreResult<String> {
        self.optional_text()?
            .ok_or_else(|| self.corrupt("a text is missing"))
    }

    pub(crate) fn optional_text(&mut self) -> StoreResult<Option<String>> {
        match self.values.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.corrupt("a text is missing")),
        }
    }

    pub(crate) fn bool(&mut self) -> StoreResult<bool> {
        match self.values.next() {
            Some(Value::Bool(value)) => Ok(value),
            _ => Err(self.corrupt("a truth value is missing")),
        }
    }

    pub(crate) fn optional_bool(&mut self) -> StoreResult<Option<bool>> {
        match self.values.next() {
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.corrupt("a truth value is missing")),
        }
    }

    pub(crate) fn int(&mut self) -> StoreResult<i64> {
        match self.values.next() {
            Some(Value::Int(number)) => Ok(number),
            _ => Err(self.corrupt("a number is missing")),
        }
    }

    pub(crate) fn optional_int(&mut self) -> StoreResult<Option<i64>> {
        match self.values.next() {
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.corrupt("a number is missing")),
        }
    }

    pub(crate) fn bytes(&mut self) -> StoreResult<Vec<u8>> {
        match self.values.next() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(self.corrupt("bytes are missing")),
        }
    }

    pub(crate) fn moment(&mut self) -> StoreResult<Timestamp> {
        self.optional_moment()?
            .ok_or_else(|| self.corrupt("a moment is missing"))
    }

    pub(crate) fn optional_moment(&mut self) -> StoreResult<Option<Timestamp>> {
        match self.values.next() {
            Some(Value::Timestamp(moment)) => Ok(Some(moment)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.corrupt("a moment is missing")),
        }
    }

    pub(crate) fn corrupt(&self, what: &'static str) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            what,
        }
    }
}
