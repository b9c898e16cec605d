//! A database of one's own on any engine, dropped with its test.

use std::path::Path;

use sql::{DatabaseUrl, Db, DbOptions};
use uuid::Uuid;

use crate::on_server;

/// A database that exists for one test.
pub struct ThrowAwayDatabase {
    url: String,
    _folder: Option<tempfile::TempDir>,
    server: Option<(String, String)>,
}

/// Roles of `native_rls` belong to the whole server; those of databases that are gone go, whoever
/// comes first.
const DROP_ROLES: &str = "do $$ declare one record; begin for one in select rolname, \
    substring(shobj_description(oid, 'pg_authid') from '^pilaster: native_rls of database ([0-9]+)$') \
    as database from pg_roles where rolname like 'pilaster\\_%' loop \
    if one.database is not null and not exists (select from pg_database \
      where oid::text = one.database) then \
      begin execute format('drop role if exists %I', one.rolname); \
      exception when others then null; end; \
    end if; end loop; end $$";

/// Engines that the caller asked for: `PILASTER_TEST_ENGINES`, SQLite alone by default.
#[must_use]
pub fn is_enabled(engine: &str) -> bool {
    let listed = std::env::var_os("PILASTER_TEST_ENGINES").unwrap_or_else(|| "sqlite".into());
    listed
        .to_string_lossy()
        .split(',')
        .any(|name| name.trim() == engine)
}

impl ThrowAwayDatabase {
    /// A fresh, empty database; `None` where the engine was not asked for.
    ///
    /// # Panics
    /// When the engine was asked for and cannot be reached: a missing engine is an error.
    pub async fn create(engine: &str) -> Option<Self> {
        if !is_enabled(engine) {
            return None;
        }
        if engine == "sqlite" {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let url = format!("sqlite:{}", folder.path().join("test.db").display());
            return Some(Self {
                url,
                _folder: Some(folder),
                server: None,
            });
        }
        let variable = format!("TEST_{}_URL", engine.to_uppercase());
        Some(Self::on(&address(engine, &variable)).await)
    }

    /// A fresh, empty database on a server.
    pub(crate) async fn on(server: &str) -> Self {
        let name = format!("pilaster_test_{}", new_uuid().simple());
        on_server(server, &format!("create database {name}")).await;
        Self {
            url: with_database(server, &name),
            _folder: None,
            server: Some((server.to_owned(), name)),
        }
    }

    /// Its name; empty for SQLite.
    pub(crate) fn name(&self) -> &str {
        self.server.as_ref().map_or("", |(_, name)| name)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of its server's administrator; `None` for SQLite, which has none.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.server.as_ref().map(|(server, _)| server.as_str())
    }

    /// Connects to it.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn connect(&self) -> Db {
        let url = DatabaseUrl::parse(&self.url, Path::new("")).expect("our own address is valid");
        let options = DbOptions {
            read_connections: 2,
            write_connections: 2,
            ..DbOptions::default()
        };
        Db::connect(&url, &options)
            .await
            .expect("the database can be reached")
    }

    /// Every row of every table as text, for looking for what must not be there.
    ///
    /// # Panics
    /// When the database cannot be read.
    pub async fn dump(&self) -> Vec<String> {
        crate::dump::dump(&self.connect().await).await
    }
}

impl Drop for ThrowAwayDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.server.take() else {
            return;
        };
        // Dropping needs a runtime of its own: this one may be ending.
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                let force = if server.starts_with("postgres") {
                    " with (force)"
                } else {
                    ""
                };
                runtime.block_on(on_server(&server, &format!("drop database {name}{force}")));
                if server.starts_with("postgres") {
                    runtime.block_on(on_server(&server, DROP_ROLES));
                }
            }
        });
        // A database that cannot be dropped goes with its private server.
        let _ = dropper.join();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's database needs no reproducible name"
)]
fn new_uuid() -> Uuid {
    Uuid::new_v4()
}

/// A variable's text; an engine that was asked for has one.
pub(crate) fn address(engine: &str, variable: &str) -> String {
    std::env::var_os(variable)
        .and_then(|url| url.into_string().ok())
        .unwrap_or_else(|| panic!("{engine} was asked for and {variable} is not set"))
}

pub(crate) fn with_database(server: &str, name: &str) -> String {
    let (place, options) = server.split_once('?').unwrap_or((server, ""));
    let base = place.rsplit_once('/').map_or(place, |(base, _)| base);
    if options.is_empty() {
        format!("{base}/{name}")
    } else {
        format!("{base}/{name}?{options}")
    }
}
