//! What our roles and functions are called.
//!
//! Roles belong to a whole server. The number of the database is in their names, so that those of
//! two databases are never the same, whatever the databases are called.

use sql::{Db, DbResult, Dialect, Ident, Kind, Query, Row, Value};

use super::sql;
use crate::Catalog;
use crate::migrate::checksum_of;

/// The names of one database's roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeNames {
    /// The server's number of the database.
    database: u32,
}

impl NativeNames {
    /// Those of a database; `None` where it is not PostgreSQL.
    pub async fn of(db: &Db) -> DbResult<Option<Self>> {
        if db.dialect() != Dialect::Postgres {
            return Ok(None);
        }
        let mut query = sql();
        query.push("select oid::bigint from pg_database where datname = current_database()");
        let row = db
            .optional(&Query::short(query, vec![Kind::BigInt]))
            .await?;
        Ok(row.and_then(number).map(|database| Self { database }))
    }

    /// Those of a database of this server, by its name; `None` where there is none.
    pub async fn of_database(server: &Db, name: &str) -> DbResult<Option<Self>> {
        if server.dialect() != Dialect::Postgres {
            return Ok(None);
        }
        let mut query = sql();
        query.push("select oid::bigint from pg_database where datname = ");
        query.quoted(name);
        let row = server
            .optional(&Query::short(query, vec![Kind::BigInt]))
            .await?;
        Ok(row.and_then(number).map(|database| Self { database }))
    }

    /// What stands in the comment of each role.
    pub(super) fn mark(&self) -> String {
        format!("pilaster: native_rls of database {}", self.database)
    }

    /// A regular expression that the names of all roles match.
    pub(super) fn pattern(&self) -> String {
        format!("^pilaster_{}[_+=]", self.database)
    }

    /// The role of a declared one: `pilaster_16384_editor`.
    #[must_use]
    pub fn role(&self, declared: &Ident) -> Ident {
        self.name("_", declared.as_str())
    }

    /// The role of a caller who has exactly these ones, each with what it inherits: that of the
    /// only one that no other brings along, or one that is a member of several.
    #[must_use]
    pub fn caller<'r>(
        &self,
        catalog: &Catalog,
        roles: impl IntoIterator<Item = &'r Ident>,
    ) -> (Ident, Vec<Ident>) {
        let tops = tops(catalog, roles);
        let name = match tops.as_slice() {
            [only] => self.role(only),
            several => {
                let names: Vec<&str> = several.iter().map(Ident::as_str).collect();
                // No control character is in a name.
                self.name("+", &checksum_of(&names.join("\n"))[..16])
            }
        };
        (name, tops)
    }

    fn name(&self, mark: &str, rest: &str) -> Ident {
        let whole = format!("pilaster_{}{mark}{rest}", self.database);
        Ident::new(&whole).unwrap_or_else(|_| {
            let short = format!("pilaster_{}={}", self.database, &checksum_of(rest)[..32]);
            plain(&short)
        })
    }
}

fn number(row: Row) -> Option<u32> {
    match row.0.into_iter().next() {
        Some(Value::Int(number)) => u32::try_from(number).ok(),
        _ => None,
    }
}

/// Those of the roles that no other one of them brings along, sorted.
fn tops<'r>(catalog: &Catalog, roles: impl IntoIterator<Item = &'r Ident>) -> Vec<Ident> {
    let roles: Vec<&Ident> = roles.into_iter().collect();
    let is_brought = |role: &Ident| {
        let mut others = roles.iter().filter(|other| **other != role);
        others.any(|other| catalog.inherited(other).contains(role))
    };
    let mut tops: Vec<Ident> = roles
        .iter()
        .filter(|role| !is_brought(role))
        .map(|role| (*role).clone())
        .collect();
    tops.sort();
    tops.dedup();
    tops
}

/// The function of the schema `auth` that knows whether a table has a row of a key, hidden ones
/// included; the order of the columns says nothing.
#[must_use]
pub fn taken_function(table: &Ident, key: &[Ident]) -> Ident {
    let mut names: Vec<&str> = key.iter().map(Ident::as_str).collect();
    names.sort_unstable();
    names.insert(0, table.as_str());
    plain(&format!("taken_{}", &checksum_of(&names.join("\n"))[..16]))
}

fn plain(name: &str) -> Ident {
    Ident::new(name).expect("a few letters and digits are a name")
}
