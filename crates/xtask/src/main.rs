//! The developer's verbs: `cargo xtask check | test | bench | fuzz | tidy | services | vendor`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod bench;
mod check;
mod command;
mod fuzz;
mod packages;
mod services;
mod test;
mod tidy;
mod tools;
mod vendor;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask VERB

  check      fmt, clippy -D warnings, tidy, doc: everything CI checks besides tests
  test       all tests on all engines; starts private servers, installs what is missing
             (arguments after `--` go to cargo test)
  bench      Pilaster beside a hand-written reference, as ratios (--quick, --engine NAME);
             --ways: the drivers and ways of working chosen, beside those not chosen;
             --migrate: a million rows changed on each engine, with time and memory (--rows N)
  fuzz       the parsers under libFuzzer, a minute each ([TARGET] [SECONDS]; needs nightly)
  tidy       the house rules alone: arrows, names of drivers, file heads and lengths
  services   start private PostgreSQL, MariaDB, MySQL, a Galera cluster and Redis, print their
             URLs, stop at end of input
  vendor     fetch the pinned front-end modules again and compare them with the tree";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let outcome = match verb.as_str() {
        "check" => check::run(),
        "test" => test::run(&rest),
        "bench" => bench::run(&rest),
        "fuzz" => fuzz::start(&rest),
        "tidy" => tidy::run(),
        "services" => services::run(&rest),
        "vendor" => vendor::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
