//! The accounts as whoever administers them looks at them: filtered, page by page, each with its
//! roles, factors and when it was seen.

use std::collections::HashMap;

use jiff::Timestamp;
use sql::{Kind, Query, Sql};
use uuid::Uuid;

use crate::administrators::among;
use crate::decode::Columns;
use crate::factors::Factors;
use crate::roles::Held;
use crate::users::{self, User};
use crate::{Store, StoreResult};

const TABLE: &str = "auth_users";

/// Which accounts are wanted; `None` for any.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// This one alone.
    pub id: Option<Uuid>,
    /// Those whose address, user name or names hold this text, in whatever case.
    pub text: Option<String>,
    /// Those that hold this role now.
    pub role: Option<String>,
    /// Those that may be used, or those that may not.
    pub active: Option<bool>,
    /// Those whose address is proved, or those whose is not.
    pub confirmed: Option<bool>,
    /// Those made before that one, for the next page.
    pub before: Option<Uuid>,
}

/// An account with what stands in other tables.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The account.
    pub user: User,
    /// BCP 47.
    pub language: Option<String>,
    /// Who imports it.
    pub external_source: String,
    /// How it is called there.
    pub external_id: Option<String>,
    /// The roles that it holds now.
    pub roles: Vec<Held>,
    /// Its factors beside the password.
    pub factors: Factors,
    /// When one of its sessions, API keys or apps was used last, of those that there still are.
    pub seen_at: Option<Timestamp>,
}

/// The accounts, the newest first, at most `limit`.
pub async fn list(store: &Store, wanted: &Wanted, limit: u64) -> StoreResult<Vec<Listed>> {
    let mut sql = users::select_user_with(store, ", u.language, u.external_source, u.external_id");
    restrict(store, &mut sql, wanted);
    // Ids are of version 7: they grow with the time.
    sql.push(" order by u.id desc limit ").number(limit);
    let mut kinds = users::USER_KINDS.to_vec();
    kinds.extend([Kind::Text; 3]);
    let mut list = Vec::new();
    for row in store.db.rows(&Query::long(sql, kinds)).await? {
        let mut columns = Columns::of(TABLE, row);
        list.push(Listed {
            user: users::read_user(&mut columns)?,
            language: columns.optional_text()?,
            external_source: columns.text()?,
            external_id: columns.optional_text()?,
            roles: Vec::new(),
            factors: Factors::default(),
            seen_at: None,
        });
    }
    complete(store, &mut list).await?;
    Ok(list)
}

/// One account.
pub async fn by_id(store: &Store, id: Uuid) -> StoreResult<Option<Listed>> {
    let wanted = Wanted {
        id: Some(id),
        ..Wanted::default()
    };
    Ok(list(store, &wanted, 1).await?.into_iter().next())
}

fn restrict(store: &Store, sql: &mut Sql, wanted: &Wanted) {
    sql.push(" where 1 = 1");
    if let Some(id) = wanted.id {
        sql.push(" and u.id = ").arg(id);
    }
    if let Some(before) = wanted.before {
        sql.push(" and u.id < ").arg(before);
    }
    if let Some(active) = wanted.active {
        sql.push(" and u.active = ").arg(active);
    }
    match wanted.confirmed {
        Some(true) => {
            sql.push(" and u.email_verified_at is not null");
        }
        Some(false) => {
            sql.push(" and u.email_verified_at is null");
        }
        None => {}
    }
    if let Some(role) = &wanted.role {
        sql.push(" and u.id in (select r.user_id from auth_user_roles r where r.role = ")
            .arg(role.as_str());
        sql.push(" and (r.expires_at is null or r.expires_at > ")
            .arg(store.clock.now());
        sql.push("))");
    }
    if let Some(text) = &wanted.text {
        let pattern = pattern(text);
        sql.push(" and (u.email like ").arg(pattern.as_str());
        sql.push(" escape '!' or u.username_key like ")
            .arg(pattern.as_str());
        for column in [
            " escape '!' or lower(u.first_name) like ",
            " escape '!' or lower(u.last_name) like ",
            " escape '!' or lower(u.display_name) like ",
        ] {
            sql.push(column).arg(pattern.as_str());
        }
        sql.push(" escape '!')");
    }
}

