//! Whoever administers: there is always somebody left who does.

use jiff::Timestamp;
use sql::{Expect, Kind, Step};
use uuid::Uuid;

use crate::Store;

/// The role that administers accounts; `schema/` need not declare it.
pub const ADMIN: &str = "admin";

/// The place, among the steps of [`keep_one_steps`], of the one that fails when nobody would be left.
pub const NOBODY_LEFT: usize = 1;

/// The steps that let a unit go on only if the accounts `leaving`, which administer no more from
/// `from` on, leave somebody behind who does at least as long as they would have: otherwise the one
/// at [`NOBODY_LEFT`] fails with [`sql::DbError::Unexpected`]. Accounts that administer nothing leave
/// nothing behind.
///
/// They stand before the change itself. The first writes to the rows of all administrators, so that
/// of two units at once, each of which would leave the other's account alone, the second waits and
/// then sees what the first has done; on a cluster of several writers it loses a conflict and is run
/// again.
#[must_use]
pub fn keep_one_steps(store: &Store, leaving: &[Uuid], from: Timestamp) -> Vec<Step> {
    let mut wait = store.sql();
    wait.push("update auth_user_roles set version = version + 1 where role = ")
        .arg(ADMIN);
    let mut orphaned = store.sql();
    orphaned
        .push(
            "select a.user_id from auth_user_roles a join auth_users u on u.id = a.user_id \
             where a.role = ",
        )
        .arg(ADMIN);
    orphaned.push(" and u.active = ").arg(true);
    orphaned.push(" and (a.expires_at is null or a.expires_at > ");
    orphaned.arg(from).push(") and a.user_id");
    among(&mut orphaned, leaving);
    orphaned
        .push(
            " and not exists (select 1 from auth_user_roles b join auth_users v on v.id = b.user_id \
             where b.role = ",
        )
        .arg(ADMIN);
    orphaned.push(" and v.active = ").arg(true);
    orphaned.push(" and (b.expires_at is null or b.expires_at >= a.expires_at) and b.user_id not");
    among(&mut orphaned, leaving);
    orphaned.push(")");
    vec![
        Step::new(wait),
        Step::new(orphaned)
            .returning(vec![Kind::Uuid])
            .expecting(Expect::Rows(0)),
    ]
}

/// Writes ` in (…)`; of nobody, what nothing is in.
pub(crate) fn among(sql: &mut sql::Sql, ids: &[Uuid]) {
    sql.push(" in (");
    for (place, id) in ids.iter().enumerate() {
        if place > 0 {
            sql.push(", ");
        }
        sql.arg(*id);
    }
    if ids.is_empty() {
        sql.push("null");
    }
    sql.push(")");
}
