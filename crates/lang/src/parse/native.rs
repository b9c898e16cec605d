//! Blocks for one engine: what stands behind `-- @engine postgres`, up to the next such line,
//! is that engine's own SQL. `-- @engine all` leads back to the portable language.

use sql::Dialect;
use sqlparser::dialect::{
    Dialect as ParserDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect,
};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::{place, start};
use crate::{Diagnostic, NativeStatement, Source, Span, Statement};

/// A stretch of a file in one language; its text keeps the file's lines.
pub(super) enum Stretch {
    /// The portable language.
    Portable(Source),
    /// The own language of these engines.
    Native(Vec<Dialect>, Source),
}

/// The stretches of a file, in order.
pub(super) fn stretches(source: &Source) -> Result<Vec<Stretch>, Diagnostic> {
    let mut stretches = Vec::new();
    let mut engines: Option<Vec<Dialect>> = None;
    let (mut text, mut lines) = (String::new(), 0);
    for (number, line) in source.text.split_inclusive('\n').enumerate() {
        let Some(words) = line.trim().strip_prefix("-- @engine") else {
            text.push_str(line);
            continue;
        };
        let done = std::mem::replace(&mut text, "\n".repeat(number + 1));
        stretches.push(stretch(source, engines, done));
        engines = engines_named(words)
            .map_err(|message| wrong(source, number, &message).hint(EXPECTED))?;
        lines = number;
    }
    let is_empty = text.trim().is_empty();
    if engines.is_some() && is_empty {
        return Err(wrong(source, lines, "nothing stands behind this line"));
    }
    stretches.push(stretch(source, engines, text));
    Ok(stretches)
}

const EXPECTED: &str = "write -- @engine sqlite, postgres, mysql or mariadb (several are possible); -- @engine all \
     leads back";

fn wrong(source: &Source, line: usize, message: &str) -> Diagnostic {
    let line = u32::try_from(line + 1).unwrap_or(u32::MAX);
    Diagnostic::new(&source.path, Span { line, column: 1 }, message)
}

fn stretch(source: &Source, engines: Option<Vec<Dialect>>, text: String) -> Stretch {
    let source = Source {
        path: source.path.clone(),
        text,
    };
    match engines {
        None => Stretch::Portable(source),
        Some(engines) => Stretch::Native(engines, source),
    }
}

fn engines_named(words: &str) -> Result<Option<Vec<Dialect>>, String> {
    let names: Vec<&str> = words
        .split([',', ' '])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    match names.as_slice() {
        [] => Err(String::from("an engine is missing")),
        ["all"] => Ok(None),
        names => names
            .iter()
            .map(|name| {
                let known = Dialect::ALL.into_iter().find(|one| one.name() == *name);
                known.ok_or_else(|| format!("there is no engine {name}"))
            })
            .collect::<Result<_, _>>()
            .map(Some),
    }
}

/// The statements of a native stretch, comments left out.
pub(super) fn statements(
    engines: &[Dialect],
    source: &Source,
) -> Result<Vec<Statement>, Diagnostic> {
    let dialect: &dyn ParserDialect = match engines.first() {
        Some(Dialect::Postgres) => &PostgreSqlDialect {},
        Some(Dialect::MySql | Dialect::MariaDb) => &MySqlDialect {},
        Some(Dialect::Sqlite) | None => &SQLiteDialect {},
    };
    let tokens = Tokenizer::new(dialect, &source.text)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| Diagnostic::new(&source.path, place(error.location), error.message))?;
    let mut statements = Vec::new();
    let mut current: Vec<TokenWithSpan> = Vec::new();
    let mut body = Body::default();
    for token in tokens {
        match &token.token {
            Token::SemiColon if body.depth == 0 => {
                statements.extend(native(engines, source, &current));
                current.clear();
                body = Body::default();
            }
            Token::EOF => {}
            Token::Whitespace(_) if current.is_empty() => {}
            other => {
                body.see(other);
                current.push(token);
            }
        }
    }
    statements.extend(native(engines, source, &current));
    Ok(statements)
}

/// How deep a statement is in `BEGIN … END` of a trigger or a routine, whose semicolons do not
/// end it.
#[derive(Default)]
struct Body {
    is_routine: bool,
    depth: u32,
    /// Whether the word before was `END`.
    ended: bool,
}

impl Body {
    fn see(&mut self, token: &Token) {
        let Token::Word(word) = token else { return };
        let before_ended = std::mem::take(&mut self.ended);
        match word.value.to_ascii_lowercase().as_str() {
            "trigger" | "procedure" | "function" | "event" => self.is_routine = true,
            // What `END IF` and its like end was not counted; `END CASE` ends a `CASE`.
            "if" | "while" | "loop" | "repeat" if before_ended => self.depth += 1,
            "case" if before_ended => {}
            "begin" | "case" if self.is_routine => self.depth += 1,
            "end" if self.depth > 0 => {
                self.depth -= 1;
                self.ended = true;
            }
            _ => {}
        }
    }
}

fn native(engines: &[Dialect], source: &Source, tokens: &[TokenWithSpan]) -> Option<Statement> {
    let is_code = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    let first = tokens.iter().find(is_code)?;
    let last = tokens.iter().rev().find(is_code)?;
    let begin = offset(&source.text, first.span.start)?;
    let end = offset(&source.text, last.span.end)?;
    Some(Statement::Native(NativeStatement {
        engines: engines.to_vec(),
        text: source.text.get(begin..end)?.to_owned(),
        span: match place(first.span.start) {
            span if span.line > 0 => span,
            _ => start(),
        },
    }))
}

/// The byte at a place of a text.
fn offset(text: &str, location: Location) -> Option<usize> {
    let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(before..)?;
    let within: usize = rest.chars().take(column).map(char::len_utf8).sum();
    Some(before + within)
}
