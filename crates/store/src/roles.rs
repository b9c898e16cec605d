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
    let mut sql = store.sql();
    sql.push("insert into auth_user_roles (user_id, role, expires_at) values (");
    sql.arg(user).push(", ").arg(role.as_str());
    sql.push(", ").arg(expires_at).push(")");
    let mut steps = revoke_role_steps(store, user, role);
    steps.push(Step::new(sql).expecting(Expect::Rows(1)));
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
