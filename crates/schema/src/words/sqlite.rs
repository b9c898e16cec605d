//! The FTS5 table of an index of words, and the triggers that keep it.
//!
//! It keeps no texts, only where three letters in a row are met. Rows are known by numbers: the
//! primary key's, where it is one, and otherwise those of a table of its own, because `VACUUM` may
//! give other numbers to the rows of a table. Texts and keys have the same names in all such tables
//! (`c0`, `k0`), so that a column can get another one.

use lang::Type;
use sql::{Dialect, Ident, Sql, is_found_by_three};

use super::WordIndex;
use crate::names::shorten;
use crate::{Index, Table, Words};

/// The tables that FTS5 makes for one of its own, by the ends of their names.
const SHADOWS: [&str; 3] = ["_data", "_idx", "_config"];
/// The triggers, by the ends of their names.
const TRIGGERS: [&str; 3] = ["_insert", "_update", "_delete"];
/// Three letters of a word, at most so many; more find little less.
const MOST: usize = 12;

fn new() -> Sql {
    Sql::new(Dialect::Sqlite)
}

fn with_end(index: &Index, end: &str) -> Ident {
    shorten(&format!("{}{end}", index.name))
}

/// Whether a table is one of those beneath the index of that name.
pub(crate) fn is_shadow(index: &str, table: &str) -> bool {
    let end = table.strip_prefix(index);
    end.is_some_and(|end| end.is_empty() || end == "_rows" || SHADOWS.contains(&end))
}

/// Whether a trigger is one of those of the index of that name.
pub(crate) fn is_trigger(index: &str, trigger: &str) -> bool {
    let end = trigger.strip_prefix(index);
    end.is_some_and(|end| TRIGGERS.contains(&end))
}

/// The number in the FTS5 table, where it is the primary key itself.
fn number(table: &Table) -> Option<&Ident> {
    let key = table.primary_key.as_ref()?;
    let [only] = key.columns.as_slice() else {
        return None;
    };
    let whole = [Type::SmallInt, Type::Integer, Type::BigInt];
    let column = table.column(only.as_str())?;
    whole.contains(&column.ty).then_some(only)
}

fn key(table: &Table) -> &[Ident] {
    table.primary_key.as_ref().map_or(&[], |key| &key.columns)
}

/// `c0, c1, …` or `k0, k1, …`
fn numbered(sql: &mut Sql, letter: &'static str, count: usize) {
    for place in 0..count {
        sql.push(if place == 0 { "" } else { ", " });
        sql.push(letter).number(place as u64);
    }
}

/// `new."a", new."b"`
fn of_row(sql: &mut Sql, row: &'static str, columns: &[Ident]) {
    for (place, column) in columns.iter().enumerate() {
        sql.push(if place == 0 { "" } else { ", " });
        sql.push(row).ident(column);
    }
}

/// `k0 = new."a" and …`
fn is_row(sql: &mut Sql, row: &'static str, columns: &[Ident]) {
    for (place, column) in columns.iter().enumerate() {
        sql.push(if place == 0 { "k" } else { " and k" });
        sql.number(place as u64).push(" = ").push(row).ident(column);
    }
}

pub(super) fn create(table: &Table, index: &Index, words: &Words) -> Vec<Sql> {
    let mut all = vec![gone(&index.name)];
    let rows = with_end(index, "_rows");
    all.push(gone(&rows));
    if table.primary_key.is_none() {
        // Between two steps of a migration; the next one makes it.
        return all;
    }
    let mut sql = new();
    sql.push("create virtual table ").ident(&index.name);
    sql.push(" using fts5(");
    numbered(&mut sql, "c", words.columns.len());
    sql.push(", content='', columnsize=0, detail='column', tokenize='trigram')");
    all.push(sql);
    if number(table).is_none() {
        let mut sql = new();
        sql.push("create table ").ident(&rows);
        sql.push(" (id integer primary key, ");
        numbered(&mut sql, "k", key(table).len());
        sql.push(", unique (");
        numbered(&mut sql, "k", key(table).len());
        sql.push("))");
        all.push(sql);
    }
    all.extend(fill(table, index, words));
    all.extend(triggers(table, index, words));
    all
}

fn gone(table: &Ident) -> Sql {
    let mut sql = new();
    sql.push("drop table if exists ").ident(table);
    sql
}

/// Takes the rows in that are there.
fn fill(table: &Table, index: &Index, words: &Words) -> Vec<Sql> {
    let rows = with_end(index, "_rows");
    let mut into = new();
    into.push("insert into ").ident(&index.name);
    into.push(" (rowid, ");
    numbered(&mut into, "c", words.columns.len());
    into.push(") select ");
    if let Some(number) = number(table) {
        into.ident(number).push(", ").idents(&words.columns);
        into.push(" from ").ident(&table.name);
        return vec![into];
    }
    let mut known = new();
    known.push("insert into ").ident(&rows).push(" (");
    numbered(&mut known, "k", key(table).len());
    known.push(") select ").idents(key(table));
    known.push(" from ").ident(&table.name);
    into.push("known.id");
    for column in &words.columns {
        into.push(", own.").ident(column);
    }
    into.push(" from ").ident(&table.name).push(" own join ");
    into.ident(&rows).push(" known on ");
    is_row(&mut into, "own.", key(table));
    vec![known, into]
}

