//! Applying migrations: one process at a time, each file once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lang::Source;
use sql::{Db, DbError, DbResult, Expect, Kind, Query, Row, Sql, Step, Value};
use stdx::{Clock, Rng};

use super::file::{Migration, Migrations};
use super::{MigrationError, fold};
use crate::{Catalog, CatalogKind, Operation, diff, render_operations};

/// Where the runner keeps its books, in the same language as everything else.
const BOOKKEEPING: &str = include_str!("bookkeeping.sql");

/// How long a lock is good for without a sign of life, and how long others wait for it.
const LOCK_LIFE: Duration = Duration::from_mins(10);

/// Which line of migrations: Pilaster's own or the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Pilaster's own.
    System,
    /// The user's.
    App,
}

impl History {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::App => "app",
        }
    }

    fn kind(self) -> CatalogKind {
        match self {
            Self::System => CatalogKind::System,
            Self::App => CatalogKind::User,
        }
    }
}

/// How a migration stands with a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// Applied.
    Applied(Timestamp),
    /// Begun and not finished, on an engine without transactional DDL.
    Interrupted {
        /// Statements that are done.
        done: i64,
        /// Of how many.
        of: i64,
    },
    /// Not applied.
    Pending,
}

/// One line of `migrate status`.
#[derive(Clone, Debug)]
pub struct MigrationStatus {
    /// Its revision.
    pub revision: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: MigrationState,
}

/// Applies the migrations of one history to one database.
pub struct Runner<'a> {
    db: &'a Db,
    clock: &'a Clock,
    rng: &'a Rng,
    history: History,
    loss: Loss,
}

/// Whether a migration may take rows or values away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It is refused, and nothing is applied.
    Refused,
    /// Somebody has looked at it.
    Allowed,
}

/// A migration that is to be applied.
struct Pending<'m> {
    migration: &'m Migration,
    /// Statements that an interrupted run has done; `None` where none was begun.
    done: Option<usize>,
    /// Its operations, each with the catalog that it leads to.
    steps: Vec<(Operation, Catalog)>,
}

struct Recorded {
    revision: String,
    name: String,
    checksum: String,
    steps: i64,
    done: i64,
    at: Timestamp,
}

impl<'a> Runner<'a> {
    /// A runner; nothing is touched yet.
    #[must_use]
    pub fn new(db: &'a Db, clock: &'a Clock, rng: &'a Rng, history: History) -> Self {
        Self {
            db,
            clock,
            rng,
            history,
            loss: Loss::Refused,
        }
    }

    /// The same runner with another answer to loss; it refuses by default.
    #[must_use]
    pub fn with_loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// How each migration stands. Creates nothing.
    pub async fn status(
        &self,
        migrations: &Migrations,
    ) -> Result<Vec<MigrationStatus>, MigrationError> {
        let recorded = self.recorded().await?.unwrap_or_default();
        Self::verify(migrations, &recorded)?;
        let state = |migration: &Migration| {
            let known = recorded
                .iter()
                .find(|known| known.revision == migration.revision);
            match known {
                Some(known) if known.done < known.steps => MigrationState::Interrupted {
                    done: known.done,
                    of: known.steps,
                },
                Some(known) => MigrationState::Applied(known.at),
                None => MigrationState::Pending,
            }
        };
        Ok(migrations
            .files
            .iter()
            .map(|migration| MigrationStatus {
                revision: migration.revision.clone(),
                name: migration.name.clone(),
                state: state(migration),
            })
            .collect())
    }

