//! A database that is there, as declarations: the way in for somebody else's tables.

mod natives;
mod tables;
mod types;
mod views;

use std::fmt::Write as _;

use lang::{Diagnostic, Source};
use sql::{Db, DbResult, Dialect, Ident, Sql};
use stdx::{Clock, Rng};

use crate::ddl::{add_foreign_key, make_as_declared};
use crate::drift::{differing_tables, inspect_database};
use crate::{Catalog, CatalogKind, ForeignKey, Index, Table};
use natives::Natives;
use tables::Declared;

/// What was read out of a database.
#[derive(Clone, Debug, Default)]
pub struct Pulled {
    /// The declarations, for `schema/`.
    pub schema: String,
    /// Those of them that the database fulfils, once `conversions` have run.
    pub baseline: String,
    /// Statements in the engine's own language after which the tables are what the baseline
    /// makes: types that have another name here become the portable ones. Views make way.
    pub conversions: Vec<String>,
    /// What could not be taken over, a line each.
    pub notes: Vec<String>,
}

/// Reads the tables of a database, and what else is in it.
pub async fn pull(db: &Db, clock: &Clock, rng: &Rng) -> DbResult<Result<Pulled, Vec<Diagnostic>>> {
    let dialect = db.dialect();
    let inspection = inspect_database(db).await?;
    let mut pulled = Pulled::default();
    let declared = tables::declare(&inspection.tables, dialect, &mut pulled.notes);
    let mut natives = Natives::of(db, &declared, &inspection).await?;
    pulled.baseline = baseline(&declared, &mut natives, dialect, &mut pulled.notes);
    let baseline = match catalog_of(&pulled.baseline) {
        Ok(catalog) => catalog,
        Err(errors) => return Ok(Err(errors)),
    };
    let mut schema = declared.text(tables::Values::Named);
    schema.push_str(&natives.text(dialect));
    let views = views::declare(&inspection, dialect, &schema);
    schema.push_str(&views.text);
    if let Err(errors) = catalog_of(&schema) {
        return Ok(Err(errors));
    }
    pulled.schema = schema;
    pulled.conversions = views.dropping;
    let differing = differing_tables(db, &baseline, clock, rng).await?;
    pulled
        .conversions
        .extend(converting(&differing, &baseline, dialect));
    Ok(Ok(pulled))
}

/// The tables with what the engine alone can say of them, as far as the language takes it.
fn baseline(
    declared: &Declared,
    natives: &mut Natives,
    dialect: Dialect,
    notes: &mut Vec<String>,
) -> String {
    let tables = declared.text(tables::Values::Free);
    if catalog_of(&format!("{tables}{}", natives.text(dialect))).is_ok() {
        return format!("{tables}{}", natives.text(dialect));
    }
    // One of them is the one that cannot be read.
    let alone = |statement: &String| {
        let text = natives::block(std::slice::from_ref(statement), dialect);
        catalog_of(&format!("{tables}{text}")).is_ok()
    };
    notes.extend(natives.keep(alone));
    format!("{tables}{}", natives.text(dialect))
}

/// What makes the differing tables what they are declared to be.
fn converting(
    differing: &[(String, Vec<String>)],
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<String> {
    let changed = differing.iter().filter_map(|(name, _)| catalog.table(name));
    let statements = changed.flat_map(|table| make_as_declared(table, catalog, dialect));
    if matches!(dialect, Dialect::Sqlite | Dialect::Postgres) {
        return statements.map(|sql| sql.text().to_owned()).collect();
    }
    // These change no column that a foreign key holds.
    let is_changed = |table: &Ident, columns: &[Ident]| {
        let mut differing = differing.iter();
        let own = differing.find(|(name, _)| *table == **name);
        own.is_some_and(|(_, changed)| {
            columns
                .iter()
                .any(|column| changed.iter().any(|one| *column == **one))
        })
    };
    let (mut before, mut behind) = (Vec::new(), Vec::new());
    for table in &catalog.tables {
        let holds = |key: &&ForeignKey| {
            is_changed(&table.name, &key.columns) || is_changed(&key.target, &key.target_columns)
        };
        for key in table.foreign_keys.iter().filter(holds) {
            before.extend(letting_go(table, key, dialect));
            behind.push(add_foreign_key(&table.name, key, dialect));
        }
    }
    let all = before.into_iter().chain(statements).chain(behind);
    all.map(|sql| sql.text().to_owned()).collect()
}

/// Drops a foreign key. An index that the engine made for it becomes one of its own, which another
/// key does not take the place of.
fn letting_go(table: &Table, key: &ForeignKey, dialect: Dialect) -> Vec<Sql> {
    let alter = || {
        let mut sql = Sql::new(dialect);
        sql.push("alter table ").ident(&table.name);
        sql
    };
    let mut drop = alter();
    drop.push(" drop foreign key ").ident(&key.name);
    let serves = |index: &&Index| !index.unique && index.columns() == key.columns;
    let again = table.indexes.iter().filter(serves).map(|index| {
        let mut sql = alter();
        sql.push(" drop index ").ident(&index.name);
        sql.push(", add index ").ident(&index.name);
        sql.push(" (").idents(&key.columns).push(")");
        sql
    });
    std::iter::once(drop).chain(again).collect()
}

fn catalog_of(text: &str) -> Result<Catalog, Vec<Diagnostic>> {
    let source = Source {
        path: String::from("schema/pulled.sql"),
        text: text.to_owned(),
    };
    Catalog::from_sources(&[source], CatalogKind::User)
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

/// A name as the engine's own language quotes it.
fn native_name(text: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => name(text),
        Dialect::MySql | Dialect::MariaDb => format!("`{}`", text.replace('`', "``")),
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a text cannot fail.
    let _ = writeln!(text, "{line}");
}
