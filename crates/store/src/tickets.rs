//! Tickets: links and codes that somebody has in a mailbox, each for one purpose, to be used once.
//!
//! Of a link the SHA-256 of its token is stored, of a code a keyed hash that is bound to its ticket.
//! Using a ticket is a conditional update in the unit of what it allows: of any number of uses at
//! the same moment one is committed. A ticket that was replaced by a newer one counts as used.

use std::time::Duration;

use credentials::token::{LinkToken, MailCode, Purpose};
use credentials::{CodeKey, EmailAddress};
use jiff::{SignedDuration, Timestamp};
use sql::{Expect, Kind, Query, Sql, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

/// Wrong tries of a code, behind which its ticket takes no code any more; the link stays good.
pub const MOST_TRIES: i64 = 5;

/// How long used and expired tickets are still counted.
const KEPT: Duration = Duration::from_hours(24);

/// A ticket to be issued.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// What it allows.
    pub purpose: Purpose,
    /// Whose it is, where there is an account already.
    pub user: Option<Uuid>,
    /// Where it is sent.
    pub mailbox: Option<EmailAddress>,
    /// What is to be known when it is used; JSON, by purpose.
    pub content: String,
    /// How long it is good.
    pub life: Duration,
}

/// What its owner is given; shown nowhere else.
#[derive(Debug)]
pub struct Issued {
    /// For the link.
    pub token: LinkToken,
    /// To be typed instead of following the link.
    pub code: MailCode,
    /// Until when both are good.
    pub expires_at: Timestamp,
}

/// A ticket that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    id: String,
    /// Whose it is, where there is an account already.
    pub user: Option<Uuid>,
    /// Where it was sent.
    pub mailbox: Option<EmailAddress>,
    /// What was to be known; JSON, by purpose.
    pub content: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What became of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It is right; the ticket is still to be used.
    Right(Ticket),
    /// It is wrong, or no ticket of that mailbox takes a code.
    Wrong,
}

/// The steps that issue a ticket; older ones of the same purpose and owner die with it.
#[must_use]
pub fn issue_steps(store: &Store, key: &CodeKey, ticket: &NewTicket) -> (Issued, Vec<Step>) {
    let now = store.clock.now();
    let token = LinkToken::generate(&store.rng);
    let code = MailCode::generate(&store.rng);
    let life = SignedDuration::try_from(ticket.life).unwrap_or(SignedDuration::MAX);
    let expires_at = now.checked_add(life).unwrap_or(Timestamp::MAX);
    let id = token.hash(ticket.purpose);
    let hash = code.hash(ticket.purpose, record_of(id.as_str()), key);
    let mut sql = store.sql();
    sql.push(
        "insert into auth_tickets (id, purpose, user_id, mailbox, code, attempts, content, \
         created_at, expires_at) values (",
    );
    sql.arg(id.as_str()).push(", ").arg(ticket.purpose.name());
    sql.push(", ").arg(ticket.user);
    sql.push(", ")
        .arg(ticket.mailbox.as_ref().map(EmailAddress::as_str));
    sql.push(", ").arg(hash.to_text()).push(", 0, ");
    sql.arg(ticket.content.as_str()).push(", ").arg(now);
    sql.push(", ").arg(expires_at).push(")");
    let owner = match (ticket.user, &ticket.mailbox) {
        (Some(user), _) => Some(void_of_user_step(store, ticket.purpose, user)),
        (None, Some(mailbox)) => Some(void_of_mailbox_step(store, ticket.purpose, mailbox)),
        (None, None) => None,
    };
    let mut steps: Vec<Step> = owner.into_iter().collect();
    steps.push(Step::new(sql).expecting(Expect::Rows(1)));
    let issued = Issued {
        token,
        code,
        expires_at,
    };
    (issued, steps)
}

/// The step after which no ticket of that purpose that a user was given is good.
#[must_use]
pub fn void_of_user_step(store: &Store, purpose: Purpose, user: Uuid) -> Step {
    let mut sql = void(store, purpose);
    sql.push(" and user_id = ").arg(user);
    Step::new(sql)
}

/// The step after which no ticket of that purpose that was sent to a mailbox is good.
#[must_use]
pub fn void_of_mailbox_step(store: &Store, purpose: Purpose, mailbox: &EmailAddress) -> Step {
    let mut sql = void(store, purpose);
    sql.push(" and mailbox = ").arg(mailbox.as_str());
    Step::new(sql)
}

fn void(store: &Store, purpose: Purpose) -> Sql {
    let mut sql = store.sql();
    sql.push("update auth_tickets set used_at = ")
        .arg(store.clock.now());
    sql.push(" where used_at is null and purpose = ")
        .arg(purpose.name());
    sql
}

/// The ticket of a link, if it is good for that purpose now.
pub async fn by_token(
    store: &Store,
    purpose: Purpose,
    token: &LinkToken,
) -> StoreResult<Option<Ticket>> {
    let mut sql = select(store, purpose);
    sql.push(" and id = ").arg(token.hash(purpose).as_str());
    let found = read(store, sql).await?;
    Ok(found.map(|(ticket, _)| ticket))
}

