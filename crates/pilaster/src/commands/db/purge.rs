//! `db purge`: rows that have expired.

use rest::purge_steps;
use serde_json::json;
use stdx::Clock;

use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect, require_current};

pub(super) async fn run(configuration: &Configuration, json: bool) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    let catalog = files.catalog()?;
    let db = connect(configuration).await?;
    require_current(&db, &files).await?;
    let mut tables = Vec::new();
    for (table, step) in purge_steps(&catalog, db.dialect(), Clock::System.now()) {
        let outcomes = db.write(vec![step]).await;
        let outcomes = outcomes.map_err(|error| Failure::database(&db.description(), &error))?;
        let rows = outcomes.first().map_or(0, |outcome| outcome.affected);
        match json {
            true => tables.push(json!({"table": table.as_str(), "rows": rows})),
            false => println!("{table}: {rows} row(s) purged"),
        }
    }
    if json {
        println!("{}", json!(tables));
    }
    Ok(())
}
