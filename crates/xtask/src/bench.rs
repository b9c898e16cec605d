//! Pilaster beside a hand-written reference.

use anyhow::{Result, bail};

pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    bail!("the benchmark needs the server, which is being built")
}
