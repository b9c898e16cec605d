//! The one writer: a thread that puts the units that are waiting into one durable commit.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, params_from_iter};
use tokio::sync::oneshot;

use super::connect::Connected;
use super::error::from_sqlite;
use super::mark::Mark;
use super::row::{Bound, SqliteRow};
use crate::drivers::{needs_no_transaction, verify};
use crate::{DbError, DbOptions, DbResult, Kind, Outcome, Row, RowRef, Sql, Step};

/// The most units of one commit: bounds how long the first of them waits.
const GROUP: usize = 256;

type Reply<T> = oneshot::Sender<DbResult<T>>;

enum Job {
    Unit {
        unit: Vec<Step>,
        keep: bool,
        reply: Reply<Vec<Outcome>>,
    },
    Begin {
        keys: ForeignKeys,
        reply: Reply<mpsc::Sender<Ask>>,
    },
}

/// When a transaction looks at foreign keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ForeignKeys {
    /// At each statement.
    Enforced,
    /// All of them before it commits: a table that is dropped to be made anew must not take the
    /// rows along that point to it.
    CheckedAtCommit,
}

/// What a transaction asks of the writer.
enum Ask {
    Rows {
        sql: Sql,
        kinds: Vec<Kind>,
        reply: Reply<Vec<Row>>,
    },
    Execute {
        sql: Sql,
        reply: Reply<u64>,
    },
    Commit {
        reply: Reply<()>,
    },
}

/// The writer's end of the queue.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// `mark` is let go before each transaction.
    pub(super) fn start(path: &Path, options: &DbOptions, mark: Arc<Mark>) -> DbResult<Self> {
        let connected = Connected::open(path)?;
        let timeout = options.statement_timeout;
        Self::spawn(move |queue| serve(&connected, &queue, timeout, &mark))
    }

    /// One over a file that cannot be written: what only reads is done, the rest refused.
    pub(super) fn start_refusing(path: &Path, options: &DbOptions) -> DbResult<Self> {
        let (path, timeout) = (path.to_owned(), options.statement_timeout);
        Self::spawn(move |queue| refuse(&path, &queue, timeout))
    }

    fn spawn(work: impl FnOnce(mpsc::Receiver<Job>) + Send + 'static) -> DbResult<Self> {
        let (jobs, queue) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(String::from("sqlite-writer"))
            .spawn(move || work(queue))
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Commits a unit; `keep: false` runs it and takes it back.
    pub(crate) async fn run(&self, unit: Vec<Step>, keep: bool) -> DbResult<Vec<Outcome>> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Unit { unit, keep, reply })?;
        answer.await.map_err(|_| gone())?
    }

    /// Takes the writer for a conversation.
    pub(crate) async fn begin(&self) -> DbResult<SqliteTx> {
        self.converse(ForeignKeys::Enforced).await
    }

    /// The same for a change of the tables themselves.
    pub(crate) async fn begin_restructuring(&self) -> DbResult<SqliteTx> {
        self.converse(ForeignKeys::CheckedAtCommit).await
    }

    async fn converse(&self, keys: ForeignKeys) -> DbResult<SqliteTx> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Begin { keys, reply })?;
        Ok(SqliteTx {
            asks: answer.await.map_err(|_| gone())??,
        })
    }

    fn send(&self, job: Job) -> DbResult<()> {
        self.jobs
            .as_ref()
            .ok_or_else(gone)?
            .send(job)
            .map_err(|_| gone())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The queue's end tells the thread to finish what is waiting.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was already shown; nothing is left to be saved here.
            let _ = thread.join();
        }
    }
}

fn gone() -> DbError {
    DbError::Unavailable(String::from("the SQLite writer has stopped"))
}

/// A conversation with the writer; dropping it takes everything back.
pub(crate) struct SqliteTx {
    asks: mpsc::Sender<Ask>,
}

impl SqliteTx {
    pub(crate) async fn rows(&self, sql: Sql, kinds: Vec<Kind>) -> DbResult<Vec<Row>> {
        self.ask(|reply| Ask::Rows { sql, kinds, reply }).await
    }

    pub(crate) async fn execute(&self, sql: Sql) -> DbResult<u64> {
        self.ask(|reply| Ask::Execute { sql, reply }).await
    }

    pub(crate) async fn commit(self) -> DbResult<()> {
        self.ask(|reply| Ask::Commit { reply }).await
    }

