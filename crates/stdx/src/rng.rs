//! Chance, as an argument.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, SeedableRng as _, TryRng as _};

/// Where a room gets unpredictable bytes from.
#[derive(Clone, Debug)]
pub enum Rng {
    /// The operating system's generator.
    System,
    /// A generator that gives the same bytes for the same seed; for tests alone.
    Seeded(Arc<Mutex<StdRng>>),
}

impl Rng {
    /// A generator whose bytes follow from `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Fills `target` with unpredictable bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can be done without.
    pub fn fill(&self, target: &mut [u8]) {
        match self {
            Self::System => {
                SysRng
                    .try_fill_bytes(target)
                    .expect("the operating system gives random bytes");
            }
            Self::Seeded(rng) => {
                rng.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .fill_bytes(target);
            }
        }
    }

    /// `N` unpredictable bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
