//! Secrets of authenticator apps, sealed; one for each user.

use credentials::TotpKey;
use credentials::totp::{TotpSecret, TotpStep};
use jiff::Timestamp;
use sql::{DbError, Expect, Kind, Query, Step, Value};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

const TABLE: &str = "auth_totp";

/// What a user's app and this server share.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret.
    pub secret: TotpSecret,
    /// When a first code was right; before that it proves nothing.
    pub confirmed_at: Option<Timestamp>,
    /// The step of the last code that was taken.
    pub last: Option<TotpStep>,
}

/// The user's enrolment.
pub async fn find(store: &Store, user: Uuid, key: &TotpKey) -> StoreResult<Option<Enrolment>> {
    let mut sql = store.sql();
    sql.push("select sealed, confirmed_at, last_step from auth_totp where user_id = ")
        .arg(user);
    let kinds = vec![Kind::Bytes, Kind::Timestamp, Kind::BigInt];
    let rows = store.db.settled_rows(&Query::short(sql, kinds)).await?;
    let Some(row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let mut columns = Columns::of(TABLE, row);
    let sealed = columns.bytes()?;
    let secret = TotpSecret::open(user, &sealed, key)
        .map_err(|_| columns.corrupt("a secret does not open under this SECRET_KEY"))?;
    Ok(Some(Enrolment {
        secret,
        confirmed_at: columns.optional_moment()?,
        last: columns.optional_int()?.map(TotpStep::from_number),
    }))
}

/// Begins an enrolment; one that was begun before and never confirmed is gone. Gives whether it
/// did: a confirmed one stays.
pub async fn begin(
    store: &Store,
    user: Uuid,
    secret: &TotpSecret,
    key: &TotpKey,
) -> StoreResult<bool> {
    let mut delete = store.sql();
    delete
        .push("delete from auth_totp where confirmed_at is null and user_id = ")
        .arg(user);
    let mut insert = store.sql();
    insert.push("insert into auth_totp (user_id, sealed, created_at) values (");
    insert.arg(user).push(", ");
    insert.arg(Value::Bytes(secret.seal(user, key, &store.rng)));
    insert.push(", ").arg(store.clock.now()).push(")");
    let unit = vec![
        Step::new(delete).expecting(Expect::AtMost(1)),
        Step::new(insert).expecting(Expect::Rows(1)),
    ];
    match store.db.write(unit).await {
        Ok(_) => Ok(true),
        Err(DbError::Unique { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The step that takes a code: none of its step or an earlier one is taken again. Of two at once
/// the second fails with [`DbError::Unexpected`].
#[must_use]
pub fn take_step(store: &Store, user: Uuid, step: TotpStep) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_totp set last_step = ")
        .arg(step.number());
    sql.push(" where user_id = ").arg(user);
    sql.push(" and confirmed_at is not null and (last_step is null or last_step < ")
        .arg(step.number());
    sql.push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that takes the first code, from which on the app is a factor.
#[must_use]
pub fn confirm_step(store: &Store, user: Uuid, step: TotpStep) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_totp set last_step = ")
        .arg(step.number());
    sql.push(", confirmed_at = ").arg(store.clock.now());
    sql.push(" where user_id = ").arg(user);
    sql.push(" and confirmed_at is null");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that forgets the app; none there fails with [`DbError::Unexpected`].
#[must_use]
pub fn delete_step(store: &Store, user: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_totp where user_id = ").arg(user);
    Step::new(sql).expecting(Expect::Rows(1))
}
