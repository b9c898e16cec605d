//! A private MariaDB.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::process::{Server, as_user, free_port, fresh_password, owned_folder, spawn, wait_until};
use crate::command::{find_program, output};

fn folders() -> Vec<PathBuf> {
    vec![PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")]
}

/// Whether a server is installed.
pub(crate) fn is_installed() -> bool {
    find_program(&["mariadbd"], &folders()).is_some()
}

/// Starts one, with a user `pilaster_test` that may do everything.
pub(crate) fn start(folder: &Path) -> Result<Server> {
    let server = find_program(&["mariadbd"], &folders()).context("mariadbd is not installed")?;
    let install = find_program(&["mariadb-install-db"], &folders())
        .context("mariadb-install-db is not installed")?;
    let client = find_program(&["mariadb"], &folders()).context("mariadb is not installed")?;
    let home = owned_folder(folder, "mariadb", "mysql")?;
    let data = home.join("data");
    let socket = home.join("socket");
    output(
        as_user("mysql", &install)
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", data.display())),
    )?;
    let port = free_port()?;
    let log = folder.join("mariadb.log");
    let mut child = spawn(
        as_user("mysql", &server)
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--pid-file={}", home.join("pid").display()))
            .args(["--bind-address=127.0.0.1", &format!("--port={port}")])
            .args([
                "--max-connections=300",
                "--skip-log-bin",
                "--innodb-buffer-pool-size=256M",
                // MariaDB tells the names of applications nowhere else.
                "--performance-schema=ON",
            ]),
        &log,
    )?;
    let statement = |text: &str| {
        output(
            Command::new(&client)
                .args(["--no-defaults", "-u", "root", "-e", text])
                .arg(format!("--socket={}", socket.display())),
        )
    };
    wait_until("MariaDB", &mut child, &log, || {
        statement("select 1").is_ok()
    })?;
    let password = fresh_password()?;
    statement(&format!(
        "create user pilaster_test@'127.0.0.1' identified by '{password}'; \
         grant all on *.* to pilaster_test@'127.0.0.1' with grant option"
    ))?;
    let url = format!("mariadb://pilaster_test:{password}@127.0.0.1:{port}/mysql");
    Ok(Server::started("TEST_MARIADB_URL", url, child))
}
