//! Two pools: one that may only read, one for everything else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{
    Conn, Opts, OptsBuilder, Params, Pool, PoolConstraints, PoolOpts, QueryResult, SslOpts,
    Transaction, TxOpts,
};

use super::error::{from_mysql, is_final, unavailable};
use super::row::{MySqlRow, bind};
use crate::drivers::{needs_no_transaction, verify};
use crate::url::{ServerPlace, Tls};
use crate::{
    DbError, DbOptions, DbResult, Dialect, Kind, Outcome, Query, Row, RowRef, RowSink, Sql, Step,
};

/// The rules that make the engine refuse what it would otherwise bend.
const SQL_MODE: &str = "set session sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,\
PIPES_AS_CONCAT,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'";

/// Constants tell small letters from large ones, as columns do, and have the collation of what
/// the JSON functions give; mixed with a column's, the column's counts.
const NAMES: &str = "set names utf8mb4 collate utf8mb4_bin, time_zone = '+00:00', \
group_concat_max_len = 67108864";

/// MySQL (9.7) forgets conditions of an `exists (…)` that stands in the condition of a left join,
/// when it chooses to write the sub-query's rows down first: rows appear that a rule or filter
/// forbids. The other ways of joining them are right.
const OPTIMIZER: &str = "set session optimizer_switch = 'materialization=off'";

/// Prepared statements that each connection keeps.
const STATEMENTS: usize = 512;

/// A MySQL or MariaDB database.
pub(crate) struct MySqlDatabase {
    readers: Pool,
    writers: Pool,
    pub(crate) dialect: Dialect,
    is_galera: bool,
    wait: Duration,
}

/// What a server says of itself.
struct Greeting {
    version: String,
    is_galera: bool,
}

/// An open transaction; dropped without an end it is rolled back.
pub(crate) struct MySqlTx {
    transaction: Transaction<'static>,
    pub(crate) dialect: Dialect,
    is_galera: bool,
}

impl MySqlDatabase {
    /// Connects, waiting for the server up to the deadline; asks which of the two it is.
    pub(crate) async fn connect(place: &ServerPlace, options: &DbOptions) -> DbResult<Arc<Self>> {
        let greeting = greet(place, options).await?;
        let dialect = if greeting.version.contains("MariaDB") {
            Dialect::MariaDb
        } else {
            Dialect::MySql
        };
        let mut setup = vec![statement_timeout(dialect, options.statement_timeout)];
        if dialect == Dialect::MySql {
            setup.push(String::from(OPTIMIZER));
        }
        let mut read_only = setup.clone();
        read_only.push(String::from("set session transaction read only"));
        let readers = options.read_connections;
        let writers = options.write_connections;
        Ok(Arc::new(Self {
            readers: pool(place, options, readers, read_only),
            writers: pool(place, options, writers, setup),
            dialect,
            is_galera: greeting.is_galera,
            wait: options.acquire_timeout,
        }))
    }

    pub(crate) async fn read(
        &self,
        query: &Query,
        sink: &mut (dyn RowSink + Send),
    ) -> DbResult<()> {
        let mut connection = self.acquire(&self.readers).await?;
        let rows = limited_rows(&mut connection, self.dialect, query).await;
        let rows = match rows {
            // The connection broke before it gave a row; reading again is safe.
            Err(DbError::Unavailable(_)) => {
                let mut connection = self.acquire(&self.readers).await?;
                limited_rows(&mut connection, self.dialect, query).await?
            }
            result => result?,
        };
        feed(&rows, sink)
    }

    /// A node of Galera first applies what the others have committed; its transactions are
    /// certified at their commit, its reads by nobody.
    pub(crate) async fn settled_rows(&self, query: &Query) -> DbResult<Vec<Row>> {
        let mut connection = self.acquire(&self.readers).await?;
        if self.is_galera {
            set(&mut connection, "set session wsrep_sync_wait = 1").await?;
        }
        let rows = rows(&mut connection, self.dialect, &query.sql).await;
        // The connection serves others next, whatever became of this query.
        let restored = match self.is_galera {
            true => set(&mut connection, "set session wsrep_sync_wait = 0").await,
            false => Ok(()),
        };
        let rows = rows?;
        restored?;
        owned(&rows, &query.kinds)
    }

