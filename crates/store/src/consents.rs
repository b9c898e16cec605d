//! What users have agreed that clients may have.

use jiff::Timestamp;
use sql::{Expect, Kind, Query, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

const TABLE: &str = "auth_consents";

/// An agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// With which client.
    pub client_id: String,
    /// To which scopes.
    pub scopes: Vec<String>,
    /// When last.
    pub agreed_at: Timestamp,
}

/// What a user has agreed to for a client.
pub async fn find(store: &Store, user: Uuid, client_id: &str) -> StoreResult<Option<Consent>> {
    let mut sql = store.sql();
    sql.push("select client_id, scopes, agreed_at from auth_consents where user_id = ")
        .arg(user);
    sql.push(" and client_id = ").arg(client_id);
    Ok(read(store, sql).await?.pop())
}

/// All that a user has agreed to, by client.
pub async fn of_user(store: &Store, user: Uuid) -> StoreResult<Vec<Consent>> {
    let mut sql = store.sql();
    sql.push("select client_id, scopes, agreed_at from auth_consents where user_id = ")
        .arg(user);
    sql.push(" order by client_id");
    read(store, sql).await
}

/// The steps that note what a user agrees to now, in the place of what was agreed before.
#[must_use]
pub fn agree_steps(store: &Store, user: Uuid, client_id: &str, scopes: &[String]) -> Vec<Step> {
    let mut sql = store.sql();
    sql.push("insert into auth_consents (user_id, client_id, scopes, agreed_at) values (");
    sql.arg(user).push(", ").arg(client_id);
    sql.push(", ").arg(scopes.join(" "));
    sql.push(", ").arg(store.clock.now()).push(")");
    vec![
        withdraw_step(store, user, client_id),
        Step::new(sql).expecting(Expect::Rows(1)),
    ]
}

/// The step that forgets what a user agreed to for a client; nothing there is fine.
#[must_use]
pub fn withdraw_step(store: &Store, user: Uuid, client_id: &str) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_consents where user_id = ")
        .arg(user);
    sql.push(" and client_id = ").arg(client_id);
    Step::new(sql).expecting(Expect::AtMost(1))
}

async fn read(store: &Store, sql: sql::Sql) -> StoreResult<Vec<Consent>> {
    let kinds = vec![Kind::Text, Kind::Text, Kind::Timestamp];
    let rows = store.db.rows(&Query::short(sql, kinds)).await?;
    rows.into_iter()
        .map(|row| {
            let mut columns = Columns::of(TABLE, row);
            Ok(Consent {
                client_id: columns.text()?,
                scopes: crate::words(&columns.text()?),
                agreed_at: columns.moment()?,
            })
        })
        .collect()
}
