//! Invitations: who may become a user, asked by an administrator or asking for it.
//!
//! One row for each address. An application becomes an invitation when an administrator approves of
//! it; the row goes when its account is made.

use std::time::Duration;

use credentials::EmailAddress;
use jiff::{SignedDuration, Timestamp};
use sql::{Expect, Kind, Query, Row, Sql, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

/// How long an application waits for the proof of its address.
const UNCONFIRMED: Duration = Duration::from_hours(24 * 7);

/// An invitation, or an application for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub email: EmailAddress,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// JSON: roles, `external_id`, fields of the application's own.
    pub content: String,
    /// When the address was proved.
    pub confirmed_at: Option<Timestamp>,
    /// When an administrator said yes.
    pub approved_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which invitations are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// All of them.
    Any,
    /// Applications whose address is not proved yet.
    Unconfirmed,
    /// Applications that wait for an administrator.
    Waiting,
    /// Those that may be accepted.
    Approved,
}

impl Invitation {
    /// An application of this moment with a fresh id.
    #[must_use]
    pub fn new(store: &Store, email: EmailAddress) -> Self {
        Self {
            id: stdx::new_id(&store.clock, &store.rng),
            email,
            first_name: None,
            last_name: None,
            content: String::from("{}"),
            confirmed_at: None,
            approved_at: None,
            created_at: store.clock.now(),
        }
    }
}

/// The steps that write an invitation in the place of one of the same address that nobody has
/// confirmed or approved; the unit fails with a violated constraint where somebody has.
#[must_use]
pub fn insert_steps(store: &Store, invitation: &Invitation) -> Vec<Step> {
    let mut old = store.sql();
    old.push("delete from auth_invitations where email = ")
        .arg(invitation.email.as_str());
    old.push(" and confirmed_at is null and approved_at is null");
    let mut sql = store.sql();
    sql.push(
        "insert into auth_invitations (id, email, first_name, last_name, content, confirmed_at, \
         approved_at, created_at) values (",
    );
    sql.arg(invitation.id);
    sql.push(", ").arg(invitation.email.as_str());
    sql.push(", ").arg(invitation.first_name.clone());
    sql.push(", ").arg(invitation.last_name.clone());
    sql.push(", ").arg(invitation.content.as_str());
    sql.push(", ").arg(invitation.confirmed_at);
    sql.push(", ").arg(invitation.approved_at);
    sql.push(", ").arg(invitation.created_at).push(")");
    vec![
        Step::new(old).expecting(Expect::AtMost(1)),
        Step::new(sql).expecting(Expect::Rows(1)),
    ]
}

/// The step that says that an application's address was proved.
#[must_use]
pub fn confirm_step(store: &Store, id: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_invitations set confirmed_at = ")
        .arg(store.clock.now());
    sql.push(" where id = ").arg(id);
    sql.push(" and confirmed_at is null");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that says that an administrator approves, with what he adds; an invitation may be
/// approved of again, which sends another link.
#[must_use]
pub fn approve_step(store: &Store, id: Uuid, content: &str) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_invitations set approved_at = ")
        .arg(store.clock.now());
    sql.push(", content = ").arg(content);
    sql.push(" where id = ").arg(id);
    sql.push(" and (confirmed_at is not null or approved_at is not null)");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that removes an invitation: it was accepted, refused or taken back.
#[must_use]
pub fn delete_step(store: &Store, id: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_invitations where id = ").arg(id);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The invitation of that id.
pub async fn by_id(store: &Store, id: Uuid) -> StoreResult<Option<Invitation>> {
    let mut sql = select(store);
    sql.push(" where id = ").arg(id);
    Ok(read(store, sql).await?.pop())
}

/// The invitation of that address.
pub async fn by_email(store: &Store, email: &EmailAddress) -> StoreResult<Option<Invitation>> {
    let mut sql = select(store);
    sql.push(" where email = ").arg(email.as_str());
    Ok(read(store, sql).await?.pop())
}

/// Invitations, the newest first, at most `limit`.
pub async fn list(store: &Store, stage: Stage, limit: u64) -> StoreResult<Vec<Invitation>> {
    let mut sql = select(store);
    sql.push(match stage {
        Stage::Any => "",
        Stage::Unconfirmed => " where confirmed_at is null and approved_at is null",
        Stage::Waiting => " where confirmed_at is not null and approved_at is null",
        Stage::Approved => " where approved_at is not null",
    });
    sql.push(" order by created_at desc, id desc limit ")
        .number(limit);
    read(store, sql).await
}

/// Deletes applications whose address was not proved in time; gives how many there were.
pub async fn purge(store: &Store) -> StoreResult<u64> {
    let kept = SignedDuration::try_from(UNCONFIRMED).unwrap_or(SignedDuration::ZERO);
    let before = store.clock.now().checked_sub(kept);
    let mut sql = store.sql();
    sql.push("delete from auth_invitations where confirmed_at is null and approved_at is null");
    sql.push(" and created_at < ")
        .arg(before.unwrap_or(Timestamp::MIN));
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.iter().map(|outcome| outcome.affected).sum())
}

fn select(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push(
        "select id, email, first_name, last_name, content, confirmed_at, approved_at, created_at \
         from auth_invitations",
    );
    sql
}

async fn read(store: &Store, sql: Sql) -> StoreResult<Vec<Invitation>> {
    let kinds = vec![
        Kind::Uuid,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Timestamp,
        Kind::Timestamp,
        Kind::Timestamp,
    ];
    let rows = store.db.rows(&Query::short(sql, kinds)).await?;
    rows.into_iter().map(invitation).collect()
}

fn invitation(row: Row) -> StoreResult<Invitation> {
    let mut columns = Columns::of("auth_invitations", row);
    Ok(Invitation {
        id: columns.uuid()?,
        email: EmailAddress::parse(&columns.text()?)
            .map_err(|_| columns.corrupt("an e-mail address is not in normal form"))?,
        first_name: columns.optional_text()?,
        last_name: columns.optional_text()?,
        content: columns.text()?,
        confirmed_at: columns.optional_moment()?,
        approved_at: columns.optional_moment()?,
        created_at: columns.moment()?,
    })
}
