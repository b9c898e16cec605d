//! How many mails a mailbox is sent, and how many one client may have sent.
//!
//! What a mailbox was sent is counted in the database, by its tickets: every server and every
//! restart knows it. While one request is admitted, others for the same mailbox wait, so that no
//! number of them at once passes. What clients ask for is counted by each server for itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use credentials::EmailAddress;
use credentials::token::Purpose;
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use store::{Store, StoreResult, tickets};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How many mails are sent in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailLimits {
    /// To one mailbox, for one purpose.
    pub per_mailbox: u32,
    /// For one network address.
    pub per_address: u32,
    /// The time.
    pub window: Duration,
}

/// Turns in which mailboxes are admitted; two that share one wait for each other for nothing.
const TURNS: usize = 64;

/// Network addresses that are remembered.
const ADDRESSES: u64 = 100_000;

/// Whether a mail may be sent.
pub(crate) enum Admission {
    /// It may, as long as this is held until it was written.
    Granted(OwnedMutexGuard<()>),
    /// It may not, and whoever asked is told nothing of that.
    Suppressed,
}

pub(crate) struct Limits {
    most: MailLimits,
    turns: Vec<Arc<Mutex<()>>>,
    addresses: Cache<IpAddr, Arc<std::sync::atomic::AtomicU32>>,
}

impl Limits {
    pub(crate) fn new(limits: MailLimits) -> Self {
        Self {
            most: limits,
            turns: (0..TURNS).map(|_| Arc::default()).collect(),
            addresses: Cache::builder()
                .max_capacity(ADDRESSES)
                .time_to_live(limits.window)
                .build(),
        }
    }

    /// Admits a mail of that purpose to a mailbox, for a client.
    pub(crate) async fn admit(
        &self,
        store: &Store,
        purpose: Purpose,
        mailbox: &EmailAddress,
        client: Option<IpAddr>,
    ) -> StoreResult<Admission> {
        if client.is_some_and(|client| !self.count(client)) {
            tracing::info!(
                purpose = purpose.name(),
                "a mail was suppressed: its client asks for too many"
            );
            return Ok(Admission::Suppressed);
        }
        let turn = Arc::clone(&self.turns[self.turn_of(mailbox)]);
        let turn = turn.lock_owned().await;
        let window = SignedDuration::try_from(self.most.window).unwrap_or(SignedDuration::MAX);
        let since = store.clock.now().checked_sub(window);
        let since = since.unwrap_or(Timestamp::MIN);
        let sent = tickets::count_since(store, purpose, mailbox, since).await?;
        if sent >= i64::from(self.most.per_mailbox) {
            tracing::info!(
                purpose = purpose.name(),
                "a mail was suppressed: its mailbox has got too many"
            );
            return Ok(Admission::Suppressed);
        }
        Ok(Admission::Granted(turn))
    }

    fn turn_of(&self, mailbox: &EmailAddress) -> usize {
        let hash = xxhash_rust::xxh3::xxh3_64(mailbox.as_str().as_bytes());
        let turns = u64::try_from(self.turns.len()).unwrap_or(1);
        usize::try_from(hash % turns).unwrap_or(0)
    }

    /// Counts a request; gives whether it is still within the limit.
    fn count(&self, client: IpAddr) -> bool {
        let counter = self.addresses.get_with(network(client), Arc::default);
        let before = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        before < self.most.per_address
    }
}

/// Of IPv6 the first half: a customer has all addresses that begin so.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}
