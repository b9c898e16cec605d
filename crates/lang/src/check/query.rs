//! Queries.

use sql::Ident;
use sqlparser::ast;

use super::scope::{Scope, ShapeColumn, reference};
use super::{Checked, Checker};
use crate::parse::{name, place_of, table_name};
use crate::{
    Expr, ExprKind, FromItem, Join, JoinKind, OrderItem, Projection, Query, Span, Type, UsedView,
};

impl Checker<'_> {
    pub(super) fn query(&mut self, query: &ast::Query) -> Checked<Query> {
        if query.with.is_some() {
            return Err(self
                .error(self.span, "WITH is not offered yet")
                .hint("write a sub-query"));
        }
        let ast::SetExpr::Select(select) = &*query.body else {
            return Err(self
                .error(self.span, "a query is one SELECT here")
                .hint("UNION and the like are not offered yet"));
        };
        self.scopes.push(Vec::new());
        let checked = self.select(query, select);
        self.scopes.pop();
        checked
    }

    fn select(&mut self, query: &ast::Query, select: &ast::Select) -> Checked<Query> {
        let unnamed = std::mem::take(&mut self.unnamed);
        let nameless = std::mem::take(&mut self.nameless);
        let (from, joins) = self.from(&select.from)?;
        let projection = match unnamed {
            true => self.numbered(&select.projection)?,
            false => self.projection(&select.projection, nameless)?,
        };
        let filter = select
            .selection
            .as_ref()
            .map(|expr| self.condition(expr))
            .transpose()?;
        let group = match &select.group_by {
            ast::GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => keys
                .iter()
                .map(|key| self.expr(key, None))
                .collect::<Checked<Vec<_>>>()?,
            other => return Err(self.error(self.span, format!("{other} is not offered"))),
        };
        let having = select
            .having
            .as_ref()
            .map(|expr| self.condition(expr))
            .transpose()?;
        let distinct = match &select.distinct {
            None | Some(ast::Distinct::All) => false,
            Some(ast::Distinct::Distinct) => true,
            Some(_) => return Err(self.error(self.span, "DISTINCT ON exists on PostgreSQL alone")),
        };
        let mut order = Vec::new();
        if let Some(by) = &query.order_by {
            let ast::OrderByKind::Expressions(keys) = &by.kind else {
                return Err(self.error(self.span, "ORDER BY ALL is not offered"));
            };
            for key in keys {
                let key = self.order_item(key, &projection)?;
                // A constant orders nothing, and engines take a bare number for a column's place.
                if !matches!(key.expr.kind, ExprKind::Literal(_)) {
                    order.push(key);
                }
            }
        }
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(ast::LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            }) if limit_by.is_empty() => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(_) => return Err(self.error(self.span, "write LIMIT n OFFSET m")),
        };
        let limit = limit.map(|expr| self.whole_number(expr)).transpose()?;
        let offset = offset.map(|expr| self.whole_number(expr)).transpose()?;
        let span = self.span;
        Ok(Query {
            projection,
            distinct,
            from,
            joins,
            filter,
            group,
            having,
            order,
            limit,
            offset,
            span,
        })
    }

    fn whole_number(&mut self, expr: &ast::Expr) -> Checked<Expr> {
        let checked = self.expr(expr, Some(&Type::BigInt))?;
        match checked.ty {
            Some(Type::SmallInt | Type::Integer | Type::BigInt) => Ok(checked),
            _ => Err(self.error(checked.span, "LIMIT and OFFSET take a whole number")),
        }
    }

    fn from(&mut self, from: &[ast::TableWithJoins]) -> Checked<(Option<FromItem>, Vec<Join>)> {
        let mut first = None;
        let mut joins = Vec::new();
        for tables in from {
            let (item, scope) = self.relation(&tables.relation)?;
            self.sight(scope);
            if first.is_none() {
                first = Some(item);
            } else {
                let on = Self::boolean(true, self.span);
                joins.push(Join {
                    kind: JoinKind::Inner,
                    item,
                    on,
                });
            }
            for join in &tables.joins {
                joins.push(self.join(join)?);
            }
        }
        Ok((first, joins))
    }

    fn sight(&mut self, scope: Scope) {
        if let Some(level) = self.scopes.last_mut() {
            level.push(scope);
        }
    }

    fn join(&mut self, join: &ast::Join) -> Checked<Join> {
        let (kind, constraint) = match &join.join_operator {
            ast::JoinOperator::Join(constraint) | ast::JoinOperator::Inner(constraint) => {
                (JoinKind::Inner, Some(constraint))
            }
            ast::JoinOperator::Left(constraint) | ast::JoinOperator::LeftOuter(constraint) => {
                (JoinKind::Left, Some(constraint))
            }
            ast::JoinOperator::CrossJoin(_) => (JoinKind::Inner, None),
            _ => {
                return Err(self
                    .error(self.span, "this kind of join is not portable")
                    .hint("write JOIN or LEFT JOIN with ON"));
            }
        };
        let (item, scope) = self.relation(&join.relation)?;
        let scope = if kind == JoinKind::Left {
            scope.made_nullable()
        } else {
            scope
        };
        self.sight(scope);
        let on = match constraint {
            Some(ast::JoinConstraint::On(expr)) => self.condition(expr)?,
            None => Self::boolean(true, self.span),
            Some(_) => return Err(self.error(self.span, "write ON behind the join")),
        };
        Ok(Join { kind, item, on })
    }

    fn relation(&mut self, factor: &ast::TableFactor) -> Checked<(FromItem, Scope)> {
        match factor {
            ast::TableFactor::Table {
                name: object,
                alias,
                args: None,
                ..
            } => {
                let table = table_name(self.path, object, self.span)?;
                let alias = match alias {
                    Some(alias) => name(self.path, &alias.name, self.span)?,
                    None => table.clone(),
                };
                if let Some(view) = self.relations.view(table.as_str()) {
                    return self.view(view, &alias);
                }
                let shape = self.table(&table, self.span)?;
                let binding = self.binding();
                let scope = Scope::of(&shape, alias.as_str(), binding);
                Ok((FromItem::Table { binding, table }, scope))
            }
            ast::TableFactor::Derived {
                lateral: false,
                subquery,
                alias: Some(alias),
                ..
            } => {
                let query = self.derived(subquery)?;
                let alias = name(self.path, &alias.name, self.span)?;
                Ok(self.derived_item(query, &alias, None))
            }
            other => Err(self
                .error(self.span, format!("{other} cannot stand in FROM"))
                .hint("write a table, or (select …) with an alias")),
        }
    }

    pub(super) fn derived_item(
        &mut self,
        query: Query,
        alias: &Ident,
        view: Option<UsedView>,
    ) -> (FromItem, Scope) {
        let binding = self.binding();
        let scope = Scope::named(alias, binding, query.shape());
        let query = Box::new(query);
        let item = FromItem::Derived {
            binding,
            query,
            view,
        };
        (item, scope)
    }

    /// A derived table does not see its neighbours, but still the queries around.
    fn derived(&mut self, subquery: &ast::Query) -> Checked<Query> {
        let neighbours = self
            .scopes
            .last_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        let query = self.query(subquery);
        if let Some(level) = self.scopes.last_mut() {
            *level = neighbours;
        }
        query
    }

    /// `nameless`: a value that has no name of its own gets one that nobody sees.
    pub(super) fn projection(
        &mut self,
        items: &[ast::SelectItem],
        nameless: bool,
    ) -> Checked<Vec<Projection>> {
        let mut projection = Vec::new();
        for item in items {
            match item {
                ast::SelectItem::UnnamedExpr(expr) => {
                    let checked = self.expr(expr, None)?;
                    let name = match self.output_name(expr, checked.span) {
                        Err(_) if nameless => Ident::of("value"),
                        named => named?,
                    };
                    projection.push(Projection {
                        name,
                        expr: checked,
                    });
                }
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    let expr = self.expr(expr, None)?;
                    let name = name(self.path, alias, expr.span)?;
                    projection.push(Projection { name, expr });
                }
                ast::SelectItem::Wildcard(_) => {
                    for scope in self.scopes.last().into_iter().flatten() {
                        projection.extend(all_of(scope, self.span));
                    }
                }
                ast::SelectItem::QualifiedWildcard(kind, _) => {
                    let alias = kind.to_string();
                    let alias = alias.trim_end_matches(".*").to_lowercase();
                    projection.extend(all_of(self.scope(&alias, self.span)?, self.span));
                }
                ast::SelectItem::ExprWithAliases { .. } => {
                    return Err(self.error(self.span, "one value has one name"));
                }
            }
        }
        for (place, column) in projection.iter().enumerate() {
            if projection[..place]
                .iter()
                .any(|other| other.name == column.name)
            {
                let message = format!("two columns of the result are called {}", column.name);
                return Err(self
                    .error(column.expr.span, message)
                    .hint("give one of them an alias"));
            }
        }
        Ok(projection)
    }

    /// Values whose place alone counts.
    fn numbered(&mut self, items: &[ast::SelectItem]) -> Checked<Vec<Projection>> {
        let mut projection = Vec::new();
        for (place, item) in items.iter().enumerate() {
            let expr = match item {
                ast::SelectItem::UnnamedExpr(expr)
                | ast::SelectItem::ExprWithAlias { expr, .. } => self.expr(expr, None)?,
                other => {
                    return Err(self
                        .error(self.span, format!("{other} hides what goes where"))
                        .hint("list the values in the order of the columns"));
                }
            };
            let name = Ident::new(&format!("c{place}"))
                .map_err(|error| self.error(self.span, error.to_string()))?;
            projection.push(Projection { name, expr });
        }
        Ok(projection)
    }

    /// The name of a value that has no alias: its column's, or its function's.
    fn output_name(&self, expr: &ast::Expr, span: Span) -> Checked<Ident> {
        match expr {
            ast::Expr::Identifier(ident) => name(self.path, ident, span),
            ast::Expr::CompoundIdentifier(idents) => match idents.last() {
                Some(ident) => name(self.path, ident, span),
                None => Err(self.error(span, "this value needs a name")),
            },
            ast::Expr::Function(function) => {
                let text = function.name.to_string().to_lowercase();
                let last = text.rsplit('.').next().unwrap_or_default();
                Ident::new(last).map_err(|error| self.error(span, error.to_string()))
            }
            _ => Err(self
                .error(span, "this value needs a name")
                .hint("write … as name")),
        }
    }

    pub(super) fn order_item(
        &mut self,
        key: &ast::OrderByExpr,
        projection: &[Projection],
    ) -> Checked<OrderItem> {
        let span = place_of(&key.expr, self.span);
        let by_name = match &key.expr {
            ast::Expr::Identifier(ident) => {
                let wanted = name(self.path, ident, span)?;
                projection
                    .iter()
                    .find(|column| column.name == wanted)
                    .map(|c| c.expr.clone())
            }
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Number(number, _) => {
                    let place = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                    let column = place.and_then(|place| projection.get(place));
                    let column = column.ok_or_else(|| {
                        self.error(span, format!("the result has no column number {number}"))
                    })?;
                    Some(column.expr.clone())
                }
                _ => None,
            },
            _ => None,
        };
        let expr = match by_name {
            Some(expr) => expr,
            None => self.expr(&key.expr, None)?,
        };
        self.require_no_json(&expr)?;
        let descending = match &key.options.sort {
            None | Some(ast::OrderBySort::Asc) => false,
            Some(ast::OrderBySort::Desc) => true,
            Some(other) => return Err(self.error(span, format!("{other:?} is not offered"))),
        };
        // PostgreSQL's rule: nulls are larger than everything.
        let nulls_first = key.options.nulls_first.unwrap_or(descending);
        Ok(OrderItem {
            expr,
            descending,
            nulls_first,
        })
    }
}

impl Query {
    /// Its columns as a query around it sees them.
    #[must_use]
    pub fn shape(&self) -> Vec<ShapeColumn> {
        let column = |column: &Projection| ShapeColumn {
            name: column.name.clone(),
            ty: column.expr.ty.clone(),
            nullable: column.expr.nullable,
        };
        self.projection.iter().map(column).collect()
    }
}

fn all_of(scope: &Scope, span: Span) -> impl Iterator<Item = Projection> + '_ {
    scope.columns.iter().map(move |column| Projection {
        name: column.name.clone(),
        expr: reference(scope, column, span),
    })
}
