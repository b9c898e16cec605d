//! Walking trees: what they name, and trees with columns replaced.

use std::collections::BTreeSet;

use sql::Ident;

use crate::{Expr, ExprKind, FromItem, Query};

/// The direct parts of an expression, sub-queries not included; with `mut`, to be changed.
macro_rules! parts {
    ($expr:expr, $iter:ident, $as_deref:ident $(, $mutable:tt)?) => {
        match &$($mutable)? $expr.kind {
            ExprKind::Literal(_)
            | ExprKind::Column { .. }
            | ExprKind::Auth(_)
            | ExprKind::Now
            | ExprKind::NowPlus(_)
            | ExprKind::NewId { .. }
            | ExprKind::Parameter(_)
            | ExprKind::Exists { .. }
            | ExprKind::Scalar(_) => Vec::new(),
            ExprKind::Unary(_, operand)
            | ExprKind::IsNull { operand, .. }
            | ExprKind::IsBool { operand, .. }
            | ExprKind::InQuery { operand, .. }
            | ExprKind::JsonAccess { operand, .. }
            | ExprKind::Cast(operand, _) => vec![operand],
            ExprKind::Binary(_, left, right) => vec![left, right],
            ExprKind::RowCompare(_, left, right) => left.$iter().chain(right).collect(),
            ExprKind::InList { operand, list, .. } => {
                std::iter::once(&$($mutable)? **operand).chain(list).collect()
            }
            ExprKind::Like {
                operand, pattern, ..
            } => vec![operand, pattern],
            ExprKind::Case {
                branches,
                otherwise,
            } => branches
                .$iter()
                .flat_map(|(condition, result)| [condition, result])
                .chain(otherwise.$as_deref())
                .collect(),
            ExprKind::Call(_, arguments) => arguments.$iter().collect(),
            ExprKind::JsonObject(members) => members.$iter().map(|(_, value)| value).collect(),
            ExprKind::JsonAgg { element, order } => std::iter::once(&$($mutable)? **element)
                .chain(order.$iter().map(|key| &$($mutable)? key.expr))
                .collect(),
            ExprKind::Aggregate(_, operand) => operand.$as_deref().into_iter().collect(),
        }
    };
}

impl Expr {
    fn parts(&self) -> Vec<&Expr> {
        parts!(self, iter, as_deref)
    }

    fn parts_mut(&mut self) -> Vec<&mut Expr> {
        parts!(self, iter_mut, as_deref_mut, mut)
    }

    /// Gives a column of "this row" (binding 0) another name, in an expression without queries.
    pub fn rename_row_column(&mut self, from: &Ident, to: &Ident) {
        if let ExprKind::Column { binding: 0, column } = &mut self.kind
            && column == from
        {
            *column = to.clone();
        }
        for part in self.parts_mut() {
            part.rename_row_column(from, to);
        }
    }

    fn query(&self) -> Option<&Query> {
        match &self.kind {
            ExprKind::InQuery { query, .. }
            | ExprKind::Exists { query, .. }
            | ExprKind::Scalar(query) => Some(query),
            _ => None,
        }
    }

    /// Calls `visit` with every expression of the tree, those of sub-queries included.
    pub fn visit(&self, visit: &mut dyn FnMut(&Expr)) {
        visit(self);
        for part in self.parts() {
            part.visit(visit);
        }
        if let Some(query) = self.query() {
            query.visit(visit);
        }
    }

    /// The columns of "this row" (binding 0) that it reads.
    #[must_use]
    pub fn row_columns(&self) -> BTreeSet<Ident> {
        let mut columns = BTreeSet::new();
        self.visit(&mut |expr| {
            if let ExprKind::Column { binding: 0, column } = &expr.kind {
                columns.insert(column.clone());
            }
        });
        columns
    }

    /// Whether it names the caller.
    #[must_use]
    pub fn names_caller(&self) -> bool {
        let mut found = false;
        self.visit(&mut |expr| found |= matches!(expr.kind, ExprKind::Auth(_)));
        found
    }

    /// Whether it is another one at another moment, or each time.
    #[must_use]
    pub fn names_moment(&self) -> bool {
        let mut found = false;
        self.visit(&mut |expr| {
            found |= matches!(
                expr.kind,
                ExprKind::Now | ExprKind::NowPlus(_) | ExprKind::NewId { .. }
            );
        });
        found
    }

    /// Whether it holds a sub-query.
    #[must_use]
    pub fn has_query(&self) -> bool {
        let mut found = false;
        self.visit(&mut |expr| found |= expr.query().is_some());
        found
    }
}

