//! Pilaster's own SQL shell, for where the engine's client is not installed.
//!
//! What is typed is kept in memory alone: a statement can hold a password.

mod split;
mod table;

use std::io::{IsTerminal as _, Read as _};

use rustyline::error::ReadlineError;
use serde_json::json;
use sql::{Console, DatabaseUrl, DbError, Dialect, Shown};

use self::split::Piece;
use crate::config::{Configuration, database_options};
use crate::failure::{Failure, Outcome};

const HELP: &str = "\
statements end with ;
\\d          the tables
\\d TABLE    the columns of a table
\\x          one value on each line, and back
\\?          this
\\q          the end";

/// First words of statements that begin or end transactions themselves, or cannot be in one.
const OUTSIDE: [&str; 12] = [
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint",
    "release",
    "vacuum",
    "attach",
    "detach",
    "pragma",
];

struct Shell<'c> {
    configuration: &'c Configuration,
    url: DatabaseUrl,
    dialect: Dialect,
    console: Console,
    is_expanded: bool,
    json: bool,
}

/// Why the shell stops reading.
enum Stop {
    /// Somebody has asked for it.
    Asked,
    /// Something went wrong.
    Failed(Failure),
}

/// Runs `execute`, or what stands in a pipe, up to the first failure; asks a person otherwise.
pub(super) async fn run(
    configuration: &Configuration,
    url: DatabaseUrl,
    execute: Option<&str>,
    json: bool,
) -> Outcome {
    let mut options = database_options(configuration, &url)?;
    options.statement_timeout = std::time::Duration::from_hours(24);
    let failed = |error: DbError| Failure::database(&url.to_string(), &error);
    let console = Console::connect(&url, &options).await.map_err(failed)?;
    let mut shell = Shell {
        configuration,
        dialect: dialect(&url),
        url,
        console,
        is_expanded: false,
        json,
    };
    if let Some(text) = execute {
        return shell.run_all(text).await;
    }
    if std::io::stdin().is_terminal() {
        return shell.ask().await;
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::failed(format!("standard input: {error}")))?;
    shell.run_all(&text).await
}

