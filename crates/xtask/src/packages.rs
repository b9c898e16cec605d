//! Debian's packages that the tests need, installed when they are missing and we are root.

use std::process::Command;

use anyhow::{Result, bail};

use crate::command::{find_program, is_root, run};
use crate::services;

/// A program and the Debian package that brings it.
struct Needed {
    program: fn() -> bool,
    package: &'static str,
}

const NEEDED: [Needed; 6] = [
    Needed {
        program: services::postgres::is_installed,
        package: "postgresql",
    },
    Needed {
        program: services::mariadb::is_installed,
        package: "mariadb-server",
    },
    Needed {
        program: services::galera::is_installed,
        package: "galera-4",
    },
    Needed {
        program: services::galera::can_copy,
        package: "rsync",
    },
    Needed {
        program: services::redis::is_installed,
        package: "redis-server",
    },
    Needed {
        program: c_compiler,
        package: "build-essential",
    },
];

fn c_compiler() -> bool {
    find_program(&["cc"], &[]).is_some()
}

/// Installs what the tests need; without root, says what to install.
pub(crate) fn install_for_tests() -> Result<()> {
    let missing: Vec<&str> = NEEDED
        .iter()
        .filter(|needed| !(needed.program)())
        .map(|needed| needed.package)
        .collect();
    install(&missing)
}

/// Installs what the benchmark needs besides.
pub(crate) fn install_for_benchmark() -> Result<()> {
    install_for_tests()?;
    match find_program(&["wrk"], &[]) {
        Some(_) => Ok(()),
        None => install(&["wrk"]),
    }
}

/// Installs the named packages.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if !is_root() {
        bail!("these packages are missing; install them: sudo apt-get install -y {list}");
    }
    run(apt().arg("update"))?;
    // A package starts its server on the default port unless told not to; ours are private.
    run(apt()
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1")
        .arg("-q");
    command
}
