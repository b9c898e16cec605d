//! A project's files, read and compiled; its database, opened and checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lang::{Diagnostic, Source, Span};
use rest::{Api, ApiOptions, Hooks};
use schema::{
    Catalog, CatalogKind, History, Loss, MigrationState, MigrationStatus, Migrations, Runner, diff,
};
use server::{Announcer, Settings};
use sql::{DatabaseUrl, Db, DbError, Dialect};
use stdx::{Clock, Rng};
use store::Store;
use store::access::is_read_only;

use crate::config::{Configuration, database_options, database_url, logins, port, settings};
use crate::failure::{Failure, Outcome};
use crate::native::{Native, loosen, name_foreign};
use crate::progress::Bar;

/// Everything in a project's folder that is SQL.
pub(crate) struct Files {
    pub(crate) schema: Vec<Source>,
    pub(crate) api: Vec<Source>,
    pub(crate) hooks: Vec<Source>,
    pub(crate) seed: Vec<Source>,
    pub(crate) migrations: Vec<Source>,
}

/// The parts that a server needs.
pub(crate) struct Compiled {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) api: Api,
    pub(crate) hooks: Hooks,
}

impl Compiled {
    /// The same for a server with these settings.
    pub(crate) fn served_with(self, settings: &Settings) -> Self {
        let api = match settings.native {
            Some(_) => self.api.with_native_rules(),
            None => self.api,
        };
        Self { api, ..self }
    }
}

impl Files {
    /// Reads them all, in the order of their paths.
    pub(crate) fn read(folder: &Path) -> Outcome<Self> {
        let read = |name: &str| {
            let mut sources = Vec::new();
            collect(folder, &folder.join(name), &mut sources).map_err(|error| {
                Failure::config(format!("{}: {error}", folder.join(name).display()))
            })?;
            sources.sort_by(|left, right| left.path.cmp(&right.path));
            Ok::<_, Failure>(sources)
        };
        Ok(Self {
            schema: read("schema")?,
            api: read("api")?,
            hooks: read("hooks")?,
            seed: read("seed")?,
            migrations: read("migrations")?,
        })
    }

    pub(crate) fn catalog(&self) -> Outcome<Catalog> {
        Catalog::from_sources(&self.schema, CatalogKind::User).map_err(|e| Failure::files(&e))
    }

    pub(crate) fn migrations(&self) -> Outcome<Migrations> {
        Migrations::load(&self.migrations).map_err(|errors| Failure::files(&errors))
    }

    /// Schema, endpoints and hooks, for one engine.
    pub(crate) fn compile(
        &self,
        dialect: Dialect,
        options: impl Into<ApiOptions>,
    ) -> Outcome<Compiled> {
        let catalog = Arc::new(self.catalog()?);
        let own = catalog.require_engine(dialect);
        own.map_err(|errors| Failure::files(&errors))?;
        let api = Api::new(Arc::clone(&catalog), &self.api, dialect, options)
            .map_err(|errors| Failure::files(&errors))?;
        let hooks = self.compile_hooks(&catalog, dialect)?;
        Ok(Compiled {
            catalog,
            api,
            hooks,
        })
    }

    /// The hooks alone, for verbs that change accounts.
    pub(crate) fn compile_hooks(&self, catalog: &Catalog, dialect: Dialect) -> Outcome<Hooks> {
        Hooks::compile(&self.hooks, catalog, dialect).map_err(|errors| Failure::files(&errors))
    }
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> std::io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<String> = name
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            sources.push(Source {
                path: parts.join("/"),
                text: std::fs::read_to_string(&path)?,
            });
        }
    }
    Ok(())
}

/// Pilaster's own migrations.
pub(crate) fn system_migrations() -> Outcome<Migrations> {
    Migrations::load(&server::system_migrations()).map_err(|errors| Failure::files(&errors))
}

/// What a verb needs that changes accounts: their tables, and who is told of the change.
pub(crate) struct Accounts {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) hooks: Hooks,
    pub(crate) settings: Settings,
}

