//! `dev`

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use schema::{CatalogKind, Loss};
use server::{App, Settings};
use sql::Db;
use tokio::sync::mpsc;

use super::serve::{listen, port_of, start_failure, stop_signal};
use super::{log, secret};
use crate::config::{Configuration, master_key, settings};
use crate::failure::{Failure, Outcome};
use crate::native::Native;
use crate::project::{Compiled, Files, connect, migrate, prepare};

/// Changes that come together are one change.
const QUIET: Duration = Duration::from_millis(150);

/// Folders whose files are taken into use as they change.
const FOLDERS: [&str; 4] = ["schema", "api", "hooks", "migrations"];

/// Words and looks of mails; they are compiled at the start.
const TEMPLATES: &str = "templates";

pub(super) async fn run(file: &Path, target: &str, flags: &[String]) -> Outcome {
    if target == "prod" {
        return Err(Failure::usage("dev is not for production").fix("pilaster serve --target prod"));
    }
    let mut configuration = Configuration::load(file, target, flags)?;
    if configuration.text("secret_key").is_empty() {
        secret::write(&configuration.folder)?;
        println!(" secrets    wrote SECRET_KEY to .env");
        configuration = Configuration::load(file, target, flags)?;
    }
    let traces = log::start(&configuration, false)?;
    let listener = listen(&configuration).await?;
    let master = master_key(&configuration)?;
    let mut settings = settings(&configuration, port_of(&listener)?, true)?;
    let db = connect(&configuration).await?;
    settings.native = Native::of(&configuration)?.settings(&db).await?;
    let compiled = bring_up(&configuration, &db, &settings).await?;
    greet(&configuration, &db, &settings, &compiled);
    let app = App::new(
        db.clone(),
        &master,
        settings.clone(),
        compiled.api,
        compiled.hooks,
    )
    .await
    .map_err(|error| start_failure(&error))?;
    let (changes, mut changed) = mpsc::unbounded_channel();
    let mut watcher = watcher(changes)?;
    watch(&mut watcher, &configuration.folder)?;
    let serving = server::serve(app.clone(), listener, stop_signal()?);
    tokio::pin!(serving);
    loop {
        tokio::select! {
            () = &mut serving => {
                if let Some(traces) = traces {
                    traces.stop().await;
                }
                return Ok(());
            }
            change = changed.recv() => {
                let Some(mut change) = change else {
                    return Err(Failure::failed("the watcher of files has stopped"));
                };
                tokio::time::sleep(QUIET).await;
                while let Ok(more) = changed.try_recv() {
                    change = change.max(more);
                }
                watch(&mut watcher, &configuration.folder)?;
                if change == Change::Settings {
                    restart(file, target, flags);
                    continue;
                }
                match bring_up(&configuration, &db, &settings).await {
                    Ok(compiled) => {
                        app.replace(compiled.api, compiled.hooks);
                        println!(" reloaded");
                    }
                    Err(failure) => {
                        // The old files stay in use until the new ones are right.
                        let _ = failure.report();
                    }
                }
            }
        }
    }
}

/// Migrates to what schema/ says and compiles everything.
async fn bring_up(
    configuration: &Configuration,
    db: &Db,
    settings: &Settings,
) -> Outcome<Compiled> {
    let mut files = Files::read(&configuration.folder)?;
    let wanted = files.catalog()?;
    let next = files
        .migrations()?
        .next(&wanted, "change", CatalogKind::User)
        .map_err(|errors| Failure::files(&errors))?;
    if let Some(next) = next {
        // Everything else must be right before a file is written.
        files.compile(db.dialect(), settings.api.clone())?;
        let is_first = files.migrations.is_empty();
        let next = files
            .migrations()?
            .next(
                &wanted,
                if is_first { "init" } else { &next.about },
                CatalogKind::User,
            )
            .map_err(|errors| Failure::files(&errors))?
            .unwrap_or(next);
        if next.destructive {
            return Err(
                Failure::decision(format!("this loses data: {}", next.summary.join(", ")))
                    .fix("pilaster migrate new NAME, look at the file, then pilaster migrate up --allow-destructive"),
            );
        }
        let folder = configuration.folder.join("migrations");
        let path = folder.join(&next.file_name);
        let write = || {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(&path, &next.text)
        };
        write().map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        println!(" migration  wrote migrations/{}", next.file_name);
        files = Files::read(&configuration.folder)?;
    }
    let native = Native::of(configuration)?;
    for title in migrate(db, &files, None, Loss::Refused, Some(&native)).await? {
        println!(" migration  applied {title}");
    }
    let compiled = files.compile(db.dialect(), settings.api.clone())?;
    prepare(db, &compiled).await?;
    Ok(compiled.served_with(settings))
}

