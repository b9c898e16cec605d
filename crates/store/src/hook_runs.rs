//! For which accounts an event's hook has run already, so that it can be caught up on.

use sql::{Expect, Kind, Query, Step};
use uuid::Uuid;

use crate::users::{self, User};
use crate::{Store, StoreResult};

/// Which accounts an event happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happens {
    /// To every account.
    ToAll,
    /// To those whose address was proved.
    ToConfirmed,
}

/// The step that says so; fails when it was said before.
#[must_use]
pub fn mark_step(store: &Store, user: Uuid, event: &str) -> Step {
    let mut sql = store.sql();
    sql.push("insert into auth_hook_runs (user_id, event, ran_at) values (");
    sql.arg(user).push(", ").arg(event);
    sql.push(", ").arg(store.clock.now()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that takes it back; none there is fine.
#[must_use]
pub fn unmark_step(store: &Store, user: Uuid, event: &str) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_hook_runs where user_id = ")
        .arg(user);
    sql.push(" and event = ").arg(event);
    Step::new(sql).expecting(Expect::AtMost(1))
}

/// Whether the hook has run for that account.
pub async fn has_run(store: &Store, user: Uuid, event: &str) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("select 1 from auth_hook_runs where user_id = ")
        .arg(user);
    sql.push(" and event = ").arg(event);
    let query = Query::short(sql, vec![Kind::Integer]);
    Ok(store.db.settled_rows(&query).await?.len() == 1)
}

/// Accounts for which it has not run, in the order of their ids, at most `limit`, behind `after`.
pub async fn missing(
    store: &Store,
    event: &str,
    happens: Happens,
    after: Option<Uuid>,
    limit: u64,
) -> StoreResult<Vec<User>> {
    let mut sql = users::select_user(store);
    sql.push(" where not exists (select 1 from auth_hook_runs r where r.user_id = u.id");
    sql.push(" and r.event = ").arg(event).push(")");
    if happens == Happens::ToConfirmed {
        sql.push(" and u.email_verified_at is not null");
    }
    if let Some(after) = after {
        sql.push(" and u.id > ").arg(after);
    }
    sql.push(" order by u.id limit ").number(limit);
    users::read_users(store, sql).await
}
