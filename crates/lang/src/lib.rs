//! Portable SQL: text to checked tree to text for four dialects. Pure.
//!
//! The text is PostgreSQL's own syntax, a portable subset. `sqlparser` is named in `parse`
//! alone; what leaves this room is our own tree, in which every name is resolved and every
//! expression has a type. Whatever cannot mean the same on all four engines is a [`Diagnostic`]
//! at file, line and column that says what to write instead.

mod check;
mod evaluate;
mod expr;
mod parse;
mod portable;
mod query;
mod render;
mod role;
mod source;
mod statement;
mod types;
mod walk;

pub use check::{
    CheckedStatement, ParameterShape, RelationShape, Relations, ShapeColumn, check_expression,
    check_function, check_query, check_view,
};
pub use expr::{
    AggregateFunction, AuthFunction, BinaryOp, Expr, ExprKind, Function, JsonKey, Literal, UnaryOp,
};
pub use parse::{RawExpr, RawQuery, parse_expression, parse_query, parse_statements};
pub use parse::{SqliteText, read_sqlite_text};
pub use query::{
    FromItem, InsertSource, Join, JoinKind, OrderItem, Projection, Query, UsedView, Write,
    WriteKind,
};
pub use render::{
    Environment, ExpressionWriter, Taken, WriteRules, ddl_expression, ddl_now, ddl_policy,
    ddl_query, ddl_write, value_of,
};
pub use role::{AlterRole, RoleLimit, RoleSetting};
pub use source::{Diagnostic, Source, Span};
pub use statement::{
    AlterAction, AlterTable, ColumnChange, ColumnDef, CommentOn, CommentTarget, CreateEnum,
    CreateIndex, CreatePolicy, CreateRole, CreateTable, DefaultDef, DropIndex, DropTable, DropView,
    ForeignKeyDef, FunctionDef, Grant, GrantRole, IndexKeyDef, NativeStatement, PolicyCommand,
    Privilege, ReferentialAction, Statement, TableConstraint, ViewDef, Was,
};
pub use types::Type;
pub use walk::expression_reads;
