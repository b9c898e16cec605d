//! Inserting: defaults filled in, the rule of new rows in the statement.

use lang::{
    Environment as _, Expr, ExprKind, ExpressionWriter, InsertSource, Span, Type, WriteKind,
    WriteRules,
};
use sql::{Expect, Ident, Kind, Sql, Step, Value};

use super::super::body::{self, Rows};
use super::shown::{Shown, returning};
use super::{Done, WritePlan, Writer, encode, null};
use crate::access::{as_constant, join};
use crate::json::write_value;
use crate::request::Resolution;
use crate::{ErrorKind, Request, RestError};

/// Rows of one statement.
const ROWS_PER_STATEMENT: usize = 250;

impl Writer<'_, '_> {
    pub(super) fn insert(&self, request: &Request<'_>) -> Result<WritePlan, RestError> {
        let has_filters = !self.read.root.conditions.is_empty() || self.read.root.limit.is_some();
        if has_filters || self.key.is_some() {
            return Err(RestError::query("an insert takes no filters")
                .hint("send the row in the body alone"));
        }
        if self.target.access.insertable().is_empty() {
            return Err(self.denied());
        }
        let body = body::parse(self.context, request.content_type, request.body)?;
        let columns = self.read.columns.as_deref();
        let missing_default = self.prefer.missing_default;
        let (context, target) = (self.context, self.target);
        let rows = body::insert_rows(context, target, &body, columns, missing_default)?;
        if self.representation() && self.is_single() && rows.rows.len() != 1 {
            let message = format!("one row was asked for, {} are sent", rows.rows.len());
            return Err(RestError::new(
                ErrorKind::NotAcceptable,
                "PGRST116",
                message,
            ));
        }
        if rows.rows.is_empty() {
            return self.insert_nothing();
        }
        match self.prefer.resolution {
            Resolution::Refuse => self.insert_new(&rows),
            Resolution::Merge | Resolution::Ignore => {
                let named = columns.map_or_else(|| body.keys(), <[String]>::to_vec);
                self.upsert(&rows, &named)
            }
        }
    }

    /// An empty array is no row, and no mistake.
    fn insert_nothing(&self) -> Result<WritePlan, RestError> {
        let mut unit = Vec::new();
        let shown = match self.representation() {
            true => self.read_written(&mut unit, &[], &[])?,
            false => Shown::Nothing,
        };
        let done = Done::Inserted {
            rows: 0,
            location: None,
        };
        Ok(self.write_of(unit, done, shown, &[]))
    }

    fn insert_new(&self, rows: &Rows) -> Result<WritePlan, RestError> {
        let plain = match self.representation() {
            true => self.plain()?,
            false => Some(Vec::new()),
        };
        let mut unit = Vec::new();
        let shown = match plain {
            Some(columns) => self.insert_plain(&mut unit, rows, &columns),
            None => self.insert_read(&mut unit, rows)?,
        };
        let named: Vec<(Ident, Value)> = match rows.rows.as_slice() {
            [row] => rows
                .columns
                .iter()
                .cloned()
                .zip(row.iter().cloned())
                .collect(),
            _ => Vec::new(),
        };
        let done = Done::Inserted {
            rows: rows.rows.len() as u64,
            location: self.location(rows),
        };
        Ok(self.write_of(unit, done, shown, &named))
    }

    /// Adds the inserting steps, and the reading ones where the engine returns nothing.
    fn insert_plain(
        &self,
        unit: &mut Vec<Step>,
        rows: &Rows,
        columns: &[(String, &schema::Column)],
    ) -> Shown {
        let names: Vec<Ident> = columns
            .iter()
            .map(|(_, column)| column.name.clone())
            .collect();
        let first = self.insert_steps(unit, rows, &names);
        match columns.is_empty() {
            true => Shown::Nothing,
            false => Shown::Returned(first, Box::new(self.form(columns))),
        }
    }

