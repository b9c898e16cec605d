//! Comments, as far as an engine keeps them: SQLite keeps none, MySQL and MariaDB none on views.

use lang::CommentTarget;
use sql::{Dialect, Ident, Sql};

use super::alter;
use crate::Catalog;

/// Characters that MySQL and MariaDB keep of a table's comment.
const OF_TABLE: usize = 2048;
/// Characters that MySQL and MariaDB keep of a column's comment.
const OF_COLUMN: usize = 1024;

/// The statement that gives, changes or (without a text) takes a comment.
pub(super) fn comment(
    on: &CommentTarget,
    text: Option<&str>,
    catalog: &Catalog,
    dialect: Dialect,
) -> Option<Sql> {
    match dialect {
        Dialect::Sqlite => None,
        Dialect::Postgres => Some(postgres(on, text)),
        Dialect::MySql | Dialect::MariaDb => match on {
            CommentTarget::View(_) => None,
            CommentTarget::Table(table) => Some(of_table(table, text.unwrap_or(""), dialect)),
            CommentTarget::Column(table, column) => {
                // There is no table of that name where it is a view.
                let owner = catalog.table(table.as_str())?;
                let mut column = owner.column(column.as_str())?.clone();
                column.comment = text.map(str::to_owned);
                alter::modify(table, &column, catalog, dialect)
            }
        },
    }
}

fn postgres(on: &CommentTarget, text: Option<&str>) -> Sql {
    let mut sql = Sql::new(Dialect::Postgres);
    match on {
        CommentTarget::Table(table) => sql.push("comment on table ").ident(table),
        CommentTarget::View(view) => sql.push("comment on view ").ident(view),
        CommentTarget::Column(relation, column) => {
            sql.push("comment on column ").ident(relation);
            sql.push(".").ident(column)
        }
    };
    sql.push(" is ");
    match text {
        Some(text) => sql.quoted(text),
        None => sql.push("null"),
    };
    sql
}

fn of_table(table: &Ident, text: &str, dialect: Dialect) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.push("alter table ").ident(table);
    sql.push(" comment = ").quoted(&kept(text, OF_TABLE));
    sql
}

/// The comment as a part of a column's definition, which it is on MySQL and MariaDB alone.
pub(super) fn define(sql: &mut Sql, text: &str) {
    match sql.dialect() {
        Dialect::Sqlite | Dialect::Postgres => {}
        Dialect::MySql | Dialect::MariaDb => {
            sql.push(" comment ").quoted(&kept(text, OF_COLUMN));
        }
    }
}

/// As much of a comment as there is room for.
fn kept(text: &str, room: usize) -> String {
    text.chars().take(room).collect()
}
