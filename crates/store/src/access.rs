//! What this server's login may do with the database.

use schema::Catalog;
use sql::{Db, DbError, Dialect, Ident, Sql, Step};

use crate::{StoreError, StoreResult};

/// One of Pilaster's own tables, and a column of it.
const OWN: (&str, &str) = ("auth_signing_keys", "kid");

/// Whether neither Pilaster's own tables nor those of `catalog` can be written: by the login's
/// rights, by a setting of the server, or because the file is read-only.
///
/// The engine is asked with statements that have nothing to write and are taken back; whoever may
/// write is asked one of them.
pub async fn is_read_only(db: &Db, catalog: &Catalog) -> StoreResult<bool> {
    let name = |text| Ident::new(text).map_err(|error| DbError::Other(error.to_string()));
    let own = (name(OWN.0)?, name(OWN.1)?);
    let tables = catalog.tables.iter().filter_map(|table| {
        let column = table.columns.iter().find(|c| c.generated.is_none())?;
        Some((table.name.clone(), column.name.clone()))
    });
    for (table, column) in std::iter::once(own).chain(tables) {
        for step in probes(db.dialect(), &table, &column) {
            match db.rehearse(vec![step]).await {
                Err(DbError::Denied(_) | DbError::ReadOnly) => {}
                Err(error @ DbError::Unavailable(_)) => return Err(StoreError::Db(error)),
                // It may, or something else is wrong, which whoever writes is told.
                Ok(_) | Err(_) => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// A table may be open for one of them alone.
fn probes(dialect: Dialect, table: &Ident, column: &Ident) -> [Step; 3] {
    let mut insert = Sql::new(dialect);
    insert.push("insert into ").ident(table);
    insert.push(" (").ident(column).push(") select ");
    insert.ident(column).push(" from ").ident(table);
    let mut update = Sql::new(dialect);
    update.push("update ").ident(table).push(" set ");
    update.ident(column).push(" = ").ident(column);
    let mut delete = Sql::new(dialect);
    delete.push("delete from ").ident(table);
    [insert, update, delete].map(|mut sql| {
        sql.push(" where 1 = 0");
        Step::new(sql)
    })
}
