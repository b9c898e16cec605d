//! The Cruddur example through the public door, on every engine.

mod accounts;
mod attacks;
mod batches;
mod budgets;
pub(crate) mod calls;
mod conditions;
mod crash;
mod crud;
mod cursors;
mod endpoints;
mod errors;
mod expiry;
mod files;
pub(crate) mod grammar;
pub(crate) mod identity;
mod json;
mod lengths;
mod lists;
mod nesting;
mod parity;
mod prefixes;
mod readme;
mod reloading;
mod roles;
mod scopes;
mod searching;
mod slowness;
mod sqlmap;
mod values;
mod views;
mod watching;
mod writes;

use testkit::{Project, Running, ThrowAwayDatabase};

/// The binary under test.
pub(crate) const PILASTER: &str = env!("CARGO_BIN_EXE_pilaster");

/// Cruddur, served from a database of its own.
pub(crate) struct App {
    // Dropped in this order: the server lets go of the database before it is dropped.
    pub(crate) server: Running,
    pub(crate) project: Project,
    pub(crate) database: ThrowAwayDatabase,
}

impl App {
    /// Cruddur itself; `None` where the engine was not asked for.
    pub(crate) async fn cruddur(engine: &str) -> Option<Self> {
        Self::of(engine, Project::cruddur()).await
    }

    /// Migrates, seeds and serves a project; `None` where the engine was not asked for.
    pub(crate) async fn of(engine: &str, project: Project) -> Option<Self> {
        let database = ThrowAwayDatabase::create(engine).await?;
        let project = project.with("DATABASE_URL", database.url());
        if project.read_dir("migrations").is_empty() {
            project.succeed(PILASTER, &["migrate", "new", "init"]);
        }
        project.succeed(PILASTER, &["migrate", "up"]);
        if !project.read_dir("seed").is_empty() {
            project.succeed(PILASTER, &["db", "seed"]);
        }
        let server = Running::serve(PILASTER, &project).await;
        Some(Self {
            server,
            project,
            database,
        })
    }
}

/// Makes one test of each engine out of `async fn name(app: App)`; over Cruddur, or over what
/// `project()` gives with `project: name, …`.
macro_rules! on_every_engine {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            use testkit::Project;
            crate::http::on_every_engine!(@tests Project::cruddur, $name);
        })*
    };
    ($project:ident: $($name:ident),* $(,)?) => {
        $(mod $name {
            crate::http::on_every_engine!(@tests super::$project, $name);
        })*
    };
    (@tests $project:path, $name:ident) => {
            use crate::http::App;

            async fn on(engine: &str) {
                if let Some(app) = App::of(engine, $project()).await {
                    super::$name(app).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                on("sqlite").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                on("postgres").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn mariadb() {
                on("mariadb").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn mysql() {
                on("mysql").await;
            }
    };
}
pub(crate) use on_every_engine;
