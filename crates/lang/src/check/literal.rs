//! Constants, and texts that take the type of what stands beside them.

use jiff::civil::{Date, Time};
use jiff::{Span as Distance, Timestamp};
use uuid::Uuid;

use super::{Checked, Checker};
use crate::{Expr, ExprKind, Literal, Span, Type};

impl Checker<'_> {
    /// A whole or decimal number as written.
    pub(super) fn number(&self, text: &str, span: Span) -> Checked<Expr> {
        let (literal, ty) = if let Ok(number) = text.parse::<i64>() {
            let ty = if i32::try_from(number).is_ok() {
                Type::Integer
            } else {
                Type::BigInt
            };
            (Literal::Int(number), ty)
        } else {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let scale = text
                .split_once('.')
                .map_or(0, |(_, fraction)| fraction.len());
            let plain = text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            if !plain || digits > 38 {
                return Err(self
                    .error(span, format!("{text} is not a plain number"))
                    .hint("write digits with at most one point, 38 digits in all"));
            }
            let digits = u8::try_from(digits).unwrap_or(38);
            let scale = u8::try_from(scale).unwrap_or(0);
            (
                Literal::Decimal(text.to_owned()),
                Type::Numeric {
                    precision: digits,
                    scale,
                },
            )
        };
        Ok(Expr {
            kind: ExprKind::Literal(literal),
            ty: Some(ty),
            nullable: false,
            span,
        })
    }

    /// A text, taken as the type that its neighbour has.
    pub(super) fn text(&self, text: &str, expected: Option<&Type>, span: Span) -> Checked<Expr> {
        let ty = match expected {
            None | Some(Type::Varchar(_)) => Type::Text,
            Some(ty) => ty.clone(),
        };
        let wrong = |example: &str| {
            let message = format!("'{text}' is not a value of type {ty}");
            Err(self
                .error(span, message)
                .hint(format!("write it as '{example}'")))
        };
        let canonical = match &ty {
            Type::Text | Type::Varchar(_) => text.to_owned(),
            Type::Uuid => match Uuid::try_parse(text) {
                Ok(id) => id.hyphenated().to_string(),
                Err(_) => return wrong("0193a000-0000-7000-8000-000000000001"),
            },
            Type::Timestamp => match text.parse::<Timestamp>() {
                Ok(moment) => format!("{moment:.6}"),
                Err(_) => return wrong("2026-11-21T04:00:00Z"),
            },
            Type::Date => match text.parse::<Date>() {
                Ok(date) => date.to_string(),
                Err(_) => return wrong("2026-11-21"),
            },
            Type::Time => match text.parse::<Time>() {
                Ok(time) => format!("{time:.6}"),
                Err(_) => return wrong("04:00:00"),
            },
            Type::Interval => match text.parse::<Distance>() {
                Ok(distance) => distance.to_string(),
                Err(_) => return wrong("10 days"),
            },
            // What PostgreSQL alone has, PostgreSQL alone reads.
            Type::Json | Type::Array(_) | Type::Range(_) => text.to_owned(),
            Type::Bytes => return wrong("a bound parameter; bytes have no constant here"),
            Type::Boolean => {
                return Err(self
                    .error(span, format!("'{text}' is a text beside a boolean"))
                    .hint("write true or false without quotes"));
            }
            Type::SmallInt
            | Type::Integer
            | Type::BigInt
            | Type::Real
            | Type::Double
            | Type::Numeric { .. } => {
                return Err(self
                    .error(span, format!("'{text}' is a text beside a number"))
                    .hint("write the number without quotes, or cast one of the two"));
            }
        };
        let kind = ExprKind::Literal(Literal::Text(canonical));
        Ok(Expr {
            kind,
            ty: Some(ty),
            nullable: false,
            span,
        })
    }

    pub(super) fn null(span: Span) -> Expr {
        Expr {
            kind: ExprKind::Literal(Literal::Null),
            ty: None,
            nullable: true,
            span,
        }
    }

    pub(super) fn boolean(value: bool, span: Span) -> Expr {
        Expr {
            kind: ExprKind::Literal(Literal::Bool(value)),
            ty: Some(Type::Boolean),
            nullable: false,
            span,
        }
    }
}
