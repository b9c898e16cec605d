//! `migrate …`

mod files;
mod questions;
mod show;

use std::path::Path;

use schema::{Direction, History, Loss, Migrations, Runner};
use sql::Db;
use stdx::{Clock, Rng};

use super::confirm::confirm_in_production;
use crate::cli::{Migrate, MigrationFiles, MigrationRuns};
use crate::config::{Configuration, database_url};
use crate::failure::{Failure, Outcome};
use crate::native::{Native, loosen};
use crate::progress::Bar;
use crate::project::{Files, connect_to_migrate, migrate};

pub(super) async fn run(configuration: &Configuration, verb: &Migrate, json: bool) -> Outcome {
    let sources = Files::read(&configuration.folder)?;
    let folder = &configuration.folder;
    match verb {
        Migrate::Files(verb) => write(folder, &sources, verb, json),
        Migrate::Runs(verb) => {
            let project = Project::open(configuration, &sources).await?;
            on_database(configuration, &project, verb, json).await
        }
    }
}

/// Verbs that ask no database.
fn write(folder: &Path, sources: &Files, verb: &MigrationFiles, json: bool) -> Outcome {
    match verb {
        MigrationFiles::New {
            name,
            message,
            empty,
        } => {
            let name = name
                .as_ref()
                .or(message.as_ref())
                .map_or("", String::as_str);
            files::new(folder, sources, name, *empty)
        }
        MigrationFiles::Diff { message } => files::new(folder, sources, message, false),
        MigrationFiles::Squash { name, to } => files::squash(folder, sources, to, name),
        MigrationFiles::Merge { behind } => files::merge(folder, sources, behind),
        MigrationFiles::Tag { tag, at } => files::tag(folder, sources, at, tag),
        MigrationFiles::History => show::history(sources, json),
    }
}

/// Verbs that ask or change a database.
async fn on_database(
    configuration: &Configuration,
    project: &Project<'_>,
    verb: &MigrationRuns,
    json: bool,
) -> Outcome {
    match verb {
        MigrationRuns::Up {
            to,
            allow_destructive,
            sql,
        } => match sql {
            true => project.script(Direction::Up, to.as_deref()).await,
            false => {
                let native = Native::of(configuration)?;
                project
                    .up(to.as_deref(), loss(*allow_destructive), &native)
                    .await
            }
        },
        MigrationRuns::Down {
            steps,
            to,
            allow_destructive,
            sql,
            confirm,
        } => {
            let target = project.keep(*steps, to.as_deref()).await?;
            if *sql {
                return project.script(Direction::Down, target.as_deref()).await;
            }
            let name = database_url(configuration)?.database_name();
            let what = "take migrations back in";
            confirm_in_production(configuration, what, &name, confirm.as_deref())?;
            project
                .down(target.as_deref(), loss(*allow_destructive))
                .await
        }
        MigrationRuns::Status => show::status(project, json).await,
        MigrationRuns::Current => show::current(project, json).await,
        MigrationRuns::Plan { to } => show::plan(project, to.as_deref(), json).await,
        MigrationRuns::Check => show::drift(project, json).await,
        MigrationRuns::Stamp { to } => {
            let target = Some(to.as_str()).filter(|to| *to != "base");
            let runner = project.runner(Loss::Refused);
            let stamped = runner.stamp(&project.migrations, target).await;
            stamped.map_err(|error| project.failed(&error))?;
            println!("stamped {to}: nothing was run");
            Ok(())
        }
    }
}

fn loss(allow_destructive: bool) -> Loss {
    match allow_destructive {
        true => Loss::Allowed,
        false => Loss::Refused,
    }
}

/// The user's migrations beside a database.
struct Project<'a> {
    db: Db,
    sources: &'a Files,
    migrations: Migrations,
    clock: Clock,
    rng: Rng,
}

impl<'a> Project<'a> {
    async fn open(configuration: &Configuration, sources: &'a Files) -> Outcome<Self> {
        Ok(Self {
            migrations: sources.migrations()?,
            db: connect_to_migrate(configuration).await?,
            sources,
            clock: Clock::System,
            rng: Rng::System,
        })
    }

    fn runner(&self, loss: Loss) -> Runner<'_> {
        Runner::new(&self.db, &self.clock, &self.rng, History::App).with_loss(loss)
    }

    fn failed(&self, error: &schema::MigrationError) -> Failure {
        Failure::migration(&self.db, error)
    }

    async fn up(&self, to: Option<&str>, loss: Loss, native: &Native) -> Outcome {
        let applied = migrate(&self.db, self.sources, to, loss, Some(native)).await?;
        for title in &applied {
            println!("applied {title}");
        }
        if applied.is_empty() {
            println!("nothing to apply");
        }
        Ok(())
    }

    /// The last migration to keep when so many go, or when `to` stays.
    async fn keep(&self, steps: usize, to: Option<&str>) -> Outcome<Option<String>> {
        if let Some(to) = to {
            return Ok(Some(to.to_owned()).filter(|to| to != "base"));
        }
        let status = self.runner(Loss::Refused).status(&self.migrations).await;
        let status = status.map_err(|error| self.failed(&error))?;
        let applied: Vec<&str> = status
            .iter()
            .filter(|line| line.state != schema::MigrationState::Pending)
            .map(|line| line.revision.as_str())
            .collect();
        let kept = applied.len().saturating_sub(steps);
        Ok(applied[..kept]
            .last()
            .map(|revision| (*revision).to_owned()))
    }

    async fn down(&self, to: Option<&str>, loss: Loss) -> Outcome {
        loosen(&self.db).await?;
        let runner = self.runner(loss);
        let mut bar = Bar::new();
        let mut report = |progress: schema::Progress<'_>| bar.show(progress);
        let gone = runner.down(&self.migrations, to, &mut report).await;
        let gone = gone.map_err(|error| self.failed(&error))?;
        drop(bar);
        for title in &gone {
            println!("took back {title}");
        }
        if gone.is_empty() {
            println!("nothing to take back");
        }
        Ok(())
    }

    async fn script(&self, direction: Direction, to: Option<&str>) -> Outcome {
        let runner = self.runner(Loss::Allowed);
        let script = runner.script(&self.migrations, direction, to).await;
        print!("{}", script.map_err(|error| self.failed(&error))?);
        Ok(())
    }
}