    /// The same where a read shows the rows: by their keys, which are known or returned.
    fn insert_read(&self, unit: &mut Vec<Step>, rows: &Rows) -> Result<Shown, RestError> {
        let primary = self.require_key()?;
        if let Some(keys) = rows.values_of(primary) {
            self.insert_steps(unit, rows, &[]);
            return self.read_written(unit, primary, &keys);
        }
        let step = self.insert_steps(unit, rows, primary);
        Ok(Shown::Later {
            step,
            columns: primary.to_vec(),
            assigned: vec![None; primary.len()],
        })
    }

    /// Adds the inserting steps; gives the place of the first that has the rows' `shown` columns.
    fn insert_steps(&self, unit: &mut Vec<Step>, rows: &Rows, shown: &[Ident]) -> usize {
        let kinds = self.kinds_of(shown);
        let mut read_backs = Vec::new();
        // SQLite joins at most 500 selects, and every engine bounds its parameters.
        for part in rows.rows.chunks(ROWS_PER_STATEMENT) {
            let part = Rows {
                columns: rows.columns.clone(),
                rows: part.to_vec(),
            };
            let (sql, is_returning) = self.insert_sql(&part, shown);
            let expect = match rows.rows.len() {
                1 => Expect::One,
                _ => Expect::Rows(part.rows.len() as u64),
            };
            let step = Step::new(sql).expecting(expect);
            unit.push(match is_returning {
                true => step.returning(kinds.clone()),
                false => step,
            });
            if !shown.is_empty() && !is_returning {
                read_backs.push(self.read_back(&part, shown, kinds.clone()));
            }
        }
        let first = if read_backs.is_empty() { 0 } else { unit.len() };
        unit.append(&mut read_backs);
        first
    }

    /// The statement, and whether it returns the shown columns itself.
    pub(super) fn insert_sql(&self, rows: &Rows, shown: &[Ident]) -> (Sql, bool) {
        let parameters: Vec<Value> = rows.rows.iter().flatten().cloned().collect();
        let width = rows.columns.len();
        let values = (0..rows.rows.len()).map(|row| {
            (0..width)
                .map(|place| self.parameter(row * width + place, &rows.columns[place]))
                .collect()
        });
        let mut rule = self.target.access.insert_check.clone();
        if self.representation() {
            // PostgreSQL: a row that is shown must be one that may be read.
            rule = join(lang::BinaryOp::And, rule, self.target.access.read.clone());
        }
        let check = (!self.all_pass(&rule, rows)).then_some(&rule);
        let (columns, source) =
            with_checked_columns(self.table(), &rows.columns, values.collect(), check);
        let write = lang::Write {
            table: self.table().name.clone(),
            kind: WriteKind::Insert {
                columns,
                source: InsertSource::Rows(source),
            },
            returning: Vec::new(),
            span: Span::default(),
        };
        let environment = self.environment(&parameters);
        let mut sql = Sql::new(self.context.dialect);
        ExpressionWriter::new(&mut sql, &environment).write(
            &write,
            WriteRules {
                check,
                ..WriteRules::default()
            },
        );
        let is_returning = !shown.is_empty() && self.context.dialect.insert_returning();
        if is_returning {
            returning(&mut sql, shown);
        }
        (sql, is_returning)
    }

    /// Whether every row is known to satisfy the rule, so that the statement need not ask.
    pub(super) fn all_pass(&self, rule: &Expr, rows: &Rows) -> bool {
        if let Some(constant) = as_constant(rule) {
            return constant;
        }
        let environment = self.environment(&[]);
        rows.rows.iter().all(|row| {
            let known = |leaf: &ExprKind| match leaf {
                ExprKind::Column { column, .. } => {
                    let place = rows.columns.iter().position(|name| name == column)?;
                    // The engine rounds these when it stores them.
                    let is_rounded = self.table().column(column.as_str())?.ty == Type::Real;
                    (!is_rounded).then(|| row[place].clone())
                }
                ExprKind::Auth(function) => Some(environment.auth(function)),
                ExprKind::Now => Some(Value::Timestamp(environment.now())),
                _ => None,
            };
            rule.evaluate(&known) == Some(Value::Bool(true))
        })
    }

