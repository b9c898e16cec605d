//! A database that exists for one file of tests.

use std::path::{Path, PathBuf};

use sql::{DatabaseUrl, Db, DbOptions, Ident, Sql, Step};
use stdx::{Clock, Rng, new_id};

use crate::config::Configuration;
use crate::failure::{Failure, Outcome};

/// The database; call [`Temporary::drop`] when done.
pub(super) struct Temporary {
    url: DatabaseUrl,
    place: Place,
}

enum Place {
    /// A folder to be removed.
    Folder(PathBuf),
    /// A database of this name on this server.
    Server(DatabaseUrl, Ident),
}

impl Temporary {
    /// Makes an empty one. Only what was made here is ever used, so no test can reach a database
    /// that somebody needs.
    pub(super) async fn create(configuration: &Configuration, engine: &str) -> Outcome<Self> {
        let name = format!(
            "pilaster_test_{}",
            new_id(&Clock::System, &Rng::System).simple()
        );
        if engine == "sqlite" {
            let folder = std::env::temp_dir().join(&name);
            std::fs::create_dir(&folder)
                .map_err(|error| Failure::failed(format!("{}: {error}", folder.display())))?;
            let address = format!("sqlite:{}", folder.join("test.db").display());
            let url = DatabaseUrl::parse(&address, Path::new(""))
                .map_err(|error| Failure::failed(error.to_string()))?;
            let place = Place::Folder(folder);
            return Ok(Self { url, place });
        }
        let setting = format!("test.{engine}_url");
        let address = configuration.text(&setting);
        let variable = format!("TEST_{}_URL", engine.to_uppercase());
        if address.is_empty() {
            return Err(Failure::config(format!("{variable} is not set")).fix(format!(
                "name a server on which databases may be made: {variable}={engine}://user:password@host/"
            )));
        }
        let server = DatabaseUrl::parse(address, Path::new(""))
            .map_err(|error| Failure::config(format!("{variable}: {error}")))?;
        let name = Ident::new(&name).map_err(|error| Failure::failed(error.to_string()))?;
        let url = server.with_database(name.as_str());
        administer(&server, "create database ", &name, "").await?;
        let place = Place::Server(server, name);
        Ok(Self { url, place })
    }

    pub(super) async fn connect(&self) -> Outcome<Db> {
        connect(&self.url).await
    }

    pub(super) async fn drop(self) -> Outcome {
        match self.place {
            Place::Folder(folder) => std::fs::remove_dir_all(&folder)
                .map_err(|error| Failure::failed(format!("{}: {error}", folder.display()))),
            Place::Server(server, name) => {
                let force = if server.to_string().starts_with("postgres") {
                    " with (force)"
                } else {
                    ""
                };
                administer(&server, "drop database ", &name, force).await
            }
        }
    }
}

async fn connect(url: &DatabaseUrl) -> Outcome<Db> {
    let (read_connections, write_connections) = (2, 2);
    let options = DbOptions {
        read_connections,
        write_connections,
        ..DbOptions::default()
    };
    Db::connect(url, &options)
        .await
        .map_err(|error| Failure::database(&url.to_string(), &error))
}

async fn administer(
    server: &DatabaseUrl,
    before: &'static str,
    name: &Ident,
    after: &'static str,
) -> Outcome {
    let db = connect(server).await?;
    let failed = |error| Failure::database(&server.to_string(), &error);
    let mut sql = Sql::new(db.dialect());
    sql.push(before).ident(name).push(after);
    db.write(vec![Step::new(sql)]).await.map_err(failed)?;
    db.close().await.map_err(failed)
}