impl Accounts {
    /// Opens a database whose migrations are applied; the hook files are checked first.
    pub(crate) async fn open(configuration: &Configuration) -> Outcome<Self> {
        let files = Files::read(&configuration.folder)?;
        let settings = settings(configuration, port(configuration)?, false)?;
        let catalog = files.catalog()?;
        let db = connect(configuration).await?;
        let hooks = files.compile_hooks(&catalog, db.dialect())?;
        require_current(&db, &files).await?;
        Ok(Self {
            store: Store::new(db, Clock::System, Rng::System),
            catalog,
            hooks,
            settings,
        })
    }

    /// Who is told.
    pub(crate) fn announcer(&self) -> Announcer<'_> {
        Announcer {
            store: &self.store,
            hooks: &self.hooks,
            webhooks: &self.settings.webhooks.list,
        }
    }
}

/// Connects to the project's database as who changes its structure, for work that may be long.
pub(crate) async fn connect_to_migrate(configuration: &Configuration) -> Outcome<Db> {
    let logins = logins(configuration)?;
    let url = logins.migrator.unwrap_or(logins.app);
    connect_at(configuration, &url).await
}

/// Connects to another database, for work that may be long.
pub(crate) async fn connect_at(configuration: &Configuration, url: &DatabaseUrl) -> Outcome<Db> {
    let mut options = database_options(configuration, url)?;
    options.statement_timeout = Duration::from_hours(24);
    Db::connect(url, &options)
        .await
        .map_err(|error| Failure::database(&url.to_string(), &error))
}

/// Connects to the project's database.
pub(crate) async fn connect(configuration: &Configuration) -> Outcome<Db> {
    let url = database_url(configuration)?;
    let options = database_options(configuration, &url)?;
    Db::connect(&url, &options)
        .await
        .map_err(|error| Failure::database(&url.to_string(), &error))
}

/// Connects to the project's database for serving from it, be it for reading alone.
pub(crate) async fn connect_to_serve(configuration: &Configuration) -> Outcome<Db> {
    let url = database_url(configuration)?;
    let mut options = database_options(configuration, &url)?;
    options.may_be_read_only = true;
    Db::connect(&url, &options)
        .await
        .map_err(|error| Failure::database(&url.to_string(), &error))
}

/// Snapshots that are kept beside a SQLite database.
const SNAPSHOTS: usize = 3;

/// Copies a SQLite database before migrations change what it holds; gives where to. Servers have
/// backups of their own.
async fn snapshot(db: &Db, files: &Files) -> Outcome<Option<PathBuf>> {
    let Some(path) = db.sqlite_path() else {
        return Ok(None);
    };
    let states = status(db, History::App, &files.migrations()?).await?;
    let is_applied = |line: &&MigrationStatus| matches!(line.state, MigrationState::Applied(_));
    let last = states.iter().rev().find(is_applied);
    let (Some(last), true) = (last, states.iter().any(|line| !is_applied(&line))) else {
        return Ok(None);
    };
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let (folder, name) = (path.parent().unwrap_or(Path::new(".")), path.file_name());
    let prefix = format!("{}.before-", name.unwrap_or_default().to_string_lossy());
    let now = Clock::System.now().strftime("%Y%m%dT%H%M%S%3fZ");
    let copy = folder.join(format!("{prefix}{now}-at-{}", last.revision));
    db.snapshot(&copy)
        .await
        .map_err(|error| Failure::database(&db.description(), &error))?;
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut copies: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with(&prefix)
        })
        .collect();
    copies.sort();
    let is_whole = |path: &&PathBuf| {
        let name = path.to_string_lossy();
        let beside = ["-wal", "-shm", "-journal"];
        !name.contains(".partial") && !beside.iter().any(|ending| name.ends_with(ending))
    };
    let oldest = copies.iter().filter(is_whole).rev().nth(SNAPSHOTS - 1);
    // What was cut off goes with its time: a later one may be somebody's who copies now.
    for path in copies
        .iter()
        .filter(|path| oldest.is_some_and(|oldest| *path < oldest))
    {
        std::fs::remove_file(path).map_err(failed)?;
    }
    Ok(Some(copy))
}

