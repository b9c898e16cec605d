//! Which roles an account has been given.

use jiff::Timestamp;
use sql::{Expect, Ident, Kind, Query, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

/// The roles that the user holds now, in alphabetical order; expired ones are not among them
/// even while their rows still stand.
pub async fn roles_of(store: &Store, user: Uuid) -> StoreResult<Vec<String>> {
    let mut sql = store.sql();
    sql.push("select role from auth_user_roles where user_id = ")
        .arg(user);
    sql.push(" and (expires_at is null or expires_at > ")
        .arg(store.clock.now());
    sql.push(") order by role");
    let rows = store.db.rows(&Query::short(sql, vec![Kind::Text])).await?;
    rows.into_iter()
        .map(|row| Columns::of("auth_user_roles", row).text())
        .collect()
}

/// A role that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub role: String,
    /// Its end; `None` for good.
    pub expires_at: Option<Timestamp>,
}

/// The roles that the user holds now with their ends, in alphabetical order.
pub async fn held(store: &Store, user: Uuid) -> StoreResult<Vec<Held>> {
    let mut sql = store.sql();
    sql.push("select role, expires_at from auth_user_roles where user_id = ")
        .arg(user);
    sql.push(" and (expires_at is null or expires_at > ")
        .arg(store.clock.now());
    sql.push(") order by role");
    let query = Query::short(sql, vec![Kind::Text, Kind::Timestamp]);
    let rows = store.db.rows(&query).await?;
    let read = |row| {
        let mut columns = Columns::of("auth_user_roles", row);
        Ok(Held {
            role: columns.text()?,
            expires_at: columns.optional_moment()?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// How many accounts hold each role now.
pub async fn holders(store: &Store) -> StoreResult<Vec<(String, u64)>> {
    let mut sql = store.sql();
    sql.push(
        "select role, count(*) from auth_user_roles where expires_at is null or expires_at > ",
    )
    .arg(store.clock.now());
    sql.push(" group by role order by role");
    let query = Query::long(sql, vec![Kind::Text, Kind::BigInt]);
    let rows = store.db.rows(&query).await?;
    let read = |row| {
        let mut columns = Columns::of("auth_user_roles", row);
        let role = columns.text()?;
        Ok((role, u64::try_from(columns.int()?).unwrap_or(0)))
    };
    rows.into_iter().map(read).collect()
}

/// The steps that give a role that is not held; one that is fails with [`sql::DbError::Unique`].
#[must_use]
pub fn grant_new_steps(
    store: &Store,
    user: Uuid,
    role: &Ident,
    expires_at: Option<Timestamp>,
) -> Vec<Step> {
    let mut expired = store.sql();
    expired
        .push("delete from auth_user_roles where user_id = ")
        .arg(user);
    expired.push(" and role = ").arg(role.as_str());
    expired.push(" and expires_at <= ").arg(store.clock.now());
    vec![
        Step::new(expired).expecting(Expect::AtMost(1)),
        insert_step(store, user, role, expires_at),
    ]
}

/// The step that gives a role that is held another end; none held fails with
/// [`sql::DbError::Unexpected`].
#[must_use]
pub fn set_end_step(
    store: &Store,
    user: Uuid,
    role: &Ident,
    expires_at: Option<Timestamp>,
) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_user_roles set expires_at = ")
        .arg(expires_at);
    sql.push(" where user_id = ").arg(user);
    sql.push(" and role = ").arg(role.as_str());
    Step::new(sql).expecting(Expect::Rows(1))
}

fn insert_step(store: &Store, user: Uuid, role: &Ident, expires_at: Option<Timestamp>) -> Step {
    let mut sql = store.sql();
    sql.push("insert into auth_user_roles (user_id, role, expires_at) values (");
    sql.arg(user).push(", ").arg(role.as_str());
    sql.push(", ").arg(expires_at).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The sets of roles that accounts hold, each once; on PostgreSQL.
pub async fn held_together(store: &Store) -> StoreResult<Vec<Vec<String>>> {
    let mut sql = store.sql();
    sql.push(
        "select distinct string_agg(role, chr(10) order by role) from auth_user_roles \
         group by user_id",
    );
    let rows = store.db.rows(&Query::long(sql, vec![Kind::Text])).await?;
    let set = |row| {
        let names = Columns::of("auth_user_roles", row).text()?;
        Ok(names.lines().map(str::to_owned).collect())
    };
    rows.into_iter().map(set).collect()
}

/// The steps that give a role, forever or up to a moment; a role held already gets the new end.
#[must_use]
pub fn grant_role_steps(
    store: &Store,
    user: Uuid,
    role: &Ident,
    expires_at: Option<Timestamp>,
) -> Vec<Step> {
    let mut steps = revoke_role_steps(store, user, role);
    steps.push(insert_step(store, user, role, expires_at));
    steps
}

/// The steps that take a role away; none held is fine.
#[must_use]
pub fn revoke_role_steps(store: &Store, user: Uuid, role: &Ident) -> Vec<Step> {
    let mut sql = store.sql();
    sql.push("delete from auth_user_roles where user_id = ")
        .arg(user);
    sql.push(" and role = ").arg(role.as_str());
    vec![Step::new(sql).expecting(Expect::AtMost(1))]
}
