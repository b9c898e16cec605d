//! Text to statements; the only module that names `sqlparser`.

use crate::{Diagnostic, Source, Span, Statement};

/// An expression that was parsed and not yet checked.
#[derive(Clone, Debug)]
pub struct RawExpr {
    pub(crate) expr: sqlparser::ast::Expr,
    pub(crate) span: Span,
}

/// A query or a write that was parsed and not yet checked.
#[derive(Clone, Debug)]
pub struct RawQuery {
    pub(crate) statement: sqlparser::ast::Statement,
    pub(crate) span: Span,
}

/// Parses a file of declarations (`schema/*.sql`, a part of `migrations/*.sql`).
pub fn parse_statements(_source: &Source) -> Result<Vec<Statement>, Vec<Diagnostic>> {
    unimplemented!()
}
/// Parses one expression, as a test or a tool would have it.
pub fn parse_expression(_source: &Source) -> Result<RawExpr, Vec<Diagnostic>> {
    unimplemented!()
}
/// Parses the statements of an SQL file (`api/**/*.sql`, `hooks/*.sql`): one or several.
pub fn parse_query(_source: &Source) -> Result<Vec<RawQuery>, Vec<Diagnostic>> {
    unimplemented!()
}
