//! `check`

use lang::Privilege;
use rest::Limits;
use schema::{Catalog, CatalogKind, diff};

use crate::config::{Configuration, database_url, settings};
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect, prepare, require_current};

pub(super) async fn run(configuration: &Configuration, offline: bool) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    let dialect = database_url(configuration)?.likely_dialect();
    let compiled = files.compile(dialect, Limits::default())?;
    // Webhooks among them: each needs its address, its events and its secret.
    settings(configuration, 0, false)?;
    let migrations = files.migrations()?;
    migrations
        .fold(CatalogKind::User)
        .map_err(|errors| Failure::files(&errors))?;
    if !offline {
        let db = connect(configuration).await?;
        require_current(&db, &files).await?;
        let compiled = files.compile(db.dialect(), Limits::default())?;
        prepare(&db, &compiled).await?;
    }
    let findings = findings(&compiled.catalog);
    for finding in &findings {
        println!("warning: {finding}");
    }
    for line in anonymous(&compiled.catalog) {
        println!("anyone on the internet may {line}");
    }
    let known = migrations
        .fold(CatalogKind::User)
        .map_err(|errors| Failure::files(&errors))?;
    let ahead = diff(&known, &compiled.catalog).map_err(|errors| Failure::files(&errors))?;
    if !ahead.operations.is_empty() {
        println!(
            "schema/ is ahead of migrations/ by {} step(s)",
            ahead.operations.len()
        );
    }
    if findings.is_empty() {
        println!(
            "checked: {} table(s), {} SQL file(s)",
            compiled.catalog.tables.len(),
            files.api.len() + files.hooks.len()
        );
        return Ok(());
    }
    Err(Failure::findings(format!("{} finding(s)", findings.len())))
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

/// What callers without credentials may do.
fn anonymous(catalog: &Catalog) -> Vec<String> {
    let mut lines = Vec::new();
    for table in catalog.relations() {
        for grant in table.grants.iter().filter(|grant| grant.role == *"anon") {
            let verb = match grant.privilege {
                Privilege::Select => "read",
                Privilege::Insert => "insert into",
                Privilege::Update => "change",
                Privilege::Delete => "delete from",
            };
            let columns = match &grant.columns {
                None => String::new(),
                Some(columns) => {
                    let names: Vec<&str> = columns.iter().map(sql::Ident::as_str).collect();
                    format!(" ({})", names.join(", "))
                }
            };
            lines.push(format!("{verb} {}{columns}", table.name));
        }
    }
    lines
}
