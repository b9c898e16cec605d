//! Names resolved, types given.

use sql::Ident;

use crate::{Diagnostic, Expr, Query, RawExpr, RawQuery, Source, Type, Write};

/// The columns of a relation, as a check needs them.
#[derive(Clone, Debug)]
pub struct RelationShape {
    /// Name.
    pub name: Ident,
    /// Columns.
    pub columns: Vec<ShapeColumn>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct ShapeColumn {
    /// Name.
    pub name: Ident,
    /// Type.
    pub ty: Type,
    /// Nullable.
    pub nullable: bool,
}

/// Where a check looks a relation up.
pub trait Relations {
    /// The relation of that name.
    fn relation(&self, name: &str) -> Option<RelationShape>;
    /// All names, for "did you mean".
    fn names(&self) -> Vec<Ident>;
}

/// A declared parameter of an SQL file.
#[derive(Clone, Debug)]
pub struct ParameterShape {
    /// Name without colon.
    pub name: String,
    /// Type.
    pub ty: Type,
    /// Nullable.
    pub nullable: bool,
}

/// A checked statement of an SQL file.
#[derive(Clone, Debug)]
pub enum CheckedStatement {
    /// Reads.
    Query(Query),
    /// Writes.
    Write(Write),
}

/// Checks an expression over "this row" (binding 0 = `row`), with sub-queries over `relations`.
pub fn check_expression(
    _raw: &RawExpr,
    _path: &str,
    _row: Option<&RelationShape>,
    _relations: &dyn Relations,
) -> Result<Expr, Vec<Diagnostic>> {
    unimplemented!()
}
/// Checks a statement of an SQL file.
pub fn check_query(
    _raw: &RawQuery,
    _path: &str,
    _parameters: &[ParameterShape],
    _relations: &dyn Relations,
) -> Result<CheckedStatement, Vec<Diagnostic>> {
    unimplemented!()
}
