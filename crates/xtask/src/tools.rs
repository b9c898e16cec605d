//! Programs that nobody here wrote and that tests look through: a browser, a validator, a compiler,
//! clients, a searcher of holes.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{find_program, run, target};
use crate::packages;

/// Packages of `PyPI`, at pinned versions.
const PYTHON_PACKAGES: [&str; 8] = [
    "Authlib==1.9.9",
    "aiosmtpd==1.4.6",
    "httpx==0.28.1",
    "openapi-spec-validator==0.9.0",
    "postgrest==2.31.0",
    "requests-oauthlib==2.0.0",
    "schemathesis==4.32.5",
    "sqlmap==1.10.10",
];

/// Packages of npm, at pinned versions: a compiler, clients of the data API, what steers the browser,
/// clients of OPAQUE and of OpenID Connect, a verifier of tokens, and what finds pages that some cannot
/// read.
const NODE_PACKAGES: [&str; 8] = [
    "typescript@5.9.3",
    "@supabase/postgrest-js@2.119.1",
    "@supabase/supabase-js@2.119.1",
    "playwright-core@1.56.1",
    "@serenity-kit/opaque@1.1.0",
    "openid-client@6.8.9",
    "jose@6.2.17",
    "axe-core@4.11.0",
];

/// Installs what is missing; gives the variables by which tests find the programs.
pub(crate) fn prepare() -> Result<Vec<(&'static str, PathBuf)>> {
    Ok(vec![
        ("TEST_CHROMIUM", chromium()?),
        ("TEST_PYTHON", python()?),
        ("TEST_NODE_MODULES", node()?),
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

/// A folder of modules under the target folder, made anew when the pins change; node itself comes
/// from the system.
fn node() -> Result<PathBuf> {
    let missing = |program: &str| find_program(&[program], &[]).is_none();
    if missing("node") || missing("npm") {
        packages::install(&["nodejs", "npm"])?;
    }
    let folder = target().join("node");
    let modules = folder.join("node_modules");
    let stamp = folder.join("packages");
    let wanted = NODE_PACKAGES.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(modules);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    // Nothing of a package runs while it is installed; the browser is the system's.
    run(Command::new("npm")
        .args(["install", "--prefix"])
        .arg(&folder)
        .args([
            "--save-exact",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
        ])
        .args(NODE_PACKAGES))?;
    std::fs::write(&stamp, wanted)?;
    Ok(modules)
}

fn has_venv() -> bool {
    Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .output()
        .is_ok_and(|output| output.status.success())
}
