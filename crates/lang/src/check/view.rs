//! Views: a query by itself, and in the place of its name.

use sql::Ident;
use sqlparser::ast;

use super::scope::Scope;
use super::{Checked, Checker, Relations};
use crate::{Diagnostic, FromItem, Query, UsedView, ViewDef};

/// Views over views, so deep.
const DEPTH: usize = 16;

/// Checks a declared view; its columns have the names that it gives them.
pub fn check_view(
    view: &ViewDef,
    path: &str,
    relations: &dyn Relations,
) -> Result<Query, Vec<Diagnostic>> {
    let mut checker = Checker::new(path, view.span, relations, &[]);
    checker.body(view).map_err(|error| vec![error])
}

impl Checker<'_> {
    /// A view in a `FROM`: its query, which sees nothing of what is around it.
    pub(super) fn view(&mut self, view: &ViewDef, alias: &Ident) -> Checked<(FromItem, Scope)> {
        if self.inlining >= DEPTH {
            let message = format!("{} goes too deep", view.name);
            return Err(self.error(self.span, message));
        }
        let scopes = std::mem::take(&mut self.scopes);
        let parameters = std::mem::take(&mut self.parameters);
        let arguments = std::mem::take(&mut self.arguments);
        let (unnamed, nameless) = (self.unnamed, self.nameless);
        (self.unnamed, self.nameless) = (false, false);
        self.inlining += 1;
        let query = self.body(view);
        self.inlining -= 1;
        (self.unnamed, self.nameless) = (unnamed, nameless);
        self.scopes = scopes;
        self.parameters = parameters;
        self.arguments = arguments;
        let used = UsedView {
            name: view.name.clone(),
            security_invoker: view.security_invoker,
        };
        Ok(self.derived_item(query?, alias, Some(used)))
    }

    fn body(&mut self, view: &ViewDef) -> Checked<Query> {
        let ast::Statement::Query(body) = &view.query.statement else {
            return Err(self.error(view.span, "a view is a query"));
        };
        let mut query = self.query(body)?;
        let (name, given) = (&view.name, view.columns.len());
        if given > 0 && given != query.projection.len() {
            let message = format!(
                "{name} has {given} name(s) for the {} column(s) of its query",
                query.projection.len()
            );
            return Err(self.error(view.span, message));
        }
        for (column, own) in query.projection.iter_mut().zip(&view.columns) {
            column.name = own.clone();
        }
        for (place, column) in query.projection.iter().enumerate() {
            let earlier = &query.projection[..place];
            if earlier.iter().any(|other| other.name == column.name) {
                let message = format!("two columns of {name} are called {}", column.name);
                return Err(self.error(view.span, message));
            }
        }
        self.require_portable(&query, view)?;
        Ok(query)
    }

    /// A view is in the database, too, where nobody knows a caller.
    fn require_portable(&self, query: &Query, view: &ViewDef) -> Checked<()> {
        let mut caller = None;
        query.visit(&mut |expr| {
            if expr.names_caller() {
                caller = caller.or(Some(expr.span));
            }
        });
        if let Some(span) = caller {
            return Err(self
                .error(span, format!("{} names the caller", view.name))
                .hint("what a caller sees is said by the policies of the tables beneath"));
        }
        let untyped = query.projection.iter().find(|one| one.expr.ty.is_none());
        if let Some(column) = untyped {
            return Err(self
                .error(
                    column.expr.span,
                    format!("{}.{} has no type", view.name, column.name),
                )
                .hint("write cast(null as text)"));
        }
        Ok(())
    }
}
