//! Statements that somebody types: the text protocol, in which every value is a text.

use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn, Opts, Value};

use super::database::session;
use super::error::unavailable;
use crate::console::{Shown, hexadecimal};
use crate::url::ServerPlace;
use crate::{DbError, DbOptions, DbResult};

/// The number of the character set that is none.
const BINARY: u16 = 63;

/// A connection that reads and writes.
pub(crate) struct MySqlConsole {
    connection: Conn,
}

impl MySqlConsole {
    pub(crate) async fn connect(place: &ServerPlace, options: &DbOptions) -> DbResult<Self> {
        let connected = Conn::new(Opts::from(session(place, options, Vec::new()))).await;
        let connection = connected.map_err(|error| unavailable(&error))?;
        Ok(Self { connection })
    }

    pub(crate) async fn run(&mut self, statement: &str) -> DbResult<Vec<Shown>> {
        let answers = self.connection.query_iter(statement).await;
        let mut answers = answers.map_err(|error| in_its_words(&error))?;
        let mut all = Vec::new();
        loop {
            let columns = answers.columns();
            let columns: &[Column] = columns.as_deref().unwrap_or_default();
            let affected = answers.affected_rows();
            let rows = answers.collect::<mysql_async::Row>().await;
            let rows = rows.map_err(|error| in_its_words(&error))?;
            let spelled = |row: mysql_async::Row| {
                let values = columns.iter().zip(row.unwrap());
                values.map(|(column, value)| spell(column, value)).collect()
            };
            all.push(Shown {
                columns: columns
                    .iter()
                    .map(|column| column.name_str().into_owned())
                    .collect(),
                affected: affected.max(rows.len() as u64),
                rows: rows.into_iter().map(spelled).collect(),
            });
            if answers.is_empty() {
                return Ok(all);
            }
        }
    }
}

fn spell(column: &Column, value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) if holds_bytes(column) => Some(hexadecimal(&bytes)),
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        // The text protocol has nothing else.
        other => Some(other.as_sql(true)),
    }
}

/// Numbers and times have no character set either, so the type decides.
fn holds_bytes(column: &Column) -> bool {
    let may = matches!(
        column.column_type(),
        ColumnType::MYSQL_TYPE_BIT
            | ColumnType::MYSQL_TYPE_STRING
            | ColumnType::MYSQL_TYPE_VAR_STRING
            | ColumnType::MYSQL_TYPE_VARCHAR
            | ColumnType::MYSQL_TYPE_TINY_BLOB
            | ColumnType::MYSQL_TYPE_BLOB
            | ColumnType::MYSQL_TYPE_MEDIUM_BLOB
            | ColumnType::MYSQL_TYPE_LONG_BLOB
            | ColumnType::MYSQL_TYPE_GEOMETRY
    );
    may && column.character_set() == BINARY
}

/// The server's number and message.
fn in_its_words(error: &mysql_async::Error) -> DbError {
    match error {
        mysql_async::Error::Server(server) => {
            DbError::Other(format!("{} {}", server.code, server.message))
        }
        mysql_async::Error::Io(_)
        | mysql_async::Error::Driver(mysql_async::DriverError::ConnectionClosed) => {
            DbError::Unavailable(error.to_string())
        }
        other => DbError::Other(other.to_string()),
    }
}
