//! All tests on all engines.

use std::process::Command;

use anyhow::Result;

use crate::services::{ENGINES, Services};
use crate::{command, tools};

/// Starts the servers and runs `cargo test` with their addresses in the environment; the words
/// behind `--` go to cargo test.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let services = Services::start()?;
    let tools = tools::prepare()?;
    let words = arguments.iter().filter(|word| *word != "--");
    let mut test = Command::new("cargo");
    test.args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .args(words)
        .env("PILASTER_TEST_ENGINES", ENGINES)
        .envs(services.environment())
        .envs(tools);
    command::run(&mut test)
}
