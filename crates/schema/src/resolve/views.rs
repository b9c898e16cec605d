//! Views.

use lang::{Diagnostic, ExprKind, FromItem, Projection, Query, Statement, ViewDef, check_view};
use sql::Ident;

use super::tables::reserved;
use super::{CatalogKind, Placed};
use crate::{Catalog, Column, ForeignKey, Table, View};

impl Catalog {
    /// Declares those first that others read.
    pub(super) fn declare_views(
        &mut self,
        placed: &[Placed<'_>],
        kind: CatalogKind,
        errors: &mut Vec<Diagnostic>,
    ) {
        let mut waiting: Vec<(&str, &ViewDef)> = Vec::new();
        for (path, statement) in placed {
            let Statement::CreateView(view) = statement else {
                continue;
            };
            let is_taken = self.table(view.name.as_str()).is_some()
                || self.view(view.name.as_str()).is_some()
                || waiting.iter().any(|(_, other)| other.name == view.name);
            if is_taken {
                let message = format!("{} is declared twice", view.name);
                errors.push(Diagnostic::new(*path, view.span, message));
                continue;
            }
            match reserved(path, view.span, &view.name) {
                Some(error) if kind == CatalogKind::User => errors.push(error),
                Some(_) | None => waiting.push((path, view)),
            }
        }
        while !waiting.is_empty() {
            let is_free = |(_, view): &(&str, &ViewDef)| {
                let read = view.query.relations();
                let waits = |name: &String| waiting.iter().any(|(_, other)| other.name == **name);
                !read.iter().any(waits)
            };
            let Some(place) = waiting.iter().position(is_free) else {
                let (path, view) = waiting[0];
                let message = format!("{} reads itself, by way of other views", view.name);
                errors.push(Diagnostic::new(path, view.span, message));
                return;
            };
            let (path, view) = waiting.remove(place);
            match check_view(view, path, self) {
                Ok(query) => {
                    let view = self.new_view(path, view, query);
                    self.views.push(view);
                }
                Err(more) => errors.extend(more),
            }
        }
    }

    fn new_view(&self, path: &str, definition: &ViewDef, query: Query) -> View {
        let column = |column: &Projection| {
            Column {
                name: column.name.clone(),
                // A column without a type is refused before.
                ty: column.expr.ty.clone().unwrap_or(lang::Type::Text),
                nullable: column.expr.nullable,
                default: None,
                identity: false,
                generated: None,
                comment: None,
                was: None,
                span: column.expr.span,
            }
        };
        let relation = Table {
            name: definition.name.clone(),
            columns: query.projection.iter().map(column).collect(),
            primary_key: None,
            uniques: Vec::new(),
            checks: Vec::new(),
            foreign_keys: self.keys(&query),
            indexes: Vec::new(),
            comment: None,
            grants: Vec::new(),
            policies: Vec::new(),
            was: None,
            path: path.to_owned(),
            span: definition.span,
        };
        View {
            relation,
            query,
            definition: definition.clone(),
        }
    }

    /// The table's column that a view's column is, unchanged.
    fn origin(&self, query: &Query, column: &Projection) -> Option<(&Table, &Column)> {
        let ExprKind::Column { binding, column } = &column.expr.kind else {
            return None;
        };
        let joined = query.joins.iter().map(|join| &join.item);
        let mut items = query.from.iter().chain(joined);
        match items.find(|item| item.binding() == *binding)? {
            FromItem::Table { table, .. } => {
                let table = self.table(table.as_str())?;
                Some((table, table.column(column.as_str())?))
            }
            FromItem::Derived { query, .. } => {
                let mut inner = query.projection.iter();
                let inner = inner.find(|inner| inner.name == *column)?;
                self.origin(query, inner)
            }
        }
    }

    /// What a view's columns point to: where those point that they are.
    fn keys(&self, query: &Query) -> Vec<ForeignKey> {
        let key = |column: &Projection| {
            let (table, own) = self.origin(query, column)?;
            let is_own = |key: &&ForeignKey| key.columns == [own.name.clone()];
            let key = table.foreign_keys.iter().find(is_own)?;
            Some(ForeignKey {
                columns: vec![column.name.clone()],
                ..key.clone()
            })
        };
        query.projection.iter().filter_map(key).collect()
    }

    /// The first view that reads a table.
    pub(crate) fn view_over(&self, table: &Ident) -> Option<&View> {
        let mut views = self.views.iter();
        views.find(|view| view.query.relations().contains(table))
    }
}
