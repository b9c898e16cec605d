//! Expressions as portable SQL text, for migration files and descriptions.
//!
//! Covers what a CHECK or a DEFAULT can hold: no sub-queries, no aggregates.

use std::fmt;

use crate::{AuthFunction, BinaryOp, Expr, ExprKind, Function, Literal, Type, UnaryOp};

/// Shows the text; parsing and checking it again gives the same tree.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Literal(literal) => write_literal(f, literal, self.ty.as_ref()),
            ExprKind::Column { column, .. } => quoted(f, column.as_str()),
            ExprKind::Auth(function) => write_auth(f, function),
            ExprKind::Now => f.write_str("now()"),
            ExprKind::NowPlus(distance) => write!(f, "now() + interval '{distance}'"),
            ExprKind::NewId { ordered: false } => f.write_str("gen_random_uuid()"),
            ExprKind::NewId { ordered: true } => f.write_str("uuidv7()"),
            ExprKind::Parameter(place) => write!(f, ":{place}"),
            ExprKind::Unary(UnaryOp::Not, operand) => write!(f, "(not {operand})"),
            ExprKind::Unary(UnaryOp::Minus, operand) => write!(f, "(- {operand})"),
            ExprKind::Binary(op, left, right) => write!(f, "({left} {} {right})", operator(*op)),
            ExprKind::RowCompare(op, left, right) => {
                write_list(f, left)?;
                write!(f, " {} ", operator(*op))?;
                write_list(f, right)
            }
            ExprKind::IsNull { operand, negated } => {
                write!(f, "({operand} is {}null)", not(*negated))
            }
            ExprKind::IsBool {
                operand,
                value,
                negated,
            } => {
                write!(f, "({operand} is {}{value})", not(*negated))
            }
            ExprKind::InList {
                operand,
                list,
                negated,
            } => {
                write!(f, "({operand} {}in ", not(*negated))?;
                write_list(f, list)?;
                f.write_str(")")
            }
            ExprKind::Like {
                operand,
                pattern,
                insensitive,
                negated,
            } => {
                let like = if *insensitive { "ilike" } else { "like" };
                write!(f, "({operand} {}{like} {pattern})", not(*negated))
            }
            ExprKind::Case {
                branches,
                otherwise,
            } => {
                f.write_str("case")?;
                for (condition, result) in branches {
                    write!(f, " when {condition} then {result}")?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " else {otherwise}")?;
                }
                f.write_str(" end")
            }
            ExprKind::Cast(operand, ty) => write!(f, "cast({operand} as {ty})"),
            ExprKind::Call(function, arguments) => {
                f.write_str(function_name(*function))?;
                write_list(f, arguments)
            }
            ExprKind::InQuery { .. }
            | ExprKind::Exists { .. }
            | ExprKind::Scalar(_)
            | ExprKind::JsonObject(_)
            | ExprKind::JsonAgg { .. }
            | ExprKind::Aggregate(..) => f.write_str("(…)"),
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

/// A name, quoted where it is not plain lower-case.
pub(crate) fn quoted(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write!(f, "\"{}\"", name.replace('"', "\"\""))
}

fn write_literal(f: &mut fmt::Formatter<'_>, literal: &Literal, ty: Option<&Type>) -> fmt::Result {
    match literal {
        Literal::Null => f.write_str("null"),
        Literal::Bool(value) => write!(f, "{value}"),
        Literal::Int(number) => write!(f, "{number}"),
        Literal::Decimal(text) => f.write_str(text),
        Literal::Text(text) => {
            let text = text.replace('\'', "''");
            match ty {
                None | Some(Type::Text | Type::Varchar(_)) => write!(f, "'{text}'"),
                Some(ty) => write!(f, "cast('{text}' as {ty})"),
            }
        }
    }
}

fn write_auth(f: &mut fmt::Formatter<'_>, function: &AuthFunction) -> fmt::Result {
    match function {
        AuthFunction::Uid => f.write_str("auth.uid()"),
        AuthFunction::Role => f.write_str("auth.role()"),
        AuthFunction::Acr => f.write_str("auth.acr()"),
        AuthFunction::HasRole(role) => write!(f, "auth.has_role('{}')", role.replace('\'', "''")),
        AuthFunction::HasScope(scope) => {
            write!(f, "auth.has_scope('{}')", scope.replace('\'', "''"))
        }
        AuthFunction::Claim(claim) => write!(f, "auth.claim('{}')", claim.replace('\'', "''")),
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, list: &[Expr]) -> fmt::Result {
    f.write_str("(")?;
    for (place, expr) in list.iter().enumerate() {
        if place > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{expr}")?;
    }
    f.write_str(")")
}

fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
        BinaryOp::Eq => "=",
        BinaryOp::NotEq => "<>",
        BinaryOp::Lt => "<",
        BinaryOp::LtEq => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::GtEq => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "%",
        BinaryOp::Concat => "||",
        BinaryOp::IsDistinctFrom => "is distinct from",
        BinaryOp::IsNotDistinctFrom => "is not distinct from",
    }
}

fn function_name(function: Function) -> &'static str {
    match function {
        Function::Length => "length",
        Function::Lower => "lower",
        Function::Upper => "upper",
        Function::Trim => "trim",
        Function::Coalesce => "coalesce",
        Function::NullIf => "nullif",
        Function::Abs => "abs",
        Function::Least => "least",
        Function::Greatest => "greatest",
        Function::Replace => "replace",
        Function::Substr => "substr",
    }
}
