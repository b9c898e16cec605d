//! Everything that CI checks besides tests.

use std::process::Command;

use anyhow::Result;

use crate::command;
use crate::tidy;

/// fmt, tidy, clippy, doc; the first failure stops.
pub(crate) fn run() -> Result<()> {
    command::run(cargo().args(["fmt", "--all", "--check"]))?;
    tidy::run()?;
    command::run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    command::run(
        cargo()
            .args([
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
                "--locked",
            ])
            .env(
                "RUSTDOCFLAGS",
                "-D warnings -A rustdoc::private_intra_doc_links",
            ),
    )
}

fn cargo() -> Command {
    Command::new("cargo")
}
