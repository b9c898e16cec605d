//! What we wish the standard library had: clock, chance, ids, secrets, durations.
//!
//! No async, no IO. Time and chance are arguments everywhere in Pilaster, so that the same
//! input gives the same bytes in a test.

mod clock;
mod duration;
mod id;
mod nearest;
mod rng;
mod secret;

pub use clock::Clock;
pub use duration::{DurationError, parse_duration};
pub use id::new_id;
pub use nearest::nearest;
pub use rng::Rng;
pub use secret::Secret;

#[cfg(test)]
mod tests;
