//! Somebody who types statements: one connection of their own, every value as text.

use crate::drivers::mysql::MySqlConsole;
use crate::drivers::postgres::PostgresConsole;
use crate::drivers::sqlite::SqliteConsole;
use crate::url::{Family, Place};
use crate::{DatabaseUrl, DbOptions, DbResult};

/// One connection, for a person: what they write is passed on as it is, so nothing of a request
/// may come here.
pub struct Console(Seat);

enum Seat {
    Sqlite(SqliteConsole),
    Postgres(PostgresConsole),
    MySql(MySqlConsole),
}

/// What one statement gave, as a person reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The columns' names; none where the statement gives no rows.
    pub columns: Vec<String>,
    /// The rows in order, each value as the engine spells it; bytes as `\x` and hexadecimal
    /// digits, `None` for null.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows an insert, update or delete was about; of other statements it says nothing.
    pub affected: u64,
}

impl Console {
    /// Connects once.
    pub async fn connect(url: &DatabaseUrl, options: &DbOptions) -> DbResult<Self> {
        Ok(Self(match &url.0 {
            Place::Sqlite(path) => Seat::Sqlite(SqliteConsole::open(path, options)?),
            Place::Server(place) => match place.family {
                Family::Postgres => Seat::Postgres(PostgresConsole::connect(place, options).await?),
                Family::MySql => Seat::MySql(MySqlConsole::connect(place, options).await?),
            },
        }))
    }

    /// The names of all tables, as this connection sees them.
    pub async fn tables(&mut self) -> DbResult<Vec<Shown>> {
        self.run(tables_of(&self.0)).await
    }

    /// Runs one statement. A call of a procedure can give several answers.
    ///
    /// What the engine says of a wrong statement is [`crate::DbError::Other`], in its own words
    /// and whatever it is; [`crate::DbError::Unavailable`] means that the connection is gone.
    pub async fn run(&mut self, statement: &str) -> DbResult<Vec<Shown>> {
        match &mut self.0 {
            Seat::Sqlite(console) => console.run(statement).map(|shown| vec![shown]),
            Seat::Postgres(console) => console.run(statement).await,
            Seat::MySql(console) => console.run(statement).await,
        }
    }
}

/// The tables that unquoted names find.
fn tables_of(seat: &Seat) -> &'static str {
    match seat {
        Seat::Sqlite(_) => {
            "select name as \"table\" from sqlite_schema \
             where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name"
        }
        Seat::Postgres(_) => {
            "select table_name as \"table\" from information_schema.tables \
             where table_schema = current_schema() order by table_name"
        }
        Seat::MySql(_) => {
            "select table_name as `table` from information_schema.tables \
             where table_schema = database() order by table_name"
        }
    }
}

/// Bytes that are no text.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{}", digits.concat())
}
