//! The engine's own plan of a read (`application/vnd.pgrst.plan`).

use sql::{DbResult, Dialect, Kind, Query, RowRef, RowSink, Sql, ValueRef};

use super::Context;
use crate::request::{EXPLAIN_OPTIONS, Explanation};
use crate::{ErrorKind, RestError};

/// Plans tell of tables and indexes, so only who may see them asks.
pub(super) fn require(context: Context<'_>) -> Result<(), RestError> {
    match context.limits.plans {
        true => Ok(()),
        false => Err(RestError::new(
            ErrorKind::NotAcceptable,
            "PGRST107",
            "plans are not shown here",
        )
        .hint("the operator allows them with api.plans = \"on\"")),
    }
}

/// `explain …`, before a statement.
pub(super) fn write_explain(sql: &mut Sql, explanation: Explanation) {
    match sql.dialect() {
        Dialect::Sqlite => {
            sql.push("explain query plan ");
        }
        Dialect::MySql | Dialect::MariaDb => {
            sql.push(match (explanation.json, sql.dialect()) {
                (true, _) => "explain format=json ",
                (false, Dialect::MySql) => "explain format=tree ",
                (false, _) => "explain format=json ",
            });
        }
        Dialect::Postgres => {
            sql.push("explain (format ");
            sql.push(if explanation.json { "json" } else { "text" });
            let runs = explanation.options[0];
            for (is_wanted, option) in explanation.options.iter().zip(EXPLAIN_OPTIONS) {
                // These two tell of a run.
                let needs_run = matches!(option, "buffers" | "wal");
                if *is_wanted && (runs || !needs_run) {
                    sql.push(", ").push(option);
                }
            }
            sql.push(") ");
        }
    }
}

/// The explaining statement's columns: one text, but for SQLite, which has the text last.
pub(super) fn explained(sql: Sql) -> Query {
    let kinds = match sql.dialect() {
        Dialect::Sqlite => vec![Kind::Integer, Kind::Integer, Kind::Integer, Kind::Text],
        Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => vec![Kind::Text],
    };
    Query::long(sql, kinds)
}

/// Takes the lines of a plan.
#[derive(Debug)]
pub(super) struct Lines {
    texts: Vec<String>,
    json: bool,
    dialect: Dialect,
}

impl Lines {
    pub(super) fn new(explanation: Explanation, dialect: Dialect) -> Self {
        Self {
            texts: Vec::new(),
            json: explanation.json,
            dialect,
        }
    }

    /// The plan as one body.
    pub(super) fn finish(self) -> Vec<u8> {
        match (self.json, self.dialect) {
            (true, Dialect::Sqlite) => serde_json::json!(self.texts).to_string().into_bytes(),
            (true, Dialect::MySql | Dialect::MariaDb) => {
                format!("[{}]", self.texts.join("")).into_bytes()
            }
            (true, Dialect::Postgres) | (false, _) => self.texts.join("\n").into_bytes(),
        }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }
}

impl RowSink for Lines {
    fn row(&mut self, row: &RowRef<'_>) -> DbResult<()> {
        let place = match self.dialect {
            Dialect::Sqlite => 3,
            Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => 0,
        };
        match row.get(place, Kind::Text)? {
            ValueRef::Text(line) => self.texts.push(line.to_string()),
            other => self.texts.push(format!("{other:?}")),
        }
        Ok(())
    }
}
