//! Text to statements; this module and its children are the only ones that name `sqlparser`
//! besides the checker, which walks what it made.

mod alter;
mod create;
mod function;
mod native;
mod role;
mod sqlite;
mod statements;
mod types;
mod view;
mod was;
mod words;

pub use sqlite::{SqliteText, read_sqlite_text};
pub(crate) use types::portable_type;

use sql::Ident;
use sqlparser::ast;
use sqlparser::ast::Spanned as _;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::{Diagnostic, Source, Span, Statement};

/// Nesting deeper than this is refused instead of followed.
const DEPTH: usize = 60;

/// An expression that was parsed and not yet checked.
#[derive(Clone, Debug)]
pub struct RawExpr {
    pub(crate) expr: ast::Expr,
    pub(crate) span: Span,
}

/// A query or a write that was parsed and not yet checked.
#[derive(Clone, Debug)]
pub struct RawQuery {
    pub(crate) statement: ast::Statement,
    pub(crate) span: Span,
}

/// Parses a file of declarations (`schema/*.sql`, a part of `migrations/*.sql`).
///
/// One bad statement does not hide the rest: all diagnostics of the file come back.
pub fn parse_statements(source: &Source) -> Result<Vec<Statement>, Vec<Diagnostic>> {
    let mut statements = Vec::new();
    let mut diagnostics = Vec::new();
    for stretch in native::stretches(source).map_err(|error| vec![error])? {
        let source = match stretch {
            native::Stretch::Portable(source) => source,
            native::Stretch::Native(engines, source) => {
                match native::statements(&engines, &source) {
                    Ok(found) => statements.extend(found),
                    Err(diagnostic) => diagnostics.push(diagnostic),
                }
                continue;
            }
        };
        for parsed in parse_file(&source)? {
            let translated = parsed
                .and_then(|(statement, span)| statements::translate(&source, statement, span));
            match translated {
                Ok(translated) => statements.extend(translated),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
    }
    diagnostics.extend(was::mark(source, &mut statements).err());
    if diagnostics.is_empty() {
        Ok(statements)
    } else {
        Err(diagnostics)
    }
}

/// Parses one expression, as a test or a tool would have it.
pub fn parse_expression(source: &Source) -> Result<RawExpr, Vec<Diagnostic>> {
    let tokens = tokenize(source)?;
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(DEPTH)
        .with_tokens_with_locations(tokens);
    let expr = parser
        .parse_expr()
        .map_err(|error| vec![explain(source, &error, start())])?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let message = format!("{} is not expected here", rest.token);
        return Err(vec![Diagnostic::new(
            &source.path,
            place(rest.span.start),
            message,
        )]);
    }
    Ok(RawExpr {
        expr,
        span: start(),
    })
}

/// Parses the statements of an SQL file (`api/**/*.sql`, `hooks/*.sql`, `seed/*.sql`).
pub fn parse_query(source: &Source) -> Result<Vec<RawQuery>, Vec<Diagnostic>> {
    let mut queries = Vec::new();
    let mut diagnostics = Vec::new();
    for parsed in parse_file(source)? {
        match parsed {
            Ok((statement, span)) => match statement {
                ast::Statement::Query(_)
                | ast::Statement::Insert(_)
                | ast::Statement::Update(_)
                | ast::Statement::Delete(_) => queries.push(RawQuery { statement, span }),
                _ => diagnostics.push(
                    Diagnostic::new(
                        &source.path,
                        span,
                        "this statement cannot stand in an SQL file",
                    )
                    .hint("write SELECT, INSERT, UPDATE or DELETE; tables belong in schema/"),
                ),
            },
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    if diagnostics.is_empty() && queries.is_empty() {
        diagnostics.push(Diagnostic::new(
            &source.path,
            start(),
            "the file holds no statement",
        ));
    }
    if diagnostics.is_empty() {
        Ok(queries)
    } else {
        Err(diagnostics)
    }
}

impl RawExpr {
    /// `column in ('a', 'b')`
    pub(crate) fn is_one_of(column: &Ident, values: &[String], span: Span) -> Self {
        let value = |value: &String| {
            ast::Expr::Value(ast::Value::SingleQuotedString(value.clone()).with_empty_span())
        };
        let ident = ast::Ident::with_quote('"', column.as_str());
        let expr = ast::Expr::InList {
            expr: Box::new(ast::Expr::Identifier(ident)),
            list: values.iter().map(value).collect(),
            negated: false,
        };
        Self { expr, span }
    }
}

impl RawQuery {
    /// Whether it only reads.
    #[must_use]
    pub fn is_query(&self) -> bool {
        matches!(self.statement, ast::Statement::Query(_))
    }

    /// The relations that it names, as they are written, folded to lower case unless quoted.
    #[must_use]
    pub fn relations(&self) -> Vec<String> {
        let mut names = Vec::new();
        let _: std::ops::ControlFlow<()> = ast::visit_relations(&self.statement, |relation| {
            if let [ast::ObjectNamePart::Identifier(ident)] = relation.0.as_slice() {
                names.push(match ident.quote_style {
                    Some(_) => ident.value.clone(),
                    None => ident.value.to_lowercase(),
                });
            }
            std::ops::ControlFlow::Continue(())
        });
        names
    }

    /// Where it begins.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}

type Parsed = Result<(ast::Statement, Span), Diagnostic>;

fn parse_file(source: &Source) -> Result<Vec<Parsed>, Vec<Diagnostic>> {
    let mut parsed = Vec::new();
    let mut statement = Vec::new();
    for token in tokenize(source)? {
        match token.token {
            Token::SemiColon => parsed.extend(parse_one(source, std::mem::take(&mut statement))),
            Token::EOF => {}
            _ => statement.push(token),
        }
    }
    parsed.extend(parse_one(source, statement));
    Ok(parsed)
}

fn parse_one(source: &Source, mut tokens: Vec<TokenWithSpan>) -> Option<Parsed> {
    alter::mark_dropped_identity(&mut tokens);
    statements::mark_granted_roles(&mut tokens);
    let first = tokens
        .iter()
        .find(|token| !matches!(token.token, Token::Whitespace(_)))?;
    let span = place(first.span.start);
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(DEPTH)
        .with_tokens_with_locations(tokens);
    let statement = match parser.parse_statement() {
        Ok(statement) => statement,
        Err(error) => return Some(Err(explain(source, &error, span))),
    };
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let message = format!("{} is not expected here", rest.token);
        return Some(Err(Diagnostic::new(
            &source.path,
            place(rest.span.start),
            message,
        )));
    }
    Some(Ok((statement, span)))
}

fn tokenize(source: &Source) -> Result<Vec<TokenWithSpan>, Vec<Diagnostic>> {
    // No engine takes it, and some end the statement there.
    if let Some(place) = source.text.find('\0') {
        let before = &source.text[..place];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let count = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
        let span = Span {
            line: count(before.matches('\n').count()),
            column: count(before[line_start..].chars().count()),
        };
        let message = "the file holds the character NUL";
        return Err(vec![Diagnostic::new(&source.path, span, message)]);
    }
    let dialect = PostgreSqlDialect {};
    Tokenizer::new(&dialect, &source.text)
        .tokenize_with_location()
        .map_err(|error| {
            vec![Diagnostic::new(
                &source.path,
                place(error.location),
                error.message,
            )]
        })
}

/// The parser writes the place into its message: `… at Line: 3, Column: 9`.
fn explain(source: &Source, error: &ParserError, fallback: Span) -> Diagnostic {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "this is nested too deeply",
    };
    let Some((message, numbers)) = text.rsplit_once(" at Line: ") else {
        return Diagnostic::new(&source.path, fallback, text);
    };
    let span = numbers.split_once(", Column: ").and_then(|(line, column)| {
        Some(Span {
            line: line.parse().ok()?,
            column: column.trim().parse().ok()?,
        })
    });
    Diagnostic::new(&source.path, span.unwrap_or(fallback), message)
}

fn start() -> Span {
    Span { line: 1, column: 1 }
}

pub(crate) fn place(location: Location) -> Span {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Span {
        line: number(location.line),
        column: number(location.column),
    }
}

/// Where an expression begins; the statement's own place where the parser does not tell.
pub(crate) fn place_of(expr: &ast::Expr, fallback: Span) -> Span {
    let span = place(expr.span().start);
    if span.line == 0 { fallback } else { span }
}

/// A name: folded to lower case unless it was quoted, as PostgreSQL does.
pub(crate) fn name(
    source_path: &str,
    ident: &ast::Ident,
    fallback: Span,
) -> Result<Ident, Diagnostic> {
    let text = match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    };
    Ident::new(&text).map_err(|error| {
        let span = place(ident.span.start);
        let span = if span.line == 0 { fallback } else { span };
        Diagnostic::new(source_path, span, error.to_string())
    })
}

/// A table's name, without a schema in front.
pub(crate) fn table_name(
    source_path: &str,
    object: &ast::ObjectName,
    span: Span,
) -> Result<Ident, Diagnostic> {
    match object.0.as_slice() {
        [ast::ObjectNamePart::Identifier(ident)] => name(source_path, ident, span),
        _ => Err(
            Diagnostic::new(source_path, span, format!("{object} is not a plain name"))
                .hint("write the table's name alone; there are no schemas"),
        ),
    }
}
