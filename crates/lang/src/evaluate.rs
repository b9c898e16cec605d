//! Conditions worked out in Rust: a body's faults can be named before the engine sees it, and a
//! rule that a new row is known to satisfy need not be asked again.

use std::cmp::Ordering;

use sql::Value;

use crate::render::expression::text_value;
use crate::{BinaryOp, Expr, ExprKind, Function, Literal, Type, UnaryOp};

impl Expr {
    /// The value of a condition over one row; `known` gives the value of a column of this row,
    /// of a fact about the caller or of `now()`, `None` where it is not known.
    ///
    /// `None` means that it cannot be decided here and the engine has the word.
    pub fn evaluate(&self, known: &dyn Fn(&ExprKind) -> Option<Value>) -> Option<Value> {
        match &self.kind {
            ExprKind::Literal(literal) => Some(constant(literal, self.ty.as_ref())),
            ExprKind::Column { binding: 0, .. } | ExprKind::Auth(_) | ExprKind::Now => {
                known(&self.kind)
            }
            ExprKind::Unary(UnaryOp::Not, operand) => match operand.evaluate(known)? {
                Value::Bool(value) => Some(Value::Bool(!value)),
                Value::Null => Some(Value::Null),
                _ => None,
            },
            ExprKind::Unary(UnaryOp::Minus, operand) => match operand.evaluate(known)? {
                Value::Int(number) => number.checked_neg().map(Value::Int),
                _ => None,
            },
            ExprKind::Binary(op, left, right) => {
                binary(*op, left.evaluate(known), right.evaluate(known))
            }
            ExprKind::IsNull { operand, negated } => {
                let null = operand.evaluate(known)?.is_null();
                Some(Value::Bool(null != *negated))
            }
            ExprKind::InList {
                operand,
                list,
                negated,
            } => {
                let wanted = operand.evaluate(known)?;
                let mut found = false;
                for element in list {
                    found |= compare(&wanted, &element.evaluate(known)?)? == Ordering::Equal;
                }
                Some(Value::Bool(found != *negated))
            }
            ExprKind::Call(Function::Length, arguments) => {
                match arguments.first()?.evaluate(known)? {
                    Value::Text(text) => i64::try_from(text.chars().count()).ok().map(Value::Int),
                    Value::Null => Some(Value::Null),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn constant(literal: &Literal, ty: Option<&Type>) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(number) => Value::Int(*number),
        Literal::Decimal(text) => Value::Decimal(text.clone()),
        Literal::Text(text) => text_value(text, ty.unwrap_or(&Type::Text)),
    }
}

/// Three-valued logic; an operand that is not known decides nothing unless the other one does.
fn binary(op: BinaryOp, left: Option<Value>, right: Option<Value>) -> Option<Value> {
    match (op, &left, &right) {
        (BinaryOp::And, Some(Value::Bool(false)), _)
        | (BinaryOp::And, _, Some(Value::Bool(false))) => {
            return Some(Value::Bool(false));
        }
        (BinaryOp::Or, Some(Value::Bool(true)), _) | (BinaryOp::Or, _, Some(Value::Bool(true))) => {
            return Some(Value::Bool(true));
        }
        _ => {}
    }
    let (left, right) = (left?, right?);
    if left.is_null() || right.is_null() {
        return Some(Value::Null);
    }
    let order = || compare(&left, &right);
    Some(Value::Bool(match op {
        BinaryOp::And | BinaryOp::Or => match (&left, &right) {
            // Both are known and neither decides alone, so both are the neutral value.
            (Value::Bool(left), Value::Bool(_)) => *left,
            _ => return None,
        },
        BinaryOp::Eq => order()? == Ordering::Equal,
        BinaryOp::NotEq => order()? != Ordering::Equal,
        BinaryOp::Lt => order()? == Ordering::Less,
        BinaryOp::LtEq => order()? != Ordering::Greater,
        BinaryOp::Gt => order()? == Ordering::Greater,
        BinaryOp::GtEq => order()? != Ordering::Less,
        _ => return None,
    }))
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Uuid(left), Value::Uuid(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        // Collations may order texts otherwise; equality is the same everywhere.
        (Value::Text(left), Value::Text(right)) if left == right => Some(Ordering::Equal),
        _ => None,
    }
}
