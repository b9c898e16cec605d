//! `rules native`: the rules as PostgreSQL's own.

use schema::NativePlan;
use serde_json::json;

use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::native::Native;
use crate::project::{Files, connect_to_migrate, require_current};

pub(super) async fn run(configuration: &Configuration, is_script: bool, as_json: bool) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    let native = Native::of(configuration)?;
    let db = connect_to_migrate(configuration).await?;
    if db.dialect() != sql::Dialect::Postgres {
        let message = format!("{} has no policies of its own", db.dialect());
        return Err(Failure::failed(message)
            .fix("nothing is missing: the rules are in every statement, whatever the engine"));
    }
    require_current(&db, &files).await?;
    let plan = match is_script {
        true => native.plan(&db, &files).await?,
        false => native.put(&db, &files).await?,
    };
    if as_json {
        let statements = plan.statements.iter().map(sql::Sql::text);
        let statements: Vec<&str> = statements.collect();
        println!(
            "{}",
            json!({"statements": statements, "foreign": plan.foreign})
        );
    } else if is_script {
        show(&plan);
    } else {
        tell(&plan);
    }
    Ok(())
}

/// A script for psql; what stays as it is stands in comments.
fn show(plan: &NativePlan) {
    for thing in &plan.foreign {
        println!("-- stays: {thing}");
    }
    if plan.statements.is_empty() {
        println!("-- all is as it should be");
    } else {
        println!("begin;\n{}commit;", plan.script());
    }
}

fn tell(plan: &NativePlan) {
    match plan.statements.len() {
        0 => println!("all is as it should be"),
        count => println!("ran {count} statement(s)"),
    }
    for thing in &plan.foreign {
        println!("not Pilaster's, and left as it is: {thing}");
    }
}
