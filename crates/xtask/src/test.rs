//! All tests on all engines.

use std::process::Command;

use anyhow::Result;

use crate::command;
use crate::services::Services;

/// Starts the servers and runs `cargo test` with their addresses in the environment; the words
/// behind `--` go to cargo test.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let services = Services::start()?;
    let words = arguments.iter().filter(|word| *word != "--");
    let mut test = Command::new("cargo");
    test.args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .args(words)
        .env("PILASTER_TEST_ENGINES", "sqlite,postgres,mariadb,mysql")
        .envs(services.environment());
    command::run(&mut test)
}
