//! `migrate new | up | status`

use schema::{CatalogKind, History, Loss, MigrationState};
use serde_json::json;

use crate::cli::Migrate;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect, migrate, status};

pub(super) async fn run(configuration: &Configuration, verb: &Migrate, json: bool) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    match verb {
        Migrate::New { name } => new(configuration, &files, name),
        Migrate::Up { allow_destructive } => {
            let loss = match allow_destructive {
                true => Loss::Allowed,
                false => Loss::Refused,
            };
            let db = connect(configuration).await?;
            let applied = migrate(&db, &files, loss).await?;
            for title in &applied {
                println!("applied {title}");
            }
            if applied.is_empty() {
                println!("nothing to apply");
            }
            Ok(())
        }
        Migrate::Status => {
            let db = connect(configuration).await?;
            show(&db, &files, json).await
        }
    }
}

fn new(configuration: &Configuration, files: &Files, name: &str) -> Outcome {
    let wanted = files.catalog()?;
    let next = files.migrations()?.next(&wanted, name, CatalogKind::User);
    let Some(next) = next.map_err(|errors| Failure::files(&errors))? else {
        println!("no changes: migrations/ lead to schema/ already");
        return Ok(());
    };
    let folder = configuration.folder.join("migrations");
    let path = folder.join(&next.file_name);
    let write = || {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&path, &next.text)
    };
    write().map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    println!("wrote migrations/{}", next.file_name);
    for line in &next.summary {
        println!("  {line}");
    }
    if next.destructive {
        println!("  this loses data; look at it before you apply it");
    }
    Ok(())
}

async fn show(db: &sql::Db, files: &Files, json: bool) -> Outcome {
    let states = status(db, History::App, &files.migrations()?).await?;
    let word = |state: &MigrationState| match state {
        MigrationState::Applied(at) => format!("applied {at:.0}"),
        MigrationState::Interrupted { done, of } => format!("interrupted after {done} of {of}"),
        MigrationState::Pending => String::from("pending"),
    };
    if json {
        let list: Vec<_> = states
            .iter()
            .map(|s| json!({"revision": s.revision, "name": s.name, "state": word(&s.state)}))
            .collect();
        println!("{}", json!(list));
        return Ok(());
    }
    for state in &states {
        println!(
            "{}_{:<32} {}",
            state.revision,
            state.name,
            word(&state.state)
        );
    }
    if states.is_empty() {
        println!("there are no migrations; pilaster migrate new NAME writes the first");
    }
    Ok(())
}
