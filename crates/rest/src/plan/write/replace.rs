//! Replacing a row by its key: changed if it is there, made if it is not.

use lang::{Expr, ExpressionWriter, InsertSource, Span, WriteKind, WriteRules};
use sql::{Ident, Kind, Sql, Step, Value};

use super::super::Context;
use super::super::body::{self, Rows};
use super::{AfterWrite, WritePlan, Writer, missing_row};
use crate::access::{RequestEnvironment, join};
use crate::json::write_value;
use crate::{ErrorKind, Request, RestError};

impl Writer<'_, '_> {
    #[expect(
        clippy::too_many_lines,
        reason = "an update, then an insert, with their rules"
    )]
    pub(super) fn replace(&self, request: &Request<'_>) -> Result<WritePlan, RestError> {
        let access = self.target.access;
        let Some(key) = self.key else {
            return Err(RestError::query("a replacement is of one row").hint("PUT /table/key"));
        };
        if !self.read.root.conditions.is_empty() || self.read.select.is_some() {
            return Err(RestError::new(
                ErrorKind::Unprocessable,
                "PGRST114",
                "a replacement takes its values from the body alone",
            )
            .hint("leave the query string away"));
        }
        if access.updatable().is_empty() {
            return Err(self.denied());
        }
        let (objects, is_array) = body::objects(self.context, request.content_type, request.body)?;
        let ([object], false) = (objects.as_slice(), is_array) else {
            return Err(RestError::new(
                ErrorKind::BadRequest,
                "PGRST102",
                "a replacement is one object",
            ));
        };
        let mut assignments = body::assignments(self.target, object)?;
        // What the body leaves out goes back to its default.
        for column in &self.table().columns {
            let named = assignments.iter().any(|(name, _)| *name == column.name);
            let in_key = self
                .table()
                .primary_key
                .as_ref()
                .is_some_and(|k| k.columns.contains(&column.name));
            if !named && !in_key && column.nullable && access.updatable().contains(&column.name) {
                assignments.push((column.name.clone(), Value::Null));
            }
        }
        if assignments.is_empty() {
            return Err(RestError::new(
                ErrorKind::Unprocessable,
                "22000",
                "the body holds nothing",
            ));
        }
        let mut unit: Vec<Step> = self.guard(&assignments)?.into_iter().collect();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("update ").ident(&self.table().name).push(" set ");
        self.assign(&mut sql, &assignments);
        self.wheres(&mut sql, &access.update_using)?;
        let step = unit.len();
        unit.push(Step::new(sql));
        let insertable = |column: &Ident| access.insertable().contains(column);
        let primary = self
            .table()
            .primary_key
            .as_ref()
            .map(|k| k.columns.clone())
            .unwrap_or_default();
        if !primary.iter().all(insertable) {
            // The caller cannot choose keys, so there is nothing to make.
            let after = AfterWrite::Changed {
                step,
                rows: None,
                by_key: true,
                object: false,
            };
            return Ok(WritePlan::new(
                unit,
                after,
                self.errors(&assignments),
                self.prefer,
            ));
        }
        let mut whole = object.clone();
        for (column, value) in primary.iter().zip(key) {
            let kind = self
                .table()
                .column(column.as_str())
                .map_or(Kind::Text, |c| c.ty.kind());
            let mut json = Vec::new();
            write_value(&mut json, &value.as_ref(), kind);
            let json = serde_json::from_slice(&json).unwrap_or(serde_json::Value::Null);
            whole.insert(column.to_string(), json);
        }
        let rows = body::insert_rows(self.context, self.target, &[whole], false)?;
        unit.push(Step::new(self.insert_if_missing(&rows, &primary)));
        let after = AfterWrite::Replaced {
            step,
            denied: self.denied(),
        };
        Ok(WritePlan::new(
            unit,
            after,
            self.errors(&assignments),
            self.prefer,
        ))
    }

    pub(super) fn insert_if_missing(&self, rows: &Rows, primary: &[Ident]) -> Sql {
        let missing = missing_row(self.table(), &[primary.to_vec()]);
        let rule = join(
            lang::BinaryOp::And,
            self.target.access.insert_check.clone(),
            missing,
        );
        let parameters: Vec<Value> = rows.rows.iter().flatten().cloned().collect();
        let row: Vec<Expr> = rows
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| self.parameter(place, column))
            .collect();
        let (columns, rows) = self.with_checked_columns(&rows.columns, vec![row], Some(&rule));
        let write = lang::Write {
            table: self.table().name.clone(),
            kind: WriteKind::Insert {
                columns,
                source: InsertSource::Rows(rows),
            },
            returning: Vec::new(),
            span: Span::default(),
        };
        let Context { caller, moment, .. } = self.context;
        let environment = RequestEnvironment::new(Some(caller), moment, None, &parameters);
        let mut sql = Sql::new(self.context.dialect);
        ExpressionWriter::new(&mut sql, &environment).write(
            &write,
            WriteRules {
                using: None,
                check: Some(&rule),
            },
        );
        sql
    }
}
