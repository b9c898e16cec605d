//! Queries, and expressions over rows.

use std::fmt::{self, Write as _};

use super::{PortableWriter, not, quoted};
use crate::{AggregateFunction, Expr, ExprKind, FromItem, JoinKind, OrderItem, Query};

impl PortableWriter {
    pub(super) fn query(&mut self, query: &Query) -> fmt::Result {
        let outer = self.bindings.len();
        let items = query.from.iter();
        let items = items.chain(query.joins.iter().map(|join| &join.item));
        for item in items {
            self.aliases += 1;
            self.bindings.push((item.binding(), self.aliases));
        }
        self.push(if query.distinct {
            "select distinct "
        } else {
            "select "
        });
        for (place, column) in query.projection.iter().enumerate() {
            if place > 0 {
                self.push(", ");
            }
            self.expr(&column.expr)?;
            self.push(" as ");
            quoted(&mut self.text, column.name.as_str())?;
        }
        if let Some(from) = &query.from {
            self.push(" from ");
            self.item(from)?;
        }
        for join in &query.joins {
            self.push(match join.kind {
                JoinKind::Inner => " join ",
                JoinKind::Left => " left join ",
            });
            self.item(&join.item)?;
            self.push(" on ");
            self.expr(&join.on)?;
        }
        self.tail(query)?;
        self.bindings.truncate(outer);
        Ok(())
    }

    fn item(&mut self, item: &FromItem) -> fmt::Result {
        match item {
            FromItem::Table { table, .. } => quoted(&mut self.text, table.as_str())?,
            FromItem::Derived { query, .. } => {
                self.push("(");
                self.query(query)?;
                self.push(")");
            }
        }
        let mut known = self.bindings.iter().rev();
        match known.find(|(number, _)| *number == item.binding()) {
            Some((_, alias)) => write!(self.text, " as t{alias}"),
            None => Ok(()),
        }
    }

    fn tail(&mut self, query: &Query) -> fmt::Result {
        if let Some(filter) = &query.filter {
            self.push(" where ");
            self.expr(filter)?;
        }
        for (place, key) in query.group.iter().enumerate() {
            self.push(if place == 0 { " group by " } else { ", " });
            self.expr(key)?;
        }
        if let Some(having) = &query.having {
            self.push(" having ");
            self.expr(having)?;
        }
        self.order(&query.order)?;
        if let Some(limit) = &query.limit {
            self.push(" limit ");
            self.expr(limit)?;
        }
        if let Some(offset) = &query.offset {
            self.push(" offset ");
            self.expr(offset)?;
        }
        Ok(())
    }

    fn order(&mut self, order: &[OrderItem]) -> fmt::Result {
        for (place, key) in order.iter().enumerate() {
            self.push(if place == 0 { " order by " } else { ", " });
            self.expr(&key.expr)?;
            self.push(if key.descending { " desc" } else { "" });
            // Said where it is not the rule.
            if key.nulls_first != key.descending {
                self.push(if key.nulls_first {
                    " nulls first"
                } else {
                    " nulls last"
                });
            }
        }
        Ok(())
    }

    pub(super) fn over_rows(&mut self, expr: &Expr) -> fmt::Result {
        match &expr.kind {
            ExprKind::InQuery {
                operand,
                query,
                negated,
            } => {
                self.push("(");
                self.expr(operand)?;
                write!(self.text, " {}in (", not(*negated))?;
                self.query(query)?;
                self.push("))");
            }
            ExprKind::Exists { query, negated } => {
                write!(self.text, "({}exists (", not(*negated))?;
                self.query(query)?;
                self.push("))");
            }
            ExprKind::Scalar(query) => {
                self.push("(");
                self.query(query)?;
                self.push(")");
            }
            ExprKind::JsonObject(members) => {
                self.push("json_object(");
                for (place, (key, value)) in members.iter().enumerate() {
                    let comma = if place > 0 { ", " } else { "" };
                    write!(self.text, "{comma}'{}', ", key.replace('\'', "''"))?;
                    self.expr(value)?;
                }
                self.push(")");
            }
            ExprKind::JsonAgg { element, order } => {
                self.push("json_agg(");
                self.expr(element)?;
                self.order(order)?;
                self.push(")");
            }
            ExprKind::Aggregate(function, operand) => {
                self.push(match function {
                    AggregateFunction::Count => "count(",
                    AggregateFunction::Sum => "sum(",
                    AggregateFunction::Min => "min(",
                    AggregateFunction::Max => "max(",
                });
                match operand {
                    Some(operand) => self.expr(operand)?,
                    None => self.push("*"),
                }
                self.push(")");
            }
            // The others are written by `expr`.
            _ => {}
        }
        Ok(())
    }
}
