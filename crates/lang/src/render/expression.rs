//! Expressions.

use jiff::tz::TimeZone;
use sql::{Dialect, Kind, Value};

use super::{Environment, ExpressionWriter, ddl};
use crate::{AggregateFunction, BinaryOp, Expr, ExprKind, Function, Literal, Type, UnaryOp};

impl ExpressionWriter<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal, expr.ty.as_ref()),
            ExprKind::Column { binding, column } => self.column(*binding, column),
            ExprKind::Auth(function) if self.asking => ddl::auth(self.sql, function),
            ExprKind::Now if self.asking => {
                self.sql.push("(select auth.now())");
            }
            // Nothing is bound in DDL: the engine's own clock and chance.
            ExprKind::Now if self.quoting => {
                self.sql.push(ddl::now(self.sql.dialect()));
            }
            ExprKind::NowPlus(distance) if self.quoting => {
                ddl::now_plus(self.sql, distance, self.asking);
            }
            ExprKind::NewId { .. } if self.quoting => {
                self.sql.push(ddl::new_id(self.sql.dialect()));
            }
            ExprKind::Auth(_)
            | ExprKind::Now
            | ExprKind::NowPlus(_)
            | ExprKind::NewId { .. }
            | ExprKind::Parameter(_) => self.fact(expr),
            ExprKind::Unary(op, operand) => {
                self.sql.push(match op {
                    UnaryOp::Not => "(not ",
                    UnaryOp::Minus => "(- ",
                });
                self.expr(operand);
                self.sql.push(")");
            }
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ExprKind::RowCompare(op, left, right) => {
                self.list(left);
                self.sql.push(operator(*op));
                self.list(right);
            }
            ExprKind::Cast(operand, ty) => self.cast(operand, ty),
            ExprKind::Call(function, arguments) => self.call(*function, arguments),
            ExprKind::JsonAccess { as_text, .. } => self.json_access(expr, *as_text),
            ExprKind::JsonObject(members) => self.json_object(members),
            ExprKind::JsonAgg { element, order } => self.json_agg(element, order),
            ExprKind::Aggregate(function, operand) => self.aggregate(*function, operand.as_deref()),
            _ => self.predicate(expr),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of predicate")]
    fn predicate(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::IsNull { operand, negated } => {
                self.sql.push("(");
                self.expr(operand);
                self.sql.push(if *negated {
                    " is not null)"
                } else {
                    " is null)"
                });
            }
            ExprKind::IsBool {
                operand,
                value,
                negated,
            } => {
                self.sql.push("(");
                self.expr(operand);
                self.sql.push(match (value, negated) {
                    (true, false) => " is true)",
                    (true, true) => " is not true)",
                    (false, false) => " is false)",
                    (false, true) => " is not false)",
                });
            }
            ExprKind::InList {
                operand,
                list,
                negated,
            } if list.is_empty() => {
                // Nothing is in an empty list; the operand decides only whether that is unknown.
                let _ = operand;
                self.sql.push(if *negated { "(1 = 1)" } else { "(1 = 0)" });
            }
            ExprKind::InList {
                operand,
                list,
                negated,
            } => {
                self.sql.push("(");
                self.expr(operand);
                self.sql.push(if *negated { " not in " } else { " in " });
                self.list(list);
                self.sql.push(")");
            }
            ExprKind::InQuery {
                operand,
                query,
                negated,
            } => {
                self.sql.push("(");
                self.expr(operand);
                self.sql.push(if *negated { " not in (" } else { " in (" });
                self.subquery(query);
                self.sql.push("))");
            }
            ExprKind::Exists { query, negated } => {
                self.sql.push(if *negated {
                    "(not exists ("
                } else {
                    "(exists ("
                });
                self.subquery(query);
                self.sql.push("))");
            }
            ExprKind::Scalar(query) => {
                self.sql.push("(");
                self.subquery(query);
                self.sql.push(")");
            }
            ExprKind::Like {
                operand,
                pattern,
                insensitive,
                negated,
            } => {
                self.like(operand, pattern, *insensitive, *negated);
            }
            ExprKind::Case {
                branches,
                otherwise,
            } => {
                self.sql.push("(case");
                for (condition, result) in branches {
                    self.sql.push(" when ");
                    self.expr(condition);
                    self.sql.push(" then ");
                    self.expr(result);
                }
                if let Some(otherwise) = otherwise {
                    self.sql.push(" else ");
                    self.expr(otherwise);
                }
                self.sql.push(" end)");
            }
            // All others are written by `expr`.
            _ => {}
        }
    }

    fn list(&mut self, list: &[Expr]) {
        self.sql.push("(");
        for (place, expr) in list.iter().enumerate() {
            if place > 0 {
                self.sql.push(", ");
            }
            self.expr(expr);
        }
        self.sql.push(")");
    }

    fn column(&mut self, binding: u32, column: &sql::Ident) {
        let frame = self.frames.last();
        let alias = match binding {
            0 => frame.and_then(|frame| frame.this.clone()),
            _ => frame.and_then(|frame| {
                // A query that is written twice has another alias each time.
                let mut newest = frame.bindings.iter().rev();
                let found = newest.find(|(known, _)| *known == binding);
                found.map(|(_, alias)| alias.clone())
            }),
        };
        match alias {
            Some(alias) => self.sql.column(&alias, column),
            None => self.sql.ident(column),
        };
    }

    /// What the environment knows and the statement does not.
    fn fact(&mut self, expr: &Expr) {
        self.environment.bound(self.sql.args().len(), &expr.kind);
        if let Some(value) = value_of(&expr.kind, self.environment) {
            let moment = matches!(expr.kind, ExprKind::Now | ExprKind::NowPlus(_));
            match moment {
                true => self.bind(value, Some(&Type::Timestamp)),
                false => self.bind(value, expr.ty.as_ref()),
            }
            return;
        }
        match &expr.kind {
            ExprKind::NewId { ordered } => {
                let id = self.environment.new_id(*ordered);
                self.sql.typed_arg(id, Kind::Uuid);
            }
            ExprKind::Parameter(place) => {
                let value = self.environment.parameter(*place);
                self.bind(value, expr.ty.as_ref());
            }
            _ => {}
        }
    }

    fn bind(&mut self, value: Value, ty: Option<&Type>) {
        match ty {
            Some(ty) => self.sql.typed_arg(value, ty.kind()),
            None => self.sql.arg(value),
        };
    }

    fn literal(&mut self, literal: &Literal, ty: Option<&Type>) {
        match literal {
            Literal::Null => {
                self.sql.push("null");
                if let (Dialect::Postgres, Some(ty)) = (self.sql.dialect(), ty) {
                    self.sql.push("::").push(cast_name(Dialect::Postgres, ty));
                }
            }
            Literal::Bool(value) => {
                self.sql.push(if *value { "true" } else { "false" });
            }
            Literal::Int(number) => {
                if *number < 0 {
                    self.sql.push("-");
                }
                self.sql.number(number.unsigned_abs());
            }
            Literal::Decimal(text) if self.quoting => ddl::decimal(self.sql, text),
            Literal::Text(text) if self.quoting => ddl::literal(self.sql, text, ty),
            // What PostgreSQL alone has, it reads itself.
            Literal::Text(text) if ty.is_some_and(Type::is_postgres_alone) => {
                let ty = ty.unwrap_or(&Type::Text);
                self.sql.quoted(text).push("::");
                self.sql.push(cast_name(Dialect::Postgres, ty));
            }
            Literal::Decimal(text) => {
                self.sql
                    .typed_arg(Value::Decimal(text.clone()), Kind::Numeric);
            }
            Literal::Text(text) => {
                let ty = ty.unwrap_or(&Type::Text);
                self.sql.typed_arg(text_value(text, ty), ty.kind());
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        let dialect = self.sql.dialect();
        let mysql = match dialect {
            Dialect::MySql | Dialect::MariaDb => true,
            Dialect::Sqlite | Dialect::Postgres => false,
        };
        let (open, middle, close) = match op {
            BinaryOp::Div if mysql && whole(left) && whole(right) => ("(", " div ", ")"),
            BinaryOp::IsDistinctFrom if mysql => ("(not (", " <=> ", "))"),
            BinaryOp::IsNotDistinctFrom if mysql => ("(", " <=> ", ")"),
            BinaryOp::IsDistinctFrom if dialect == Dialect::Sqlite => ("(", " is not ", ")"),
            BinaryOp::IsNotDistinctFrom if dialect == Dialect::Sqlite => ("(", " is ", ")"),
            _ => ("(", operator(op), ")"),
        };
        self.sql.push(open);
        let adds_up = matches!(
            op,
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod
        );
        // PostgreSQL takes the operands' own size, and what does not fit there fails.
        let widens = adds_up && dialect == Dialect::Postgres && whole(left) && whole(right);
        self.sql.push(if widens { "cast(" } else { "" });
        self.expr(left);
        self.sql.push(if widens { " as bigint)" } else { "" });
        // A column brings its collation along; what is made of constants has the session's, for
        // which trailing spaces are nothing.
        let is_text = |expr: &Expr| matches!(expr.ty, Some(Type::Text | Type::Varchar(_)));
        let is_column = |expr: &Expr| matches!(expr.kind, ExprKind::Column { .. });
        let collates = is_text(left) && is_text(right) && !is_column(left) && !is_column(right);
        self.sql.push(match (collates, dialect) {
            (true, Dialect::MySql) => " collate utf8mb4_0900_bin",
            (true, Dialect::MariaDb) => " collate utf8mb4_nopad_bin",
            (true, Dialect::Sqlite | Dialect::Postgres) | (false, _) => "",
        });
        self.sql.push(middle);
        self.divisor(op, right);
        self.sql.push(close);
    }

    /// Nothing can be said of a division by zero, so it is null. SQLite thinks so by itself;
    /// PostgreSQL fails, MySQL and MariaDB fail where rows are changed.
    fn divisor(&mut self, op: BinaryOp, operand: &Expr) {
        let may_be_zero = match &operand.kind {
            ExprKind::Literal(Literal::Int(number)) => *number == 0,
            _ => true,
        };
        let divides = matches!(op, BinaryOp::Div | BinaryOp::Mod);
        if !divides || !may_be_zero || self.sql.dialect() == Dialect::Sqlite {
            return self.expr(operand);
        }
        self.sql.push("nullif(");
        self.expr(operand);
        self.sql.push(", 0)");
    }

    fn like(&mut self, operand: &Expr, pattern: &Expr, insensitive: bool, negated: bool) {
        let native = self.sql.dialect() == Dialect::Postgres;
        let lowered = insensitive && !native;
        self.sql.push(if lowered { "(lower(" } else { "(" });
        self.expr(operand);
        self.sql.push(match (lowered, insensitive, negated) {
            (true, _, false) => ") like lower(",
            (true, _, true) => ") not like lower(",
            (false, true, false) => " ilike ",
            (false, true, true) => " not ilike ",
            (false, false, false) => " like ",
            (false, false, true) => " not like ",
        });
        self.expr(pattern);
        self.sql.push(if lowered {
            ") escape '\\')"
        } else {
            " escape '\\')"
        });
    }

    fn cast(&mut self, operand: &Expr, ty: &Type) {
        if matches!(ty, Type::Text | Type::Varchar(_)) && operand.ty == Some(Type::Json) {
            return self.json_as_text(operand);
        }
        // A moment or an id as text is spelled as on the wire, on every engine.
        if matches!(ty, Type::Text | Type::Varchar(_)) && operand.ty.is_some() {
            return self.as_text(operand);
        }
        self.sql.push("cast(");
        self.expr(operand);
        let name = cast_name(self.sql.dialect(), ty);
        self.sql.push(" as ").push(name).push(")");
    }

    fn call(&mut self, function: Function, arguments: &[Expr]) {
        let dialect = self.sql.dialect();
        // These two look for the text first, and at the rest only if they find it.
        let is_lazy = matches!(dialect, Dialect::Sqlite | Dialect::MariaDb);
        let may_be_null: Vec<&Expr> = arguments.iter().skip(1).filter(|a| a.nullable).collect();
        if function == Function::Replace && is_lazy && !may_be_null.is_empty() {
            self.sql.push("(case when ");
            for (place, argument) in may_be_null.iter().enumerate() {
                self.sql.push(if place > 0 { " or " } else { "" });
                self.expr(argument);
                self.sql.push(" is null");
            }
            self.sql.push(" then null else replace");
            self.list(arguments);
            self.sql.push(" end)");
            return;
        }
        let picks = matches!(function, Function::Least | Function::Greatest);
        let may_be_null = arguments.iter().any(|argument| argument.nullable);
        if picks && may_be_null && dialect != Dialect::Postgres {
            return self.pick(function, arguments);
        }
        self.name(function);
        self.list(arguments);
    }

    /// The least or greatest of what is not null, two by two; other engines than PostgreSQL give
    /// null as soon as one is.
    fn pick(&mut self, function: Function, arguments: &[Expr]) {
        let Some((last, before)) = arguments.split_last() else {
            return;
        };
        if before.is_empty() {
            return self.expr(last);
        }
        self.name(function);
        self.sql.push("(coalesce(");
        self.pick(function, before);
        self.sql.push(", ");
        self.expr(last);
        self.sql.push("), coalesce(");
        self.expr(last);
        self.sql.push(", ");
        self.pick(function, before);
        self.sql.push("))");
    }

    fn name(&mut self, function: Function) {
        let dialect = self.sql.dialect();
        self.sql.push(match (function, dialect) {
            (Function::Length, Dialect::MySql | Dialect::MariaDb) => "char_length",
            (Function::Length, Dialect::Sqlite | Dialect::Postgres) => "length",
            (Function::Lower, _) => "lower",
            (Function::Upper, _) => "upper",
            (Function::Trim, _) => "trim",
            (Function::Coalesce, _) => "coalesce",
            (Function::NullIf, _) => "nullif",
            (Function::Abs, _) => "abs",
            // SQLite's scalar functions of those names.
            (Function::Least, Dialect::Sqlite) => "min",
            (Function::Greatest, Dialect::Sqlite) => "max",
            (Function::Least, _) => "least",
            (Function::Greatest, _) => "greatest",
            (Function::Replace, _) => "replace",
            (Function::Substr, _) => "substr",
        });
    }

    fn aggregate(&mut self, function: AggregateFunction, operand: Option<&Expr>) {
        // SQLite keeps exact numbers as text, and would add them up as floats; a view that stands in
        // the database itself has none of our functions.
        let is_exact = matches!(
            operand.and_then(|operand| operand.ty.as_ref()),
            Some(Type::Numeric { .. })
        );
        let exactly = is_exact && !self.quoting && self.sql.dialect() == Dialect::Sqlite;
        self.sql.push(match function {
            AggregateFunction::Count => "count(",
            AggregateFunction::Sum if exactly => "decimal_sum(",
            AggregateFunction::Sum => "sum(",
            AggregateFunction::Min => "min(",
            AggregateFunction::Max => "max(",
        });
        match operand {
            Some(operand) => self.expr(operand),
            None => {
                self.sql.push("*");
            }
        }
        self.sql.push(")");
    }
}

/// A text constant as a value of its type; the checker has made sure that it is one.
pub(crate) fn text_value(text: &str, ty: &Type) -> Value {
    let plain = || Value::Text(text.to_owned());
    match ty {
        Type::Uuid => uuid::Uuid::try_parse(text).map_or_else(|_| plain(), Value::Uuid),
        Type::Timestamp => text.parse().map_or_else(|_| plain(), Value::Timestamp),
        Type::Date => text.parse().map_or_else(|_| plain(), Value::Date),
        Type::Time => text.parse().map_or_else(|_| plain(), Value::Time),
        Type::Json => Value::Json(text.to_owned()),
        _ => plain(),
    }
}

/// What a fact about the caller or the moment is now; `None` for what is no such fact, or another one
/// each time it is asked for.
#[must_use]
pub fn value_of(fact: &ExprKind, environment: &dyn Environment) -> Option<Value> {
    match fact {
        ExprKind::Auth(function) => Some(environment.auth(function)),
        ExprKind::Now => Some(environment.now().into()),
        ExprKind::NowPlus(distance) => Some(shift(environment.now(), distance).into()),
        _ => None,
    }
}

fn shift(now: jiff::Timestamp, distance: &str) -> jiff::Timestamp {
    let shifted = distance
        .parse::<jiff::Span>()
        .ok()
        .and_then(|span| now.to_zoned(TimeZone::UTC).checked_add(span).ok());
    shifted.map_or(now, |zoned| zoned.timestamp())
}

fn whole(expr: &Expr) -> bool {
    matches!(expr.ty, Some(Type::SmallInt | Type::Integer | Type::BigInt))
}

fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::And => " and ",
        BinaryOp::Or => " or ",
        BinaryOp::Eq => " = ",
        BinaryOp::NotEq => " <> ",
        BinaryOp::Lt => " < ",
        BinaryOp::LtEq => " <= ",
        BinaryOp::Gt => " > ",
        BinaryOp::GtEq => " >= ",
        BinaryOp::Add => " + ",
        BinaryOp::Sub => " - ",
        BinaryOp::Mul => " * ",
        BinaryOp::Div => " / ",
        BinaryOp::Mod => " % ",
        BinaryOp::Concat => " || ",
        BinaryOp::IsDistinctFrom => " is distinct from ",
        BinaryOp::IsNotDistinctFrom => " is not distinct from ",
    }
}

