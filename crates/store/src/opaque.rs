//! OPAQUE's set-ups, made once and sealed, and the records of passwords that nobody here has seen.

use credentials::OpaqueSetupKey;
use credentials::opaque::{OpaqueRecord, ServerSetup, ServerSetups, SetupId};
use sql::{DbError, Expect, Kind, Query, Row, Step, Value};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreError, StoreResult};

const SETUPS: &str = "auth_opaque_setups";
const RECORDS: &str = "auth_opaque_records";

/// Loads the set-ups, and makes the first one where there is none and no record needs one.
///
/// Any number of processes may start at the same moment: the constraint lets one insert win and the
/// others read what it wrote. Records without their set-up are refused with
/// [`StoreError::OpaqueSetupMissing`]: a new one would lock everybody out for good.
pub async fn load_or_create(store: &Store, key: &OpaqueSetupKey) -> StoreResult<ServerSetups> {
    let orphans = orphaned_records(store).await?;
    if orphans > 0 {
        return Err(StoreError::OpaqueSetupMissing { records: orphans });
    }
    if let Some(setups) = load(store, key).await? {
        return Ok(setups);
    }
    let first = ServerSetup::generate(SetupId(1), &store.rng).map_err(|_| unusable())?;
    match store.db.write(vec![insert_step(store, key, &first)]).await {
        Ok(_) | Err(DbError::Unique { .. }) => {}
        Err(error) => return Err(StoreError::Db(error)),
    }
    load(store, key).await?.ok_or(unusable())
}

/// Loads the set-ups, or makes one for this process where the database has none and takes none: it
/// answers for nobody's passwords, as there are no records.
pub async fn load_or_lend(store: &Store, key: &OpaqueSetupKey) -> StoreResult<ServerSetups> {
    if let Some(setups) = load(store, key).await? {
        return Ok(setups);
    }
    let lent = ServerSetup::generate(SetupId(1), &store.rng).map_err(|_| unusable())?;
    Ok(ServerSetups::new(lent, Vec::new()))
}

/// Loads the set-ups; `None` before the first one was made.
pub async fn load(store: &Store, key: &OpaqueSetupKey) -> StoreResult<Option<ServerSetups>> {
    let mut sql = store.sql();
    sql.push("select id, sealed, is_current from auth_opaque_setups order by id desc");
    let kinds = vec![Kind::Integer, Kind::Bytes, Kind::Boolean];
    let (mut current, mut previous) = (None, Vec::new());
    for row in store.db.settled_rows(&Query::short(sql, kinds)).await? {
        let mut columns = Columns::of(SETUPS, row);
        let number = columns.int()?;
        let id = u32::try_from(number).map_err(|_| columns.corrupt("a number is no set-up's"))?;
        let sealed = columns.bytes()?;
        let setup = ServerSetup::open(SetupId(id), &sealed, key)
            .map_err(|_| StoreError::OpaqueSetupSealed { setup: id })?;
        match columns.optional_bool()? {
            Some(true) => current = Some(setup),
            Some(false) | None => previous.push(setup),
        }
    }
    let Some(current) = current else {
        return match previous.is_empty() {
            true => Ok(None),
            false => Err(unusable()),
        };
    };
    Ok(Some(ServerSetups::new(current, previous)))
}

/// The user's record, if the password is proved by OPAQUE.
pub async fn record_of(store: &Store, user: Uuid) -> StoreResult<Option<OpaqueRecord>> {
    let mut sql = store.sql();
    sql.push("select record from auth_opaque_records where user_id = ")
        .arg(user);
    let row = store
        .db
        .optional(&Query::short(sql, vec![Kind::Text]))
        .await?;
    row.map(read_record).transpose()
}

/// Whether any account proves its password by OPAQUE.
pub async fn has_records(store: &Store) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("select user_id from auth_opaque_records limit 1");
    let query = Query::short(sql, vec![Kind::Uuid]);
    Ok(store.db.optional(&query).await?.is_some())
}

/// The step that gives an account its first record.
#[must_use]
pub fn insert_record_step(store: &Store, user: Uuid, record: &OpaqueRecord) -> Step {
    let mut sql = store.sql();
    sql.push("insert into auth_opaque_records (user_id, setup_id, record, updated_at) values (");
    sql.arg(user).push(", ").arg(i64::from(record.setup().0));
    sql.push(", ").arg(record.to_stored());
    sql.push(", ").arg(store.clock.now()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that forgets a record; none there is fine.
#[must_use]
pub fn delete_record_step(store: &Store, user: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_opaque_records where user_id = ")
        .arg(user);
    Step::new(sql).expecting(Expect::AtMost(1))
}

/// The steps that put a record in the place of whatever proved the password before, a hash or a
/// record, without touching tokens.
#[must_use]
pub fn set_record_steps(store: &Store, user: Uuid, record: &OpaqueRecord) -> Vec<Step> {
    vec![
        crate::users::delete_password_step(store, user),
        delete_record_step(store, user),
        insert_record_step(store, user, record),
    ]
}

async fn orphaned_records(store: &Store) -> StoreResult<u64> {
    let mut sql = store.sql();
    sql.push(
        "select count(*) from auth_opaque_records r where not exists \
         (select 1 from auth_opaque_setups s where s.id = r.setup_id)",
    );
    let query = Query::short(sql, vec![Kind::BigInt]);
    let row = store.db.optional(&query).await?;
    let count = row.map(|row| Columns::of(RECORDS, row).int()).transpose()?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}

fn insert_step(store: &Store, key: &OpaqueSetupKey, setup: &ServerSetup) -> Step {
    let mut sql = store.sql();
    sql.push("insert into auth_opaque_setups (id, sealed, is_current, created_at) values (");
    sql.arg(i64::from(setup.id().0));
    sql.push(", ")
        .arg(Value::Bytes(setup.seal(key, &store.rng)));
    sql.push(", ").arg(true);
    sql.push(", ").arg(store.clock.now()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

fn read_record(row: Row) -> StoreResult<OpaqueRecord> {
    let mut columns = Columns::of(RECORDS, row);
    let text = columns.text()?;
    OpaqueRecord::from_stored(&text).map_err(|_| columns.corrupt("a record cannot be read"))
}

fn unusable() -> StoreError {
    StoreError::Corrupt {
        table: SETUPS,
        what: "no set-up registers passwords",
    }
}
