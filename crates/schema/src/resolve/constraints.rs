//! Keys, checks and foreign keys.

use lang::{
    ColumnDef, CreateTable, Diagnostic, ForeignKeyDef, RawExpr, ReferentialAction, Span, Statement,
    TableConstraint, Type, check_expression,
};
use sql::Ident;

use super::Placed;
use super::tables::{missing_table, same_family};
use crate::names::constraint_name;
use crate::{Catalog, Check, ForeignKey, PrimaryKey, Table, Unique};

impl Catalog {
    pub(super) fn declare_constraints(
        &mut self,
        placed: &[Placed<'_>],
        errors: &mut Vec<Diagnostic>,
    ) {
        let tables = || {
            placed
                .iter()
                .filter_map(|(path, statement)| match statement {
                    Statement::CreateTable(create) => Some((*path, create)),
                    _ => None,
                })
        };
        // Keys first: a foreign key may point to a key of any table.
        for (path, create) in tables() {
            self.declare_keys(path, create, errors);
        }
        for (path, create) in tables() {
            for definition in &create.columns {
                self.declare_generated(path, &create.name, definition, errors);
            }
            self.declare_checks(path, create, errors);
            for constraint in &create.constraints {
                if let TableConstraint::ForeignKey(key) = constraint {
                    self.declare_foreign_key(path, &create.name, key, errors);
                }
            }
        }
    }

    fn declare_keys(&mut self, path: &str, create: &CreateTable, errors: &mut Vec<Diagnostic>) {
        let Some(table) = self.table_mut(&create.name) else {
            return;
        };
        for constraint in &create.constraints {
            let (columns, span) = match constraint {
                TableConstraint::PrimaryKey { columns, span, .. }
                | TableConstraint::Unique { columns, span, .. } => (columns, *span),
                TableConstraint::Check { .. } | TableConstraint::ForeignKey(_) => continue,
            };
            if let Some(wrong) = missing_column(table, columns) {
                let message = format!("{} has no column {wrong}", table.name);
                errors.push(Diagnostic::new(path, span, message));
                continue;
            }
            match constraint {
                TableConstraint::PrimaryKey { name, .. } => {
                    if table.primary_key.is_some() {
                        let message = format!("{} has two primary keys", table.name);
                        errors.push(Diagnostic::new(path, span, message));
                        continue;
                    }
                    let name = name
                        .clone()
                        .unwrap_or_else(|| constraint_name(&table.name, &[], "pkey", &|_| false));
                    for column in &mut table.columns {
                        column.nullable &= !columns.contains(&column.name);
                    }
                    table.primary_key = Some(PrimaryKey {
                        name,
                        columns: columns.clone(),
                    });
                }
                TableConstraint::Unique { name, .. } => {
                    let name = name.clone().unwrap_or_else(|| {
                        constraint_name(&table.name, columns, "key", &|name| {
                            table.uniques.iter().any(|unique| unique.name == *name)
                        })
                    });
                    table.uniques.push(Unique {
                        name,
                        columns: columns.clone(),
                    });
                }
                TableConstraint::Check { .. } | TableConstraint::ForeignKey(_) => {}
            }
        }
    }

    /// A constraint for a table that is declared already.
    pub(crate) fn declare_constraint(
        &mut self,
        path: &str,
        table: &Ident,
        constraint: &TableConstraint,
        errors: &mut Vec<Diagnostic>,
    ) {
        let create = CreateTable {
            name: table.clone(),
            span: Span { line: 1, column: 1 },
            columns: Vec::new(),
            constraints: vec![constraint.clone()],
            was: None,
        };
        self.declare_keys(path, &create, errors);
        self.declare_checks(path, &create, errors);
        if let TableConstraint::ForeignKey(key) = constraint {
            self.declare_foreign_key(path, table, key, errors);
        }
    }

    fn declare_checks(&mut self, path: &str, create: &CreateTable, errors: &mut Vec<Diagnostic>) {
        for constraint in &create.constraints {
            let TableConstraint::Check {
                name,
                expr,
                column,
                span,
            } = constraint
            else {
                continue;
            };
            match self.check_of(path, &create.name, expr, *span) {
                Ok(expr) => {
                    let Some(table) = self.table_mut(&create.name) else {
                        continue;
                    };
                    table.add_check(name.clone(), expr, column.clone());
                }
                Err(more) => errors.extend(more),
            }
        }
    }

    fn check_of(
        &self,
        path: &str,
        table: &Ident,
        raw: &RawExpr,
        span: Span,
    ) -> Result<lang::Expr, Vec<Diagnostic>> {
        let shape = self.table(table.as_str()).map(Table::shape);
        let expr = check_expression(raw, path, Some(&Type::Boolean), shape.as_ref(), self)?;
        let refuse = |message: &str| Err(vec![Diagnostic::new(path, span, message)]);
        if expr.ty.as_ref() != Some(&Type::Boolean) {
            return refuse("a CHECK is true or false");
        }
        match moves(&expr) {
            Some(why) => refuse(&format!("a CHECK {why}")),
            None => Ok(expr),
        }
    }

    /// `GENERATED ALWAYS AS (…)`, once all columns of the table are known.
    pub(crate) fn declare_generated(
        &mut self,
        path: &str,
        table: &Ident,
        definition: &ColumnDef,
        errors: &mut Vec<Diagnostic>,
    ) {
        let Some(raw) = &definition.generated else {
            return;
        };
        match self.generated_of(path, table, definition, raw) {
            Ok(expr) => {
                let columns = self.table_mut(table).map(|table| table.columns.iter_mut());
                let mut columns = columns.into_iter().flatten();
                if let Some(column) = columns.find(|column| column.name == definition.name) {
                    column.generated = Some(expr);
                }
            }
            Err(more) => errors.extend(more),
        }
    }

    fn generated_of(
        &self,
        path: &str,
        table: &Ident,
        definition: &ColumnDef,
        raw: &RawExpr,
    ) -> Result<lang::Expr, Vec<Diagnostic>> {
        let shape = self.table(table.as_str()).map(Table::shape);
        let expr = check_expression(raw, path, Some(&definition.ty), shape.as_ref(), self)?;
        let refuse = |message: String| Err(vec![Diagnostic::new(path, definition.span, message)]);
        let name = &definition.name;
        if matches!(definition.ty, Type::Numeric { .. }) {
            return refuse(format!(
                "{name} is a {}, which SQLite works out inexactly",
                definition.ty
            ));
        }
        if definition.default.is_some() || definition.identity {
            return refuse(format!("{name} is generated and has no default"));
        }
        if let Some(ty) = expr
            .ty
            .as_ref()
            .filter(|ty| !same_family(ty, &definition.ty))
        {
            return refuse(format!(
                "{name} is a {}, what generates it a {ty}",
                definition.ty
            ));
        }
        let others = self.table(table.as_str()).map(|table| &table.columns);
        let is_generated = |read: &Ident| {
            read == name
                || others
                    .into_iter()
                    .flatten()
                    .any(|column| column.name == *read && column.generated.is_some())
        };
        if let Some(read) = expr.row_columns().iter().find(|read| is_generated(read)) {
            return refuse(format!(
                "{name} is generated from {read}, which is generated itself"
            ));
        }
        match moves(&expr) {
            Some(why) => refuse(format!("a generated column {why}")),
            None => Ok(expr),
        }
    }

    pub(crate) fn declare_foreign_key(
        &mut self,
        path: &str,
        table: &Ident,
        key: &ForeignKeyDef,
        errors: &mut Vec<Diagnostic>,
    ) {
        match self.foreign_key(path, table, key) {
            Ok(foreign_key) => {
                if let Some(table) = self.table_mut(table) {
                    table.foreign_keys.push(foreign_key);
                }
            }
            Err(error) => errors.push(error),
        }
    }

    fn foreign_key(
        &self,
        path: &str,
        table: &Ident,
        key: &ForeignKeyDef,
    ) -> Result<ForeignKey, Diagnostic> {
        let error = |message: String| Diagnostic::new(path, key.span, message);
        let names = lang::Relations::names(self);
        let table = self
            .table(table.as_str())
            .ok_or_else(|| missing_table(path, key.span, table, &names))?;
        let target = self
            .table(key.target.as_str())
            .ok_or_else(|| missing_table(path, key.span, &key.target, &names))?;
        if let Some(wrong) = missing_column(table, &key.columns) {
            return Err(error(format!("{} has no column {wrong}", table.name)));
        }
        let target_columns = match (&key.target_columns, &target.primary_key) {
            (columns, _) if !columns.is_empty() => columns.clone(),
            (_, Some(primary)) => primary.columns.clone(),
            (_, None) => {
                let message = format!("{} has no primary key to point to", target.name);
                return Err(error(message).hint("name the columns behind REFERENCES"));
            }
        };
        if let Some(wrong) = missing_column(target, &target_columns) {
            return Err(error(format!("{} has no column {wrong}", target.name)));
        }
        if [key.on_delete, key.on_update].contains(&ReferentialAction::SetDefault) {
            return Err(error(String::from(
                "SET DEFAULT does not exist on MySQL and MariaDB",
            ))
            .hint("write SET NULL, CASCADE or RESTRICT"));
        }
        if key.columns.len() != target_columns.len() {
            let (own, other) = (key.columns.len(), target_columns.len());
            return Err(error(format!("{own} column(s) cannot point to {other}")));
        }
        for (own, other) in key.columns.iter().zip(&target_columns) {
            let types = table
                .column(own.as_str())
                .zip(target.column(other.as_str()));
            if let Some((own, other)) = types
                && !joinable(&own.ty, &other.ty)
            {
                let message = format!(
                    "{}.{} is a {}, but {}.{} is a {}",
                    table.name, own.name, own.ty, target.name, other.name, other.ty
                );
                return Err(error(message).hint("both sides of a foreign key have one type"));
            }
        }
        if !target.is_key(&target_columns) {
            let message = format!("the columns in {} are no key of it", target.name);
            return Err(error(message).hint("point to its primary key, or make them unique"));
        }
        let name = key.name.clone().unwrap_or_else(|| {
            constraint_name(&table.name, &key.columns, "fkey", &|name| {
                table.foreign_keys.iter().any(|key| key.name == *name)
            })
        });
        Ok(ForeignKey {
            name,
            columns: key.columns.clone(),
            target: key.target.clone(),
            target_columns,
            on_delete: key.on_delete,
            on_update: key.on_update,
        })
    }
}

/// Why the engines would not keep this with a row, if so.
fn moves(expr: &lang::Expr) -> Option<&'static str> {
    if expr.has_query() {
        return Some("sees its own row alone; it holds no query");
    }
    let mut moving = false;
    expr.visit(&mut |part| {
        moving |= matches!(
            part.kind,
            lang::ExprKind::Now
                | lang::ExprKind::NowPlus(_)
                | lang::ExprKind::NewId { .. }
                | lang::ExprKind::Auth(_)
        );
    });
    moving.then_some("must stay true: it names neither the moment nor the caller")
}

