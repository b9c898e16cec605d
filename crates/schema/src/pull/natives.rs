//! What the portable language does not say: it stays in the engine's own.

use std::fmt::Write as _;

use sql::{Db, DbResult, Dialect, Kind, Query, Sql, Value};

use super::native_name;
use super::tables::Declared;
use crate::inspect::{InspectedColumn, InspectedIndex, InspectedTable, Inspection};
use crate::migrate::comment_text;
use crate::words::is_trigger;

/// Statements behind `-- @engine`.
#[derive(Debug, Default)]
pub(super) struct Natives {
    statements: Vec<String>,
}

impl Natives {
    /// Columns, indexes and checks of tables, then routines and triggers.
    pub(super) async fn of(
        db: &Db,
        declared: &Declared,
        inspection: &Inspection,
    ) -> DbResult<Self> {
        let dialect = db.dialect();
        let mut statements = Vec::new();
        let routines = ["function", "procedure", "aggregate"];
        let is_routine = |kind: &str| routines.contains(&kind);
        let has_routines = inspection.objects.iter().any(|one| is_routine(&one.kind));
        if has_routines && dialect == Dialect::Postgres {
            // They may call each other in any order.
            statements.push(String::from("set local check_function_bodies = off"));
        }
        statements.extend(declared.natives.iter().cloned());
        if dialect == Dialect::Postgres {
            statements.extend(heirs(db).await?);
        }
        for (table, index) in &declared.indexes {
            let known = index_text(db, index).await?;
            statements.push(known.unwrap_or_else(|| built(table, index, dialect)));
        }
        let objects = inspection.objects.iter();
        let of = |kinds: &'static [&'static str]| {
            let all = objects.clone();
            all.filter(move |one| kinds.contains(&one.kind.as_str()))
        };
        // Each rests on those before it.
        let made = of(&["function", "procedure"]);
        let triggers = of(&["trigger"]).filter(|one| !keeps_words(inspection, &one.name));
        let made = made.chain(of(&["aggregate"])).chain(triggers);
        statements.extend(made.map(|object| object.statement(dialect)));
        Ok(Self { statements })
    }

    /// Keeps those that the language can carry; gives a note for each other.
    pub(super) fn keep(&mut self, can: impl Fn(&String) -> bool) -> Vec<String> {
        let (kept, left): (Vec<String>, Vec<String>) = self.statements.drain(..).partition(can);
        self.statements = kept;
        let first = |text: &String| text.lines().next().unwrap_or_default().to_owned();
        left.iter()
            .map(|text| format!("left out: {}", first(text)))
            .collect()
    }

    pub(super) fn text(&self, dialect: Dialect) -> String {
        block(&self.statements, dialect)
    }
}

/// Whether a trigger is SQLite's for an index of words, which is declared.
fn keeps_words(inspection: &Inspection, trigger: &str) -> bool {
    let mut indexes = inspection.tables.iter().flat_map(|table| &table.indexes);
    indexes.any(|index| index.words(Dialect::Sqlite).is_some() && is_trigger(&index.name, trigger))
}

/// Statements for one engine, as they stand in a file.
pub(super) fn block(statements: &[String], dialect: Dialect) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let engine = dialect.name();
    let all = statements.join(";\n\n");
    format!("-- @engine {engine}\n{all};\n-- @engine all\n")
}

/// `alter table … add column …` for a column of a type that the language does not have, and its
/// comment.
pub(super) fn column(
    table: &InspectedTable,
    column: &InspectedColumn,
    dialect: Dialect,
) -> Vec<String> {
    let (own, name) = (
        native_name(&table.name, dialect),
        native_name(&column.name, dialect),
    );
    let mut text = format!("alter table {own} add column {name} {}", column.ty);
    if let Some(expr) = &column.generated {
        let _ = write!(text, " generated always as ({expr}) stored");
    }
    if !column.nullable {
        text.push_str(" not null");
    }
    if let Some(default) = &column.default {
        let _ = write!(text, " default {default}");
    }
    if column.comment.is_empty() {
        return vec![text];
    }
    match dialect {
        Dialect::Sqlite => vec![text],
        Dialect::Postgres => {
            let comment = comment_text(&column.comment);
            let on = format!("comment on column {own}.{name} is {comment}");
            vec![text, on]
        }
        Dialect::MySql | Dialect::MariaDb => {
            let comment = column.comment.replace('\'', "''");
            let _ = write!(text, " comment '{comment}'");
            vec![text]
        }
    }
}

/// The tables that inherit from others, with the checks that are theirs alone.
async fn heirs(db: &Db) -> DbResult<Vec<String>> {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(
        "select 'create table ' || quote_ident(c.relname) || ' (' || coalesce((select \
         string_agg('constraint ' || quote_ident(k.conname) || ' ' || \
           pg_get_constraintdef(k.oid), ', ' order by k.conname) from pg_constraint k \
         where k.conrelid = c.oid and k.contype = 'c' and k.conislocal), '') || ') inherits (' || \
         string_agg(quote_ident(p.relname), ', ' order by i.inhseqno) || ')' \
         from pg_inherits i join pg_class c on c.oid = i.inhrelid \
         join pg_class p on p.oid = i.inhparent \
         where c.relnamespace = current_schema()::regnamespace and not c.relispartition \
         and c.relkind = 'r' group by c.oid, c.relname order by c.oid",
    );
    let rows = db.rows(&Query::short(sql, vec![Kind::Text])).await?;
    let text = |row: sql::Row| match row.0.into_iter().next() {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(text).collect())
}

/// The engine's own text of an index.
async fn index_text(db: &Db, index: &InspectedIndex) -> DbResult<Option<String>> {
    let mut sql = Sql::new(db.dialect());
    match db.dialect() {
        Dialect::Sqlite => sql.push("select sql from sqlite_schema where name = "),
        Dialect::Postgres => sql.push(
            "select replace(pg_get_indexdef(c.oid), quote_ident(current_schema()) || '.', '') \
             from pg_class c where c.relnamespace = current_schema()::regnamespace \
             and c.relname::text = ",
        ),
        Dialect::MySql | Dialect::MariaDb => return Ok(None),
    };
    sql.typed_arg(index.name.as_str(), Kind::Text);
    let row = db.optional(&Query::short(sql, vec![Kind::Text])).await?;
    Ok(row.and_then(|row| match row.0.into_iter().next() {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }))
}

/// An index of MySQL or MariaDB, put together from what it is over.
fn built(table: &str, index: &InspectedIndex, dialect: Dialect) -> String {
    let first = index.keys.first().map(String::as_str).unwrap_or_default();
    let kinds = ["fulltext", "spatial"];
    let kind = kinds
        .into_iter()
        .find(|kind| first.starts_with(&format!("{kind} ")));
    let key = |key: &String| {
        let key = kind
            .map_or(key.as_str(), |kind| key.trim_start_matches(kind))
            .trim();
        let (column, direction) = match key.strip_suffix(" desc") {
            Some(column) => (column, " desc"),
            None => (key, ""),
        };
        let (column, length) = match column.split_once('(') {
            Some((column, length)) => (column, format!("({length}")),
            None => (column, String::new()),
        };
        format!("{}{length}{direction}", native_name(column, dialect))
    };
    let keys: Vec<String> = index.keys.iter().map(key).collect();
    let unique = if index.unique { "unique " } else { "" };
    let kind = kind.map(|kind| format!("{kind} ")).unwrap_or_default();
    let (own, table) = (
        native_name(&index.name, dialect),
        native_name(table, dialect),
    );
    format!(
        "create {unique}{kind}index {own} on {table} ({})",
        keys.join(", ")
    )
}
