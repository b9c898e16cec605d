//! Indexes of the words of texts: what makes them on each engine, and what a search asks of them.
//!
//! A search finds whole words by its own condition, which is the same with and without an index.
//! The index names rows that may have them, and never leaves out one that has:
//!
//! - PostgreSQL has a GIN over the words themselves, taken apart as the condition takes them apart,
//!   beside the `to_tsvector` that was declared.
//! - SQLite has an FTS5 table of three letters each, which knows nothing of words and finds them
//!   anywhere.
//! - MySQL and MariaDB have none: `FULLTEXT` of `InnoDB` does not find rows of its own transaction, nor
//!   words with a `_`, that are short, long or among those that the server leaves out.

mod sqlite;

pub(crate) use sqlite::{is_shadow, is_trigger};

use sql::{Dialect, Ident, Sql};

use crate::{Index, Table, Words};

/// Longer words are found by their beginnings; PostgreSQL's keys of an index are bounded.
const LONGEST: &str = "([[:alnum:]]{64})[[:alnum:]]+";
const BETWEEN: &str = "[^[:alnum:]]+";

/// An index of words, and the place of a column in it.
#[derive(Clone, Copy, Debug)]
pub struct WordIndex<'t> {
    table: &'t Table,
    index: &'t Index,
    place: usize,
}

impl Table {
    /// The index of the words of this column.
    #[must_use]
    pub fn word_index(&self, column: &Ident) -> Option<WordIndex<'_>> {
        self.indexes.iter().find_map(|index| {
            let mut columns = index.words()?.columns.iter();
            let place = columns.position(|one| one == column)?;
            let table = self;
            Some(WordIndex {
                table,
                index,
                place,
            })
        })
    }
}

impl WordIndex<'_> {
    /// Writes ` and `-able brackets around which rows may have the words: of each alternative all
    /// words, small, letters and digits alone. Null is null or false. Writes nothing and says
    /// `false` where the index does not help.
    pub fn candidates(&self, sql: &mut Sql, alias: &Ident, alternatives: &[Vec<&str>]) -> bool {
        match sql.dialect() {
            Dialect::Sqlite => sqlite::candidates(self, sql, alias, alternatives),
            Dialect::Postgres => self.with_words(sql, alias, alternatives),
            Dialect::MySql | Dialect::MariaDb => false,
        }
    }

    fn with_words(&self, sql: &mut Sql, alias: &Ident, alternatives: &[Vec<&str>]) -> bool {
        if alternatives.iter().any(Vec::is_empty) {
            return false;
        }
        let columns = self.index.words().map(|words| words.columns.as_slice());
        let Some(column) = columns.and_then(|columns| columns.get(self.place)) else {
            return false;
        };
        for (place, words) in alternatives.iter().enumerate() {
            sql.push(if place == 0 { "(" } else { " or " });
            write_words(sql, |sql| {
                sql.push("lower(").column(alias, column).push(")");
            });
            // What the engine takes for a letter is for it to say here, too.
            sql.push(" @> array_remove(");
            write_words(sql, |sql| {
                sql.typed_arg(words.join(" "), sql::Kind::Text);
            });
            sql.push(", '')");
        }
        sql.push(")");
        true
    }
}

/// The words of a text as an array.
fn write_words(sql: &mut Sql, text: impl FnOnce(&mut Sql)) {
    sql.push("regexp_split_to_array(regexp_replace(");
    text(sql);
    sql.push(", '").push(LONGEST).push("', '\\1', 'g'), '");
    sql.push(BETWEEN).push("')");
}

/// The statements that make an index of words.
pub(crate) fn create(table: &Table, index: &Index, words: &Words, dialect: Dialect) -> Vec<Sql> {
    match dialect {
        Dialect::Sqlite => sqlite::create(table, index, words),
        Dialect::Postgres => {
            let mut sql = Sql::new(dialect);
            sql.push("create index ").ident(&index.name);
            sql.push(" on ").ident(&table.name).push(" using gin (");
            for (place, column) in words.columns.iter().enumerate() {
                sql.push(if place == 0 { "" } else { ", " });
                sql.push("to_tsvector(").quoted(&words.config);
                sql.push(", ").ident(column).push("), (");
                write_words(&mut sql, |sql| {
                    sql.push("lower(").ident(column).push(")");
                });
                sql.push(")");
            }
            sql.push(")");
            vec![sql]
        }
        Dialect::MySql | Dialect::MariaDb => Vec::new(),
    }
}

/// The statements that take it away.
pub(crate) fn drop(index: &Index, dialect: Dialect) -> Vec<Sql> {
    match dialect {
        Dialect::Sqlite => sqlite::drop(index),
        Dialect::Postgres => {
            let mut sql = Sql::new(dialect);
            sql.push("drop index ").ident(&index.name);
            vec![sql]
        }
        Dialect::MySql | Dialect::MariaDb => Vec::new(),
    }
}
