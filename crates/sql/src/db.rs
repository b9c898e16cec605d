//! One database, whichever engine: reading, writing in units, transactions.

use std::sync::Arc;
use std::time::Duration;

use stdx::Rng;
use tracing::{Instrument as _, Span};

use crate::actor::{Actor, only_postgres};
use crate::drivers::mysql::MySqlDatabase;
use crate::drivers::postgres::PostgresDatabase;
use crate::drivers::sqlite::SqliteDatabase;
use crate::spans::{self, Counted, traced};
use crate::tx::{Conversation, Tx};
use crate::url::{Family, Place};
use crate::{
    DatabaseUrl, DbError, DbResult, Dialect, Kind, Outcome, Query, Row, RowRef, RowSink, Sql, Step,
    Value,
};

/// Times that a unit is run again after it lost a conflict.
const RETRIES: u32 = 8;
/// The longest pause before the first of them; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest of all.
const LAST_PAUSE: Duration = Duration::from_millis(320);

/// How to hold on to a database.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// Shown in the server's list of sessions.
    pub application_name: String,
    /// Connections for reading.
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
    /// Open a SQLite file that cannot be written, for reading alone; else that is an error.
    pub may_be_read_only: bool,
    /// How long to pause before a unit is run again is left to chance.
    pub rng: Rng,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            application_name: String::from("pilaster"),
            read_connections: 4,
            write_connections: 4,
            statement_timeout: Duration::from_secs(30),
            acquire_timeout: Duration::from_secs(10),
            connect_deadline: Duration::from_secs(30),
            create_if_missing: true,
            may_be_read_only: false,
            rng: Rng::System,
        }
    }
}

/// A database: cheap to clone, shared by all requests.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    url: DatabaseUrl,
    options: DbOptions,
}

#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite(Arc<SqliteDatabase>),
    Postgres(Arc<PostgresDatabase>),
    MySql(Arc<MySqlDatabase>),
}

/// Somebody who is connected to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The server's number for it.
    pub id: i64,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// Where it comes from.
    pub client: String,
    /// What it calls itself.
    pub application: String,
    /// What it is doing.
    pub state: String,
}

/// As whom a connection is made, and how safely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whoami {
    /// The server's role.
    pub role: String,
    /// Protocol and cipher; `None` where the connection is not encrypted.
    pub tls: Option<String>,
}

/// Collects owned rows.
struct Collect<'a> {
    kinds: &'a [Kind],
    rows: Vec<Row>,
}

impl RowSink for Collect<'_> {
    fn row(&mut self, row: &RowRef<'_>) -> DbResult<()> {
        self.rows.push(row.to_owned_row(self.kinds)?);
        Ok(())
    }
}

impl Db {
    /// Connects, waiting for the server up to the deadline, and asserts its version.
    pub async fn connect(url: &DatabaseUrl, options: &DbOptions) -> DbResult<Self> {
        let engine = match &url.0 {
            Place::Sqlite(path) => Engine::Sqlite(SqliteDatabase::open(path, options)?),
            Place::Server(place) => match place.family {
                Family::Postgres => {
                    Engine::Postgres(PostgresDatabase::connect(place, options).await?)
                }
                Family::MySql => Engine::MySql(MySqlDatabase::connect(place, options).await?),
            },
        };
        Ok(Self {
            engine,
            url: url.clone(),
            options: options.clone(),
        })
    }

