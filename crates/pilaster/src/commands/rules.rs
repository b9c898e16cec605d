//! `rules`: who may do what, why a request is let or cut, and what was accepted as public.

mod explain;
mod exposure;
mod native;

use std::collections::BTreeMap;

use rest::{RuleLine, RuleSubject};
use serde_json::json;

pub(super) use self::exposure::{Exposure, LOCK};
use crate::cli::Rules as Verb;
use crate::config::{Configuration, api_options, database_url};
use crate::failure::Outcome;
use crate::project::{Compiled, Files};

pub(super) async fn run(configuration: &Configuration, verb: Option<&Verb>, json: bool) -> Outcome {
    match verb {
        None => {
            matrix(configuration, json)?;
            Ok(())
        }
        Some(Verb::Explain(asked)) => explain::run(configuration, asked, json).await,
        Some(Verb::Accept) => exposure::accept(configuration, json),
        Some(Verb::Native { sql }) => native::run(configuration, *sql, json).await,
    }
}

/// The project's rules, compiled without asking a database.
fn compiled(configuration: &Configuration) -> Outcome<Compiled> {
    let files = Files::read(&configuration.folder)?;
    let dialect = database_url(configuration)?.likely_dialect();
    files.compile(dialect, api_options(configuration)?)
}

fn matrix(configuration: &Configuration, as_json: bool) -> Outcome {
    let lines = compiled(configuration)?.api.rules();
    if as_json {
        let cell = |line: &RuleLine| {
            json!({
                "role": line.role, "subject": line.subject.name(), "name": line.name,
                "verb": line.verb, "columns": line.columns, "rows": line.rows,
                "policies": line.policies,
            })
        };
        println!("{}", json!(lines.iter().map(cell).collect::<Vec<_>>()));
        return Ok(());
    }
    if lines.is_empty() {
        println!("nobody may do anything: there is no GRANT in schema/ and no file in api/");
        return Ok(());
    }
    // Tables, then views, then files, each with all its roles.
    let mut things: BTreeMap<(u8, &str), Vec<&RuleLine>> = BTreeMap::new();
    for line in &lines {
        let place = match line.subject {
            RuleSubject::Table => 0,
            RuleSubject::View => 1,
            RuleSubject::File => 2,
        };
        things.entry((place, &line.name)).or_default().push(line);
    }
    for ((_, name), lines) in things {
        let kind = lines.first().map_or("", |line| line.subject.name());
        println!("{kind} {name}");
        for line in lines {
            let columns = line.columns.as_ref().map(|names| names.join(", "));
            let columns = columns
                .map(|names| format!(" ({names})"))
                .unwrap_or_default();
            let policies = match line.policies.as_slice() {
                [] => String::new(),
                names => format!("  [{}]", names.join(", ")),
            };
            println!(
                "  {:<14} {}{columns}: {}{policies}",
                line.role, line.verb, line.rows
            );
        }
    }
    Ok(())
}
