//! Expressions as DDL has them: constants quoted, nothing bound, columns bare.

use sql::{Dialect, Ident, Sql, Value};

use super::{Environment, ExpressionWriter, WriteRules};
use crate::{AuthFunction, Expr, ExprKind, Literal, Query, Type, Write};

/// DDL has no caller; the checker lets nothing of one in.
struct Nobody;

impl Environment for Nobody {
    fn auth(&self, _: &AuthFunction) -> Value {
        Value::Null
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn new_id(&self, _: bool) -> uuid::Uuid {
        uuid::Uuid::nil()
    }

    fn parameter(&self, _: usize) -> Value {
        Value::Null
    }

    fn row_filter(&self, _: &Ident) -> Option<&Expr> {
        None
    }
}

/// A policy asks the engine, which keeps the views apart from what is beneath.
struct Policies;

impl Environment for Policies {
    fn auth(&self, function: &AuthFunction) -> Value {
        Nobody.auth(function)
    }

    fn now(&self) -> jiff::Timestamp {
        Nobody.now()
    }

    fn new_id(&self, ordered: bool) -> uuid::Uuid {
        Nobody.new_id(ordered)
    }

    fn parameter(&self, place: usize) -> Value {
        Nobody.parameter(place)
    }

    fn row_filter(&self, _: &Ident) -> Option<&Expr> {
        None
    }

    fn reads_open_views(&self) -> bool {
        true
    }
}

/// Writes an expression into DDL.
pub fn ddl_expression(sql: &mut Sql, expr: &Expr) {
    match &expr.kind {
        ExprKind::Now => {
            sql.push(now(sql.dialect()));
        }
        ExprKind::NewId { .. } => {
            sql.push(new_id(sql.dialect()));
        }
        ExprKind::Literal(Literal::Text(text)) => literal(sql, text, expr.ty.as_ref()),
        ExprKind::Literal(Literal::Decimal(text)) => decimal(sql, text),
        ExprKind::Literal(Literal::Bool(value)) => {
            sql.push(match (sql.dialect(), value) {
                (Dialect::Sqlite, true) => "1",
                (Dialect::Sqlite, false) => "0",
                (_, true) => "true",
                (_, false) => "false",
            });
        }
        _ => ExpressionWriter::new(sql, &Nobody).ddl(expr),
    }
}

/// Writes the engine's own clock.
pub fn ddl_now(sql: &mut Sql) {
    sql.push(now(sql.dialect()));
}

/// Writes a statement of a migration that changes rows.
pub fn ddl_write(sql: &mut Sql, write: &Write) {
    let mut writer = ExpressionWriter::new(sql, &Nobody);
    writer.quoting = true;
    writer.write(write, WriteRules::default());
}

/// Writes a rule over the rows of `table` as PostgreSQL's own policy: facts about the caller are
/// asked of functions of the schema `auth`, once for each statement.
pub fn ddl_policy(sql: &mut Sql, rule: &Expr, table: &Ident) {
    let mut writer = ExpressionWriter::new(sql, &Policies);
    (writer.quoting, writer.asking) = (true, true);
    // By the table's name: a bare column would be one of a query within.
    writer.expression(rule, Some(table));
}

/// `(select auth.…)`: a sub-query of its own is worked out once.
pub(super) fn auth(sql: &mut Sql, function: &AuthFunction) {
    let (name, argument) = match function {
        AuthFunction::Uid => ("uid(", None),
        AuthFunction::Role => ("role(", None),
        AuthFunction::Acr => ("acr(", None),
        AuthFunction::HasRole(role) => ("has_role(", Some(role)),
        AuthFunction::HasScope(scope) => ("has_scope(", Some(scope)),
        AuthFunction::Claim(claim) => ("claim(", Some(claim)),
    };
    sql.push("(select auth.").push(name);
    if let Some(argument) = argument {
        sql.quoted(argument);
    }
    sql.push("))");
}

/// Writes the query of a view.
pub fn ddl_query(sql: &mut Sql, query: &Query) {
    let mut writer = ExpressionWriter::new(sql, &Nobody);
    writer.quoting = true;
    writer.query(query);
}

impl ExpressionWriter<'_> {
    /// Writes an expression with its constants quoted in place.
    fn ddl(&mut self, expr: &Expr) {
        self.quoting = true;
        self.expression(expr, None);
        self.quoting = false;
    }
}