    /// The engine.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match &self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
            Engine::MySql(database) => database.dialect,
        }
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&std::path::Path> {
        self.url.sqlite_path()
    }

    /// Its address, the password masked.
    #[must_use]
    pub fn description(&self) -> String {
        self.url.to_string()
    }

    /// Whether it is a file that can be read alone. A server's login may be of that kind too, which
    /// only its rights tell.
    #[must_use]
    pub fn is_read_only_file(&self) -> bool {
        match &self.engine {
            Engine::Sqlite(database) => database.is_read_only,
            Engine::Postgres(_) | Engine::MySql(_) => false,
        }
    }

    /// As whom it is connected, by its address; `None` for a file.
    #[must_use]
    pub fn login(&self) -> Option<&str> {
        self.url.login().map(|(user, _)| user)
    }

    /// Its address.
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// How it is held on to.
    pub(crate) fn options(&self) -> &DbOptions {
        &self.options
    }

    /// Runs one reading statement on a connection that cannot write; `sink` takes the rows in
    /// order.
    pub async fn read(&self, query: &Query, sink: &mut (dyn RowSink + Send)) -> DbResult<()> {
        let span = spans::statement(self.dialect(), &query.sql);
        if span.is_disabled() {
            return self.read_untraced(query, sink).await;
        }
        Box::pin(self.read_traced(span, query, sink)).await
    }

    async fn read_traced(
        &self,
        span: Span,
        query: &Query,
        sink: &mut (dyn RowSink + Send),
    ) -> DbResult<()> {
        let mut counted = Counted::new(sink);
        let work = self.read_untraced(query, &mut counted);
        let result = work.instrument(span.clone()).await;
        spans::end(&span, result.as_ref().map(|()| counted.rows));
        result
    }

    async fn read_untraced(&self, query: &Query, sink: &mut (dyn RowSink + Send)) -> DbResult<()> {
        match &self.engine {
            Engine::Sqlite(database) => database.readers.read(query, sink),
            Engine::Postgres(database) => database.read(query, sink).await,
            // The drivers' larger futures are boxed, or every waiting request would hold their size.
            Engine::MySql(database) => Box::pin(database.read(query, sink)).await,
        }
    }

    /// Runs several reading statements that see the same snapshot, in one round trip where the
    /// engine has it; each with its own sink, in the given order.
    pub async fn read_all(
        &self,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
    ) -> DbResult<()> {
        if let [(query, sink)] = reads {
            return self.read(query, &mut **sink).await;
        }
        self.read_all_by(reads, None).await
    }

    pub(crate) async fn read_all_by(
        &self,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
        actor: Option<&Actor>,
    ) -> DbResult<()> {
        let span = spans::statements(self.dialect(), reads.len());
        if span.is_disabled() {
            return self.read_all_untraced(reads, actor).await;
        }
        Box::pin(self.read_all_traced(span, reads, actor)).await
    }

    async fn read_all_traced(
        &self,
        span: Span,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
        actor: Option<&Actor>,
    ) -> DbResult<()> {
        let mut counted: Vec<(&Query, Counted<'_>)> = reads
            .iter_mut()
            .map(|(query, sink)| (*query, Counted::new(&mut **sink)))
            .collect();
        let mut counting: Vec<(&Query, &mut (dyn RowSink + Send))> = Vec::new();
        for (query, counted) in &mut counted {
            counting.push((query, counted));
        }
        let work = self.read_all_untraced(&mut counting, actor);
        let result = work.instrument(span.clone()).await;
        let rows = counted.iter().map(|(_, counted)| counted.rows).sum();
        spans::end(&span, result.as_ref().map(|()| rows));
        result
    }

    async fn read_all_untraced(
        &self,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
        actor: Option<&Actor>,
    ) -> DbResult<()> {
        if actor.is_some() && self.dialect() != Dialect::Postgres {
            return Err(only_postgres());
        }
        match &self.engine {
            Engine::Sqlite(database) => database.readers.read_all(reads),
            Engine::Postgres(database) => Box::pin(database.read_all(reads, actor)).await,
            Engine::MySql(database) => Box::pin(database.read_all(reads)).await,
        }
    }

    /// Owned rows of one reading statement.
    pub async fn rows(&self, query: &Query) -> DbResult<Vec<Row>> {
        let mut collect = Collect {
            kinds: &query.kinds,
            rows: Vec::new(),
        };
        self.read(query, &mut collect).await?;
        Ok(collect.rows)
    }

    /// The same, where a decision rests on it: of a cluster's node, as of everything that any node
    /// has committed before.
    pub async fn settled_rows(&self, query: &Query) -> DbResult<Vec<Row>> {
        match &self.engine {
            Engine::Sqlite(_) | Engine::Postgres(_) => self.rows(query).await,
            Engine::MySql(database) => Box::pin(database.settled_rows(query)).await,
        }
    }

    /// The first row of one reading statement, if any.
    pub async fn optional(&self, query: &Query) -> DbResult<Option<Row>> {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// Commits a unit whole or not at all; durable when it returns. Conflicts are retried.
    pub async fn write(&self, unit: Vec<Step>) -> DbResult<Vec<Outcome>> {
        self.run_unit(unit, true, None).await
    }

    /// Runs a unit and takes it back; gives what it would have given.
    pub async fn rehearse(&self, unit: Vec<Step>) -> DbResult<Vec<Outcome>> {
        self.run_unit(unit, false, None).await
    }

    pub(crate) async fn run_unit(
        &self,
        unit: Vec<Step>,
        keep: bool,
        actor: Option<&Actor>,
    ) -> DbResult<Vec<Outcome>> {
        let span = spans::unit(self.dialect(), &unit);
        if span.is_disabled() {
            return self.run_untraced(unit, keep, actor).await;
        }
        let work = self.run_untraced(unit, keep, actor);
        Box::pin(traced(span, work, |outcomes| spans::affected(outcomes))).await
    }

    async fn run_untraced(
        &self,
        unit: Vec<Step>,
        keep: bool,
        actor: Option<&Actor>,
    ) -> DbResult<Vec<Outcome>> {
        if actor.is_some() && self.dialect() != Dialect::Postgres {
            return Err(only_postgres());
        }
        let mut attempt = 0;
        loop {
            let result = match &self.engine {
                // The one writer never loses a conflict, so the unit can be handed over.
                Engine::Sqlite(database) => return database.writer.run(unit, keep).await,
                Engine::Postgres(database) => Box::pin(database.write(&unit, keep, actor)).await,
                Engine::MySql(database) => Box::pin(database.write(&unit, keep)).await,
            };
            match result {
                Err(DbError::Conflict) if attempt < RETRIES => {
                    tokio::time::sleep(pause(&self.options.rng, attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// Asks the engine to compile a statement without running it.
    pub async fn prepare(&self, sql: &Sql) -> DbResult<()> {
        match &self.engine {
            Engine::Sqlite(database) => database.readers.prepare(sql),
            Engine::Postgres(database) => database.prepare(sql).await,
            Engine::MySql(database) => database.prepare(sql).await,
        }
    }

    /// Begins a transaction for a conversation (migrations; everything else is a unit).
    pub async fn begin(&self) -> DbResult<Tx> {
        Ok(Tx(match &self.engine {
            Engine::Sqlite(database) => Conversation::Sqlite(database.writer.begin().await?),
            Engine::Postgres(database) => Conversation::Postgres(Box::new(database.begin().await?)),
            Engine::MySql(database) => Conversation::MySql(database.begin().await?),
        }))
    }

    /// Begins a transaction that may make tables anew: on SQLite foreign keys are looked at when
    /// it commits instead of at each statement, elsewhere it is [`Db::begin`].
    pub async fn begin_restructuring(&self) -> DbResult<Tx> {
        match &self.engine {
            Engine::Sqlite(database) => Ok(Tx(Conversation::Sqlite(
                database.writer.begin_restructuring().await?,
            ))),
            Engine::Postgres(_) | Engine::MySql(_) => self.begin().await,
        }
    }

    /// Waits, for rooms that poll and do not know the runtime.
    pub async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Whether the database answers now.
    pub async fn ping(&self) -> DbResult<()> {
        let mut sql = Sql::new(self.dialect());
        sql.push("select 1");
        self.rows(&Query::short(sql, vec![Kind::Integer]))
            .await
            .map(drop)
    }

    /// The server's version, as it says it.
    pub async fn version(&self) -> DbResult<String> {
        let mut sql = Sql::new(self.dialect());
        sql.push(match self.dialect() {
            Dialect::Sqlite => "select sqlite_version()",
            Dialect::Postgres => "select current_setting('server_version')",
            Dialect::MySql | Dialect::MariaDb => "select version()",
        });
        let row = self.optional(&Query::short(sql, vec![Kind::Text])).await?;
        match row.and_then(|row| row.0.into_iter().next()) {
            Some(Value::Text(version)) => Ok(version),
            _ => Err(DbError::Other(String::from(
                "the server does not tell its version",
            ))),
        }
    }

    /// As whom this is connected, and how safely.
    pub async fn whoami(&self) -> DbResult<Whoami> {
        let mut sql = Sql::new(self.dialect());
        match self.dialect() {
            Dialect::Sqlite => {
                return Ok(Whoami {
                    role: String::from("the file's owner"),
                    tls: None,
                });
            }
            Dialect::Postgres => sql.push(
                "select current_user::text, coalesce((select version || ' ' || cipher \
                 from pg_stat_ssl where pid = pg_backend_pid() and ssl), '')",
            ),
            Dialect::MySql => sql.push(
                "select current_user(), coalesce((select variable_value \
                 from performance_schema.session_status where variable_name = 'Ssl_cipher'), '')",
            ),
            Dialect::MariaDb => sql.push(
                "select current_user(), coalesce((select variable_value \
                 from information_schema.session_status where variable_name = 'SSL_CIPHER'), '')",
            ),
        };
        let query = Query::short(sql, vec![Kind::Text, Kind::Text]);
        let mut values = self
            .optional(&query)
            .await?
            .into_iter()
            .flat_map(|row| row.0);
        let mut text = || match values.next() {
            Some(Value::Text(text)) => text,
            _ => String::new(),
        };
        Ok(Whoami {
            role: text(),
            tls: Some(text()).filter(|tls| !tls.is_empty()),
        })
    }

    /// Writes a copy of a SQLite database as of this moment to a file that is not there yet,
    /// while others go on reading and writing.
    pub async fn snapshot(&self, path: &std::path::Path) -> DbResult<()> {
        match &self.engine {
            Engine::Sqlite(database) => database.snapshot(path).await,
            Engine::Postgres(_) | Engine::MySql(_) => Err(DbError::Other(String::from(
                "a server's database is not a file",
            ))),
        }
    }

    /// Who is connected to this database; nobody on SQLite, which has no server.
    pub async fn sessions(&self) -> DbResult<Vec<Session>> {
        let mut sql = Sql::new(self.dialect());
        match self.dialect() {
            Dialect::Sqlite => return Ok(Vec::new()),
            Dialect::Postgres => sql.push(
                "select pid, coalesce(usename, ''), coalesce(datname, ''), \
                 coalesce(host(client_addr), 'socket'), coalesce(application_name, ''), \
                 coalesce(state, '') from pg_stat_activity \
                 where datname = current_database() order by pid",
            ),
            Dialect::MySql | Dialect::MariaDb => sql.push(
                "select p.id, p.user, coalesce(p.db, ''), p.host, \
                 coalesce((select a.attr_value from performance_schema.session_connect_attrs a \
                 where a.processlist_id = p.id and a.attr_name = 'program_name'), ''), \
                 p.command from information_schema.processlist p \
                 where p.db = database() order by p.id",
            ),
        };
        let text = Kind::Text;
        let query = Query::long(sql, vec![Kind::BigInt, text, text, text, text, text]);
        Ok(self.rows(&query).await?.into_iter().map(session).collect())
    }

    /// Ends another session of this database; gives whether there was one of that number.
    pub async fn kill(&self, id: i64) -> DbResult<bool> {
        // Only what `sessions` shows: a number of another database is nobody's here.
        if !self
            .sessions()
            .await?
            .iter()
            .any(|session| session.id == id)
        {
            return Ok(false);
        }
        let mut sql = Sql::new(self.dialect());
        match self.dialect() {
            Dialect::Sqlite => return Ok(false),
            Dialect::Postgres => sql
                .push("select pg_terminate_backend(")
                .arg(id)
                .push("::integer)"),
            Dialect::MySql | Dialect::MariaDb => {
                let Ok(id) = u64::try_from(id) else {
                    return Ok(false);
                };
                sql.push("kill ").number(id)
            }
        };
        self.write(vec![Step::new(sql)]).await.map(|_| true)
    }

    /// Closes what can be closed in good order.
    pub async fn close(&self) -> DbResult<()> {
        match &self.engine {
            // The writer finishes and joins when the last clone is dropped.
            Engine::Sqlite(_) | Engine::Postgres(_) => Ok(()),
            Engine::MySql(database) => database.close().await,
        }
    }
}

/// How long to wait before attempt number `attempt` (from 0) is repeated: anything from nothing to
/// a bound that doubles. Those who lost together do not come back together.
fn pause(rng: &Rng, attempt: u32) -> Duration {
    let bound = FIRST_PAUSE
        .saturating_mul(1 << attempt.min(16))
        .min(LAST_PAUSE);
    let part = f64::from(u32::from_le_bytes(rng.bytes())) / f64::from(u32::MAX);
    bound.mul_f64(part)
}

fn session(row: Row) -> Session {
    let mut values = row.0.into_iter();
    let id = match values.next() {
        Some(Value::Int(id)) => id,
        _ => 0,
    };
    let mut text = || match values.next() {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    };
    Session {
        id,
        user: text(),
        database: text(),
        client: text(),
        application: text(),
        state: text(),
    }
}
