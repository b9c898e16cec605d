//! Expressions as DDL has them: constants quoted, nothing bound, columns bare.

use sql::{Dialect, Ident, Sql, Value};

use super::{Environment, ExpressionWriter};
use crate::{AuthFunction, Expr, ExprKind, Literal, Type};

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
        ExprKind::Literal(Literal::Decimal(text)) => match sql.dialect() {
            // SQLite keeps decimals as text.
            Dialect::Sqlite => {
                sql.quoted(text);
            }
            Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => {
                sql.push("cast(").quoted(text).push(" as decimal(38,10))");
            }
        },
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

impl ExpressionWriter<'_> {
    /// Writes an expression with its constants quoted in place.
    fn ddl(&mut self, expr: &Expr) {
        self.quoting = true;
        self.expression(expr, None);
        self.quoting = false;
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
        // quote in a default would break the table; hexadecimal digits cannot.
        (Dialect::MySql, _) if text.contains('\'') => {
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

fn now(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "(strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')",
        Dialect::Postgres => "now()",
        Dialect::MySql | Dialect::MariaDb => "(utc_timestamp(6))",
    }
}

fn new_id(dialect: Dialect) -> &'static str {
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
