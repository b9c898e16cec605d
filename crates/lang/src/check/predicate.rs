//! Predicates: `IS`, `IN`, `LIKE`, `BETWEEN`, `EXISTS`; `CASE`, casts and sub-queries.

use sqlparser::ast;

use super::expr::{Class, boolean, class, is_constant, wider};
use super::{Checked, Checker};
use crate::{BinaryOp, Expr, ExprKind, Span, Type, UnaryOp};

impl Checker<'_> {
    /// `IS …`, `IN`, `LIKE`, `EXISTS`, sub-queries, functions.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of predicate")]
    pub(super) fn predicate(&mut self, expr: &ast::Expr, span: Span) -> Checked<Expr> {
        match expr {
            ast::Expr::IsNull(inner) => self.is_null(inner, false, span),
            ast::Expr::IsNotNull(inner) => self.is_null(inner, true, span),
            ast::Expr::IsTrue(inner) => self.is_bool(inner, true, false, span),
            ast::Expr::IsNotTrue(inner) => self.is_bool(inner, true, true, span),
            ast::Expr::IsFalse(inner) => self.is_bool(inner, false, false, span),
            ast::Expr::IsNotFalse(inner) => self.is_bool(inner, false, true, span),
            ast::Expr::InList {
                expr,
                list,
                negated,
            } => self.in_list(expr, list, *negated, span),
            ast::Expr::InSubquery {
                expr,
                subquery,
                negated,
            } => {
                let operand = Box::new(self.expr(expr, None)?);
                let query = Box::new(self.inner(subquery)?);
                let [column] = query.projection.as_slice() else {
                    return Err(self.error(span, "the query behind IN has exactly one column"));
                };
                self.require_comparable(&operand, &column.expr, span)?;
                Ok(boolean(
                    ExprKind::InQuery {
                        operand,
                        query,
                        negated: *negated,
                    },
                    span,
                ))
            }
            ast::Expr::Exists { subquery, negated } => {
                let query = Box::new(self.inner(subquery)?);
                Ok(boolean(
                    ExprKind::Exists {
                        query,
                        negated: *negated,
                    },
                    span,
                ))
            }
            ast::Expr::Subquery(subquery) => self.scalar(subquery, span),
            ast::Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => self.like(expr, pattern, false, *negated, span),
            ast::Expr::ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => self.like(expr, pattern, true, *negated, span),
            ast::Expr::Function(function) => self.function(function, span),
            ast::Expr::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => {
                let parts = [Some(expr), substring_from.as_ref(), substring_for.as_ref()];
                let parts: Vec<&ast::Expr> =
                    parts.into_iter().flatten().map(|part| &**part).collect();
                self.call("substr", &parts, span)
            }
            ast::Expr::Trim {
                trim_where: None,
                trim_what: None,
                expr,
                trim_characters: None,
            } => self.call("trim", &[expr], span),
            other => Err(self
                .error(span, format!("{other} is not portable SQL"))
                .hint(
                    "write it with comparisons, AND, OR, IN, LIKE, CASE and the listed functions",
                )),
        }
    }

    pub(super) fn between(
        &mut self,
        operand: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
        span: Span,
    ) -> Checked<Expr> {
        let low = self.compare(BinaryOp::GtEq, operand, low, span)?;
        let high = self.compare(BinaryOp::LtEq, operand, high, span)?;
        let nullable = low.nullable || high.nullable;
        let kind = ExprKind::Binary(BinaryOp::And, Box::new(low), Box::new(high));
        let both = Expr {
            kind,
            ty: Some(Type::Boolean),
            nullable,
            span,
        };
        if !negated {
            return Ok(both);
        }
        let kind = ExprKind::Unary(UnaryOp::Not, Box::new(both));
        Ok(Expr {
            kind,
            ty: Some(Type::Boolean),
            nullable,
            span,
        })
    }

    pub(super) fn is_null(
        &mut self,
        operand: &ast::Expr,
        negated: bool,
        span: Span,
    ) -> Checked<Expr> {
        let operand = Box::new(self.expr(operand, None)?);
        Ok(boolean(ExprKind::IsNull { operand, negated }, span))
    }

    pub(super) fn is_bool(
        &mut self,
        operand: &ast::Expr,
        value: bool,
        negated: bool,
        span: Span,
    ) -> Checked<Expr> {
        let operand = Box::new(self.condition(operand)?);
        Ok(boolean(
            ExprKind::IsBool {
                operand,
                value,
                negated,
            },
            span,
        ))
    }

    pub(super) fn in_list(
        &mut self,
        operand: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        span: Span,
    ) -> Checked<Expr> {
        let operand = self.expr(operand, None)?;
        let mut checked = Vec::with_capacity(list.len());
        let mut nullable = operand.nullable;
        for element in list {
            let element = self.expr(element, operand.ty.as_ref())?;
            self.require_comparable(&operand, &element, span)?;
            nullable |= element.nullable;
            checked.push(element);
        }
        let kind = ExprKind::InList {
            operand: Box::new(operand),
            list: checked,
            negated,
        };
        Ok(Expr {
            kind,
            ty: Some(Type::Boolean),
            nullable,
            span,
        })
    }

    pub(super) fn like(
        &mut self,
        operand: &ast::Expr,
        pattern: &ast::Expr,
        insensitive: bool,
        negated: bool,
        span: Span,
    ) -> Checked<Expr> {
        let operand = self.expr(operand, Some(&Type::Text))?;
        let pattern = self.expr(pattern, Some(&Type::Text))?;
        for side in [&operand, &pattern] {
            if side.ty.as_ref().is_some_and(|ty| class(ty) != Class::Text) {
                return Err(self
                    .error(side.span, "LIKE compares texts")
                    .hint("write cast(… as text)"));
            }
        }
        let nullable = operand.nullable || pattern.nullable;
        let kind = ExprKind::Like {
            operand: Box::new(operand),
            pattern: Box::new(pattern),
            insensitive,
            negated,
        };
        Ok(Expr {
            kind,
            ty: Some(Type::Boolean),
            nullable,
            span,
        })
    }

    pub(super) fn case(
        &mut self,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
        expected: Option<&Type>,
        span: Span,
    ) -> Checked<Expr> {
        let mut branches = Vec::new();
        let mut ty = expected.cloned();
        let mut nullable = otherwise.is_none();
        for branch in conditions {
            let condition = self.condition(&branch.condition)?;
            let result = self.expr(&branch.result, ty.as_ref())?;
            nullable |= result.nullable;
            ty = wider(ty.as_ref(), result.ty.as_ref());
            branches.push((condition, result));
        }
        let otherwise = otherwise
            .map(|expr| self.expr(expr, ty.as_ref()))
            .transpose()?;
        if let Some(otherwise) = &otherwise {
            nullable |= otherwise.nullable;
            ty = wider(ty.as_ref(), otherwise.ty.as_ref());
        }
        let kind = ExprKind::Case {
            branches,
            otherwise: otherwise.map(Box::new),
        };
        Ok(Expr {
            kind,
            ty,
            nullable,
            span,
        })
    }

    pub(super) fn cast(&mut self, operand: &ast::Expr, ty: Type, span: Span) -> Checked<Expr> {
        if is_constant(operand)
            && let Ok(constant) = self.expr(operand, Some(&ty))
            && constant.ty.as_ref() == Some(&ty)
        {
            return Ok(constant);
        }
        let operand = self.expr(operand, None)?;
        let nullable = operand.nullable;
        Ok(Expr {
            kind: ExprKind::Cast(Box::new(operand), ty.clone()),
            ty: Some(ty),
            nullable,
            span,
        })
    }

    /// A query within an expression: nobody asks for its columns' names.
    fn inner(&mut self, subquery: &ast::Query) -> Checked<crate::Query> {
        self.nameless = true;
        self.query(subquery)
    }

    pub(super) fn scalar(&mut self, subquery: &ast::Query, span: Span) -> Checked<Expr> {
        let query = self.inner(subquery)?;
        let [column] = query.projection.as_slice() else {
            return Err(self.error(span, "a query used as a value has exactly one column"));
        };
        let ty = column.expr.ty.clone();
        let aggregate = matches!(column.expr.kind, ExprKind::JsonAgg { .. });
        let nullable = !aggregate;
        Ok(Expr {
            kind: ExprKind::Scalar(Box::new(query)),
            ty,
            nullable,
            span,
        })
    }
}
