//! Pilaster beside a hand-written reference: the same routes, the same data, the same machine,
//! in turn, in one run. Only ratios are worth quoting.

mod http;
mod load;
mod migrate;
mod project;
mod table;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use self::load::{Figures, Route};
use self::project::{Project, Running};
use crate::command::{run as run_command, target};
use crate::packages;
use crate::services::Services;

/// How much of everything.
struct Size {
    users: usize,
    activities: usize,
    rounds: usize,
    seconds: u32,
}

const FULL: Size = Size {
    users: 10_000,
    activities: 100_000,
    rounds: 5,
    seconds: 4,
};
const QUICK: Size = Size {
    users: 10_000,
    activities: 100_000,
    rounds: 2,
    seconds: 2,
};

/// The engines that the reference speaks.
const ENGINES: [&str; 3] = ["sqlite", "postgres", "mariadb"];

/// `--quick` for a first look, `--engine NAME` for one engine, `--ways` for the ways of working
/// that Pilaster chose beside those that it did not, `--migrate` for changing a large table.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|word| word == "--migrate") {
        return migrate::run(arguments);
    }
    let size = if arguments.iter().any(|word| word == "--quick") {
        QUICK
    } else {
        FULL
    };
    let wanted = match arguments.iter().position(|word| word == "--engine") {
        Some(place) => vec![
            arguments
                .get(place + 1)
                .context("--engine needs a name")?
                .as_str(),
        ],
        None => ENGINES.to_vec(),
    };
    if let Some(unknown) = wanted.iter().find(|name| !ENGINES.contains(name)) {
        bail!("unknown engine {unknown}; one of {}", ENGINES.join(", "));
    }
    packages::install_for_benchmark()?;
    let ways = arguments.iter().any(|word| word == "--ways");
    let programs = Programs::build(ways)?;
    let services = Services::start()?;
    if ways {
        return compare(&wanted, &programs, &services);
    }
    table::machine();
    for engine in wanted {
        measure(engine, &programs, &services, &size)
            .with_context(|| format!("benchmark on {engine}"))?;
    }
    Ok(())
}

/// The two programs that are compared.
struct Programs {
    pilaster: PathBuf,
    reference: PathBuf,
}

impl Programs {
    /// Pilaster alone.
    fn build_pilaster() -> Result<PathBuf> {
        run_command(Command::new("cargo").args([
            "build",
            "--release",
            "--locked",
            "--package=pilaster",
        ]))?;
        Ok(release().join("pilaster"))
    }

    /// `alternatives`: the reference also gets the libraries that Pilaster did not choose.
    fn build(alternatives: bool) -> Result<Self> {
        let mut build = Command::new("cargo");
        build.args([
            "build",
            "--release",
            "--locked",
            "--package=pilaster",
            "--package=reference",
        ]);
        if alternatives {
            build.arg("--features=reference/alternatives");
        }
        run_command(&mut build)?;
        let folder = release();
        Ok(Self {
            pilaster: folder.join("pilaster"),
            reference: folder.join("reference"),
        })
    }
}

/// Where cargo puts programs that are to be measured.
fn release() -> PathBuf {
    target().join("release")
}

/// What docs/adr/0008 says of each way of working, measured in one run.
fn compare(engines: &[&str], programs: &Programs, services: &Services) -> Result<()> {
    println!("\none core, 32 requests in flight; medians of 5 rounds; ratio to the way chosen");
    for engine in engines {
        Project::create(engine, programs, services, &FULL)?.compare()?;
    }
    project::compare(&programs.reference, "signatures")
}

fn measure(engine: &str, programs: &Programs, services: &Services, size: &Size) -> Result<()> {
    let project = Project::create(engine, programs, services, size)?;
    let ours = project.serve_pilaster()?;
    let reference = project.serve_reference()?;
    let idle = ours.resident_kib()?;
    let token = ours.register()?;
    table::heading(engine);
    for route in Route::ALL {
        let mut pairs = Vec::new();
        for _ in 0..size.rounds {
            let reference = route.load(&reference, false, "benchmark", size)?;
            let ours = route.load(&ours, true, &token, size)?;
            pairs.push((ours, reference));
        }
        table::row(route, &pairs);
    }
    table::process(&programs.pilaster, ours.start, idle, ours.peak_kib()?)
}

/// One side of a pair, as the table shows it.
type Pair = (Figures, Figures);

/// Where a server listens.
fn base(running: &Running) -> String {
    format!("http://127.0.0.1:{}", running.port)
}
