//! The engine's refusals in the API's words; never in the engine's.

use schema::{ForeignKey, Table};
use serde_json::json;
use sql::{DbError, Dialect, Ident, Kind, Query, Sql, Value};

use super::write::Done;
use super::{Context, Target, WritePlan};
use crate::error::Fault;
use crate::{ErrorKind, RestError};

/// What a failed unit means.
pub enum Explained {
    /// This.
    Error(RestError),
    /// It depends: SQLite does not say which foreign key failed. Run the queries; the first that
    /// gives no row tells, and its error is the answer, or the last one's if all give rows.
    Probe(Vec<(Query, RestError)>, RestError),
}

/// What is known of a table when its statement fails.
pub(crate) struct TableErrors {
    tables: Vec<Table>,
    named: Vec<(Ident, Value)>,
    denied: RestError,
    dialect: Dialect,
}

impl TableErrors {
    pub(crate) fn of(context: Context<'_>, target: Target<'_>, named: &[(Ident, Value)]) -> Self {
        Self {
            tables: vec![target.table.clone()],
            named: named.to_vec(),
            denied: RestError::denied(&target.table.name, context.is_anonymous()),
            dialect: context.dialect,
        }
    }

    pub(crate) fn of_tables(tables: Vec<Table>, denied: RestError, dialect: Dialect) -> Self {
        Self {
            tables,
            named: Vec::new(),
            denied,
            dialect,
        }
    }
}

impl WritePlan {
    /// Whether the foreign key's own columns stay as they are: rows that it points to have gone.
    fn is_left(&self, key: &ForeignKey) -> bool {
        let is_written = |column: &Ident| {
            let mut named = self.errors.named.iter();
            named.any(|(name, _)| name == column)
        };
        matches!(self.done, Done::Changed { .. }) && !key.columns.iter().any(is_written)
    }

    /// Says what a failed unit means.
    #[must_use]
    pub fn explain(&self, error: &DbError) -> Explained {
        let errors = &self.errors;
        let found = match error {
            DbError::Unexpected { step, affected } => match self.done {
                Done::Changed { step: own, .. } if own == *step => {
                    counted(*affected, self.most, "PGRST124")
                }
                Done::File { step: own, .. } if own == *step && self.most.is_some() => {
                    counted(*affected, self.most, "PGRST128")
                }
                _ => errors.denied.clone(),
            },
            DbError::Unique {
                constraint,
                columns,
            } => errors.unique(constraint.as_deref(), columns),
            DbError::ForeignKey {
                constraint: Some(name),
            } => match errors.foreign_key(name) {
                Some((table, key)) if !self.is_left(key) => reference(table, key),
                Some(_) | None => referenced(),
            },
            DbError::ForeignKey { constraint: None } => return errors.probe(),
            // The engine's own policies refuse what the statement's rules have let through.
            DbError::RowSecurity(_) => errors.denied.clone(),
            DbError::Check { constraint } => errors.check(constraint.as_deref()),
            DbError::NotNull { column } => {
                fault(column.as_deref(), "required", "23502", "is required")
            }
            DbError::DoesNotFit { column } => {
                fault(column.as_deref(), "too_long", "22001", "does not fit")
            }
            other => return Explained::Error(general(other)),
        };
        Explained::Error(found)
    }
}

/// What a failed read, or any other failure, means.
#[must_use]
pub(crate) fn general(error: &DbError) -> RestError {
    let (kind, code, message) = match error {
        DbError::Timeout => (ErrorKind::Timeout, "57014", "the statement took too long"),
        DbError::Unavailable(_) => (
            ErrorKind::Unavailable,
            "PGRST000",
            "the database cannot be reached now",
        ),
        DbError::Full(_) => (
            ErrorKind::StorageFull,
            "53100",
            "the database has no space left to write to",
        ),
        DbError::Conflict => (
            ErrorKind::Conflict,
            "40001",
            "others changed the same rows; try again",
        ),
        DbError::RowSecurity(_) => (ErrorKind::Denied, "42501", "the rules do not allow this"),
        DbError::ReadOnly | DbError::Denied(_) => (
            ErrorKind::Denied,
            "25006",
            "the database is read-only for this server",
        ),
        DbError::DoesNotFit { .. } => (
            ErrorKind::BadRequest,
            "22003",
            "a result is larger than its type",
        ),
        _ => (
            ErrorKind::Internal,
            "XX000",
            "the statement failed; the log says why",
        ),
    };
    RestError::new(kind, code, message)
}

impl RestError {
    /// What a failed read means.
    #[must_use]
    pub fn of_read(error: &DbError) -> Self {
        general(error)
    }
}

