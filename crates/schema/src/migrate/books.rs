//! What a database remembers of its migrations, and the lock that lets one process migrate.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use lang::Source;
use sql::{Db, DbError, DbResult, Expect, Kind, Query, Row, Sql, Step, Value};
use stdx::Clock;

use super::file::Migration;
use super::holder;
use super::{History, MigrationError};
use crate::{Catalog, CatalogKind, diff, render_operations};

/// The tables of the books, in the same language as everything else.
const BOOKKEEPING: &str = include_str!("bookkeeping.sql");

/// A line of the books, as far as its values.
const INSERT: &str = "insert into auth_migrations (history, revision, name, checksum, direction, steps, \
     steps_begun, steps_done, applied_at) values (";

/// How long a lock is good for without a sign of life.
const LOCK_LIFE: Duration = Duration::from_secs(30);
/// How often its holder gives one.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// How long others wait for it.
const LOCK_WAIT: Duration = Duration::from_mins(30);
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Which way a migration is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It is applied.
    Up,
    /// It is taken back.
    Down,
}

impl Direction {
    /// `up` or `down`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// One migration in the books.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) revision: String,
    pub(super) name: String,
    pub(super) checksum: String,
    pub(super) direction: Direction,
    pub(super) steps: i64,
    pub(super) begun: i64,
    pub(super) done: i64,
    pub(super) at: Timestamp,
}

impl Recorded {
    /// Whether it is applied, whole.
    pub(super) fn is_applied(&self) -> bool {
        self.direction == Direction::Up && self.done >= self.steps
    }
}

/// The books of one history in one database.
#[derive(Clone)]
pub(super) struct Books<'a> {
    pub(super) db: &'a Db,
    pub(super) clock: &'a Clock,
    pub(super) history: History,
    /// As whom the lock is taken.
    pub(super) holder: Arc<str>,
}

