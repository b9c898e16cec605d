//! Parts of JSON values: `data -> 'key'`, `data ->> 0`.

use sqlparser::ast;

use super::expr::strip;
use super::{Checked, Checker};
use crate::parse::place_of;
use crate::{Expr, ExprKind, JsonKey, Span, Type};

/// MariaDB's JSON is no deeper.
const DEPTH: usize = 32;

impl Checker<'_> {
    /// `left -> right`, and `left ->> right` if it is taken `as_text`.
    pub(super) fn json_access(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        as_text: bool,
        span: Span,
    ) -> Checked<Expr> {
        let operator = if as_text { "->>" } else { "->" };
        let key = self.json_key(right, operator, span)?;
        let operand = self.expr(left, None)?;
        if operand.ty != Some(Type::Json) {
            return Err(self.no_json(&operand, operator));
        }
        if steps(&operand) >= DEPTH {
            return Err(self
                .error(span, format!("more than {DEPTH} steps into a JSON value"))
                .hint("MariaDB's JSON is no deeper"));
        }
        let kind = ExprKind::JsonAccess {
            operand: Box::new(operand),
            key,
            as_text,
        };
        Ok(Expr {
            kind,
            ty: Some(if as_text { Type::Text } else { Type::Json }),
            nullable: true,
            span,
        })
    }

    fn no_json(&self, operand: &Expr, operator: &str) -> crate::Diagnostic {
        let found = match &operand.ty {
            Some(ty) => format!("a {ty}"),
            None => String::from("null"),
        };
        let message = format!("{operator} takes a part of a jsonb, not of {found}");
        let error = self.error(operand.span, message);
        match (&operand.kind, &operand.ty) {
            (ExprKind::JsonAccess { .. }, _) => {
                error.hint("->> gives text and stands last; write -> for the steps before it")
            }
            (_, Some(Type::Text | Type::Varchar(_))) => error.hint("write cast(… as jsonb)"),
            _ => error,
        }
    }

    /// What stands behind the operator: a constant, as the same path has to be in an index and in
    /// the query that looks for it.
    fn json_key(&self, key: &ast::Expr, operator: &str, span: Span) -> Checked<JsonKey> {
        let at = place_of(key, span);
        let (value, negative) = match strip(key) {
            ast::Expr::Value(value) => (Some(&value.value), false),
            ast::Expr::UnaryOp {
                op: ast::UnaryOperator::Minus,
                expr,
            } => match strip(expr) {
                ast::Expr::Value(value) => (Some(&value.value), true),
                _ => (None, true),
            },
            _ => (None, false),
        };
        match (value, negative) {
            (Some(ast::Value::SingleQuotedString(name)), false) => {
                Ok(JsonKey::Member(name.clone()))
            }
            (Some(ast::Value::Number(digits, _)), _) => {
                let sign = if negative { "-" } else { "" };
                let number = format!("{sign}{digits}");
                number.parse().map(JsonKey::Element).map_err(|_| {
                    self.error(at, format!("{number} is no place in a JSON array"))
                        .hint("write a whole number: 0 is the first element, -1 the last")
                })
            }
            _ => Err(self.no_key(key, operator, at)),
        }
    }

    fn no_key(&self, key: &ast::Expr, operator: &str, at: Span) -> crate::Diagnostic {
        let message = format!("behind {operator} stands a constant, not {key}");
        let hint = match key {
            ast::Expr::Identifier(name) => format!(
                "write the member's name in single quotes: {operator} '{}'",
                name.value
            ),
            ast::Expr::BinaryOp { .. } | ast::Expr::Cast { .. } => {
                format!("put the access in brackets: (data {operator} 'key')")
            }
            _ => String::from("write the member's name as 'key', or an element's place as 0"),
        };
        self.error(at, message).hint(hint)
    }

    /// JSON values are alike in different ways on the engines.
    pub(super) fn require_no_json(&self, side: &Expr) -> Checked<()> {
        if side.ty != Some(Type::Json) {
            return Ok(());
        }
        let error = self.error(side.span, "JSON values are not compared");
        Err(match &side.kind {
            ExprKind::JsonAccess { as_text: false, .. } => {
                error.hint("compare texts: write ->> for the last step")
            }
            _ => error.hint("compare a member's text: data ->> 'key' = 'text'"),
        })
    }
}

/// How many steps into a JSON value an expression makes.
fn steps(expr: &Expr) -> usize {
    let mut count = 0;
    let mut at = expr;
    while let ExprKind::JsonAccess { operand, .. } = &at.kind {
        count += 1;
        at = operand;
    }
    count
}
