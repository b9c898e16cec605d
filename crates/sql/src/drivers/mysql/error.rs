//! Server error numbers as [`DbError`]s.

use crate::DbError;

/// Translates by error number (MySQL and MariaDB reference manuals, server errors).
pub(super) fn from_mysql(error: &mysql_async::Error) -> DbError {
    let server = match error {
        mysql_async::Error::Server(server) => server,
        mysql_async::Error::Io(error) => return DbError::Unavailable(error.to_string()),
        mysql_async::Error::Driver(mysql_async::DriverError::ConnectionClosed) => {
            return DbError::Unavailable(String::from("the connection was closed"));
        }
        other => return DbError::Other(other.to_string()),
    };
    let message = &server.message;
    match server.code {
        1062 | 1586 => DbError::Unique {
            constraint: key(message),
            columns: Vec::new(),
        },
        1216 | 1217 | 1451 | 1452 => DbError::ForeignKey {
            constraint: after(message, "CONSTRAINT `", '`'),
        },
        3819 => DbError::Check {
            constraint: after(message, "constraint '", '\''),
        },
        4025 => DbError::Check {
            constraint: check(message),
        },
        1048 | 1364 => DbError::NotNull {
            column: after(message, "'", '\''),
        },
        1406 | 1264 | 1265 | 1292 | 1366 | 1690 => DbError::DoesNotFit {
            column: after(message, "column '", '\'').or_else(|| column(message)),
        },
        1213 | 1205 | 1020 | 3101 => DbError::Conflict,
        1792 | 1290 | 1836 => DbError::ReadOnly,
        1044 | 1142 | 1143 | 1227 | 1370 => DbError::Denied(message.clone()),
        3024 | 1969 | 1317 => DbError::Timeout,
        1040 | 1047 | 1053 | 1077 | 1129 | 1203 | 2006 | 2013 | 1927 | 4031 => {
            DbError::Unavailable(format!("{} {message}", server.code))
        }
        code => DbError::Other(format!("{code} {message}")),
    }
}

/// Waiting will not help: the address itself is wrong.
pub(super) fn is_final(error: &mysql_async::Error) -> bool {
    matches!(error, mysql_async::Error::Server(server) if matches!(server.code, 1044 | 1045 | 1049 | 1698))
}

/// What a connection attempt's failure means to a caller.
pub(super) fn unavailable(error: &mysql_async::Error) -> DbError {
    match from_mysql(error) {
        DbError::Other(text) | DbError::Denied(text) => DbError::Unavailable(text),
        known => known,
    }
}

/// `Duplicate entry 'x' for key 'users.users_email_key'`: the name behind the table's.
fn key(message: &str) -> Option<String> {
    let name = message.rsplit_once("for key '")?.1.trim_end_matches('\'');
    Some(name.rsplit('.').next().unwrap_or(name).to_owned())
}

/// MariaDB: ``CONSTRAINT `name` failed for `db`.`table` ``; a column's own check is named
/// `` `table.column` ``.
fn check(message: &str) -> Option<String> {
    after(message, "CONSTRAINT `", '`')
        .map(|name| name.rsplit('.').next().unwrap_or(&name).to_owned())
}

/// MariaDB: ``Data too long for column `db`.`table`.`column` at row 1``.
fn column(message: &str) -> Option<String> {
    let names = message.split_once("column ")?.1.split_once(" at row")?.0;
    Some(
        names
            .rsplit('.')
            .next()?
            .trim_matches(['`', '\''])
            .to_owned(),
    )
}

fn after(message: &str, begin: &str, end: char) -> Option<String> {
    let rest = message.split_once(begin)?.1;
    rest.split(end).next().map(str::to_owned)
}
