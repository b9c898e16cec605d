//! Reading: connections that cannot write, used inline or with the worker's other tasks moved
//! away.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::params_from_iter;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::connect::Connected;
use super::error::from_sqlite;
use super::mark::Mark;
use super::row::{Bound, SqliteRow};
use crate::{DbError, DbOptions, DbResult, Query, RowRef, RowSink, Sql, Weight};

/// Connections for reading, made when they are needed, kept when they are not.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connected>>,
    keep: usize,
    timeout: Duration,
    mark: Arc<Mark>,
}

impl Readers {
    pub(super) fn new(path: &Path, options: &DbOptions, mark: Arc<Mark>) -> DbResult<Self> {
        let first = Connected::open_reader(path)?;
        Ok(Self {
            path: path.to_owned(),
            idle: Mutex::new(vec![first]),
            keep: options.read_connections.max(1),
            timeout: options.statement_timeout,
            mark,
        })
    }

    /// Runs one statement.
    pub(crate) fn read(&self, query: &Query, sink: &mut (dyn RowSink + Send)) -> DbResult<()> {
        Self::on_thread(query.weight, || {
            self.with(query.limit, |connection| run(connection, query, sink))
        })
    }

    /// Runs several statements in one snapshot.
    pub(crate) fn read_all(
        &self,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
    ) -> DbResult<()> {
        let long = reads.iter().any(|(query, _)| query.weight == Weight::Long);
        let weight = if long { Weight::Long } else { Weight::Short };
        let limit = reads.iter().filter_map(|(query, _)| query.limit).min();
        Self::on_thread(weight, || {
            self.with(limit, |connection| {
                let snapshot = connection
                    .unchecked_transaction()
                    .map_err(|error| from_sqlite(&error))?;
                for (query, sink) in reads.iter_mut() {
                    run(connection, query, &mut **sink)?;
                }
                snapshot.finish().map_err(|error| from_sqlite(&error))
            })
        })
    }

    /// Compiles a statement.
    pub(crate) fn prepare(&self, sql: &Sql) -> DbResult<()> {
        self.with(None, |connection| {
            connection
                .prepare_cached(sql.text())
                .map_err(|error| from_sqlite(&error))
                .map(drop)
        })
    }

    /// A long statement must not stand in the way of the worker's other tasks.
    pub(super) fn on_thread<T>(weight: Weight, work: impl FnOnce() -> T) -> T {
        let movable = Handle::try_current()
            .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
        match weight {
            Weight::Long if movable => tokio::task::block_in_place(work),
            Weight::Long | Weight::Short => work(),
        }
    }

    /// `limit`: another one than any statement has.
    fn with<T>(
        &self,
        limit: Option<Duration>,
        work: impl FnOnce(&Connection) -> DbResult<T>,
    ) -> DbResult<T> {
        self.mark.note_read();
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connected = match idle.filter(|connected| connected.is_current(&self.path)) {
            Some(connected) => connected,
            None => Connected::open_reader(&self.path)?,
        };
        let result = connected.within(limit.unwrap_or(self.timeout), work);
        if !connected.is_current(&self.path) {
            let text = "the file was changed while it was read";
            return Err(DbError::Unavailable(String::from(text)));
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.keep {
            idle.push(connected);
        }
        result
    }
}

/// Steps through a statement's rows.
pub(super) fn run(connection: &Connection, query: &Query, sink: &mut dyn RowSink) -> DbResult<()> {
    let mut statement = connection
        .prepare_cached(query.sql.text())
        .map_err(|error| from_sqlite(&error))?;
    let mut rows = statement
        .query(params_from_iter(query.sql.args().iter().map(Bound)))
        .map_err(|error| from_sqlite(&error))?;
    while let Some(row) = rows.next().map_err(|error| from_sqlite(&error))? {
        sink.row(&RowRef::Sqlite(SqliteRow(row)))?;
    }
    Ok(())
}
