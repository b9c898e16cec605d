//! What a live table looks like, in the same words on every engine.

use std::fmt;

use sql::{Db, DbResult, Dialect, Kind, Query, Sql, Value};

use crate::ddl::native_type;
use crate::{Column, ColumnDefault, Table, View};

/// A described column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedColumn {
    /// Its name.
    pub name: String,
    /// Its portable type, or the engine's own where that is not what was declared.
    pub ty: String,
    /// Whether it can be null.
    pub nullable: bool,
    /// Its default, as declared.
    pub default: String,
    /// `primary`, `unique`, `foreign` or nothing.
    pub key: &'static str,
}

/// A described table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub table: String,
    /// Its columns, in order.
    pub columns: Vec<DescribedColumn>,
}

/// Asks the database for a declared table's columns; `None` where it has no such table.
pub async fn describe(db: &Db, table: &Table) -> DbResult<Option<Description>> {
    let mut sql = Sql::new(db.dialect());
    match db.dialect() {
        Dialect::Sqlite => sql
            .push("select name, lower(type), case when \"notnull\" then 'no' else 'yes' end ")
            // Generated columns are hidden from the shorter list; 1 is a column of a virtual table.
            .push("from pragma_table_xinfo(")
            .arg(table.name.as_str())
            .push(") where hidden <> 1 order by cid"),
        Dialect::Postgres => sql
            .push("select a.attname::text, format_type(a.atttypid, a.atttypmod), ")
            .push("case when a.attnotnull then 'no' else 'yes' end from pg_attribute a ")
            .push("join pg_class c on c.oid = a.attrelid where c.relname = ")
            .typed_arg(table.name.as_str(), Kind::Text)
            .push("::name and c.relnamespace = current_schema()::regnamespace ")
            .push("and a.attnum > 0 and not a.attisdropped order by a.attnum"),
        Dialect::MySql | Dialect::MariaDb => sql
            .push("select column_name, lower(column_type), lower(is_nullable) ")
            // A column that stands for a key of an index is nobody's to see.
            .push("from information_schema.columns where table_schema = database() ")
            .push("and lower(extra) not like '%invisible%' ")
            .push("and table_name = ")
            .arg(table.name.as_str())
            .push(" order by ordinal_position"),
    };
    let rows = db.rows(&Query::short(sql, vec![Kind::Text; 3])).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let columns = rows.into_iter().filter_map(|row| {
        let mut texts = row.0.into_iter().map(|value| match value {
            Value::Text(text) => text,
            _ => String::new(),
        });
        Some(column(
            db.dialect(),
            table,
            texts.next()?,
            &texts.next()?,
            &texts.next()?,
        ))
    });
    Ok(Some(Description {
        table: table.name.to_string(),
        columns: columns.collect(),
    }))
}

/// Asks the database for a declared view's columns, which have the types of its query; `None`
/// where it has no such view.
pub async fn describe_view(db: &Db, view: &View) -> DbResult<Option<Description>> {
    let Some(mut description) = describe(db, &view.relation).await? else {
        return Ok(None);
    };
    for column in &mut description.columns {
        column.key = "";
        if let Some(declared) = view.relation.column(&column.name) {
            column.ty = declared.ty.to_string();
            column.nullable = declared.nullable;
        }
    }
    Ok(Some(description))
}

fn column(
    dialect: Dialect,
    table: &Table,
    name: String,
    native: &str,
    nullable: &str,
) -> DescribedColumn {
    let declared = table.column(&name);
    let ty = match declared {
        Some(column) if is_expected(dialect, table, column, native) => column.ty.to_string(),
        _ => format!("{native} (not declared)"),
    };
    let default = match declared.and_then(|column| column.default.as_ref()) {
        Some(ColumnDefault::Engine(expr) | ColumnDefault::Caller(expr)) => expr.to_string(),
        None => String::new(),
    };
    let key = declared.map_or("", |column| key_of(table, column));
    DescribedColumn {
        name,
        ty,
        nullable: nullable == "yes",
        default,
        key,
    }
}

fn key_of(table: &Table, column: &Column) -> &'static str {
    let name = &column.name;
    if table
        .primary_key
        .as_ref()
        .is_some_and(|key| key.columns.contains(name))
    {
        "primary"
    } else if table
        .uniques
        .iter()
        .any(|unique| unique.columns == [name.clone()])
    {
        "unique"
    } else if table
        .foreign_keys
        .iter()
        .any(|key| key.columns.contains(name))
    {
        "foreign"
    } else {
        ""
    }
}

/// Whether the engine's name for a type is what the declaration becomes there.
fn is_expected(dialect: Dialect, table: &Table, column: &Column, native: &str) -> bool {
    use crate::ddl::Native;
    let expected = match native_type(column, table, dialect) {
        Native::Plain(name) => name.to_owned(),
        Native::Sized(name, size) => format!("{name}({size})"),
        Native::Decimal(precision, scale) => format!("numeric({precision},{scale})"),
    };
    let native = native
        .replace("character varying", "varchar")
        .replace("timestamp with time zone", "timestamptz")
        .replace("time without time zone", "time")
        .replace("decimal(", "numeric(");
    // Older servers show a width for integers; MariaDB shows JSON as the long text that it is.

    native == expected
        || native.split('(').next() == Some(expected.as_str())
        || (dialect == Dialect::MariaDb && expected == "json" && native == "longtext")
}

/// One line for each column: name, type, null, default, key.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for column in &self.columns {
            let null = if column.nullable { "null" } else { "not null" };
            let DescribedColumn {
                name,
                ty,
                default,
                key,
                ..
            } = column;
            let line = format!("{name:<24} {ty:<20} {null:<9} {default:<24} {key}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