impl Shell<'_> {
    /// All of a text, up to the first failure. Several statements are one transaction, unless
    /// they say themselves where one begins.
    async fn run_all(&mut self, text: &str) -> Outcome {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((piece, behind)) = split::first(rest, self.dialect) {
            pieces.push(piece);
            rest = behind;
        }
        pieces.extend(split::last(rest, self.dialect));
        let statements: Vec<&str> = pieces.iter().filter_map(Piece::statement).collect();
        let is_one = statements.len() > 1 && !statements.iter().any(|one| is_outside(one));
        if is_one {
            self.quietly("begin").await?;
        }
        for piece in &pieces {
            match self.run_piece(*piece).await {
                Ok(()) => {}
                Err(Stop::Asked) => break,
                // The connection ends with us, and an open transaction with it.
                Err(Stop::Failed(failure)) => return Err(failure),
            }
        }
        match is_one {
            true => self.quietly("commit").await,
            false => Ok(()),
        }
    }

    /// Reads from a terminal until its end; what fails is told.
    async fn ask(&mut self) -> Outcome {
        let broken = |error: ReadlineError| Failure::failed(format!("the terminal: {error}"));
        let mut editor = rustyline::DefaultEditor::new().map_err(broken)?;
        println!("{}; \\? lists commands, \\q ends", self.url);
        let name = self.url.database_name();
        let mut text = String::new();
        loop {
            let prompt = match text.trim().is_empty() {
                true => format!("{name}=> "),
                false => format!("{name}-> "),
            };
            let line = tokio::task::block_in_place(|| editor.readline(&prompt));
            match line {
                Ok(line) => {
                    // A history that is full forgets its oldest line.
                    let _ = editor.add_history_entry(&line);
                    text.push_str(&line);
                    text.push('\n');
                }
                Err(ReadlineError::Interrupted) => text.clear(),
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(broken(error)),
            }
            while let Some((piece, behind)) = split::first(&text, self.dialect) {
                let behind = behind.to_owned();
                match self.run_piece(piece).await {
                    Ok(()) => {}
                    Err(Stop::Asked) => return Ok(()),
                    Err(Stop::Failed(failure)) => drop(failure.report()),
                }
                text = behind;
            }
        }
    }

    async fn run_piece(&mut self, piece: Piece<'_>) -> Result<(), Stop> {
        match piece {
            Piece::Statement(text) => self.statement(text).await.map_err(Stop::Failed),
            Piece::Command(text) => self.command(text).await,
        }
    }

    async fn command(&mut self, text: &str) -> Result<(), Stop> {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let table = rest.trim().trim_end_matches(';');
        match name {
            "q" => return Err(Stop::Asked),
            "?" => println!("{HELP}"),
            "x" => {
                self.is_expanded = !self.is_expanded;
                println!(
                    "one value on each line: {}",
                    match self.is_expanded {
                        true => "on",
                        false => "off",
                    }
                );
            }
            "d" | "d;" if table.is_empty() => self.tables().await.map_err(Stop::Failed)?,
            "d" => super::show_table(self.configuration, table, self.is_expanded, self.json)
                .await
                .map_err(Stop::Failed)?,
            _ => {
                let failure = Failure::usage(format!("there is no command \\{name}"));
                return Err(Stop::Failed(failure.fix("\\? lists them")));
            }
        }
        Ok(())
    }

    async fn statement(&mut self, text: &str) -> Outcome {
        let answers = self.console.run(text).await;
        let answers = answers.map_err(|error| self.refused(text, &error))?;
        for shown in answers {
            self.show(text, &shown);
        }
        Ok(())
    }

    /// All tables, Pilaster's own among them, with what this connection has not committed yet.
    async fn tables(&mut self) -> Outcome {
        let tables = self.console.tables().await;
        for shown in tables.map_err(|error| self.refused("\\d", &error))? {
            self.show("", &shown);
        }
        Ok(())
    }

    /// A statement of our own.
    async fn quietly(&mut self, text: &str) -> Outcome {
        let done = self.console.run(text).await;
        done.map(drop).map_err(|error| self.refused(text, &error))
    }

    fn refused(&self, text: &str, error: &DbError) -> Failure {
        match error {
            DbError::Other(said) => {
                let first = text.lines().next().unwrap_or_default();
                Failure::failed(format!("{said}\n  in: {first}"))
            }
            other => Failure::database(&self.url.to_string(), other),
        }
    }

    fn show(&self, text: &str, shown: &Shown) {
        let count = shown.rows.len();
        if self.json {
            println!(
                "{}",
                json!({"columns": shown.columns, "rows": shown.rows, "affected": shown.affected})
            );
        } else if shown.columns.is_empty() {
            match changes_rows(text) {
                true => println!("{} row(s) affected", shown.affected),
                false => println!("done"),
            }
        } else if self.is_expanded {
            println!("{}({count} row(s))", table::expanded(shown));
        } else {
            println!("{}({count} row(s))", table::aligned(shown));
        }
    }
}

impl<'t> Piece<'t> {
    fn statement(&self) -> Option<&'t str> {
        match self {
            Self::Statement(text) => Some(text),
            Self::Command(_) => None,
        }
    }
}

/// Whose texts and comments are typed here; MariaDB's are MySQL's.
fn dialect(url: &DatabaseUrl) -> Dialect {
    match url.sqlite_path() {
        Some(_) => Dialect::Sqlite,
        None if url.to_string().starts_with("postgres") => Dialect::Postgres,
        None => Dialect::MySql,
    }
}

fn first_word(statement: &str) -> String {
    let word: String = statement
        .chars()
        .take_while(|c| c.is_alphabetic())
        .collect();
    word.to_ascii_lowercase()
}

fn is_outside(statement: &str) -> bool {
    OUTSIDE.contains(&first_word(statement).as_str())
}

fn changes_rows(statement: &str) -> bool {
    let word = first_word(statement);
    ["insert", "update", "delete", "replace", "merge", "with"].contains(&word.as_str())
}
