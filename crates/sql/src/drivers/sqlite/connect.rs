//! Opening a connection and setting it up.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::from_sqlite;
use crate::{DbError, DbResult};

/// Statements kept prepared on each connection.
const STATEMENTS: usize = 512;

/// Virtual machine steps between two looks at the deadline.
const STEPS_PER_LOOK: std::ffi::c_int = 20_000;

/// How long to wait for others that write.
const BUSY: Duration = Duration::from_secs(10);

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
    /// How the file was when it was opened as one that nobody changes.
    fixed: Option<Seen>,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Write,
    Read,
    /// Reading a file that nobody changes: its folder has no room for the index of a write-ahead
    /// log, without which such a file is not opened otherwise (<https://sqlite.org/wal.html>,
    /// "Read-Only Databases").
    ReadFixed,
}

/// A file's length and the time of its last change.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    length: u64,
    modified: SystemTime,
}

impl Seen {
    /// `None` where the file is gone, or has changes beside it that were not moved into it.
    fn of(path: &Path) -> Option<Self> {
        let log = std::fs::metadata(beside(path, "-wal"));
        if log.is_ok_and(|log| log.len() > 0) {
            return None;
        }
        let file = std::fs::metadata(path).ok()?;
        Some(Self {
            length: file.len(),
            modified: file.modified().ok()?,
        })
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Milliseconds since `origin` at which the running statement is stopped; `u64::MAX` for never.
#[derive(Clone)]
struct Deadline {
    origin: Instant,
    at: Arc<AtomicU64>,
}

impl Connected {
    /// Opens the file for writing; makes it where it is missing.
    pub(super) fn open(path: &Path) -> DbResult<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| of_file(folder, &error))?;
        }
        let was_there = path.exists();
        match Self::open_for(Purpose::Write, path) {
            // The file itself could be opened: what cannot be is its log, beside it.
            Err(OpenError::Cannot(_)) if was_there => Err(DbError::ReadOnly),
            opened => {
                let connected = opened?;
                require_writable(&connected.connection)?;
                Ok(connected)
            }
        }
    }

    /// Opens the file for reading alone.
    pub(super) fn open_reader(path: &Path) -> DbResult<Self> {
        let seen = Seen::of(path);
        match (Self::open_for(Purpose::Read, path), seen) {
            (Err(OpenError::Cannot(_)), Some(seen)) => {
                let mut connected = Self::open_for(Purpose::ReadFixed, path)?;
                connected.fixed = Some(seen);
                Ok(connected)
            }
            (opened, _) => Ok(opened?),
        }
    }

    fn open_for(purpose: Purpose, path: &Path) -> Result<Self, OpenError> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= match purpose {
            Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Purpose::Read => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Purpose::ReadFixed => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        };
        let opened = match purpose {
            Purpose::Write | Purpose::Read => Connection::open_with_flags(path, flags),
            Purpose::ReadFixed => Connection::open_with_flags(fixed_uri(path), flags),
        };
        let mut connection =
            opened.map_err(|error| DbError::Unavailable(format!("{}: {error}", path.display())))?;
        // SQLite opens a file that it may not write for reading alone, and says nothing.
        let is_read_only = connection.is_readonly("main")?;
        if is_read_only && purpose == Purpose::Write {
            return Err(DbError::ReadOnly.into());
        }
        let deadline = Deadline {
            origin: Instant::now(),
            at: Arc::new(AtomicU64::new(u64::MAX)),
        };
        set_up(&mut connection, purpose == Purpose::Write, &deadline)?;
        // The file is looked at now, not at the first request.
        connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
        Ok(Self {
            connection,
            deadline,
            fixed: None,
        })
    }

    /// Whether what it reads is the file as it is now. Somebody else's changes reach every
    /// connection by itself but one that took the file for fixed.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        match self.fixed {
            None => true,
            fixed => fixed == Seen::of(path),
        }
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

/// Why a file could not be opened.
enum OpenError {
    /// The file is there, or may be made; one beside it cannot be opened or made.
    Cannot(String),
    Other(DbError),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => Self::Cannot(error.to_string()),
            _ => Self::Other(from_sqlite(&error)),
        }
    }
}

impl From<DbError> for OpenError {
    fn from(error: DbError) -> Self {
        Self::Other(error)
    }
}

impl From<OpenError> for DbError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Cannot(text) => Self::Unavailable(text),
            OpenError::Other(error) => error,
        }
    }
}

/// Begins a transaction that may write and takes it back: a log that is there and cannot be written
/// is found by nothing else. Whether somebody else writes at this moment is no matter.
fn require_writable(connection: &Connection) -> DbResult<()> {
    let begin = || {
        connection.busy_timeout(Duration::ZERO)?;
        let begun = connection.execute_batch("begin immediate; rollback");
        connection.busy_timeout(BUSY)?;
        begun
    };
    match begin().map_err(|error| from_sqlite(&error)) {
        Ok(()) | Err(DbError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The address of a file that nobody changes (<https://sqlite.org/c3ref/open.html>, "URI
/// Filenames").
fn fixed_uri(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = text
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    format!("file:{text}?immutable=1")
}

fn set_up(connection: &mut Connection, writes: bool, deadline: &Deadline) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    if writes {
        connection.pragma_update(None, "journal_mode", "wal")?;
        // FULL keeps what was acknowledged through a power cut; group commit makes it cheap.
        connection.pragma_update(None, "synchronous", "full")?;
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "case_sensitive_like", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", -8_000)?;
    if !writes {
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
