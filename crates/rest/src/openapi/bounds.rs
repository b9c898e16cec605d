//! What simple CHECKs say of one column: bounds of a number, of a text's length, a list of values.

use lang::{BinaryOp, Expr, ExprKind, Function, Literal, Type, UnaryOp};
use schema::{Column, Table};
use serde_json::{Value, json};

/// Bounds of a column's values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(super) minimum: Option<i64>,
    pub(super) maximum: Option<i64>,
    pub(super) min_length: Option<i64>,
    pub(super) max_length: Option<i64>,
    /// The texts that it may be; empty for any.
    pub(super) choices: Vec<String>,
}

/// The texts that a column may hold; empty for any.
pub(crate) fn choices(table: &Table, column: &Column) -> Vec<String> {
    Bounds::of(table, column).choices
}

impl Bounds {
    /// All that the table's CHECKs say of the column alone.
    pub(super) fn of(table: &Table, column: &Column) -> Self {
        let mut bounds = Self::default();
        for check in &table.checks {
            bounds.read(&check.expr, column);
        }
        bounds
    }

    /// Reads what is understood of a condition; the rest is the engine's.
    fn read(&mut self, expr: &Expr, column: &Column) {
        match &expr.kind {
            ExprKind::Binary(BinaryOp::And, left, right) => {
                self.read(left, column);
                self.read(right, column);
            }
            // `c is null or …`: a null passes a CHECK anyway.
            ExprKind::Binary(BinaryOp::Or, left, right) => {
                let is_null = |expr: &Expr| match &expr.kind {
                    ExprKind::IsNull {
                        operand,
                        negated: false,
                    } => is_column(operand, column),
                    _ => false,
                };
                if is_null(left) {
                    self.read(right, column);
                } else if is_null(right) {
                    self.read(left, column);
                }
            }
            ExprKind::Binary(op, left, right) => {
                if let Some(number) = whole(right) {
                    self.bound(*op, left, number, column);
                } else if let (Some(number), Some(op)) = (whole(left), mirrored(*op)) {
                    self.bound(op, right, number, column);
                }
            }
            ExprKind::InList {
                operand,
                list,
                negated: false,
            } if is_column(operand, column) => {
                let texts: Option<Vec<String>> = list.iter().map(text).collect();
                if let Some(texts) = texts.filter(|_| self.choices.is_empty()) {
                    self.choices = texts;
                }
            }
            _ => {}
        }
    }

    fn bound(&mut self, op: BinaryOp, side: &Expr, number: i64, column: &Column) {
        let is_length = match &side.kind {
            ExprKind::Call(Function::Length, operands) => match operands.as_slice() {
                [operand] if is_column(operand, column) => true,
                _ => return,
            },
            _ if is_column(side, column) && is_integer(&column.ty) => false,
            _ => return,
        };
        let (least, most) = match op {
            BinaryOp::GtEq => (Some(number), None),
            BinaryOp::Gt => (number.checked_add(1), None),
            BinaryOp::LtEq => (None, Some(number)),
            BinaryOp::Lt => (None, number.checked_sub(1)),
            BinaryOp::Eq => (Some(number), Some(number)),
            _ => return,
        };
        let (minimum, maximum) = match is_length {
            true => (&mut self.min_length, &mut self.max_length),
            false => (&mut self.minimum, &mut self.maximum),
        };
        if let Some(least) = least {
            *minimum = Some(minimum.map_or(least, |known| known.max(least)));
        }
        if let Some(most) = most {
            *maximum = Some(maximum.map_or(most, |known| known.min(most)));
        }
    }

    /// Puts them into the schema of the column's type, where they are narrower.
    pub(super) fn narrow(&self, schema: &mut Value) {
        let mut put = |key: &str, own: Option<i64>, is_narrower: fn(i64, i64) -> bool| {
            let known = schema.get(key).and_then(Value::as_i64);
            if let Some(own) = own.filter(|own| known.is_none_or(|known| is_narrower(*own, known)))
            {
                schema[key] = json!(own);
            }
        };
        put("minimum", self.minimum, |own, known| own > known);
        put("maximum", self.maximum, |own, known| own < known);
        put(
            "minLength",
            self.min_length.filter(|least| *least > 0),
            |own, known| own > known,
        );
        put(
            "maxLength",
            self.max_length.filter(|most| *most >= 0),
            |own, known| own < known,
        );
        if !self.choices.is_empty() {
            schema["enum"] = json!(self.choices);
        }
    }
}

fn is_integer(ty: &Type) -> bool {
    matches!(ty, Type::SmallInt | Type::Integer | Type::BigInt)
}

fn is_column(expr: &Expr, column: &Column) -> bool {
    matches!(&expr.kind, ExprKind::Column { binding: 0, column: name } if *name == column.name)
}

/// `5 < c` is `c > 5`.
fn mirrored(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::LtEq => BinaryOp::GtEq,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::GtEq => BinaryOp::LtEq,
        BinaryOp::Eq => BinaryOp::Eq,
        _ => return None,
    })
}

fn whole(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Literal(Literal::Int(number)) => Some(*number),
        ExprKind::Unary(UnaryOp::Minus, operand) => whole(operand)?.checked_neg(),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Literal(Literal::Text(text)) => Some(text.clone()),
        _ => None,
    }
}