    pub(super) fn parameter(&self, place: usize, column: &Ident) -> Expr {
        let ty = self
            .table()
            .column(column.as_str())
            .map(|column| column.ty.clone());
        Expr {
            kind: ExprKind::Parameter(place),
            ty,
            nullable: true,
            span: Span::default(),
        }
    }

    /// The new rows by their keys, where the engine returns nothing.
    pub(super) fn read_back(&self, rows: &Rows, shown: &[Ident], kinds: Vec<Kind>) -> Step {
        let mut sql = Sql::new(self.context.dialect);
        sql.push("select ")
            .idents(shown)
            .push(" from ")
            .ident(&self.table().name)
            .push(" where ");
        let key = self
            .table()
            .primary_key
            .as_ref()
            .map(|key| key.columns.as_slice());
        let key = key.unwrap_or_default();
        let known = key.iter().all(|column| rows.columns.contains(column));
        if known {
            for (place, row) in rows.rows.iter().enumerate() {
                sql.push(if place == 0 { "" } else { " or " });
                has_key(&mut sql, rows, key, row);
            }
            // As they stand in the body, as the engines that return rows have it.
            for (place, row) in rows.rows.iter().enumerate() {
                sql.push(if place == 0 {
                    " order by case when "
                } else {
                    " when "
                });
                has_key(&mut sql, rows, key, row);
                sql.push(" then ").number(place as u64);
            }
            sql.push(" end");
        } else if let Some(column) = key.first() {
            // Numbers of one statement follow each other (InnoDB, simple inserts).
            sql.ident(column)
                .push(" >= last_insert_id() order by ")
                .ident(column);
            sql.push(" limit ").number(rows.rows.len() as u64);
        } else {
            sql.push("1 = 0");
        }
        Step::new(sql).returning(kinds)
    }

    /// `/table/key` of a single new row whose key is known here.
    pub(super) fn location(&self, rows: &Rows) -> Option<String> {
        let ([row], Some(key)) = (rows.rows.as_slice(), &self.table().primary_key) else {
            return None;
        };
        let mut texts = Vec::new();
        for column in &key.columns {
            let place = rows.columns.iter().position(|name| name == column)?;
            let kind = self.table().column(column.as_str())?.ty.kind();
            let mut json = Vec::new();
            write_value(&mut json, &row[place].as_ref(), kind);
            let text = String::from_utf8(json).ok()?;
            texts.push(encode(text.trim_matches('"')));
        }
        Some(format!(
            "/{}/{}",
            encode(self.table().name.as_str()),
            texts.join(",")
        ))
    }
}

/// `(a = ? and b = ?)`
fn has_key(sql: &mut Sql, rows: &Rows, key: &[Ident], row: &[Value]) {
    sql.push("(");
    for (place, column) in key.iter().enumerate() {
        let index = rows.columns.iter().position(|name| name == column);
        sql.push(if place == 0 { "" } else { " and " })
            .ident(column)
            .push(" = ")
            .arg(row[index.unwrap_or(0)].clone());
    }
    sql.push(")");
}

/// A rule sees the new row, so every column that it reads has to be in it, by its default.
pub(crate) fn with_checked_columns(
    table: &schema::Table,
    columns: &[Ident],
    mut rows: Vec<Vec<Expr>>,
    check: Option<&Expr>,
) -> (Vec<Ident>, Vec<Vec<Expr>>) {
    let mut columns = columns.to_vec();
    for name in check.map(Expr::row_columns).unwrap_or_default() {
        if columns.contains(&name) {
            continue;
        }
        let column = table.column(name.as_str());
        let value = match column.and_then(|column| column.default.as_ref()) {
            Some(schema::ColumnDefault::Engine(expr)) => expr.clone(),
            Some(schema::ColumnDefault::Caller(_)) | None => Expr {
                kind: ExprKind::Cast(
                    Box::new(null()),
                    column.map_or(lang::Type::Text, |column| column.ty.clone()),
                ),
                ..null()
            },
        };
        columns.push(name);
        rows.iter_mut().for_each(|row| row.push(value.clone()));
    }
    (columns, rows)
}