/// Applies both histories, the user's up to `target`; gives the titles of what was applied of it.
/// `loss` is about the user's. The rules that the database applies itself make way, and are put into
/// force by `native` when all is as `schema/` says.
pub(crate) async fn migrate(
    db: &Db,
    files: &Files,
    target: Option<&str>,
    loss: Loss,
    native: Option<&Native>,
) -> Outcome<Vec<String>> {
    let (clock, rng) = (Clock::System, Rng::System);
    let mut applied = Vec::new();
    if db.dialect() == Dialect::Postgres && is_pending(db, files).await? {
        loosen(db).await?;
    }
    if let Some(copy) = snapshot(db, files).await? {
        tracing::info!(path = %copy.display(), "the database as it was");
    }
    for (history, migrations) in [
        (History::System, system_migrations()?),
        (History::App, files.migrations()?),
    ] {
        let (loss, target) = match history {
            History::System => (Loss::Allowed, None),
            History::App => (loss, target),
        };
        let runner = Runner::new(db, &clock, &rng, history).with_loss(loss);
        let mut bar = Bar::new();
        let titles = runner
            .up(&migrations, target, &mut |progress| bar.show(progress))
            .await;
        let titles = titles.map_err(|error| Failure::migration(db, &error))?;
        if history == History::App {
            applied.extend(titles);
        }
    }
    if let (Some(native), None) = (native, target) {
        name_foreign(&native.put(db, files).await?);
    }
    Ok(applied)
}

/// Whether there may be anything to apply: books that somebody is writing now are read again by
/// whoever has their lock.
async fn is_pending(db: &Db, files: &Files) -> Outcome<bool> {
    for (history, migrations) in [
        (History::System, system_migrations()?),
        (History::App, files.migrations()?),
    ] {
        let is_applied = |line: &MigrationStatus| matches!(line.state, MigrationState::Applied(_));
        let states = status(db, history, &migrations).await;
        if !states.is_ok_and(|states| states.iter().all(is_applied)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How every migration of a history stands.
pub(crate) async fn status(
    db: &Db,
    history: History,
    migrations: &Migrations,
) -> Outcome<Vec<MigrationStatus>> {
    let (clock, rng) = (Clock::System, Rng::System);
    Runner::new(db, &clock, &rng, history)
        .status(migrations)
        .await
        .map_err(|error| Failure::migration(db, &error))
}

/// Refuses a database with pending migrations, and migrations that do not lead to schema/.
pub(crate) async fn require_current(db: &Db, files: &Files) -> Outcome {
    let app = files.migrations()?;
    let known = app
        .fold(CatalogKind::User)
        .map_err(|errors| Failure::files(&errors))?;
    let wanted = files.catalog()?;
    let difference = diff(&known, &wanted).map_err(|errors| Failure::files(&errors))?;
    if let Some(first) = difference.operations.first() {
        return Err(
            Failure::decision(format!("schema/ is ahead of migrations/: {first}"))
                .fix("pilaster migrate new \"what has changed\", then pilaster migrate up"),
        );
    }
    for (history, migrations) in [(History::System, system_migrations()?), (History::App, app)] {
        let pending = status(db, history, &migrations).await?;
        let pending = pending
            .iter()
            .find(|status| !matches!(status.state, MigrationState::Applied(_)));
        if let Some(pending) = pending {
            let title = format!("{}_{}", pending.revision, pending.name);
            return Err(
                Failure::decision(format!("migration {title} is not applied"))
                    .fix("pilaster migrate up, or migrate.mode = \"auto\""),
            );
        }
    }
    Ok(())
}

/// Lets the engine compile every statement of every SQL file. `MySQL` and `MariaDB` look at the
/// login's rights then already: where it may only read, what writes is left for its caller.
pub(crate) async fn prepare(db: &Db, compiled: &Compiled) -> Outcome {
    let mut errors = Vec::new();
    let hooks = compiled.hooks.statements_to_prepare();
    for (path, sql) in compiled
        .api
        .statements_to_prepare()
        .into_iter()
        .chain(hooks)
    {
        if let Err(error) = db.prepare(&sql).await {
            if matches!(error, DbError::Denied(_) | DbError::ReadOnly)
                && is_read_only(db, &compiled.catalog)
                    .await
                    .map_err(|error| Failure::failed(error.to_string()))?
            {
                continue;
            }
            let span = Span { line: 1, column: 1 };
            errors.push(Diagnostic::new(
                path,
                span,
                format!("{}: {error}", db.dialect()),
            ));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::files(&errors))
    }
}
