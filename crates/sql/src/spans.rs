//! Spans of statements, for whoever collects traces: which kind of statement, on which engine, how
//! many rows. Neither the statement's text nor what is bound to it.

use tracing::{Instrument as _, Span, field};

use crate::{DbError, DbResult, Dialect, Outcome, RowRef, RowSink, Sql, Step};

/// What spans of this room are filtered by; nobody sees them where no traces are collected.
pub const TRACE_TARGET: &str = "pilaster_trace";

/// The name that OpenTelemetry has for an engine (`db.system.name`).
fn system(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgresql",
        Dialect::MySql => "mysql",
        Dialect::MariaDb => "mariadb",
    }
}

/// The first word of a statement, as `SELECT`.
fn operation(sql: &Sql) -> String {
    let word = sql.text().split_whitespace().next().unwrap_or_default();
    word.trim_matches('(').to_uppercase()
}

/// A span of one statement; disabled, and free, where no traces are collected.
pub(crate) fn statement(dialect: Dialect, sql: &Sql) -> Span {
    span(dialect, || operation(sql), 1)
}

/// The same of several statements that are sent together.
pub(crate) fn statements(dialect: Dialect, count: usize) -> Span {
    span(dialect, || String::from("BATCH"), count)
}

fn span(dialect: Dialect, operation: impl FnOnce() -> String, statements: usize) -> Span {
    if !tracing::enabled!(target: TRACE_TARGET, tracing::Level::INFO) {
        return Span::none();
    }
    let (operation, system) = (operation(), system(dialect));
    let statements = i64::try_from(statements).unwrap_or(i64::MAX);
    tracing::info_span!(
        target: TRACE_TARGET,
        "query",
        otel.name = %format_args!("{operation} {system}"),
        otel.kind = "client",
        otel.status_code = field::Empty,
        db.system.name = system,
        db.operation.name = operation,
        db.response.returned_rows = field::Empty,
        error.r#type = field::Empty,
        app.statements = statements,
        app.result_length = field::Empty,
    )
}

/// Counts the rows that pass to another sink.
pub(crate) struct Counted<'s> {
    sink: &'s mut (dyn RowSink + Send),
    pub(crate) rows: u64,
}

impl<'s> Counted<'s> {
    pub(crate) fn new(sink: &'s mut (dyn RowSink + Send)) -> Self {
        Self { sink, rows: 0 }
    }
}

impl RowSink for Counted<'_> {
    fn row(&mut self, row: &RowRef<'_>) -> DbResult<()> {
        self.rows += 1;
        self.sink.row(row)
    }
}

/// Runs work within a span; `rows` says how many rows its result is.
pub(crate) async fn traced<T>(
    span: Span,
    work: impl Future<Output = DbResult<T>>,
    rows: impl FnOnce(&T) -> u64,
) -> DbResult<T> {
    let result = work.instrument(span.clone()).await;
    end(&span, result.as_ref().map(rows));
    result
}

/// The rows that a unit changed or gave.
pub(crate) fn affected(outcomes: &[Outcome]) -> u64 {
    outcomes.iter().map(|outcome| outcome.affected).sum()
}

/// The span of a unit.
pub(crate) fn unit(dialect: Dialect, unit: &[Step]) -> Span {
    match unit {
        [step] => statement(dialect, &step.sql),
        steps => statements(dialect, steps.len()),
    }
}

/// Tells how it went: the rows, or the kind of the error without a value.
pub(crate) fn end(span: &Span, rows: Result<u64, &DbError>) {
    match rows {
        Ok(rows) => {
            // As numbers of OpenTelemetry, which are signed.
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            span.record("app.result_length", rows);
            span.record("db.response.returned_rows", rows);
        }
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.without_values());
        }
    }
}
