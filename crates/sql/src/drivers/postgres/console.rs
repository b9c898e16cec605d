//! Statements that somebody types: the simple protocol, in which every value is a text.

use std::fmt::Write as _;

use tokio_postgres::SimpleQueryMessage as Message;

use super::connect::{Connection, Connector, Purpose, unavailable};
use crate::console::Shown;
use crate::url::ServerPlace;
use crate::{DbError, DbOptions, DbResult};

/// A connection that reads and writes.
pub(crate) struct PostgresConsole {
    connection: Connection,
}

impl PostgresConsole {
    pub(crate) async fn connect(place: &ServerPlace, options: &DbOptions) -> DbResult<Self> {
        let connector = Connector::new(place, options, Purpose::Write);
        let connected = connector.connect().await;
        let connection = connected.map_err(|error| unavailable(&error))?;
        Ok(Self { connection })
    }

    pub(crate) async fn run(&self, statement: &str) -> DbResult<Vec<Shown>> {
        let answers = self.connection.client.simple_query(statement).await;
        let answers = answers.map_err(|error| in_its_words(&error))?;
        let (mut all, mut shown) = (Vec::new(), Shown::default());
        for answer in answers {
            match answer {
                Message::RowDescription(columns) => {
                    let names = columns.iter().map(|column| column.name().to_owned());
                    shown.columns = names.collect();
                }
                Message::Row(row) => {
                    let values = (0..row.len()).map(|place| row.get(place).map(str::to_owned));
                    shown.rows.push(values.collect());
                }
                Message::CommandComplete(affected) => {
                    shown.affected = affected;
                    all.push(std::mem::take(&mut shown));
                }
                _ => {}
            }
        }
        Ok(all)
    }
}

/// SQLSTATE and message, with what the server adds.
fn in_its_words(error: &tokio_postgres::Error) -> DbError {
    let Some(server) = error.as_db_error() else {
        return match error.is_closed() {
            true => DbError::Unavailable(error.to_string()),
            false => DbError::Other(error.to_string()),
        };
    };
    let mut text = format!("{} {}", server.code().code(), server.message());
    for (name, more) in [("detail", server.detail()), ("hint", server.hint())] {
        if let Some(more) = more {
            let _ = write!(text, "\n  {name}: {more}");
        }
    }
    DbError::Other(text)
}
