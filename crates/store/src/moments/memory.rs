//! Moments in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use stdx::Clock;

use super::{Count, Key};

/// Kept moments at which those past their time are looked for.
const MANY: usize = 10_000;

#[derive(Clone)]
pub(super) struct Memory {
    clock: Clock,
    kept: Arc<Mutex<HashMap<String, Kept>>>,
}

struct Kept {
    content: String,
    counted: u32,
    expires_at: Timestamp,
}

impl Memory {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            kept: Arc::default(),
        }
    }

    pub(super) fn put(&self, key: &Key, content: &str, life: Duration) {
        let kept = Kept {
            content: content.to_owned(),
            counted: 0,
            expires_at: self.end(life),
        };
        if self.lock().len() >= MANY {
            self.purge();
        }
        self.lock().insert(key.id.clone(), kept);
    }

    pub(super) fn take(&self, key: &Key) -> Option<String> {
        let taken = self.lock().remove(&key.id)?;
        (taken.expires_at > self.clock.now()).then_some(taken.content)
    }

    pub(super) fn peek(&self, key: &Key) -> Option<String> {
        let now = self.clock.now();
        let kept = self.lock();
        let kept = kept.get(&key.id).filter(|kept| kept.expires_at > now)?;
        Some(kept.content.clone())
    }

    pub(super) fn forget(&self, key: &Key) {
        self.lock().remove(&key.id);
    }

    pub(super) fn count_up(&self, key: &Key, life: Duration) -> Count {
        let (now, ends_at) = (self.clock.now(), self.end(life));
        let mut kept = self.lock();
        let counter = kept.entry(key.id.clone()).or_insert_with(|| Kept {
            content: String::new(),
            counted: 0,
            expires_at: ends_at,
        });
        if counter.expires_at <= now {
            counter.counted = 0;
        }
        counter.counted = counter.counted.saturating_add(1);
        counter.expires_at = ends_at;
        Count {
            number: counter.counted,
            ends_at,
        }
    }

    pub(super) fn count_down(&self, key: &Key) {
        if let Some(counter) = self.lock().get_mut(&key.id) {
            counter.counted = counter.counted.saturating_sub(1);
        }
    }

    pub(super) fn count(&self, key: &Key) -> Option<Count> {
        let now = self.clock.now();
        let kept = self.lock();
        let counter = kept.get(&key.id).filter(|kept| kept.expires_at > now)?;
        Some(Count {
            number: counter.counted,
            ends_at: counter.expires_at,
        })
    }

    pub(super) fn purge(&self) -> u64 {
        let now = self.clock.now();
        let mut kept = self.lock();
        let before = kept.len();
        kept.retain(|_, kept| kept.expires_at > now);
        u64::try_from(before - kept.len()).unwrap_or(0)
    }

    fn end(&self, life: Duration) -> Timestamp {
        let now = self.clock.now();
        now.checked_add(life).unwrap_or(now)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
