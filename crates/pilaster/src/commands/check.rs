//! `check`

use schema::{Catalog, CatalogKind, diff};
use serde_json::json;

use super::rules::{Exposure, LOCK};
use crate::config::{Configuration, api_options, database_url, settings};
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect, prepare, require_current};

/// How much is checked, and how it is shown.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// Ask no database.
    pub(super) offline: bool,
    /// Refuse what nobody has accepted as public.
    pub(super) strict: bool,
    /// Print JSON.
    pub(super) json: bool,
}

pub(super) async fn run(configuration: &Configuration, asked: Asked) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    let dialect = database_url(configuration)?.likely_dialect();
    let options = api_options(configuration)?;
    let compiled = files.compile(dialect, options.clone())?;
    // Webhooks among them: each needs its address, its events and its secret.
    let settings = settings(configuration, 0, false)?;
    let migrations = files.migrations()?;
    let known = migrations
        .fold(CatalogKind::User)
        .map_err(|errors| Failure::files(&errors))?;
    if !asked.offline {
        let db = connect(configuration).await?;
        require_current(&db, &files).await?;
        let compiled = files.compile(db.dialect(), options.clone())?;
        prepare(&db, &compiled).await?;
    }
    let findings = findings(&compiled.catalog);
    let suspicions = compiled.api.suspicions();
    let exposure = Exposure::of(&compiled.api, &configuration.folder)?;
    let ahead = diff(&known, &compiled.catalog).map_err(|errors| Failure::files(&errors))?;
    let steps = ahead.operations.len();
    if asked.json {
        let document = json!({
            "tables": compiled.catalog.tables.len(), "files": files.api.len(),
            "findings": findings, "look_at": suspicions, "steps_ahead": steps,
            "exposure": {
                "lines": exposure.lines, "recorded": exposure.is_recorded,
                "grown": exposure.grown, "shrunk": exposure.shrunk,
            },
        });
        println!("{document}");
    } else {
        show(&findings, &suspicions, &exposure);
        if let Some(warning) = settings.without_mail() {
            println!("look at: {warning}");
        }
        if steps > 0 {
            println!("schema/ is ahead of migrations/ by {steps} step(s)");
        }
    }
    if asked.strict && !exposure.grown.is_empty() {
        let cause = match exposure.is_recorded {
            true => format!(
                "anyone on the internet can reach more than {LOCK} names:\n  {}",
                exposure.grown.join("\n  ")
            ),
            false => format!("there is no {LOCK}, so nobody has accepted what is public"),
        };
        return Err(Failure::findings(cause).fix(
            "take it back in schema/ or api/, or, if it is meant, pilaster rules accept and commit",
        ));
    }
    if !findings.is_empty() {
        return Err(Failure::findings(format!("{} finding(s)", findings.len())));
    }
    if !asked.json {
        println!(
            "checked: {} table(s), {} SQL file(s)",
            compiled.catalog.tables.len(),
            files.api.len() + files.hooks.len()
        );
    }
    Ok(())
}

fn show(findings: &[String], suspicions: &[String], exposure: &Exposure) {
    for finding in findings {
        println!("warning: {finding}");
    }
    for suspicion in suspicions {
        println!("look at: {suspicion}");
    }
    for line in &exposure.lines {
        let mark = match exposure.is_recorded && exposure.grown.contains(line) {
            true => "anyone on the internet, NEW",
            false => "anyone on the internet",
        };
        println!("{mark}: {line}");
    }
    for line in &exposure.shrunk {
        println!("no longer public: {line}");
    }
}

/// What is granted and yet shows or changes nothing.
fn findings(catalog: &Catalog) -> Vec<String> {
    let mut findings = Vec::new();
    for table in &catalog.tables {
        for grant in &table.grants {
            let covered = table.policies.iter().any(|policy| {
                let command = match policy.command {
                    lang::PolicyCommand::All => true,
                    lang::PolicyCommand::One(one) => one == grant.privilege,
                };
                let inherited = catalog.inherited(&grant.role);
                let role = policy.roles.is_empty()
                    || policy.roles.iter().any(|role| inherited.contains(role));
                policy.permissive && command && role
            });
            if !covered {
                let privilege = format!("{:?}", grant.privilege).to_lowercase();
                findings.push(format!(
                    "{} may {privilege} {} and no policy lets a row through",
                    grant.role, table.name
                ));
            }
        }
    }
    findings
}
