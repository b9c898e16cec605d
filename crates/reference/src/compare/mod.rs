//! The ways of working that Pilaster chose, each beside those that it did not choose: the same
//! statements over the same data, in turn, in one run. Only the ratios are worth quoting.

#[cfg(feature = "alternatives")]
mod alternatives;
mod mysql;
mod postgres;
mod sqlite;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use uuid::Uuid;

/// Requests in flight.
const TASKS: usize = 32;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
/// Users that `reference load` made for the benchmark.
const USERS: usize = 10_000;

type Done = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// One way of doing a piece of work.
struct Way {
    name: &'static str,
    run: Box<dyn Fn(usize) -> Done + Send + Sync>,
}

impl Way {
    /// `run` does the work once; its argument is the number of the call.
    fn new<F, R>(name: &'static str, run: F) -> Self
    where
        F: Fn(usize) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        Self {
            name,
            run: Box::new(move |call| Box::pin(run(call))),
        }
    }
}

/// A piece of work and the ways of doing it; the first is the one that Pilaster chose.
struct Contest {
    work: &'static str,
    ways: Vec<Way>,
}

/// Compares on the engine that `url` names; `signatures` compares libraries for signing.
pub(crate) async fn run(url: &str) -> Result<()> {
    let contests = if url.starts_with("sqlite:") {
        sqlite::contests(url)?
    } else if url.starts_with("postgres") {
        postgres::contests(url).await?
    } else if url == "signatures" {
        signatures()
    } else {
        mysql::contests(url).await?
    };
    for contest in contests {
        contest.run().await?;
    }
    Ok(())
}

#[cfg(feature = "alternatives")]
fn signatures() -> Vec<Contest> {
    alternatives::signatures()
}

#[cfg(not(feature = "alternatives"))]
fn signatures() -> Vec<Contest> {
    Vec::new()
}

impl Contest {
    async fn run(self) -> Result<()> {
        println!("  {:<44}{:>10}{:>8}", self.work, "per s", "ratio");
        let ways: Vec<Arc<Way>> = self.ways.into_iter().map(Arc::new).collect();
        let mut rates = vec![Vec::new(); ways.len()];
        for _ in 0..ROUNDS {
            for (way, rates) in ways.iter().zip(&mut rates) {
                rates.push(rate(way).await?);
            }
        }
        let chosen = rates.first().cloned().unwrap_or_default();
        for (way, rates) in ways.iter().zip(rates) {
            let ratios = rates.iter().zip(&chosen).map(|(rate, base)| rate / base);
            let (ratio, rate) = (median(ratios.collect()), median(rates.clone()));
            println!("    {:<42}{rate:>10.0}{ratio:>8.2}", way.name);
        }
        Ok(())
    }
}

/// Calls a second with [`TASKS`] callers for one round.
async fn rate(way: &Arc<Way>) -> Result<f64> {
    let calls = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (way, calls) = (Arc::clone(way), Arc::clone(&calls));
            tokio::spawn(async move {
                while began.elapsed() < ROUND {
                    (way.run)(calls.fetch_add(1, Ordering::Relaxed)).await?;
                    // A call that never waits must still let the other callers have their turn.
                    tokio::task::consume_budget().await;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let calls = calls.load(Ordering::Relaxed) as f64;
    Ok(calls / began.elapsed().as_secs_f64())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The user that a call asks for: another one each time.
fn user_of(call: usize) -> Uuid {
    crate::load::user_id(call * 7919 % USERS)
}

/// Ends a call by writing what it read as JSON, as a response would.
fn written(value: &impl serde::Serialize) -> Result<()> {
    let body = serde_json::to_vec(value)?;
    anyhow::ensure!(!std::hint::black_box(body).is_empty(), "an empty body");
    Ok(())
}
