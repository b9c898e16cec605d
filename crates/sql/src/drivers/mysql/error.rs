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
        20 | 1021 | 1114 | 1878 | 3675 => DbError::Full(message.clone()),
        1 | 3 | 4 | 1004 | 1005 | 1006 | 1023 | 1025 | 1026 | 1030 if is_out_of_space(message) => {
            DbError::Full(message.clone())
        }
        1036 | 1792 | 1836 | 1874 | 3989 => DbError::ReadOnly,
        // The same number stands for every option that forbids something.
        1290 if message.contains("read-only") || message.contains("read_only") => DbError::ReadOnly,
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

/// Whether a file could not be written for lack of space: `(errno: 28 - No space left on device)`,
/// `(Errcode: 28 "No space …")`, `Got error 28`; 122 is a quota (Linux, errno-base.h and errno.h).
fn is_out_of_space(message: &str) -> bool {
    let message = message.to_lowercase();
    let mut places = ["errno", "errcode", "error"].into_iter();
    places.any(|word| {
        let rest = message.split_once(word).map_or("", |(_, rest)| rest);
        let rest = rest.trim_start_matches([':', ' ']);
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        matches!(&rest[..digits], "28" | "122")
    })
}

fn after(message: &str, begin: &str, end: char) -> Option<String> {
    let rest = message.split_once(begin)?.1;
    rest.split(end).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    //! Numbers that no test can bring a server to say.

    use super::from_mysql;
    use crate::DbError;

    fn of(code: u16, message: &str) -> DbError {
        from_mysql(&mysql_async::Error::Server(mysql_async::ServerError {
            code,
            message: message.to_owned(),
            state: String::from("HY000"),
        }))
    }

    #[test]
    fn a_full_disk_and_a_server_that_only_reads_are_told_from_other_trouble() {
        for (code, message) in [
            (
                1021,
                "Disk full (/tmp/#sql); waiting for someone to free some space...",
            ),
            (1114, "The table 'notes' is full"),
            (1878, "Temporary file write failure."),
            (
                3675,
                "Create table/tablespace 'a/b' failed, as disk is full",
            ),
            (
                20,
                "Disk is full writing './a/b.MYD' (OS errno 28 - No space left on device)",
            ),
            (
                3,
                "Error writing file './a/t.frm' (Errcode: 28 \"No space left on device\")",
            ),
            (
                1026,
                "Error writing file 'binlog' (errno: 28 - No space left on device)",
            ),
            (
                1030,
                "Got error 28 \"No space left on device\" from storage engine InnoDB",
            ),
            (
                1005,
                "Can't create table `a`.`b` (errno: 122 \"Disk quota exceeded\")",
            ),
        ] {
            assert_eq!(of(code, message), DbError::Full(message.to_owned()));
        }
        for (code, message) in [
            (
                1030,
                "Got error 168 \"Unknown (generic) error from engine\" from storage engine",
            ),
            (
                1005,
                "Can't create table `a`.`b` (errno: 121 \"Duplicate key on write\")",
            ),
            (
                3,
                "Error writing file './a/t.frm' (Errcode: 13 \"Permission denied\")",
            ),
        ] {
            assert!(matches!(of(code, message), DbError::Other(_)), "{message}");
        }
        let running = |option: &str| {
            format!("The server is running with the {option} option so it cannot execute this")
        };
        for option in ["--read-only", "--super-read-only", "read_only"] {
            assert_eq!(of(1290, &running(option)), DbError::ReadOnly);
        }
        let other = of(1290, &running("--secure-file-priv"));
        assert!(matches!(other, DbError::Other(_)), "{other}");
        for code in [1036, 1792, 1836, 1874, 3989] {
            assert_eq!(of(code, "read only"), DbError::ReadOnly);
        }
        assert!(matches!(
            of(1142, "CREATE command denied"),
            DbError::Denied(_)
        ));
    }
}
