//! MySQL and MariaDB: one driver, two dialects.

mod database;
mod error;
mod row;

pub use row::MySqlRow;

pub(crate) use database::{MySqlDatabase, MySqlTx};
