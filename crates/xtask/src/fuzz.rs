//! Fuzzing the parsers under libFuzzer, with the kept corpus as its beginning.

use std::process::Command;

use anyhow::{Result, bail};

use crate::command::{find_program, root, run};

const TARGETS: [&str; 3] = ["url", "schema", "endpoint"];

/// `cargo xtask fuzz [TARGET] [SECONDS]`: all targets for a minute each by default. What is found
/// stands in `fuzz/artifacts`; the corpus is made small again at the end.
pub(crate) fn start(arguments: &[String]) -> Result<()> {
    if find_program(&["cargo-fuzz"], &[]).is_none() {
        run(Command::new("cargo").args(["+nightly", "install", "cargo-fuzz", "--locked"]))?;
    }
    let mut seconds = String::from("60");
    let mut targets = TARGETS.to_vec();
    for word in arguments {
        match TARGETS.iter().find(|target| *target == word) {
            Some(target) => targets = vec![target],
            None if word.parse::<u32>().is_ok() => seconds.clone_from(word),
            None => bail!("unknown target {word}; one of {}", TARGETS.join(", ")),
        }
    }
    for target in targets {
        let fuzz = |verb: &str| {
            let mut command = Command::new("cargo");
            command
                .args(["+nightly", "fuzz", verb, "--fuzz-dir", ".", "-O", target])
                .current_dir(root().join("fuzz"));
            command
        };
        run(fuzz("run")
            .args(["--", "-max_len=4096", "-timeout=5"])
            .arg(format!("-max_total_time={seconds}")))?;
        run(&mut fuzz("cmin"))?;
    }
    Ok(())
}
