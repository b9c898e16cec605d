//! `dev`

use std::path::Path;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use schema::CatalogKind;
use server::{App, Settings};
use sql::Db;
use tokio::sync::mpsc;

use super::secret;
use super::serve::{listen, port_of, start_failure, start_log, stop_signal};
use crate::config::{Configuration, master_key, settings};
use crate::failure::{Failure, Outcome};
use crate::project::{Compiled, Files, connect, migrate, prepare};

/// Changes that come together are one change.
const QUIET: Duration = Duration::from_millis(150);

pub(super) async fn run(file: &Path, target: &str) -> Outcome {
    if target == "prod" {
        return Err(Failure::usage("dev is not for production").fix("pilaster serve --target prod"));
    }
    let mut configuration = Configuration::load(file, target)?;
    if configuration.text("secret_key").is_empty() {
        secret::write(&configuration.folder)?;
        println!(" secrets    wrote SECRET_KEY to .env");
        configuration = Configuration::load(file, target)?;
    }
    start_log(&configuration)?;
    let listener = listen(&configuration).await?;
    let master = master_key(&configuration)?;
    let settings = settings(&configuration, port_of(&listener)?, true)?;
    let db = connect(&configuration).await?;
    let compiled = bring_up(&configuration, &db, &settings).await?;
    greet(&configuration, &db, &settings, &compiled);
    let app = App::new(
        db.clone(),
        &master,
        settings.clone(),
        compiled.api,
        compiled.hook,
    )
    .await
    .map_err(|error| start_failure(&error))?;
    let (changes, mut changed) = mpsc::unbounded_channel();
    let _watcher = watch(&configuration.folder, changes)?;
    let serving = server::serve(app.clone(), listener, stop_signal()?);
    tokio::pin!(serving);
    loop {
        tokio::select! {
            () = &mut serving => return Ok(()),
            change = changed.recv() => {
                if change.is_none() {
                    return Err(Failure::failed("the watcher of files has stopped"));
                }
                tokio::time::sleep(QUIET).await;
                while changed.try_recv().is_ok() {}
                match bring_up(&configuration, &db, &settings).await {
                    Ok(compiled) => {
                        app.replace(compiled.api, compiled.hook);
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
        files.compile(db.dialect(), settings.limits)?;
        let name = next.summary.first().map_or("change", String::as_str);
        let is_first = files.migrations.is_empty();
        let next = files
            .migrations()?
            .next(
                &wanted,
                if is_first { "init" } else { name },
                CatalogKind::User,
            )
            .map_err(|errors| Failure::files(&errors))?
            .unwrap_or(next);
        if next.destructive {
            return Err(
                Failure::decision(format!("this loses data: {}", next.summary.join(", ")))
                    .fix("pilaster migrate new NAME, look at the file, then pilaster migrate up"),
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
    for title in migrate(db, &files).await? {
        println!(" migration  applied {title}");
    }
    let compiled = files.compile(db.dialect(), settings.limits)?;
    prepare(db, &compiled).await?;
    Ok(compiled)
}

fn greet(configuration: &Configuration, db: &Db, settings: &Settings, compiled: &Compiled) {
    let url = &settings.public_url;
    println!(
        " pilaster   {} · {}",
        env!("CARGO_PKG_VERSION"),
        configuration.folder.display()
    );
    println!(" database   {}", db.description());
    println!(" API        {url}/api");
    println!(" docs       {url}/docs");
    for table in &compiled.catalog.tables {
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
    println!(" watching   schema/ api/ hooks/ migrations/ · Ctrl-C stops");
}

fn watch(folder: &Path, changes: mpsc::UnboundedSender<()>) -> Outcome<notify::RecommendedWatcher> {
    let failed =
        |error: notify::Error| Failure::failed(format!("files cannot be watched: {error}"));
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let concerns = event.is_ok_and(|event| {
            let is_read = matches!(event.kind, notify::EventKind::Access(_));
            let is_sql = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "sql");
            !is_read && event.paths.iter().any(is_sql)
        });
        if concerns {
            // The receiver is gone only when the server is.
            let _ = changes.send(());
        }
    })
    .map_err(failed)?;
    for name in ["schema", "api", "hooks", "migrations"] {
        let folder = folder.join(name);
        if folder.is_dir() {
            watcher
                .watch(&folder, RecursiveMode::Recursive)
                .map_err(failed)?;
        }
    }
    Ok(watcher)
}
