//! What a run would do: its statements, the rows that they meet, what they lock, what is lost.

use std::fmt::Write as _;

use sql::{Db, DbResult, Dialect, Ident, Kind, Query, Sql, Value};

use super::MigrationError;
use super::advice::advice;
use super::books::{Books, Direction};
use super::file::Migration;
use super::runner::Resume;
use crate::{Catalog, Operation, Rendered, render_operations};

/// A migration on its way, up or down.
pub(super) struct Run<'m> {
    pub(super) migration: &'m Migration,
    pub(super) direction: Direction,
    pub(super) resume: Resume,
    /// Its operations, each with the catalog that it leads to.
    pub(super) steps: Vec<(Operation, Catalog)>,
}

impl Run<'_> {
    pub(super) fn statements(&self, dialect: Dialect) -> Vec<Rendered> {
        render_operations(&self.steps, dialect)
    }

    /// The steps that take rows or values away.
    pub(super) fn losses(&self) -> Vec<String> {
        self.steps
            .iter()
            .filter(|(operation, _)| operation.is_destructive())
            .map(|(operation, _)| operation.to_string())
            .collect()
    }

    pub(super) fn is_change_of_rows(&self, statement: &Rendered) -> bool {
        let step = self.steps.get(statement.operation);
        match step.map(|(operation, _)| operation) {
            Some(Operation::Change(_)) => true,
            // Whoever writes DDL for one engine by hand writes it so that it can run twice.
            Some(Operation::Native { run: native, .. }) => {
                let word = native.text.split_whitespace().next().unwrap_or_default();
                ["insert", "update", "delete"].contains(&word.to_ascii_lowercase().as_str())
            }
            Some(_) | None => false,
        }
    }
}

/// What a migration would do to a database.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Revision and name.
    pub migration: String,
    /// Which way.
    pub direction: Direction,
    /// Statements that a run which was cut off has done already.
    pub done: usize,
    /// Its steps.
    pub steps: Vec<PlannedStep>,
}

/// One step of a plan.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// `add column users.bio`
    pub operation: String,
    /// The engine's statements; none, where it has nothing to do or does it with the next step.
    pub statements: Vec<String>,
    /// Rows of the table that it meets; `None` where the table is not there yet.
    pub rows: Option<i64>,
    /// Rows or values that it takes away.
    pub lost: Option<i64>,
    /// What it locks and for how long, on this engine.
    pub locks: Option<&'static str>,
    /// How to do it while servers of the old version run.
    pub advice: Option<&'static str>,
}

impl Plan {
    pub(super) async fn of(run: &Run<'_>, db: &Db) -> DbResult<Self> {
        let statements = run.statements(db.dialect());
        let mut steps = Vec::new();
        for (place, (operation, _)) in run.steps.iter().enumerate() {
            let own = statements.iter().filter(|one| one.operation == place);
            let rows = match operation {
                Operation::CreateTable { .. }
                | Operation::CreateView(_)
                | Operation::DropView(_)
                | Operation::Comment { .. }
                | Operation::Native { .. } => None,
                other => match other.table() {
                    Some(table) => count(db, table, None).await?,
                    None => None,
                },
            };
            let lost = match operation {
                Operation::DropTable(_) => rows,
                Operation::DropColumn { table, column } => {
                    count(db, table, Some(&column.name)).await?
                }
                _ => None,
            };
            let (locks, advice) = advice(operation, db.dialect());
            steps.push(PlannedStep {
                operation: operation.to_string(),
                statements: own.map(|one| one.sql.text().to_owned()).collect(),
                rows,
                lost,
                locks,
                advice,
            });
        }
        let done = run.resume.as_ref().map_or(0, |known| known.done);
        Ok(Self {
            migration: run.migration.title(),
            direction: run.direction,
            done: usize::try_from(done).unwrap_or(0),
            steps,
        })
    }
}

/// The rows of a table, or those in which a column has a value; `None` where there is no such
/// table or column yet.
async fn count(db: &Db, table: &Ident, column: Option<&Ident>) -> DbResult<Option<i64>> {
    let mut sql = Sql::new(db.dialect());
    sql.push("select count(*) from ").ident(table);
    if let Some(column) = column {
        sql.push(" where ").ident(column).push(" is not null");
    }
    match db.optional(&Query::long(sql, vec![Kind::BigInt])).await {
        Ok(row) => Ok(row.and_then(|row| match row.0.first() {
            Some(Value::Int(count)) => Some(*count),
            _ => None,
        })),
        Err(sql::DbError::Other(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs as a script for the engine's own shell. `with_books`: the database has none yet.
pub(super) fn script(
    runs: &[Run<'_>],
    books: &Books<'_>,
    with_books: bool,
) -> Result<String, MigrationError> {
    let dialect = books.db.dialect();
    let mut text = String::new();
    let mut say = |line: &str| {
        let _ = writeln!(text, "{line}");
    };
    match dialect {
        // Backslashes are characters like others, as in every session of Pilaster.
        Dialect::MySql | Dialect::MariaDb => {
            say("set session sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES');");
            say("set session time_zone = '+00:00';");
        }
        Dialect::Sqlite => say("pragma foreign_keys = off;"),
        Dialect::Postgres => {}
    }
    if with_books && !runs.is_empty() {
        for table in books.tables()? {
            say(&format!("{};", table.text()));
        }
        say(
            "insert into auth_migration_lock (id, holder, held_until) values (1, '', '1970-01-01');",
        );
    }
    for run in runs {
        say(&format!(
            "\n-- {} {}",
            run.migration.title(),
            run.direction.name()
        ));
        if dialect.transactional_ddl() {
            say("begin;");
        }
        let statements = run.statements(dialect);
        for statement in &statements {
            say(&format!("{};", statement.sql.text()));
        }
        let line = match run.direction {
            Direction::Up => books.record_as_text(run.migration, statements.len()),
            Direction::Down => books.forget_as_text(&run.migration.revision),
        };
        say(&format!("{};", line.text()));
        if dialect.transactional_ddl() {
            say("commit;");
        }
    }
    Ok(text)
}
