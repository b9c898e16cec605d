//! SQLSTATEs as [`DbError`]s.

use tokio_postgres::error::{DbError as ServerError, SqlState};

use crate::DbError;

/// Translates by SQLSTATE (PostgreSQL manual, appendix A).
pub(super) fn from_postgres(error: &tokio_postgres::Error) -> DbError {
    let Some(server) = error.as_db_error() else {
        if error.is_closed()
            || std::error::Error::source(error)
                .is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        {
            return DbError::Unavailable(with_source(error));
        }
        return DbError::Other(with_source(error));
    };
    let constraint = server.constraint().map(str::to_owned);
    let column = server.column().map(str::to_owned);
    match server.code() {
        &SqlState::UNIQUE_VIOLATION => DbError::Unique {
            constraint,
            columns: Vec::new(),
        },
        &SqlState::FOREIGN_KEY_VIOLATION | &SqlState::RESTRICT_VIOLATION => {
            DbError::ForeignKey { constraint }
        }
        &SqlState::CHECK_VIOLATION => DbError::Check { constraint },
        &SqlState::NOT_NULL_VIOLATION => DbError::NotNull { column },
        &SqlState::STRING_DATA_RIGHT_TRUNCATION
        | &SqlState::NUMERIC_VALUE_OUT_OF_RANGE
        | &SqlState::DATETIME_FIELD_OVERFLOW
        // A range whose bounds are the wrong way round.
        | &SqlState::DATA_EXCEPTION => DbError::DoesNotFit { column },
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => {
            DbError::Conflict
        }
        &SqlState::READ_ONLY_SQL_TRANSACTION => DbError::ReadOnly,
        &SqlState::DISK_FULL => DbError::Full(server.message().to_owned()),
        // The same SQLSTATE as a missing privilege; where it was raised is told in every language.
        &SqlState::INSUFFICIENT_PRIVILEGE if server.routine() == Some("ExecWithCheckOptions") => {
            DbError::RowSecurity(server.message().to_owned())
        }
        &SqlState::INSUFFICIENT_PRIVILEGE => DbError::Denied(server.message().to_owned()),
        &SqlState::QUERY_CANCELED | &SqlState::LOCK_NOT_AVAILABLE => DbError::Timeout,
        code => other(code, server),
    }
}

/// The driver's message and what is behind it, which says more.
fn with_source(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn other(code: &SqlState, server: &ServerError) -> DbError {
    let text = format!("{} {}", code.code(), server.message());
    // Classes 08 (connection), 53 (resources) and 57 (operator): the server is not there for us.
    match code.code().get(..2) {
        Some("08" | "53" | "57") => DbError::Unavailable(text),
        _ => DbError::Other(text),
    }
}

/// A prepared plan that no longer fits the tables.
pub(super) fn is_stale_plan(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
}

/// Waiting will not help: the address itself is wrong.
pub(super) fn is_final(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        return false;
    };
    matches!(
        *code,
        SqlState::INVALID_PASSWORD
            | SqlState::INVALID_AUTHORIZATION_SPECIFICATION
            | SqlState::INVALID_CATALOG_NAME
    )
}
