//! `db seed | sessions | kill | describe`

use rest::{Moment, seed_steps};
use schema::{Catalog, CatalogKind, describe};
use serde_json::json;
use sql::Db;
use stdx::{Clock, Rng};

use crate::cli::Database;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect, system_migrations};

pub(super) async fn run(configuration: &Configuration, verb: &Database, json: bool) -> Outcome {
    match verb {
        Database::Seed { force } => seed(configuration, *force).await,
        Database::Sessions => sessions(configuration, json).await,
        Database::Kill { id } => kill(configuration, *id).await,
        Database::Describe { table, expanded } => {
            show_table(configuration, table, *expanded, json).await
        }
    }
}

async fn seed(configuration: &Configuration, force: bool) -> Outcome {
    if configuration.target == "prod" && !force {
        return Err(Failure::decision("seed data is not for production").fix("--force, if it is"));
    }
    let files = Files::read(&configuration.folder)?;
    let db = connect(configuration).await?;
    let rows = seed_into(&db, &files).await?;
    println!("seeded {rows} row(s) from {} file(s)", files.seed.len());
    Ok(())
}

/// Puts the rows of all seed files in, all or none; gives how many were new.
pub(super) async fn seed_into(db: &Db, files: &Files) -> Outcome<u64> {
    let catalog = files.catalog()?;
    let (clock, rng) = (Clock::System, Rng::System);
    let moment = Moment {
        now: clock.now(),
        clock: &clock,
        rng: &rng,
    };
    let mut unit = Vec::new();
    // Every file is checked before the first row is written.
    for file in &files.seed {
        let steps = seed_steps(file, &catalog, db.dialect(), moment);
        unit.extend(steps.map_err(|errors| Failure::files(&errors))?);
    }
    let outcomes = db
        .write(unit)
        .await
        .map_err(|error| Failure::database(&db.description(), &error))?;
    Ok(outcomes.iter().map(|outcome| outcome.affected).sum())
}

async fn sessions(configuration: &Configuration, json: bool) -> Outcome {
    let db = connect(configuration).await?;
    let sessions = db
        .sessions()
        .await
        .map_err(|error| Failure::database(&db.description(), &error))?;
    if json {
        let list: Vec<_> = sessions
            .iter()
            .map(|s| {
                json!({"id": s.id, "user": s.user, "database": s.database, "client": s.client,
                       "application": s.application, "state": s.state})
            })
            .collect();
        println!("{}", json!(list));
        return Ok(());
    }
    if sessions.iter().all(|s| s.application.is_empty()) && !sessions.is_empty() {
        eprintln!(
            "note: this server tells no application names; MariaDB does with performance_schema=ON"
        );
    }
    if sessions.is_empty() {
        println!("{} has no sessions: SQLite is a file", db.description());
    }
    for s in sessions {
        println!(
            "{:<8} {:<16} {:<24} {:<20} {:<16} {}",
            s.id, s.user, s.database, s.client, s.application, s.state
        );
    }
    Ok(())
}

async fn kill(configuration: &Configuration, id: i64) -> Outcome {
    let db = connect(configuration).await?;
    let killed = db
        .kill(id)
        .await
        .map_err(|error| Failure::database(&db.description(), &error))?;
    if !killed {
        return Err(
            Failure::failed(format!("{} has no session {id}", db.description()))
                .fix("pilaster db sessions lists them"),
        );
    }
    println!("ended session {id}");
    Ok(())
}

async fn show_table(
    configuration: &Configuration,
    name: &str,
    expanded: bool,
    json: bool,
) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    let user = files.catalog()?;
    let system: Catalog = system_migrations()?
        .fold(CatalogKind::System)
        .map_err(|errors| Failure::files(&errors))?;
    let own = format!("auth_{name}");
    let table = user
        .table(name)
        .or_else(|| system.table(name))
        .or_else(|| system.table(&own));
    let Some(table) = table else {
        return Err(Failure::usage(format!("there is no table {name}")));
    };
    let db = connect(configuration).await?;
    let described = describe(&db, table)
        .await
        .map_err(|error| Failure::database(&db.description(), &error))?;
    let Some(description) = described else {
        return Err(
            Failure::failed(format!("the database has no table {}", table.name))
                .fix("pilaster migrate up"),
        );
    };
    if json {
        let columns: Vec<_> = description
            .columns
            .iter()
            .map(|c| json!({"name": c.name, "type": c.ty, "null": c.nullable, "default": c.default, "key": c.key}))
            .collect();
        println!(
            "{}",
            json!({"table": description.table, "columns": columns})
        );
    } else if expanded {
        for c in &description.columns {
            println!(
                "column   {}\n  type     {}\n  null     {}\n  default  {}\n  key      {}",
                c.name, c.ty, c.nullable, c.default, c.key
            );
        }
    } else {
        print!("{description}");
    }
    Ok(())
}
