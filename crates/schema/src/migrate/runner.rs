//! Applying migrations and taking them back: one process at a time, each file once.

use sql::{Db, DbError, Step};
use stdx::{Clock, Rng};

use super::books::{Books, Direction, Recorded};
use super::file::Migrations;
use super::plan::{Plan, Run};
use super::state::{MigrationState, MigrationStatus, Standing, applied_catalog, follow, standings};
use super::{History, MigrationError, fold, holder};
use crate::{Catalog, Rendered};

/// Runs the migrations of one history on one database.
pub struct Runner<'a> {
    books: Books<'a>,
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

/// A statement that is about to run.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// Revision and name of its migration.
    pub migration: &'p str,
    /// Which way.
    pub direction: Direction,
    /// Its number, from 1.
    pub step: usize,
    /// Of how many.
    pub of: usize,
    /// What it is a part of: `add column users.bio`.
    pub operation: &'p str,
}

/// Takes what is about to run.
type Report<'r> = &'r mut (dyn FnMut(Progress<'_>) + Send);

impl<'a> Runner<'a> {
    /// A runner; nothing is touched yet.
    #[must_use]
    pub fn new(db: &'a Db, clock: &'a Clock, rng: &'a Rng, history: History) -> Self {
        let books = Books {
            db,
            clock,
            history,
            holder: holder::name(clock, rng).into(),
        };
        Self {
            books,
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
        let recorded = self.books.recorded().await?.unwrap_or_default();
        let standings = standings(migrations, &recorded)?;
        let line = |standing: Standing<'_>| MigrationStatus {
            revision: standing.migration.revision.clone(),
            name: standing.migration.name.clone(),
            tags: standing.migration.tags.clone(),
            state: standing.state,
        };
        Ok(standings.into_iter().map(line).collect())
    }

    /// Applies what is pending, up to `target` and with it (all of it by default); gives the
    /// titles of what this process applied. Of several that start at once, one works and the
    /// others wait.
    pub async fn up(
        &self,
        migrations: &Migrations,
        target: Option<&str>,
        report: Report<'_>,
    ) -> Result<Vec<String>, MigrationError> {
        self.run(migrations, Direction::Up, target, report).await
    }

    /// Takes applied migrations back: all that stand behind `target`, which stays; all of them
    /// where it is `None`.
    pub async fn down(
        &self,
        migrations: &Migrations,
        target: Option<&str>,
        report: Report<'_>,
    ) -> Result<Vec<String>, MigrationError> {
        self.run(migrations, Direction::Down, target, report).await
    }

    async fn run(
        &self,
        migrations: &Migrations,
        direction: Direction,
        target: Option<&str>,
        report: Report<'_>,
    ) -> Result<Vec<String>, MigrationError> {
        if self.is_done(migrations, direction, target).await? {
            return Ok(Vec::new());
        }
        self.books.create().await?;
        let mut done = Vec::new();
        loop {
            let work = async {
                let recorded = self.books.recorded().await?.unwrap_or_default();
                let standings = standings(migrations, &recorded)?;
                self.refresh(&standings).await?;
                let runs = self.ways(migrations, &standings, direction, target)?;
                self.run_all(runs, &mut done, report).await
            };
            match self.books.alone(work).await {
                // Whoever has taken over goes on with it; then we look at what is left.
                Err(MigrationError::TakenOver) => {}
                result => return result.map(|()| done),
            }
        }
    }

    /// Whether the books say that nothing is left to do, asked without the lock: this much a login
    /// that may only read can learn. Whatever else they say may be half of what somebody is
    /// writing, errors too; that is looked at again by whoever has the lock.
    async fn is_done(
        &self,
        migrations: &Migrations,
        direction: Direction,
        target: Option<&str>,
    ) -> Result<bool, MigrationError> {
        let Some(recorded) = self.books.recorded().await? else {
            return Ok(false);
        };
        let Ok(standings) = standings(migrations, &recorded) else {
            return Ok(false);
        };
        let runs = self.ways(migrations, &standings, direction, target);
        let is_current = standings.iter().all(|standing| standing.stale.is_empty());
        Ok(is_current && runs.is_ok_and(|runs| runs.is_empty()))
    }

    /// What [`Runner::up`] or [`Runner::down`] would do. Touches nothing.
    pub async fn plan(
        &self,
        migrations: &Migrations,
        direction: Direction,
        target: Option<&str>,
    ) -> Result<Vec<Plan>, MigrationError> {
        let recorded = self.books.recorded().await?.unwrap_or_default();
        let standings = standings(migrations, &recorded)?;
        let runs = self.ways(migrations, &standings, direction, target)?;
        let mut plans = Vec::new();
        for run in &runs {
            plans.push(Plan::of(run, self.books.db).await?);
        }
        Ok(plans)
    }

    /// The same as a script for the engine's own shell, books included. Touches nothing.
    pub async fn script(
        &self,
        migrations: &Migrations,
        direction: Direction,
        target: Option<&str>,
    ) -> Result<String, MigrationError> {
        let recorded = self.books.recorded().await?;
        let standings = standings(migrations, recorded.as_deref().unwrap_or_default())?;
        let runs = self.ways(migrations, &standings, direction, target)?;
        super::plan::script(&runs, &self.books, recorded.is_none())
    }

    /// Does work that must not meet a migration: while this process alone holds their lock.
    pub async fn alone<T>(
        &self,
        work: impl Future<Output = Result<T, MigrationError>>,
    ) -> Result<T, MigrationError> {
        self.books.create().await?;
        self.books.alone(work).await
    }

    /// Says in the books that the files up to `target`, and no others, are applied; runs nothing.
    /// `None` says that none is.
    pub async fn stamp(
        &self,
        migrations: &Migrations,
        target: Option<&str>,
    ) -> Result<(), MigrationError> {
        let keep = match target {
            None => 0,
            Some(target) => find(migrations, target)? + 1,
        };
        self.books.create().await?;
        let work = async {
            let recorded = self.books.recorded().await?.unwrap_or_default();
            let mut unit: Vec<Step> = recorded
                .iter()
                .map(|known| Step::new(self.books.forget(&known.revision)))
                .collect();
            for file in migrations.files.iter().take(keep) {
                unit.push(Step::new(self.books.record(file, Direction::Up, 0, 0)));
            }
            self.books.db.write(unit).await?;
            Ok(())
        };
        self.books.alone(work).await
    }

    /// The tables that the applied migrations have led to. Touches nothing.
    pub async fn expected(&self, migrations: &Migrations) -> Result<Catalog, MigrationError> {
        let recorded = self.books.recorded().await?.unwrap_or_default();
        let standings = standings(migrations, &recorded)?;
        applied_catalog(&standings, self.books.history)
    }

    /// Files that were squashed or merged after they were applied get their new lines.
    async fn refresh(&self, standings: &[Standing<'_>]) -> Result<(), MigrationError> {
        let mut unit = Vec::new();
        let stale = standings
            .iter()
            .filter(|standing| !standing.stale.is_empty());
        for standing in stale.filter(|standing| standing.is_applied()) {
            for revision in &standing.stale {
                unit.push(Step::new(self.books.forget(revision)));
            }
            let line = self.books.record(standing.migration, Direction::Up, 0, 0);
            unit.push(Step::new(line));
        }
        // The old lines go before new ones take their revisions.
        unit.sort_by_key(|step| !step.sql.text().starts_with("delete"));
        if !unit.is_empty() {
            self.books.db.write(unit).await?;
        }
        Ok(())
    }

    /// Everything is looked at before the first statement runs.
    fn ways<'m>(
        &self,
        migrations: &'m Migrations,
        standings: &[Standing<'m>],
        direction: Direction,
        target: Option<&str>,
    ) -> Result<Vec<Run<'m>>, MigrationError> {
        match direction {
            Direction::Up => self.ways_up(migrations, standings, target),
            Direction::Down => self.ways_down(migrations, standings, target),
        }
    }

    fn ways_up<'m>(
        &self,
        migrations: &'m Migrations,
        standings: &[Standing<'m>],
        target: Option<&str>,
    ) -> Result<Vec<Run<'m>>, MigrationError> {
        not_turned(standings, Direction::Up)?;
        let last = match target {
            None => migrations.files.len(),
            Some(target) => find(migrations, target)? + 1,
        };
        // Where nothing has been applied, what a step takes away was made in the same run.
        let is_new = standings
            .iter()
            .all(|standing| standing.state == MigrationState::Pending);
        let mut catalog = applied_catalog(standings, self.books.history)?;
        let mut runs = Vec::new();
        for standing in standings.iter().take(last) {
            if standing.is_applied() {
                continue;
            }
            let steps = follow(&mut catalog, standing.migration, self.books.history)?;
            let own = catalog.require_engine(self.books.db.dialect());
            own.map_err(MigrationError::Files)?;
            let run = Run {
                migration: standing.migration,
                direction: Direction::Up,
                resume: standing.known.clone(),
                steps,
            };
            if !is_new {
                self.may_run(&run)?;
            }
            runs.push(run);
        }
        Ok(runs)
    }

    fn ways_down<'m>(
        &self,
        migrations: &Migrations,
        standings: &[Standing<'m>],
        target: Option<&str>,
    ) -> Result<Vec<Run<'m>>, MigrationError> {
        not_turned(standings, Direction::Down)?;
        let keep = match target {
            None => 0,
            Some(target) => find(migrations, target)? + 1,
        };
        // The state after each file that is there, for its own way back.
        let mut catalog = Catalog::empty();
        let mut present = Vec::new();
        for (place, standing) in standings.iter().enumerate() {
            if standing.state == MigrationState::Pending {
                continue;
            }
            follow(&mut catalog, standing.migration, self.books.history)?;
            present.push((place, standing, catalog.clone()));
        }
        let mut runs = Vec::new();
        for (_, standing, mut after) in present.into_iter().rev().filter(|(at, ..)| *at >= keep) {
            let (part, kind) = (&standing.migration.down, self.books.history.kind());
            let steps = fold::operations(&mut after, part, kind).map_err(MigrationError::Files)?;
            let known = standing.known.clone();
            let run = Run {
                migration: standing.migration,
                direction: Direction::Down,
                resume: known.filter(|known| known.direction == Direction::Down),
                steps,
            };
            self.may_run(&run)?;
            runs.push(run);
        }
        Ok(runs)
    }

    fn may_run(&self, run: &Run<'_>) -> Result<(), MigrationError> {
        let steps = run.losses();
        if self.loss == Loss::Refused && !steps.is_empty() {
            let (name, direction) = (run.migration.title(), run.direction);
            return Err(MigrationError::Destructive {
                name,
                direction,
                steps,
            });
        }
        Ok(())
    }

    async fn run_all(
        &self,
        runs: Vec<Run<'_>>,
        done: &mut Vec<String>,
        report: Report<'_>,
    ) -> Result<(), MigrationError> {
        for run in runs {
            if self.books.db.dialect().transactional_ddl() {
                self.run_whole(&run, report).await?;
            } else {
                self.run_stepwise(&run, report).await?;
            }
            done.push(run.migration.title());
        }
        Ok(())
    }

    /// One transaction: all of it and its record, or nothing.
    async fn run_whole(&self, run: &Run<'_>, report: Report<'_>) -> Result<(), MigrationError> {
        let statements = run.statements(self.books.db.dialect());
        let mut tx = self.books.db.begin_restructuring().await?;
        for (place, statement) in statements.iter().enumerate() {
            run.tell(report, &statements, place);
            let ran = tx.execute(&statement.sql).await;
            ran.map_err(|error| run.failed(place, error))?;
        }
        let migration = run.migration;
        let line = match run.direction {
            Direction::Up => {
                let count = statements.len();
                self.books.record(migration, Direction::Up, count, count)
            }
            Direction::Down => self.books.forget(&migration.revision),
        };
        tx.execute(&line).await?;
        // SQLite looks at foreign keys here.
        let committed = tx.commit().await;
        committed.map_err(|error| run.failed(statements.len().saturating_sub(1), error))
    }

    /// Statement by statement with a journal, where DDL commits by itself: a run that was cut off
    /// goes on where it stopped.
    async fn run_stepwise(&self, run: &Run<'_>, report: Report<'_>) -> Result<(), MigrationError> {
        let statements = run.statements(self.books.db.dialect());
        let revision = run.migration.revision.as_str();
        let (mut done, mut in_doubt) = (0, false);
        match (&run.resume, run.direction) {
            (Some(known), _) => {
                done = usize::try_from(known.done).unwrap_or(0);
                in_doubt = known.begun > known.done;
            }
            (None, Direction::Up) => {
                let line = (self.books).record(run.migration, Direction::Up, statements.len(), 0);
                self.books.write(line).await?;
            }
            (None, Direction::Down) => {
                let line = self.books.turn(revision, statements.len());
                self.books.write(line).await?;
            }
        }
        for (place, statement) in statements.iter().enumerate().skip(done) {
            run.tell(report, &statements, place);
            self.run_step(run, place, statement, in_doubt).await?;
            in_doubt = false;
        }
        if run.direction == Direction::Down {
            self.books.write(self.books.forget(revision)).await?;
        }
        Ok(())
    }

    /// One statement and its mark. A change of rows is committed with its mark; DDL commits by
    /// itself, so the books say first that it has begun. `in_doubt`: an earlier run was cut off
    /// here, perhaps after the statement was done.
    async fn run_step(
        &self,
        run: &Run<'_>,
        place: usize,
        statement: &Rendered,
        in_doubt: bool,
    ) -> Result<(), MigrationError> {
        let revision = run.migration.revision.as_str();
        let failed = |error| match error {
            MigrationError::Db(error) => run.failed(place, error),
            known => known,
        };
        let finished = self.books.mark(revision, place, place + 1, place + 1);
        let step = Step::new(statement.sql.clone());
        if run.is_change_of_rows(statement) {
            let done = self.books.write_behind(vec![step], finished).await;
            return done.map_err(failed);
        }
        let begun = self.books.mark(revision, place, place + 1, place);
        self.books.write(begun).await.map_err(failed)?;
        match self.books.db.write(vec![step]).await {
            Ok(_) => {}
            Err(error) if in_doubt && error.says_already_done() => {}
            // Nobody knows whether it was done.
            Err(error @ (DbError::Unavailable(_) | DbError::Timeout)) => {
                return Err(run.failed(place, error));
            }
            Err(error) => {
                let not_begun = self.books.mark(revision, place, place, place);
                self.books.write(not_begun).await.map_err(failed)?;
                return Err(run.failed(place, error));
            }
        }
        self.books.write(finished).await.map_err(failed)
    }
}

