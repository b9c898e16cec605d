//! Small facts about the installation that live with its data.

use sql::{Expect, Kind, Query, Step};

use crate::decode::Columns;
use crate::{Store, StoreResult};

/// The value of that name.
pub async fn get(store: &Store, name: &str) -> StoreResult<Option<String>> {
    let mut sql = store.sql();
    sql.push("select value from auth_settings where name = ")
        .arg(name);
    let row = store
        .db
        .optional(&Query::short(sql, vec![Kind::Text]))
        .await?;
    row.map(|row| Columns::of("auth_settings", row).text())
        .transpose()
}

/// The steps that set a value, whether or not there was one. `name` has at most 120 characters.
#[must_use]
pub fn set_steps(store: &Store, name: &str, value: &str) -> Vec<Step> {
    let mut delete = store.sql();
    delete
        .push("delete from auth_settings where name = ")
        .arg(name);
    let mut insert = store.sql();
    insert.push("insert into auth_settings (name, value, updated_at) values (");
    insert.arg(name).push(", ").arg(value);
    insert.push(", ").arg(store.clock.now()).push(")");
    vec![
        Step::new(delete).expecting(Expect::AtMost(1)),
        Step::new(insert).expecting(Expect::Rows(1)),
    ]
}
