//! Accounts that somebody else keeps the list of: each source has keys of its own, and a key is
//! who somebody is, whatever else changes.

use credentials::{EmailAddress, Username};
use sql::{Expect, Kind, Query, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::users::{self, User};
use crate::{Store, StoreResult};

/// How many are asked for by one statement.
const AT_ONCE: usize = 500;

/// An account that a source knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The source's key.
    pub external_id: String,
    /// The account.
    pub user: User,
    /// BCP 47, of pages and mails.
    pub language: Option<String>,
}

/// All accounts that have a key of this source, in the order of their keys.
pub async fn of_source(store: &Store, source: &str) -> StoreResult<Vec<Linked>> {
    let mut sql = users::select_user_with(store, ", u.external_id, u.language");
    sql.push(" where u.external_id is not null and u.external_source = ")
        .arg(source);
    sql.push(" order by u.external_id");
    let mut kinds = users::USER_KINDS.to_vec();
    kinds.extend([Kind::Text; 2]);
    let rows = store.db.rows(&Query::long(sql, kinds)).await?;
    let read = |row| {
        let mut columns = Columns::of("auth_users", row);
        let user = users::read_user(&mut columns)?;
        Ok(Linked {
            external_id: columns.text()?,
            user,
            language: columns.optional_text()?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// The step that says by which key a source knows an account, or that none does. A key that another
/// account has fails with [`sql::DbError::Unique`].
#[must_use]
pub fn link_step(store: &Store, user: Uuid, source: &str, external_id: Option<&str>) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_users set external_source = ")
        .arg(source);
    sql.push(", external_id = ")
        .arg(external_id.map(str::to_owned));
    sql.push(", updated_at = ").arg(store.clock.now());
    sql.push(" where id = ").arg(user);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that says which language the owner of an account reads.
#[must_use]
pub fn language_step(store: &Store, user: Uuid, language: Option<&str>) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_users set language = ")
        .arg(language.map(str::to_owned));
    sql.push(" where id = ").arg(user);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// What an account has of which there can be one alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Its address, in normal form.
    pub email: String,
    /// Its user name, as it is compared.
    pub username_key: Option<String>,
    /// The account.
    pub id: Uuid,
}

/// The accounts that have one of these addresses or user names.
pub async fn owners(
    store: &Store,
    emails: &[&EmailAddress],
    usernames: &[&Username],
) -> StoreResult<Vec<Owned>> {
    let emails: Vec<&str> = emails.iter().map(|email| email.as_str()).collect();
    let keys: Vec<&str> = usernames.iter().map(|name| name.username_key()).collect();
    let mut found = owners_by(store, "email", &emails).await?;
    found.extend(owners_by(store, "username_key", &keys).await?);
    Ok(found)
}

async fn owners_by(store: &Store, column: &'static str, texts: &[&str]) -> StoreResult<Vec<Owned>> {
    let mut found = Vec::new();
    for some in texts.chunks(AT_ONCE) {
        let mut sql = store.sql();
        sql.push("select email, username_key, id from auth_users where ")
            .push(column)
            .push(" in (");
        for (place, text) in some.iter().enumerate() {
            if place > 0 {
                sql.push(", ");
            }
            sql.arg(*text);
        }
        sql.push(")");
        let query = Query::long(sql, vec![Kind::Text, Kind::Text, Kind::Uuid]);
        for row in store.db.rows(&query).await? {
            let mut columns = Columns::of("auth_users", row);
            found.push(Owned {
                email: columns.text()?,
                username_key: columns.optional_text()?,
                id: columns.uuid()?,
            });
        }
    }
    Ok(found)
}
