//! Shared connections for single statements, connections of one's own for the rest.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::{TryStreamExt as _, future};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::Row as DriverRow;

use super::connect::{Connection, Connector, Purpose, unavailable};
use super::error::{from_postgres, is_final, is_stale_plan};
use super::row::{Bound, PostgresRow};
use super::transaction::PostgresTx;
use crate::drivers::{needs_no_transaction, verify};
use crate::url::ServerPlace;
use crate::{DbError, DbOptions, DbResult, Kind, Outcome, Query, Row, RowRef, RowSink, Sql, Step};

/// A PostgreSQL database.
pub(crate) struct PostgresDatabase {
    readers: Shared,
    writers: Shared,
    snapshots: Exclusive,
    transactions: Exclusive,
}

/// Connections on which many callers' statements are pipelined.
struct Shared {
    connector: Connector,
    slots: Vec<RwLock<Option<Arc<Connection>>>>,
    next: AtomicUsize,
}

/// Connections that one caller holds at a time.
pub(super) struct Exclusive {
    connector: Connector,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
    wait: Duration,
}

/// A connection held by one caller; it goes back when it was left in order.
pub(super) struct Held<'a> {
    pub(super) connection: Option<Connection>,
    pool: &'a Exclusive,
    _permit: SemaphorePermit<'a>,
}

impl PostgresDatabase {
    /// Connects, waiting for the server up to the deadline.
    pub(crate) async fn connect(place: &ServerPlace, options: &DbOptions) -> DbResult<Arc<Self>> {
        let reader = Connector::new(place, options, Purpose::Read);
        let writer = Connector::new(place, options, Purpose::Write);
        first_connection(&writer, options.connect_deadline).await?;
        Ok(Arc::new(Self {
            readers: Shared::new(reader.clone(), options.read_connections),
            writers: Shared::new(writer.clone(), options.write_connections),
            snapshots: Exclusive::new(reader, options.read_connections, options.acquire_timeout),
            transactions: Exclusive::new(
                writer,
                options.write_connections.max(2),
                options.acquire_timeout,
            ),
        }))
    }

    pub(crate) async fn read(
        &self,
        query: &Query,
        sink: &mut (dyn RowSink + Send),
    ) -> DbResult<()> {
        let connection = self.readers.get().await?;
        let rows = match rows(&connection, &query.sql).await {
            Err(Failure::Stale) => rows(&connection, &query.sql).await,
            // The connection broke before it gave a row; reading again is safe.
            Err(Failure::Db(DbError::Unavailable(_))) => {
                let connection = self.readers.get().await?;
                rows(&connection, &query.sql).await
            }
            result => result,
        };
        feed(&rows.map_err(DbError::from)?, sink)
    }

    /// Several reads in one snapshot: sent together, answered together.
    pub(crate) async fn read_all(
        &self,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
    ) -> DbResult<()> {
        // The queries apart from their sinks: a sink may not be shared while we wait.
        let queries: Vec<&Query> = reads.iter().map(|(query, _)| *query).collect();
        let mut held = self.snapshots.take().await?;
        let connection = held.connection.as_ref().ok_or_else(closed)?;
        for query in &queries {
            connection.statement(query.sql.text()).await?;
        }
        let begin = async {
            let text = "begin isolation level repeatable read read only";
            connection
                .client
                .batch_execute(text)
                .await
                .map_err(|error| from_postgres(&error))
        };
        let queries = future::join_all(queries.iter().map(|query| rows(connection, &query.sql)));
        let commit = async {
            connection
                .client
                .batch_execute("commit")
                .await
                .map_err(|error| from_postgres(&error))
        };
        let (started, answers, committed) = future::join3(begin, queries, commit).await;
        if started.is_err() || committed.is_err() {
            held.discard();
        }
        started?;
        for ((_, sink), rows) in reads.iter_mut().zip(answers) {
            feed(&rows.map_err(DbError::from)?, &mut **sink)?;
        }
        committed
    }

    pub(crate) async fn write(&self, unit: &[Step], keep: bool) -> DbResult<Vec<Outcome>> {
        if let ([step], true) = (unit, keep)
            && needs_no_transaction(step.expect)
        {
            let connection = self.writers.get().await?;
            let outcome = match run_step(&connection, step).await {
                Err(Failure::Stale) => run_step(&connection, step).await,
                result => result,
            };
            let outcome = outcome.map_err(DbError::from)?;
            verify(0, step.expect, outcome.affected)?;
            return Ok(vec![outcome]);
        }
        let mut tx = PostgresTx::begin(self.transactions.take().await?).await?;
        let mut outcomes = Vec::with_capacity(unit.len());
        for (place, step) in unit.iter().enumerate() {
            let outcome = tx.step(step).await?;
            verify(place, step.expect, outcome.affected)?;
            outcomes.push(outcome);
        }
        if keep {
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        Ok(outcomes)
    }

    pub(crate) async fn prepare(&self, sql: &Sql) -> DbResult<()> {
        self.writers
            .get()
            .await?
            .statement(sql.text())
            .await
            .map(drop)
    }

    /// A connection for a conversation, outside the pool's count.
    pub(crate) async fn begin(self: &Arc<Self>) -> DbResult<PostgresTx<'static>> {
        let connection = self
            .transactions
            .connector
            .connect()
            .await
            .map_err(|error| unavailable(&error))?;
        PostgresTx::begin_on(connection).await
    }
}