    /// Applies what is pending; gives the titles of what this process applied. Of several that
    /// start at once, one works and the others wait.
    pub async fn up(
        &self,
        migrations: &Migrations,
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Vec<String>, MigrationError> {
        self.create_books().await?;
        let holder = self.lock().await?;
        let result = self.apply_pending(migrations, progress).await;
        self.unlock(&holder).await?;
        result
    }

    async fn apply_pending(
        &self,
        migrations: &Migrations,
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Vec<String>, MigrationError> {
        let recorded = self.recorded().await?.unwrap_or_default();
        Self::verify(migrations, &recorded)?;
        // Everything is looked at before the first statement runs.
        let pending = self.pending(migrations, &recorded)?;
        let mut applied = Vec::new();
        for Pending {
            migration,
            done,
            steps,
        } in pending
        {
            let statements = render_operations(&steps, self.db.dialect());
            progress(&migration.title());
            if self.db.dialect().transactional_ddl() {
                self.apply_whole(migration, &statements).await?;
            } else {
                self.apply_stepwise(migration, &statements, done).await?;
            }
            applied.push(migration.title());
        }
        Ok(applied)
    }

    fn pending<'m>(
        &self,
        migrations: &'m Migrations,
        recorded: &[Recorded],
    ) -> Result<Vec<Pending<'m>>, MigrationError> {
        let mut catalog = Catalog::empty();
        let mut pending = Vec::new();
        for migration in &migrations.files {
            let steps = fold::operations(&mut catalog, &migration.up, self.history.kind())
                .map_err(MigrationError::Files)?;
            let known = recorded
                .iter()
                .find(|known| known.revision == migration.revision);
            let done = match known {
                Some(known) if known.done >= known.steps => continue,
                Some(known) => Some(usize::try_from(known.done).unwrap_or(0)),
                None => None,
            };
            let lost: Vec<String> = steps
                .iter()
                .filter(|(operation, _)| operation.is_destructive())
                .map(|(operation, _)| operation.to_string())
                .collect();
            if self.loss == Loss::Refused && !lost.is_empty() {
                let name = migration.title();
                return Err(MigrationError::Destructive { name, steps: lost });
            }
            pending.push(Pending {
                migration,
                done,
                steps,
            });
        }
        Ok(pending)
    }

