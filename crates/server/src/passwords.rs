//! Hashing passwords on threads of its own, a bounded number at a time.

use std::sync::Arc;

use axum::http::StatusCode;
use credentials::{HashError, HashParams, MasterKey, Password, PasswordHash, Peppers, Verdict};
use stdx::Rng;
use tokio::sync::Semaphore;

use crate::error::Refusal;

/// Callers that may wait for a place; more are told to come again.
const QUEUE: usize = 256;

/// The pepper of new hashes.
pub(crate) const PEPPER: u32 = 1;

/// A password's hash, for who has no server at hand; takes as long as a sign-in.
pub fn hash_password(
    master: &MasterKey,
    password: &Password,
    params: HashParams,
    rng: &Rng,
) -> Result<PasswordHash, HashError> {
    credentials::hash(password, &master.pepper(PEPPER), params, rng)
}

/// What became of a comparison.
pub(crate) enum Compared {
    /// The password is right.
    Right {
        /// The stored hash and the one that should stand in its place.
        upgrade: Option<(PasswordHash, PasswordHash)>,
    },
    /// It is wrong, or there is nobody of that name.
    Wrong,
}

/// The threads that may be busy with passwords.
pub(crate) struct PasswordPool {
    peppers: Arc<Peppers>,
    params: HashParams,
    places: Arc<Semaphore>,
    queue: Semaphore,
}

impl PasswordPool {
    pub(crate) fn new(peppers: Peppers, params: HashParams) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            peppers: Arc::new(peppers),
            params,
            places: Arc::new(Semaphore::new(cores)),
            queue: Semaphore::new(QUEUE),
        }
    }

    pub(crate) async fn hash(&self, password: Password, rng: Rng) -> Result<PasswordHash, Refusal> {
        let (peppers, params) = (Arc::clone(&self.peppers), self.params);
        self.run(move || credentials::hash(&password, peppers.current(), params, &rng))
            .await
    }

    /// Compares with a stored hash, or does the same work for nobody. A hash of older parameters
    /// or pepper is made anew while the password is at hand.
    pub(crate) async fn compare(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        rng: Rng,
    ) -> Result<Compared, Refusal> {
        let (peppers, params) = (Arc::clone(&self.peppers), self.params);
        self.run(move || {
            let Some(stored) = stored else {
                credentials::verify_unknown(&password, &peppers, params)?;
                return Ok(Compared::Wrong);
            };
            match credentials::verify(&password, &stored, &peppers, params)? {
                Verdict::Mismatch => Ok(Compared::Wrong),
                Verdict::Match {
                    needs_upgrade: false,
                } => Ok(Compared::Right { upgrade: None }),
                Verdict::Match {
                    needs_upgrade: true,
                } => {
                    let new = credentials::hash(&password, peppers.current(), params, &rng)?;
                    let upgrade = Some((stored, new));
                    Ok(Compared::Right { upgrade })
                }
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let busy = || {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "PGRST003",
                "too many sign-ins at once",
            )
        };
        let _waiting = self.queue.try_acquire().map_err(|_| busy())?;
        // A caller that goes away while it waits drops this future and frees its place.
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(place);
            result
        });
        let result = done
            .await
            .map_err(|error| Refusal::internal("password thread", &error))?;
        result.map_err(|error| Refusal::internal("password hash", &error))
    }
}
