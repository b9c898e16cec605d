//! The outbox: what is still to be told to a hook file or a webhook.
//!
//! A row is written in the event's own transaction and removed when it has been delivered. Who
//! works on a row leases it first; every change is conditional on the `version` that its author
//! has seen, so of any number of servers one gets the lease, and one whose lease ran out while it
//! was at work cannot finish what somebody else has taken over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sql::{Expect, Kind, Query, Row, Sql, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

/// The longest text of an error that is kept, in characters.
const MOST_ERROR: usize = 500;

/// Something to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The same at every attempt.
    pub id: Uuid,
    /// The same for everybody who is told of the event.
    pub event_id: Uuid,
    /// The event's name.
    pub event: String,
    /// Who is told: `hooks/login.sql`, `webhooks.NAME`.
    pub target: String,
    /// What is told, JSON.
    pub message: String,
    /// Attempts that were begun.
    pub attempts: i64,
    /// Grows with each change.
    pub version: i64,
    /// When it is to be tried.
    pub due_at: Timestamp,
    /// Until when somebody is at it.
    pub leased_until: Option<Timestamp>,
    /// When it was given up.
    pub dead_at: Option<Timestamp>,
    /// What went wrong last; no value of the message stands in it.
    pub last_error: Option<String>,
    /// When the event happened.
    pub created_at: Timestamp,
}

/// How many deliveries a target has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The target.
    pub target: String,
    /// Still to be delivered.
    pub waiting: i64,
    /// Given up.
    pub dead: i64,
}

/// What becomes of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is tried again then.
    RetryAt(Timestamp),
    /// It is given up until somebody says `hooks retry`.
    Dead,
}

/// The step that puts a new delivery into the outbox, due at once; part of the event's unit.
#[must_use]
pub fn insert_step(
    store: &Store,
    event_id: Uuid,
    event: &str,
    target: &str,
    message: &str,
) -> Step {
    let now = store.clock.now();
    let mut sql = store.sql();
    sql.push(
        "insert into auth_deliveries (id, event_id, event, target, message, attempts, version, \
         due_at, created_at) values (",
    );
    sql.arg(stdx::new_id(&store.clock, &store.rng));
    sql.push(", ").arg(event_id).push(", ").arg(event);
    sql.push(", ").arg(target).push(", ").arg(message);
    sql.push(", 0, 0, ").arg(now).push(", ").arg(now).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// What is due for these targets and leased by nobody, oldest first.
pub async fn due(store: &Store, targets: &[String], limit: u64) -> StoreResult<Vec<Delivery>> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = select(store);
    sql.push(" where target in (");
    for (place, target) in targets.iter().enumerate() {
        if place > 0 {
            sql.push(", ");
        }
        sql.arg(target.as_str());
    }
    let now = store.clock.now();
    sql.push(") and dead_at is null and due_at <= ").arg(now);
    sql.push(" and (leased_until is null or leased_until <= ")
        .arg(now);
    sql.push(") order by due_at, id limit ").number(limit);
    read(store, sql).await
}

/// Takes a delivery for `lease`; gives it as it then is, or `None` when somebody else was faster.
pub async fn lease(
    store: &Store,
    delivery: Delivery,
    lease: Duration,
) -> StoreResult<Option<Delivery>> {
    let until = later(store.clock.now(), lease);
    let mut sql = store.sql();
    sql.push("update auth_deliveries set version = version + 1, attempts = attempts + 1");
    sql.push(", leased_until = ").arg(until);
    guard(&mut sql, &delivery);
    let step = Step::new(sql).expecting(Expect::AtMost(1));
    let outcomes = store.db.write(vec![step]).await?;
    let is_ours = outcomes.iter().any(|outcome| outcome.affected == 1);
    Ok(is_ours.then(|| Delivery {
        version: delivery.version + 1,
        attempts: delivery.attempts + 1,
        leased_until: Some(until),
        ..delivery
    }))
}

/// The step that removes what has been delivered. First in the unit of a hook's own statements:
/// its condition is what makes their effect happen once.
#[must_use]
pub fn done_step(store: &Store, delivery: &Delivery) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_deliveries");
    guard(&mut sql, delivery);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// Notes a failed attempt; gives whether the delivery was still the caller's.
pub async fn failed(
    store: &Store,
    delivery: &Delivery,
    error: &str,
    after: After,
) -> StoreResult<bool> {
    let now = store.clock.now();
    let (due_at, dead_at) = match after {
        After::RetryAt(then) => (then, None),
        After::Dead => (now, Some(now)),
    };
    let error: String = error.chars().take(MOST_ERROR).collect();
    let mut sql = store.sql();
    sql.push("update auth_deliveries set version = version + 1, leased_until = null");
    sql.push(", due_at = ").arg(due_at);
    sql.push(", dead_at = ").arg(dead_at);
    sql.push(", last_error = ").arg(error);
    guard(&mut sql, delivery);
    let step = Step::new(sql).expecting(Expect::AtMost(1));
    let outcomes = store.db.write(vec![step]).await?;
    Ok(outcomes.iter().any(|outcome| outcome.affected == 1))
}

