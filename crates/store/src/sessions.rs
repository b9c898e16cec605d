//! Sessions: who signed in at a browser, what was proved, and for how long it holds.
//!
//! A session is known by the hash of its cookie's value. It ends when it was idle for too long, at
//! its last moment whatever is done with it, when its user's epoch grows, and when it is revoked.

use std::time::Duration;

use credentials::assurance::{Evidence, Method, Proven};
use credentials::token::SessionIdHash;
use jiff::Timestamp;
use sql::{Expect, Kind, Query, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult, grants};

const TABLE: &str = "auth_sessions";

/// A session that begins.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The hash of its cookie's value.
    pub id: SessionIdHash,
    /// Whose.
    pub user: Uuid,
    /// The user's epoch now.
    pub epoch: i64,
    /// What was proved.
    pub evidence: Evidence,
    /// Its last moment, whatever is done with it.
    pub expires_at: Timestamp,
    /// From where; at most 64 characters.
    pub address: Option<String>,
    /// With what; at most 300 characters.
    pub user_agent: Option<String>,
}

/// A session as it stands.
#[derive(Clone, Debug)]
pub struct Session {
    /// The hash of its cookie's value: 64 hexadecimal digits, by which its owner ends it.
    pub id: String,
    /// Whose.
    pub user: Uuid,
    /// The user's epoch when it began.
    pub epoch: i64,
    /// What was proved.
    pub evidence: Evidence,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub seen_at: Timestamp,
    /// Its last moment, whatever is done with it.
    pub expires_at: Timestamp,
    /// From where.
    pub address: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

/// A session that holds, and whom it stands for.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The session.
    pub session: Session,
    /// Whether its user may do anything at all.
    pub active: bool,
    /// The user's epoch now.
    pub epoch: i64,
}

/// The step that begins a session.
#[must_use]
pub fn insert_step(store: &Store, session: &NewSession) -> Step {
    let now = store.clock.now();
    let mut sql = store.sql();
    sql.push(
        "insert into auth_sessions (id, user_id, epoch, proven, authenticated_at, created_at, \
         seen_at, expires_at, address, user_agent) values (",
    );
    sql.arg(session.id.as_str()).push(", ").arg(session.user);
    sql.push(", ").arg(session.epoch);
    sql.push(", ").arg(write(&session.evidence));
    sql.push(", ").arg(authenticated_at(&session.evidence, now));
    sql.push(", ").arg(now).push(", ").arg(now);
    sql.push(", ").arg(session.expires_at);
    sql.push(", ").arg(session.address.clone());
    sql.push(", ").arg(session.user_agent.clone()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The session of that id with its user's standing; `None` for one that was idle for longer than
/// `idle`, that is past its last moment, or that there never was.
pub async fn find(
    store: &Store,
    id: &SessionIdHash,
    idle: Duration,
) -> StoreResult<Option<Holder>> {
    let mut sql = store.sql();
    sql.push(COLUMNS).push(
        ", u.active, u.epoch from auth_sessions s join auth_users u on u.id = s.user_id \
         where s.id = ",
    );
    sql.arg(id.as_str());
    still_held(store, &mut sql, idle);
    let mut kinds = KINDS.to_vec();
    kinds.extend([Kind::Boolean, Kind::Integer]);
    let Some(row) = store.db.optional(&Query::short(sql, kinds)).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of(TABLE, row);
    Ok(Some(Holder {
        session: read(&mut columns)?,
        active: columns.bool()?,
        epoch: columns.int()?,
    }))
}

/// The user's sessions that hold, the one used last first.
pub async fn of_user(store: &Store, user: Uuid, idle: Duration) -> StoreResult<Vec<Session>> {
    let mut sql = store.sql();
    sql.push(COLUMNS).push(
        " from auth_sessions s join auth_users u on u.id = s.user_id and u.epoch = s.epoch \
         where s.user_id = ",
    );
    sql.arg(user);
    still_held(store, &mut sql, idle);
    sql.push(" order by s.seen_at desc, s.id");
    let rows = store.db.rows(&Query::short(sql, KINDS.to_vec())).await?;
    rows.into_iter()
        .map(|row| read(&mut Columns::of(TABLE, row)))
        .collect()
}

/// Notes that a session is in use; one that was revoked meanwhile stays so.
pub async fn touch(store: &Store, id: &str) -> StoreResult<()> {
    let mut sql = store.sql();
    sql.push("update auth_sessions set seen_at = ")
        .arg(store.clock.now());
    sql.push(" where id = ").arg(id);
    let unit = vec![Step::new(sql).expecting(Expect::AtMost(1))];
    store.db.write(unit).await?;
    Ok(())
}

/// The steps that put a session in the place of another one: the old id is worth nothing from then
/// on, and what clients were let do goes on with the new one. Of two at once the second finds nothing to replace, and the unit fails with
/// [`sql::DbError::Unexpected`].
#[must_use]
pub fn replace_steps(store: &Store, old: &str, new: &NewSession) -> Vec<Step> {
    let mut unit = vec![
        delete_step(store, old).expecting(Expect::Rows(1)),
        insert_step(store, new),
    ];
    unit.extend(grants::follow_session_steps(store, old, new.id.as_str()));
    unit
}

/// The step that ends a session; none there is fine.
#[must_use]
pub fn delete_step(store: &Store, id: &str) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_sessions where id = ").arg(id);
    Step::new(sql).expecting(Expect::AtMost(1))
}

/// The step that ends a session of that user; it fails with [`sql::DbError::Unexpected`] where there is
/// none.
#[must_use]
pub fn revoke_step(store: &Store, user: Uuid, id: &str) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_sessions where id = ").arg(id);
    sql.push(" and user_id = ").arg(user);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that ends all sessions of a user but one.
#[must_use]
pub fn delete_others_step(store: &Store, user: Uuid, kept: Option<&str>) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_sessions where user_id = ")
        .arg(user);
    if let Some(kept) = kept {
        sql.push(" and id <> ").arg(kept);
    }
    Step::new(sql)
}

