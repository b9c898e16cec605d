//! Moments in the database.

use std::time::Duration;

use jiff::Timestamp;
use sql::{DbError, Expect, Kind, Query, Step};

use super::{Count, Key};
use crate::decode::Columns;
use crate::{Store, StoreError, StoreResult};

const TABLE: &str = "auth_moments";

/// How often something is tried again that others changed in between.
const TRIES: u32 = 16;

pub(super) async fn put(
    store: &Store,
    key: &Key,
    content: &str,
    life: Duration,
) -> StoreResult<()> {
    let insert = insert_step(store, key, content, 0, life);
    for _ in 0..TRIES {
        let unit = vec![delete_step(store, key), insert.clone()];
        match store.db.write(unit).await {
            Ok(_) => return Ok(()),
            // Somebody put the same at this moment.
            Err(DbError::Unique { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Db(DbError::Conflict))
}

pub(super) async fn take(store: &Store, key: &Key) -> StoreResult<Option<String>> {
    let Some(content) = peek(store, key).await? else {
        return Ok(None);
    };
    let mut sql = store.sql();
    sql.push("delete from auth_moments where id = ")
        .arg(key.id.as_str());
    sql.push(" and content = ").arg(content.as_str());
    sql.push(" and expires_at > ").arg(store.clock.now());
    match store
        .db
        .write(vec![Step::new(sql).expecting(Expect::Rows(1))])
        .await
    {
        Ok(_) => Ok(Some(content)),
        Err(DbError::Unexpected { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn peek(store: &Store, key: &Key) -> StoreResult<Option<String>> {
    let mut sql = store.sql();
    sql.push("select content from auth_moments where id = ")
        .arg(key.id.as_str());
    sql.push(" and expires_at > ").arg(store.clock.now());
    let rows = store
        .db
        .settled_rows(&Query::short(sql, vec![Kind::Text]))
        .await?;
    let row = rows.into_iter().next();
    row.map(|row| Columns::of(TABLE, row).text()).transpose()
}

pub(super) async fn forget(store: &Store, key: &Key) -> StoreResult<()> {
    store.db.write(vec![delete_step(store, key)]).await?;
    Ok(())
}

pub(super) async fn count_up(store: &Store, key: &Key, life: Duration) -> StoreResult<Count> {
    for _ in 0..TRIES {
        let now = store.clock.now();
        let mut sql = store.sql();
        sql.push("update auth_moments set counted = counted + 1, expires_at = ")
            .arg(end(now, life));
        sql.push(" where id = ").arg(key.id.as_str());
        sql.push(" and expires_at > ").arg(now);
        let counted = Step::new(count_sql(store, key)).returning(KINDS.to_vec());
        let unit = vec![Step::new(sql).expecting(Expect::Rows(1)), counted];
        match store.db.write(unit).await {
            Ok(mut outcomes) => {
                let row = outcomes.pop().and_then(|mut last| last.rows.pop());
                let missing = StoreError::Corrupt {
                    table: TABLE,
                    what: "a count is missing",
                };
                return row.map_or(Err(missing), read);
            }
            Err(DbError::Unexpected { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let first = insert_step(store, key, "", 1, life);
        match store.db.write(vec![expired_step(store, key), first]).await {
            Ok(_) => {
                return Ok(Count {
                    number: 1,
                    ends_at: end(now, life),
                });
            }
            // Somebody else was the first.
            Err(DbError::Unique { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Db(DbError::Conflict))
}

pub(super) async fn count_down(store: &Store, key: &Key) -> StoreResult<()> {
    let mut sql = store.sql();
    sql.push("update auth_moments set counted = counted - 1 where id = ")
        .arg(key.id.as_str());
    sql.push(" and counted > 0");
    let unit = vec![Step::new(sql).expecting(Expect::AtMost(1))];
    store.db.write(unit).await?;
    Ok(())
}

pub(super) async fn count(store: &Store, key: &Key) -> StoreResult<Option<Count>> {
    let mut sql = count_sql(store, key);
    sql.push(" and expires_at > ").arg(store.clock.now());
    let rows = store
        .db
        .settled_rows(&Query::short(sql, KINDS.to_vec()))
        .await?;
    rows.into_iter().next().map(read).transpose()
}

pub(super) async fn purge(store: &Store) -> StoreResult<u64> {
    let mut sql = store.sql();
    sql.push("delete from auth_moments where expires_at <= ")
        .arg(store.clock.now());
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.first().map_or(0, |outcome| outcome.affected))
}

const KINDS: [Kind; 2] = [Kind::Integer, Kind::Timestamp];

fn count_sql(store: &Store, key: &Key) -> sql::Sql {
    let mut sql = store.sql();
    sql.push("select counted, expires_at from auth_moments where id = ")
        .arg(key.id.as_str());
    sql
}

fn read(row: sql::Row) -> StoreResult<Count> {
    let mut columns = Columns::of(TABLE, row);
    Ok(Count {
        number: u32::try_from(columns.int()?).unwrap_or(0),
        ends_at: columns.moment()?,
    })
}

fn insert_step(store: &Store, key: &Key, content: &str, counted: i64, life: Duration) -> Step {
    let mut sql = store.sql();
    sql.push("insert into auth_moments (id, purpose, content, counted, expires_at) values (");
    sql.arg(key.id.as_str()).push(", ").arg(key.purpose.name());
    sql.push(", ").arg(content).push(", ").arg(counted);
    sql.push(", ").arg(end(store.clock.now(), life)).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

fn delete_step(store: &Store, key: &Key) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_moments where id = ")
        .arg(key.id.as_str());
    Step::new(sql).expecting(Expect::AtMost(1))
}

fn expired_step(store: &Store, key: &Key) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_moments where id = ")
        .arg(key.id.as_str());
    sql.push(" and expires_at <= ").arg(store.clock.now());
    Step::new(sql).expecting(Expect::AtMost(1))
}

fn end(now: Timestamp, life: Duration) -> Timestamp {
    now.checked_add(life).unwrap_or(now)
}
