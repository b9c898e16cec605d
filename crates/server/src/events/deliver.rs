//! The worker behind the outbox: takes what is due, delivers it, tries again, gives up.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use rest::{Moment, Occurrence};
use sql::DbError;
use stdx::Rng;
use store::deliveries::{self, After, Delivery};
use store::{StoreError, StoreResult};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{Instrument as _, Span};

use super::logout;
use super::send::{Message, Sender, Undelivered};
use super::webhook::{Retries, Webhook};
use crate::App;
use crate::app::State;
use crate::oauth2::LOGOUTS;
use crate::traces;

/// How often the outbox is looked at when nobody says that there is something in it.
const POLL: Duration = Duration::from_secs(1);

/// The longest pause while the database does not answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(30);

/// Deliveries that are taken at once, and of these, under way at once.
const PAGE: u64 = 16;
const AT_ONCE: usize = 4;

/// How long a hook file's delivery is nobody else's. What takes longer is safe still: its unit
/// fails if somebody else has taken over.
const HOOK_LEASE: Duration = Duration::from_secs(15);

/// What a webhook's lease is longer than its attempt.
const MARGIN: Duration = Duration::from_secs(5);

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_hours(12);

/// The running worker.
pub(crate) struct Deliveries {
    lanes: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// Who is served one after the other: a receiver that is slow holds up nobody else.
#[derive(Clone)]
enum Lane {
    Hooks,
    Webhook(Webhook, Arc<Sender>),
    /// Clients of OAuth that are told of logouts.
    Logouts(Arc<Sender>),
}

/// Why a delivery failed, in words without values.
pub(crate) struct Failed {
    pub(crate) error: String,
    pause: Option<Duration>,
    for_good: bool,
}

impl Deliveries {
    /// Begins to deliver.
    pub(crate) fn start(app: &App) -> Self {
        let (stop, stopped) = watch::channel(false);
        let webhooks = &app.0.settings.webhooks;
        let sender = Arc::new(Sender::new(webhooks));
        let mut lanes = JoinSet::new();
        let listed = webhooks.list.iter().cloned();
        let all = listed.map(|webhook| Lane::Webhook(webhook, Arc::clone(&sender)));
        let own = [Lane::Hooks, Lane::Logouts(Arc::clone(&sender))];
        for lane in own.into_iter().chain(all) {
            lanes.spawn(run(Arc::clone(&app.0), lane, stopped.clone()));
        }
        Self { lanes, stop }
    }

