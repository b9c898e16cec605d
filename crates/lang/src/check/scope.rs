//! What is in sight: relations, their columns, parameters.

use sql::Ident;
use sqlparser::ast;
use stdx::nearest;

use super::{Checked, Checker};
use crate::parse::name;
use crate::{Expr, ExprKind, FunctionDef, Span, Type, ViewDef};

/// The columns of a relation, as a check needs them.
#[derive(Clone, Debug)]
pub struct RelationShape {
    /// Its name.
    pub name: Ident,
    /// Its columns, in order.
    pub columns: Vec<ShapeColumn>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct ShapeColumn {
    /// Its name.
    pub name: Ident,
    /// Its type; `None` for a bare `NULL`.
    pub ty: Option<Type>,
    /// Whether it can be `NULL`.
    pub nullable: bool,
}

/// Where a check looks a relation up.
pub trait Relations {
    /// The relation of that name.
    fn relation(&self, name: &str) -> Option<RelationShape>;
    /// All names, for "did you mean".
    fn names(&self) -> Vec<Ident>;
    /// The declared view of that name.
    fn view(&self, _name: &str) -> Option<&ViewDef> {
        None
    }
    /// The declared function of that name.
    fn function(&self, _name: &str) -> Option<&FunctionDef> {
        None
    }
}

/// A declared parameter of an SQL file.
#[derive(Clone, Debug)]
pub struct ParameterShape {
    /// Its name, without the colon.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it can be `NULL`.
    pub nullable: bool,
}

/// A relation in a `FROM`, under its alias.
pub(super) struct Scope {
    alias: String,
    pub(super) binding: u32,
    pub(super) columns: Vec<ShapeColumn>,
}

impl Scope {
    pub(super) fn of(shape: &RelationShape, alias: &str, binding: u32) -> Self {
        Self {
            alias: alias.to_owned(),
            binding,
            columns: shape.columns.clone(),
        }
    }

    pub(super) fn named(alias: &Ident, binding: u32, columns: Vec<ShapeColumn>) -> Self {
        Self {
            alias: alias.as_str().to_owned(),
            binding,
            columns,
        }
    }

    pub(super) fn is(&self, alias: &str) -> bool {
        self.alias == alias
    }

    /// After a left join, any column can be missing.
    pub(super) fn made_nullable(mut self) -> Self {
        for column in &mut self.columns {
            column.nullable = true;
        }
        self
    }
}

impl Checker<'_> {
    pub(super) fn table(&self, table: &Ident, span: Span) -> Checked<RelationShape> {
        self.relations.relation(table.as_str()).ok_or_else(|| {
            let error = self.error(span, format!("there is no table {table}"));
            let names = self.relations.names();
            match nearest(table.as_str(), names.iter().map(Ident::as_str)) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error,
            }
        })
    }

    /// A table whose rows a statement changes.
    pub(super) fn written(&self, table: &Ident) -> Checked<RelationShape> {
        match self.relations.view(table.as_str()) {
            None => self.table(table, self.span),
            Some(_) => Err(self
                .error(
                    self.span,
                    format!("{table} is a view, of which rows are only read"),
                )
                .hint("change the tables beneath")),
        }
    }

    pub(super) fn column(&self, ident: &ast::Ident, span: Span) -> Checked<Expr> {
        let wanted = name(self.path, ident, span)?;
        for level in self.scopes.iter().rev() {
            let mut found = level.iter().filter_map(|scope| {
                Some((scope, scope.columns.iter().find(|c| c.name == wanted)?))
            });
            match (found.next(), found.next()) {
                (Some((scope, column)), None) => return Ok(reference(scope, column, span)),
                (Some((first, _)), Some((second, _))) => {
                    let message = format!("{wanted} is in {} and in {}", first.alias, second.alias);
                    return Err(self
                        .error(span, message)
                        .hint("write the table's name before it"));
                }
                (None, _) => {}
            }
        }
        let all = self
            .scopes
            .iter()
            .flatten()
            .flat_map(|scope| &scope.columns);
        let error = self.error(span, format!("there is no column {wanted} here"));
        Err(
            match nearest(wanted.as_str(), all.map(|column| column.name.as_str())) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error,
            },
        )
    }

    pub(super) fn qualified(
        &self,
        relation: &ast::Ident,
        column: &ast::Ident,
        span: Span,
    ) -> Checked<Expr> {
        let alias = name(self.path, relation, span)?;
        let wanted = name(self.path, column, span)?;
        let scope = self.scope(alias.as_str(), span)?;
        match scope.columns.iter().find(|column| column.name == wanted) {
            Some(column) => Ok(reference(scope, column, span)),
            None => {
                let error = self.error(span, format!("{alias} has no column {wanted}"));
                let names = scope.columns.iter().map(|column| column.name.as_str());
                Err(match nearest(wanted.as_str(), names) {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error,
                })
            }
        }
    }

    pub(super) fn scope(&self, alias: &str, span: Span) -> Checked<&Scope> {
        self.scopes
            .iter()
            .rev()
            .flatten()
            .find(|scope| scope.is(alias))
            .ok_or_else(|| self.error(span, format!("{alias} is not in the FROM")))
    }
}

pub(super) fn reference(scope: &Scope, column: &ShapeColumn, span: Span) -> Expr {
    Expr {
        kind: ExprKind::Column {
            binding: scope.binding,
            column: column.name.clone(),
        },
        ty: column.ty.clone(),
        nullable: column.nullable,
        span,
    }
}