/// A decimal; SQLite keeps them as text.
pub(super) fn decimal(sql: &mut Sql, text: &str) {
    match sql.dialect() {
        Dialect::Sqlite => {
            sql.quoted(text);
        }
        Dialect::Postgres => {
            sql.push("cast(").quoted(text).push(" as decimal)");
        }
        Dialect::MySql | Dialect::MariaDb => {
            sql.push("cast(").quoted(text).push(" as decimal(38,10))");
        }
    }
}

/// A constant in quotes, as the engine stores it.
pub(super) fn literal(sql: &mut Sql, text: &str, ty: Option<&Type>) {
    match (sql.dialect(), ty) {
        (Dialect::MySql, Some(Type::Uuid)) => {
            sql.push("uuid_to_bin(").quoted(text).push(")");
        }
        (Dialect::MySql | Dialect::MariaDb, Some(Type::Timestamp)) => {
            // `2026-11-21T04:00:00.000000Z` without its letters.
            let plain = text.replace('T', " ").replace('Z', "");
            sql.quoted(&plain);
        }
        // MySQL keeps an expression's text with backslash escapes and reads it without them, so a
        // quote in a default would break the table, and a backslash would be two; hexadecimal
        // digits cannot.
        (Dialect::MySql, _) if text.contains(|it: char| it == '\'' || it == '\\' || it < ' ') => {
            let digits: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            sql.push("convert(unhex(")
                .quoted(&digits.concat())
                .push(") using utf8mb4)");
        }
        _ => {
            sql.quoted(text);
        }
    }
}

pub(super) fn now(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "(strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')",
        Dialect::Postgres => "now()",
        Dialect::MySql | Dialect::MariaDb => "(utc_timestamp(6))",
    }
}

/// The engine's clock, shifted by a span as jiff reads it (`7 days`, `-1 hour`).
pub(super) fn now_plus(sql: &mut Sql, distance: &str, asking: bool) {
    let span = distance.parse::<jiff::Span>().unwrap_or_default();
    let parts = [
        ("year", i64::from(span.get_years())),
        ("month", i64::from(span.get_months())),
        (
            "day",
            i64::from(span.get_weeks()) * 7 + i64::from(span.get_days()),
        ),
        ("hour", i64::from(span.get_hours())),
        ("minute", span.get_minutes()),
        ("second", span.get_seconds()),
    ];
    let parts = parts.into_iter().filter(|(_, count)| *count != 0);
    let dialect = sql.dialect();
    sql.push(match dialect {
        Dialect::Sqlite => "(strftime('%Y-%m-%dT%H:%M:%f', 'now'",
        Dialect::Postgres if asking => "((select auth.now())",
        Dialect::Postgres => "(now()",
        Dialect::MySql | Dialect::MariaDb => "(utc_timestamp(6)",
    });
    for (unit, count) in parts {
        match dialect {
            Dialect::Sqlite => sql.push(", ").quoted(&format!("{count:+} {unit}s")),
            Dialect::Postgres => sql.push(" + interval ").quoted(&format!("{count} {unit}s")),
            Dialect::MySql | Dialect::MariaDb => {
                sql.push(if count < 0 {
                    " - interval "
                } else {
                    " + interval "
                });
                sql.number(count.unsigned_abs()).push(" ").push(unit)
            }
        };
    }
    sql.push(match dialect {
        Dialect::Sqlite => ") || '000Z')",
        Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => ")",
    });
}

pub(super) fn new_id(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || \
             substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || \
             substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))"
        }
        Dialect::Postgres => "gen_random_uuid()",
        Dialect::MariaDb => "(uuid())",
        Dialect::MySql => "(uuid_to_bin(uuid()))",
    }
}
