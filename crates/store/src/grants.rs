//! Grants: what a user lets a client do, from one login on; and the codes that begin them.
//!
//! A grant is a family of refresh tokens, of which one member at a time is good. It ends with its
//! session unless it was given for longer, when the user's epoch grows, when it is revoked, and at
//! its last moment.

use credentials::token::AuthorizationCodeHash;
use jiff::Timestamp;
use oauth::refresh::Family;
use sql::{DbError, Expect, Kind, Query, Sql, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

const TABLE: &str = "auth_grants";
const CODES: &str = "auth_codes";

/// A grant that its code does not use yet.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// Its id.
    pub id: Uuid,
    /// To whom.
    pub client_id: String,
    /// By whom.
    pub user: Uuid,
    /// The session that it ends with; `None` where it outlives it.
    pub session: Option<String>,
    /// The session of the browser that it was begun in; `None` where there was none.
    pub begun_in: Option<String>,
    /// The user's epoch now.
    pub epoch: i64,
    /// JSON: scopes, resources, what was proved.
    pub content: String,
    /// Its last moment.
    pub expires_at: Timestamp,
}

/// A grant as it stands.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its id.
    pub id: Uuid,
    /// By whom.
    pub user: Uuid,
    /// The user's epoch when it was given.
    pub epoch: i64,
    /// JSON: scopes, resources, what was proved.
    pub content: String,
    /// Its refresh tokens, and to whom.
    pub family: Family,
}

/// A code that is looked at.
#[derive(Clone, Debug)]
pub struct Code {
    /// What it begins.
    pub grant: Uuid,
    /// JSON: what it is bound to.
    pub content: String,
    /// Whether it was used.
    pub is_used: bool,
}

/// Whether a token of a grant is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is.
    pub user: Uuid,
    /// Whether its user may do anything at all.
    pub active: bool,
    /// The user's epoch now.
    pub epoch: i64,
    /// Whether the grant was revoked.
    pub is_revoked: bool,
}

/// The steps that give a grant and its code.
#[must_use]
pub fn insert_steps(
    store: &Store,
    grant: &NewGrant,
    code: &AuthorizationCodeHash,
    bound: &str,
    code_ends: Timestamp,
) -> Vec<Step> {
    let mut codes = store.sql();
    codes.push("insert into auth_codes (id, grant_id, content, expires_at) values (");
    codes.arg(code.as_str()).push(", ").arg(grant.id);
    codes.push(", ").arg(bound);
    codes.push(", ").arg(code_ends).push(")");
    vec![
        insert_step(store, grant),
        Step::new(codes).expecting(Expect::Rows(1)),
    ]
}

/// The steps that give a grant which begins at once, bound to the key `jkt` if there is one.
#[must_use]
pub fn insert_begun_steps(store: &Store, grant: &NewGrant, jkt: Option<&str>) -> Vec<Step> {
    vec![insert_step(store, grant), begin_step(store, grant.id, jkt)]
}