/// Why a statement did not run.
pub(super) enum Failure {
    /// Its plan no longer fits; it was forgotten and can be tried again.
    Stale,
    Db(DbError),
}

impl From<Failure> for DbError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Stale => Self::Other(String::from("a prepared statement went stale twice")),
            Failure::Db(error) => error,
        }
    }
}

/// Runs a statement and collects the driver's rows.
pub(super) async fn rows(connection: &Connection, sql: &Sql) -> Result<Vec<DriverRow>, Failure> {
    let statement = connection
        .statement(sql.text())
        .await
        .map_err(Failure::Db)?;
    let arguments = sql.args().iter().map(Bound);
    let stream = connection.client.query_raw(&statement, arguments).await;
    let collected = match stream {
        Ok(stream) => stream.try_collect().await,
        Err(error) => Err(error),
    };
    collected.map_err(|error| {
        if is_stale_plan(&error) {
            connection.forget(sql.text());
            return Failure::Stale;
        }
        Failure::Db(from_postgres(&error))
    })
}

pub(super) async fn run_step(connection: &Connection, step: &Step) -> Result<Outcome, Failure> {
    if step.kinds.is_empty() {
        let statement = connection
            .statement(step.sql.text())
            .await
            .map_err(Failure::Db)?;
        let arguments = step.sql.args().iter().map(Bound);
        let affected = connection
            .client
            .execute_raw(&statement, arguments)
            .await
            .map_err(|error| Failure::Db(from_postgres(&error)))?;
        return Ok(Outcome {
            affected,
            rows: Vec::new(),
        });
    }
    let rows = owned(&rows(connection, &step.sql).await?, &step.kinds).map_err(Failure::Db)?;
    Ok(Outcome {
        affected: rows.len() as u64,
        rows,
    })
}

pub(super) fn owned(rows: &[DriverRow], kinds: &[Kind]) -> DbResult<Vec<Row>> {
    rows.iter()
        .map(|row| RowRef::Postgres(PostgresRow(row)).to_owned_row(kinds))
        .collect()
}

fn feed(rows: &[DriverRow], sink: &mut (dyn RowSink + Send)) -> DbResult<()> {
    rows.iter()
        .try_for_each(|row| sink.row(&RowRef::Postgres(PostgresRow(row))))
}

fn closed() -> DbError {
    DbError::Unavailable(String::from("the connection is closed"))
}

async fn first_connection(connector: &Connector, deadline: Duration) -> DbResult<()> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match connector.connect().await {
            Ok(_) => return Ok(()),
            Err(error) if is_final(&error) || began.elapsed() + pause > deadline => {
                return Err(unavailable(&error));
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

impl Shared {
    fn new(connector: Connector, count: usize) -> Self {
        let slots = (0..count.max(1)).map(|_| RwLock::new(None)).collect();
        Self {
            connector,
            slots,
            next: AtomicUsize::new(0),
        }
    }

    /// The next connection in turn; a broken one is replaced.
    async fn get(&self) -> DbResult<Arc<Connection>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let current = self.slots[turn]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(connection) = current.filter(|connection| !connection.client.is_closed()) {
            return Ok(connection);
        }
        let fresh = self
            .connector
            .connect()
            .await
            .map_err(|error| unavailable(&error))?;
        let fresh = Arc::new(fresh);
        *self.slots[turn]
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl Exclusive {
    fn new(connector: Connector, count: usize, wait: Duration) -> Self {
        let permits = Semaphore::new(count.max(1));
        Self {
            connector,
            permits,
            idle: Mutex::new(Vec::new()),
            wait,
        }
    }

    async fn take(&self) -> DbResult<Held<'_>> {
        let permit = tokio::time::timeout(self.wait, self.permits.acquire())
            .await
            .map_err(|_| DbError::Timeout)?
            .map_err(|_| closed())?;
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle.filter(|connection| !connection.client.is_closed()) {
            Some(connection) => connection,
            None => self
                .connector
                .connect()
                .await
                .map_err(|error| unavailable(&error))?,
        };
        Ok(Held {
            connection: Some(connection),
            pool: self,
            _permit: permit,
        })
    }
}

impl Held<'_> {
    /// Closes the connection instead of giving it back.
    pub(super) fn discard(&mut self) {
        self.connection = None;
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}
