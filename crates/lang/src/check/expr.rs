//! Expressions.

use sqlparser::ast;

use super::{Checked, Checker};
use crate::parse::{place, place_of, portable_type};
use crate::{BinaryOp, Expr, ExprKind, Literal, Span, Type, UnaryOp};

/// Types that compare with each other.
#[derive(PartialEq)]
pub(super) enum Class {
    Number,
    Text,
    Other(Type),
}

pub(super) fn class(ty: &Type) -> Class {
    match ty {
        Type::SmallInt
        | Type::Integer
        | Type::BigInt
        | Type::Real
        | Type::Double
        | Type::Numeric { .. } => Class::Number,
        Type::Text | Type::Varchar(_) => Class::Text,
        other => Class::Other(other.clone()),
    }
}

/// Whether values of the two types can stand on the two sides of a comparison.
pub(super) fn comparable(left: &Type, right: &Type) -> bool {
    class(left) == class(right)
}

impl Checker<'_> {
    pub(super) fn expr(&mut self, expr: &ast::Expr, expected: Option<&Type>) -> Checked<Expr> {
        let span = place_of(expr, self.span);
        match expr {
            ast::Expr::Nested(inner) => self.expr(inner, expected),
            ast::Expr::Identifier(ident) => match self.argument(ident) {
                Some(argument) => Ok(argument),
                None => self.column(ident, span),
            },
            ast::Expr::CompoundIdentifier(idents) => match idents.as_slice() {
                [relation, column] => self.qualified(relation, column, span),
                _ => Err(self.error(span, format!("{expr} names more than a table and a column"))),
            },
            ast::Expr::Value(value) => {
                let at = place(value.span.start);
                let at = if at.line == 0 { span } else { at };
                self.value(&value.value, expected, at)
            }
            ast::Expr::TypedString(typed) => {
                let ty = self.ty(&typed.data_type, span)?;
                match &typed.value.value {
                    ast::Value::SingleQuotedString(text) => self.text(text, Some(&ty), span),
                    other => Err(self.error(span, format!("{other} is not a text"))),
                }
            }
            ast::Expr::Interval(interval) => self.interval(interval, span),
            ast::Expr::UnaryOp { op, expr } => self.unary(*op, expr, expected, span),
            ast::Expr::BinaryOp { left, op, right } => self.binary(left, op, right, span),
            ast::Expr::IsDistinctFrom(left, right) => {
                self.compare(BinaryOp::IsDistinctFrom, left, right, span)
            }
            ast::Expr::IsNotDistinctFrom(left, right) => {
                self.compare(BinaryOp::IsNotDistinctFrom, left, right, span)
            }
            ast::Expr::Between {
                expr,
                negated,
                low,
                high,
            } => self.between(expr, *negated, low, high, span),
            ast::Expr::Cast {
                expr, data_type, ..
            } => {
                let ty = self.ty(data_type, span)?;
                self.cast(expr, ty, span)
            }
            ast::Expr::Case {
                operand: None,
                conditions,
                else_result,
                ..
            } => self.case(conditions, else_result.as_deref(), expected, span),
            ast::Expr::Tuple(_) => {
                Err(self.error(span, "a row stands only in a comparison of rows"))
            }
            other => self.predicate(other, span),
        }
    }

    fn value(&mut self, value: &ast::Value, expected: Option<&Type>, span: Span) -> Checked<Expr> {
        match value {
            ast::Value::Null => Ok(Self::null(span)),
            ast::Value::Boolean(value) => Ok(Self::boolean(*value, span)),
            ast::Value::Number(text, _) => self.number(text, span),
            ast::Value::SingleQuotedString(text) => self.text(text, expected, span),
            ast::Value::Placeholder(text) => self.parameter(text, span),
            other => Err(self
                .error(span, format!("{other} is not a portable constant"))
                .hint("write 'text' in single quotes, a plain number, true, false or null")),
        }
    }

    fn parameter(&self, text: &str, span: Span) -> Checked<Expr> {
        let wanted = text.strip_prefix(':').unwrap_or(text);
        let place = self
            .parameters
            .iter()
            .position(|parameter| parameter.name == wanted);
        let Some(place) = place else {
            let error = self.error(span, format!("the parameter {text} is not declared"));
            let names = self
                .parameters
                .iter()
                .map(|parameter| parameter.name.as_str());
            return Err(match stdx::nearest(wanted, names) {
                Some(near) => error.hint(format!("did you mean :{near}?")),
                None => error.hint(format!(
                    "write -- @param {wanted} type at the top of the file"
                )),
            });
        };
        let parameter = &self.parameters[place];
        Ok(Expr {
            kind: ExprKind::Parameter(place),
            ty: Some(parameter.ty.clone()),
            nullable: parameter.nullable,
            span,
        })
    }

    fn interval(&self, interval: &ast::Interval, span: Span) -> Checked<Expr> {
        let (ast::Expr::Value(value), None) = (&*interval.value, &interval.leading_field) else {
            return Err(self.error(span, "write an interval as interval '10 days'"));
        };
        match &value.value {
            ast::Value::SingleQuotedString(text) => self.text(text, Some(&Type::Interval), span),
            _ => Err(self.error(span, "write an interval as interval '10 days'")),
        }
    }

    fn ty(&self, ty: &ast::DataType, span: Span) -> Checked<Type> {
        portable_type(ty).map_err(|hint| {
            self.error(span, format!("{ty} is not a portable type"))
                .hint(hint)
        })
    }

    fn unary(
        &mut self,
        op: ast::UnaryOperator,
        operand: &ast::Expr,
        expected: Option<&Type>,
        span: Span,
    ) -> Checked<Expr> {
        match op {
            ast::UnaryOperator::Not => {
                let operand = self.condition(operand)?;
                let nullable = operand.nullable;
                let kind = ExprKind::Unary(UnaryOp::Not, Box::new(operand));
                Ok(Expr {
                    kind,
                    ty: Some(Type::Boolean),
                    nullable,
                    span,
                })
            }
            ast::UnaryOperator::Plus => self.expr(operand, expected),
            ast::UnaryOperator::Minus => {
                let operand = self.expr(operand, expected)?;
                self.require_number(&operand)?;
                let (ty, nullable) = (operand.ty.clone(), operand.nullable);
                // A constant is negative by itself.
                let kind = match operand.kind {
                    ExprKind::Literal(Literal::Int(number)) if number != i64::MIN => {
                        ExprKind::Literal(Literal::Int(-number))
                    }
                    ExprKind::Literal(Literal::Decimal(text)) => {
                        let text = match text.strip_prefix('-') {
                            Some(positive) => positive.to_owned(),
                            None => format!("-{text}"),
                        };
                        ExprKind::Literal(Literal::Decimal(text))
                    }
                    _ => ExprKind::Unary(UnaryOp::Minus, Box::new(operand)),
                };
                Ok(Expr {
                    kind,
                    ty,
                    nullable,
                    span,
                })
            }
            other => Err(self.error(span, format!("the operator {other} is not portable"))),
        }
    }

    fn binary(
        &mut self,
        left: &ast::Expr,
        op: &ast::BinaryOperator,
        right: &ast::Expr,
        span: Span,
    ) -> Checked<Expr> {
        let op = match op {
            ast::BinaryOperator::And => return self.logic(BinaryOp::And, left, right, span),
            ast::BinaryOperator::Or => return self.logic(BinaryOp::Or, left, right, span),
            ast::BinaryOperator::Eq => BinaryOp::Eq,
            ast::BinaryOperator::NotEq => BinaryOp::NotEq,
            ast::BinaryOperator::Lt => BinaryOp::Lt,
            ast::BinaryOperator::LtEq => BinaryOp::LtEq,
            ast::BinaryOperator::Gt => BinaryOp::Gt,
            ast::BinaryOperator::GtEq => BinaryOp::GtEq,
            ast::BinaryOperator::StringConcat => return self.concat(left, right, span),
            ast::BinaryOperator::Plus => return self.arithmetic(BinaryOp::Add, left, right, span),
            ast::BinaryOperator::Minus => return self.arithmetic(BinaryOp::Sub, left, right, span),
            ast::BinaryOperator::Multiply => {
                return self.arithmetic(BinaryOp::Mul, left, right, span);
            }
            ast::BinaryOperator::Divide => {
                return self.arithmetic(BinaryOp::Div, left, right, span);
            }
            ast::BinaryOperator::Modulo => {
                return self.arithmetic(BinaryOp::Mod, left, right, span);
            }
            ast::BinaryOperator::Arrow => return self.json_access(left, right, false, span),
            ast::BinaryOperator::LongArrow => return self.json_access(left, right, true, span),
            other => {
                let error = self.error(span, format!("the operator {other} is not portable"));
                return Err(error.hint(match other {
                    ast::BinaryOperator::HashArrow | ast::BinaryOperator::HashLongArrow => {
                        "write each step: data -> 'a' -> 0 ->> 'b'"
                    }
                    ast::BinaryOperator::AtArrow | ast::BinaryOperator::ArrowAt => {
                        "compare each member: data ->> 'a' = 'text'"
                    }
                    ast::BinaryOperator::Question => "write data -> 'a' is not null",
                    _ => "known are = <> < <= > >= + - * / % || -> ->> AND OR LIKE ILIKE IN IS",
                }));
            }
        };
        match (strip(left), strip(right)) {
            (ast::Expr::Tuple(left), ast::Expr::Tuple(right)) => self.rows(op, left, right, span),
            (left, right) => self.compare(op, left, right, span),
        }
    }

    fn logic(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Checked<Expr> {
        let left = self.condition(left)?;
        let right = self.condition(right)?;
        let nullable = left.nullable || right.nullable;
        let kind = ExprKind::Binary(op, Box::new(left), Box::new(right));
        Ok(Expr {
            kind,
            ty: Some(Type::Boolean),
            nullable,
            span,
        })
    }

    /// An expression that must be true or false.
    pub(super) fn condition(&mut self, expr: &ast::Expr) -> Checked<Expr> {
        let checked = self.expr(expr, Some(&Type::Boolean))?;
        match checked.ty {
            None | Some(Type::Boolean) => Ok(checked),
            Some(ref ty) => Err(self
                .error(
                    checked.span,
                    format!("a condition is needed here, not a {ty}"),
                )
                .hint("compare it with something")),
        }
    }

    pub(super) fn compare(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Checked<Expr> {
        let (left, right) = self.pair(left, right)?;
        self.require_comparable(&left, &right, span)?;
        let nullable = match op {
            BinaryOp::IsDistinctFrom | BinaryOp::IsNotDistinctFrom => false,
            _ => left.nullable || right.nullable,
        };
        let kind = ExprKind::Binary(op, Box::new(left), Box::new(right));
        Ok(Expr {
            kind,
            ty: Some(Type::Boolean),
            nullable,
            span,
        })
    }

    /// Checks two neighbours; a constant takes the other's type.
    fn pair(&mut self, left: &ast::Expr, right: &ast::Expr) -> Checked<(Expr, Expr)> {
        if is_constant(left) && !is_constant(right) {
            let right = self.expr(right, None)?;
            let left = self.expr(left, right.ty.as_ref())?;
            return Ok((left, right));
        }
        let left = self.expr(left, None)?;
        let right = self.expr(right, left.ty.as_ref())?;
        Ok((left, right))
    }

    fn rows(
        &mut self,
        op: BinaryOp,
        left: &[ast::Expr],
        right: &[ast::Expr],
        span: Span,
    ) -> Checked<Expr> {
        if left.len() != right.len() {
            return Err(self.error(span, "the two rows have a different number of values"));
        }
        let mut sides = (Vec::new(), Vec::new());
        for (left, right) in left.iter().zip(right) {
            let (left, right) = self.pair(left, right)?;
            self.require_comparable(&left, &right, span)?;
            sides.0.push(left);
            sides.1.push(right);
        }
        Ok(Expr {
            kind: ExprKind::RowCompare(op, sides.0, sides.1),
            ty: Some(Type::Boolean),
            nullable: true,
            span,
        })
    }

    fn arithmetic(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Checked<Expr> {
        let (left, right) = self.pair(left, right)?;
        if let (
            ExprKind::Now,
            Some(Type::Interval),
            ExprKind::Literal(crate::Literal::Text(text)),
        ) = (&left.kind, &right.ty, &right.kind)
        {
            let sign = if op == BinaryOp::Sub { "-" } else { "" };
            if matches!(op, BinaryOp::Add | BinaryOp::Sub) {
                let kind = ExprKind::NowPlus(format!("{sign}{text}"));
                return Ok(Expr {
                    kind,
                    ty: Some(Type::Timestamp),
                    nullable: false,
                    span,
                });
            }
        }
        self.require_number(&left)?;
        self.require_number(&right)?;
        // Whole numbers are added up in 64 bits everywhere.
        let ty = match wider(left.ty.as_ref(), right.ty.as_ref()) {
            Some(Type::SmallInt | Type::Integer) => Some(Type::BigInt),
            other => other,
        };
        let nullable =
            left.nullable || right.nullable || matches!(op, BinaryOp::Div | BinaryOp::Mod);
        let kind = ExprKind::Binary(op, Box::new(left), Box::new(right));
        Ok(Expr {
            kind,
            ty,
            nullable,
            span,
        })
    }

    fn concat(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Checked<Expr> {
        let left = self.expr(left, Some(&Type::Text))?;
        let right = self.expr(right, Some(&Type::Text))?;
        for side in [&left, &right] {
            if side.ty.as_ref().is_some_and(|ty| class(ty) != Class::Text) {
                return Err(self
                    .error(side.span, "|| joins texts")
                    .hint("write cast(… as text)"));
            }
        }
        let nullable = left.nullable || right.nullable;
        let kind = ExprKind::Binary(BinaryOp::Concat, Box::new(left), Box::new(right));
        Ok(Expr {
            kind,
            ty: Some(Type::Text),
            nullable,
            span,
        })
    }

    pub(super) fn require_comparable(&self, left: &Expr, right: &Expr, span: Span) -> Checked<()> {
        for side in [left, right] {
            self.require_no_json(side)?;
        }
        match (&left.ty, &right.ty) {
            (Some(l), Some(r)) if !comparable(l, r) => Err(self
                .error(span, format!("a {l} cannot be compared with a {r}"))
                .hint("cast one of the two")),
            _ => Ok(()),
        }
    }

    fn require_number(&self, expr: &Expr) -> Checked<()> {
        match &expr.ty {
            Some(ty) if class(ty) != Class::Number => {
                let error = self.error(expr.span, format!("a number is needed here, not a {ty}"));
                Err(match ty {
                    Type::Timestamp | Type::Interval => error.hint(
                        "moments are shifted from now() alone, as in now() - interval '7 days'",
                    ),
                    _ => error,
                })
            }
            _ => Ok(()),
        }
    }
}

/// A predicate that is never null.
pub(super) fn boolean(kind: ExprKind, span: Span) -> Expr {
    let nullable = matches!(kind, ExprKind::InQuery { .. });
    Expr {
        kind,
        ty: Some(Type::Boolean),
        nullable,
        span,
    }
}

pub(super) fn strip(expr: &ast::Expr) -> &ast::Expr {
    match expr {
        ast::Expr::Nested(inner) => strip(inner),
        other => other,
    }
}

/// A constant without a type of its own: a text or `NULL`.
pub(super) fn is_constant(expr: &ast::Expr) -> bool {
    match strip(expr) {
        ast::Expr::Value(value) => !matches!(value.value, ast::Value::Placeholder(_)),
        _ => false,
    }
}

/// The type that holds values of both; the first where they do not meet.
pub(super) fn wider(left: Option<&Type>, right: Option<&Type>) -> Option<Type> {
    let rank = |ty: &Type| match ty {
        Type::SmallInt => 1,
        Type::Integer => 2,
        Type::BigInt => 3,
        Type::Numeric { .. } => 4,
        Type::Real => 5,
        Type::Double => 6,
        _ => 0,
    };
    match (left, right) {
        (Some(left), Some(right)) if rank(right) > rank(left) => Some(right.clone()),
        (Some(left), _) => Some(left.clone()),
        (None, right) => right.cloned(),
    }
}
