//! A private PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::process::{Server, as_user, free_port, fresh_password, owned_folder, spawn, wait_until};
use crate::command::{find_program, output};

/// Where Debian keeps the servers, newest version first.
fn folders() -> Vec<PathBuf> {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    versions.sort();
    versions.reverse();
    versions
}

/// Whether a server is installed.
pub(crate) fn is_installed() -> bool {
    find_program(&["initdb"], &folders()).is_some()
}

/// Starts one, with a superuser `pilaster_test` and a database of the same name.
pub(crate) fn start(folder: &Path) -> Result<Server> {
    let initdb = find_program(&["initdb"], &folders()).context("initdb is not installed")?;
    let programs = initdb.parent().context("initdb stands in a folder")?;
    let home = owned_folder(folder, "postgres", "postgres")?;
    let data = home.join("data");
    let password = fresh_password()?;
    let password_file = home.join("password");
    fs::write(&password_file, &password)?;
    output(
        as_user("postgres", &initdb)
            .args([
                "--username=pilaster_test",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
            ])
            .args(["--locale=C.UTF-8", "--no-sync"])
            .arg(format!("--pwfile={}", password_file.display()))
            .arg("--pgdata")
            .arg(&data),
    )?;
    let port = free_port()?;
    let log = folder.join("postgres.log");
    let mut child = spawn(
        as_user("postgres", &programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-c",
                "max_connections=300",
            ])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", home.display()))
            .args(["-c", "shared_buffers=128MB"]),
        &log,
    )?;
    let ready = programs.join("pg_isready");
    wait_until("PostgreSQL", &mut child, &log, || {
        output(
            std::process::Command::new(&ready)
                .args(["-q", "-h", "127.0.0.1", "-p"])
                .arg(port.to_string()),
        )
        .is_ok()
    })?;
    let url = format!("postgres://pilaster_test:{password}@127.0.0.1:{port}/postgres");
    Ok(Server::started("TEST_POSTGRES_URL", url, child))
}
