//! Changing and deleting: filters, the rules of both rows, and what is shown.

use lang::{Expr, ExpressionWriter};
use sql::{Dialect, Expect, Ident, Kind, Sql, Step, Value};

use super::super::body;
use super::super::filter::{Alone, Over, write_conditions};
use super::{AfterWrite, WritePlan, Writer, conditions_name, returning, select};
use crate::access::as_constant;
use crate::{ErrorKind, Request, RestError};

impl Writer<'_, '_> {
    pub(super) fn update(&self, request: &Request<'_>) -> Result<WritePlan, RestError> {
        if self.target.access.updatable().is_empty() {
            return Err(self.denied());
        }
        let (objects, is_array) = body::objects(self.context, request.content_type, request.body)?;
        let ([object], false) = (objects.as_slice(), is_array) else {
            return Err(RestError::new(
                ErrorKind::BadRequest,
                "PGRST102",
                "a change is one object",
            ));
        };
        let assignments = body::assignments(self.target, object)?;
        if assignments.is_empty() {
            return Err(RestError::new(
                ErrorKind::Unprocessable,
                "22000",
                "the body changes nothing",
            )
            .hint("send at least one field"));
        }
        let shown = if self.representation() {
            self.shown()?
        } else {
            Vec::new()
        };
        let (fields, kinds) = Self::fields(&shown);
        let mut unit: Vec<Step> = self.guard(&assignments)?.into_iter().collect();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("update ").ident(&self.table().name).push(" set ");
        self.assign(&mut sql, &assignments);
        self.wheres(&mut sql, &self.target.access.update_using)?;
        let changed = unit.len();
        let dialect = self.context.dialect;
        let rows = self.changed_rows(
            &mut unit,
            sql,
            dialect.update_returning(),
            &shown,
            kinds,
            &assignments,
        )?;
        let rows = self.representation().then_some((rows, fields));
        let by_key = self.key.is_some();
        let after = AfterWrite::Changed {
            step: changed,
            rows,
            by_key,
            object: self.object,
        };
        Ok(WritePlan::new(
            unit,
            after,
            self.errors(&assignments),
            self.prefer,
        ))
    }

    /// Adds the changing step, and the reading one where the engine returns nothing; gives the
    /// place of the rows.
    pub(super) fn changed_rows(
        &self,
        unit: &mut Vec<Step>,
        mut sql: Sql,
        has_returning: bool,
        shown: &[(String, &schema::Column)],
        kinds: Vec<Kind>,
        assignments: &[(Ident, Value)],
    ) -> Result<usize, RestError> {
        let expect = self
            .prefer
            .max_affected
            .map_or(Expect::Anything, Expect::AtMost);
        let expect = if self.object && self.key.is_none() {
            Expect::Rows(1)
        } else {
            expect
        };
        if shown.is_empty() || has_returning {
            let mut step = if shown.is_empty() {
                Step::new(sql)
            } else {
                returning(&mut sql, shown);
                Step::new(sql).returning(kinds)
            };
            step = step.expecting(expect);
            unit.push(step);
            return Ok(unit.len() - 1);
        }
        let moved = conditions_name(&self.read.root.conditions, assignments);
        if moved {
            return Err(RestError::new(
                ErrorKind::BadRequest,
                "PGRST127",
                "this engine cannot show rows that the change takes out of the filter",
            )
            .hint("filter by a column that is not changed, or leave return=representation away"));
        }
        unit.push(Step::new(sql).expecting(expect));
        let mut back = Sql::new(self.context.dialect);
        select(&mut back, shown);
        back.push(" from ").ident(&self.table().name);
        let key = self.key_after(assignments);
        self.wheres_at(&mut back, key.as_deref(), &crate::access::constant(true))?;
        unit.push(Step::new(back).returning(kinds));
        Ok(unit.len() - 1)
    }

    pub(super) fn assign(&self, sql: &mut Sql, assignments: &[(Ident, Value)]) {
        for (place, (column, value)) in assignments.iter().enumerate() {
            let kind = self
                .table()
                .column(column.as_str())
                .map(|column| column.ty.kind());
            sql.push(if place == 0 { "" } else { ", " })
                .ident(column)
                .push(" = ");
            sql.typed_arg(value.clone(), kind.unwrap_or(Kind::Text));
        }
    }

    /// The key that the row has when its columns have been assigned.
    fn key_after(&self, assignments: &[(Ident, Value)]) -> Option<Vec<Value>> {
        let primary = self.table().primary_key.as_ref()?;
        let after = primary
            .columns
            .iter()
            .zip(self.key?)
            .map(|(column, value)| {
                let assigned = assignments.iter().find(|(name, _)| name == column);
                assigned.map_or(value, |(_, new)| new).clone()
            });
        Some(after.collect())
    }

