//! A database that is there, as declarations: the way in for somebody else's tables.

mod types;

use std::fmt::Write as _;

use lang::{Diagnostic, Source};
use sql::{Db, DbResult, Dialect, Sql};
use stdx::{Clock, Rng};

use crate::ddl::make_as_declared;
use crate::drift::{differing_tables, inspect_database};
use crate::inspect::{InspectedColumn, InspectedTable, Rule};
use crate::{Catalog, CatalogKind};

/// What was read out of a database.
#[derive(Clone, Debug, Default)]
pub struct Pulled {
    /// The declarations, for `schema/`.
    pub schema: String,
    /// Statements in the engine's own language after which the tables are what the declarations
    /// make: types that have another name here become the portable ones.
    pub conversions: Vec<String>,
    /// What could not be taken over, a line each.
    pub notes: Vec<String>,
}

/// Reads the tables of a database.
pub async fn pull(db: &Db, clock: &Clock, rng: &Rng) -> DbResult<Result<Pulled, Vec<Diagnostic>>> {
    let inspection = inspect_database(db).await?;
    let mut pulled = Pulled::default();
    for table in in_order(&inspection.tables) {
        let text = declare(table, db.dialect(), &mut pulled.notes);
        let _ = writeln!(pulled.schema, "{text}");
    }
    let catalog = match catalog_of(&pulled.schema) {
        Ok(catalog) => catalog,
        Err(errors) => return Ok(Err(errors)),
    };
    let differing = differing_tables(db, &catalog, clock, rng).await?;
    let changed = differing.iter().filter_map(|name| catalog.table(name));
    for table in changed {
        let statements = make_as_declared(table, &catalog, db.dialect());
        let texts = statements.iter().map(Sql::text).map(str::to_owned);
        pulled.conversions.extend(texts);
    }
    Ok(Ok(pulled))
}

fn catalog_of(text: &str) -> Result<Catalog, Vec<Diagnostic>> {
    let source = Source {
        path: String::from("schema/pulled.sql"),
        text: text.to_owned(),
    };
    Catalog::from_sources(&[source], CatalogKind::User)
}

/// Those that others point to first, as far as there is no circle.
fn in_order(tables: &[InspectedTable]) -> Vec<&InspectedTable> {
    let mut waiting: Vec<&InspectedTable> = tables.iter().collect();
    let mut ordered: Vec<&InspectedTable> = Vec::new();
    while !waiting.is_empty() {
        let is_free = |table: &&InspectedTable| {
            table.constraints.iter().all(|one| match &one.rule {
                Rule::ForeignKey { target, .. } => {
                    *target == table.name || ordered.iter().any(|other| other.name == *target)
                }
                _ => true,
            })
        };
        let place = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(waiting.remove(place));
    }
    ordered
}

fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn names(all: &[String]) -> String {
    all.iter()
        .map(|text| name(text))
        .collect::<Vec<_>>()
        .join(", ")
}

