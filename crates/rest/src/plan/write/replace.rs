//! Replacing a row by its key: changed if it is there, made if it is not.

use lang::{Expr, ExpressionWriter, InsertSource, Span, Taken, WriteKind, WriteRules};
use sql::{Ident, Sql, Step, Value};

use super::super::body::{self, Assignment, Body, Change, Rows};
use super::insert::with_checked_columns;
use super::shown::Shown;
use super::{Done, WritePlan, Writer, missing_row};
use crate::access::join;
use crate::json::write_value;
use crate::value::from_json;
use crate::{ErrorKind, Request, RestError};

type Object = serde_json::Map<String, serde_json::Value>;

impl Writer<'_, '_> {
    pub(super) fn replace(&self, request: &Request<'_>) -> Result<WritePlan, RestError> {
        let access = self.target.access;
        let Some(key) = self.key else {
            return Err(RestError::query("a replacement is of one row").hint("PUT /table/key"));
        };
        if !self.read.root.conditions.is_empty() {
            return Err(RestError::new(
                ErrorKind::Unprocessable,
                "PGRST114",
                "a replacement takes its values from the body alone",
            )
            .hint("leave the filters away"));
        }
        if access.updatable().is_empty() {
            return Err(self.denied());
        }
        let body = body::parse(self.context, request.content_type, request.body)?;
        let object = body.single("a replacement")?;
        let given = self.without_key(object, key)?;
        let assignments = self.whole(&body, &given)?;
        let mut unit: Vec<Step> = self.guard(&assignments)?.into_iter().collect();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("update ").ident(&self.table().name).push(" set ");
        self.assign(&mut sql, &assignments);
        self.wheres(&mut sql, &access.update_using)?;
        let step = unit.len();
        unit.push(Step::new(sql));
        let primary = self.primary();
        let done = match primary
            .iter()
            .all(|name| access.insertable().contains(name))
        {
            // The caller cannot choose keys, so there is nothing to make.
            false => Done::Changed { step, by_key: true },
            true => {
                let whole = self.with_key(&body, &given, key)?;
                unit.push(Step::new(self.insert_if_missing(&whole, primary)));
                let denied = self.denied();
                Done::Replaced { step, denied }
            }
        };
        let shown = match self.representation() {
            true => self.read_written(&mut unit, primary, &[key.to_vec()])?,
            false => Shown::Nothing,
        };
        Ok(self.write_of(unit, done, shown, &body::values(&assignments)))
    }

    /// The body without the key, which it may repeat and not change.
    fn without_key(&self, object: &Object, key: &[Value]) -> Result<Object, RestError> {
        let mut given = object.clone();
        for (name, value) in self.primary().iter().zip(key) {
            let Some(column) = self.table().column(name.as_str()) else {
                continue;
            };
            let Some(json) = given.shift_remove(name.as_str()) else {
                continue;
            };
            if from_json(&json, &column.ty).ok().as_ref() != Some(value) {
                let message = format!("{name} is another one in the body than in the URL");
                return Err(RestError::new(ErrorKind::BadRequest, "PGRST115", message));
            }
        }
        Ok(given)
    }

    /// Every column that may be changed: what the body leaves out goes back to null.
    fn whole(&self, body: &Body, given: &Object) -> Result<Vec<Assignment>, RestError> {
        let mut assignments = body::assignments(self.target, body, given)?;
        for column in &self.table().columns {
            let is_said = assignments.iter().any(|own| own.column == column.name);
            let is_key = self.primary().contains(&column.name);
            let may = self.target.access.updatable().contains(&column.name);
            if !is_said && !is_key && column.nullable && may {
                assignments.push(Assignment {
                    column: column.name.clone(),
                    change: Change::To(Value::Null),
                });
            }
        }
        match assignments.is_empty() {
            false => Ok(assignments),
            true => Err(RestError::new(
                ErrorKind::Unprocessable,
                "22000",
                "the body holds nothing",
            )),
        }
    }

    /// The row to be made if there is none.
    fn with_key(&self, body: &Body, given: &Object, key: &[Value]) -> Result<Rows, RestError> {
        let mut whole = given.clone();
        let kinds = self.kinds_of(self.primary());
        for ((column, kind), value) in self.primary().iter().zip(kinds).zip(key) {
            let mut json = Vec::new();
            write_value(&mut json, &value.as_ref(), kind);
            let json = serde_json::from_slice(&json).unwrap_or(serde_json::Value::Null);
            whole.insert(column.to_string(), json);
        }
        body::insert_rows(self.context, self.target, &body.of_one(whole), None, false)
    }

    pub(super) fn insert_if_missing(&self, rows: &Rows, primary: &[Ident]) -> Sql {
        let taken = self.taken(primary);
        let allowed = self.target.access.insert_check.clone();
        let rule = match &taken {
            Some(_) => allowed,
            None => {
                let missing = missing_row(self.table(), &[primary.to_vec()]);
                join(lang::BinaryOp::And, allowed, missing)
            }
        };
        let parameters: Vec<Value> = rows.rows.iter().flatten().cloned().collect();
        let row: Vec<Expr> = rows
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| self.parameter(place, column))
            .collect();
        let (columns, rows) =
            with_checked_columns(self.table(), &rows.columns, vec![row], Some(&rule));
        let write = lang::Write {
            table: self.table().name.clone(),
            kind: WriteKind::Insert {
                columns,
                source: InsertSource::Rows(rows),
            },
            returning: Vec::new(),
            span: Span::default(),
        };
        let environment = self.environment(&parameters);
        let mut sql = Sql::new(self.context.dialect);
        ExpressionWriter::new(&mut sql, &environment).write(
            &write,
            WriteRules {
                using: None,
                check: Some(&rule),
                taken: taken
                    .as_ref()
                    .map(|(function, key)| Taken { function, key }),
            },
        );
        sql
    }
}
