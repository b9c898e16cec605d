//! One database, whichever engine: reading, writing in units, transactions.

use std::time::Duration;

use crate::{DatabaseUrl, DbError, DbResult, Dialect, Outcome, Query, Row, RowSink, Sql, Step};

/// How to hold on to a database.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// Shown in the server's list of sessions.
    pub application_name: String,
    /// Connections for reading; on SQLite, reader threads.
    pub read_connections: usize,
    /// Connections for units and transactions; SQLite has one writer.
    pub write_connections: usize,
    /// The longest that one statement may run.
    pub statement_timeout: Duration,
    /// The longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// The longest wait for the server to appear at start.
    pub connect_deadline: Duration,
    /// Create the file of a SQLite database that does not exist yet.
    pub create_if_missing: bool,
}

/// A database: cheap to clone, shared by all requests.
#[derive(Clone)]
pub struct Db {/* an Arc of an enum of the three drivers' databases */}

/// A transaction on a connection of its own; rolled back when dropped.
pub struct Tx {/* an enum of the three drivers' transactions */}

impl Db {
    /// Connects, waiting for the server up to the deadline, and asserts its version.
    pub async fn connect(url: &DatabaseUrl, options: &DbOptions) -> DbResult<Self> {
        unimplemented!()
    }
    /// The engine.
    pub fn dialect(&self) -> Dialect {
        unimplemented!()
    }
    /// The server's version text.
    pub async fn version(&self) -> DbResult<String> {
        unimplemented!()
    }
    /// Runs one reading statement on a read-only connection; `sink` takes the rows in order.
    pub async fn read(&self, query: &Query, sink: &mut (dyn RowSink + Send)) -> DbResult<()> {
        unimplemented!()
    }
    /// Runs several reading statements that see the same snapshot, in one round trip where the
    /// engine has it; each with its own sink, in the given order.
    pub async fn read_all(
        &self,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
    ) -> DbResult<()> {
        unimplemented!()
    }
    /// Owned rows of one reading statement.
    pub async fn rows(&self, query: &Query) -> DbResult<Vec<Row>> {
        unimplemented!()
    }
    /// The first row of one reading statement, if any.
    pub async fn optional(&self, query: &Query) -> DbResult<Option<Row>> {
        unimplemented!()
    }
    /// Commits a unit whole or not at all; durable when it returns. Conflicts are retried.
    pub async fn write(&self, unit: Vec<Step>) -> DbResult<Vec<Outcome>> {
        unimplemented!()
    }
    /// Runs a unit and rolls it back; gives what it would have given.
    pub async fn rehearse(&self, unit: Vec<Step>) -> DbResult<Vec<Outcome>> {
        unimplemented!()
    }
    /// Asks the engine to compile a statement without running it.
    pub async fn prepare(&self, sql: &Sql) -> DbResult<()> {
        unimplemented!()
    }
    /// Begins a transaction for a conversation (migrations; everything else is a unit).
    pub async fn begin(&self) -> DbResult<Tx> {
        unimplemented!()
    }
    /// Whether the database answers now.
    pub async fn ping(&self) -> DbResult<()> {
        unimplemented!()
    }
    /// Closes what can be closed in good order (SQLite: checkpoint, writer joined).
    pub async fn close(&self) -> DbResult<()> {
        unimplemented!()
    }
}
impl Tx {
    pub async fn rows(&mut self, query: &Query) -> DbResult<Vec<Row>> {
        unimplemented!()
    }
    pub async fn execute(&mut self, sql: &Sql) -> DbResult<u64> {
        unimplemented!()
    }
    pub async fn commit(self) -> DbResult<()> {
        unimplemented!()
    }
    pub async fn rollback(self) -> DbResult<()> {
        unimplemented!()
    }
}