/// The step that gives a grant which has not begun.
pub(crate) fn insert_step(store: &Store, grant: &NewGrant) -> Step {
    let mut sql = store.sql();
    sql.push(
        "insert into auth_grants (id, client_id, user_id, session_id, epoch, content, member, \
         expires_at, begun_in) values (",
    );
    sql.arg(grant.id).push(", ").arg(grant.client_id.as_str());
    sql.push(", ").arg(grant.user);
    sql.push(", ").arg(grant.session.clone());
    sql.push(", ").arg(grant.epoch);
    sql.push(", ").arg(grant.content.as_str());
    sql.push(", 0, ").arg(grant.expires_at);
    sql.push(", ").arg(grant.begun_in.clone()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that begins a grant, bound to the key `jkt` if there is one; it fails where the grant has
/// begun, or was revoked.
pub(crate) fn begin_step(store: &Store, grant: Uuid, jkt: Option<&str>) -> Step {
    let now = store.clock.now();
    let mut sql = store.sql();
    sql.push("update auth_grants set started_at = ").arg(now);
    sql.push(", rotated_at = ").arg(now);
    sql.push(", jkt = ").arg(jkt);
    sql.push(" where id = ").arg(grant);
    sql.push(" and started_at is null and revoked_at is null");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// A code, used or not, as long as it is kept.
pub async fn code(store: &Store, code: &AuthorizationCodeHash) -> StoreResult<Option<Code>> {
    let mut sql = store.sql();
    sql.push("select grant_id, content, used_at from auth_codes where id = ")
        .arg(code.as_str());
    let kinds = vec![Kind::Uuid, Kind::Text, Kind::Timestamp];
    let row = store.db.optional(&Query::short(sql, kinds)).await?;
    row.map(|row| {
        let mut columns = Columns::of(CODES, row);
        Ok(Code {
            grant: columns.uuid()?,
            content: columns.text()?,
            is_used: columns.optional_moment()?.is_some(),
        })
    })
    .transpose()
}

/// Uses a code and begins its grant, bound to the key `jkt` if there is one; of any number who do it
/// at once one is told `true`.
pub async fn redeem(
    store: &Store,
    code: &AuthorizationCodeHash,
    grant: Uuid,
    jkt: Option<&str>,
) -> StoreResult<bool> {
    let mut used = store.sql();
    used.push("update auth_codes set used_at = ")
        .arg(store.clock.now());
    used.push(" where id = ").arg(code.as_str());
    used.push(" and used_at is null");
    let used = Step::new(used).expecting(Expect::Rows(1));
    let unit = vec![used, begin_step(store, grant, jkt)];
    found(store.db.write(unit).await)
}

/// The grant of that id, begun or not.
pub async fn find(store: &Store, id: Uuid) -> StoreResult<Option<Grant>> {
    let mut sql = select(store);
    sql.push(" where id = ").arg(id);
    Ok(read(store, sql).await?.pop())
}

/// The grants of a user that have begun and still hold, the newest first.
pub async fn of_user(store: &Store, user: Uuid) -> StoreResult<Vec<Grant>> {
    let mut sql = select(store);
    sql.push(" where user_id = ").arg(user);
    sql.push(" and started_at is not null and revoked_at is null and expires_at > ")
        .arg(store.clock.now());
    sql.push(" order by started_at desc, id");
    read(store, sql).await
}

/// The grants that were begun in a session, have begun and still hold, whether or not they outlive it.
pub async fn begun_in(store: &Store, session: &str) -> StoreResult<Vec<Grant>> {
    let mut sql = select(store);
    sql.push(" where begun_in = ").arg(session);
    sql.push(" and started_at is not null and revoked_at is null and expires_at > ")
        .arg(store.clock.now());
    sql.push(" order by started_at desc, id");
    read(store, sql).await
}

/// Puts `next` in the place of `present`; gives whether nobody was faster.
pub async fn rotate(store: &Store, id: Uuid, present: &Family, next: &Family) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("update auth_grants set member = ")
        .arg(i64::from(next.current));
    sql.push(", rotated_at = ").arg(of_second(next.rotated_at));
    sql.push(" where id = ").arg(id);
    sql.push(" and member = ").arg(i64::from(present.current));
    sql.push(" and revoked_at is null");
    let step = Step::new(sql).expecting(Expect::Rows(1));
    found(store.db.write(vec![step]).await)
}

/// The step that revokes a grant; one that is not there, or revoked already, is fine.
#[must_use]
pub fn revoke_step(store: &Store, id: Uuid) -> Step {
    let mut sql = revoke(store);
    sql.push(" and id = ").arg(id);
    Step::new(sql).expecting(Expect::AtMost(1))
}

/// The step that revokes all that a user lets a client do.
#[must_use]
pub fn revoke_of_client_step(store: &Store, user: Uuid, client_id: &str) -> Step {
    let mut sql = revoke(store);
    sql.push(" and user_id = ").arg(user);
    sql.push(" and client_id = ").arg(client_id);
    Step::new(sql)
}

/// The step that revokes all that a user lets anybody do.
#[must_use]
pub fn revoke_of_user_step(store: &Store, user: Uuid) -> Step {
    let mut sql = revoke(store);
    sql.push(" and user_id = ").arg(user);
    Step::new(sql)
}

/// The step that revokes what ends with a session.
#[must_use]
pub fn revoke_of_session_step(store: &Store, session: &str) -> Step {
    let mut sql = revoke(store);
    sql.push(" and session_id = ").arg(session);
    Step::new(sql)
}

/// The steps that bind the grants of one session to the one in its place.
#[must_use]
pub(crate) fn follow_session_steps(store: &Store, old: &str, new: &str) -> [Step; 2] {
    let mut bound = store.sql();
    bound.push("update auth_grants set session_id = ").arg(new);
    bound.push(" where session_id = ").arg(old);
    let mut begun = store.sql();
    begun.push("update auth_grants set begun_in = ").arg(new);
    begun.push(" where begun_in = ").arg(old);
    [bound, begun].map(Step::new)
}

/// How a token of that grant stands; `None`: there is no such grant.
pub async fn standing(store: &Store, id: Uuid) -> StoreResult<Option<Standing>> {
    let mut sql = store.sql();
    sql.push(
        "select u.id, u.active, u.epoch, g.revoked_at from auth_grants g \
         join auth_users u on u.id = g.user_id where g.id = ",
    );
    sql.arg(id);
    let kinds = vec![Kind::Uuid, Kind::Boolean, Kind::Integer, Kind::Timestamp];
    let row = store.db.optional(&Query::short(sql, kinds)).await?;
    row.map(|row| {
        let mut columns = Columns::of(TABLE, row);
        Ok(Standing {
            user: columns.uuid()?,
            active: columns.bool()?,
            epoch: columns.int()?,
            is_revoked: columns.optional_moment()?.is_some(),
        })
    })
    .transpose()
}

/// Deletes codes that are remembered no longer, and grants whose last moment is over or that nobody
/// can begin any more; gives how many grants.
pub async fn purge(store: &Store) -> StoreResult<u64> {
    let now = store.clock.now();
    let mut codes = store.sql();
    codes
        .push("delete from auth_codes where expires_at <= ")
        .arg(now);
    let mut grants = store.sql();
    grants
        .push("delete from auth_grants where expires_at <= ")
        .arg(now);
    grants.push(
        " or (started_at is null and not exists \
         (select 1 from auth_codes c where c.grant_id = auth_grants.id) and not exists \
         (select 1 from auth_devices d where d.grant_id = auth_grants.id))",
    );
    let unit = vec![Step::new(codes), Step::new(grants)];
    let outcomes = store.db.write(unit).await?;
    Ok(outcomes.last().map_or(0, |outcome| outcome.affected))
}

fn revoke(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push("update auth_grants set revoked_at = ")
        .arg(store.clock.now());
    sql.push(" where revoked_at is null");
    sql
}

/// Whether a unit found what it expects.
pub(crate) fn found<T>(written: Result<T, DbError>) -> StoreResult<bool> {
    match written {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn of_second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn select(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push(
        "select id, client_id, user_id, epoch, content, member, jkt, started_at, rotated_at, \
         revoked_at from auth_grants",
    );
    sql
}

async fn read(store: &Store, sql: Sql) -> StoreResult<Vec<Grant>> {
    let kinds = vec![
        Kind::Uuid,
        Kind::Text,
        Kind::Uuid,
        Kind::Integer,
        Kind::Text,
        Kind::Integer,
        Kind::Text,
        Kind::Timestamp,
        Kind::Timestamp,
        Kind::Timestamp,
    ];
    let rows = store.db.rows(&Query::short(sql, kinds)).await?;
    rows.into_iter()
        .map(|row| {
            let mut columns = Columns::of(TABLE, row);
            let id = columns.uuid()?;
            let client_id = columns.text()?;
            let user = columns.uuid()?;
            let epoch = columns.int()?;
            let content = columns.text()?;
            let number = columns.int()?;
            let current = u32::try_from(number)
                .map_err(|_| columns.corrupt("a number is no refresh token's"))?;
            let jkt = columns.optional_text()?;
            let second = |moment: Option<Timestamp>| moment.map_or(0, Timestamp::as_second);
            let family = Family {
                client_id,
                jkt,
                current,
                started_at: second(columns.optional_moment()?),
                rotated_at: second(columns.optional_moment()?),
                is_revoked: columns.optional_moment()?.is_some(),
            };
            Ok(Grant {
                id,
                user,
                epoch,
                content,
                family,
            })
        })
        .collect()
}
