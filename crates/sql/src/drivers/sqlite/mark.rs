//! Standing at the readers' place in the log while there is much to read.
//!
//! Who reads locks a place in the write-ahead log and lets it go afterwards: two system calls,
//! a tenth of what a short read costs. Within one process SQLite asks the system for the first
//! reader of a place alone and counts the others (`unixShmLock` in its `os_unix.c`). So one
//! connection stands there, and those that read find the place locked.
//!
//! Nobody reads through that connection: each reader takes the newest commit, as ever, and asks the
//! system where that has another place. A place that is held keeps the log from being emptied
//! behind it (<https://sqlite.org/wal.html#ckpt>), so it is let go before each write of this process,
//! and after a moment for the writes of others.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::{DbError, DbResult};

/// Reads between two looks at the clock.
const READS: u32 = 16;

/// How long a place is held at most; that many reads within it are "much".
const LIFE: Duration = Duration::from_millis(20);

/// The thread that lets go needs no more.
const STACK_BYTES: usize = 64 * 1024;

/// The place that readers find locked.
pub(crate) struct Mark {
    shared: Arc<Shared>,
    releaser: Option<JoinHandle<()>>,
}

struct Shared {
    reads: AtomicU32,
    is_held: AtomicBool,
    is_closing: AtomicBool,
    place: Mutex<Place>,
}

struct Place {
    path: PathBuf,
    looked_at: Instant,
    connection: Standing,
}

/// The connection that stands at the place.
enum Standing {
    NotOpened,
    /// In a transaction if a place is held.
    Opened(Connection),
    /// Reads go on without.
    Failed,
}

impl Mark {
    pub(super) fn new(path: &Path) -> DbResult<Self> {
        let shared = Arc::new(Shared {
            reads: AtomicU32::new(0),
            is_held: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            place: Mutex::new(Place {
                path: path.to_owned(),
                looked_at: Instant::now(),
                connection: Standing::NotOpened,
            }),
        });
        let its = Arc::clone(&shared);
        let releaser = thread::Builder::new()
            .name(String::from("sqlite-mark"))
            .stack_size(STACK_BYTES)
            .spawn(move || its.let_go_in_time())
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self {
            shared,
            releaser: Some(releaser),
        })
    }

    /// Counts a read; where there are many, the newest place is held.
    pub(super) fn note_read(&self) {
        if self.shared.reads.fetch_add(1, Ordering::Relaxed) % READS == READS - 1
            && self.shared.hold()
            && let Some(releaser) = &self.releaser
        {
            releaser.thread().unpark();
        }
    }

    /// Lets the place go, if one is held: somebody is about to write.
    pub(super) fn let_go(&self) {
        if self.shared.is_held.load(Ordering::Acquire) {
            self.shared.locked(Place::let_go);
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::Release);
        if let Some(releaser) = self.releaser.take() {
            releaser.thread().unpark();
            // A panic of it was already shown.
            let _ = releaser.join();
        }
    }
}

impl Shared {
    fn locked<T>(&self, work: impl FnOnce(&mut Place) -> T) -> T {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut place);
        self.is_held.store(place.is_held(), Ordering::Release);
        result
    }

    /// Holds the newest place, if the reads since the last look were many. True if none was held
    /// before: somebody has to let it go again.
    fn hold(&self) -> bool {
        let was_held = self.is_held.load(Ordering::Acquire);
        self.locked(|place| {
            let is_much = place.looked_at.elapsed() < LIFE;
            place.looked_at = Instant::now();
            if is_much && !was_held {
                place.hold();
            }
            !was_held && place.is_held()
        })
    }

    /// The thread that lets go what is old. Readers that go on hold the newest place right after.
    fn let_go_in_time(&self) {
        while !self.is_closing.load(Ordering::Acquire) {
            if self.is_held.load(Ordering::Acquire) {
                thread::sleep(LIFE);
                self.locked(Place::let_go);
            } else {
                thread::park();
            }
        }
        self.locked(Place::let_go);
    }
}

impl Place {
    fn is_held(&self) -> bool {
        matches!(&self.connection, Standing::Opened(connection) if !connection.is_autocommit())
    }

    fn hold(&mut self) {
        if let Standing::NotOpened = self.connection {
            self.connection = match open(&self.path) {
                Ok(connection) => Standing::Opened(connection),
                Err(error) => {
                    tracing::debug!(%error, "no place in the log is held for readers");
                    Standing::Failed
                }
            };
        }
        if let Standing::Opened(connection) = &self.connection
            && let Err(error) = stand(connection)
        {
            // Somebody else has the file to himself for a moment; the next look tries again.
            tracing::trace!(%error, "no place in the log is held for readers now");
            self.let_go();
        }
    }

    fn let_go(&mut self) {
        if let Standing::Opened(connection) = &self.connection
            && !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("rollback")
        {
            // Closing it lets go, whatever is the matter.
            tracing::debug!(%error, "a place in the log could not be let go");
            self.connection = Standing::Failed;
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // It must not keep readers waiting for what it only wants.
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", 1)?;
    Ok(connection)
}

/// Begins a transaction that reads, which takes the place.
fn stand(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("begin")?.execute([])?;
    let mut read = connection.prepare_cached("select 1 from sqlite_schema limit 1")?;
    let mut rows = read.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
