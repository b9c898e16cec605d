//! Hook files, checked against the catalog.

use lang::{CheckedStatement, Diagnostic, ParameterShape, Source, Span, parse_query};
use schema::Catalog;
use sql::Dialect;

use super::claims::refuse_reserved;
use super::event::DELIVERY;
use super::{Event, Hook, Hooks, Mode};
use crate::endpoint::compile::check_statements;

const START: Span = Span { line: 1, column: 1 };

impl Hooks {
    /// Compiles `hooks/*.sql`; gives every mistake of all files.
    pub fn compile(
        files: &[Source],
        catalog: &Catalog,
        dialect: Dialect,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut hooks = Vec::new();
        let mut errors = Vec::new();
        for file in files {
            match compile(file, catalog, dialect) {
                Ok(hook) => hooks.push(hook),
                Err(more) => errors.extend(more),
            }
        }
        let place = |hook: &Hook| Event::ALL.iter().position(|event| *event == hook.event);
        hooks.sort_by_key(place);
        if errors.is_empty() {
            Ok(Self(hooks))
        } else {
            Err(errors)
        }
    }
}

fn compile(source: &Source, catalog: &Catalog, dialect: Dialect) -> Result<Hook, Vec<Diagnostic>> {
    let event = event_of(source).map_err(|error| vec![error])?;
    let mode = mode_of(source)?;
    let shapes: Vec<ParameterShape> = event
        .values()
        .into_iter()
        .chain(DELIVERY)
        .map(|(name, ty, nullable)| ParameterShape {
            name: name.to_owned(),
            ty,
            nullable,
        })
        .collect();
    let statements = check_statements(source, &shapes, catalog, false, dialect)?;
    let fault = match event.is_told() {
        true => reads(source, &statements)?,
        false => asks(source, mode, &statements),
    };
    match fault {
        Some(fault) => Err(vec![fault]),
        None => Ok(Hook {
            event,
            mode,
            statements,
            dialect,
        }),
    }
}

/// The event of a file's name.
fn event_of(source: &Source) -> Result<Event, Diagnostic> {
    let name = source
        .path
        .strip_prefix("hooks/")
        .and_then(|name| name.strip_suffix(".sql"))
        .unwrap_or(&source.path);
    Event::of_name(name).ok_or_else(|| {
        let error = Diagnostic::new(&source.path, START, "there is no event of this name");
        let names = Event::ALL.map(Event::name);
        match stdx::nearest(name, names) {
            Some(near) => error.hint(format!("did you mean hooks/{near}.sql?")),
            None => error.hint(format!("events are {}", names.join(", "))),
        }
    })
}

/// What the `-- @` lines at the top say.
fn mode_of(source: &Source) -> Result<Mode, Vec<Diagnostic>> {
    let mut mode = None;
    let mut errors = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let line = line.trim();
        let Some(words) = line.strip_prefix("-- @") else {
            if line.starts_with("--") || line.is_empty() {
                continue;
            }
            break;
        };
        let span = Span {
            line: u32::try_from(number + 1).unwrap_or(0),
            column: 1,
        };
        let wrong = |message: String| Diagnostic::new(&source.path, span, message);
        let (key, value) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        match (key, value.trim()) {
            ("mode", _) if mode.is_some() => {
                errors.push(wrong(String::from("@mode is written twice")));
            }
            ("mode", "transaction") => mode = Some(Mode::Transaction),
            ("mode", "outbox") => mode = Some(Mode::Outbox),
            ("mode", other) => errors.push(
                wrong(format!("@mode {other} is not known"))
                    .hint("write transaction (undoes the event when it fails) or outbox"),
            ),
            ("summary" | "description", _) => {}
            (other, _) => errors.push(
                wrong(format!("@{other} is not known"))
                    .hint("known are @mode, @summary, @description"),
            ),
        }
    }
    if errors.is_empty() {
        Ok(mode.unwrap_or(Mode::Transaction))
    } else {
        Err(errors)
    }
}

/// The fault of a file that reads where nobody takes what it reads.
fn reads(
    source: &Source,
    statements: &[CheckedStatement],
) -> Result<Option<Diagnostic>, Vec<Diagnostic>> {
    if statements.is_empty() {
        return Ok(Some(Diagnostic::new(
            &source.path,
            START,
            "the file has no statement",
        )));
    }
    let raw = parse_query(source)?;
    let reading = raw.iter().find(|statement| statement.is_query());
    Ok(reading.map(|statement| {
        let message = "nobody takes what this reads: a hook inserts, updates or deletes";
        Diagnostic::new(&source.path, statement.span(), message)
            .hint("hooks/before_token.sql alone gives a row: the claims of the token")
    }))
}

/// The fault of a `before_token` that does not just ask.
fn asks(source: &Source, mode: Mode, statements: &[CheckedStatement]) -> Option<Diagnostic> {
    let wrong = |message: &str| Diagnostic::new(&source.path, START, message);
    if mode == Mode::Outbox {
        return Some(wrong("a token cannot wait for the outbox").hint("take @mode away"));
    }
    match statements {
        [CheckedStatement::Query(query)] => refuse_reserved(source, &query.projection),
        _ => Some(
            wrong("this is one query, whose columns become claims of the token")
                .hint("write select … as name from … where uuid = :user_id"),
        ),
    }
}
