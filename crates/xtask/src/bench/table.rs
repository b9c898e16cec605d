//! What the benchmark prints.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::Pair;
use super::load::{Figures, Route};

/// Says what ran the benchmark, as far as it matters for reading it.
pub(crate) fn machine() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("\n{cores} cores; server on the first, load generator (wrk, 1 thread) on the second");
    println!("medians over the rounds; ratio = Pilaster : reference, pair by pair");
}

/// The head of one engine's table.
pub(crate) fn heading(engine: &str) {
    println!("\n{engine}");
    println!(
        "  {:<24}{:>10}{:>10}{:>8}{:>8}{:>22}{:>22}",
        "", "Pilaster", "reference", "ratio", "min", "p50/p99 ms Pilaster", "p50/p99 ms reference"
    );
}

/// One route.
pub(crate) fn row(route: Route, pairs: &[Pair]) {
    let ours: Vec<Figures> = pairs.iter().map(|pair| pair.0).collect();
    let reference: Vec<Figures> = pairs.iter().map(|pair| pair.1).collect();
    let ratios: Vec<f64> = pairs
        .iter()
        .map(|(ours, other)| ours.rate / other.rate)
        .collect();
    let latency = |side: &[Figures]| {
        let p50 = median(side.iter().map(|figures| figures.p50).collect());
        let p99 = median(side.iter().map(|figures| figures.p99).collect());
        format!("{p50:.2}/{p99:.2}")
    };
    println!(
        "  {:<24}{:>10.0}{:>10.0}{:>8.2}{:>8.2}{:>22}{:>22}",
        route.name(),
        median(ours.iter().map(|figures| figures.rate).collect()),
        median(reference.iter().map(|figures| figures.rate).collect()),
        median(ratios.clone()),
        ratios.iter().copied().fold(f64::INFINITY, f64::min),
        latency(&ours),
        latency(&reference),
    );
}

/// The process itself.
pub(crate) fn process(program: &Path, start: Duration, idle: u64, peak: u64) -> Result<()> {
    let size = std::fs::metadata(program)?.len();
    println!(
        "  start to first 200: {} ms · memory idle {} MiB, peak under load {} MiB · binary {} MiB",
        start.as_millis(),
        idle / 1024,
        peak / 1024,
        size / 1024 / 1024
    );
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
