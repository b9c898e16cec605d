//! What a database really holds, asked of the engine's own catalogue.

mod mysql;
mod objects;
mod postgres;
mod sqlite;

use sql::{DbResult, Dialect, Ident, Kind, Query, Row, Sql, Tx, Value};

use crate::Words;

/// Everything in a database that a migration can have made; Pilaster's own left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inspection {
    /// The tables, in the order of their names.
    pub(crate) tables: Vec<InspectedTable>,
    /// Views, triggers and routines, in the order of their kinds and names.
    pub(crate) objects: Vec<InspectedObject>,
}

/// Something that is known by its text alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InspectedObject {
    /// `view`, `trigger`, `function`, …
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is, in the engine's spelling, without its name and the database's.
    pub(crate) definition: String,
    /// The comments on a view (no name) and on its columns (theirs), in the order of the columns.
    pub(crate) comments: Vec<(String, String)>,
}

/// A table as the engine tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InspectedTable {
    /// Its name.
    pub(crate) name: String,
    /// Its columns, in order.
    pub(crate) columns: Vec<InspectedColumn>,
    /// Its constraints, in the order of their names.
    pub(crate) constraints: Vec<InspectedConstraint>,
    /// Its indexes, those of constraints not included, in the order of their names.
    pub(crate) indexes: Vec<InspectedIndex>,
    /// Its comment.
    pub(crate) comment: String,
}

/// A column as the engine tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InspectedColumn {
    /// Its name.
    pub(crate) name: String,
    /// The engine's own type.
    pub(crate) ty: String,
    /// Whether it can be null.
    pub(crate) nullable: bool,
    /// Its default, in the engine's spelling.
    pub(crate) default: Option<String>,
    /// What it is generated from, in the engine's spelling.
    pub(crate) generated: Option<String>,
    /// Whether the engine numbers its rows.
    pub(crate) identity: bool,
    /// Its comment.
    pub(crate) comment: String,
}

/// A constraint as the engine tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InspectedConstraint {
    /// Its name; empty where SQLite has none.
    pub(crate) name: String,
    /// What it demands.
    pub(crate) rule: Rule,
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// `PRIMARY KEY` of these columns.
    PrimaryKey(Vec<String>),
    /// `UNIQUE` of these columns.
    Unique(Vec<String>),
    /// `CHECK` in the engine's spelling.
    Check(String),
    /// `FOREIGN KEY`
    ForeignKey {
        /// Its columns.
        columns: Vec<String>,
        /// The table it points to.
        target: String,
        /// The columns it points to.
        target_columns: Vec<String>,
        /// `ON DELETE`, in lower case.
        on_delete: String,
        /// `ON UPDATE`, in lower case.
        on_update: String,
    },
}

/// An index as the engine tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InspectedIndex {
    /// Its name.
    pub(crate) name: String,
    /// Columns or expressions, with ` desc` behind those that descend.
    pub(crate) keys: Vec<String>,
    /// Whether two rows can have the same.
    pub(crate) unique: bool,
    /// Its `WHERE`, in the engine's spelling.
    pub(crate) predicate: Option<String>,
}

impl InspectedIndex {
    /// What an index of words is of, if it is one as Pilaster makes it.
    pub(crate) fn words(&self, dialect: Dialect) -> Option<Words> {
        if self.unique || self.predicate.is_some() || self.keys.is_empty() {
            return None;
        }
        let ident = |name: &str| Ident::new(name).ok();
        match dialect {
            Dialect::Sqlite => {
                let columns = self
                    .keys
                    .iter()
                    .map(|key| ident(key.strip_prefix("words ")?));
                Some(Words {
                    config: String::from("simple"),
                    columns: columns.collect::<Option<Vec<Ident>>>()?,
                })
            }
            Dialect::Postgres => {
                let mut config = None;
                let mut columns = Vec::new();
                for pair in self.keys.chunks(2) {
                    let [vector, words] = pair else { return None };
                    words.strip_prefix("gin regexp_split_to_array(regexp_replace(lower(")?;
                    let inner = vector
                        .strip_prefix("gin to_tsvector('")?
                        .strip_suffix(')')?;
                    let (own, column) = inner.split_once("'::regconfig, ")?;
                    if *config.get_or_insert(own) != own {
                        return None;
                    }
                    let column = column.trim_start_matches('(');
                    let column = column.trim_end_matches("::text").trim_end_matches(')');
                    columns.push(ident(&column.trim_matches('"').replace("\"\"", "\""))?);
                }
                let config = config?.to_owned();
                Some(Words { config, columns })
            }
            Dialect::MySql | Dialect::MariaDb => None,
        }
    }
}

/// The current schema.
pub(crate) async fn inspect(tx: &mut Tx, dialect: Dialect) -> DbResult<Inspection> {
    let mut objects = objects::all(tx, dialect).await?;
    objects.sort();
    let tables = tables(tx, dialect).await?;
    Ok(Inspection { tables, objects })
}

async fn tables(tx: &mut Tx, dialect: Dialect) -> DbResult<Vec<InspectedTable>> {
    let mut tables = match dialect {
        Dialect::Sqlite => sqlite::tables(tx).await?,
        Dialect::Postgres => postgres::tables(tx).await?,
        Dialect::MySql | Dialect::MariaDb => mysql::tables(tx, dialect).await?,
    };
    tables.retain(|table| !table.name.starts_with("auth_"));
    for table in &mut tables {
        table
            .constraints
            .sort_by_key(|one| (one.name.clone(), format!("{:?}", one.rule)));
        table
            .indexes
            .sort_by(|one, other| one.name.cmp(&other.name));
    }
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(tables)
}

/// Rows of texts; null is empty.
pub(crate) async fn texts<const N: usize>(tx: &mut Tx, sql: Sql) -> DbResult<Vec<[String; N]>> {
    let rows = tx.rows(&Query::long(sql, vec![Kind::Text; N])).await?;
    Ok(rows.into_iter().filter_map(strings).collect())
}

fn strings<const N: usize>(row: Row) -> Option<[String; N]> {
    let text = |value| match value {
        Value::Text(text) => text,
        _ => String::new(),
    };
    let texts: Vec<String> = row.0.into_iter().map(text).collect();
    texts.try_into().ok()
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Adds to the table of that name.
fn with(tables: &mut [InspectedTable], name: &str, change: impl FnOnce(&mut InspectedTable)) {
    if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
        change(table);
    }
}
