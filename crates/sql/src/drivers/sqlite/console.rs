//! Statements that somebody types, on a connection of their own.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::connect::{Connected, assert_version};
use super::read::Readers;
use crate::console::{Shown, hexadecimal};
use crate::{DbError, DbOptions, DbResult, Weight};

/// A connection that reads and writes.
pub(crate) struct SqliteConsole {
    connected: Connected,
    timeout: std::time::Duration,
}

impl SqliteConsole {
    pub(crate) fn open(path: &Path, options: &DbOptions) -> DbResult<Self> {
        assert_version()?;
        if !path.exists() && !options.create_if_missing {
            let text = format!("{} does not exist", path.display());
            return Err(DbError::Unavailable(text));
        }
        Ok(Self {
            connected: Connected::open(path)?,
            timeout: options.statement_timeout,
        })
    }

    pub(crate) fn run(&self, statement: &str) -> DbResult<Shown> {
        Readers::on_thread(Weight::Long, || {
            self.connected.within(self.timeout, |connection| {
                show(connection, statement).map_err(|error| DbError::Other(error.to_string()))
            })
        })
    }
}

fn show(connection: &Connection, text: &str) -> rusqlite::Result<Shown> {
    let mut statement = connection.prepare(text)?;
    if statement.column_count() == 0 {
        let affected = statement.execute([])? as u64;
        return Ok(Shown {
            affected,
            ..Shown::default()
        });
    }
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut shown = Shown::default();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|place| row.get_ref(place).map(spell));
        shown.rows.push(values.collect::<rusqlite::Result<_>>()?);
    }
    shown.affected = shown.rows.len() as u64;
    shown.columns = columns;
    Ok(shown)
}

fn spell(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        // With a point, so that it is seen to be no whole number.
        ValueRef::Real(number) => Some(format!("{number:?}")),
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Some(hexadecimal(bytes)),
    }
}
