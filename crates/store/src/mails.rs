//! Mails on their way: what is still to be sent to a mailbox.
//!
//! A row is written in the unit of the act that it tells of and removed when the mail was handed to
//! a server. What its template is given lies sealed, because it may hold a link. Leases and versions
//! are as in `deliveries`: of any number of servers one sends a mail, and one whose lease ran out
//! while it was at work cannot settle what somebody else has taken over.

use std::time::Duration;

use credentials::{EmailAddress, MailKey};
use jiff::{SignedDuration, Timestamp};
use sql::{Expect, Kind, Query, Row, Sql, Step, Value};
use stdx::Secret;
use uuid::Uuid;

use crate::decode::Columns;
use crate::deliveries::After;
use crate::{Store, StoreResult};

/// The longest text of an error that is kept, in characters.
const MOST_ERROR: usize = 500;

/// How long what was given up is kept.
const KEPT: Duration = Duration::from_hours(24 * 30);

/// A mail to be sent.
#[derive(Debug)]
pub struct NewMail<'a> {
    /// To whom.
    pub mailbox: &'a EmailAddress,
    /// Which template.
    pub template: &'a str,
    /// In which language, BCP 47.
    pub language: &'a str,
    /// What the template is given, JSON.
    pub content: Secret<String>,
}

/// A mail on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The same at every attempt.
    pub id: Uuid,
    /// To whom.
    pub mailbox: EmailAddress,
    /// Which template.
    pub template: String,
    /// In which language, BCP 47.
    pub language: String,
    sealed: Vec<u8>,
    /// Attempts that were begun.
    pub attempts: i64,
    /// Grows with each change.
    pub version: i64,
    /// When it is to be tried.
    pub due_at: Timestamp,
    /// When it was given up.
    pub dead_at: Option<Timestamp>,
    /// What went wrong last; no address stands in it.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
}

impl Mail {
    /// What the template is given; `None` where it was sealed under another `SECRET_KEY`.
    #[must_use]
    pub fn open(&self, key: &MailKey) -> Option<Secret<Vec<u8>>> {
        key.open(self.id, &self.sealed).ok()
    }
}

/// The step that puts a mail on its way, due at once; part of the act's unit.
#[must_use]
pub fn insert_step(store: &Store, key: &MailKey, mail: &NewMail<'_>) -> Step {
    let now = store.clock.now();
    let id = stdx::new_id(&store.clock, &store.rng);
    let sealed = key.seal(id, mail.content.expose().as_bytes(), &store.rng);
    let mut sql = store.sql();
    sql.push(
        "insert into auth_mails (id, mailbox, template, language, sealed, attempts, version, \
         due_at, created_at) values (",
    );
    sql.arg(id).push(", ").arg(mail.mailbox.as_str());
    sql.push(", ").arg(mail.template);
    sql.push(", ").arg(mail.language);
    sql.push(", ").arg(Value::Bytes(sealed));
    sql.push(", 0, 0, ").arg(now).push(", ").arg(now).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// What is due and leased by nobody, oldest first.
pub async fn due(store: &Store, limit: u64) -> StoreResult<Vec<Mail>> {
    let now = store.clock.now();
    let mut sql = select(store);
    sql.push(" where dead_at is null and due_at <= ").arg(now);
    sql.push(" and (leased_until is null or leased_until <= ")
        .arg(now);
    sql.push(") order by due_at, id limit ").number(limit);
    read(store, sql).await
}

/// Takes a mail for `lease`; gives it as it then is, or `None` when somebody else was faster.
pub async fn lease(store: &Store, mail: Mail, lease: Duration) -> StoreResult<Option<Mail>> {
    let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::MAX);
    let until = store.clock.now().checked_add(lease);
    let mut sql = store.sql();
    sql.push("update auth_mails set version = version + 1, attempts = attempts + 1");
    sql.push(", leased_until = ")
        .arg(until.unwrap_or(Timestamp::MAX));
    Ok(settle(store, sql, &mail).await?.then(|| Mail {
        version: mail.version + 1,
        attempts: mail.attempts + 1,
        ..mail
    }))
}

/// Removes what was sent; gives whether it was still the caller's.
pub async fn done(store: &Store, mail: &Mail) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("delete from auth_mails");
    settle(store, sql, mail).await
}

/// Notes a failed attempt; gives whether the mail was still the caller's.
pub async fn failed(store: &Store, mail: &Mail, error: &str, after: After) -> StoreResult<bool> {
    let now = store.clock.now();
    let (due_at, dead_at) = match after {
        After::RetryAt(then) => (then, None),
        After::Dead => (now, Some(now)),
    };
    let error: String = error.chars().take(MOST_ERROR).collect();
    let mut sql = store.sql();
    sql.push("update auth_mails set version = version + 1, leased_until = null");
    sql.push(", due_at = ").arg(due_at);
    sql.push(", dead_at = ").arg(dead_at);
    sql.push(", last_error = ").arg(error);
    settle(store, sql, mail).await
}

/// Mails that failed at least once, dead ones first, then the oldest, at most `limit`.
pub async fn failures(store: &Store, limit: u64) -> StoreResult<Vec<Mail>> {
    let mut sql = select(store);
    sql.push(" where last_error is not null");
    sql.push(" order by case when dead_at is null then 1 else 0 end, created_at, id limit ");
    sql.number(limit);
    read(store, sql).await
}

/// Deletes what was given up a month ago; gives how many there were.
pub async fn purge(store: &Store) -> StoreResult<u64> {
    let kept = SignedDuration::try_from(KEPT).unwrap_or(SignedDuration::ZERO);
    let before = store.clock.now().checked_sub(kept);
    let mut sql = store.sql();
    sql.push("delete from auth_mails where dead_at < ")
        .arg(before.unwrap_or(Timestamp::MIN));
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.iter().map(|outcome| outcome.affected).sum())
}

/// Runs a change "if the mail is still as it was seen"; gives whether it was.
async fn settle(store: &Store, mut sql: Sql, mail: &Mail) -> StoreResult<bool> {
    sql.push(" where id = ").arg(mail.id);
    sql.push(" and version = ").arg(mail.version);
    let step = Step::new(sql).expecting(Expect::AtMost(1));
    let outcomes = store.db.write(vec![step]).await?;
    Ok(outcomes.iter().any(|outcome| outcome.affected == 1))
}

fn select(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push(
        "select id, mailbox, template, language, sealed, attempts, version, due_at, dead_at, \
         last_error, created_at from auth_mails",
    );
    sql
}

async fn read(store: &Store, sql: Sql) -> StoreResult<Vec<Mail>> {
    let kinds = vec![
        Kind::Uuid,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Bytes,
        Kind::Integer,
        Kind::Integer,
        Kind::Timestamp,
        Kind::Timestamp,
        Kind::Text,
        Kind::Timestamp,
    ];
    let rows = store.db.rows(&Query::short(sql, kinds)).await?;
    rows.into_iter().map(mail).collect()
}

fn mail(row: Row) -> StoreResult<Mail> {
    let mut columns = Columns::of("auth_mails", row);
    Ok(Mail {
        id: columns.uuid()?,
        mailbox: EmailAddress::parse(&columns.text()?)
            .map_err(|_| columns.corrupt("a mailbox is not in normal form"))?,
        template: columns.text()?,
        language: columns.text()?,
        sealed: columns.bytes()?,
        attempts: columns.int()?,
        version: columns.int()?,
        due_at: columns.moment()?,
        dead_at: columns.optional_moment()?,
        last_error: columns.optional_text()?,
        created_at: columns.moment()?,
    })
}
