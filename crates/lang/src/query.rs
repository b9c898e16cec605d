//! Checked queries and writes.

use sql::Ident;

use crate::{Expr, Span};

/// A checked `SELECT`.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `SELECT …`, in order, each with its output name.
    pub projection: Vec<Projection>,
    /// `DISTINCT`
    pub distinct: bool,
    /// The first item of `FROM`, if any.
    pub from: Option<FromItem>,
    /// The further ones.
    pub joins: Vec<Join>,
    /// `WHERE`
    pub filter: Option<Expr>,
    /// `GROUP BY`
    pub group: Vec<Expr>,
    /// `HAVING`
    pub having: Option<Expr>,
    /// `ORDER BY`
    pub order: Vec<OrderItem>,
    /// `LIMIT`
    pub limit: Option<Expr>,
    /// `OFFSET`
    pub offset: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// One output column.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub expr: Expr,
}

/// A relation in a `FROM`.
#[derive(Clone, Debug, PartialEq)]
pub enum FromItem {
    /// A declared table.
    Table {
        /// Its number, by which [`crate::ExprKind::Column`] names it.
        binding: u32,
        /// The table.
        table: Ident,
    },
    /// `(SELECT …) alias`, or a view with its query in the place of its name.
    Derived {
        /// Its number.
        binding: u32,
        /// The query.
        query: Box<Query>,
        /// The view that it is.
        view: Option<UsedView>,
    },
}

/// A view that a query reads.
#[derive(Clone, Debug, PartialEq)]
pub struct UsedView {
    /// Its name.
    pub name: Ident,
    /// Whether the caller's grants and policies apply to the tables beneath.
    pub security_invoker: bool,
}

impl FromItem {
    /// Its number within the tree.
    #[must_use]
    pub fn binding(&self) -> u32 {
        match self {
            Self::Table { binding, .. } | Self::Derived { binding, .. } => *binding,
        }
    }
}

/// A join.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Inner or left.
    pub kind: JoinKind,
    /// With what.
    pub item: FromItem,
    /// `ON`
    pub on: Expr,
}

/// Which rows of the left side stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Those with a partner.
    Inner,
    /// All of them.
    Left,
}

/// One key of an `ORDER BY`. Nulls stand where PostgreSQL puts them unless said otherwise: last
/// when ascending, first when descending.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderItem {
    /// What is compared.
    pub expr: Expr,
    /// `DESC`
    pub descending: bool,
    /// `NULLS FIRST`, resolved.
    pub nulls_first: bool,
}

/// A checked `INSERT`, `UPDATE` or `DELETE` of an SQL file.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The table.
    pub table: Ident,
    /// Which of the three.
    pub kind: WriteKind,
    /// `RETURNING`, empty if none.
    pub returning: Vec<Projection>,
    /// Where it stands.
    pub span: Span,
}

/// Where inserted rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertSource {
    /// `VALUES`: the rows, each as long as the list of columns.
    Rows(Vec<Vec<Expr>>),
    /// `SELECT …`, as many columns as are listed.
    Query(Box<Query>),
}

/// Which of the three writing statements.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteKind {
    /// `INSERT INTO t (columns) …`
    Insert {
        /// The columns.
        columns: Vec<Ident>,
        /// The rows.
        source: InsertSource,
    },
    /// `UPDATE t SET …`
    Update {
        /// Column and new value.
        assignments: Vec<(Ident, Expr)>,
        /// `WHERE`
        filter: Option<Expr>,
    },
    /// `DELETE FROM t`
    Delete {
        /// `WHERE`
        filter: Option<Expr>,
    },
}