    pub(crate) async fn read_all(
        &self,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
    ) -> DbResult<()> {
        let mut connection = self.acquire(&self.readers).await?;
        let mut options = TxOpts::default();
        options.with_consistent_snapshot(true).with_readonly(true);
        let mut snapshot = connection
            .start_transaction(options)
            .await
            .map_err(|error| from_mysql(&error))?;
        for (query, sink) in reads.iter_mut() {
            let rows = limited_rows(&mut snapshot, self.dialect, query).await?;
            feed(&rows, &mut **sink)?;
        }
        snapshot.commit().await.map_err(|error| from_mysql(&error))
    }

    pub(crate) async fn write(&self, unit: &[Step], keep: bool) -> DbResult<Vec<Outcome>> {
        let mut connection = self.acquire(&self.writers).await?;
        if let ([step], true) = (unit, keep)
            && needs_no_transaction(step.expect)
        {
            let outcome = run_step(&mut connection, self.dialect, step).await?;
            verify(0, step.expect, outcome.affected)?;
            return Ok(vec![outcome]);
        }
        if self.is_galera {
            prepare_before(&mut connection, unit).await?;
        }
        let mut transaction = connection
            .start_transaction(TxOpts::default())
            .await
            .map_err(|error| from_mysql(&error))?;
        let mut outcomes = Vec::with_capacity(unit.len());
        for (place, step) in unit.iter().enumerate() {
            let outcome = run_step(&mut transaction, self.dialect, step).await?;
            verify(place, step.expect, outcome.affected)?;
            outcomes.push(outcome);
        }
        let ended = if keep {
            transaction.commit().await
        } else {
            transaction.rollback().await
        };
        ended.map_err(|error| from_mysql(&error))?;
        Ok(outcomes)
    }

    pub(crate) async fn prepare(&self, sql: &Sql) -> DbResult<()> {
        let mut connection = self.acquire(&self.writers).await?;
        connection
            .prep(sql.text())
            .await
            .map(drop)
            .map_err(|error| from_mysql(&error))
    }

    pub(crate) async fn begin(&self) -> DbResult<MySqlTx> {
        let transaction = self
            .writers
            .start_transaction(TxOpts::default())
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(MySqlTx {
            transaction,
            dialect: self.dialect,
            is_galera: self.is_galera,
        })
    }

    pub(crate) async fn close(&self) -> DbResult<()> {
        for pool in [&self.readers, &self.writers] {
            pool.clone()
                .disconnect()
                .await
                .map_err(|error| from_mysql(&error))?;
        }
        Ok(())
    }

    async fn acquire(&self, pool: &Pool) -> DbResult<Conn> {
        tokio::time::timeout(self.wait, pool.get_conn())
            .await
            .map_err(|_| DbError::Timeout)?
            .map_err(|error| unavailable(&error))
    }
}

impl MySqlTx {
    /// Prepares a statement, and makes sure that the transaction has lived through it: see
    /// [`prepare_before`], which a conversation cannot do.
    async fn prepare(&mut self, sql: &Sql) -> DbResult<()> {
        if !self.is_galera || sql.args().is_empty() {
            return Ok(());
        }
        let prepared = self.transaction.prep(sql.text()).await;
        prepared.map_err(|error| from_mysql(&error))?;
        let alive: Option<u8> = self
            .transaction
            .query_first("select @@in_transaction")
            .await
            .map_err(|error| from_mysql(&error))?;
        match alive {
            Some(1) => Ok(()),
            _ => Err(DbError::Conflict),
        }
    }

    pub(crate) async fn rows(&mut self, query: &Query) -> DbResult<Vec<Row>> {
        self.prepare(&query.sql).await?;
        let rows = rows(&mut self.transaction, self.dialect, &query.sql).await?;
        owned(&rows, &query.kinds)
    }

