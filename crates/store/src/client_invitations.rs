//! Tokens by which programs register themselves as clients (RFC 7591 §3), stored as hashes.

use credentials::token::RegistrationTokenHash;
use jiff::Timestamp;
use sql::{Expect, Step};

use crate::{Store, StoreResult};

/// The step that keeps a token, good for so many clients until then.
#[must_use]
pub fn insert_step(
    store: &Store,
    token: &RegistrationTokenHash,
    clients: u32,
    expires_at: Timestamp,
) -> Step {
    let mut sql = store.sql();
    sql.push(
        "insert into auth_client_invitations (id, uses_left, created_at, expires_at) values (",
    );
    sql.arg(token.as_str());
    sql.push(", ").arg(i64::from(clients));
    sql.push(", ").arg(store.clock.now());
    sql.push(", ").arg(expires_at).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that uses a token once; its unit fails with [`sql::DbError::Unexpected`] where it is not
/// good, or no longer, so that of any number who use the last of it at once one registers.
#[must_use]
pub fn use_step(store: &Store, token: &RegistrationTokenHash) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_client_invitations set uses_left = uses_left - 1 where id = ")
        .arg(token.as_str());
    sql.push(" and uses_left > 0 and expires_at > ")
        .arg(store.clock.now());
    Step::new(sql).expecting(Expect::Rows(1))
}

/// Deletes tokens that are used up or past their time; gives how many.
pub async fn purge(store: &Store) -> StoreResult<u64> {
    let mut sql = store.sql();
    sql.push("delete from auth_client_invitations where uses_left = 0 or expires_at <= ")
        .arg(store.clock.now());
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.first().map_or(0, |outcome| outcome.affected))
}