    /// ` where key and filters and rules`, the table's own name as alias.
    pub(super) fn wheres(&self, sql: &mut Sql, using: &Expr) -> Result<(), RestError> {
        self.wheres_at(sql, self.key, using)
    }

    fn wheres_at(
        &self,
        sql: &mut Sql,
        key: Option<&[Value]>,
        using: &Expr,
    ) -> Result<(), RestError> {
        let table = &self.table().name;
        sql.push(" where 1 = 1");
        let primary = self
            .table()
            .primary_key
            .as_ref()
            .map(|key| key.columns.as_slice());
        for (column, value) in primary
            .unwrap_or_default()
            .iter()
            .zip(key.unwrap_or_default())
        {
            let kind = self
                .table()
                .column(column.as_str())
                .map(|column| column.ty.kind());
            sql.push(" and ").column(table, column).push(" = ");
            sql.typed_arg(value.clone(), kind.unwrap_or(Kind::Text));
        }
        let over = Over {
            target: self.target,
            alias: table,
            related: &Alone,
        };
        write_conditions(sql, over, &self.read.root.conditions)?;
        // What is found by reading must be readable, as in PostgreSQL.
        for rule in [using, &self.target.access.read] {
            if as_constant(rule) != Some(true) {
                let environment = self.environment(&[]);
                sql.push(" and ");
                ExpressionWriter::new(sql, &environment).expression(rule, Some(table));
            }
        }
        Ok(())
    }

    /// A step that fails when a changed row would break its rule; none where the rule reads
    /// nothing that changes and has decided already which rows may be changed.
    pub(super) fn guard(&self, assignments: &[(Ident, Value)]) -> Result<Option<Step>, RestError> {
        let access = self.target.access;
        let check = &access.update_check;
        let reads = check.row_columns();
        let touched = assignments.iter().any(|(column, _)| reads.contains(column));
        let decided = as_constant(check) == Some(true) || *check == access.update_using;
        if decided && !touched {
            return Ok(None);
        }
        if as_constant(check) == Some(true) {
            return Ok(None);
        }
        let (table, row) = (&self.table().name, Ident::of("n"));
        let mut sql = Sql::new(self.context.dialect);
        sql.push("select 1 from (select ");
        for (place, column) in self.table().columns.iter().enumerate() {
            sql.push(if place == 0 { "" } else { ", " });
            match assignments.iter().find(|(name, _)| *name == column.name) {
                Some((name, value)) => {
                    sql.typed_arg(value.clone(), column.ty.kind())
                        .push(" as ")
                        .ident(name);
                }
                None => {
                    sql.column(table, &column.name)
                        .push(" as ")
                        .ident(&column.name);
                }
            }
        }
        sql.push(" from ").ident(table);
        self.wheres(&mut sql, &access.update_using)?;
        sql.push(") as n where not coalesce(");
        let environment = self.environment(&[]);
        ExpressionWriter::new(&mut sql, &environment).expression(check, Some(&row));
        sql.push(match self.context.dialect {
            Dialect::Sqlite => ", 0) limit 1",
            Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => ", false) limit 1",
        });
        Ok(Some(
            Step::new(sql)
                .returning(vec![Kind::Integer])
                .expecting(Expect::Rows(0)),
        ))
    }

    pub(super) fn delete(&self) -> Result<WritePlan, RestError> {
        if !self.target.access.delete {
            return Err(self.denied());
        }
        let shown = if self.representation() {
            self.shown()?
        } else {
            Vec::new()
        };
        let (fields, kinds) = Self::fields(&shown);
        let mut unit = Vec::new();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("delete from ").ident(&self.table().name);
        self.wheres(&mut sql, &self.target.access.delete_using)?;
        let has_returning = self.context.dialect.delete_returning();
        let mut rows = 0;
        if !shown.is_empty() && !has_returning {
            let mut before = Sql::new(self.context.dialect);
            select(&mut before, &shown);
            before.push(" from ").ident(&self.table().name);
            self.wheres(&mut before, &self.target.access.delete_using)?;
            unit.push(Step::new(before).returning(kinds.clone()));
        }
        let step = unit.len();
        let mut delete = if !shown.is_empty() && has_returning {
            returning(&mut sql, &shown);
            Step::new(sql).returning(kinds)
        } else {
            Step::new(sql)
        };
        if let Some(most) = self.prefer.max_affected {
            delete = delete.expecting(Expect::AtMost(most));
        }
        unit.push(delete);
        if has_returning {
            rows = step;
        }
        let rows = self.representation().then_some((rows, fields));
        let by_key = self.key.is_some();
        let after = AfterWrite::Changed {
            step,
            rows,
            by_key,
            object: self.object,
        };
        Ok(WritePlan::new(unit, after, self.errors(&[]), self.prefer))
    }
}
