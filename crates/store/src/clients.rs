//! Clients that were added while the server ran: their metadata, and a hash of their secret.

use credentials::token::{ClientSecret, ClientSecretHash};
use jiff::{SignedDuration, Timestamp};
use sql::{DbError, Expect, Kind, Query, Sql, Step};

use crate::decode::Columns;
use crate::{Store, StoreResult};

const TABLE: &str = "auth_clients";

/// A client as it is kept.
#[derive(Clone, Debug)]
pub struct ClientRecord {
    /// Its id.
    pub id: String,
    /// RFC 7591 §2, as JSON text.
    pub metadata: String,
    /// The secret that it is given, where it has one.
    pub secret: Option<ClientSecretHash>,
    /// The secret before, and until when it is good.
    pub previous: Option<(ClientSecretHash, Timestamp)>,
    /// Whether it is of those who run the server, so that people are asked for no consent.
    pub is_first_party: bool,
    /// The role of tokens in which no user takes part.
    pub role: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl ClientRecord {
    /// Whether this is its secret now.
    #[must_use]
    pub fn accepts(&self, secret: &ClientSecret, now: Timestamp) -> bool {
        let hash = secret.hash();
        let previous = self.previous.as_ref();
        self.secret.as_ref().is_some_and(|own| own.is_same(&hash))
            || previous.is_some_and(|(own, until)| now < *until && own.is_same(&hash))
    }
}

/// The step that adds a client; the unit fails with a violated key where there is one of that id.
#[must_use]
pub fn insert_step(store: &Store, client: &ClientRecord) -> Step {
    let mut sql = store.sql();
    sql.push(
        "insert into auth_clients (id, metadata, secret, is_first_party, role, created_at, \
         updated_at) values (",
    );
    sql.arg(client.id.as_str())
        .push(", ")
        .arg(client.metadata.as_str());
    sql.push(", ")
        .arg(client.secret.as_ref().map(ClientSecretHash::as_str));
    sql.push(", ").arg(client.is_first_party);
    sql.push(", ").arg(client.role.clone());
    sql.push(", ").arg(client.created_at);
    sql.push(", ").arg(client.updated_at).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The client of that id.
pub async fn find(store: &Store, id: &str) -> StoreResult<Option<ClientRecord>> {
    let mut sql = select(store);
    sql.push(" where id = ").arg(id);
    Ok(read(store, sql).await?.pop())
}

/// All of them, by id.
pub async fn all(store: &Store) -> StoreResult<Vec<ClientRecord>> {
    let mut sql = select(store);
    sql.push(" order by id");
    read(store, sql).await
}

/// Gives a client another secret; the one that it has stays good for `overlap`. Gives whether there
/// is such a client, and one with a secret.
pub async fn rotate_secret(
    store: &Store,
    id: &str,
    secret: &ClientSecretHash,
    overlap: std::time::Duration,
) -> StoreResult<bool> {
    let now = store.clock.now();
    let overlap = SignedDuration::try_from(overlap).unwrap_or(SignedDuration::MAX);
    let until = now.checked_add(overlap).unwrap_or(Timestamp::MAX);
    let mut kept = store.sql();
    kept.push("update auth_clients set previous_secret = secret, previous_until = ")
        .arg(until);
    kept.push(" where id = ").arg(id);
    kept.push(" and secret is not null");
    let mut replaced = store.sql();
    replaced
        .push("update auth_clients set secret = ")
        .arg(secret.as_str());
    replaced.push(", updated_at = ").arg(now);
    replaced.push(" where id = ").arg(id);
    one(store, vec![Step::new(kept), Step::new(replaced)]).await
}

/// Removes a client with everything that users let it do; gives whether there was one.
pub async fn delete(store: &Store, id: &str) -> StoreResult<bool> {
    let mut client = store.sql();
    client.push("delete from auth_clients where id = ").arg(id);
    let mut grants = store.sql();
    grants
        .push("delete from auth_grants where client_id = ")
        .arg(id);
    let mut consents = store.sql();
    consents
        .push("delete from auth_consents where client_id = ")
        .arg(id);
    let mut devices = store.sql();
    devices
        .push("delete from auth_devices where client_id = ")
        .arg(id);
    let first = Step::new(client).expecting(Expect::Rows(1));
    let others = [grants, consents, devices].map(Step::new);
    let unit = std::iter::once(first).chain(others).collect();
    match store.db.write(unit).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Writes steps that each have to find their one row.
async fn one(store: &Store, steps: Vec<Step>) -> StoreResult<bool> {
    let steps = steps
        .into_iter()
        .map(|step| step.expecting(Expect::Rows(1)));
    match store.db.write(steps.collect()).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn select(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push(
        "select id, metadata, secret, previous_secret, previous_until, is_first_party, role, \
         created_at, updated_at from auth_clients",
    );
    sql
}

async fn read(store: &Store, sql: Sql) -> StoreResult<Vec<ClientRecord>> {
    let kinds = vec![
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Timestamp,
        Kind::Boolean,
        Kind::Text,
        Kind::Timestamp,
        Kind::Timestamp,
    ];
    let rows = store.db.rows(&Query::short(sql, kinds)).await?;
    rows.into_iter()
        .map(|row| {
            let mut columns = Columns::of(TABLE, row);
            Ok(ClientRecord {
                id: columns.text()?,
                metadata: columns.text()?,
                secret: columns.optional_text()?.map(ClientSecretHash::from_stored),
                previous: columns
                    .optional_text()?
                    .map(ClientSecretHash::from_stored)
                    .zip(columns.optional_moment()?),
                is_first_party: columns.bool()?,
                role: columns.optional_text()?,
                created_at: columns.moment()?,
                updated_at: columns.moment()?,
            })
        })
        .collect()
}
