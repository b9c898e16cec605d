//! SQLite's result codes as [`DbError`]s.

use rusqlite::ffi;

use crate::DbError;

/// Translates by extended result code (<https://sqlite.org/rescode.html>).
pub(super) fn from_sqlite(error: &rusqlite::Error) -> DbError {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            (*code, message.clone().unwrap_or_default())
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => (*error, msg.clone()),
        other => return DbError::Other(other.to_string()),
    };
    let named = || message.split_once(": ").map(|(_, name)| name.to_owned());
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => DbError::Unique {
            constraint: None,
            columns: columns(&message),
        },
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => DbError::ForeignKey { constraint: None },
        ffi::SQLITE_CONSTRAINT_CHECK => DbError::Check {
            constraint: named(),
        },
        ffi::SQLITE_CONSTRAINT_NOTNULL => DbError::NotNull {
            column: columns(&message).into_iter().next(),
        },
        ffi::SQLITE_CONSTRAINT_DATATYPE => DbError::DoesNotFit {
            column: message.rsplit('.').next().map(str::to_owned),
        },
        // The index of the write-ahead log could not be made larger.
        ffi::SQLITE_IOERR_SHMSIZE => DbError::Full(message),
        _ => match code.extended_code & 0xff {
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => DbError::Conflict,
            ffi::SQLITE_INTERRUPT => DbError::Timeout,
            ffi::SQLITE_READONLY => DbError::ReadOnly,
            ffi::SQLITE_TOOBIG => DbError::DoesNotFit { column: None },
            ffi::SQLITE_FULL => DbError::Full(message),
            ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN => DbError::Unavailable(message),
            _ => DbError::Other(message),
        },
    }
}

/// The columns of `UNIQUE constraint failed: users.email, users.name`.
fn columns(message: &str) -> Vec<String> {
    let Some((_, list)) = message.split_once(": ") else {
        return Vec::new();
    };
    list.split(", ")
        .filter_map(|column| column.rsplit('.').next())
        .map(str::to_owned)
        .collect()
}