    /// Finishes what is under way, and no more.
    pub(crate) async fn stop(mut self) {
        // Nobody listens when every lane has ended already.
        let _ = self.stop.send(true);
        while self.lanes.join_next().await.is_some() {}
    }
}

async fn run(state: Arc<State>, lane: Lane, mut stopped: watch::Receiver<bool>) {
    let mut pause = POLL;
    while !*stopped.borrow() {
        let woken = state.outbox.notified();
        match page(&state, &lane, &stopped).await {
            // There may be more.
            Ok(taken) if taken > 0 => {
                pause = POLL;
                continue;
            }
            Ok(_) => pause = POLL,
            Err(error) => {
                tracing::warn!(error = without_values(&error), "the outbox cannot be read");
                pause = (pause * 2).min(DATABASE_PAUSE);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = woken => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Delivers one page of what is due; gives how many were this server's.
async fn page(state: &State, lane: &Lane, stopped: &watch::Receiver<bool>) -> StoreResult<usize> {
    let due = deliveries::due(&state.store, &lane.targets(state), PAGE).await?;
    let attempts = due.into_iter().map(|delivery| async move {
        // What has not begun when the server is asked to stop is left to the next one.
        let is_over = *stopped.borrow();
        match is_over {
            true => Ok(false),
            false => one(state, lane, delivery).await,
        }
    });
    let done: Vec<StoreResult<bool>> = futures_util::stream::iter(attempts)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut ours = 0;
    for taken in done {
        ours += usize::from(taken?);
    }
    Ok(ours)
}

/// Leases, delivers and settles one; gives whether it was this server's.
async fn one(state: &State, lane: &Lane, seen: Delivery) -> StoreResult<bool> {
    let length = lane.lease(state);
    let Some(delivery) = deliveries::lease(&state.store, seen, length).await? else {
        return Ok(false);
    };
    let most = i64::from(state.settings.retries.attempts);
    let result = match delivery.attempts > most {
        // Begun so often and never ended: something takes the whole server with it.
        true => Err(Failed {
            error: String::from("no attempt came to its end"),
            pause: None,
            for_good: true,
        }),
        false => lane.deliver(state, &delivery).await,
    };
    let (id, event, target) = (&delivery.id, &delivery.event, &delivery.target);
    let failed = match result {
        Ok(()) => {
            tracing::debug!(delivery = %id, event, target, "delivered");
            return Ok(true);
        }
        Err(failed) => failed,
    };
    let now = state.store.clock.now();
    let after = after(
        &failed,
        delivery.attempts,
        state.settings.retries,
        now,
        &state.rng,
    );
    let (error, attempt) = (&failed.error, delivery.attempts);
    if !deliveries::failed(&state.store, &delivery, error, after).await? {
        return Ok(true);
    }
    match after {
        After::RetryAt(then) => {
            tracing::warn!(delivery = %id, event, target, attempt, error, again_at = %then, "a delivery failed");
        }
        After::Dead => {
            tracing::error!(delivery = %id, event, target, attempt, error, "a delivery was given up; pilaster hooks retry tries it again");
        }
    }
    Ok(true)
}

impl Lane {
    fn targets(&self, state: &State) -> Vec<String> {
        match self {
            Self::Webhook(webhook, _) => vec![webhook.target()],
            Self::Logouts(_) => vec![LOGOUTS.to_owned()],
            Self::Hooks => {
                let compiled = state.compiled.load();
                let told = compiled.hooks.iter().filter(|hook| hook.event.is_told());
                told.map(|hook| hook.event.path()).collect()
            }
        }
    }

    fn lease(&self, state: &State) -> Duration {
        match self {
            Self::Webhook(..) | Self::Logouts(_) => state.settings.webhooks.timeout + MARGIN,
            Self::Hooks => HOOK_LEASE,
        }
    }

    async fn deliver(&self, state: &State, delivery: &Delivery) -> Result<(), Failed> {
        let kind = match self {
            Self::Webhook(..) | Self::Logouts(_) => "client",
            Self::Hooks => "internal",
        };
        let span = traces::of_delivery(&delivery.event, &delivery.target, kind);
        let delivered = async {
            match self {
                Self::Webhook(webhook, sender) => {
                    to_webhook(state, webhook, sender, delivery).await
                }
                Self::Logouts(sender) => logout::to_client(state, sender, delivery).await,
                Self::Hooks => to_hook(state, delivery).await,
            }
        };
        let delivered = delivered.instrument(span.clone()).await;
        if delivered.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        delivered
    }
}

/// The file's statements and the mark that it is done, in one unit: its effect happens once.
async fn to_hook(state: &State, delivery: &Delivery) -> Result<(), Failed> {
    let told = Occurrence::of_message(&delivery.message).map_err(|error| Failed {
        error: error.to_string(),
        pause: None,
        for_good: true,
    })?;
    let mut unit = vec![deliveries::done_step(&state.store, delivery)];
    {
        let compiled = state.compiled.load();
        let hook = compiled.hooks.of(told.event);
        let hook = hook.ok_or_else(|| Failed::again("its file is gone"))?;
        let moment = Moment {
            now: state.store.clock.now(),
            clock: &state.clock,
            rng: &state.rng,
        };
        unit.extend(hook.steps(&told, delivery.id, moment));
    }
    match state.store.db.write(unit).await {
        Ok(outcomes) => {
            // The first is our own mark.
            let rows: u64 = outcomes.iter().skip(1).map(|done| done.affected).sum();
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            Span::current().record("app.result_length", rows);
            Ok(())
        }
        // Somebody else has it: the lease ran out before this began.
        Err(DbError::Unexpected { step: 0, .. }) => Ok(()),
        Err(error) => Err(Failed::again(error.without_values())),
    }
}

async fn to_webhook(
    state: &State,
    webhook: &Webhook,
    sender: &Sender,
    delivery: &Delivery,
) -> Result<(), Failed> {
    let id = delivery.id.to_string();
    let message = Message {
        id: &id,
        timestamp: state.store.clock.now().as_second(),
        body: &delivery.message,
    };
    sender.send(webhook, &message).await.map_err(Failed::from)?;
    let done = deliveries::done_step(&state.store, delivery);
    match state.store.db.write(vec![done]).await {
        Ok(_) | Err(DbError::Unexpected { .. }) => Ok(()),
        // It will be delivered again: at least once is what is promised.
        Err(error) => Err(Failed::again(error.without_values())),
    }
}

impl From<Undelivered> for Failed {
    fn from(error: Undelivered) -> Self {
        match error {
            Undelivered::Again(error, pause) => Self {
                pause,
                ..Self::again(error)
            },
            Undelivered::Never(error) => Self::for_good(error),
        }
    }
}

impl Failed {
    /// Nothing is gained by trying it again.
    pub(crate) fn for_good(error: impl Into<String>) -> Self {
        Self {
            for_good: true,
            ..Self::again(error)
        }
    }

    /// It may work the next time.
    pub(crate) fn again(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            pause: None,
            for_good: false,
        }
    }
}

/// What becomes of a delivery behind its `attempt`, counted from 1.
pub(crate) fn after(
    failed: &Failed,
    attempt: i64,
    retries: Retries,
    now: Timestamp,
    rng: &Rng,
) -> After {
    if failed.for_good || attempt >= i64::from(retries.attempts) {
        return After::Dead;
    }
    let pause = pause(retries.first_pause, attempt, rng).max(failed.pause.unwrap_or_default());
    let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
    After::RetryAt(now.checked_add(pause).unwrap_or(Timestamp::MAX))
}

/// Three times as long behind each attempt, between half of it and all of it: what failed
/// together does not come back together.
fn pause(first: Duration, attempt: i64, rng: &Rng) -> Duration {
    let grown = u32::try_from(attempt - 1).unwrap_or(0).min(20);
    let whole = first
        .saturating_mul(3_u32.saturating_pow(grown))
        .min(LONGEST);
    let [chance] = rng.bytes::<1>();
    let pause = whole / 2 + whole / 2 * u32::from(chance) / 255;
    // Whole milliseconds: finer than microseconds no engine stores.
    Duration::from_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

fn without_values(error: &StoreError) -> String {
    match error {
        StoreError::Db(error) => error.without_values(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    //! Pauses.

    use std::time::Duration;

    use stdx::Rng;

    use super::{After, Failed, LONGEST, Retries, after, pause};

    #[test]
    fn pauses_grow_and_end() {
        let first = Duration::from_secs(5);
        for attempt in 1..40 {
            let whole = first
                .saturating_mul(3_u32.saturating_pow(attempt - 1))
                .min(LONGEST);
            let pause = pause(first, i64::from(attempt), &Rng::System);
            assert!(
                pause + Duration::from_millis(1) > whole / 2 && pause <= whole,
                "{attempt}: {pause:?}"
            );
        }
        let retries = Retries {
            attempts: 3,
            first_pause: first,
        };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let failed = Failed::again("x");
        assert!(matches!(
            after(&failed, 2, retries, now, &Rng::System),
            After::RetryAt(_)
        ));
        assert_eq!(after(&failed, 3, retries, now, &Rng::System), After::Dead);
    }
}