    pub(crate) async fn execute(&mut self, sql: &Sql) -> DbResult<u64> {
        self.prepare(sql).await?;
        let outcome = run_step(&mut self.transaction, self.dialect, &Step::new(sql.clone())).await;
        outcome.map(|outcome| outcome.affected)
    }

    pub(crate) async fn commit(self) -> DbResult<()> {
        self.transaction
            .commit()
            .await
            .map_err(|error| from_mysql(&error))
    }

    pub(crate) async fn rollback(self) -> DbResult<()> {
        self.transaction
            .rollback()
            .await
            .map_err(|error| from_mysql(&error))
    }
}

/// Prepares a unit's statements outside of its transaction.
///
/// A transaction of Galera that loses to another node's while it prepares a statement is rolled
/// back and nobody is told (MariaDB 10.11): what follows is committed without what went before.
/// Each other command answers with 1213.
async fn prepare_before(connection: &mut Conn, unit: &[Step]) -> DbResult<()> {
    for step in unit.iter().filter(|step| is_prepared(step)) {
        let prepared = connection.prep(step.sql.text()).await;
        prepared.map_err(|error| from_mysql(&error))?;
    }
    Ok(())
}

/// Triggers and some other DDL cannot be.
fn is_prepared(step: &Step) -> bool {
    !step.kinds.is_empty() || !step.sql.args().is_empty()
}

fn arguments(sql: &Sql, dialect: Dialect) -> Params {
    if sql.args().is_empty() {
        return Params::Empty;
    }
    Params::Positional(
        sql.args()
            .iter()
            .map(|value| bind(value, dialect))
            .collect(),
    )
}

async fn rows(
    connection: &mut impl Queryable,
    dialect: Dialect,
    sql: &Sql,
) -> DbResult<Vec<mysql_async::Row>> {
    connection
        .exec(sql.text(), arguments(sql, dialect))
        .await
        .map_err(|error| from_mysql(&error))
}

/// The rows of a query that may have a limit of its own, in the engine's words for one statement.
async fn limited_rows(
    connection: &mut impl Queryable,
    dialect: Dialect,
    query: &Query,
) -> DbResult<Vec<mysql_async::Row>> {
    let (sql, Some(limit)) = (&query.sql, query.limit) else {
        return rows(connection, dialect, &query.sql).await;
    };
    let text = match (dialect, sql.text().strip_prefix("select ")) {
        (Dialect::MariaDb, _) => {
            let seconds = limit.as_secs_f64();
            format!(
                "set statement max_statement_time = {seconds} for {}",
                sql.text()
            )
        }
        (_, Some(rest)) => {
            let millis = limit.as_millis();
            format!("select /*+ max_execution_time({millis}) */ {rest}")
        }
        // MySQL knows limits of plain queries alone; others have that of any statement.
        (_, None) => sql.text().to_owned(),
    };
    let found = connection.exec(text, arguments(sql, dialect)).await;
    found.map_err(|error| from_mysql(&error))
}

async fn run_step(
    connection: &mut impl Queryable,
    dialect: Dialect,
    step: &Step,
) -> DbResult<Outcome> {
    if step.kinds.is_empty() {
        return match is_prepared(step) {
            false => counted(connection.query_iter(step.sql.text()).await).await,
            true => {
                let arguments = arguments(&step.sql, dialect);
                counted(connection.exec_iter(step.sql.text(), arguments).await).await
            }
        };
    }
    let rows = owned(&rows(connection, dialect, &step.sql).await?, &step.kinds)?;
    Ok(Outcome {
        affected: rows.len() as u64,
        rows,
    })
}

