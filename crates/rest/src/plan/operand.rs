//! A column, or a part of a JSON column, in a statement.

use lang::{AuthFunction, Environment, Expr, ExprKind, ExpressionWriter, JsonKey, Span, Type};
use schema::Column;
use sql::{Dialect, Ident, Kind, Sql, Value};

use super::Target;
use crate::request::Field;
use crate::{ErrorKind, RestError};

/// The engines go no deeper into a JSON value.
const MOST_STEPS: usize = 32;

/// What a condition, an order or a selection speaks of, resolved.
pub(crate) struct Operand<'a> {
    pub(crate) column: &'a Column,
    /// The part of it, over "this row".
    part: Option<Box<Expr>>,
    ty: Type,
}

impl<'a> Operand<'a> {
    /// A column as it is.
    pub(crate) fn whole(column: &'a Column) -> Self {
        Self {
            column,
            part: None,
            ty: column.ty.clone(),
        }
    }

    /// The field of a relation, if the caller may read it.
    pub(crate) fn resolve(target: Target<'a>, field: &Field) -> Result<Self, RestError> {
        let column = readable(target, &field.name)?;
        if field.is_plain() {
            return Ok(Self::whole(column));
        }
        if column.ty != Type::Json {
            let (name, ty) = (&column.name, &column.ty);
            let message = format!("{name} is a {ty}; -> takes a part of JSON");
            return Err(RestError::new(ErrorKind::BadRequest, "42883", message));
        }
        if field.path.len() > MOST_STEPS {
            let message = format!("more than {MOST_STEPS} steps into {}", column.name);
            return Err(RestError::query(message));
        }
        let mut part = expr(
            ExprKind::Column {
                binding: 0,
                column: column.name.clone(),
            },
            Type::Json,
        );
        for (place, key) in field.path.iter().enumerate() {
            let as_text = field.as_text && place + 1 == field.path.len();
            let kind = ExprKind::JsonAccess {
                operand: Box::new(part),
                key: key.clone(),
                as_text,
            };
            part = expr(kind, if as_text { Type::Text } else { Type::Json });
        }
        Ok(Self {
            column,
            ty: part.ty.clone().unwrap_or(Type::Text),
            part: Some(Box::new(part)),
        })
    }

    /// Whether the two are the same of their relation.
    pub(crate) fn is(&self, other: &Operand<'_>) -> bool {
        self.column.name == other.column.name && self.part == other.part
    }

    /// Its type; that of a part is `jsonb` or, behind `->>`, `text`.
    pub(crate) fn ty(&self) -> &Type {
        &self.ty
    }

    pub(crate) fn kind(&self) -> Kind {
        self.ty.kind()
    }

    /// A member of this JSON value.
    pub(crate) fn member(&self, name: &str) -> Self {
        let own = || {
            let column = self.column.name.clone();
            expr(ExprKind::Column { binding: 0, column }, Type::Json)
        };
        let kind = ExprKind::JsonAccess {
            operand: Box::new(self.part.as_deref().cloned().unwrap_or_else(own)),
            key: JsonKey::Member(name.to_owned()),
            as_text: false,
        };
        Self {
            column: self.column,
            part: Some(Box::new(expr(kind, Type::Json))),
            ty: Type::Json,
        }
    }

    /// Whether it is a column as it is.
    pub(crate) fn is_column(&self) -> bool {
        self.part.is_none()
    }

    /// Whether it can be null in a row of its relation.
    pub(crate) fn is_nullable(&self) -> bool {
        self.part.is_some() || self.column.nullable
    }

    /// Whether it is a text.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.ty, Type::Text | Type::Varchar(_))
    }

    /// Writes it, of the relation that is called `alias` in the statement.
    pub(crate) fn write(&self, sql: &mut Sql, alias: &Ident) {
        match &self.part {
            None => {
                sql.column(alias, &self.column.name);
            }
            Some(part) => ExpressionWriter::new(sql, &OfNoRequest).expression(part, Some(alias)),
        }
    }
}

impl Operand<'_> {
    /// Writes it as what the rows of a group have in common. MySQL and MariaDB see that of columns
    /// alone; of what is one value any is the largest.
    pub(crate) fn write_common(&self, sql: &mut Sql, alias: &Ident) {
        let dialect = sql.dialect();
        let is_hidden = match dialect {
            Dialect::MySql | Dialect::MariaDb => self.part.is_some(),
            Dialect::Sqlite | Dialect::Postgres => false,
        };
        sql.push(if is_hidden { "max(" } else { "" });
        self.write(sql, alias);
        sql.push(if is_hidden { ")" } else { "" });
    }

    /// Values that have an order on every engine.
    pub(crate) fn require_order(&self) -> Result<(), RestError> {
        if self.ty != Type::Json {
            return Ok(());
        }
        let message = format!("{} is JSON, which has no order", self.column.name);
        Err(RestError::new(ErrorKind::BadRequest, "42883", message)
            .hint("order by a part of it as text, as data->>key"))
    }
}

/// The column of that name, if the caller may read it.
pub(crate) fn readable<'a>(target: Target<'a>, name: &str) -> Result<&'a Column, RestError> {
    let is_readable = target
        .access
        .readable()
        .iter()
        .any(|column| *column == *name);
    target
        .table
        .column(name)
        .filter(|_| is_readable)
        .ok_or_else(|| RestError::column(&target.table.name, name, target.access.readable().iter()))
}

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr {
        kind,
        ty: Some(ty),
        nullable: true,
        span: Span::default(),
    }
}

/// A part of a column is the same in every request.
struct OfNoRequest;

impl Environment for OfNoRequest {
    fn auth(&self, _: &AuthFunction) -> Value {
        Value::Null
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn new_id(&self, _: bool) -> uuid::Uuid {
        uuid::Uuid::nil()
    }

    fn parameter(&self, _: usize) -> Value {
        Value::Null
    }

    fn row_filter(&self, _: &Ident) -> Option<&Expr> {
        None
    }
}
