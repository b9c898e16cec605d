//! Changing: filters, the rules of both rows, and what is shown.

use lang::{BinaryOp, Expr, ExpressionWriter};
use sql::{Dialect, Expect, Ident, Kind, Sql, Step, Value};

use super::super::body::{self, Assignment};
use super::super::filter::{Alone, Over, write_conditions};
use super::shown::{Shown, returning};
use super::{Done, WritePlan, Writer};
use crate::access::{as_constant, constant, join};
use crate::{ErrorKind, Request, RestError};

impl Writer<'_, '_> {
    pub(super) fn update(&self, request: &Request<'_>) -> Result<WritePlan, RestError> {
        if self.target.access.updatable().is_empty() {
            return Err(self.denied());
        }
        self.require_filters()?;
        let body = body::parse(self.context, request.content_type, request.body)?;
        let object = body.single("a change")?;
        let assignments = body::assignments(self.target, &body, object)?;
        if assignments.is_empty() {
            let message = "the body changes nothing";
            return Err(RestError::new(ErrorKind::Unprocessable, "22000", message)
                .hint("send at least one field"));
        }
        let mut unit: Vec<Step> = self.guard(&assignments)?.into_iter().collect();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("update ").ident(&self.table().name).push(" set ");
        self.assign(&mut sql, &assignments);
        self.wheres(&mut sql, &self.target.access.update_using)?;
        let (step, shown) = self.changing(&mut unit, sql, &assignments)?;
        let by_key = self.key.is_some();
        let named: Vec<(Ident, Value)> = body::values(&assignments);
        Ok(self.write_of(unit, Done::Changed { step, by_key }, shown, &named))
    }

    /// Adds the changing step and what shows its rows; gives the place of the changing one.
    fn changing(
        &self,
        unit: &mut Vec<Step>,
        mut sql: Sql,
        assignments: &[Assignment],
    ) -> Result<(usize, Shown), RestError> {
        let expect = self.expected();
        if !self.representation() {
            unit.push(Step::new(sql).expecting(expect));
            return Ok((unit.len() - 1, Shown::Nothing));
        }
        let returns = self.context.dialect.update_returning();
        if let (true, Some(columns)) = (returns, self.plain()?) {
            let step = unit.len();
            let (kinds, shown) = self.returned(&mut sql, &columns, step);
            unit.push(Step::new(sql).returning(kinds).expecting(expect));
            return Ok((step, shown));
        }
        let primary = self.require_key()?;
        if let Some(key) = self.key_after(assignments) {
            unit.push(Step::new(sql).expecting(expect));
            let step = unit.len() - 1;
            return Ok((step, self.read_written(unit, primary, &[key])?));
        }
        // The change may take rows out of the filter, so their keys are kept.
        let kinds = self.kinds_of(primary);
        let step = unit.len();
        if returns {
            returning(&mut sql, primary);
            unit.push(Step::new(sql).returning(kinds).expecting(expect));
        } else {
            let mut keys = Sql::new(self.context.dialect);
            keys.push("select ").idents(primary);
            keys.push(" from ").ident(&self.table().name);
            self.wheres(&mut keys, &self.target.access.update_using)?;
            keys.push(" for update");
            unit.push(Step::new(keys).returning(kinds));
            unit.push(Step::new(sql).expecting(expect));
        }
        let assigned = primary.iter().map(|column| {
            let own = assignments.iter().find(|own| own.column == *column);
            own.and_then(Assignment::value).cloned()
        });
        let shown = Shown::Later {
            step,
            columns: primary.to_vec(),
            assigned: assigned.collect(),
        };
        Ok((unit.len() - 1, shown))
    }

    pub(super) fn assign(&self, sql: &mut Sql, assignments: &[Assignment]) {
        for (place, own) in assignments.iter().enumerate() {
            sql.push(if place == 0 { "" } else { ", " })
                .ident(&own.column)
                .push(" = ");
            self.assigned(sql, own, &self.table().name);
        }
    }

    /// The new value: one that was given, or the old one changed by it.
    fn assigned(&self, sql: &mut Sql, assignment: &Assignment, table: &Ident) {
        let column = self.table().column(assignment.column.as_str());
        let kind = column.map_or(Kind::Text, |column| column.ty.kind());
        match &assignment.change {
            body::Change::To(value) => {
                sql.typed_arg(value.clone(), kind);
            }
            // SQLite keeps exact numbers as text, and would make floats of them.
            body::Change::By(value, sign)
                if kind == Kind::Numeric && sql.dialect() == Dialect::Sqlite =>
            {
                sql.push(match *sign {
                    " - " => "decimal_sub(",
                    _ => "decimal_add(",
                });
                sql.column(table, &assignment.column).push(", ");
                sql.typed_arg(value.clone(), kind).push(")");
            }
            body::Change::By(value, sign) => {
                sql.push("(").column(table, &assignment.column).push(sign);
                sql.typed_arg(value.clone(), kind).push(")");
            }
        }
    }