fn greet(configuration: &Configuration, db: &Db, settings: &Settings, compiled: &Compiled) {
    let url = &settings.public_url;
    println!(
        " pilaster   {} · {}",
        env!("CARGO_PKG_VERSION"),
        configuration.folder.display()
    );
    println!(" database   {}", db.description());
    for prefix in settings.api.prefixes.all() {
        println!(" API        {url}{prefix}");
    }
    println!(" docs       {url}/docs");
    println!(" sign in    {url}/auth/login");
    println!(" mails      {}", settings.mail.shown());
    for table in compiled.catalog.relations() {
        let mut roles: Vec<&str> = table
            .grants
            .iter()
            .map(|grant| grant.role.as_str())
            .collect();
        roles.sort_unstable();
        roles.dedup();
        let who = if roles.is_empty() {
            String::from("nobody")
        } else {
            roles.join(", ")
        };
        println!(" rules      {}: {who}", table.name);
    }
    println!(" watching   schema/ api/ hooks/ migrations/ pilaster.toml .env · Ctrl-C stops");
}

/// What has changed in the project's folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// SQL, taken into use while serving.
    Files,
    /// pilaster.toml or .env, read at start alone.
    Settings,
}

fn change(event: &notify::Event) -> Option<Change> {
    if matches!(event.kind, notify::EventKind::Access(_)) {
        return None;
    }
    let of_path = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        let mut folders = path.iter().rev().skip(1).take(2);
        if folders.any(|folder| folder == TEMPLATES) {
            return Some(Change::Settings);
        }
        if matches!(name, "pilaster.toml" | ".env") {
            return Some(Change::Settings);
        }
        let is_sql = path.extension().is_some_and(|extension| extension == "sql");
        // A folder too: a file may stand in a new one before that is watched.
        let is_folder = path.extension().is_none() && is_ours(path);
        (is_sql || is_folder).then_some(Change::Files)
    };
    event.paths.iter().filter_map(of_path).max()
}

/// Whether it is one of the watched folders or in one.
fn is_ours(path: &Path) -> bool {
    path.components().any(|part| {
        let name = part.as_os_str().to_str();
        name.is_some_and(|name| FOLDERS.contains(&name))
    })
}

/// Begins again in the same process with the new settings, when they can be read.
fn restart(file: &Path, target: &str, flags: &[String]) {
    let ready = Configuration::load(file, target, flags)
        .and_then(|configuration| settings(&configuration, 0, true));
    let failure = match ready {
        Ok(_) => {
            println!(" settings   changed, starting again");
            let program = std::env::current_exe();
            let words = std::env::args_os().skip(1);
            let error = program.map_or_else(
                |error| error,
                |program| std::process::Command::new(program).args(words).exec(),
            );
            Failure::failed(format!("cannot start again: {error}"))
        }
        // The old settings stay in use until the new ones are right.
        Err(failure) => failure,
    };
    let _ = failure.report();
}

fn cannot_watch(error: &notify::Error) -> Failure {
    Failure::failed(format!("files cannot be watched: {error}"))
}

fn watcher(changes: mpsc::UnboundedSender<Change>) -> Outcome<RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if let Some(change) = event.ok().as_ref().and_then(change) {
            // The receiver is gone only when the server is.
            let _ = changes.send(change);
        }
    })
    .map_err(|error| cannot_watch(&error))
}

/// Watches the project's folder and those of its folders that exist by now.
fn watch(watcher: &mut RecommendedWatcher, project: &Path) -> Outcome {
    watcher
        .watch(project, RecursiveMode::NonRecursive)
        .map_err(|error| cannot_watch(&error))?;
    let folders = FOLDERS.map(|name| project.join(name));
    let folders = folders.into_iter().chain([project.join(TEMPLATES)]);
    for folder in folders.filter(|folder| folder.is_dir()) {
        watcher
            .watch(&folder, RecursiveMode::Recursive)
            .map_err(|error| cannot_watch(&error))?;
    }
    Ok(())
}
