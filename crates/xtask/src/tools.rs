//! Programs that nobody here wrote and that tests look through: a browser, a validator.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{find_program, run, target};
use crate::packages;

/// Packages of `PyPI`, at pinned versions.
const PYTHON_PACKAGES: [&str; 1] = ["openapi-spec-validator==0.9.0"];

/// Installs what is missing; gives the variables by which tests find the programs.
pub(crate) fn prepare() -> Result<Vec<(&'static str, PathBuf)>> {
    Ok(vec![
        ("TEST_CHROMIUM", chromium()?),
        ("TEST_PYTHON", python()?),
    ])
}

fn chromium() -> Result<PathBuf> {
    if let Some(found) = find_program(&["chromium", "chromium-browser"], &[]) {
        return Ok(found);
    }
    packages::install(&["chromium"])?;
    find_program(&["chromium"], &[]).context("the package chromium brings chromium")
}

/// An environment of its own under the target folder, made anew when the pins change.
fn python() -> Result<PathBuf> {
    let folder = target().join("python");
    let python = folder.join("bin/python");
    let stamp = folder.join("packages");
    let wanted = PYTHON_PACKAGES.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    let system = find_program(&["python3"], &[]);
    if system.is_none() || !has_venv() {
        packages::install(&["python3", "python3-venv"])?;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(PYTHON_PACKAGES))?;
    std::fs::write(&stamp, wanted)?;
    Ok(python)
}

fn has_venv() -> bool {
    Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .output()
        .is_ok_and(|output| output.status.success())
}
