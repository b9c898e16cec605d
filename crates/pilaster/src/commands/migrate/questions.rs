//! What only a person knows: whether something was renamed, or went and something else came.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

use lang::Was;
use schema::{Catalog, CatalogKind, Migrations, RenameQuestion, rename_questions};
use sql::Ident;

use crate::failure::{Failure, Outcome};

/// Asks at the terminal, if there is one. Where nobody can be asked, the difference names the
/// markers that answer.
pub(super) fn ask(migrations: &Migrations, wanted: &mut Catalog) -> Outcome {
    if !std::io::stdin().is_terminal() {
        return Ok(());
    }
    let files = |errors: Vec<lang::Diagnostic>| Failure::files(&errors);
    let known = migrations.fold(CatalogKind::User).map_err(files)?;
    loop {
        let questions = rename_questions(&known, wanted).map_err(files)?;
        let Some(question) = questions.first() else {
            return Ok(());
        };
        let answer = one(question)?;
        wanted.answer(question, answer);
    }
}

fn one(question: &RenameQuestion) -> Outcome<Was> {
    let subject = question.subject();
    let mut text = format!("{subject} is new, or was called otherwise:\n");
    for (place, old) in question.candidates.iter().enumerate() {
        let number = place + 1;
        let _ = writeln!(text, "  {number}  it was {old}, and keeps its rows");
    }
    let gone: Vec<&str> = question.candidates.iter().map(Ident::as_str).collect();
    let go = if gone.len() == 1 { "goes" } else { "go" };
    let gone = gone.join(" and ");
    let _ = write!(text, "  n  it is new, and {gone} {go}\n> ");
    for _ in 0..3 {
        let line = read(&text).map_err(|error| Failure::failed(error.to_string()))?;
        let chosen = line.trim();
        if chosen.eq_ignore_ascii_case("n") {
            return Ok(Was::New);
        }
        let number = chosen
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        if let Some(old) = number.and_then(|place| question.candidates.get(place)) {
            return Ok(Was::Called(old.clone()));
        }
        if line.is_empty() {
            break;
        }
    }
    Err(Failure::decision(format!(
        "{subject}: nobody answered, so nothing was written"
    ))
    .fix("answer with a number or n, or write -- @was or -- @new into schema/"))
}

fn read(question: &str) -> std::io::Result<String> {
    let mut out = std::io::stderr();
    write!(out, "{question}")?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}
