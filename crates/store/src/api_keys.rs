//! API keys: what programs act for somebody with. Of a key its hash is stored, and how it begins.

use credentials::token::ApiKeyHash;
use jiff::Timestamp;
use sql::{DbError, Expect, Kind, Query, Row, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

const TABLE: &str = "auth_api_keys";

/// A key of somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApiKey {
    /// Its id.
    pub id: Uuid,
    /// How it begins, for its owner to know it by.
    pub hint: String,
    /// Whose.
    pub user: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its last moment.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to about a minute.
    pub used_at: Option<Timestamp>,
    /// How often it may be used, as `600/min`; `None`: as the project says of all keys.
    pub rate: Option<String>,
}

/// A key that is good, and whether its owner may do anything at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyHolder {
    /// The key.
    pub key: StoredApiKey,
    /// Whether the account is switched on.
    pub active: bool,
}

/// The step that adds a key.
#[must_use]
pub fn insert_step(store: &Store, key: &StoredApiKey, hash: &ApiKeyHash) -> Step {
    let mut sql = store.sql();
    sql.push(
        "insert into auth_api_keys (id, hash, hint, user_id, name, scopes, created_at, expires_at, \
         rate) values (",
    );
    sql.arg(key.id).push(", ").arg(hash.as_str());
    sql.push(", ").arg(key.hint.as_str());
    sql.push(", ").arg(key.user);
    sql.push(", ").arg(key.name.as_str());
    sql.push(", ").arg(key.scopes.join(" "));
    sql.push(", ").arg(key.created_at);
    sql.push(", ").arg(key.expires_at);
    sql.push(", ").arg(key.rate.clone()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The user's keys that were not revoked, the newest first; expired ones too, so that their owner
/// sees why a program fails.
pub async fn of_user(store: &Store, user: Uuid) -> StoreResult<Vec<StoredApiKey>> {
    let mut sql = store.sql();
    sql.push(
        "select k.id, k.hint, k.user_id, k.name, k.scopes, k.created_at, k.expires_at, \
              k.used_at, k.rate from auth_api_keys k where k.revoked_at is null and k.user_id = ",
    );
    sql.arg(user).push(" order by k.created_at desc, k.id");
    let rows = store.db.rows(&Query::short(sql, KINDS.to_vec())).await?;
    rows.into_iter()
        .map(|row| read(&mut Columns::of(TABLE, row)))
        .collect()
}

/// The key of that hash with its owner's standing; `None` for one that was revoked, that has expired,
/// or that there never was.
pub async fn find(store: &Store, hash: &ApiKeyHash) -> StoreResult<Option<ApiKeyHolder>> {
    let mut sql = store.sql();
    sql.push(
        "select k.id, k.hint, k.user_id, k.name, k.scopes, k.created_at, k.expires_at, \
              k.used_at, k.rate, u.active from auth_api_keys k join auth_users u on u.id = k.user_id \
              where k.revoked_at is null and k.hash = ",
    );
    sql.arg(hash.as_str());
    sql.push(" and (k.expires_at is null or k.expires_at > ")
        .arg(store.clock.now());
    sql.push(")");
    let mut kinds = KINDS.to_vec();
    kinds.push(Kind::Boolean);
    let row: Option<Row> = store.db.optional(&Query::short(sql, kinds)).await?;
    row.map(|row| {
        let mut columns = Columns::of(TABLE, row);
        Ok(ApiKeyHolder {
            key: read(&mut columns)?,
            active: columns.bool()?,
        })
    })
    .transpose()
}

/// Notes that a key is in use.
pub async fn touch(store: &Store, id: Uuid) -> StoreResult<()> {
    let mut sql = store.sql();
    sql.push("update auth_api_keys set used_at = ")
        .arg(store.clock.now());
    sql.push(" where id = ").arg(id);
    let unit = vec![Step::new(sql).expecting(Expect::AtMost(1))];
    store.db.write(unit).await?;
    Ok(())
}

/// Revokes a key of that user, with the step that notes it; gives whether there was one.
pub async fn revoke(store: &Store, user: Uuid, id: Uuid, noted: Step) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("update auth_api_keys set revoked_at = ")
        .arg(store.clock.now());
    sql.push(" where revoked_at is null and id = ").arg(id);
    sql.push(" and user_id = ").arg(user);
    let unit = vec![Step::new(sql).expecting(Expect::Rows(1)), noted];
    match store.db.write(unit).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

const KINDS: [Kind; 9] = [
    Kind::Uuid,
    Kind::Text,
    Kind::Uuid,
    Kind::Text,
    Kind::Text,
    Kind::Timestamp,
    Kind::Timestamp,
    Kind::Timestamp,
    Kind::Text,
];

fn read(columns: &mut Columns) -> StoreResult<StoredApiKey> {
    Ok(StoredApiKey {
        id: columns.uuid()?,
        hint: columns.text()?,
        user: columns.uuid()?,
        name: columns.text()?,
        scopes: crate::words(&columns.text()?),
        created_at: columns.moment()?,
        expires_at: columns.optional_moment()?,
        used_at: columns.optional_moment()?,
        rate: columns.optional_text()?,
    })
}
