//! Private servers on free loopback ports, data under the target folder, stopped on drop.
//!
//! Nothing on a default port is touched. A server that cannot start is an error: the tests
//! never skip an engine.

pub(crate) mod galera;
pub(crate) mod mariadb;
pub(crate) mod mysql;
pub(crate) mod postgres;
mod process;
pub(crate) mod redis;

use std::io::Read as _;

use anyhow::Result;

use self::process::Server;
use crate::{command, packages};

/// The engines that all tests run on, as they are told in `PILASTER_TEST_ENGINES`.
pub(crate) const ENGINES: &str = "sqlite,postgres,mariadb,mysql,galera";

/// The variable of the cluster's addresses.
const GALERA: &str = "TEST_GALERA_URLS";

/// Starts one kind of server with its data in a folder.
type Start = fn(&std::path::Path) -> Result<Server>;

/// The running servers and how to reach them.
pub(crate) struct Services {
    servers: Vec<Server>,
    folder: std::path::PathBuf,
}

impl Services {
    /// Installs what is missing and starts every server; one given by its `TEST_…_URL` is used
    /// as it is.
    pub(crate) fn start() -> Result<Self> {
        packages::install_for_tests()?;
        let folder = process::private_folder()?;
        let mut services = Self {
            servers: Vec::new(),
            folder,
        };
        let kinds: [(&'static str, Start); 4] = [
            ("TEST_POSTGRES_URL", postgres::start),
            ("TEST_MARIADB_URL", mariadb::start),
            ("TEST_MYSQL_URL", mysql::start),
            ("TEST_REDIS_URL", redis::start),
        ];
        // The nodes find each other while the other servers start.
        let cluster = match given(GALERA) {
            Some(urls) => {
                services.servers.push(Server::given(GALERA, urls));
                None
            }
            None => Some(galera::Cluster::begin(&services.folder)?),
        };
        for (variable, start) in kinds {
            services.servers.push(match given(variable) {
                Some(url) => Server::given(variable, url),
                None => start(&services.folder)?,
            });
        }
        if let Some(cluster) = cluster {
            services.servers.push(cluster.ready()?);
        }
        Ok(services)
    }

    /// `TEST_POSTGRES_URL` and friends with their values.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.servers
            .iter()
            .map(|server| (server.variable, server.url.clone()))
            .collect()
    }

    /// The address in one of those variables.
    pub(crate) fn url(&self, variable: &str) -> Option<&str> {
        self.servers
            .iter()
            .find(|server| server.variable == variable)
            .map(|server| server.url.as_str())
    }
}

/// The address of a server that somebody else runs.
fn given(variable: &str) -> Option<String> {
    let url = std::env::var_os(variable)?.into_string().ok()?;
    Some(url).filter(|url| !url.is_empty())
}

impl Drop for Services {
    fn drop(&mut self) {
        self.servers.clear();
        // What cannot be removed is in the target folder and goes with `cargo clean`.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// `cargo xtask services`: shows the addresses until the input ends.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let services = Services::start()?;
    println!("# servers are up; end the input (Ctrl-D) to stop them");
    println!("export PILASTER_TEST_ENGINES={ENGINES}");
    for (variable, url) in services.environment() {
        println!("export {variable}='{url}'");
    }
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    println!("# stopping; data under {}", command::target().display());
    Ok(())
}