/// Into which views a walk goes.
#[derive(Clone, Copy, PartialEq)]
enum Through {
    /// All of them.
    EveryView,
    /// Those in which the caller's own grants and policies apply.
    TheCallersViews,
}

/// A column of a table that a query reads.
pub(crate) type TableColumn = (Ident, Ident);

impl Query {
    /// Calls `visit` with every expression of the query and its sub-queries.
    pub fn visit(&self, visit: &mut dyn FnMut(&Expr)) {
        self.visit_own(visit);
        for item in self.items() {
            if let FromItem::Derived { query, .. } = item {
                query.visit(visit);
            }
        }
    }

    /// The same without what stands in the `FROM`.
    fn visit_own(&self, visit: &mut dyn FnMut(&Expr)) {
        for column in &self.projection {
            column.expr.visit(visit);
        }
        for join in &self.joins {
            join.on.visit(visit);
        }
        let optional = [&self.filter, &self.having, &self.limit, &self.offset];
        for expr in optional.into_iter().flatten().chain(&self.group) {
            expr.visit(visit);
        }
        for key in &self.order {
            key.expr.visit(visit);
        }
    }

    fn items(&self) -> impl Iterator<Item = &FromItem> {
        self.from
            .iter()
            .chain(self.joins.iter().map(|join| &join.item))
    }

    /// The tables and views by their numbers, those of sub-queries included.
    fn collect_tables(&self, tables: &mut Vec<(u32, Ident)>, through: Through) {
        for item in self.items() {
            match item {
                FromItem::Table { binding, table } => tables.push((*binding, table.clone())),
                FromItem::Derived {
                    binding,
                    query,
                    view,
                } => {
                    let view = view.as_ref();
                    tables.extend(view.map(|view| (*binding, view.name.clone())));
                    let is_open = view.is_none_or(|view| view.security_invoker);
                    if is_open || through == Through::EveryView {
                        query.collect_tables(tables, through);
                    }
                }
            }
        }
        let mut inner = Vec::new();
        self.visit_own(&mut |expr| {
            if let Some(query) = expr.query() {
                query.collect_tables(&mut inner, through);
            }
        });
        tables.extend(inner);
    }

    /// Every table and view that it names, and those beneath the views.
    #[must_use]
    pub fn relations(&self) -> BTreeSet<Ident> {
        let mut numbered = Vec::new();
        self.collect_tables(&mut numbered, Through::EveryView);
        numbered.into_iter().map(|(_, table)| table).collect()
    }

    /// Every table and view that it names and every column of theirs that the caller needs to be
    /// allowed to read: those beneath a view only where the caller's grants count there.
    #[must_use]
    pub fn reads(&self) -> (BTreeSet<Ident>, BTreeSet<TableColumn>) {
        let mut numbered = Vec::new();
        self.collect_tables(&mut numbered, Through::TheCallersViews);
        let mut columns = BTreeSet::new();
        self.visit(&mut |expr| {
            if let ExprKind::Column { binding, column } = &expr.kind
                && let Some((_, table)) = numbered.iter().find(|(number, _)| number == binding)
            {
                columns.insert((table.clone(), column.clone()));
            }
        });
        (
            numbered.into_iter().map(|(_, table)| table).collect(),
            columns,
        )
    }
}

/// Every table and column that an expression's sub-queries read.
#[must_use]
pub fn expression_reads(expr: &Expr) -> (BTreeSet<Ident>, BTreeSet<TableColumn>) {
    let mut tables = BTreeSet::new();
    let mut columns = BTreeSet::new();
    expr.visit(&mut |part| {
        if let Some(query) = part.query() {
            let (more_tables, more_columns) = query.reads();
            tables.extend(more_tables);
            columns.extend(more_columns);
        }
    });
    (tables, columns)
}

impl crate::Write {
    /// Calls `visit` with every expression of the statement and its sub-queries.
    pub fn visit(&self, visit: &mut dyn FnMut(&Expr)) {
        match &self.kind {
            crate::WriteKind::Insert {
                source: crate::InsertSource::Rows(rows),
                ..
            } => {
                rows.iter().flatten().for_each(|value| value.visit(visit));
            }
            crate::WriteKind::Insert {
                source: crate::InsertSource::Query(query),
                ..
            } => {
                query.visit(visit);
            }
            crate::WriteKind::Update {
                assignments,
                filter,
            } => {
                assignments.iter().for_each(|(_, value)| value.visit(visit));
                filter.iter().for_each(|filter| filter.visit(visit));
            }
            crate::WriteKind::Delete { filter } => {
                filter.iter().for_each(|filter| filter.visit(visit));
            }
        }
        self.returning
            .iter()
            .for_each(|column| column.expr.visit(visit));
    }
}
