//! Answers that are kept for a while, so that a request that is sent twice is done once
//! (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header-07).

use std::time::Duration;

use sql::{Expect, Kind, Query, Row, Step};

use crate::decode::Columns;
use crate::{Store, StoreResult};

/// How long an answer is kept.
pub const LIFE: Duration = Duration::from_hours(24);

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Of the request that it answered: SHA-256, hexadecimal.
    pub fingerprint: String,
    /// The status code.
    pub status: u16,
    /// `Content-Type`, if there is a body.
    pub content_type: Option<String>,
    /// `Location`, below the mount.
    pub location: Option<String>,
    /// `Content-Range`.
    pub content_range: Option<String>,
    /// The body.
    pub body: String,
}

/// The query for the answer that is kept under `id`.
#[must_use]
pub fn find_query(store: &Store, id: &str) -> Query {
    let mut sql = store.sql();
    sql.push("select fingerprint, status, content_type, location, content_range, body ");
    sql.push("from auth_kept_answers where id = ").arg(id);
    sql.push(" and expires_at > ").arg(store.clock.now());
    let text = Kind::Text;
    Query::short(sql, vec![text, Kind::Integer, text, text, text, text])
}

/// The answer out of a row of [`find_query`].
pub fn of_row(row: Row) -> StoreResult<KeptAnswer> {
    let mut columns = Columns::of("auth_kept_answers", row);
    Ok(KeptAnswer {
        fingerprint: columns.text()?,
        status: u16::try_from(columns.int()?).unwrap_or(200),
        content_type: columns.optional_text()?,
        location: columns.optional_text()?,
        content_range: columns.optional_text()?,
        body: columns.text()?,
    })
}

/// The steps that keep an answer under `id`, which has at most 64 characters; a second one under
/// the same id violates the primary key.
#[must_use]
pub fn keep_steps(store: &Store, id: &str, answer: &KeptAnswer) -> Vec<Step> {
    let now = store.clock.now();
    let expires = now.checked_add(LIFE).unwrap_or(now);
    let mut expired = store.sql();
    expired
        .push("delete from auth_kept_answers where id = ")
        .arg(id);
    expired.push(" and expires_at <= ").arg(now);
    let mut insert = store.sql();
    insert.push("insert into auth_kept_answers (id, fingerprint, status, content_type, location, ");
    insert
        .push("content_range, body, expires_at) values (")
        .arg(id);
    insert.push(", ").arg(answer.fingerprint.as_str());
    insert.push(", ").arg(i64::from(answer.status));
    for text in [
        &answer.content_type,
        &answer.location,
        &answer.content_range,
    ] {
        insert.push(", ").typed_arg(text.clone(), Kind::Text);
    }
    insert.push(", ").arg(answer.body.as_str());
    insert.push(", ").arg(expires).push(")");
    vec![
        Step::new(expired).expecting(Expect::AtMost(1)),
        Step::new(insert).expecting(Expect::Rows(1)),
    ]
}

/// Deletes what is no longer kept; gives how many.
pub async fn purge(store: &Store) -> StoreResult<u64> {
    let mut sql = store.sql();
    sql.push("delete from auth_kept_answers where expires_at <= ")
        .arg(store.clock.now());
    let outcomes = store.db.write(vec![Step::new(sql)]).await?;
    Ok(outcomes.first().map_or(0, |outcome| outcome.affected))
}