impl Books<'_> {
    fn sql(&self, text: &'static str) -> Sql {
        let mut sql = Sql::new(self.db.dialect());
        sql.push(text);
        sql
    }

    fn of(&self, sql: &mut Sql, revision: &str) {
        sql.push(" where history = ").arg(self.history.name());
        sql.push(" and revision = ").arg(revision);
    }

    /// The line of a migration, as it is written at its start.
    pub(super) fn record(
        &self,
        migration: &Migration,
        direction: Direction,
        steps: usize,
        done: usize,
    ) -> Sql {
        let mut sql = self.sql(INSERT);
        for text in [
            self.history.name(),
            &migration.revision,
            &migration.name,
            &migration.checksum,
            direction.name(),
        ] {
            sql.arg(text).push(", ");
        }
        for number in [steps, done, done] {
            sql.arg(count(number)).push(", ");
        }
        sql.arg(self.clock.now()).push(")");
        sql
    }

    /// The same line as text that needs nothing bound, for a script.
    pub(super) fn record_as_text(&self, migration: &Migration, steps: usize) -> Sql {
        let mut sql = self.sql(INSERT);
        for text in [
            self.history.name(),
            &migration.revision,
            &migration.name,
            &migration.checksum,
            Direction::Up.name(),
        ] {
            sql.quoted(text).push(", ");
        }
        for _ in 0..3 {
            sql.number(steps.try_into().unwrap_or(u64::MAX)).push(", ");
        }
        lang::ddl_now(&mut sql);
        sql.push(")");
        sql
    }

    /// The line of a migration goes.
    pub(super) fn forget(&self, revision: &str) -> Sql {
        let mut sql = self.sql("delete from auth_migrations");
        self.of(&mut sql, revision);
        sql
    }

    /// The same as text that needs nothing bound.
    pub(super) fn forget_as_text(&self, revision: &str) -> Sql {
        let mut sql = self.sql("delete from auth_migrations where history = ");
        sql.quoted(self.history.name()).push(" and revision = ");
        sql.quoted(revision);
        sql
    }

    /// How far a migration has come that had come to `from`. Where it has come to anywhere else,
    /// nothing is changed: what a killed process has left under way may end after we have begun.
    pub(super) fn mark(&self, revision: &str, from: usize, begun: usize, done: usize) -> Sql {
        let mut sql = self.sql("update auth_migrations set steps_begun = ");
        sql.arg(count(begun)).push(", steps_done = ");
        sql.arg(count(done)).push(", applied_at = ");
        sql.arg(self.clock.now());
        self.of(&mut sql, revision);
        sql.push(" and steps_done = ").arg(count(from));
        sql
    }

    /// An applied migration begins its way back.
    pub(super) fn turn(&self, revision: &str, steps: usize) -> Sql {
        let mut sql = self.sql("update auth_migrations set direction = 'down', steps = ");
        sql.arg(count(steps));
        sql.push(", steps_begun = 0, steps_done = 0");
        self.of(&mut sql, revision);
        sql
    }

    /// Writes one of the lines above, unless the lock is somebody else's by now. It may be: under
    /// Galera no sign of life gets through while a change of structure runs.
    pub(super) async fn write(&self, sql: Sql) -> Result<(), MigrationError> {
        self.write_behind(Vec::new(), sql).await
    }

    /// The same after other statements, all of it or nothing.
    pub(super) async fn write_behind(
        &self,
        statements: Vec<Step>,
        line: Sql,
    ) -> Result<(), MigrationError> {
        let mut unit = vec![Step::new(self.sign_of_life()).expecting(Expect::One)];
        unit.extend(statements);
        unit.push(Step::new(line).expecting(Expect::One));
        match self.db.write(unit).await {
            Ok(_) => Ok(()),
            Err(DbError::Unexpected { step: 0, .. }) => Err(MigrationError::TakenOver),
            Err(error) => Err(error.into()),
        }
    }

    /// What the database remembers; `None` where it has no books yet.
    pub(super) async fn recorded(&self) -> DbResult<Option<Vec<Recorded>>> {
        let mut sql = self.sql(
            "select revision, name, checksum, direction, steps, steps_begun, steps_done, \
             applied_at from auth_migrations where history = ",
        );
        sql.arg(self.history.name()).push(" order by revision");
        let (text, number) = (Kind::Text, Kind::BigInt);
        let kinds = vec![
            text,
            text,
            text,
            text,
            number,
            number,
            number,
            Kind::Timestamp,
        ];
        match self.db.settled_rows(&Query::short(sql, kinds)).await {
            Ok(rows) => Ok(Some(rows.into_iter().filter_map(recorded).collect())),
            // The engines have no common error for a table that is not there; anything that is
            // wrong with the database itself shows at the next statement.
            Err(DbError::Other(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The statements that make the books.
    pub(super) fn tables(&self) -> Result<Vec<Sql>, MigrationError> {
        let source = Source {
            path: String::from("auth_migrations.sql"),
            text: String::from(BOOKKEEPING),
        };
        let catalog =
            Catalog::from_sources(&[source], CatalogKind::System).map_err(MigrationError::Files)?;
        let operations = diff(&Catalog::empty(), &catalog)
            .map_err(MigrationError::Files)?
            .operations;
        let steps: Vec<_> = operations
            .into_iter()
            .map(|operation| (operation, catalog.clone()))
            .collect();
        let rendered = render_operations(&steps, self.db.dialect());
        Ok(rendered
            .into_iter()
            .map(|statement| statement.sql)
            .collect())
    }

    /// Makes the books; a table that another starter has just made is as good as ours.
    pub(super) async fn create(&self) -> Result<(), MigrationError> {
        if self.recorded().await?.is_some() && self.has_lock_row().await? {
            return Ok(());
        }
        for statement in self.tables()? {
            match self.db.write(vec![Step::new(statement)]).await {
                Ok(_) | Err(DbError::Other(_) | DbError::Unique { .. } | DbError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut sql =
            self.sql("insert into auth_migration_lock (id, holder, held_until) values (1, '', ");
        sql.arg(Timestamp::UNIX_EPOCH).push(")");
        match self.db.write(vec![Step::new(sql)]).await {
            Ok(_) | Err(DbError::Unique { .. } | DbError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn has_lock_row(&self) -> DbResult<bool> {
        let sql = self.sql("select id from auth_migration_lock");
        match self
            .db
            .settled_rows(&Query::short(sql, vec![Kind::BigInt]))
            .await
        {
            Ok(rows) => Ok(!rows.is_empty()),
            Err(DbError::Other(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Does `work` while this process alone holds the lock row.
    ///
    /// A conditional update is atomic on every engine, under Galera too, where advisory locks are
    /// per node. The holder gives signs of life, so that one that was killed is noticed soon and
    /// one that works for long is left alone; on the same machine it is noticed at once. One that
    /// cannot give any, and lives, notices before its next line: [`Books::write`].
    pub(super) async fn alone<T>(
        &self,
        work: impl Future<Output = Result<T, MigrationError>>,
    ) -> Result<T, MigrationError> {
        self.lock().await?;
        let result = {
            let (work, life) = (pin!(work), pin!(self.live()));
            match select(work, life).await {
                Either::Left((result, _)) => result,
                Either::Right((never, _)) => match never {},
            }
        };
        let mut sql =
            self.sql("update auth_migration_lock set holder = '' where id = 1 and holder = ");
        sql.arg(&*self.holder);
        let freed = self.db.write(vec![Step::new(sql)]).await;
        // What went wrong with the work matters more than a lock that ends by itself.
        result.and_then(|done| freed.map(|_| done).map_err(MigrationError::from))
    }

    async fn lock(&self) -> Result<(), MigrationError> {
        let attempts = LOCK_WAIT.as_millis() / LOCK_PAUSE.as_millis();
        // A holder that is known to be gone.
        let mut gone = String::new();
        for _ in 0..attempts {
            let now = self.clock.now();
            let mut sql = self.sql("update auth_migration_lock set holder = ");
            sql.arg(&*self.holder)
                .push(", held_until = ")
                .arg(later(now));
            sql.push(" where id = 1 and (holder = '' or holder = ");
            sql.arg(gone.as_str()).push(" or held_until < ");
            sql.arg(now).push(")");
            match self.db.write(vec![Step::new(sql)]).await {
                Ok(taken) if taken.first().is_some_and(|outcome| outcome.affected == 1) => {
                    return Ok(());
                }
                // SQLite's whole file is busy while another process migrates.
                Ok(_) | Err(DbError::Timeout | DbError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
            match self.holding().await? {
                Some(dead) if dead != gone && holder::is_gone(&dead) => gone = dead,
                _ => self.db.pause(LOCK_PAUSE).await,
            }
        }
        Err(MigrationError::Locked)
    }

    /// The lock is ours and stays so; touches no row where it is not.
    fn sign_of_life(&self) -> Sql {
        let mut sql = self.sql("update auth_migration_lock set held_until = ");
        sql.arg(later(self.clock.now()));
        sql.push(" where id = 1 and holder = ").arg(&*self.holder);
        sql
    }

    /// Whose name stands in the lock row.
    async fn holding(&self) -> DbResult<Option<String>> {
        let sql = self.sql("select holder from auth_migration_lock where id = 1");
        let row = self.db.optional(&Query::short(sql, vec![Kind::Text])).await;
        match row {
            Ok(row) => Ok(row.and_then(|row| match row.0.into_iter().next() {
                Some(Value::Text(holder)) => Some(holder),
                _ => None,
            })),
            Err(DbError::Timeout | DbError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Signs of life, for ever.
    async fn live(&self) -> std::convert::Infallible {
        loop {
            self.db.pause(SIGN_OF_LIFE).await;
            // A sign that does not get through is followed by the next one; the work itself meets
            // whatever is wrong with the database.
            drop(self.db.write(vec![Step::new(self.sign_of_life())]).await);
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    let life = SignedDuration::try_from(LOCK_LIFE).unwrap_or(SignedDuration::ZERO);
    now.checked_add(life).unwrap_or(now)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn recorded(row: Row) -> Option<Recorded> {
    let mut values = row.0.into_iter();
    let mut text = || match values.next() {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    };
    let (revision, name, checksum, direction) = (text()?, text()?, text()?, text()?);
    let mut number = || match values.next() {
        Some(Value::Int(number)) => Some(number),
        _ => None,
    };
    let (steps, begun, done) = (number()?, number()?, number()?);
    let Some(Value::Timestamp(at)) = values.next() else {
        return None;
    };
    Some(Recorded {
        revision,
        name,
        checksum,
        direction: match direction.as_str() {
            "down" => Direction::Down,
            _ => Direction::Up,
        },
        steps,
        begun,
        done,
        at,
    })
}
