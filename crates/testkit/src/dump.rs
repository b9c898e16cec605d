//! Everything a database holds, as text.

use sql::{Db, Dialect, Ident, Kind, Query, Sql, Value};

async fn texts(db: &Db, sql: Sql, columns: usize) -> Vec<Vec<String>> {
    let query = Query::long(sql, vec![Kind::Text; columns]);
    let rows = db.rows(&query).await.expect("the catalogue can be read");
    rows.into_iter()
        .map(|row| {
            row.0
                .into_iter()
                .map(|value| match value {
                    Value::Text(text) => text,
                    _ => String::new(),
                })
                .collect()
        })
        .collect()
}

/// One line for each row of each table.
///
/// # Panics
/// When the database cannot be read.
pub async fn dump(db: &Db) -> Vec<String> {
    let mut sql = Sql::new(db.dialect());
    sql.push(match db.dialect() {
        Dialect::Sqlite => {
            "select m.name, c.name, '' from sqlite_schema m, pragma_table_info(m.name) c \
             where m.type = 'table' and m.name not like 'sqlite%'"
        }
        Dialect::Postgres => {
            "select table_name::text, column_name::text, '' from information_schema.columns \
             where table_schema = current_schema()"
        }
        Dialect::MySql | Dialect::MariaDb => {
            "select table_name, column_name, data_type from information_schema.columns \
             where table_schema = database()"
        }
    });
    let mut lines = Vec::new();
    for name in texts(db, sql, 3).await {
        let [table, column, kind] = name.as_slice() else {
            continue;
        };
        let is_binary = kind.contains("binary") || kind.contains("blob");
        let (Ok(table), Ok(column)) = (Ident::new(table), Ident::new(column)) else {
            continue;
        };
        let mut sql = Sql::new(db.dialect());
        match db.dialect() {
            // Bytes are no text, so they are shown as hexadecimal digits.
            Dialect::Sqlite => sql
                .push("select case typeof(")
                .ident(&column)
                .push(") when 'blob' then hex(")
                .ident(&column)
                .push(") else cast(")
                .ident(&column)
                .push(" as text) end from "),
            Dialect::Postgres => sql
                .push("select cast(")
                .ident(&column)
                .push(" as text) from "),
            Dialect::MySql | Dialect::MariaDb if is_binary => sql
                .push("select cast(hex(")
                .ident(&column)
                .push(") as char) from "),
            Dialect::MySql | Dialect::MariaDb => sql
                .push("select cast(")
                .ident(&column)
                .push(" as char) from "),
        };
        sql.ident(&table);
        for cell in texts(db, sql, 1).await {
            lines.push(format!("{table}.{column}: {}", cell.concat()));
        }
    }
    lines
}
