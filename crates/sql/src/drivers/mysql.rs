//! MySQL and MariaDB: one driver, two dialects.

mod console;
mod database;
mod error;
mod row;

pub use row::MySqlRow;

pub(crate) use console::MySqlConsole;
pub(crate) use database::{MySqlDatabase, MySqlTx};