/// What a statement did whose rows, if any, only count.
async fn counted<P: Protocol>(
    result: mysql_async::Result<QueryResult<'_, '_, P>>,
) -> DbResult<Outcome> {
    let result = result.map_err(|error| from_mysql(&error))?;
    let is_query = result.columns().is_some_and(|columns| !columns.is_empty());
    let changed = result.affected_rows();
    let rows: Vec<mysql_async::Row> = result
        .collect_and_drop()
        .await
        .map_err(|error| from_mysql(&error))?;
    Ok(Outcome {
        affected: if is_query { rows.len() as u64 } else { changed },
        rows: Vec::new(),
    })
}

async fn set(connection: &mut Conn, text: &'static str) -> DbResult<()> {
    let done = connection.query_drop(text).await;
    done.map_err(|error| from_mysql(&error))
}

fn owned(rows: &[mysql_async::Row], kinds: &[Kind]) -> DbResult<Vec<Row>> {
    rows.iter()
        .map(|row| RowRef::MySql(MySqlRow(row)).to_owned_row(kinds))
        .collect()
}

fn feed(rows: &[mysql_async::Row], sink: &mut (dyn RowSink + Send)) -> DbResult<()> {
    rows.iter()
        .try_for_each(|row| sink.row(&RowRef::MySql(MySqlRow(row))))
}

fn statement_timeout(dialect: Dialect, limit: Duration) -> String {
    match dialect {
        // Seconds with a fraction; every statement.
        Dialect::MariaDb => format!("set session max_statement_time = {}", limit.as_secs_f64()),
        // Milliseconds; SELECT alone.
        Dialect::MySql | Dialect::Sqlite | Dialect::Postgres => {
            format!("set session max_execution_time = {}", limit.as_millis())
        }
    }
}

fn builder(place: &ServerPlace) -> OptsBuilder {
    let builder = OptsBuilder::default()
        .user(Some(&place.user))
        .pass(Some(place.password.expose()))
        .db_name(Some(&place.database))
        .client_found_rows(true)
        .prefer_socket(false)
        .stmt_cache_size(Some(STATEMENTS));
    let builder = if place.host.starts_with('/') {
        builder.socket(Some(&place.host))
    } else {
        builder.ip_or_hostname(&place.host).tcp_port(place.port)
    };
    match place.tls {
        Tls::Off => builder,
        Tls::Required => builder.ssl_opts(Some(SslOpts::default())),
    }
}

/// A connection with our rules, `more` statements being run at its start.
pub(super) fn session(place: &ServerPlace, options: &DbOptions, more: Vec<String>) -> OptsBuilder {
    let mut setup = vec![String::from(SQL_MODE), String::from(NAMES)];
    setup.extend(more);
    let attributes = [(
        String::from("program_name"),
        options.application_name.clone(),
    )];
    builder(place)
        .setup(setup)
        .connect_attributes(attributes.into_iter().collect())
}

fn pool(place: &ServerPlace, options: &DbOptions, most: usize, more: Vec<String>) -> Pool {
    let constraints = PoolConstraints::new(1.min(most), most.max(1)).unwrap_or_default();
    let builder = session(place, options, more)
        // A reset would empty the statement cache at every checkout; nothing that a request
        // does changes the session.
        .pool_opts(
            PoolOpts::default()
                .with_constraints(constraints)
                .with_reset_connection(false),
        );
    Pool::new(builder)
}

async fn greet(place: &ServerPlace, options: &DbOptions) -> DbResult<Greeting> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match ask(place).await {
            Ok(greeting) => return Ok(greeting),
            Err(error)
                if is_final(&error) || began.elapsed() + pause > options.connect_deadline =>
            {
                return Err(unavailable(&error));
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

async fn ask(place: &ServerPlace) -> mysql_async::Result<Greeting> {
    let mut connection = Conn::new(Opts::from(builder(place))).await?;
    let version: Option<String> = connection.query_first("select version()").await?;
    // A server without Galera has no such variable, or has it off.
    let wsrep: Option<(String, String)> = connection
        .query_first("show session variables like 'wsrep_on'")
        .await?;
    connection.disconnect().await?;
    Ok(Greeting {
        version: version.unwrap_or_default(),
        is_galera: wsrep.is_some_and(|(_, value)| value == "ON"),
    })
}
