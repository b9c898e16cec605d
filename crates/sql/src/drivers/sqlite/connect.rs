//! Opening a connection and setting it up.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::error::from_sqlite;
use crate::{DbError, DbResult};

/// Statements kept prepared on each connection.
const STATEMENTS: usize = 512;

/// Virtual machine steps between two looks at the deadline.
const STEPS_PER_LOOK: std::ffi::c_int = 20_000;

/// The oldest library without the WAL-reset defect (<https://sqlite.org/wal.html#walresetbug>).
const OLDEST: i32 = 3_051_003;

/// Refuses a library that can lose a database.
pub(super) fn assert_version() -> DbResult<()> {
    if rusqlite::version_number() < OLDEST {
        let version = rusqlite::version();
        return Err(DbError::Other(format!(
            "SQLite {version} is too old; 3.51.3 is needed"
        )));
    }
    Ok(())
}

/// Writes a copy of the database as one transaction sees it (`lang_vacuum.html`, "VACUUM INTO").
pub(super) fn copy(from: &Path, to: &Path) -> DbResult<()> {
    let connection = Connection::open(from)
        .map_err(|error| DbError::Unavailable(format!("{}: {error}", from.display())))?;
    super::decimal::register(&connection).map_err(|error| from_sqlite(&error))?;
    super::letters::register(&connection).map_err(|error| from_sqlite(&error))?;
    // Whoever finds a file of that name finds a whole copy.
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let copied = connection
        .execute("vacuum into ?", [partial.to_string_lossy()])
        .map_err(|error| from_sqlite(&error))
        .and_then(|_| std::fs::rename(&partial, to).map_err(|error| of_file(to, &error)));
    if copied.is_err() {
        // What is there of it takes the room that somebody has to make; the cause is told.
        let _ = std::fs::remove_file(&partial);
        partial.push("-journal");
        let _ = std::fs::remove_file(&partial);
    }
    copied
}

/// What the operating system says about a file.
fn of_file(path: &Path, error: &std::io::Error) -> DbError {
    let text = format!("{}: {error}", path.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DbError::Full(text),
        ErrorKind::ReadOnlyFilesystem => DbError::ReadOnly,
        ErrorKind::PermissionDenied => DbError::Denied(text),
        _ => DbError::Unavailable(text),
    }
}

/// A connection and the deadline of its running statement.
pub(super) struct Connected {
    pub(super) connection: Connection,
    deadline: Deadline,
}

/// Milliseconds since `origin` at which the running statement is stopped; `u64::MAX` for never.
#[derive(Clone)]
struct Deadline {
    origin: Instant,
    at: Arc<AtomicU64>,
}

impl Connected {
    /// Opens the file for writing, or for reading alone.
    pub(super) fn open(path: &Path, read_only: bool) -> DbResult<Self> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if !read_only {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|error| of_file(folder, &error))?;
            }
        }
        let mut connection = Connection::open_with_flags(path, flags)
            .map_err(|error| DbError::Unavailable(format!("{}: {error}", path.display())))?;
        // SQLite opens a file that it may not write for reading alone, and says nothing.
        let is_read_only = connection
            .is_readonly("main")
            .map_err(|error| from_sqlite(&error))?;
        if is_read_only && !read_only {
            return Err(DbError::ReadOnly);
        }
        let deadline = Deadline {
            origin: Instant::now(),
            at: Arc::new(AtomicU64::new(u64::MAX)),
        };
        set_up(&mut connection, read_only, &deadline).map_err(|error| from_sqlite(&error))?;
        Ok(Self {
            connection,
            deadline,
        })
    }

    /// Runs `work`; a statement of it that is not done in time is stopped.
    pub(super) fn within<T>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Connection) -> DbResult<T>,
    ) -> DbResult<T> {
        let at = (self.deadline.origin.elapsed() + limit).as_millis();
        self.deadline
            .at
            .store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Relaxed);
        let result = work(&self.connection);
        self.deadline.at.store(u64::MAX, Ordering::Relaxed);
        result
    }
}

fn set_up(
    connection: &mut Connection,
    read_only: bool,
    deadline: &Deadline,
) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(10))?;
    if !read_only {
        connection.pragma_update(None, "journal_mode", "wal")?;
        // FULL keeps what was acknowledged through a power cut; group commit makes it cheap.
        connection.pragma_update(None, "synchronous", "full")?;
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "case_sensitive_like", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", -8_000)?;
    if read_only {
        connection.pragma_update(None, "query_only", true)?;
    }
    super::decimal::register(connection)?;
    super::letters::register(connection)?;
    super::search::register(connection)?;
    super::contain::register(connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let deadline = deadline.clone();
    connection.progress_handler(
        STEPS_PER_LOOK,
        Some(move || {
            let at = deadline.at.load(Ordering::Relaxed);
            at != u64::MAX && deadline.origin.elapsed().as_millis() > u128::from(at)
        }),
    )
}
