//! Shared connections for single statements, connections of one's own for the rest.

use std::fmt::Write as _;
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
use crate::{
    Actor, DbError, DbOptions, DbResult, Ident, Kind, Outcome, Query, Row, RowRef, RowSink, Sql,
    Step,
};

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
        if query.limit.is_some() {
            // Only a transaction has a limit of its own, and only on a connection that is held.
            return self.read_all(&mut [(query, sink)], None).await;
        }
        let connection = self.readers.get().await?;
        let rows = match rows(&connection, &query.sql, None).await {
            Err(Failure::Stale) => rows(&connection, &query.sql, None).await,
            // The connection broke before it gave a row; reading again is safe.
            Err(Failure::Db(DbError::Unavailable(_))) => {
                let connection = self.readers.get().await?;
                rows(&connection, &query.sql, None).await
            }
            result => result,
        };
        feed(&rows.map_err(DbError::from)?, sink)
    }

    /// Several reads in one snapshot, as an actor where there is one: sent together, answered
    /// together.
    pub(crate) async fn read_all(
        &self,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
        actor: Option<&Actor>,
    ) -> DbResult<()> {
        // The queries apart from their sinks: a sink may not be shared while we wait.
        let queries: Vec<&Sql> = reads.iter().map(|(query, _)| &query.sql).collect();
        let limit = reads.iter().filter_map(|(query, _)| query.limit).min();
        let answers = match self.snapshot(&queries, actor, limit).await {
            // Nobody has got a row yet; reading again is safe.
            Err(Failure::Stale | Failure::Db(DbError::Unavailable(_))) => {
                self.snapshot(&queries, actor, limit).await
            }
            result => result,
        };
        for ((_, sink), rows) in reads.iter_mut().zip(answers?) {
            feed(&rows, &mut **sink)?;
        }
        Ok(())
    }

    /// The rows of each, of one moment.
    async fn snapshot(
        &self,
        queries: &[&Sql],
        actor: Option<&Actor>,
        limit: Option<Duration>,
    ) -> Result<Vec<Vec<DriverRow>>, Failure> {
        let mut held = self.snapshots.take().await?;
        let connection = held.connection.as_ref().ok_or_else(closed)?;
        let role = actor.map(Actor::role);
        for query in queries {
            connection.statement(query.text(), role).await?;
        }
        if let Some(actor) = actor {
            connection.statement(actor.enter().text(), None).await?;
        }
        let mut begin = String::from(match queries.len() {
            1 => "begin read only",
            _ => "begin isolation level repeatable read read only",
        });
        if let Some(limit) = limit {
            let _ = write!(
                begin,
                "; set local statement_timeout = {}",
                limit.as_millis()
            );
        }
        let begin = batch(connection, &begin);
        let queries = future::join_all(queries.iter().map(|query| rows(connection, query, role)));
        let commit = batch(connection, "commit");
        // In the order in which they are sent, each without waiting for the one before.
        let all = future::join4(begin, enter(connection, actor), queries, commit);
        let (started, entered, answers, committed) = all.await;
        if started.is_err() || committed.is_err() {
            held.discard();
        }
        started?;
        entered?;
        let answers = answers.into_iter().collect::<Result<_, _>>()?;
        committed?;
        Ok(answers)
    }

    pub(crate) async fn write(
        &self,
        unit: &[Step],
        keep: bool,
        actor: Option<&Actor>,
    ) -> DbResult<Vec<Outcome>> {
        if let ([step], true) = (unit, keep)
            && needs_no_transaction(step.expect)
        {
            let outcome = match self.write_one(step, actor).await {
                Err(Failure::Stale) => self.write_one(step, actor).await,
                result => result,
            };
            let outcome = outcome.map_err(DbError::from)?;
            verify(0, step.expect, outcome.affected)?;
            return Ok(vec![outcome]);
        }
        let mut tx = PostgresTx::begin(self.transactions.take().await?, actor).await?;
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

    /// A step with nothing around it, or as an actor in a transaction that is sent in one go.
    async fn write_one(&self, step: &Step, actor: Option<&Actor>) -> Result<Outcome, Failure> {
        let Some(own) = actor else {
            let connection = self.writers.get().await?;
            return run_step(&connection, step, None).await;
        };
        let mut held = self.transactions.take().await?;
        let connection = held.connection.as_ref().ok_or_else(closed)?;
        let role = Some(own.role());
        connection.statement(step.sql.text(), role).await?;
        connection.statement(own.enter().text(), None).await?;
        let (started, entered, outcome, committed) = future::join4(
            batch(connection, "begin"),
            enter(connection, actor),
            run_step(connection, step, role),
            batch(connection, "commit"),
        )
        .await;
        if started.is_err() || committed.is_err() {
            held.discard();
        }
        started?;
        entered?;
        let outcome = outcome?;
        committed?;
        Ok(outcome)
    }

    pub(crate) async fn prepare(&self, sql: &Sql) -> DbResult<()> {
        self.writers
            .get()
            .await?
            .statement(sql.text(), None)
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

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Sends a text that gives no rows.
pub(super) async fn batch(connection: &Connection, text: &str) -> DbResult<()> {
    let sent = connection.client.batch_execute(text).await;
    sent.map_err(|error| from_postgres(&error))
}

/// Makes the transaction that has just begun an actor's.
pub(super) async fn enter(connection: &Connection, actor: Option<&Actor>) -> Result<(), Failure> {
    match actor {
        Some(actor) => rows(connection, actor.enter(), None).await.map(drop),
        None => Ok(()),
    }
}

/// Runs a statement as `role` and collects the driver's rows.
pub(super) async fn rows(
    connection: &Connection,
    sql: &Sql,
    role: Option<&Ident>,
) -> Result<Vec<DriverRow>, Failure> {
    let statement = connection
        .statement(sql.text(), role)
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
            connection.forget(sql.text(), role);
            return Failure::Stale;
        }
        Failure::Db(from_postgres(&error))
    })
}

pub(super) async fn run_step(
    connection: &Connection,
    step: &Step,
    role: Option<&Ident>,
) -> Result<Outcome, Failure> {
    if step.kinds.is_empty() {
        let statement = connection
            .statement(step.sql.text(), role)
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
    let rows =
        owned(&rows(connection, &step.sql, role).await?, &step.kinds).map_err(Failure::Db)?;
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
