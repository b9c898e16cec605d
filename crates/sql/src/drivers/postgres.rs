//! PostgreSQL: few connections, statements prepared once, requests pipelined.

mod connect;
mod console;
mod database;
mod error;
mod numeric;
mod row;
mod transaction;

pub use row::PostgresRow;

pub(crate) use console::PostgresConsole;
pub(crate) use database::PostgresDatabase;
pub(crate) use transaction::PostgresTx;
