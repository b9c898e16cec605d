//! Clients that were added while the server ran: their metadata, and a hash of their secret.

use std::time::Duration;

use credentials::token::{ClientSecret, ClientSecretHash, RegistrationTokenHash};
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
    /// What it is managed by, where it registered itself.
    pub registration: Option<RegistrationTokenHash>,
    /// Of one that registered itself: when it was used last, within an hour.
    pub used_at: Option<Timestamp>,
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
        "insert into auth_clients (id, metadata, secret, is_first_party, role, registration, \
         created_at, updated_at) values (",
    );
    sql.arg(client.id.as_str())
        .push(", ")
        .arg(client.metadata.as_str());
    sql.push(", ")
        .arg(client.secret.as_ref().map(ClientSecretHash::as_str));
    sql.push(", ").arg(client.is_first_party);
    sql.push(", ").arg(client.role.clone());
    let registration = client.registration.as_ref();
    sql.push(", ")
        .arg(registration.map(RegistrationTokenHash::as_str));
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

/// The step that puts what a client which registered itself says now in the place of what it said; it
/// fails with [`DbError::Unexpected`] where the client is not managed by `seen` any more.
#[must_use]
pub fn replace_step(store: &Store, client: &ClientRecord, seen: &RegistrationTokenHash) -> Step {
    let secret = client.secret.as_ref().map(ClientSecretHash::as_str);
    let registration = client.registration.as_ref();
    let mut sql = store.sql();
    sql.push("update auth_clients set metadata = ")
        .arg(client.metadata.as_str());
    sql.push(", secret = ").arg(secret);
    sql.push(", registration = ")
        .arg(registration.map(RegistrationTokenHash::as_str));
    sql.push(", updated_at = ").arg(client.updated_at);
    sql.push(" where id = ").arg(client.id.as_str());
    sql.push(" and registration = ").arg(seen.as_str());
    Step::new(sql).expecting(Expect::Rows(1))
}

/// Notes that a client is in use.
pub async fn touch(store: &Store, id: &str) -> StoreResult<()> {
    let mut sql = store.sql();
    sql.push("update auth_clients set used_at = ")
        .arg(store.clock.now());
    sql.push(" where id = ").arg(id);
    let step = Step::new(sql).expecting(Expect::AtMost(1));
    store.db.write(vec![step]).await?;
    Ok(())
}

/// Clients that registered themselves, that were not used for so long, and that may act for nobody; at
/// most a hundred.
pub async fn unused(store: &Store, life: Duration) -> StoreResult<Vec<String>> {
    let now = store.clock.now();
    let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
    let before = now.checked_sub(life).unwrap_or(Timestamp::MIN);
    let mut sql = store.sql();
    sql.push(
        "select id from auth_clients where registration is not null \
         and coalesce(used_at, created_at) <= ",
    );
    sql.arg(before);
    sql.push(
        " and not exists (select 1 from auth_grants g where g.client_id = auth_clients.id \
         and g.revoked_at is null and g.expires_at > ",
    );
    sql.arg(now).push(") order by id limit ").number(100);
    let rows = store.db.rows(&Query::short(sql, vec![Kind::Text])).await?;
    rows.into_iter()
        .map(|row| Columns::of(TABLE, row).text())
        .collect()
}

/// Removes a client with everything that users let it do; gives whether there was one.
pub async fn delete(store: &Store, id: &str) -> StoreResult<bool> {
    match store.db.write(delete_steps(store, id)).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The steps that do so; they fail with [`DbError::Unexpected`] where there is none.
#[must_use]
pub fn delete_steps(store: &Store, id: &str) -> Vec<Step> {
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
    std::iter::once(first).chain(others).collect()
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
         registration, used_at, created_at, updated_at from auth_clients",
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
        Kind::Text,
        Kind::Timestamp,
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
                registration: columns
                    .optional_text()?
                    .map(RegistrationTokenHash::from_stored),
                used_at: columns.optional_moment()?,
                created_at: columns.moment()?,
                updated_at: columns.moment()?,
            })
        })
        .collect()
}