fn declare(table: &InspectedTable, dialect: Dialect, notes: &mut Vec<String>) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| declare_column(table, column, dialect, notes))
        .collect();
    let mut lines = columns.clone();
    for constraint in &table.constraints {
        let rule = match &constraint.rule {
            Rule::PrimaryKey(columns) => format!("primary key ({})", names(columns)),
            Rule::Unique(columns) => format!("unique ({})", names(columns)),
            Rule::ForeignKey {
                columns,
                target,
                target_columns,
                on_delete,
                on_update,
            } => foreign_key(columns, target, target_columns, on_delete, on_update),
            Rule::Check(check) => {
                // MariaDB keeps JSON as text with a check of its own.
                if check.starts_with("json_valid(") {
                    continue;
                }
                let check = check.replace('`', "\"");
                let rule = format!("check ({check})");
                if !is_portable(table, &columns, &rule) {
                    notes.push(format!("{}: left out: {rule}", table.name));
                    continue;
                }
                rule
            }
        };
        // MySQL calls every primary key so, SQLite need not call it at all.
        lines.push(match constraint.name.as_str() {
            "" | "PRIMARY" => rule,
            own => format!("constraint {} {rule}", name(own)),
        });
    }
    let mut text = format!(
        "create table {} (\n  {}\n);\n",
        name(&table.name),
        lines.join(",\n  ")
    );
    for index in &table.indexes {
        let is_plain = |key: &String| {
            let key = key.trim_end_matches(" desc").trim_matches('"');
            table.columns.iter().any(|column| column.name == key)
        };
        if index.predicate.is_some() || !index.keys.iter().all(is_plain) {
            notes.push(format!(
                "{}: left out: the index {}",
                table.name, index.name
            ));
            continue;
        }
        let keys: Vec<String> = index
            .keys
            .iter()
            .map(|key| match key.strip_suffix(" desc") {
                Some(key) => format!("{} desc", name(key.trim_matches('"'))),
                None => name(key.trim_matches('"')),
            })
            .collect();
        let unique = if index.unique { "unique " } else { "" };
        let (index, table) = (name(&index.name), name(&table.name));
        let keys = keys.join(", ");
        let _ = writeln!(text, "create {unique}index {index} on {table} ({keys});");
    }
    comments(&mut text, table);
    text
}

fn foreign_key(
    columns: &[String],
    target: &str,
    target_columns: &[String],
    on_delete: &str,
    on_update: &str,
) -> String {
    let mut rule = format!(
        "foreign key ({}) references {}",
        names(columns),
        name(target)
    );
    // SQLite leaves them out where they are the target's primary key.
    if target_columns.iter().all(|column| !column.is_empty()) {
        let _ = write!(rule, " ({})", names(target_columns));
    }
    for (event, action) in [("delete", on_delete), ("update", on_update)] {
        if action != "no action" {
            let _ = write!(rule, " on {event} {action}");
        }
    }
    rule
}

fn comments(text: &mut String, table: &InspectedTable) {
    let quoted = |comment: &str| format!("'{}'", comment.replace('\'', "''"));
    let own = name(&table.name);
    if !table.comment.is_empty() {
        let _ = writeln!(
            text,
            "comment on table {own} is {};",
            quoted(&table.comment)
        );
    }
    for column in table
        .columns
        .iter()
        .filter(|column| !column.comment.is_empty())
    {
        let (column, comment) = (name(&column.name), quoted(&column.comment));
        let _ = writeln!(text, "comment on column {own}.{column} is {comment};");
    }
}

fn declare_column(
    table: &InspectedTable,
    column: &InspectedColumn,
    dialect: Dialect,
    notes: &mut Vec<String>,
) -> String {
    let mut note = |what: String| notes.push(format!("{}.{}: {what}", table.name, column.name));
    let ty = types::portable(&column.ty, dialect).unwrap_or_else(|| {
        note(format!("{} became text", column.ty));
        String::from("text")
    });
    let mut text = format!("{} {ty}", name(&column.name));
    if column.identity {
        text.push_str(" generated by default as identity");
        return text;
    }
    if !column.nullable {
        text.push_str(" not null");
    }
    if let Some(default) = &column.default {
        match types::default(default, &ty) {
            Some(default) if is_portable(table, &[format!("{text} default {default}")], "") => {
                let _ = write!(text, " default {default}");
            }
            _ => note(format!("left out: default {default}")),
        }
    }
    if let Some(expr) = &column.generated {
        note(format!("left out: generated from {expr}"));
    }
    text
}

/// Whether the language takes a rule over these columns.
fn is_portable(table: &InspectedTable, columns: &[String], rule: &str) -> bool {
    let rule = match rule {
        "" => String::new(),
        rule => format!(", {rule}"),
    };
    let own = name(&table.name);
    let text = format!("create table {own} ({}{rule});", columns.join(", "));
    catalog_of(&text).is_ok()
}
