//! Trees as portable SQL text, for migration files and descriptions.

mod query;

use std::fmt::{self, Write as _};

use crate::{
    AuthFunction, BinaryOp, Expr, ExprKind, Function, JsonKey, Literal, Query, Type, UnaryOp,
};

/// Shows the text; parsing and checking it again gives the same tree.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = PortableWriter::default();
        writer.expr(self)?;
        f.write_str(&writer.text)
    }
}

/// Shows the text. Trees that read the same rows in the same way have the same one, whatever
/// their authors called the relations; a view stands there as its query.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = PortableWriter::default();
        writer.query(self)?;
        f.write_str(&writer.text)
    }
}

/// Writes trees as portable SQL.
#[derive(Default)]
struct PortableWriter {
    text: String,
    /// The relations in sight by their numbers, with the numbers of their aliases.
    bindings: Vec<(u32, u32)>,
    /// The aliases given away.
    aliases: u32,
}

impl PortableWriter {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn expr(&mut self, expr: &Expr) -> fmt::Result {
        match &expr.kind {
            ExprKind::Literal(literal) => write_literal(&mut self.text, literal, expr.ty.as_ref()),
            ExprKind::Column { binding, column } => {
                let mut known = self.bindings.iter().rev();
                if let Some((_, alias)) = known.find(|(number, _)| number == binding) {
                    write!(self.text, "t{alias}.")?;
                }
                quoted(&mut self.text, column.as_str())
            }
            ExprKind::Auth(function) => write_auth(&mut self.text, function),
            ExprKind::Now => self.text.write_str("now()"),
            ExprKind::NowPlus(distance) => write!(self.text, "now() + interval '{distance}'"),
            ExprKind::NewId { ordered: false } => self.text.write_str("gen_random_uuid()"),
            ExprKind::NewId { ordered: true } => self.text.write_str("uuidv7()"),
            ExprKind::Parameter(place) => write!(self.text, ":{place}"),
            ExprKind::Unary(op, operand) => {
                self.push(match op {
                    UnaryOp::Not => "(not ",
                    UnaryOp::Minus => "(- ",
                });
                self.expr(operand)?;
                self.text.write_str(")")
            }
            ExprKind::Binary(op, left, right) => {
                self.push("(");
                self.expr(left)?;
                write!(self.text, " {} ", operator(*op))?;
                self.expr(right)?;
                self.text.write_str(")")
            }
            ExprKind::RowCompare(op, left, right) => {
                self.list(left)?;
                write!(self.text, " {} ", operator(*op))?;
                self.list(right)
            }
            ExprKind::Case {
                branches,
                otherwise,
            } => self.case(branches, otherwise.as_deref()),
            ExprKind::Cast(operand, ty) => {
                self.push("cast(");
                self.expr(operand)?;
                write!(self.text, " as {ty})")
            }
            ExprKind::Call(function, arguments) => {
                self.push(function_name(*function));
                self.list(arguments)
            }
            ExprKind::JsonAccess {
                operand,
                key,
                as_text,
            } => self.json_access(operand, key, *as_text),
            ExprKind::IsNull { .. }
            | ExprKind::IsBool { .. }
            | ExprKind::InList { .. }
            | ExprKind::Like { .. } => self.predicate(expr),
            ExprKind::InQuery { .. }
            | ExprKind::Exists { .. }
            | ExprKind::Scalar(_)
            | ExprKind::JsonObject(_)
            | ExprKind::JsonAgg { .. }
            | ExprKind::Aggregate(..) => self.over_rows(expr),
        }
    }

    fn predicate(&mut self, expr: &Expr) -> fmt::Result {
        self.push("(");
        match &expr.kind {
            ExprKind::IsNull { operand, negated } => {
                self.expr(operand)?;
                write!(self.text, " is {}null", not(*negated))?;
            }
            ExprKind::IsBool {
                operand,
                value,
                negated,
            } => {
                self.expr(operand)?;
                write!(self.text, " is {}{value}", not(*negated))?;
            }
            ExprKind::InList {
                operand,
                list,
                negated,
            } => {
                self.expr(operand)?;
                write!(self.text, " {}in ", not(*negated))?;
                self.list(list)?;
            }
            ExprKind::Like {
                operand,
                pattern,
                insensitive,
                negated,
            } => {
                let like = if *insensitive { "ilike" } else { "like" };
                self.expr(operand)?;
                write!(self.text, " {}{like} ", not(*negated))?;
                self.expr(pattern)?;
            }
            // The others are written by `expr`.
            _ => {}
        }
        self.text.write_str(")")
    }

    fn json_access(&mut self, operand: &Expr, key: &JsonKey, as_text: bool) -> fmt::Result {
        self.push("(");
        self.expr(operand)?;
        self.push(if as_text { " ->> " } else { " -> " });
        match key {
            JsonKey::Member(name) => write!(self.text, "'{}')", name.replace('\'', "''")),
            JsonKey::Element(place) => write!(self.text, "{place})"),
        }
    }

    fn case(&mut self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> fmt::Result {
        self.push("case");
        for (condition, result) in branches {
            self.push(" when ");
            self.expr(condition)?;
            self.push(" then ");
            self.expr(result)?;
        }
        if let Some(otherwise) = otherwise {
            self.push(" else ");
            self.expr(otherwise)?;
        }
        self.text.write_str(" end")
    }

    fn list(&mut self, list: &[Expr]) -> fmt::Result {
        self.push("(");
        for (place, expr) in list.iter().enumerate() {
            if place > 0 {
                self.push(", ");
            }
            self.expr(expr)?;
        }
        self.text.write_str(")")
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

/// A name, quoted where it is not plain lower-case.
pub(crate) fn quoted(f: &mut String, name: &str) -> fmt::Result {
    write!(f, "\"{}\"", name.replace('"', "\"\""))
}

fn write_literal(f: &mut String, literal: &Literal, ty: Option<&Type>) -> fmt::Result {
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

fn write_auth(f: &mut String, function: &AuthFunction) -> fmt::Result {
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
