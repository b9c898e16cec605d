//! The three drivers, one folder each.

pub(crate) mod mysql;
pub(crate) mod postgres;
pub(crate) mod sqlite;

pub use mysql::MySqlRow;
pub use postgres::PostgresRow;
pub use sqlite::SqliteRow;

use crate::{DbError, Expect};

/// Whether a step did what was expected of it.
pub(crate) fn verify(step: usize, expect: Expect, affected: u64) -> Result<(), DbError> {
    let met = match expect {
        Expect::Anything => true,
        Expect::One => affected == 1,
        Expect::Rows(rows) => affected == rows,
        Expect::AtMost(rows) => affected <= rows,
    };
    if met {
        Ok(())
    } else {
        Err(DbError::Unexpected { step, affected })
    }
}

/// Whether a step may run without a transaction around it: nothing would have to be undone.
pub(crate) fn needs_no_transaction(expect: Expect) -> bool {
    match expect {
        Expect::Anything | Expect::One => true,
        Expect::Rows(_) | Expect::AtMost(_) => false,
    }
}