impl Table {
    pub(crate) fn add_check(
        &mut self,
        name: Option<Ident>,
        expr: lang::Expr,
        column: Option<Ident>,
    ) {
        let read = expr.row_columns();
        let column = column.or_else(|| match read.len() {
            1 => read.into_iter().next(),
            _ => None,
        });
        let name = name.unwrap_or_else(|| {
            constraint_name(&self.name, column.as_slice(), "check", &|name| {
                self.checks.iter().any(|check| check.name == *name)
            })
        });
        self.checks.push(Check { name, expr, column });
    }

    /// Whether at most one row has given values in these columns.
    #[must_use]
    pub fn is_key(&self, columns: &[Ident]) -> bool {
        let same = |key: &[Ident]| {
            key.len() == columns.len() && key.iter().all(|column| columns.contains(column))
        };
        self.primary_key
            .as_ref()
            .is_some_and(|key| same(&key.columns))
            || self.uniques.iter().any(|unique| same(&unique.columns))
    }
}

fn missing_column<'a>(table: &Table, columns: &'a [Ident]) -> Option<&'a Ident> {
    columns
        .iter()
        .find(|column| table.column(column.as_str()).is_none())
}

fn joinable(left: &Type, right: &Type) -> bool {
    let text = |ty: &Type| matches!(ty, Type::Text | Type::Varchar(_));
    left == right || (text(left) && text(right))
}
