//! Devices without a browser (RFC 8628): they wait here until somebody says yes or no elsewhere.
//!
//! Both of a device's codes are stored as hashes. Whether it may have its tokens is the column
//! `status`, which is changed by conditional updates alone: of any number who do it at once one is
//! told that it was him.

use std::time::Duration;

use credentials::sha256_hex;
use credentials::token::DeviceCodeHash;
use jiff::{SignedDuration, Timestamp};
use oauth::device::{DeviceGrant, DeviceStatus};
use sql::{DbError, Expect, Kind, Query, Sql, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::grants::{self, NewGrant};
use crate::{Store, StoreResult};

const TABLE: &str = "auth_devices";

/// How long a device is told that its time is over, instead of that nobody knows it.
const TOLD: Duration = Duration::from_hours(1);

/// A device that begins to wait.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Its own code.
    pub code: DeviceCodeHash,
    /// The code that people type, without its hyphen.
    pub user_code: String,
    /// The client that it is.
    pub client_id: String,
    /// JSON: scopes and resources.
    pub content: String,
    /// How long it waits between two questions, seconds.
    pub interval: i64,
    /// Its last moment.
    pub expires_at: Timestamp,
}

/// A device as it stands.
#[derive(Clone, Debug)]
pub struct Device {
    /// The hash of its own code.
    pub id: String,
    /// What decides about its questions.
    pub waiting: DeviceGrant,
    /// JSON: scopes and resources.
    pub content: String,
    /// What somebody has said yes to.
    pub grant: Option<Uuid>,
}

/// What is stored of a code that people type. It has 34 bits and lives for minutes; whoever reads
/// the database while it lives can find it, and nobody can from an old copy use it.
fn hash(user_code: &str) -> String {
    sha256_hex(format!("pilaster/user-code/1\0{user_code}").as_bytes())
}

fn name(status: DeviceStatus) -> &'static str {
    match status {
        DeviceStatus::Pending => "pending",
        DeviceStatus::Approved => "approved",
        DeviceStatus::Denied => "denied",
        DeviceStatus::Used => "used",
    }
}

fn of_name(name: &str) -> Option<DeviceStatus> {
    let all = [
        DeviceStatus::Pending,
        DeviceStatus::Approved,
        DeviceStatus::Denied,
        DeviceStatus::Used,
    ];
    all.into_iter().find(|one| self::name(*one) == name)
}