/// What holds this text; the text's own `%` and `_` stand for themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Adds what stands in other tables, with one statement for each of them and not for each account.
async fn complete(store: &Store, list: &mut [Listed]) -> StoreResult<()> {
    let ids: Vec<Uuid> = list.iter().map(|one| one.user.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let places: HashMap<Uuid, usize> = ids.iter().copied().zip(0..).collect();
    let mut add = |id: Uuid, change: &dyn Fn(&mut Listed)| {
        if let Some(one) = places.get(&id).and_then(|place| list.get_mut(*place)) {
            change(one);
        }
    };
    let mut sql = store.sql();
    sql.push("select user_id, role, expires_at from auth_user_roles where user_id");
    among(&mut sql, &ids);
    sql.push(" and (expires_at is null or expires_at > ")
        .arg(store.clock.now());
    sql.push(") order by role");
    let kinds = vec![Kind::Uuid, Kind::Text, Kind::Timestamp];
    for row in store.db.rows(&Query::long(sql, kinds)).await? {
        let mut columns = Columns::of("auth_user_roles", row);
        let (id, role, expires_at) = (columns.uuid()?, columns.text()?, columns.optional_moment()?);
        let held = Held { role, expires_at };
        add(id, &|one| one.roles.push(held.clone()));
    }
    let confirmed = " where confirmed_at is not null and user_id";
    for (id, count) in counts(store, "auth_totp", confirmed, &ids).await? {
        add(id, &|one| one.factors.totp = count > 0);
    }
    for (id, count) in counts(store, "auth_passkeys", " where user_id", &ids).await? {
        add(id, &|one| one.factors.passkeys = count);
    }
    let unused = " where used_at is null and user_id";
    for (id, count) in counts(store, "auth_recovery_codes", unused, &ids).await? {
        add(id, &|one| one.factors.recovery_codes = count);
    }
    for (table, column) in [
        ("auth_sessions", "select user_id, max(seen_at) from "),
        ("auth_api_keys", "select user_id, max(used_at) from "),
        ("auth_grants", "select user_id, max(rotated_at) from "),
    ] {
        for (id, at) in latest(store, table, column, &ids).await? {
            add(id, &|one| one.seen_at = one.seen_at.max(at));
        }
    }
    Ok(())
}

/// How many rows of `table` each of these accounts has.
async fn counts(
    store: &Store,
    table: &'static str,
    condition: &'static str,
    ids: &[Uuid],
) -> StoreResult<Vec<(Uuid, u32)>> {
    let mut sql = store.sql();
    sql.push("select user_id, count(*) from ")
        .push(table)
        .push(condition);
    among(&mut sql, ids);
    sql.push(" group by user_id");
    let query = Query::long(sql, vec![Kind::Uuid, Kind::BigInt]);
    let rows = store.db.rows(&query).await?;
    let read = |row| {
        let mut columns = Columns::of(table, row);
        let id = columns.uuid()?;
        Ok((id, u32::try_from(columns.int()?).unwrap_or(u32::MAX)))
    };
    rows.into_iter().map(read).collect()
}

/// The latest moment of `table` for each of these accounts.
async fn latest(
    store: &Store,
    table: &'static str,
    select: &'static str,
    ids: &[Uuid],
) -> StoreResult<Vec<(Uuid, Option<Timestamp>)>> {
    let mut sql = store.sql();
    sql.push(select).push(table).push(" where user_id");
    among(&mut sql, ids);
    sql.push(" group by user_id");
    let query = Query::long(sql, vec![Kind::Uuid, Kind::Timestamp]);
    let rows = store.db.rows(&query).await?;
    let read = |row| {
        let mut columns = Columns::of(table, row);
        Ok((columns.uuid()?, columns.optional_moment()?))
    };
    rows.into_iter().map(read).collect()
}
