//! The only room that names a database driver: dialects, the SQL writer, values, rows and
//! connections.
//!
//! A statement is written once, by hand, with a [`Sql`] writer that takes static text, [`Ident`]s
//! and bound [`Value`]s and nothing else, so text that came from a user cannot become SQL.
//! Rows are decoded to the [`Kind`] that the caller declares, never to what a driver guesses.

mod actor;
mod console;
mod db;
mod dialect;
mod drivers;
mod error;
mod ident;
mod provision;
mod row;
mod scratch;
mod spans;
mod spell;
mod statement;
mod tx;
mod url;
mod value;
mod write;

pub use actor::Actor;
pub use console::{Console, Shown};
pub use db::{Db, DbOptions, Session, Whoami};
pub use dialect::Dialect;
pub use drivers::{MySqlRow, PostgresRow, SqliteRow};
pub use error::{DbError, DbResult, Obstacle};
pub use ident::{Ident, IdentError};
pub use provision::Logins;
pub use row::{Row, RowRef, RowSink};
pub use scratch::Scratch;
pub use spans::TRACE_TARGET;
pub use spell::{is_found_by_three, lower, write_date, write_time, write_timestamp};
pub use statement::{Expect, Outcome, Query, Step, Weight};
pub use tx::Tx;
pub use url::{DatabaseUrl, DatabaseUrlError, ServerParts};
pub use value::{Element, Kind, RangeOf, Value, ValueRef};
pub use write::Sql;

#[cfg(test)]
mod tests;