    /// The key that the row has when its columns have been assigned.
    fn key_after(&self, assignments: &[Assignment]) -> Option<Vec<Value>> {
        let key = self.primary().iter().zip(self.key?);
        let after = key.map(|(column, value)| {
            let assigned = assignments.iter().find(|own| own.column == *column);
            let new = assigned.and_then(Assignment::value);
            new.unwrap_or(value).clone()
        });
        Some(after.collect())
    }

    /// ` where key and filters and rules`, the table's own name as alias.
    pub(super) fn wheres(&self, sql: &mut Sql, using: &Expr) -> Result<(), RestError> {
        let table = &self.table().name;
        sql.push(" where 1 = 1");
        let key = self.key.unwrap_or_default();
        let kinds = self.kinds_of(self.primary());
        for ((column, value), kind) in self.primary().iter().zip(key).zip(kinds) {
            sql.push(" and ").column(table, column).push(" = ");
            sql.typed_arg(value.clone(), kind);
        }
        let over = Over {
            target: self.target,
            alias: table,
            related: &Alone,
            only_true_counts: true,
        };
        write_conditions(sql, over, &self.read.root.conditions)?;
        self.rules(sql, using, table);
        Ok(())
    }

    /// ` and (rule)`; what is found by reading must be readable, as in PostgreSQL.
    pub(super) fn rules(&self, sql: &mut Sql, using: &Expr, table: &Ident) {
        for rule in [using, &self.target.access.read] {
            if as_constant(rule) != Some(true) {
                let environment = self.environment(&[]);
                sql.push(" and ");
                ExpressionWriter::new(sql, &environment).expression(rule, Some(table));
            }
        }
    }

    /// A step that fails when a changed row would break its rule, or could not be read any more
    /// (PostgreSQL's CREATE POLICY, "Policies Applied by Command Type": an update that reads asks
    /// the SELECT policies of both rows); none where there is nothing to ask.
    pub(super) fn guard(&self, assignments: &[Assignment]) -> Result<Option<Step>, RestError> {
        let names: Vec<&Ident> = assignments.iter().map(|own| &own.column).collect();
        let Some(check) = self.check_of_changes(&names) else {
            return Ok(None);
        };
        let table = &self.table().name;
        let mut sql = Sql::new(self.context.dialect);
        sql.push("select 1 from (select ");
        for (place, column) in self.seen_by(&check, names.first().copied()).enumerate() {
            sql.push(if place == 0 { "" } else { ", " });
            match assignments.iter().find(|own| own.column == column.name) {
                Some(own) => self.assigned(&mut sql, own, table),
                None => {
                    sql.column(table, &column.name);
                }
            }
            sql.push(" as ").ident(&column.name);
        }
        sql.push(" from ").ident(table);
        self.wheres(&mut sql, &self.target.access.update_using)?;
        sql.push(") as n");
        self.none_breaks(&mut sql, &check, &Ident::of("n"), " where ");
        Ok(Some(none_expected(sql)))
    }

    /// The columns that a rule looks at; `changed` where it looks at none, so that there is one.
    pub(super) fn seen_by<'c>(
        &'c self,
        rule: &Expr,
        changed: Option<&'c Ident>,
    ) -> impl Iterator<Item = &'c schema::Column> {
        let reads = rule.row_columns();
        let columns = self.table().columns.iter();
        columns.filter(move |column| match reads.is_empty() {
            true => changed == Some(&column.name),
            false => reads.contains(&column.name),
        })
    }

    /// What rows must satisfy when these columns have changed; `None` where the rules read nothing
    /// that changes and have decided already which rows may be changed.
    pub(super) fn check_of_changes(&self, changed: &[&Ident]) -> Option<Expr> {
        let access = self.target.access;
        let touches = |rule: &Expr| {
            let reads = rule.row_columns();
            changed.iter().any(|column| reads.contains(*column))
        };
        let mut check = constant(true);
        if access.update_check != access.update_using || touches(&access.update_check) {
            check = access.update_check.clone();
        }
        if touches(&access.read) {
            check = join(BinaryOp::And, check, access.read.clone());
        }
        (as_constant(&check) != Some(true)).then_some(check)
    }

    /// `where not coalesce(rule, false) limit 1`
    pub(super) fn none_breaks(&self, sql: &mut Sql, rule: &Expr, row: &Ident, next: &'static str) {
        sql.push(next).push("not coalesce(");
        let environment = self.environment(&[]);
        ExpressionWriter::new(sql, &environment).expression(rule, Some(row));
        sql.push(match self.context.dialect {
            Dialect::Sqlite => ", 0) limit 1",
            Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => ", false) limit 1",
        });
    }
}

/// A step that fails when it finds a row.
pub(super) fn none_expected(sql: Sql) -> Step {
    Step::new(sql)
        .returning(vec![Kind::Integer])
        .expecting(Expect::Rows(0))
}
