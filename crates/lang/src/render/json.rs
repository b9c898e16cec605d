//! JSON built by the database, in the wire's spelling.
//!
//! PostgreSQL builds `json` (which keeps the order of keys). SQLite, MySQL and MariaDB write the
//! text of arrays by `group_concat` over their members: MySQL's JSON type sorts keys, and
//! SQLite's and MariaDB's aggregates forget that a member is JSON when they sort.

use sql::Dialect;

use super::ExpressionWriter;
use crate::{Expr, OrderItem, Type};

impl ExpressionWriter<'_> {
    pub(super) fn json_object(&mut self, members: &[(String, Expr)]) {
        match self.sql.dialect() {
            Dialect::Postgres => self.object_call("json_build_object(", members),
            Dialect::Sqlite => self.object_call("json_object(", members),
            Dialect::MySql | Dialect::MariaDb => {
                self.sql.push("concat('{'");
                for (place, (key, value)) in members.iter().enumerate() {
                    self.sql.push(if place == 0 { ", " } else { ", ',', " });
                    self.sql.push("json_quote(").quoted(key).push("), ':', ");
                    self.json_text(value);
                }
                self.sql.push(", '}')");
            }
        }
    }

    fn object_call(&mut self, function: &'static str, members: &[(String, Expr)]) {
        self.sql.push(function);
        for (place, (key, value)) in members.iter().enumerate() {
            if place > 0 {
                self.sql.push(", ");
            }
            self.sql.quoted(key).push(", ");
            self.json_argument(value);
        }
        self.sql.push(")");
    }

    pub(super) fn json_agg(&mut self, element: &Expr, order: &[OrderItem]) {
        match self.sql.dialect() {
            Dialect::Postgres => {
                self.sql.push("coalesce(json_agg(");
                self.json_argument(element);
                self.order_by(order);
                self.sql.push("), '[]'::json)");
            }
            Dialect::Sqlite => {
                self.sql.push("('[' || coalesce(group_concat(");
                self.json_text(element);
                self.sql.push(", ','");
                self.order_by(order);
                self.sql.push("), '') || ']')");
            }
            Dialect::MySql | Dialect::MariaDb => {
                self.sql.push("concat('[', coalesce(group_concat(");
                self.json_text(element);
                self.order_by(order);
                self.sql.push(" separator ','), ''), ']')");
            }
        }
    }

    /// A value that the engine's own JSON function turns into the right JSON.
    fn json_argument(&mut self, value: &Expr) {
        match (self.sql.dialect(), value.ty.as_ref()) {
            (Dialect::Sqlite, Some(Type::Json)) => {
                self.sql.push("json(");
                self.expr(value);
                self.sql.push(")");
            }
            (Dialect::Sqlite, Some(Type::Boolean)) => {
                self.sql.push("json(");
                self.boolean_text(value);
                self.sql.push(")");
            }
            (
                Dialect::Postgres,
                Some(Type::Timestamp | Type::Time | Type::Numeric { .. } | Type::Bytes),
            ) => {
                self.as_text(value);
            }
            _ => self.expr(value),
        }
    }

    /// A value as the text of its JSON, `null` included.
    fn json_text(&mut self, value: &Expr) {
        self.sql.push("coalesce(");
        match &value.ty {
            Some(Type::Json) => self.expr(value),
            Some(Type::Boolean) => self.boolean_text(value),
            Some(Type::SmallInt | Type::Integer | Type::BigInt | Type::Real | Type::Double) => {
                self.sql.push("cast(");
                self.expr(value);
                self.sql.push(match self.sql.dialect() {
                    Dialect::Sqlite | Dialect::Postgres => " as text)",
                    Dialect::MySql | Dialect::MariaDb => " as char)",
                });
            }
            _ => {
                self.sql.push("json_quote(");
                self.as_text(value);
                self.sql.push(")");
            }
        }
        self.sql.push(", 'null')");
    }

    fn boolean_text(&mut self, value: &Expr) {
        self.sql.push("case when ");
        self.expr(value);
        self.sql.push(" then 'true' when not ");
        self.expr(value);
        self.sql.push(" then 'false' end");
    }

    /// A value as text in the wire's spelling.
    pub(super) fn as_text(&mut self, value: &Expr) {
        let (open, close) = match self.sql.dialect() {
            // SQLite stores the wire's spelling.
            Dialect::Sqlite => ("cast(", " as text)"),
            Dialect::Postgres => match &value.ty {
                Some(Type::Timestamp) => (
                    "to_char(",
                    " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
                ),
                Some(Type::Time) => ("to_char(", ", 'HH24:MI:SS.US')"),
                Some(Type::Bytes) => ("translate(encode(", ", 'base64'), E'\\n', '')"),
                _ => ("cast(", " as text)"),
            },
            dialect @ (Dialect::MySql | Dialect::MariaDb) => match &value.ty {
                Some(Type::Timestamp) => ("date_format(", ", '%Y-%m-%dT%H:%i:%s.%fZ')"),
                Some(Type::Time) => ("time_format(", ", '%H:%i:%s.%f')"),
                Some(Type::Bytes) => ("replace(to_base64(", "), char(10), '')"),
                Some(Type::Uuid) if dialect == Dialect::MySql => ("bin_to_uuid(", ")"),
                Some(Type::Text | Type::Varchar(_)) => ("(", ")"),
                _ => ("cast(", " as char)"),
            },
        };
        self.sql.push(open);
        self.expr(value);
        self.sql.push(close);
    }
}