    async fn ask<T>(&self, ask: impl FnOnce(Reply<T>) -> Ask) -> DbResult<T> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(ask(reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn serve(connected: &Connected, queue: &mpsc::Receiver<Job>, timeout: Duration, mark: &Mark) {
    while let Ok(job) = queue.recv() {
        mark.let_go();
        match job {
            Job::Begin { keys, reply } => converse(&connected.connection, keys, reply),
            Job::Unit { unit, keep, reply } => {
                let next = group(connected, queue, timeout, (unit, keep, reply));
                if let Some(Job::Begin { keys, reply }) = next {
                    converse(&connected.connection, keys, reply);
                }
            }
        }
    }
}

/// Each job on a connection of its own, which sees the file as it is then and cannot write.
fn refuse(path: &Path, queue: &mpsc::Receiver<Job>, timeout: Duration) {
    while let Ok(job) = queue.recv() {
        match (job, Connected::open_reader(path)) {
            (Job::Unit { reply, .. }, Err(error)) => answer(reply, Err(error)),
            (Job::Begin { reply, .. }, Err(error)) => answer(reply, Err(error)),
            (Job::Unit { unit, reply, .. }, Ok(connected)) => {
                let steps = connected.within(timeout, |connection| {
                    execute_text(connection, "begin")?;
                    run_steps(connection, &unit)
                });
                answer(reply, steps);
            }
            (Job::Begin { keys, reply }, Ok(connected)) => {
                match execute_text(&connected.connection, "begin") {
                    Ok(()) => talk(&connected.connection, keys, reply),
                    Err(error) => answer(reply, Err(error)),
                }
            }
        }
    }
}

type Waiting = (Vec<Step>, bool, Reply<Vec<Outcome>>);

/// Runs the first unit and whatever else is waiting, commits once, then answers everybody.
/// Gives back a job that cannot be part of a group.
fn group(
    connected: &Connected,
    queue: &mpsc::Receiver<Job>,
    timeout: Duration,
    first: Waiting,
) -> Option<Job> {
    let connection = &connected.connection;
    if let Err(error) = execute_text(connection, "begin immediate") {
        answer(first.2, Err(error));
        return None;
    }
    let mut done = Vec::new();
    let mut waiting = Some(first);
    let mut other = None;
    while let Some((unit, keep, reply)) = waiting.take() {
        let result = connected.within(timeout, |connection| run_unit(connection, &unit, keep));
        if connection.is_autocommit() {
            // The engine took the whole transaction back (disk full, I/O error).
            let cause = match &result {
                Err(full @ DbError::Full(_)) => full.clone(),
                _ => DbError::Unavailable(String::from("SQLite rolled everything back")),
            };
            done.push((reply, result));
            fail_all(done, &cause);
            return None;
        }
        done.push((reply, result));
        if done.len() < GROUP {
            match queue.try_recv() {
                Ok(Job::Unit { unit, keep, reply }) => waiting = Some((unit, keep, reply)),
                Ok(job) => other = Some(job),
                Err(_) => {}
            }
        }
    }
    match execute_text(connection, "commit") {
        Ok(()) => done
            .into_iter()
            .for_each(|(reply, result)| answer(reply, result)),
        Err(error) => {
            // Nothing of the group is durable, so nobody may be told that it is.
            let _ = execute_text(connection, "rollback");
            fail_all(done, &error);
        }
    }
    other
}

/// A unit that ran and waits for the commit.
type Done = (Reply<Vec<Outcome>>, DbResult<Vec<Outcome>>);

fn fail_all(done: Vec<Done>, error: &DbError) {
    for (reply, result) in done {
        answer(reply, Err(result.err().unwrap_or_else(|| error.clone())));
    }
}

/// A caller that has gone away needs no answer.
fn answer<T>(reply: Reply<T>, result: DbResult<T>) {
    let _ = reply.send(result);
}

fn run_unit(connection: &Connection, unit: &[Step], keep: bool) -> DbResult<Vec<Outcome>> {
    let alone = unit.len() == 1 && unit.iter().all(|step| needs_no_transaction(step.expect));
    if alone && keep {
        return run_steps(connection, unit);
    }
    execute_text(connection, "savepoint unit")?;
    let result = run_steps(connection, unit);
    if connection.is_autocommit() {
        return result;
    }
    if result.is_err() || !keep {
        execute_text(connection, "rollback to unit")?;
    }
    execute_text(connection, "release unit")?;
    result
}

fn run_steps(connection: &Connection, unit: &[Step]) -> DbResult<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(unit.len());
    for (place, step) in unit.iter().enumerate() {
        let outcome = run_step(connection, step)?;
        verify(place, step.expect, outcome.affected)?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn run_step(connection: &Connection, step: &Step) -> DbResult<Outcome> {
    if step.kinds.is_empty() {
        return Ok(Outcome {
            affected: execute(connection, &step.sql)?,
            rows: Vec::new(),
        });
    }
    let rows = collect(connection, &step.sql, &step.kinds)?;
    Ok(Outcome {
        affected: rows.len() as u64,
        rows,
    })
}

fn execute(connection: &Connection, sql: &Sql) -> DbResult<u64> {
    let mut statement = connection
        .prepare_cached(sql.text())
        .map_err(|error| from_sqlite(&error))?;
    let arguments = params_from_iter(sql.args().iter().map(Bound));
    if statement.column_count() > 0 {
        // A SELECT whose rows only count.
        let mut rows = statement
            .query(arguments)
            .map_err(|error| from_sqlite(&error))?;
        let mut count = 0;
        while rows.next().map_err(|error| from_sqlite(&error))?.is_some() {
            count += 1;
        }
        return Ok(count);
    }
    statement
        .execute(arguments)
        .map(|rows| rows as u64)
        .map_err(|error| from_sqlite(&error))
}

fn collect(connection: &Connection, sql: &Sql, kinds: &[Kind]) -> DbResult<Vec<Row>> {
    let mut statement = connection
        .prepare_cached(sql.text())
        .map_err(|error| from_sqlite(&error))?;
    let arguments = params_from_iter(sql.args().iter().map(Bound));
    let mut rows = statement
        .query(arguments)
        .map_err(|error| from_sqlite(&error))?;
    let mut owned = Vec::new();
    while let Some(row) = rows.next().map_err(|error| from_sqlite(&error))? {
        owned.push(RowRef::Sqlite(SqliteRow(row)).to_owned_row(kinds)?);
    }
    Ok(owned)
}

fn execute_text(connection: &Connection, text: &'static str) -> DbResult<()> {
    let mut statement = connection
        .prepare_cached(text)
        .map_err(|error| from_sqlite(&error))?;
    statement
        .execute([])
        .map(drop)
        .map_err(|error| from_sqlite(&error))
}

/// Serves one transaction until it commits or its owner is gone.
fn converse(connection: &Connection, keys: ForeignKeys, reply: Reply<mpsc::Sender<Ask>>) {
    // The switch does nothing inside of a transaction.
    let begun = enforce(connection, keys == ForeignKeys::Enforced)
        .and_then(|()| execute_text(connection, "begin immediate"));
    match begun {
        Ok(()) => talk(connection, keys, reply),
        Err(error) => answer(reply, Err(error)),
    }
    if keys == ForeignKeys::CheckedAtCommit
        && let Err(error) = enforce(connection, true)
    {
        tracing::error!(%error, "foreign keys cannot be switched on again");
    }
}

fn enforce(connection: &Connection, on: bool) -> DbResult<()> {
    connection
        .pragma_update(None, "foreign_keys", on)
        .map_err(|error| from_sqlite(&error))
}

fn talk(connection: &Connection, keys: ForeignKeys, reply: Reply<mpsc::Sender<Ask>>) {
    let (asks, queue) = mpsc::channel();
    answer(reply, Ok(asks));
    while let Ok(ask) = queue.recv() {
        match ask {
            Ask::Rows { sql, kinds, reply } => answer(reply, collect(connection, &sql, &kinds)),
            Ask::Execute { sql, reply } => answer(reply, execute(connection, &sql)),
            Ask::Commit { reply } => {
                let checked = match keys {
                    ForeignKeys::Enforced => Ok(()),
                    ForeignKeys::CheckedAtCommit => check_keys(connection),
                };
                let result = checked.and_then(|()| execute_text(connection, "commit"));
                if result.is_err() {
                    let _ = execute_text(connection, "rollback");
                }
                return answer(reply, result);
            }
        }
    }
    // The owner dropped the transaction; an error here means that nothing is open any more.
    let _ = execute_text(connection, "rollback");
}

/// Refuses rows that point to nothing.
fn check_keys(connection: &Connection) -> DbResult<()> {
    let mut statement = connection
        .prepare("pragma foreign_key_check")
        .map_err(|error| from_sqlite(&error))?;
    let mut rows = statement.query([]).map_err(|error| from_sqlite(&error))?;
    let broken = rows.next().map_err(|error| from_sqlite(&error))?;
    let Some(row) = broken else {
        return Ok(());
    };
    let text = |place: usize| row.get::<_, String>(place).unwrap_or_default();
    Err(DbError::Other(format!(
        "a row of {} would point to no row of {}",
        text(0),
        text(2)
    )))
}
