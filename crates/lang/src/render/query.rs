//! Queries and writes.

use sql::{Dialect, Ident, Sql};

use super::{ExpressionWriter, Frame};
use crate::{
    Expr, FromItem, InsertSource, JoinKind, OrderItem, Projection, Query, Write, WriteKind,
};

/// The rules of a write, over "this row".
#[derive(Clone, Copy, Default)]
pub struct WriteRules<'a> {
    /// Which rows may be changed.
    pub using: Option<&'a Expr>,
    /// What a written row must satisfy.
    pub check: Option<&'a Expr>,
    /// Which new rows are left out.
    pub taken: Option<Taken<'a>>,
}

/// Rows with a key that there is already: a function of the schema `auth` knows, which sees the
/// rows that the engine's own policies hide from the statement.
#[derive(Clone, Copy)]
pub struct Taken<'a> {
    /// The function.
    pub function: &'a Ident,
    /// What it takes.
    pub key: &'a [Ident],
}

impl Taken<'_> {
    /// Writes `auth.function(row.a, row.b)`.
    pub fn write(&self, sql: &mut Sql, row: &Ident) {
        sql.push("auth.").ident(self.function).push("(");
        for (place, column) in self.key.iter().enumerate() {
            sql.push(if place == 0 { "" } else { ", " });
            sql.column(row, column);
        }
        sql.push(")");
    }
}

