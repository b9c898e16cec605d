//! A private MariaDB, and what a cluster's nodes have in common with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::process::{Server, as_user, free_port, fresh_password, owned_folder, spawn, wait_until};
use crate::command::{find_program, output};

/// The programs of Debian's packages.
#[derive(Clone)]
pub(super) struct Programs {
    server: PathBuf,
    install: PathBuf,
    client: PathBuf,
}

fn folders() -> Vec<PathBuf> {
    vec![PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")]
}

/// Whether a server is installed.
pub(crate) fn is_installed() -> bool {
    find_program(&["mariadbd"], &folders()).is_some()
}

/// Starts one, with a user `pilaster_test` that may do everything.
pub(crate) fn start(folder: &Path) -> Result<Server> {
    let programs = Programs::find()?;
    let home = owned_folder(folder, "mariadb", "mysql")?;
    programs.install(&home)?;
    let port = free_port()?;
    let log = folder.join("mariadb.log");
    let mut child = spawn(
        programs.server(&home, port).args([
            "--innodb-buffer-pool-size=256M",
            // MariaDB tells the names of applications nowhere else.
            "--performance-schema=ON",
        ]),
        &log,
    )?;
    wait_until("MariaDB", &mut child, &log, || {
        programs.ask(&home, "select 1").is_ok()
    })?;
    let password = programs.create_user(&home)?;
    let url = address(&password, port);
    Ok(Server::started("TEST_MARIADB_URL", url, child))
}

/// The address of a server of ours.
pub(super) fn address(password: &str, port: u16) -> String {
    format!("mariadb://pilaster_test:{password}@127.0.0.1:{port}/mysql")
}

impl Programs {
    /// Finds them; an error names the one that is missing.
    pub(super) fn find() -> Result<Self> {
        let find = |name: &'static str| {
            find_program(&[name], &folders()).with_context(|| format!("{name} is not installed"))
        };
        Ok(Self {
            server: find("mariadbd")?,
            install: find("mariadb-install-db")?,
            client: find("mariadb")?,
        })
    }

    /// Fills the data folder below `home`.
    pub(super) fn install(&self, home: &Path) -> Result<()> {
        let install = output(
            as_user("mysql", &self.install)
                .args([
                    "--no-defaults",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ])
                .arg(format!("--datadir={}", home.join("data").display())),
        );
        install.map(drop)
    }

    /// A server over the data folder below `home`.
    pub(super) fn server(&self, home: &Path, port: u16) -> Command {
        let mut command = as_user("mysql", &self.server);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", home.join("data").display()))
            .arg(format!("--socket={}", home.join("socket").display()))
            .arg(format!("--pid-file={}", home.join("pid").display()))
            .args(["--bind-address=127.0.0.1", &format!("--port={port}")])
            .args(["--max-connections=300", "--skip-log-bin"]);
        command
    }

    /// Runs statements as root; gives their rows, one a line, the values behind tabs.
    pub(super) fn ask(&self, home: &Path, text: &str) -> Result<String> {
        output(
            Command::new(&self.client)
                .args(["--no-defaults", "--skip-column-names", "-u", "root"])
                .args(["-e", text])
                .arg(format!("--socket={}", home.join("socket").display())),
        )
    }

    /// Makes `pilaster_test`, which may do everything; gives its password.
    pub(super) fn create_user(&self, home: &Path) -> Result<String> {
        let password = fresh_password()?;
        self.ask(
            home,
            &format!(
                "create user pilaster_test@'127.0.0.1' identified by '{password}'; \
                 grant all on *.* to pilaster_test@'127.0.0.1' with grant option"
            ),
        )?;
        Ok(password)
    }
}