/// Deliveries that failed at least once, dead ones first, then the oldest, at most `limit`.
pub async fn failures(store: &Store, limit: u64) -> StoreResult<Vec<Delivery>> {
    let mut sql = select(store);
    sql.push(" where last_error is not null");
    sql.push(" order by case when dead_at is null then 1 else 0 end, created_at, id limit ");
    sql.number(limit);
    read(store, sql).await
}

/// How many deliveries each target has, in the order of their names.
pub async fn standing(store: &Store) -> StoreResult<Vec<Standing>> {
    let mut sql = store.sql();
    sql.push(
        "select target, count(*) - count(dead_at), count(dead_at) from auth_deliveries \
         group by target order by target",
    );
    let query = Query::long(sql, vec![Kind::Text, Kind::BigInt, Kind::BigInt]);
    let read = |row| {
        let mut columns = Columns::of("auth_deliveries", row);
        Ok(Standing {
            target: columns.text()?,
            waiting: columns.int()?,
            dead: columns.int()?,
        })
    };
    let rows = store.db.settled_rows(&query).await?;
    rows.into_iter().map(read).collect()
}

/// Makes one failed delivery due at once, its attempts counted anew; gives whether there was one
/// that nobody is at.
pub async fn retry_one(store: &Store, id: Uuid) -> StoreResult<bool> {
    let mut sql = retry(store);
    sql.push(" where id = ").arg(id);
    sql.push(" and last_error is not null and (leased_until is null or leased_until <= ")
        .arg(store.clock.now());
    sql.push(")");
    let step = Step::new(sql).expecting(Expect::AtMost(1));
    let outcomes = store.db.write(vec![step]).await?;
    Ok(outcomes.iter().any(|outcome| outcome.affected == 1))
}

/// Makes every dead letter due at once; gives how many there were.
pub async fn retry_all(store: &Store) -> StoreResult<u64> {
    let mut sql = retry(store);
    sql.push(" where dead_at is not null");
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.iter().map(|outcome| outcome.affected).sum())
}

/// Removes one failed delivery; gives whether there was one that nobody is at.
pub async fn discard_one(store: &Store, id: Uuid) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("delete from auth_deliveries where id = ").arg(id);
    sql.push(" and last_error is not null and (leased_until is null or leased_until <= ")
        .arg(store.clock.now());
    sql.push(")");
    let step = Step::new(sql).expecting(Expect::AtMost(1));
    let outcomes = store.db.write(vec![step]).await?;
    Ok(outcomes.iter().any(|outcome| outcome.affected == 1))
}

/// Removes everything that is still to be delivered to a target; gives how much there was.
pub async fn discard_all(store: &Store, target: &str) -> StoreResult<u64> {
    let mut sql = store.sql();
    sql.push("delete from auth_deliveries where target = ")
        .arg(target);
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.iter().map(|outcome| outcome.affected).sum())
}

fn retry(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push("update auth_deliveries set version = version + 1, attempts = 0, dead_at = null");
    sql.push(", leased_until = null, due_at = ")
        .arg(store.clock.now());
    sql
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// "If it is still as it was seen."
fn guard(sql: &mut Sql, delivery: &Delivery) {
    sql.push(" where id = ").arg(delivery.id);
    sql.push(" and version = ").arg(delivery.version);
}

fn select(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push(
        "select id, event_id, event, target, message, attempts, version, due_at, leased_until, \
         dead_at, last_error, created_at from auth_deliveries",
    );
    sql
}

async fn read(store: &Store, sql: Sql) -> StoreResult<Vec<Delivery>> {
    let kinds = vec![
        Kind::Uuid,
        Kind::Uuid,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Integer,
        Kind::Integer,
        Kind::Timestamp,
        Kind::Timestamp,
        Kind::Timestamp,
        Kind::Text,
        Kind::Timestamp,
    ];
    let rows = store.db.rows(&Query::short(sql, kinds)).await?;
    rows.into_iter().map(delivery).collect()
}

fn delivery(row: Row) -> StoreResult<Delivery> {
    let mut columns = Columns::of("auth_deliveries", row);
    Ok(Delivery {
        id: columns.uuid()?,
        event_id: columns.uuid()?,
        event: columns.text()?,
        target: columns.text()?,
        message: columns.text()?,
        attempts: columns.int()?,
        version: columns.int()?,
        due_at: columns.moment()?,
        leased_until: columns.optional_moment()?,
        dead_at: columns.optional_moment()?,
        last_error: columns.optional_text()?,
        created_at: columns.moment()?,
    })
}
