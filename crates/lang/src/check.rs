//! Names resolved, types given.

mod expr;
mod functions;
mod inline;
mod json;
mod literal;
mod predicate;
mod query;
mod scope;
mod view;
mod write;

pub use inline::check_function;
pub use scope::{ParameterShape, RelationShape, Relations, ShapeColumn};
pub use view::check_view;

use sqlparser::ast;

use crate::{Diagnostic, Expr, Query, RawExpr, RawQuery, Span, Type, Write};
use scope::Scope;

/// A checked statement of an SQL file.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckedStatement {
    /// Reads.
    Query(Query),
    /// Writes.
    Write(Write),
}

/// Checks an expression over "this row" (binding 0 = `row`), with sub-queries over `relations`.
pub fn check_expression(
    raw: &RawExpr,
    path: &str,
    expected: Option<&Type>,
    row: Option<&RelationShape>,
    relations: &dyn Relations,
) -> Result<Expr, Vec<Diagnostic>> {
    let mut checker = Checker::new(path, raw.span, relations, &[]);
    if let Some(row) = row {
        checker
            .scopes
            .push(vec![Scope::of(row, row.name.as_str(), 0)]);
    }
    checker
        .expr(&raw.expr, expected)
        .map_err(|error| vec![error])
}

/// Checks a statement of an SQL file.
pub fn check_query(
    raw: &RawQuery,
    path: &str,
    parameters: &[ParameterShape],
    relations: &dyn Relations,
) -> Result<CheckedStatement, Vec<Diagnostic>> {
    let mut checker = Checker::new(path, raw.span, relations, parameters);
    let checked = match &raw.statement {
        ast::Statement::Query(query) => checker.query(query).map(CheckedStatement::Query),
        ast::Statement::Insert(insert) => checker.insert(insert).map(CheckedStatement::Write),
        ast::Statement::Update(update) => checker.update(update).map(CheckedStatement::Write),
        ast::Statement::Delete(delete) => checker.delete(delete).map(CheckedStatement::Write),
        other => Err(Diagnostic::new(
            path,
            raw.span,
            format!("{other} cannot stand here"),
        )),
    };
    checked.map_err(|error| vec![error])
}

/// The result of one step: the first mistake ends the statement.
type Checked<T> = Result<T, Diagnostic>;

/// Walks one statement.
struct Checker<'a> {
    path: &'a str,
    /// The statement's place, where the parser knows no better one.
    span: Span,
    relations: &'a dyn Relations,
    parameters: &'a [ParameterShape],
    /// The relations in sight, innermost query last.
    scopes: Vec<Vec<Scope>>,
    next_binding: u32,
    /// The next query's columns go into an INSERT's by their place; their names do not matter.
    unnamed: bool,
    /// The next query stands within an expression: its columns need no names.
    nameless: bool,
    /// The arguments of the functions that are being put in.
    arguments: Vec<Expr>,
    /// How deep.
    inlining: usize,
}

impl<'a> Checker<'a> {
    fn new(
        path: &'a str,
        span: Span,
        relations: &'a dyn Relations,
        parameters: &'a [ParameterShape],
    ) -> Self {
        Self {
            path,
            span,
            relations,
            parameters,
            scopes: Vec::new(),
            next_binding: 1,
            unnamed: false,
            nameless: false,
            arguments: Vec::new(),
            inlining: 0,
        }
    }

    fn binding(&mut self) -> u32 {
        let binding = self.next_binding;
        self.next_binding += 1;
        binding
    }

    fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.path, span, message)
    }
}
