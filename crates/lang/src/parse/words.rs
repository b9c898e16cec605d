//! `USING GIN (to_tsvector('simple', title || ' ' || body))`: an index of the words of texts.

use sql::Ident;
use sqlparser::ast;

use super::{name, place_of};
use crate::{Diagnostic, Source, Span};

const HINT: &str = "write USING GIN (to_tsvector('simple', title || ' ' || body))";

/// The texts whose words are indexed, and the configuration that PostgreSQL reads them with.
pub(super) fn words(
    source: &Source,
    index: &ast::CreateIndex,
    span: Span,
) -> Result<(String, Vec<Ident>), Diagnostic> {
    let refuse = |span, message: &str| Err(Diagnostic::new(&source.path, span, message).hint(HINT));
    if index.unique || index.predicate.is_some() {
        return refuse(span, "an index of words is neither unique nor partial");
    }
    let mut config: Option<String> = None;
    let mut columns = Vec::new();
    for key in &index.columns {
        let expr = without_brackets(&key.column.expr);
        let span = place_of(expr, span);
        let Some((own, text)) = vector(expr) else {
            return refuse(span, "GIN is for the words of texts");
        };
        if !own.chars().all(|c| c.is_ascii_lowercase() || c == '_') || own.is_empty() {
            return refuse(span, "this is no name of a configuration");
        }
        if config.get_or_insert_with(|| own.to_owned()) != own {
            return refuse(span, "an index of words has one configuration");
        }
        texts(source, text, span, &mut columns)?;
    }
    let is_twice = |(place, column): (usize, &Ident)| columns[..place].contains(column);
    if columns.iter().enumerate().any(is_twice) {
        return refuse(span, "an index of words has each column once");
    }
    match config {
        Some(config) if !columns.is_empty() => Ok((config, columns)),
        _ => refuse(span, "GIN is for the words of texts"),
    }
}

fn without_brackets(mut expr: &ast::Expr) -> &ast::Expr {
    while let ast::Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// `to_tsvector('config', text)`
fn vector(expr: &ast::Expr) -> Option<(&str, &ast::Expr)> {
    let [config, text] = call(expr, "to_tsvector")?[..] else {
        return None;
    };
    let config = match config {
        ast::Expr::Cast { expr, .. } => constant(expr)?,
        other => constant(other)?,
    };
    Some((config, text))
}

/// The arguments of a call of this function.
fn call<'e>(expr: &'e ast::Expr, function: &str) -> Option<Vec<&'e ast::Expr>> {
    let ast::Expr::Function(called) = expr else {
        return None;
    };
    let ast::FunctionArguments::List(list) = &called.args else {
        return None;
    };
    if !called.name.to_string().eq_ignore_ascii_case(function) {
        return None;
    }
    let argument = |argument: &'e ast::FunctionArg| match argument {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().map(argument).collect()
}

fn constant(expr: &ast::Expr) -> Option<&str> {
    match expr {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Columns with constants between them that hold no word; one that can be null may stand in
/// `coalesce(…, '')`.
fn texts(
    source: &Source,
    expr: &ast::Expr,
    span: Span,
    columns: &mut Vec<Ident>,
) -> Result<(), Diagnostic> {
    let expr = without_brackets(expr);
    let is_wordless = |text: &str| text.chars().all(|c| !c.is_alphanumeric());
    if constant(expr).is_some_and(is_wordless) {
        return Ok(());
    }
    if let Some([text, nothing]) = call(expr, "coalesce").as_deref()
        && constant(nothing).is_some_and(is_wordless)
    {
        return texts(source, text, span, columns);
    }
    match expr {
        ast::Expr::Identifier(ident) => {
            columns.push(name(&source.path, ident, span)?);
            Ok(())
        }
        ast::Expr::BinaryOp {
            left,
            op: ast::BinaryOperator::StringConcat,
            right,
        } => {
            texts(source, left, span, columns)?;
            texts(source, right, span, columns)
        }
        other => {
            let message = format!("{other} is no column whose words can be indexed");
            Err(Diagnostic::new(&source.path, place_of(other, span), message).hint(HINT))
        }
    }
}
