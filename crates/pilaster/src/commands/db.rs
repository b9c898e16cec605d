//! `db …`, `backup`, `restore`

mod check;
mod connect;
mod copies;
mod fake;
mod lifecycle;
mod pull;
mod purge;
mod rows;
mod shell;

use rest::{Moment, seed_steps};
use schema::{Catalog, CatalogKind, describe, describe_view};
use serde_json::json;
use sql::Db;
use stdx::{Clock, Rng};

pub(super) use self::copies::{backup, restore};
use crate::cli::{Database, DatabaseLife, DatabaseLook, DatabaseRows};
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect, connect_to_migrate, system_migrations};

pub(super) async fn run(configuration: &Configuration, verb: &Database, json: bool) -> Outcome {
    match verb {
        Database::Life(verb) => live(configuration, verb).await,
        Database::Look(verb) => look(configuration, verb, json).await,
        Database::Rows(verb) => change_rows(configuration, verb, json).await,
    }
}

async fn live(configuration: &Configuration, verb: &DatabaseLife) -> Outcome {
    match verb {
        DatabaseLife::Create => lifecycle::create(configuration).await,
        DatabaseLife::Drop { confirmed } => {
            lifecycle::drop(configuration, confirmed.confirm.as_deref()).await
        }
        DatabaseLife::Setup { confirmed } => {
            lifecycle::setup(configuration, confirmed.confirm.as_deref()).await
        }
        DatabaseLife::Reset { confirmed } => {
            lifecycle::reset(configuration, confirmed.confirm.as_deref()).await
        }
        DatabaseLife::Kill { id } => kill(configuration, *id).await,
    }
}

async fn look(configuration: &Configuration, verb: &DatabaseLook, json: bool) -> Outcome {
    match verb {
        DatabaseLook::Check => check::run(configuration, json).await,
        DatabaseLook::Connect { execute, builtin } => {
            connect::run(configuration, execute.as_deref(), *builtin, json).await
        }
        DatabaseLook::Sessions => sessions(configuration, json).await,
        DatabaseLook::Describe { table, expanded } => {
            show_table(configuration, table, *expanded, json).await
        }
        DatabaseLook::Tables => tables(configuration, json).await,
        DatabaseLook::Roles => roles(configuration, json),
        DatabaseLook::Pull => pull::run(configuration).await,
    }
}

async fn change_rows(configuration: &Configuration, verb: &DatabaseRows, json: bool) -> Outcome {
    match verb {
        DatabaseRows::Seed { force } => seed(configuration, *force).await,
        DatabaseRows::Dump { file } => copies::dump(configuration, file.as_deref()).await,
        DatabaseRows::Load { file } => copies::load(configuration, file).await,
        DatabaseRows::Move { to } => copies::move_to(configuration, to).await,
        DatabaseRows::Purge => purge::run(configuration, json).await,
        DatabaseRows::Fake { users, confirmed } => {
            fake::run(configuration, *users, confirmed.confirm.as_deref()).await
        }
    }
}

/// The tables and views that are there.
async fn tables(configuration: &Configuration, json: bool) -> Outcome {
    let db = connect_to_migrate(configuration).await?;
    let tables = schema::relation_names(&db).await;
    let tables = tables.map_err(|error| Failure::database(&db.description(), &error))?;
    if json {
        println!("{}", json!(tables));
        return Ok(());
    }
    for name in &tables {
        println!("{name}");
    }
    if tables.is_empty() {
        println!(
            "{} has no tables; pilaster migrate up makes them",
            db.description()
        );
    }
    Ok(())
}

fn roles(configuration: &Configuration, json: bool) -> Outcome {
    let catalog = Files::read(&configuration.folder)?.catalog()?;
    for role in &catalog.roles {
        let inherits: Vec<&str> = role.inherits.iter().map(sql::Ident::as_str).collect();
        if json {
            println!(
                "{}",
                json!({"role": role.name.as_str(), "inherits": inherits})
            );
        } else {
            let line = format!("{:<24} {}", role.name, inherits.join(", "));
            println!("{}", line.trim_end());
        }
    }
    Ok(())
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

/// A name that is declared nowhere. The database may have it all the same, made by somebody else.
fn unknown(name: &str, user: &Catalog, system: &Catalog) -> Failure {
    let known = user.relations().chain(system.relations());
    let known = known.map(|relation| relation.name.as_str());
    // Pilaster's own are known without their prefix, too.
    let known = known.flat_map(|name| [Some(name), name.strip_prefix("auth_")]);
    let failure = Failure::usage(format!(
        "there is no table or view {name} in schema/, nor among Pilaster's own"
    ));
    failure.fix(match stdx::nearest(name, known.flatten()) {
        Some(near) => format!("did you mean {near}?"),
        None => String::from("pilaster db tables lists what the database has"),
    })
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
    let db = connect(configuration).await?;
    let described = match (user.view(name), table) {
        (Some(view), _) => describe_view(&db, view).await,
        (None, Some(table)) => describe(&db, table).await,
        (None, None) => return Err(unknown(name, &user, &system)),
    };
    let described = described.map_err(|error| Failure::database(&db.description(), &error))?;
    let Some(description) = described else {
        return Err(
            Failure::failed(format!("the database has no table {name}")).fix("pilaster migrate up")
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
