//! SQLite: short reads inline, one writer that groups commits.

mod connect;
mod console;
mod contain;
mod decimal;
mod error;
mod letters;
mod mark;
mod read;
mod row;
mod search;
mod writer;

pub use row::SqliteRow;

pub(crate) use console::SqliteConsole;
pub(crate) use read::Readers;
pub(crate) use writer::{SqliteTx, Writer};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::mark::Mark;
use crate::{DbError, DbOptions, DbResult};

/// A database file, open.
pub(crate) struct SqliteDatabase {
    pub(crate) readers: Readers,
    pub(crate) writer: Writer,
    pub(crate) is_read_only: bool,
    path: PathBuf,
}

impl SqliteDatabase {
    /// Opens the file; asserts that the library is one without the WAL-reset defect.
    pub(crate) fn open(path: &Path, options: &DbOptions) -> DbResult<Arc<Self>> {
        connect::assert_version()?;
        if !path.exists() && !options.create_if_missing {
            return Err(DbError::Unavailable(format!(
                "{} does not exist",
                path.display()
            )));
        }
        let mark = Arc::new(Mark::new(path)?);
        let readers = |mark| Readers::new(path, options, mark);
        let (readers, writer, is_read_only) = match Writer::start(path, options, Arc::clone(&mark))
        {
            Ok(writer) => (readers(mark)?, writer, false),
            Err(error) if options.may_be_read_only && is_of_access(&error) => {
                // Who can read it has a server still; who cannot is told why it cannot be written.
                let readers = readers(mark).map_err(|_| error)?;
                (readers, Writer::start_refusing(path, options)?, true)
            }
            Err(error) => return Err(error),
        };
        let path = path.to_owned();
        Ok(Arc::new(Self {
            readers,
            writer,
            is_read_only,
            path,
        }))
    }

    /// Writes a copy as of this moment, on a connection and a thread of its own.
    pub(crate) async fn snapshot(&self, to: &Path) -> DbResult<()> {
        let (from, to) = (self.path.clone(), to.to_owned());
        let copied = tokio::task::spawn_blocking(move || connect::copy(&from, &to)).await;
        copied.map_err(|error| DbError::Other(error.to_string()))?
    }
}

/// Whether the file or its folder may be the cause, and not what is in the file.
fn is_of_access(error: &DbError) -> bool {
    matches!(error, DbError::ReadOnly | DbError::Denied(_))
}
