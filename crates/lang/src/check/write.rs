//! `INSERT`, `UPDATE`, `DELETE`.

use sql::Ident;
use sqlparser::ast;

use super::scope::{RelationShape, Scope, ShapeColumn};
use super::{Checked, Checker};
use crate::parse::table_name;
use crate::{Expr, InsertSource, Projection, Type, Write, WriteKind};

impl Checker<'_> {
    pub(super) fn insert(&mut self, insert: &ast::Insert) -> Checked<Write> {
        let ast::TableObject::TableName(object) = &insert.table else {
            return Err(self.error(self.span, "an INSERT names a table"));
        };
        if insert.on.is_some() || insert.or.is_some() || insert.ignore || insert.replace_into {
            return Err(self.error(self.span, "ON CONFLICT is not offered yet"));
        }
        let table = table_name(self.path, object, self.span)?;
        let shape = self.written(&table)?;
        let mut columns = Vec::new();
        for column in &insert.columns {
            columns.push(self.target(&shape, column)?.clone());
        }
        if columns.is_empty() {
            return Err(self
                .error(self.span, "an INSERT lists its columns")
                .hint("write insert into table (a, b) …, so that a new column changes nothing"));
        }
        let Some(query) = &insert.source else {
            return Err(self.error(self.span, "an INSERT has VALUES or a SELECT"));
        };
        let source = match &*query.body {
            ast::SetExpr::Values(values) => InsertSource::Rows(self.rows_of(&columns, values)?),
            _ => {
                self.unnamed = true;
                InsertSource::Query(Box::new(self.query(query)?))
            }
        };
        self.fit(&columns, &source)?;
        let source = with_types(source, &columns);
        let columns = columns.into_iter().map(|column| column.name).collect();
        let kind = WriteKind::Insert { columns, source };
        self.finish(table, &shape, kind, insert.returning.as_deref())
    }

    fn rows_of(
        &mut self,
        columns: &[ShapeColumn],
        values: &ast::Values,
    ) -> Checked<Vec<Vec<Expr>>> {
        let mut rows = Vec::new();
        for row in &values.rows {
            let cells = &row.content;
            if cells.len() != columns.len() {
                let (cells, wanted) = (cells.len(), columns.len());
                return Err(self.error(self.span, format!("{cells} values for {wanted} columns")));
            }
            let row = cells
                .iter()
                .zip(columns)
                .map(|(cell, column)| self.expr(cell, column.ty.as_ref()))
                .collect::<Checked<Vec<_>>>()?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Whether each value goes into its column.
    fn fit(&self, columns: &[ShapeColumn], source: &InsertSource) -> Checked<()> {
        let rows: Vec<Vec<&Expr>> = match source {
            InsertSource::Rows(rows) => rows.iter().map(|row| row.iter().collect()).collect(),
            InsertSource::Query(query) => {
                vec![query.projection.iter().map(|column| &column.expr).collect()]
            }
        };
        for row in rows {
            if row.len() != columns.len() {
                let (found, wanted) = (row.len(), columns.len());
                return Err(self.error(self.span, format!("{found} values for {wanted} columns")));
            }
            for (column, value) in columns.iter().zip(row) {
                self.fits(column, value)?;
            }
        }
        Ok(())
    }

    fn fits(&self, column: &ShapeColumn, value: &Expr) -> Checked<()> {
        match (&column.ty, &value.ty) {
            (Some(wanted), Some(found)) if !super::expr::comparable(wanted, found) => Err(self
                .error(
                    value.span,
                    format!("{} is a {wanted}, the value a {found}", column.name),
                )
                .hint("cast the value")),
            (_, None) if !column.nullable => {
                Err(self.error(value.span, format!("{} cannot be null", column.name)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn update(&mut self, update: &ast::Update) -> Checked<Write> {
        if update.from.is_some() || !update.table.joins.is_empty() {
            return Err(self
                .error(self.span, "an UPDATE is of one table")
                .hint("write a sub-query in SET or WHERE"));
        }
        let (table, shape) = self.target_table(&update.table.relation)?;
        self.scopes.push(vec![Scope::of(&shape, table.as_str(), 0)]);
        let mut assignments = Vec::new();
        for assignment in &update.assignments {
            let ast::AssignmentTarget::ColumnName(column) = &assignment.target else {
                return Err(self.error(self.span, "SET takes one column at a time"));
            };
            let column = self.target(&shape, column)?.clone();
            let value = self.expr(&assignment.value, column.ty.as_ref())?;
            self.fits(&column, &value)?;
            assignments.push((column.name, value));
        }
        let filter = update
            .selection
            .as_ref()
            .map(|expr| self.condition(expr))
            .transpose()?;
        self.scopes.pop();
        let kind = WriteKind::Update {
            assignments,
            filter,
        };
        self.finish(table, &shape, kind, update.returning.as_deref())
    }

    pub(super) fn delete(&mut self, delete: &ast::Delete) -> Checked<Write> {
        let (ast::FromTable::WithFromKeyword(tables) | ast::FromTable::WithoutKeyword(tables)) =
            &delete.from;
        let ([only], None) = (tables.as_slice(), &delete.using) else {
            return Err(self.error(self.span, "a DELETE is from one table"));
        };
        let (table, shape) = self.target_table(&only.relation)?;
        self.scopes.push(vec![Scope::of(&shape, table.as_str(), 0)]);
        let filter = delete
            .selection
            .as_ref()
            .map(|expr| self.condition(expr))
            .transpose()?;
        self.scopes.pop();
        self.finish(
            table,
            &shape,
            WriteKind::Delete { filter },
            delete.returning.as_deref(),
        )
    }

    fn target_table(&self, factor: &ast::TableFactor) -> Checked<(Ident, RelationShape)> {
        match factor {
            ast::TableFactor::Table {
                name, alias: None, ..
            } => {
                let table = table_name(self.path, name, self.span)?;
                let shape = self.written(&table)?;
                Ok((table, shape))
            }
            other => Err(self
                .error(self.span, format!("{other} cannot be written to"))
                .hint("name the table, without an alias")),
        }
    }

    fn target<'s>(
        &self,
        shape: &'s RelationShape,
        column: &ast::ObjectName,
    ) -> Checked<&'s ShapeColumn> {
        let wanted = table_name(self.path, column, self.span)?;
        shape
            .columns
            .iter()
            .find(|column| column.name == wanted)
            .ok_or_else(|| {
                let error = self.error(self.span, format!("{} has no column {wanted}", shape.name));
                let names = shape.columns.iter().map(|column| column.name.as_str());
                match stdx::nearest(wanted.as_str(), names) {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error,
                }
            })
    }

    fn finish(
        &mut self,
        table: Ident,
        shape: &RelationShape,
        kind: WriteKind,
        returning: Option<&[ast::SelectItem]>,
    ) -> Checked<Write> {
        self.scopes.push(vec![Scope::of(shape, table.as_str(), 0)]);
        let returning: Checked<Vec<Projection>> =
            returning.map_or_else(|| Ok(Vec::new()), |items| self.projection(items, false));
        self.scopes.pop();
        let returning = returning?;
        let json = returning
            .iter()
            .any(|column| column.expr.ty == Some(Type::Json));
        let plain =
            |column: &Projection| matches!(column.expr.kind, crate::ExprKind::Column { .. });
        if !json && !returning.iter().all(plain) {
            return Err(self
                .error(self.span, "RETURNING gives columns of the table")
                .hint("compute further values in an endpoint of their own"));
        }
        Ok(Write {
            table,
            kind,
            returning,
            span: self.span,
        })
    }
}

/// A null takes its column's type along, as a rule may make a query of the row, where nothing else
/// tells it.
fn with_types(mut source: InsertSource, columns: &[ShapeColumn]) -> InsertSource {
    if let InsertSource::Rows(rows) = &mut source {
        let cells = rows.iter_mut().flat_map(|row| row.iter_mut().zip(columns));
        for (value, column) in cells.filter(|(value, _)| value.ty.is_none()) {
            value.ty.clone_from(&column.ty);
        }
    }
    source
}
