//! Passkeys: their public keys, counters and names.

use credentials::passkey::{Passkey, PasskeyId};
use credentials::sha256_hex;
use jiff::Timestamp;
use sql::{Expect, Kind, Query, Row, Sql, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreError, StoreResult};

const TABLE: &str = "auth_passkeys";

/// A stored passkey.
#[derive(Clone, Debug)]
pub struct StoredPasskey {
    /// By which its owner removes it.
    pub id: Uuid,
    /// Whose.
    pub user: Uuid,
    /// As its owner calls it.
    pub name: String,
    /// The key.
    pub passkey: Passkey,
    /// As it is stored, for the condition of a change.
    content: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

/// The user's passkeys, the oldest first.
pub async fn of_user(store: &Store, user: Uuid) -> StoreResult<Vec<StoredPasskey>> {
    let mut sql = select(store);
    sql.push(" where user_id = ").arg(user);
    sql.push(" order by created_at, id");
    let query = Query::short(sql, KINDS.to_vec());
    let rows = store.db.settled_rows(&query).await?;
    rows.into_iter().map(read).collect()
}

/// The passkey of that id, if it is that user's.
pub async fn find(store: &Store, user: Uuid, id: &PasskeyId) -> StoreResult<Option<StoredPasskey>> {
    let mut sql = select(store);
    sql.push(" where credential_id = ").arg(hashed(id));
    sql.push(" and user_id = ").arg(user);
    let query = Query::short(sql, KINDS.to_vec());
    let rows = store.db.settled_rows(&query).await?;
    rows.into_iter().next().map(read).transpose()
}

/// The step that stores a new passkey; `name` has at most 120 characters. A second one of the same
/// id fails with [`sql::DbError::Unique`].
pub fn insert_step(
    store: &Store,
    id: Uuid,
    user: Uuid,
    name: &str,
    passkey: &Passkey,
) -> StoreResult<Step> {
    let content = stored(passkey)?;
    let mut sql = store.sql();
    sql.push("insert into auth_passkeys (id, user_id, credential_id, name, content, created_at) ");
    sql.push("values (").arg(id).push(", ").arg(user);
    sql.push(", ").arg(hashed(&passkey.id()));
    sql.push(", ").arg(name).push(", ").arg(content);
    sql.push(", ").arg(store.clock.now()).push(")");
    Ok(Step::new(sql).expecting(Expect::Rows(1)))
}

/// The step that notes a use and the passkey as it then is. One that was used or removed meanwhile
/// fails with [`sql::DbError::Unexpected`]: its counter has moved.
pub fn use_step(store: &Store, before: &StoredPasskey, after: &Passkey) -> StoreResult<Step> {
    let mut sql = store.sql();
    sql.push("update auth_passkeys set content = ")
        .arg(stored(after)?);
    sql.push(", used_at = ").arg(store.clock.now());
    sql.push(" where id = ").arg(before.id);
    sql.push(" and content = ").arg(before.content.as_str());
    Ok(Step::new(sql).expecting(Expect::Rows(1)))
}

/// The step that removes a passkey of that user; none there fails with
/// [`sql::DbError::Unexpected`].
#[must_use]
pub fn delete_step(store: &Store, user: Uuid, id: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_passkeys where id = ").arg(id);
    sql.push(" and user_id = ").arg(user);
    Step::new(sql).expecting(Expect::Rows(1))
}

const KINDS: [Kind; 6] = [
    Kind::Uuid,
    Kind::Uuid,
    Kind::Text,
    Kind::Text,
    Kind::Timestamp,
    Kind::Timestamp,
];

fn select(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push("select id, user_id, name, content, created_at, used_at from auth_passkeys");
    sql
}

fn read(row: Row) -> StoreResult<StoredPasskey> {
    let mut columns = Columns::of(TABLE, row);
    let (id, user, name) = (columns.uuid()?, columns.uuid()?, columns.text()?);
    let content = columns.text()?;
    Ok(StoredPasskey {
        id,
        user,
        name,
        passkey: Passkey::from_stored(&content)
            .map_err(|_| columns.corrupt("a passkey cannot be read"))?,
        content,
        created_at: columns.moment()?,
        used_at: columns.optional_moment()?,
    })
}

fn stored(passkey: &Passkey) -> StoreResult<String> {
    passkey.to_stored().map_err(|_| StoreError::Corrupt {
        table: TABLE,
        what: "a passkey cannot be written",
    })
}

fn hashed(id: &PasskeyId) -> String {
    sha256_hex(id.to_text().as_bytes())
}