/// Lets a device wait; gives `false` where another one has the same code for people.
pub async fn insert(store: &Store, device: &NewDevice) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push(
        "insert into auth_devices (id, user_code, client_id, content, status, pause_seconds, \
         expires_at) values (",
    );
    sql.arg(device.code.as_str());
    sql.push(", ").arg(hash(&device.user_code));
    sql.push(", ").arg(device.client_id.as_str());
    sql.push(", ").arg(device.content.as_str());
    sql.push(", ").arg(name(DeviceStatus::Pending));
    sql.push(", ").arg(device.interval);
    sql.push(", ").arg(device.expires_at).push(")");
    let step = Step::new(sql).expecting(Expect::Rows(1));
    match store.db.write(vec![step]).await {
        Ok(_) => Ok(true),
        Err(DbError::Unique { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The device of that code, in whatever state.
pub async fn find(store: &Store, code: &DeviceCodeHash) -> StoreResult<Option<Device>> {
    let mut sql = select(store);
    sql.push(" where id = ").arg(code.as_str());
    Ok(read(store, sql).await?.pop())
}

/// The device that waits under a code that somebody typed.
pub async fn waiting(store: &Store, user_code: &str) -> StoreResult<Option<Device>> {
    let mut sql = select(store);
    sql.push(" where user_code = ").arg(hash(user_code));
    sql.push(" and status = ").arg(name(DeviceStatus::Pending));
    sql.push(" and expires_at > ").arg(store.clock.now());
    Ok(read(store, sql).await?.pop())
}

/// The steps by which somebody says yes: what the device may do begins when it asks. The unit fails
/// with [`DbError::Unexpected`] where it does not wait any more.
#[must_use]
pub fn approve_steps(store: &Store, device: &Device, grant: &NewGrant) -> Vec<Step> {
    let mut sql = store.sql();
    sql.push("update auth_devices set status = ")
        .arg(name(DeviceStatus::Approved));
    sql.push(", grant_id = ").arg(grant.id);
    vec![
        grants::insert_step(store, grant),
        of_waiting(store, sql, device),
    ]
}

/// The step by which somebody says no; it fails as [`approve_steps`] do.
#[must_use]
pub fn deny_step(store: &Store, device: &Device) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_devices set status = ")
        .arg(name(DeviceStatus::Denied));
    of_waiting(store, sql, device)
}

fn of_waiting(store: &Store, mut sql: Sql, device: &Device) -> Step {
    sql.push(" where id = ").arg(device.id.as_str());
    sql.push(" and status = ").arg(name(DeviceStatus::Pending));
    sql.push(" and expires_at > ").arg(store.clock.now());
    Step::new(sql).expecting(Expect::Rows(1))
}

/// Notes when a device has asked and how long it waits from now on; what somebody says meanwhile
/// stands.
pub async fn note_question(store: &Store, id: &str, asked: &DeviceGrant) -> StoreResult<()> {
    let polled = asked.polled_at.map(grants::of_second);
    let mut sql = store.sql();
    sql.push("update auth_devices set polled_at = ").arg(polled);
    sql.push(", pause_seconds = ").arg(asked.interval);
    sql.push(" where id = ").arg(id);
    let step = Step::new(sql).expecting(Expect::AtMost(1));
    store.db.write(vec![step]).await?;
    Ok(())
}

/// Takes the yes of a device and begins its grant, bound to the key `jkt` if there is one; of any
/// number who do it at once one is told `true`.
pub async fn redeem(store: &Store, id: &str, grant: Uuid, jkt: Option<&str>) -> StoreResult<bool> {
    let mut used = store.sql();
    used.push("update auth_devices set status = ")
        .arg(name(DeviceStatus::Used));
    used.push(" where id = ").arg(id);
    used.push(" and status = ")
        .arg(name(DeviceStatus::Approved));
    let used = Step::new(used).expecting(Expect::Rows(1));
    let unit = vec![used, grants::begin_step(store, grant, jkt)];
    grants::found(store.db.write(unit).await)
}

/// Deletes devices whose time has been over for a while; gives how many.
pub async fn purge(store: &Store) -> StoreResult<u64> {
    let told = SignedDuration::try_from(TOLD).unwrap_or(SignedDuration::ZERO);
    let before = store.clock.now().checked_sub(told);
    let mut sql = store.sql();
    sql.push("delete from auth_devices where expires_at <= ")
        .arg(before.unwrap_or(Timestamp::MIN));
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.last().map_or(0, |outcome| outcome.affected))
}

fn select(store: &Store) -> Sql {
    let mut sql = store.sql();
    sql.push(
        "select id, client_id, content, status, grant_id, pause_seconds, polled_at, expires_at \
         from auth_devices",
    );
    sql
}

async fn read(store: &Store, sql: Sql) -> StoreResult<Vec<Device>> {
    let kinds = vec![
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Uuid,
        Kind::Integer,
        Kind::Timestamp,
        Kind::Timestamp,
    ];
    let rows = store.db.rows(&Query::short(sql, kinds)).await?;
    rows.into_iter()
        .map(|row| {
            let mut columns = Columns::of(TABLE, row);
            let id = columns.text()?;
            let client_id = columns.text()?;
            let content = columns.text()?;
            let status = columns.text()?;
            let status =
                of_name(&status).ok_or_else(|| columns.corrupt("a status is none of ours"))?;
            let grant = columns.optional_uuid()?;
            let interval = columns.int()?;
            let polled_at = columns.optional_moment()?.map(Timestamp::as_second);
            let waiting = DeviceGrant {
                client_id,
                expires_at: columns.moment()?.as_second(),
                interval,
                polled_at,
                status,
            };
            Ok(Device {
                id,
                waiting,
                content,
                grant,
            })
        })
        .collect()
}
