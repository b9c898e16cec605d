//! Functions of the portable list, facts about the caller, aggregates, JSON.

use sqlparser::ast;

use super::expr::wider;
use super::{Checked, Checker};
use crate::{AggregateFunction, AuthFunction, Expr, ExprKind, Function, Literal, Span, Type};

/// The functions that take and give values of one row.
const FUNCTIONS: [(&str, Function); 11] = [
    ("length", Function::Length),
    ("lower", Function::Lower),
    ("upper", Function::Upper),
    ("trim", Function::Trim),
    ("coalesce", Function::Coalesce),
    ("nullif", Function::NullIf),
    ("abs", Function::Abs),
    ("least", Function::Least),
    ("greatest", Function::Greatest),
    ("replace", Function::Replace),
    ("substr", Function::Substr),
];

impl Checker<'_> {
    pub(super) fn function(&mut self, function: &ast::Function, span: Span) -> Checked<Expr> {
        if function.over.is_some() || function.filter.is_some() {
            return Err(self.error(span, "window functions and FILTER are not offered"));
        }
        let name = function.name.to_string().to_lowercase();
        let (arguments, order) = self.arguments(function, span)?;
        match name.as_str() {
            "now" | "current_timestamp" => Ok(simple(ExprKind::Now, Type::Timestamp, false, span)),
            "gen_random_uuid" => Ok(simple(
                ExprKind::NewId { ordered: false },
                Type::Uuid,
                false,
                span,
            )),
            "uuidv7" => Ok(simple(
                ExprKind::NewId { ordered: true },
                Type::Uuid,
                false,
                span,
            )),
            "json_object" | "json_build_object" => self.json_object(&arguments, span),
            "json_agg" => self.json_agg(&arguments, &order, span),
            "count" | "sum" | "min" | "max" => self.aggregate(&name, function, &arguments, span),
            "char_length" | "character_length" => self.call("length", &arguments, span),
            "substring" => self.call("substr", &arguments, span),
            _ => match name.strip_prefix("auth.") {
                Some(fact) => self.auth(fact, &arguments, span),
                None => match self.relations.function(&name) {
                    Some(declared) => self.inline(declared, &arguments, span),
                    None => self.call(&name, &arguments, span),
                },
            },
        }
    }

    /// Whether the language has a function of that name.
    pub(super) fn is_built_in(name: &str) -> bool {
        let more = [
            "now",
            "current_timestamp",
            "gen_random_uuid",
            "uuidv7",
            "json_object",
            "json_build_object",
            "json_agg",
            "count",
            "sum",
            "min",
            "max",
            "char_length",
            "character_length",
            "substring",
        ];
        more.contains(&name) || FUNCTIONS.iter().any(|(known, _)| *known == name)
    }

    /// The arguments, and what is written behind `ORDER BY` among them.
    fn arguments<'f>(
        &self,
        function: &'f ast::Function,
        span: Span,
    ) -> Checked<(Vec<&'f ast::Expr>, Vec<&'f ast::OrderByExpr>)> {
        let list = match &function.args {
            ast::FunctionArguments::None => return Ok((Vec::new(), Vec::new())),
            ast::FunctionArguments::List(list) => list,
            ast::FunctionArguments::Subquery(_) => {
                return Err(self.error(span, "put the query in brackets of its own"));
            }
        };
        if list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct) {
            return Err(self.error(span, "DISTINCT in a function is not offered"));
        }
        let mut arguments = Vec::new();
        for argument in &list.args {
            match argument {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => arguments.push(expr),
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard) => {}
                other => return Err(self.error(span, format!("{other} cannot be an argument"))),
            }
        }
        let mut order = Vec::new();
        for clause in &list.clauses {
            match clause {
                ast::FunctionArgumentClause::OrderBy(keys) => order.extend(keys),
                other => return Err(self.error(span, format!("{other} is not offered"))),
            }
        }
        Ok((arguments, order))
    }

    /// A function of [`FUNCTIONS`].
    pub(super) fn call(
        &mut self,
        name: &str,
        arguments: &[&ast::Expr],
        span: Span,
    ) -> Checked<Expr> {
        let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            let error = self.error(span, format!("there is no function {name}"));
            let names = FUNCTIONS.iter().map(|(known, _)| *known);
            let more = [
                "now",
                "json_object",
                "json_agg",
                "count",
                "sum",
                "min",
                "max",
            ];
            return Err(match stdx::nearest(name, names.chain(more)) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error,
            });
        };
        let expected = match function {
            Function::Length | Function::Lower | Function::Upper | Function::Trim => {
                Some(Type::Text)
            }
            Function::Replace => Some(Type::Text),
            _ => None,
        };
        let mut checked: Vec<Expr> = Vec::with_capacity(arguments.len());
        let mut ty = expected.clone();
        for argument in arguments {
            let hint = match function {
                Function::Coalesce | Function::NullIf | Function::Least | Function::Greatest => {
                    ty.clone()
                }
                _ => expected.clone(),
            };
            let argument = self.expr(argument, hint.as_ref())?;
            if matches!(
                function,
                Function::NullIf | Function::Least | Function::Greatest
            ) {
                self.require_no_json(&argument)?;
            }
            ty = wider(ty.as_ref(), argument.ty.as_ref());
            checked.push(argument);
        }
        self.require_count(*function, name, checked.len(), span)?;
        let nullable = match function {
            Function::Coalesce => checked.iter().all(|argument| argument.nullable),
            Function::NullIf => true,
            _ => checked.iter().any(|argument| argument.nullable),
        };
        let ty = match function {
            Function::Length => Some(Type::Integer),
            Function::Lower | Function::Upper | Function::Trim | Function::Replace => {
                Some(Type::Text)
            }
            Function::Substr => Some(Type::Text),
            Function::Coalesce
            | Function::NullIf
            | Function::Abs
            | Function::Least
            | Function::Greatest => ty,
        };
        Ok(Expr {
            kind: ExprKind::Call(*function, checked),
            ty,
            nullable,
            span,
        })
    }

    fn require_count(
        &self,
        function: Function,
        name: &str,
        count: usize,
        span: Span,
    ) -> Checked<()> {
        let fits = match function {
            Function::Length
            | Function::Lower
            | Function::Upper
            | Function::Trim
            | Function::Abs => count == 1,
            Function::NullIf => count == 2,
            Function::Replace => count == 3,
            Function::Substr => count == 2 || count == 3,
            Function::Coalesce | Function::Least | Function::Greatest => count >= 2,
        };
        if fits {
            return Ok(());
        }
        Err(self.error(span, format!("{name} does not take {count} argument(s)")))
    }

    fn auth(&mut self, fact: &str, arguments: &[&ast::Expr], span: Span) -> Checked<Expr> {
        let text = || match arguments {
            [ast::Expr::Value(value)] => match &value.value {
                ast::Value::SingleQuotedString(text) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        };
        let named = || {
            text().ok_or_else(|| {
                self.error(
                    span,
                    format!("auth.{fact} takes one text constant, as auth.{fact}('x')"),
                )
            })
        };
        let (function, ty, nullable) =
            match fact {
                "uid" => (AuthFunction::Uid, Type::Uuid, true),
                "role" => (AuthFunction::Role, Type::Text, false),
                "acr" => (AuthFunction::Acr, Type::Text, true),
                "has_role" => (AuthFunction::HasRole(named()?), Type::Boolean, false),
                "has_scope" => (AuthFunction::HasScope(named()?), Type::Boolean, false),
                "claim" => (AuthFunction::Claim(named()?), Type::Text, true),
                _ => {
                    return Err(self.error(span, format!("there is no fact auth.{fact}()")).hint(
                    "known are auth.uid(), auth.role(), auth.has_role('x'), auth.claim('x'), \
                     auth.has_scope('x') and auth.acr()",
                ));
                }
            };
        Ok(simple(ExprKind::Auth(function), ty, nullable, span))
    }

    fn aggregate(
        &mut self,
        name: &str,
        function: &ast::Function,
        arguments: &[&ast::Expr],
        span: Span,
    ) -> Checked<Expr> {
        let kind = match name {
            "count" => AggregateFunction::Count,
            "sum" => AggregateFunction::Sum,
            "min" => AggregateFunction::Min,
            _ => AggregateFunction::Max,
        };
        let operand = match arguments {
            [] if kind == AggregateFunction::Count => None,
            [operand] => Some(Box::new(self.expr(operand, None)?)),
            _ => return Err(self.error(span, format!("{function} does not take these arguments"))),
        };
        if let Some(operand) = &operand {
            self.require_aggregable(kind, name, operand)?;
        }
        let ty = match (
            kind,
            operand.as_ref().and_then(|operand| operand.ty.clone()),
        ) {
            (AggregateFunction::Count, _) => Some(Type::BigInt),
            (AggregateFunction::Sum, Some(Type::SmallInt | Type::Integer)) => Some(Type::BigInt),
            (_, ty) => ty,
        };
        let nullable = kind != AggregateFunction::Count;
        Ok(Expr {
            kind: ExprKind::Aggregate(kind, operand),
            ty,
            nullable,
            span,
        })
    }

    /// What is added up is a number, and what is the first or the last has an order on every engine.
    fn require_aggregable(
        &self,
        kind: AggregateFunction,
        name: &str,
        operand: &Expr,
    ) -> Checked<()> {
        let Some(ty) = &operand.ty else {
            return Ok(());
        };
        let is_number = matches!(
            ty,
            Type::SmallInt
                | Type::Integer
                | Type::BigInt
                | Type::Real
                | Type::Double
                | Type::Numeric { .. }
        );
        let is_ordered = is_number
            || matches!(
                ty,
                Type::Text | Type::Varchar(_) | Type::Date | Type::Time | Type::Timestamp
            );
        let (is_fine, hint) = match kind {
            AggregateFunction::Count => (true, ""),
            AggregateFunction::Sum => (is_number, "write sum of a number"),
            AggregateFunction::Min | AggregateFunction::Max => (
                is_ordered,
                "write min or max of a number, a text, a date, a time or a moment",
            ),
        };
        match is_fine {
            true => Ok(()),
            false => Err(self
                .error(operand.span, format!("{name} takes no {ty}"))
                .hint(hint)),
        }
    }

    fn json_object(&mut self, arguments: &[&ast::Expr], span: Span) -> Checked<Expr> {
        if !arguments.len().is_multiple_of(2) {
            return Err(self.error(span, "json_object takes pairs: 'key', value, …"));
        }
        let mut members = Vec::new();
        for pair in arguments.chunks(2) {
            let ExprKind::Literal(Literal::Text(key)) = self.expr(pair[0], Some(&Type::Text))?.kind
            else {
                return Err(self.error(span, "a key of json_object is a text constant"));
            };
            members.push((key, self.expr(pair[1], None)?));
        }
        Ok(simple(
            ExprKind::JsonObject(members),
            Type::Json,
            false,
            span,
        ))
    }

    fn json_agg(
        &mut self,
        arguments: &[&ast::Expr],
        order: &[&ast::OrderByExpr],
        span: Span,
    ) -> Checked<Expr> {
        let [element] = arguments else {
            return Err(self.error(span, "json_agg takes one value, then ORDER BY"));
        };
        let element = Box::new(self.expr(element, None)?);
        if order.is_empty() {
            return Err(self
                .error(span, "json_agg has no order of its own")
                .hint("write json_agg(x order by …), so that every engine answers alike"));
        }
        let order = order
            .iter()
            .map(|key| self.order_item(key, &[]))
            .collect::<Checked<Vec<_>>>()?;
        Ok(simple(
            ExprKind::JsonAgg { element, order },
            Type::Json,
            false,
            span,
        ))
    }
}

fn simple(kind: ExprKind, ty: Type, nullable: bool, span: Span) -> Expr {
    Expr {
        kind,
        ty: Some(ty),
        nullable,
        span,
    }
}
