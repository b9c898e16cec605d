//! Verbs that look and change nothing.

use schema::{CatalogKind, Direction, Loss, MigrationState, MigrationStatus, Migrations, Plan};
use serde_json::json;

use super::Project;
use crate::failure::{Failure, Outcome};
use crate::project::Files;

fn word(state: &MigrationState) -> String {
    match state {
        MigrationState::Applied(at) => format!("applied {at:.0}"),
        MigrationState::Interrupted {
            direction,
            done,
            of,
        } => format!(
            "interrupted on its way {} after {done} of {of}",
            direction.name()
        ),
        MigrationState::Pending => String::from("pending"),
    }
}

async fn lines(project: &Project<'_>) -> Outcome<Vec<MigrationStatus>> {
    let status = project
        .runner(Loss::Refused)
        .status(&project.migrations)
        .await;
    status.map_err(|error| project.failed(&error))
}

pub(super) async fn status(project: &Project<'_>, json: bool) -> Outcome {
    let lines = lines(project).await?;
    if json {
        let list: Vec<_> = lines
            .iter()
            .map(|s| {
                json!({"revision": s.revision, "name": s.name, "tags": s.tags,
                       "state": word(&s.state)})
            })
            .collect();
        println!("{}", json!(list));
        return Ok(());
    }
    for line in &lines {
        let title = format!("{}_{}", line.revision, line.name);
        let tags = shown_tags(&line.tags);
        println!("{title:<36} {}{tags}", word(&line.state));
    }
    if lines.is_empty() {
        println!("there are no migrations; pilaster migrate new NAME writes the first");
    }
    Ok(())
}

fn shown_tags(tags: &[String]) -> String {
    match tags {
        [] => String::new(),
        tags => format!("  ({})", tags.join(", ")),
    }
}

pub(super) async fn current(project: &Project<'_>, json: bool) -> Outcome {
    let lines = lines(project).await?;
    let applied = |line: &&MigrationStatus| matches!(line.state, MigrationState::Applied(_));
    let last = lines.iter().rev().find(applied);
    if json {
        let revision = last.map(|line| &line.revision);
        println!(
            "{}",
            json!({"revision": revision, "name": last.map(|line| &line.name)})
        );
        return Ok(());
    }
    match last {
        Some(line) => println!("{}_{}{}", line.revision, line.name, shown_tags(&line.tags)),
        None => println!("base: no migration is applied"),
    }
    Ok(())
}

pub(super) fn history(files: &Files, json: bool) -> Outcome {
    let migrations = files.migrations()?;
    let folded = migrations.fold(CatalogKind::User);
    folded.map_err(|errors| Failure::files(&errors))?;
    if json {
        let list: Vec<_> = migrations
            .files
            .iter()
            .map(|file| {
                json!({"revision": file.revision, "parent": file.parent, "name": file.name,
                       "tags": file.tags, "checksum": file.checksum})
            })
            .collect();
        println!("{}", json!(list));
        return Ok(());
    }
    show_history(&migrations);
    Ok(())
}

fn show_history(migrations: &Migrations) {
    for file in &migrations.files {
        let parent = file.parent.as_deref().unwrap_or("base");
        println!("{parent} -> {}{}", file.title(), shown_tags(&file.tags));
    }
}

pub(super) async fn plan(project: &Project<'_>, to: Option<&str>, json: bool) -> Outcome {
    let runner = project.runner(Loss::Allowed);
    let plans = runner.plan(&project.migrations, Direction::Up, to).await;
    let plans = plans.map_err(|error| project.failed(&error))?;
    if json {
        let list: Vec<_> = plans.iter().map(as_json).collect();
        println!("{}", json!(list));
        return Ok(());
    }
    for plan in &plans {
        show_plan(plan);
    }
    if plans.is_empty() {
        println!("nothing to apply");
    }
    Ok(())
}

fn as_json(plan: &Plan) -> serde_json::Value {
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| {
            json!({"operation": step.operation, "statements": step.statements, "rows": step.rows,
                   "lost": step.lost, "locks": step.locks, "advice": step.advice})
        })
        .collect();
    json!({"migration": plan.migration, "done": plan.done, "steps": steps})
}

fn show_plan(plan: &Plan) {
    println!("{}", plan.migration);
    if plan.done > 0 {
        println!("  goes on after statement {}", plan.done);
    }
    for step in &plan.steps {
        let rows = step.rows.map(|rows| format!(", {rows} row(s)"));
        println!("  {}{}", step.operation, rows.unwrap_or_default());
        for statement in &step.statements {
            println!("    {}", statement.replace('\n', "\n    "));
        }
        if let Some(lost) = step.lost {
            println!("    loses: {lost} value(s)");
        }
        if let Some(locks) = step.locks {
            println!("    locks: {locks}");
        }
        if let Some(advice) = step.advice {
            println!("    note:  {advice}");
        }
    }
}

/// Ends with 6 where the database is not what its migrations lead to.
pub(super) async fn drift(project: &Project<'_>, json: bool) -> Outcome {
    let runner = project.runner(Loss::Refused);
    let expected = runner.expected(&project.migrations).await;
    let expected = expected.map_err(|error| project.failed(&error))?;
    let found = schema::drift(&project.db, &expected, &project.clock, &project.rng).await;
    let found = found.map_err(|error| Failure::database(&project.db.description(), &error))?;
    if json {
        println!("{}", json!(found));
    } else {
        for line in &found {
            println!("{line}");
        }
    }
    match found.len() {
        0 => {
            if !json {
                println!("the database is what its migrations lead to");
            }
            Ok(())
        }
        count => Err(Failure::findings(format!("{count} difference(s)"))
            .fix("write the change into schema/ and a migration, or undo it by hand")),
    }
}
