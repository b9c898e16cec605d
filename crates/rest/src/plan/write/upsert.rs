//! Inserting rows of which some are there already (`Prefer: resolution=…`).
//!
//! One unit for all engines: what is there is changed, what is missing is made, and where a rule
//! forbids either the whole is taken back, as PostgreSQL does with `ON CONFLICT DO UPDATE`.

use lang::{BinaryOp, Expr, ExpressionWriter};
use lang::{InsertSource, Span, Taken, WriteKind, WriteRules};
use sql::{Dialect, Ident, Sql, Step, Value};

use super::super::body::Rows;
use super::change::none_expected;
use super::insert::with_checked_columns;
use super::shown::{Shown, returning};
use super::{Done, WritePlan, Writer, missing_row};
use crate::access::{RequestEnvironment, as_constant, join};
use crate::request::Resolution;
use crate::{ErrorKind, RestError};

/// Rows of one statement.
const ROWS_PER_STATEMENT: usize = 250;

/// The alias of the given rows.
const GIVEN: Ident = Ident::of("n");

/// The alias of rows as they would be.
const CHANGED: Ident = Ident::of("m");

impl Writer<'_, '_> {
    /// `named`: the columns that the body gives, which are what a merge changes.
    pub(super) fn upsert(&self, rows: &Rows, named: &[String]) -> Result<WritePlan, RestError> {
        let key = self.conflict_key(rows)?;
        let merges = self.prefer.resolution == Resolution::Merge;
        let rows = Self::distinct(rows, &key, merges)?;
        let changed: Vec<Ident> = rows
            .columns
            .iter()
            .filter(|column| {
                let is_named = named.iter().any(|name| **column == *name.as_str());
                is_named && !key.contains(*column)
            })
            .cloned()
            .collect();
        if merges {
            self.require_updatable(&changed)?;
        }
        let mut unit = Vec::new();
        let mut made = Vec::new();
        for part in rows.rows.chunks(ROWS_PER_STATEMENT) {
            let part = Rows {
                columns: rows.columns.clone(),
                rows: part.to_vec(),
            };
            if merges && !changed.is_empty() {
                self.merge(&mut unit, &part, &key, &changed);
            }
            self.guard_made(&mut unit, &part, &key);
            made.push(self.make(&part, &key));
        }
        let first = unit.len();
        let shown = self.show_merged(&mut unit, made, &rows, &key, merges)?;
        let step = match shown {
            Shown::New { step, .. } => step + 1,
            _ => first,
        };
        let done = Done::Merged {
            rows: rows.rows.len() as u64,
            step,
        };
        Ok(self.write_of(unit, done, shown, &[]))
    }