    /// One transaction: all of it and its record, or nothing.
    async fn apply_whole(
        &self,
        migration: &Migration,
        statements: &[Sql],
    ) -> Result<(), MigrationError> {
        let failed = |step: usize| {
            move |error: DbError| MigrationError::Step {
                name: migration.title(),
                step,
                error,
            }
        };
        let mut tx = self.db.begin_restructuring().await?;
        for (place, statement) in statements.iter().enumerate() {
            tx.execute(statement).await.map_err(failed(place + 1))?;
        }
        let count = statements.len();
        tx.execute(&self.record(migration, count, count)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Statement by statement with a journal, where DDL commits by itself: a run that was cut off
    /// goes on where it stopped.
    async fn apply_stepwise(
        &self,
        migration: &Migration,
        statements: &[Sql],
        done: Option<usize>,
    ) -> Result<(), MigrationError> {
        let failed = |step: usize| {
            move |error: DbError| MigrationError::Step {
                name: migration.title(),
                step,
                error,
            }
        };
        if done.is_none() {
            let record = self.record(migration, statements.len(), 0);
            self.db.write(vec![Step::new(record)]).await?;
        }
        for (place, statement) in statements.iter().enumerate().skip(done.unwrap_or(0)) {
            self.db
                .write(vec![Step::new(statement.clone())])
                .await
                .map_err(failed(place + 1))?;
            let mut sql = Sql::new(self.db.dialect());
            sql.push("update auth_migrations set steps_done = ")
                .arg(count(place + 1));
            sql.push(", applied_at = ").arg(self.clock.now());
            sql.push(" where history = ").arg(self.history.name());
            sql.push(" and revision = ")
                .arg(migration.revision.as_str());
            self.db
                .write(vec![Step::new(sql).expecting(Expect::One)])
                .await?;
        }
        Ok(())
    }

    fn record(&self, migration: &Migration, steps: usize, done: usize) -> Sql {
        let mut sql = Sql::new(self.db.dialect());
        sql.push(
            "insert into auth_migrations \
             (history, revision, name, checksum, steps, steps_done, applied_at) values (",
        );
        sql.arg(self.history.name())
            .push(", ")
            .arg(migration.revision.as_str())
            .push(", ");
        sql.arg(migration.name.as_str())
            .push(", ")
            .arg(migration.checksum.as_str())
            .push(", ");
        sql.arg(count(steps)).push(", ").arg(count(done)).push(", ");
        sql.arg(self.clock.now()).push(")");
        sql
    }

    /// What the database remembers; `None` where it has no books yet.
    async fn recorded(&self) -> DbResult<Option<Vec<Recorded>>> {
        let mut sql = Sql::new(self.db.dialect());
        sql.push(
            "select revision, name, checksum, steps, steps_done, applied_at \
             from auth_migrations where history = ",
        );
        sql.arg(self.history.name()).push(" order by revision");
        let text = Kind::Text;
        let kinds = vec![
            text,
            text,
            text,
            Kind::BigInt,
            Kind::BigInt,
            Kind::Timestamp,
        ];
        match self.db.rows(&Query::short(sql, kinds)).await {
            Ok(rows) => Ok(Some(rows.into_iter().filter_map(recorded).collect())),
            // The engines have no common error for a table that is not there; anything that is
            // wrong with the database itself shows at the next statement.
            Err(DbError::Other(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn verify(migrations: &Migrations, recorded: &[Recorded]) -> Result<(), MigrationError> {
        for known in recorded {
            let title = format!("{}_{}", known.revision, known.name);
            let file = migrations
                .files
                .iter()
                .find(|file| file.revision == known.revision);
            match file {
                None => return Err(MigrationError::Missing(title)),
                Some(file) if file.checksum != known.checksum => {
                    return Err(MigrationError::Edited {
                        name: title,
                        applied: known.checksum.clone(),
                        found: file.checksum.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        let last = recorded
            .iter()
            .map(|known| known.revision.as_str())
            .max()
            .unwrap_or_default();
        let skipped = migrations.files.iter().find(|file| {
            file.revision.as_str() < last
                && recorded.iter().all(|known| known.revision != file.revision)
        });
        match skipped {
            Some(file) => Err(MigrationError::OutOfOrder(file.title())),
            None => Ok(()),
        }
    }

    /// Makes the books; a table that another starter has just made is as good as ours.
    async fn create_books(&self) -> Result<(), MigrationError> {
        if self.recorded().await?.is_some() && self.has_lock_row().await? {
            return Ok(());
        }
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
        for statement in render_operations(&steps, self.db.dialect()) {
            match self.db.write(vec![Step::new(statement)]).await {
                Ok(_) | Err(DbError::Other(_) | DbError::Unique { .. } | DbError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut sql = Sql::new(self.db.dialect());
        sql.push("insert into auth_migration_lock (id, holder, held_until) values (1, '', ");
        sql.arg(Timestamp::UNIX_EPOCH).push(")");
        match self.db.write(vec![Step::new(sql)]).await {
            Ok(_) | Err(DbError::Unique { .. } | DbError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn has_lock_row(&self) -> DbResult<bool> {
        let mut sql = Sql::new(self.db.dialect());
        sql.push("select id from auth_migration_lock");
        match self.db.rows(&Query::short(sql, vec![Kind::BigInt])).await {
            Ok(rows) => Ok(!rows.is_empty()),
            Err(DbError::Other(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the lock row: a conditional update is atomic on every engine, under Galera too,
    /// where advisory locks are per node.
    async fn lock(&self) -> Result<String, MigrationError> {
        let holder = stdx::new_id(self.clock, self.rng).to_string();
        let pause = Duration::from_millis(100);
        let attempts = LOCK_LIFE.as_millis() / pause.as_millis();
        for _ in 0..attempts {
            let now = self.clock.now();
            let life = SignedDuration::try_from(LOCK_LIFE).unwrap_or(SignedDuration::ZERO);
            let until = now.checked_add(life).unwrap_or(now);
            let mut sql = Sql::new(self.db.dialect());
            sql.push("update auth_migration_lock set holder = ")
                .arg(holder.as_str());
            sql.push(", held_until = ").arg(until);
            sql.push(" where id = 1 and (holder = '' or held_until < ")
                .arg(now)
                .push(")");
            let taken = self.db.write(vec![Step::new(sql)]).await?;
            if taken.first().is_some_and(|outcome| outcome.affected == 1) {
                return Ok(holder);
            }
            self.db.pause(pause).await;
        }
        Err(MigrationError::Locked)
    }

    async fn unlock(&self, holder: &str) -> DbResult<()> {
        let mut sql = Sql::new(self.db.dialect());
        sql.push("update auth_migration_lock set holder = '' where id = 1 and holder = ")
            .arg(holder);
        self.db.write(vec![Step::new(sql)]).await.map(drop)
    }
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
    let (revision, name, checksum) = (text()?, text()?, text()?);
    let mut number = || match values.next() {
        Some(Value::Int(number)) => Some(number),
        _ => None,
    };
    let (steps, done) = (number()?, number()?);
    let Some(Value::Timestamp(at)) = values.next() else {
        return None;
    };
    Some(Recorded {
        revision,
        name,
        checksum,
        steps,
        done,
        at,
    })
}
