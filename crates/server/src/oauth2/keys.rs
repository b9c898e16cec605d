//! The keys that sign, as this process knows them: looked at again when somebody else may have made
//! or replaced one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use credentials::KeyEncryptionKey;
use oauth::{Algorithm, VerifyingKeys};
use rest::RestError;
use sql::DbError;
use store::signing_keys::{self, SigningKeys};

use crate::app::State;
use crate::error::Refusal;
use crate::identity::of_store;

/// Seconds between two looks into the database because of a key that is not known here, so that
/// forged tokens cost no more than one look.
const PAUSE: i64 = 1;

/// The keys of all processes, and what opens them.
pub(crate) struct KeyRing {
    known: ArcSwap<SigningKeys>,
    seal: KeyEncryptionKey,
    looked_at: AtomicI64,
}

impl KeyRing {
    pub(crate) fn new(keys: SigningKeys, seal: KeyEncryptionKey) -> Self {
        Self {
            known: ArcSwap::from_pointee(keys),
            seal,
            looked_at: AtomicI64::new(0),
        }
    }

    /// As they were known last.
    pub(crate) fn known(&self) -> Arc<SigningKeys> {
        self.known.load_full()
    }

    /// What verifies, as it was known last.
    pub(crate) fn verifying(&self) -> VerifyingKeys {
        self.known.load().verifying.clone()
    }
}

impl State {
    /// The keys, with one among them that signs with `algorithm`; it is made where it is missing.
    pub(crate) async fn signing_keys(
        &self,
        algorithm: Algorithm,
    ) -> Result<Arc<SigningKeys>, Refusal> {
        let known = self.keys.known();
        if known.signing(algorithm).is_some() {
            return Ok(known);
        }
        if self.is_read_only {
            return Err(RestError::of_read(&DbError::ReadOnly).into());
        }
        let made = signing_keys::create(&self.store, &self.keys.seal, algorithm).await;
        made.map_err(|error| of_store(&error))?;
        self.look_at_keys().await
    }

    /// The keys as the database has them, unless they were looked at a moment ago.
    pub(crate) async fn newer_keys(&self) -> Result<Option<Arc<SigningKeys>>, Refusal> {
        let now = self.clock.now().as_second();
        let before = self.keys.looked_at.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(before) >= PAUSE;
        let is_mine = is_due
            && self
                .keys
                .looked_at
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        match is_mine {
            true => self.look_at_keys().await.map(Some),
            false => Ok(None),
        }
    }

    async fn look_at_keys(&self) -> Result<Arc<SigningKeys>, Refusal> {
        let found = signing_keys::load(&self.store, &self.keys.seal).await;
        if let Some(found) = found.map_err(|error| of_store(&error))? {
            self.keys.known.store(Arc::new(found));
        }
        Ok(self.keys.known())
    }
}