/// Refuses to go one way where a run was cut off on the other.
fn not_turned(standings: &[Standing<'_>], wanted: Direction) -> Result<(), MigrationError> {
    for standing in standings {
        if let MigrationState::Interrupted {
            direction,
            done,
            of,
        } = standing.state
            && direction != wanted
        {
            let name = standing.migration.title();
            return Err(MigrationError::CutOff {
                name,
                direction,
                done,
                of,
            });
        }
    }
    Ok(())
}

fn find(migrations: &Migrations, target: &str) -> Result<usize, MigrationError> {
    let found = migrations.find(target);
    found.ok_or_else(|| MigrationError::Unknown(target.to_owned()))
}

impl Run<'_> {
    fn tell(&self, report: Report<'_>, statements: &[Rendered], place: usize) {
        let operation = statements
            .get(place)
            .and_then(|statement| self.steps.get(statement.operation))
            .map(|(operation, _)| operation.to_string())
            .unwrap_or_default();
        report(Progress {
            migration: &self.migration.title(),
            direction: self.direction,
            step: place + 1,
            of: statements.len(),
            operation: &operation,
        });
    }

    fn failed(&self, place: usize, error: DbError) -> MigrationError {
        let (name, step) = (self.migration.title(), place + 1);
        MigrationError::Step { name, step, error }
    }
}

/// The line in the books that a run goes on from.
pub(super) type Resume = Option<Recorded>;
