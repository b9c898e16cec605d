//! A private Redis.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::process::{Server, free_port, owned_folder, spawn, wait_until};
use crate::command::find_program;

/// Whether a server is installed.
pub(crate) fn is_installed() -> bool {
    find_program(&["redis-server"], &[]).is_some()
}

/// Starts one that keeps nothing on disk.
pub(crate) fn start(folder: &Path) -> Result<Server> {
    let server = find_program(&["redis-server"], &[]).context("redis-server is not installed")?;
    let home = owned_folder(folder, "redis", "nobody")?;
    let port = free_port()?;
    let log = folder.join("redis.log");
    let mut child = spawn(
        as_user_nobody(&server)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(&home),
        &log,
    )?;
    wait_until("Redis", &mut child, &log, || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })?;
    Ok(Server::started(
        "TEST_REDIS_URL",
        format!("redis://127.0.0.1:{port}"),
        child,
    ))
}

/// Debian's group of `nobody` is `nogroup`, so the user alone is changed.
fn as_user_nobody(program: &Path) -> std::process::Command {
    let mut command = std::process::Command::new("setpriv");
    if crate::command::is_root() {
        command.args(["--reuid=nobody", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}
