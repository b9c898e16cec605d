//! `db connect`: the engine's own client, which gets the password where nobody else sees it, or
//! the built-in shell where there is none.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sql::DatabaseUrl;

use super::shell;
use crate::config::{Configuration, database_url};
use crate::failure::{Failure, Outcome};

pub(super) async fn run(
    configuration: &Configuration,
    execute: Option<&str>,
    builtin: bool,
    json: bool,
) -> Outcome {
    let url = database_url(configuration)?;
    let client = match builtin {
        true => None,
        false => client(&url, execute),
    };
    let Some(mut command) = client else {
        return shell::run(configuration, url, execute, json).await;
    };
    let status = command.status().map_err(|error| {
        Failure::failed(format!("{}: {error}", command.get_program().display()))
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::failed(format!("the client ended with {status}"))),
    }
}

/// The client with the address as arguments and the password in its environment, which only its
/// owner can read; `None` where it is not installed. From a pipe it stops at the first failure.
fn client(url: &DatabaseUrl, execute: Option<&str>) -> Option<Command> {
    let is_asked = std::io::stdin().is_terminal();
    if let Some(path) = url.sqlite_path() {
        let mut command = Command::new(find(&["sqlite3"])?);
        command.args((!is_asked).then_some("-bail")).arg(path);
        command.args(execute);
        return Some(command);
    }
    let (host, port) = url.address().unwrap_or_default();
    let (user, password) = match url.login() {
        Some((user, password)) => (user, password.expose().as_str()),
        None => ("", ""),
    };
    let (name, port) = (url.database_name(), port.to_string());
    if url.to_string().starts_with("postgres") {
        let mut command = Command::new(find(&["psql"])?);
        command.args(["-h", host, "-p", &port, "-U", user, "-d", &name]);
        command.args(["-v", "ON_ERROR_STOP=1"]);
        command.args(execute.iter().flat_map(|text| ["-c", *text]));
        command.env("PGPASSWORD", password);
        return Some(command);
    }
    let mut command = Command::new(find(&["mariadb", "mysql"])?);
    let place: &[&str] = match host.starts_with('/') {
        true => &["--socket", host],
        false => &["--protocol=tcp", "-h", host, "-P", &port],
    };
    command.args(place).args(["-u", user]);
    command.args(execute.iter().flat_map(|text| ["-e", *text]));
    command.arg(&name).env("MYSQL_PWD", password);
    Some(command)
}

/// The first of these programs that is on the path.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let there = |name: &&str| {
        let mut files = folders.iter().map(|folder| folder.join(name));
        files.find(|file: &PathBuf| Path::is_file(file))
    };
    names.iter().find_map(there)
}
