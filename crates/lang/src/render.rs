//! Checked trees to text.

use sql::{Dialect, Ident, Sql, Value};

use crate::{AuthFunction, Expr, Query, Write};

/// What a tree needs to know when it becomes text: the caller, the moment, the parameters, and
/// the rules that apply.
pub trait Environment {
    /// The value of a fact about the caller.
    fn auth(&self, function: &AuthFunction) -> Value;
    /// The moment of the request.
    fn now(&self) -> Value;
    /// A fresh id.
    fn new_id(&self, ordered: bool) -> Value;
    /// The value of parameter `index`.
    fn parameter(&self, index: usize) -> Value;
    /// The predicate over "this row" (binding 0) that a row of `table` must satisfy to be read,
    /// or `None` where no rule applies (our own tables, `@security definer`).
    fn row_filter(&self, table: &Ident) -> Option<&Expr>;
}

/// Writes checked trees into a [`Sql`].
///
/// Relations get the aliases `t1`, `t2`, … in the order they are met, so a tree can be inlined
/// anywhere without a clash.
pub struct ExpressionWriter<'a> {
    sql: &'a mut Sql,
    environment: &'a dyn Environment,
    next_alias: u32,
}

impl<'a> ExpressionWriter<'a> {
    /// A writer into `sql`.
    pub fn new(sql: &'a mut Sql, environment: &'a dyn Environment) -> Self {
        Self {
            sql,
            environment,
            next_alias: 1,
        }
    }
    /// Writes an expression; `this` is the alias of binding 0.
    pub fn expression(&mut self, _expr: &Expr, _this: Option<&Ident>) {
        unimplemented!()
    }
    /// Writes a query; with an order that every engine keeps.
    pub fn query(&mut self, _query: &Query) {
        unimplemented!()
    }
    /// Writes a statement that changes rows.
    pub fn write(&mut self, _write: &Write) {
        unimplemented!()
    }
}

/// Writes an expression as DDL has it: constants quoted, nothing bound, columns bare.
pub fn ddl_expression(_sql: &mut Sql, _expr: &Expr) {
    unimplemented!()
}

#[expect(dead_code)]
fn used(_: Dialect) {}