fn triggers(table: &Table, index: &Index, words: &Words) -> Vec<Sql> {
    let begin = |end: &str, event: &'static str| {
        let mut sql = new();
        sql.push("create trigger ").ident(&with_end(index, end));
        sql.push(event);
        sql
    };
    let on = |sql: &mut Sql| {
        sql.push(" on ").ident(&table.name);
    };
    let mut insert = begin("_insert", " after insert");
    on(&mut insert);
    insert.push(" begin ");
    comes(&mut insert, table, index, words);
    insert.push("end");
    let mut delete = begin("_delete", " after delete");
    on(&mut delete);
    delete.push(" begin ");
    goes(&mut delete, table, index, words);
    delete.push("end");
    let mut update = begin("_update", " after update of ");
    let free = key(table).iter().filter(|one| !words.columns.contains(one));
    update.idents(words.columns.iter().chain(free));
    on(&mut update);
    update.push(" begin ");
    goes(&mut update, table, index, words);
    comes(&mut update, table, index, words);
    update.push("end");
    vec![insert, update, delete]
}

/// Takes the new row in.
fn comes(sql: &mut Sql, table: &Table, index: &Index, words: &Words) {
    let rows = with_end(index, "_rows");
    if number(table).is_none() {
        sql.push("insert into ").ident(&rows).push(" (");
        numbered(sql, "k", key(table).len());
        sql.push(") values (");
        of_row(sql, "new.", key(table));
        sql.push("); ");
    }
    sql.push("insert into ")
        .ident(&index.name)
        .push(" (rowid, ");
    numbered(sql, "c", words.columns.len());
    sql.push(") select ");
    match number(table) {
        Some(number) => sql.push("new.").ident(number),
        None => sql.push("id"),
    };
    sql.push(", ");
    of_row(sql, "new.", &words.columns);
    from_rows(sql, table, &rows, "new.");
    sql.push("; ");
}

/// Takes the old row out.
fn goes(sql: &mut Sql, table: &Table, index: &Index, words: &Words) {
    let rows = with_end(index, "_rows");
    sql.push("insert into ").ident(&index.name).push(" (");
    sql.ident(&index.name).push(", rowid, ");
    numbered(sql, "c", words.columns.len());
    sql.push(") select 'delete', ");
    match number(table) {
        Some(number) => sql.push("old.").ident(number),
        None => sql.push("id"),
    };
    sql.push(", ");
    of_row(sql, "old.", &words.columns);
    from_rows(sql, table, &rows, "old.");
    sql.push("; ");
    if number(table).is_none() {
        sql.push("delete from ").ident(&rows).push(" where ");
        is_row(sql, "old.", key(table));
        sql.push("; ");
    }
}

fn from_rows(sql: &mut Sql, table: &Table, rows: &Ident, row: &'static str) {
    if number(table).is_none() {
        sql.push(" from ").ident(rows).push(" where ");
        is_row(sql, row, key(table));
    }
}

pub(super) fn drop(index: &Index) -> Vec<Sql> {
    let triggers = TRIGGERS.iter().map(|end| {
        let mut sql = new();
        // They are gone where their table was made anew without a key.
        sql.push("drop trigger if exists ")
            .ident(&with_end(index, end));
        sql
    });
    let tables = [gone(&index.name), gone(&with_end(index, "_rows"))];
    triggers.chain(tables).collect()
}

/// `key in (select … where the index has the letters)`
pub(super) fn candidates(
    found: &WordIndex<'_>,
    sql: &mut Sql,
    alias: &Ident,
    alternatives: &[Vec<&str>],
) -> bool {
    let (table, index) = (found.table, found.index);
    let mut wanted = Vec::new();
    for words in alternatives {
        let letters: Vec<String> = words.iter().flat_map(|word| threes(word)).collect();
        if letters.is_empty() {
            return false;
        }
        wanted.push(format!("({})", letters.join(" AND ")));
    }
    let wanted = format!("{{c{}}} : ({})", found.place, wanted.join(" OR "));
    let key = key(table);
    sql.push(if key.len() > 1 { "(" } else { "" });
    for (place, column) in key.iter().enumerate() {
        sql.push(if place == 0 { "" } else { ", " });
        sql.column(alias, column);
    }
    sql.push(if key.len() > 1 { ")" } else { "" });
    sql.push(" in (select ");
    match number(table) {
        Some(_) => {
            sql.push("rowid from ").ident(&index.name);
        }
        None => {
            numbered(sql, "k", key.len());
            sql.push(" from ").ident(&index.name).push(" join ");
            let rows = with_end(index, "_rows");
            sql.ident(&rows).push(" known on known.id = ");
            sql.ident(&index.name).push(".rowid");
        }
    }
    sql.push(" where ").ident(&index.name).push(" match ");
    sql.arg(wanted).push(")");
    true
}

/// `"lin" "inu" "nux"` of `linux`, as far as the index knows large and small letters as a search
/// does.
fn threes(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let windows = letters.windows(3);
    let is_known = |three: &&[char]| three.iter().all(|letter| is_found_by_three(*letter));
    let quoted = |three: &[char]| format!("\"{}\"", three.iter().collect::<String>());
    windows.filter(is_known).map(quoted).take(MOST).collect()
}