/// What the newest ticket of a mailbox holds that nobody has used or replaced, also when it has
/// expired, as long as it is kept.
pub async fn newest_content(
    store: &Store,
    purpose: Purpose,
    mailbox: &EmailAddress,
) -> StoreResult<Option<String>> {
    let mut sql = store.sql();
    sql.push("select content from auth_tickets where mailbox = ")
        .arg(mailbox.as_str());
    sql.push(" and purpose = ").arg(purpose.name());
    sql.push(" and used_at is null order by created_at desc, id limit 1");
    let query = Query::short(sql, vec![Kind::Text]);
    let row = store.db.optional(&query).await?;
    row.map(|row| Columns::of("auth_tickets", row).text())
        .transpose()
}

/// Tries a code with the newest ticket of a mailbox. Each try is counted before it is judged, so
/// that no number of them at once is more than [`MOST_TRIES`].
pub async fn by_code(
    store: &Store,
    key: &CodeKey,
    purpose: Purpose,
    mailbox: &EmailAddress,
    code: &MailCode,
) -> StoreResult<Tried> {
    let mut sql = select(store, purpose);
    sql.push(" and mailbox = ").arg(mailbox.as_str());
    sql.push(" order by created_at desc, id limit 1");
    let Some((ticket, stored)) = read(store, sql).await? else {
        return Ok(Tried::Wrong);
    };
    let mut sql = store.sql();
    sql.push("update auth_tickets set attempts = attempts + 1 where id = ")
        .arg(ticket.id.as_str());
    sql.push(" and used_at is null and attempts < ")
        .arg(MOST_TRIES);
    let step = Step::new(sql).expecting(Expect::AtMost(1));
    let outcomes = store.db.write(vec![step]).await?;
    let is_counted = outcomes.iter().any(|outcome| outcome.affected == 1);
    let hash = code.hash(purpose, record_of(&ticket.id), key).to_text();
    // Both are keyed hashes: how far they agree tells nothing about the code.
    match is_counted && stored.as_deref() == Some(hash.as_str()) {
        true => Ok(Tried::Right(ticket)),
        false => Ok(Tried::Wrong),
    }
}

/// The step that uses a ticket, first in the unit of what it allows: where it was used, replaced or
/// has expired, the unit fails as [`sql::DbError::Unexpected`] at its place.
#[must_use]
pub fn use_step(store: &Store, ticket: &Ticket) -> Step {
    let now = store.clock.now();
    let mut sql = store.sql();
    sql.push("update auth_tickets set used_at = ").arg(now);
    sql.push(" where id = ").arg(ticket.id.as_str());
    sql.push(" and used_at is null and expires_at > ").arg(now);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// How many tickets of a purpose a mailbox was sent since a moment, used and dead ones among them.
pub async fn count_since(
    store: &Store,
    purpose: Purpose,
    mailbox: &EmailAddress,
    since: Timestamp,
) -> StoreResult<i64> {
    let mut sql = store.sql();
    sql.push("select count(*) from auth_tickets where mailbox = ")
        .arg(mailbox.as_str());
    sql.push(" and purpose = ").arg(purpose.name());
    sql.push(" and created_at > ").arg(since);
    let rows = store
        .db
        .rows(&Query::short(sql, vec![Kind::BigInt]))
        .await?;
    rows.into_iter()
        .map(|row| Columns::of("auth_tickets", row).int())
        .sum()
}

/// Whether anybody holds a ticket of that purpose that is good now.
pub async fn is_any_live(store: &Store, purpose: Purpose) -> StoreResult<bool> {
    let mut sql = select(store, purpose);
    sql.push(" limit 1");
    Ok(read(store, sql).await?.is_some())
}

/// Deletes what has been of no use for a day; gives how many there were.
pub async fn purge(store: &Store) -> StoreResult<u64> {
    let kept = SignedDuration::try_from(KEPT).unwrap_or(SignedDuration::ZERO);
    let before = store.clock.now().checked_sub(kept);
    let mut sql = store.sql();
    sql.push("delete from auth_tickets where expires_at < ")
        .arg(before.unwrap_or(Timestamp::MIN));
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.iter().map(|outcome| outcome.affected).sum())
}

/// What a code is bound to: its ticket, by the first half of the hash of the ticket's token.
fn record_of(id: &str) -> Uuid {
    let half = id.get(..32).unwrap_or_default();
    Uuid::try_parse(half).unwrap_or(Uuid::nil())
}

/// Tickets of a purpose that can be used now.
fn select(store: &Store, purpose: Purpose) -> Sql {
    let mut sql = store.sql();
    sql.push(
        "select id, user_id, mailbox, content, expires_at, code from auth_tickets \
         where purpose = ",
    );
    sql.arg(purpose.name())
        .push(" and used_at is null and expires_at > ")
        .arg(store.clock.now());
    sql
}

async fn read(store: &Store, sql: Sql) -> StoreResult<Option<(Ticket, Option<String>)>> {
    let kinds = vec![
        Kind::Text,
        Kind::Uuid,
        Kind::Text,
        Kind::Text,
        Kind::Timestamp,
        Kind::Text,
    ];
    let Some(row) = store.db.optional(&Query::short(sql, kinds)).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of("auth_tickets", row);
    let id = columns.text()?;
    let user = columns.optional_uuid()?;
    let mailbox = columns.optional_text()?;
    let mailbox = mailbox.map(|text| EmailAddress::parse(&text)).transpose();
    let ticket = Ticket {
        id,
        user,
        mailbox: mailbox.map_err(|_| columns.corrupt("a mailbox is not in normal form"))?,
        content: columns.text()?,
        expires_at: columns.moment()?,
    };
    Ok(Some((ticket, columns.optional_text()?)))
}