impl ExpressionWriter<'_> {
    /// Writes a query that stands alone.
    pub fn query(&mut self, query: &Query) {
        self.frames.push(Frame {
            this: None,
            bindings: Vec::new(),
        });
        self.subquery(query);
        self.frames.pop();
    }

    /// Writes a query that stands in another one's `FROM`, with one more column that numbers its
    /// rows in its own order: the order of a query within a query is nobody's promise.
    pub fn numbered_query(&mut self, query: &Query, number: &Ident) {
        self.frames.push(Frame {
            this: None,
            bindings: Vec::new(),
        });
        self.select(query, Some(number));
        self.frames.pop();
    }

    /// Writes a query inside the current tree, so that it sees the queries around it.
    pub(super) fn subquery(&mut self, query: &Query) {
        self.select(query, None);
    }

    fn select(&mut self, query: &Query, number: Option<&Ident>) {
        // Aliases first: the projection is written before the relations it names.
        let mut items = Vec::new();
        for item in query
            .from
            .iter()
            .chain(query.joins.iter().map(|join| &join.item))
        {
            let alias = self.alias();
            items.push(alias.clone());
            if let Some(frame) = self.frames.last_mut() {
                frame.bindings.push((item.binding(), alias));
            }
        }
        self.sql.push(if query.distinct {
            "select distinct "
        } else {
            "select "
        });
        self.projection(&query.projection);
        if let Some(number) = number {
            self.sql.push(", row_number() over (");
            self.order_by(&query.order);
            self.sql.push(") as ").ident(number);
        }
        let mut filters = Vec::new();
        if let Some(from) = &query.from {
            self.sql.push(" from ");
            self.item(from, &items[0]);
            filters.extend(self.filter_of(from, &items[0]));
        }
        for (join, alias) in query.joins.iter().zip(&items[1.min(items.len())..]) {
            self.sql.push(match join.kind {
                JoinKind::Inner => " join ",
                JoinKind::Left => " left join ",
            });
            self.item(&join.item, alias);
            self.sql.push(" on ");
            self.expr(&join.on);
            match (join.kind, self.filter_of(&join.item, alias)) {
                (JoinKind::Inner, filter) => filters.extend(filter),
                (JoinKind::Left, Some((filter, alias))) => {
                    self.sql.push(" and ");
                    self.filter(&filter, &alias);
                }
                (JoinKind::Left, None) => {}
            }
        }
        self.wheres(query.filter.as_ref(), &filters);
        self.tail(query);
    }

    fn projection(&mut self, projection: &[Projection]) {
        for (place, column) in projection.iter().enumerate() {
            if place > 0 {
                self.sql.push(", ");
            }
            self.expr(&column.expr);
            self.sql.push(" as ").ident(&column.name);
        }
    }

    fn item(&mut self, item: &FromItem, alias: &Ident) {
        match item {
            FromItem::Table { table, .. } => {
                self.sql.ident(table);
            }
            FromItem::Derived {
                view: Some(view), ..
            } if !view.security_invoker && self.environment.reads_open_views() => {
                self.sql.ident(&view.name);
            }
            FromItem::Derived { query, view, .. } => {
                let is_open = view.as_ref().is_none_or(|view| view.security_invoker);
                self.sql.push("(");
                self.unfiltered += u32::from(!is_open);
                self.subquery(query);
                self.unfiltered -= u32::from(!is_open);
                self.sql.push(")");
            }
        }
        self.sql.push(" as ").ident(alias);
    }

    fn filter_of(&self, item: &FromItem, alias: &Ident) -> Option<(Expr, Ident)> {
        match item {
            FromItem::Table { .. } if self.unfiltered > 0 => None,
            FromItem::Table { table, .. } => self
                .environment
                .row_filter(table)
                .map(|filter| (filter.clone(), alias.clone())),
            FromItem::Derived { .. } => None,
        }
    }

    /// A rule is a tree of its own: its numbers mean other relations than ours.
    fn filter(&mut self, filter: &Expr, alias: &Ident) {
        self.expression(filter, Some(alias));
    }

    fn wheres(&mut self, own: Option<&Expr>, filters: &[(Expr, Ident)]) {
        let mut next = " where ";
        if let Some(own) = own {
            self.sql.push(next);
            self.expr(own);
            next = " and ";
        }
        for (filter, alias) in filters {
            self.sql.push(next);
            self.filter(filter, alias);
            next = " and ";
        }
    }

    fn tail(&mut self, query: &Query) {
        for (place, key) in query.group.iter().enumerate() {
            self.sql.push(if place == 0 { " group by " } else { ", " });
            self.expr(key);
        }
        if let Some(having) = &query.having {
            self.sql.push(" having ");
            self.expr(having);
        }
        self.order_by(&query.order);
        if let Some(limit) = &query.limit {
            self.sql.push(" limit ");
            self.count(limit);
        }
        if let Some(offset) = &query.offset {
            if query.limit.is_none() && self.sql.dialect() != Dialect::Postgres {
                // These engines know an offset only behind a limit.
                self.sql.push(" limit 9223372036854775807");
            }
            self.sql.push(" offset ");
            self.count(offset);
        }
    }

    /// A limit as digits where its value is known: PostgreSQL plans a bound one anew each time.
    fn count(&mut self, expr: &Expr) {
        let value = match &expr.kind {
            crate::ExprKind::Parameter(place) => self.environment.parameter(*place),
            crate::ExprKind::Literal(crate::Literal::Int(number)) => sql::Value::Int(*number),
            _ => sql::Value::Null,
        };
        match value {
            sql::Value::Int(number) => {
                self.sql.number(number.max(0).unsigned_abs());
            }
            _ => self.expr(expr),
        }
    }

    pub(super) fn order_by(&mut self, order: &[OrderItem]) {
        let mut next = " order by ";
        for key in order {
            self.sql.push(next);
            next = ", ";
            if self.sql.dialect().null_ordering() {
                self.expr(&key.expr);
                self.sql.push(if key.descending { " desc" } else { " asc" });
                // Said only where nulls can be and the engine would put them elsewhere, so that
                // indexes still serve the order.
                if key.expr.nullable && self.differs(key) {
                    self.sql.push(if key.nulls_first {
                        " nulls first"
                    } else {
                        " nulls last"
                    });
                }
            } else {
                if key.expr.nullable && self.differs(key) {
                    self.sql.push("(");
                    self.expr(&key.expr);
                    self.sql.push(if key.nulls_first {
                        " is not null), "
                    } else {
                        " is null), "
                    });
                }
                self.expr(&key.expr);
                self.sql.push(if key.descending { " desc" } else { " asc" });
            }
        }
    }

    fn differs(&self, key: &OrderItem) -> bool {
        let engine_puts_first = match self.sql.dialect() {
            Dialect::Postgres => key.descending,
            // Nulls are smaller than everything.
            Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => !key.descending,
        };
        key.nulls_first != engine_puts_first
    }

    /// Writes a statement that changes rows, with its rules; `RETURNING` where the engine has it.
    pub fn write(&mut self, write: &Write, rules: WriteRules<'_>) {
        let table = &write.table;
        let returning = match &write.kind {
            WriteKind::Insert { columns, source } => {
                self.sql
                    .push("insert into ")
                    .ident(table)
                    .push(" (")
                    .idents(columns)
                    .push(") ");
                self.insert_source(columns, source, rules);
                self.sql.dialect().insert_returning()
            }
            WriteKind::Update {
                assignments,
                filter,
            } => {
                self.frames.push(Frame {
                    this: Some(table.clone()),
                    bindings: Vec::new(),
                });
                self.sql.push("update ").ident(table).push(" set ");
                for (place, (column, value)) in assignments.iter().enumerate() {
                    if place > 0 {
                        self.sql.push(", ");
                    }
                    self.sql.ident(column).push(" = ");
                    self.expr(value);
                }
                let using = rules.using.map(|rule| (rule.clone(), table.clone()));
                self.wheres(filter.as_ref(), using.as_slice());
                self.frames.pop();
                self.sql.dialect().update_returning()
            }
            WriteKind::Delete { filter } => {
                self.frames.push(Frame {
                    this: Some(table.clone()),
                    bindings: Vec::new(),
                });
                self.sql.push("delete from ").ident(table);
                let using = rules.using.map(|rule| (rule.clone(), table.clone()));
                self.wheres(filter.as_ref(), using.as_slice());
                self.frames.pop();
                self.sql.dialect().delete_returning()
            }
        };
        if returning && !write.returning.is_empty() {
            self.returning(&write.returning);
        }
    }

    /// ` returning …` with bare columns.
    pub fn returning(&mut self, columns: &[Projection]) {
        self.sql.push(" returning ");
        self.frames.push(Frame {
            this: None,
            bindings: Vec::new(),
        });
        self.projection(columns);
        self.frames.pop();
    }

    /// The columns of a write's rows, read back: ` select … from table where …`.
    pub fn read_back(&mut self, write: &Write, filter: &Expr) {
        self.frames.push(Frame {
            this: Some(write.table.clone()),
            bindings: Vec::new(),
        });
        self.read_columns(write);
        self.wheres(Some(filter), &[]);
        self.frames.pop();
    }

    /// The same of the last statement's new rows, which the engine has numbered in `column`: their
    /// numbers follow each other (`InnoDB`, simple inserts).
    pub fn read_back_numbered(&mut self, write: &Write, column: &Ident, rows: u64) {
        self.frames.push(Frame {
            this: Some(write.table.clone()),
            bindings: Vec::new(),
        });
        self.read_columns(write);
        self.sql.push(" where ").ident(column);
        self.sql
            .push(" >= last_insert_id() order by ")
            .ident(column);
        self.sql.push(" limit ").number(rows);
        self.frames.pop();
    }

    fn read_columns(&mut self, write: &Write) {
        self.sql.push("select ");
        self.projection(&write.returning);
        self.sql.push(" from ").ident(&write.table);
    }

    fn insert_source(&mut self, columns: &[Ident], source: &InsertSource, rules: WriteRules<'_>) {
        if let (InsertSource::Rows(rows), None, None) = (source, rules.check, rules.taken) {
            return self.values(rows);
        }
        let rows = Ident::of("n");
        let is_chosen = rules.check.is_some() || rules.taken.is_some();
        if is_chosen {
            self.sql.push("select ");
            for (place, column) in columns.iter().enumerate() {
                if place > 0 {
                    self.sql.push(", ");
                }
                self.sql.column(&rows, column);
            }
            self.sql.push(" from (");
        }
        match source {
            InsertSource::Rows(values) => self.selected_rows(columns, values),
            InsertSource::Query(query) => {
                // The output names are the columns', for the rule to find them.
                let mut query = (**query).clone();
                for (column, name) in query.projection.iter_mut().zip(columns) {
                    column.name = name.clone();
                }
                self.query(&query);
            }
        }
        if is_chosen {
            self.sql.push(") as n where ");
        }
        if let Some(check) = rules.check {
            self.filter(check, &rows);
        }
        if let Some(taken) = rules.taken {
            self.sql.push(match rules.check {
                Some(_) => " and not ",
                None => "not ",
            });
            taken.write(self.sql, &rows);
        }
    }

    /// `values (…), (…)`
    fn values(&mut self, rows: &[Vec<Expr>]) {
        self.frames.push(Frame {
            this: None,
            bindings: Vec::new(),
        });
        for (place, row) in rows.iter().enumerate() {
            self.sql.push(if place == 0 { "values (" } else { "), (" });
            for (place, value) in row.iter().enumerate() {
                if place > 0 {
                    self.sql.push(", ");
                }
                self.expr(value);
            }
        }
        self.sql.push(")");
        self.frames.pop();
    }

    /// The rows as a query with names, for a rule to look at.
    fn selected_rows(&mut self, columns: &[Ident], rows: &[Vec<Expr>]) {
        self.frames.push(Frame {
            this: None,
            bindings: Vec::new(),
        });
        for (place, row) in rows.iter().enumerate() {
            self.sql.push(if place == 0 {
                "select "
            } else {
                " union all select "
            });
            for (place, (value, column)) in row.iter().zip(columns).enumerate() {
                if place > 0 {
                    self.sql.push(", ");
                }
                match (&value.kind, &value.ty) {
                    // PostgreSQL takes a null of a query for a text.
                    (crate::ExprKind::Literal(crate::Literal::Null), Some(ty))
                        if self.sql.dialect() == Dialect::Postgres =>
                    {
                        let null = Box::new(value.clone());
                        self.expr(&Expr {
                            kind: crate::ExprKind::Cast(null, ty.clone()),
                            ..value.clone()
                        });
                    }
                    _ => self.expr(value),
                }
                self.sql.push(" as ").ident(column);
            }
        }
        self.frames.pop();
    }
}