fn cast_name(dialect: Dialect, ty: &Type) -> &'static str {
    match dialect {
        Dialect::Postgres => match ty {
            Type::Boolean => "boolean",
            Type::SmallInt => "smallint",
            Type::Integer => "integer",
            Type::BigInt => "bigint",
            Type::Real => "real",
            Type::Double => "double precision",
            Type::Numeric { .. } => "numeric",
            Type::Text | Type::Varchar(_) => "text",
            Type::Uuid => "uuid",
            Type::Date => "date",
            Type::Time => "time",
            Type::Timestamp => "timestamptz",
            Type::Interval => "interval",
            Type::Bytes => "bytea",
            Type::Json => "jsonb",
            Type::Array(element) => element.array_name(),
            Type::Range(range) => range.name(),
        },
        Dialect::Sqlite => match ty {
            Type::Boolean | Type::SmallInt | Type::Integer | Type::BigInt => "integer",
            Type::Real | Type::Double => "real",
            Type::Bytes => "blob",
            _ => "text",
        },
        Dialect::MySql | Dialect::MariaDb => match ty {
            Type::Boolean | Type::SmallInt | Type::Integer | Type::BigInt => "signed",
            Type::Real | Type::Double => "double",
            Type::Numeric { .. } => "decimal(65,30)",
            Type::Date => "date",
            Type::Time => "time(6)",
            Type::Timestamp => "datetime(6)",
            Type::Bytes => "binary",
            Type::Uuid if dialect == Dialect::MariaDb => "uuid",
            _ => "char",
        },
    }
}