    /// The key that tells whether a row is there: `on_conflict`, or the primary one.
    fn conflict_key(&self, rows: &Rows) -> Result<Vec<Ident>, RestError> {
        let table = self.table();
        let key = match &self.read.on_conflict {
            None => self.primary().to_vec(),
            Some(names) => {
                let columns = names.iter().map(|name| {
                    let insertable = self.target.access.insertable();
                    let found = insertable.iter().find(|column| **column == *name.as_str());
                    found
                        .cloned()
                        .ok_or_else(|| RestError::column(&table.name, name, insertable.iter()))
                });
                columns.collect::<Result<_, _>>()?
            }
        };
        let wrong = |message: String, hint: &str| {
            Err(RestError::new(ErrorKind::BadRequest, "42P10", message).hint(hint))
        };
        if key.is_empty() || !table.is_key(&key) {
            let names = key.iter().map(Ident::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("{names} is no key of {}", table.name);
            return wrong(
                message,
                "on_conflict names the columns of a primary key or UNIQUE",
            );
        }
        match key.iter().all(|column| rows.columns.contains(column)) {
            true => Ok(key),
            false => wrong(
                String::from("the body does not give the whole key"),
                "send the columns of the key, or insert without resolution",
            ),
        }
    }

    /// A key stands in the body once; of those to be ignored, the first one counts.
    fn distinct(rows: &Rows, key: &[Ident], merges: bool) -> Result<Rows, RestError> {
        let keys = rows.values_of(key).unwrap_or_default();
        let mut kept: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for (key, row) in keys.into_iter().zip(&rows.rows) {
            if seen.insert(format!("{key:?}")) {
                kept.push((key, row.clone()));
            } else if merges {
                let message = "the body changes the same row twice";
                return Err(RestError::new(ErrorKind::BadRequest, "21000", message)
                    .hint("send each key once"));
            }
        }
        Ok(Rows {
            columns: rows.columns.clone(),
            rows: kept.into_iter().map(|(_, row)| row).collect(),
        })
    }

    fn require_updatable(&self, changed: &[Ident]) -> Result<(), RestError> {
        let updatable = self.target.access.updatable();
        match changed.iter().all(|column| updatable.contains(column)) {
            true => Ok(()),
            false => Err(self.denied()),
        }
    }

    /// Adds the change of the rows that are there, with its guards.
    fn merge(&self, unit: &mut Vec<Step>, rows: &Rows, key: &[Ident], changed: &[Ident]) {
        let access = self.target.access;
        let table = &self.table().name;
        let using = join(
            BinaryOp::And,
            access.update_using.clone(),
            access.read.clone(),
        );
        if as_constant(&using) != Some(true) {
            unit.push(none_expected(self.kept_back(rows, key, &using)));
        }
        if let Some(check) = self.check_of_changes(&changed.iter().collect::<Vec<_>>()) {
            let mut sql = Sql::new(self.context.dialect);
            sql.push("select 1 from (select ");
            for (place, column) in self.seen_by(&check, changed.first()).enumerate() {
                let from = if changed.contains(&column.name) {
                    &GIVEN
                } else {
                    table
                };
                sql.push(if place == 0 { "" } else { ", " });
                sql.column(from, &column.name)
                    .push(" as ")
                    .ident(&column.name);
            }
            sql.push(" from ").ident(table).push(" join ");
            self.given(&mut sql, rows);
            sql.push(" on ");
            self.same_key(&mut sql, key);
            sql.push(") as ").ident(&CHANGED);
            self.none_breaks(&mut sql, &check, &CHANGED, " where ");
            unit.push(none_expected(sql));
        }
        let mut sql = Sql::new(self.context.dialect);
        sql.push("update ").ident(table);
        let joins = match self.context.dialect {
            Dialect::MySql | Dialect::MariaDb => true,
            Dialect::Sqlite | Dialect::Postgres => false,
        };
        if joins {
            sql.push(" join ");
            self.given(&mut sql, rows);
            sql.push(" on ");
            self.same_key(&mut sql, key);
        }
        for (place, column) in changed.iter().enumerate() {
            sql.push(if place == 0 { " set " } else { ", " });
            match joins {
                true => sql.column(table, column),
                false => sql.ident(column),
            };
            sql.push(" = ").column(&GIVEN, column);
        }
        if !joins {
            sql.push(" from ");
            self.given(&mut sql, rows);
            sql.push(" where ");
            self.same_key(&mut sql, key);
        }
        unit.push(Step::new(sql));
    }

    /// Looks for a row that is there and may not be changed.
    fn kept_back(&self, rows: &Rows, key: &[Ident], using: &Expr) -> Sql {
        let table = &self.table().name;
        let mut sql = Sql::new(self.context.dialect);
        let Some((function, arguments)) = self.taken(key) else {
            sql.push("select 1 from ").ident(table).push(" join ");
            self.given(&mut sql, rows);
            sql.push(" on ");
            self.same_key(&mut sql, key);
            self.none_breaks(&mut sql, using, table, " where ");
            return sql;
        };
        // The engine hides it from this statement, too.
        let taken = Taken {
            function: &function,
            key: &arguments,
        };
        sql.push("select 1 from ");
        self.given(&mut sql, rows);
        sql.push(" where ");
        taken.write(&mut sql, &GIVEN);
        sql.push(" and not exists (select 1 from ").ident(table);
        sql.push(" where ");
        self.same_key(&mut sql, key);
        sql.push(" and ");
        let environment = self.environment(&[]);
        ExpressionWriter::new(&mut sql, &environment).expression(using, Some(table));
        sql.push(") limit 1");
        sql
    }

    /// Adds a step that fails when a row that is missing may not be made.
    fn guard_made(&self, unit: &mut Vec<Step>, rows: &Rows, key: &[Ident]) {
        let check = &self.target.access.insert_check;
        if self.all_pass(check, rows) {
            return;
        }
        let columns: Vec<Vec<lang::Expr>> = self.cells(rows);
        let (columns, cells) =
            with_checked_columns(self.table(), &rows.columns, columns, Some(check));
        let parameters: Vec<Value> = rows.rows.iter().flatten().cloned().collect();
        let environment = self.environment(&parameters);
        let mut sql = Sql::new(self.context.dialect);
        sql.push("select 1 from (");
        for (place, row) in cells.iter().enumerate() {
            sql.push(if place == 0 {
                "select "
            } else {
                " union all select "
            });
            for (place, (cell, column)) in row.iter().zip(&columns).enumerate() {
                sql.push(if place == 0 { "" } else { ", " });
                ExpressionWriter::new(&mut sql, &environment).expression(cell, None);
                sql.push(" as ").ident(column);
            }
        }
        sql.push(") as ").ident(&GIVEN).push(" where ");
        match &self.taken(key) {
            Some((function, key)) => {
                sql.push("not ");
                Taken { function, key }.write(&mut sql, &GIVEN);
            }
            None => {
                let open = RequestEnvironment {
                    access: None,
                    ..self.environment(&[])
                };
                let missing = missing_row(self.table(), &[key.to_vec()]);
                ExpressionWriter::new(&mut sql, &open).expression(&missing, Some(&GIVEN));
            }
        }
        self.none_breaks(&mut sql, check, &GIVEN, " and ");
        unit.push(none_expected(sql));
    }

    /// The insert of the rows that are missing.
    fn make(&self, rows: &Rows, key: &[Ident]) -> Sql {
        let missing = missing_row(self.table(), &[key.to_vec()]);
        let cells = self.cells(rows);
        let (columns, cells) =
            with_checked_columns(self.table(), &rows.columns, cells, Some(&missing));
        let parameters: Vec<Value> = rows.rows.iter().flatten().cloned().collect();
        let write = lang::Write {
            table: self.table().name.clone(),
            kind: WriteKind::Insert {
                columns,
                source: InsertSource::Rows(cells),
            },
            returning: Vec::new(),
            span: Span::default(),
        };
        let environment = RequestEnvironment {
            access: None,
            ..self.environment(&parameters)
        };
        let mut sql = Sql::new(self.context.dialect);
        let taken = self.taken(key);
        let rules = WriteRules {
            using: None,
            check: Some(&missing).filter(|_| taken.is_none()),
            taken: taken
                .as_ref()
                .map(|(function, key)| Taken { function, key }),
        };
        ExpressionWriter::new(&mut sql, &environment).write(&write, rules);
        sql
    }

    fn cells(&self, rows: &Rows) -> Vec<Vec<lang::Expr>> {
        let width = rows.columns.len();
        let row = |row: usize| {
            let columns = rows.columns.iter().enumerate();
            columns
                .map(|(place, column)| self.parameter(row * width + place, column))
                .collect()
        };
        (0..rows.rows.len()).map(row).collect()
    }

    /// Adds the inserting steps, and what shows the rows.
    fn show_merged(
        &self,
        unit: &mut Vec<Step>,
        made: Vec<Sql>,
        rows: &Rows,
        key: &[Ident],
        merges: bool,
    ) -> Result<Shown, RestError> {
        let returns = self.context.dialect.insert_returning();
        if !self.representation() || merges {
            unit.extend(made.into_iter().map(Step::new));
            return match self.representation() {
                true => self.read_written(unit, key, &rows.values_of(key).unwrap_or_default()),
                false => Ok(Shown::Nothing),
            };
        }
        // Only those that were made are shown.
        let step = unit.len();
        if !returns {
            let keys = rows.values_of(key).unwrap_or_default();
            let there = self.read_keys(key, &keys);
            // Behind the insert all are there, so the look comes first.
            unit.push(there);
            unit.extend(made.into_iter().map(Step::new));
            return Ok(Shown::New {
                step,
                columns: key.to_vec(),
                keys,
            });
        }
        for mut sql in made {
            returning(&mut sql, key);
            unit.push(Step::new(sql).returning(self.kinds_of(key)));
        }
        Ok(Shown::Later {
            step,
            columns: key.to_vec(),
            assigned: vec![None; key.len()],
        })
    }

    /// Which of the keys are there.
    fn read_keys(&self, key: &[Ident], keys: &[Vec<Value>]) -> Step {
        let mut sql = Sql::new(self.context.dialect);
        sql.push("select ").idents(key);
        sql.push(" from ").ident(&self.table().name).push(" where ");
        let kinds = self.kinds_of(key);
        for (place, values) in keys.iter().enumerate() {
            sql.push(if place == 0 { "(" } else { " or (" });
            for (place, ((column, value), kind)) in key.iter().zip(values).zip(&kinds).enumerate() {
                sql.push(if place == 0 { "" } else { " and " });
                sql.ident(column)
                    .push(" = ")
                    .typed_arg(value.clone(), *kind);
            }
            sql.push(")");
        }
        sql.push(" for update");
        Step::new(sql).returning(kinds)
    }

    /// `(select ? as a, ? as b union all select …) as n`
    fn given(&self, sql: &mut Sql, rows: &Rows) {
        let kinds = self.kinds_of(&rows.columns);
        sql.push("(");
        for (place, row) in rows.rows.iter().enumerate() {
            sql.push(if place == 0 {
                "select "
            } else {
                " union all select "
            });
            let cells = row.iter().zip(&kinds).zip(&rows.columns);
            for (place, ((value, kind), column)) in cells.enumerate() {
                sql.push(if place == 0 { "" } else { ", " });
                sql.typed_arg(value.clone(), *kind)
                    .push(" as ")
                    .ident(column);
            }
        }
        sql.push(") as ").ident(&GIVEN);
    }

    fn same_key(&self, sql: &mut Sql, key: &[Ident]) {
        for (place, column) in key.iter().enumerate() {
            sql.push(if place == 0 { "" } else { " and " });
            sql.column(&self.table().name, column);
            sql.push(" = ").column(&GIVEN, column);
        }
    }
}