/// Another number of rows than was asked for.
fn counted(affected: u64, most: Option<u64>, code: &'static str) -> RestError {
    match most {
        Some(most) => {
            let message = format!("{affected} rows would change, more than {most}");
            RestError::new(ErrorKind::BadRequest, code, message)
                .hint("name fewer rows, or raise max-affected")
        }
        None => RestError::new(
            ErrorKind::NotAcceptable,
            "PGRST116",
            "exactly one row was asked for",
        )
        .details(json!(format!("The result contains {affected} rows"))),
    }
}

fn fault(
    column: Option<&str>,
    code: &'static str,
    sqlstate: &'static str,
    what: &str,
) -> RestError {
    let column = column.unwrap_or_default();
    let message = format!("{column} {what}");
    let fault = Fault {
        pointer: format!("/{column}"),
        code,
        message: message.clone(),
    };
    let mut error = RestError::faults("the body", &[fault]);
    error.code = sqlstate.into();
    error.message = message;
    error
}

fn reference(table: &Table, key: &ForeignKey) -> RestError {
    let columns: Vec<&str> = key.columns.iter().map(Ident::as_str).collect();
    let message = format!("{} points to no row of {}", columns.join(", "), key.target);
    RestError::new(ErrorKind::Conflict, "23503", message)
        .details(json!({"table": table.name.as_str(), "columns": columns, "references": key.target.as_str()}))
}

fn referenced() -> RestError {
    RestError::new(ErrorKind::Conflict, "23503", "other rows point to this one")
        .hint("delete or change those first")
}

impl TableErrors {
    fn unique(&self, constraint: Option<&str>, columns: &[String]) -> RestError {
        let by_name = |table: &Table| -> Option<Vec<String>> {
            let name = constraint?;
            let texts = |columns: &[Ident]| columns.iter().map(ToString::to_string).collect();
            if let Some(unique) = table.uniques.iter().find(|unique| unique.name == *name) {
                return Some(texts(&unique.columns));
            }
            if let Some(index) = table.indexes.iter().find(|index| index.name == *name) {
                return Some(texts(&index.columns()));
            }
            let primary = table.primary_key.as_ref()?;
            (primary.name == *name || name == "PRIMARY").then(|| texts(&primary.columns))
        };
        let columns = match columns {
            [] => self.tables.iter().find_map(by_name).unwrap_or_default(),
            named => named.to_vec(),
        };
        let message = format!("a row with this {} exists already", columns.join(", "));
        RestError::new(ErrorKind::Conflict, "23505", message).details(json!({"columns": columns}))
    }

    fn foreign_key(&self, name: &str) -> Option<(&Table, &ForeignKey)> {
        self.tables.iter().find_map(|table| {
            let key = table.foreign_keys.iter().find(|key| key.name == *name)?;
            Some((table, key))
        })
    }

    fn check(&self, constraint: Option<&str>) -> RestError {
        let check = self
            .tables
            .iter()
            .flat_map(|table| &table.checks)
            .find(|check| constraint.is_some_and(|name| check.name == *name));
        let Some(check) = check else {
            return fault(None, "check", "23514", "a check is not met");
        };
        let column = check.column.as_ref().map(Ident::as_str);
        let condition = check.expr.to_string().replace('"', "");
        fault(
            column,
            "check",
            "23514",
            &format!("must satisfy {condition}"),
        )
    }

    /// One query for each foreign key whose columns were written: does its target exist?
    fn probe(&self) -> Explained {
        let mut probes = Vec::new();
        for table in &self.tables {
            for key in &table.foreign_keys {
                let values: Option<Vec<&Value>> = key
                    .columns
                    .iter()
                    .map(|column| {
                        let found = self.named.iter().find(|(name, _)| name == column);
                        found
                            .map(|(_, value)| value)
                            .filter(|value| !value.is_null())
                    })
                    .collect();
                let Some(values) = values else { continue };
                let mut sql = Sql::new(self.dialect);
                sql.push("select 1 from ")
                    .ident(&key.target)
                    .push(" where 1 = 1");
                for (column, value) in key.target_columns.iter().zip(values) {
                    sql.push(" and ")
                        .ident(column)
                        .push(" = ")
                        .arg(value.clone());
                }
                probes.push((
                    Query::short(sql, vec![Kind::Integer]),
                    reference(table, key),
                ));
            }
        }
        let last = match self.tables.as_slice() {
            [table] if probes.is_empty() => match table.foreign_keys.as_slice() {
                [key] => reference(table, key),
                _ => referenced(),
            },
            _ => referenced(),
        };
        Explained::Probe(probes, last)
    }
}