/// The step that takes a session into the user's epoch after [`crate::users::bump_epoch_step`], of
/// which it stands behind.
#[must_use]
pub fn follow_epoch_step(store: &Store, user: Uuid, id: &str) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_sessions set epoch = (select epoch from auth_users where id = ")
        .arg(user);
    sql.push(") where id = ").arg(id);
    sql.push(" and user_id = ").arg(user);
    Step::new(sql).expecting(Expect::AtMost(1))
}

/// Deletes sessions that hold no longer; gives how many.
pub async fn purge(store: &Store, idle: Duration) -> StoreResult<u64> {
    let now = store.clock.now();
    let mut sql = store.sql();
    sql.push("delete from auth_sessions where expires_at <= ")
        .arg(now);
    sql.push(" or seen_at <= ").arg(before(now, idle));
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.first().map_or(0, |outcome| outcome.affected))
}

const COLUMNS: &str = "select s.id, s.user_id, s.epoch, s.proven, s.created_at, s.seen_at, \
     s.expires_at, s.address, s.user_agent";

const KINDS: [Kind; 9] = [
    Kind::Text,
    Kind::Uuid,
    Kind::Integer,
    Kind::Text,
    Kind::Timestamp,
    Kind::Timestamp,
    Kind::Timestamp,
    Kind::Text,
    Kind::Text,
];

fn still_held(store: &Store, sql: &mut sql::Sql, idle: Duration) {
    let now = store.clock.now();
    sql.push(" and s.expires_at > ").arg(now);
    sql.push(" and s.seen_at > ").arg(before(now, idle));
}

fn before(now: Timestamp, idle: Duration) -> Timestamp {
    now.checked_sub(idle).unwrap_or(Timestamp::MIN)
}

fn read(columns: &mut Columns) -> StoreResult<Session> {
    Ok(Session {
        id: columns.text()?,
        user: columns.uuid()?,
        epoch: columns.int()?,
        evidence: {
            let text = columns.text()?;
            read_evidence(&text).ok_or_else(|| columns.corrupt("its proofs cannot be read"))?
        },
        created_at: columns.moment()?,
        seen_at: columns.moment()?,
        expires_at: columns.moment()?,
        address: columns.optional_text()?,
        user_agent: columns.optional_text()?,
    })
}

/// Evidence as text: `password:1795000000 totp:1795000030`.
#[must_use]
pub fn write(evidence: &Evidence) -> String {
    let proofs = evidence.proven().iter();
    let proofs: Vec<String> = proofs
        .map(|proof| format!("{}:{}", proof.method.name(), proof.at))
        .collect();
    proofs.join(" ")
}

/// Reads what [`write()`] gave.
#[must_use]
pub fn read_evidence(text: &str) -> Option<Evidence> {
    let proofs = text.split(' ').filter(|part| !part.is_empty());
    let proofs: Option<Vec<Proven>> = proofs
        .map(|part| {
            let (name, at) = part.split_once(':')?;
            let method = Method::from_name(name)?;
            let at = at.parse().ok()?;
            Some(Proven { method, at })
        })
        .collect();
    proofs.map(Evidence::new)
}

fn authenticated_at(evidence: &Evidence, now: Timestamp) -> Timestamp {
    let at = evidence.auth_time();
    at.and_then(|at| Timestamp::from_second(at).ok())
        .unwrap_or(now)
}
