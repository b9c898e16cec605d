//! `CREATE FUNCTION … LANGUAGE sql`: one expression or one query, which is put in the place of
//! each call.

use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::{DEPTH, name, portable_type, table_name};
use crate::{Diagnostic, FunctionDef, RawExpr, Source, Span};

type Parsed<T> = Result<T, Diagnostic>;

pub(super) fn function(
    source: &Source,
    create: &ast::CreateFunction,
    span: Span,
) -> Parsed<FunctionDef> {
    let refuse =
        |message: &str, hint: &str| Err(Diagnostic::new(&source.path, span, message).hint(hint));
    let language = create
        .language
        .as_ref()
        .map(|word| word.value.to_lowercase());
    if language
        .as_deref()
        .is_some_and(|language| language != "sql")
    {
        return refuse(
            "a function is written in SQL",
            "other languages exist on one engine: put it behind -- @engine postgres",
        );
    }
    if matches!(create.security, Some(ast::FunctionSecurity::Definer)) {
        return refuse(
            "a function has no rights of its own",
            "leave SECURITY DEFINER away: the caller's rules apply to every table it names",
        );
    }
    if create.or_replace || create.if_not_exists || create.temporary {
        return refuse(
            "write CREATE FUNCTION alone",
            "a declaration says what is wanted, once",
        );
    }
    let mut parameters = Vec::new();
    for argument in create.args.iter().flatten() {
        let (Some(ident), None) = (&argument.name, &argument.default_expr) else {
            return refuse(
                "each parameter has a name and no default",
                "write create function may_edit(note uuid) returns boolean …",
            );
        };
        let ty = portable_type(&argument.data_type)
            .map_err(|hint| Diagnostic::new(&source.path, span, "an unknown type").hint(hint))?;
        parameters.push((name(&source.path, ident, span)?, ty));
    }
    let Some(ast::FunctionReturnType::DataType(returns)) = &create.return_type else {
        return refuse(
            "a function gives one value",
            "write RETURNS with a plain type",
        );
    };
    let returns = portable_type(returns)
        .map_err(|hint| Diagnostic::new(&source.path, span, "an unknown type").hint(hint))?;
    let body = match &create.function_body {
        Some(ast::CreateFunctionBody::Return(expr)) => expr.clone(),
        Some(
            ast::CreateFunctionBody::AsBeforeOptions { body: text, .. }
            | ast::CreateFunctionBody::AsAfterOptions(text),
        ) => from_text(source, text, span)?,
        _ => {
            return refuse(
                "a function needs a body",
                "write AS $$ select … $$ or RETURN …",
            );
        }
    };
    Ok(FunctionDef {
        name: table_name(&source.path, &create.name, span)?,
        span,
        parameters,
        returns,
        body: RawExpr { expr: body, span },
    })
}

/// `$$ select … $$` as an expression: what a query without FROM selects, or the query in brackets.
fn from_text(source: &Source, text: &ast::Expr, span: Span) -> Parsed<ast::Expr> {
    let wrong = |message: String| Diagnostic::new(&source.path, span, message);
    let text = match text {
        ast::Expr::Value(value) => value.value.clone().into_string(),
        _ => None,
    };
    let text = text.ok_or_else(|| wrong(String::from("the body is a text")))?;
    let text = text.trim().trim_end_matches(';');
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(DEPTH)
        .try_with_sql(text)
        .map_err(|error| wrong(format!("in the body: {error}")))?;
    let query = parser
        .parse_query()
        .map_err(|error| wrong(format!("in the body: {error}")))?;
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return Err(wrong(String::from("the body is one query")));
    }
    if let ast::SetExpr::Select(select) = &*query.body
        && select.from.is_empty()
        && select.selection.is_none()
        && let [ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. }] =
            select.projection.as_slice()
    {
        return Ok(ast::Expr::Nested(Box::new(expr.clone())));
    }
    Ok(ast::Expr::Subquery(query))
}
