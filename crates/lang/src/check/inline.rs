//! Calls of declared functions: the body in the place of the call.

use std::ops::ControlFlow;

use sqlparser::ast::{self, VisitMut as _, VisitorMut};

use super::{Checked, Checker};
use crate::{Diagnostic, Expr, ExprKind, FunctionDef, Literal, Span};

/// Functions that call functions, so deep.
const DEPTH: usize = 16;

/// Before a number, where a body has a parameter; no identifier of a user can begin so.
const MARK: char = '\u{1}';

/// Puts marks in the place of parameters.
struct Marking<'f> {
    function: &'f FunctionDef,
    /// The number of the first argument.
    first: usize,
}

impl VisitorMut for Marking<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<()> {
        if let ast::Expr::Identifier(ident) = expr {
            let mut parameters = self.function.parameters.iter();
            let named = match ident.quote_style {
                Some(_) => ident.value.clone(),
                None => ident.value.to_lowercase(),
            };
            if let Some(place) = parameters.position(|(name, _)| *name == *named) {
                ident.value = format!("{MARK}{}", self.first + place);
            }
        }
        ControlFlow::Continue(())
    }
}

impl Checker<'_> {
    /// A call of a declared function. The arguments are checked where the call stands, so that
    /// no name of theirs can mean a column of the body's tables.
    pub(super) fn inline(
        &mut self,
        function: &FunctionDef,
        arguments: &[&ast::Expr],
        span: Span,
    ) -> Checked<Expr> {
        let (name, wanted) = (&function.name, function.parameters.len());
        if arguments.len() != wanted {
            return Err(self.error(span, format!("{name} takes {wanted} argument(s)")));
        }
        let mut checked = Vec::new();
        for (argument, (parameter, ty)) in arguments.iter().zip(&function.parameters) {
            let argument = self.expr(argument, Some(ty))?;
            let fits = argument
                .ty
                .as_ref()
                .is_none_or(|found| ty.holds(found) || found.holds(ty));
            if !fits {
                return Err(self.error(span, format!("{parameter} of {name} is a {ty}")));
            }
            checked.push(argument);
        }
        self.inline_checked(function, checked, span)
    }

    fn inline_checked(
        &mut self,
        function: &FunctionDef,
        arguments: Vec<Expr>,
        span: Span,
    ) -> Checked<Expr> {
        if self.inlining >= DEPTH {
            let message = format!("{} calls itself, or goes too deep", function.name);
            return Err(self.error(span, message));
        }
        let first = self.arguments.len();
        self.arguments.extend(arguments);
        let mut body = function.body.expr.clone();
        let mut marking = Marking { function, first };
        let _: ControlFlow<()> = body.visit(&mut marking);
        self.inlining += 1;
        let result = self.expr(&body, Some(&function.returns));
        self.inlining -= 1;
        self.arguments.truncate(first);
        let result = result?;
        let fits = result
            .ty
            .as_ref()
            .is_none_or(|found| function.returns.holds(found) || found.holds(&function.returns));
        match fits {
            true => Ok(result),
            false => {
                let found = result.ty.map(|ty| ty.to_string()).unwrap_or_default();
                let (name, returns) = (&function.name, &function.returns);
                Err(self.error(
                    span,
                    format!("{name} returns {returns}, its body a {found}"),
                ))
            }
        }
    }

    /// The argument that a mark stands for.
    pub(super) fn argument(&self, ident: &ast::Ident) -> Option<Expr> {
        let number = ident.value.strip_prefix(MARK)?;
        self.arguments.get(number.parse::<usize>().ok()?).cloned()
    }

    /// Checks a declaration by itself: with nothing around it in sight.
    pub(super) fn declaration(&mut self, function: &FunctionDef) -> Checked<()> {
        self.require_own_names(function)?;
        let nothing = |(_, ty): &(sql::Ident, crate::Type)| Expr {
            kind: ExprKind::Literal(Literal::Null),
            ty: Some(ty.clone()),
            nullable: true,
            span: function.span,
        };
        let arguments = function.parameters.iter().map(nothing).collect();
        self.inline_checked(function, arguments, function.span)
            .map(drop)
    }

    /// A column of the body's tables would hide a parameter of its name.
    fn require_own_names(&self, function: &FunctionDef) -> Checked<()> {
        let mut hidden = None;
        let _: ControlFlow<()> = ast::visit_relations(&function.body.expr, |relation| {
            let shape = self
                .relations
                .relation(&relation.to_string().to_lowercase());
            for (parameter, _) in &function.parameters {
                let shape = shape.as_ref();
                let columns = shape.into_iter().flat_map(|shape| &shape.columns);
                if columns.into_iter().any(|column| column.name == *parameter) {
                    hidden = Some((parameter.clone(), relation.to_string()));
                }
            }
            ControlFlow::Continue(())
        });
        match hidden {
            None => Ok(()),
            Some((parameter, table)) => {
                let message = format!("{parameter} is a column of {table}, too");
                Err(self
                    .error(function.span, message)
                    .hint("call the parameter otherwise"))
            }
        }
    }
}

/// Checks a declared function.
pub fn check_function(
    function: &FunctionDef,
    path: &str,
    relations: &dyn super::Relations,
) -> Result<(), Vec<Diagnostic>> {
    let mut checker = Checker::new(path, function.span, relations, &[]);
    if Checker::is_built_in(function.name.as_str()) {
        let message = format!("{} is a function of the language", function.name);
        return Err(vec![checker.error(function.span, message)]);
    }
    checker.declaration(function).map_err(|error| vec![error])
}
