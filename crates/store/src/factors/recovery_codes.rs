//! Recovery codes, hashed; each is good once.

use credentials::recovery::RecoveryCodeHash;
use sql::{Expect, Step};
use uuid::Uuid;

use crate::Store;

/// The steps that put new codes in the place of all earlier ones.
#[must_use]
pub fn replace_steps(store: &Store, user: Uuid, codes: &[RecoveryCodeHash]) -> Vec<Step> {
    let now = store.clock.now();
    let mut steps = vec![delete_step(store, user)];
    steps.extend(codes.iter().map(|code| {
        let mut sql = store.sql();
        sql.push("insert into auth_recovery_codes (user_id, hash, created_at) values (");
        sql.arg(user).push(", ").arg(code.to_text());
        sql.push(", ").arg(now).push(")");
        Step::new(sql).expecting(Expect::Rows(1))
    }));
    steps
}

/// The step that uses a code up; one that is unknown or used fails with
/// [`sql::DbError::Unexpected`].
#[must_use]
pub fn use_step(store: &Store, user: Uuid, code: &RecoveryCodeHash) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_recovery_codes set used_at = ")
        .arg(store.clock.now());
    sql.push(" where user_id = ").arg(user);
    sql.push(" and hash = ").arg(code.to_text());
    sql.push(" and used_at is null");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that forgets all codes of a user.
#[must_use]
pub fn delete_step(store: &Store, user: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_recovery_codes where user_id = ")
        .arg(user);
    Step::new(sql)
}
