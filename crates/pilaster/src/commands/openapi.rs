//! `openapi`, `openapi diff`

use std::path::Path;

use rest::{OpenApiInfo, RoleSet, breaking_changes};
use serde_json::{Value, json};
use sql::Ident;

use crate::cli::{OpenApi, OpenApiVerb};
use crate::config::{Configuration, api_options, database_url, settings};
use crate::failure::{Failure, Outcome};
use crate::project::{Compiled, Files};

pub(super) fn run(
    load: impl Fn() -> Outcome<Configuration>,
    asked: &OpenApi,
    json: bool,
) -> Outcome {
    match &asked.verb {
        None => {
            let document = document(&load()?, &asked.role)?;
            write(asked.out.as_deref(), &format!("{document:#}\n"))
        }
        Some(OpenApiVerb::Diff { old, new }) => {
            let older = read(old)?;
            let newer = match new {
                Some(file) => read(file)?,
                None => document(&load()?, &asked.role)?,
            };
            compare(&older, &newer, json)
        }
    }
}

/// The project's document, as a role sees it.
fn document(configuration: &Configuration, role: &str) -> Outcome<Value> {
    let compiled = compiled(configuration)?;
    let settings = settings(configuration, 8000, false)?;
    let info = OpenApiInfo {
        title: settings.title,
        server_url: settings.public_url,
    };
    Ok(compiled.api.openapi(&role_of(&compiled, role)?, &info))
}

/// The project's API; no database is asked.
pub(super) fn compiled(configuration: &Configuration) -> Outcome<Compiled> {
    let files = Files::read(&configuration.folder)?;
    let dialect = database_url(configuration)?.likely_dialect();
    files.compile(dialect, api_options(configuration)?)
}

/// What somebody has who has this role.
pub(super) fn role_of(compiled: &Compiled, role: &str) -> Outcome<RoleSet> {
    let known: Vec<&str> = compiled
        .catalog
        .roles
        .iter()
        .map(|role| role.name.as_str())
        .collect();
    let found = Ident::new(role).ok().filter(|_| known.contains(&role));
    match found {
        Some(role) => Ok(RoleSet::of_role(&compiled.catalog, &role)),
        None => Err(Failure::usage(format!("there is no role {role}"))
            .fix(format!("known are {}", known.join(", ")))),
    }
}

/// Writes to the file, or to standard output.
pub(super) fn write(file: Option<&Path>, text: &str) -> Outcome {
    let Some(file) = file else {
        print!("{text}");
        return Ok(());
    };
    std::fs::write(file, text)
        .map_err(|error| Failure::failed(format!("{} cannot be written: {error}", file.display())))
}

fn read(file: &Path) -> Outcome<Value> {
    let wrong = |cause: String| Failure::config(format!("{}: {cause}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let document: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    match document["paths"].is_object() {
        true => Ok(document),
        false => Err(wrong(String::from("this is no OpenAPI document in JSON"))
            .fix("pilaster openapi --out FILE writes one")),
    }
}

fn compare(old: &Value, new: &Value, as_json: bool) -> Outcome {
    let breaking = breaking_changes(old, new);
    if as_json {
        println!("{}", json!({"breaking": breaking}));
    } else {
        for change in &breaking {
            println!("{change}");
        }
    }
    match breaking.len() {
        0 => Ok(()),
        1 => Err(Failure::failed(
            "1 change breaks clients of the older document",
        )),
        count => Err(Failure::failed(format!(
            "{count} changes break clients of the older document"
        ))),
    }
}
