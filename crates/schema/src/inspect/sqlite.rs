//! SQLite's pragmas, and the texts in `sqlite_schema` for what they do not tell.

use lang::read_sqlite_text;
use sql::{DbResult, Dialect, Sql, Tx};

use super::{InspectedColumn, InspectedConstraint, InspectedIndex, InspectedTable, Rule};
use super::{some, texts, with};
use crate::words::is_shadow;

fn query(text: &'static str) -> Sql {
    let mut sql = Sql::new(Dialect::Sqlite);
    sql.push(text);
    sql
}

pub(super) async fn tables(tx: &mut Tx) -> DbResult<Vec<InspectedTable>> {
    let mut tables = Vec::new();
    let all = query(
        "select name, sql from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' \
         escape '\\' order by 1",
    );
    let all: Vec<[String; 2]> = texts(tx, all).await?;
    for [name, _] in &all {
        tables.push(InspectedTable {
            name: name.clone(),
            ..InspectedTable::default()
        });
    }
    columns(tx, &mut tables).await?;
    for [name, text] in all {
        let Some(read) = read_sqlite_text(&text) else {
            continue;
        };
        let numbered = text.to_lowercase().contains("autoincrement");
        with(&mut tables, &name, |table| {
            for (name, check) in read.checks {
                table.constraints.push(InspectedConstraint {
                    name: name.unwrap_or_default(),
                    rule: Rule::Check(check),
                });
            }
            for (name, expr) in read.generated {
                let column = table.columns.iter_mut().find(|one| one.name == name);
                if let Some(column) = column {
                    column.generated = Some(expr);
                }
            }
            for (name, columns) in read.uniques {
                let rule = Rule::Unique(columns);
                table.constraints.push(InspectedConstraint { name, rule });
            }
            name_row_id(table, numbered);
        });
    }
    foreign_keys(tx, &mut tables).await?;
    indexes(tx, &mut tables).await?;
    words(tx, &mut tables).await?;
    Ok(tables)
}

/// Indexes of words: tables of FTS5 that triggers keep.
async fn words(tx: &mut Tx, tables: &mut Vec<InspectedTable>) -> DbResult<()> {
    let all = query(
        "select m.name, t.tbl_name, t.sql, (select cast(count(*) as text) \
         from pragma_table_xinfo(m.name) c where c.hidden = 0) \
         from sqlite_schema m join sqlite_schema t on t.name = m.name || '_update' \
         where m.type = 'table' and lower(m.sql) like 'create virtual table % using fts5(c0%' \
         and t.type = 'trigger' order by 1",
    );
    for [name, table, trigger, count] in texts(tx, all).await? {
        let count = count.parse().unwrap_or(0);
        let columns = trigger
            .split_once(" after update of ")
            .map_or_else(Vec::new, |(_, list)| quoted_names(list, count));
        tables.retain(|one| !is_shadow(&name, &one.name));
        with(tables, &table, |table| {
            let keys = columns.iter().map(|column| format!("words {column}"));
            table.indexes.push(InspectedIndex {
                name,
                keys: keys.collect(),
                unique: false,
                predicate: None,
            });
        });
    }
    Ok(())
}

/// The first so many names of `"a", "b" on …`.
fn quoted_names(list: &str, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = list;
    while let (true, Some(inner)) = (names.len() < count, rest.strip_prefix('"')) {
        let mut name = String::new();
        let mut letters = inner.chars();
        while let Some(letter) = letters.next() {
            if letter == '"' && !letters.as_str().starts_with('"') {
                break;
            }
            if letter == '"' {
                letters.next();
            }
            name.push(letter);
        }
        names.push(name);
        rest = letters.as_str().trim_start_matches([',', ' ']);
    }
    names
}

async fn columns(tx: &mut Tx, tables: &mut [InspectedTable]) -> DbResult<()> {
    let all = query(
        "select m.name, c.name, lower(c.type), case when c.\"notnull\" then '' else 'yes' end, \
         coalesce(c.dflt_value, ''), cast(c.pk as text) \
         from sqlite_schema m, pragma_table_xinfo(m.name) c \
         where m.type = 'table' and c.hidden <> 1 order by m.name, c.cid",
    );
    let mut keys: Vec<(String, Vec<(i64, String)>)> = Vec::new();
    for [table, name, ty, null, default, place] in texts(tx, all).await? {
        let place: i64 = place.parse().unwrap_or(0);
        if place > 0 {
            match keys.iter_mut().find(|(known, _)| *known == table) {
                Some((_, columns)) => columns.push((place, name.clone())),
                None => keys.push((table.clone(), vec![(place, name.clone())])),
            }
        }
        let column = InspectedColumn {
            name,
            ty,
            nullable: null == "yes" && place == 0,
            default: some(default),
            ..InspectedColumn::default()
        };
        with(tables, &table, |table| table.columns.push(column));
    }
    for (table, mut columns) in keys {
        columns.sort();
        let columns = columns.into_iter().map(|(_, name)| name).collect();
        with(tables, &table, |table| {
            table.constraints.push(InspectedConstraint {
                name: String::new(),
                rule: Rule::PrimaryKey(columns),
            });
        });
    }
    Ok(())
}

/// A single whole-number key that numbers itself.
fn name_row_id(table: &mut InspectedTable, numbered: bool) {
    let key = table.constraints.iter().find_map(|one| match &one.rule {
        Rule::PrimaryKey(columns) if columns.len() == 1 => columns.first().cloned(),
        _ => None,
    });
    let mut columns = table.columns.iter_mut();
    let column = columns.find(|column| Some(&column.name) == key.as_ref());
    if let (Some(column), true) = (column, numbered) {
        column.identity = column.ty == "integer";
    }
}

async fn foreign_keys(tx: &mut Tx, tables: &mut [InspectedTable]) -> DbResult<()> {
    let all = query(
        "select m.name, cast(k.id as text), k.\"table\", k.\"from\", coalesce(k.\"to\", ''), \
         lower(k.on_delete), lower(k.on_update) \
         from sqlite_schema m, pragma_foreign_key_list(m.name) k \
         where m.type = 'table' order by m.name, k.id, k.seq",
    );
    let mut last = (String::new(), String::new());
    for [
        table,
        id,
        target,
        column,
        target_column,
        on_delete,
        on_update,
    ] in texts(tx, all).await?
    {
        let this = (table.clone(), id);
        let goes_on = last == this;
        last = this;
        with(tables, &table, |table| {
            if let (true, Some(known)) = (goes_on, table.constraints.last_mut()) {
                if let Rule::ForeignKey {
                    columns,
                    target_columns,
                    ..
                } = &mut known.rule
                {
                    columns.push(column);
                    target_columns.push(target_column);
                }
                return;
            }
            table.constraints.push(InspectedConstraint {
                name: String::new(),
                rule: Rule::ForeignKey {
                    columns: vec![column],
                    target,
                    target_columns: vec![target_column],
                    on_delete,
                    on_update,
                },
            });
        });
    }
    Ok(())
}

async fn indexes(tx: &mut Tx, tables: &mut [InspectedTable]) -> DbResult<()> {
    let all = query(
        "select m.name, i.name, i.origin, case when i.\"unique\" then 'yes' else '' end, \
         coalesce(c.name, ''), case when c.desc then ' desc' else '' end, \
         coalesce((select s.sql from sqlite_schema s where s.name = i.name), '') \
         from sqlite_schema m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) c \
         where m.type = 'table' and c.key order by m.name, i.name, c.seqno",
    );
    let mut uniques: Vec<(String, String, Vec<String>)> = Vec::new();
    for [table, name, origin, unique, column, desc, text] in texts(tx, all).await? {
        match origin.as_str() {
            "u" => match uniques.iter_mut().find(|(_, known, _)| *known == name) {
                Some((.., columns)) => columns.push(column),
                None => uniques.push((table, name, vec![column])),
            },
            "c" => with(tables, &table, |table| {
                let read = read_sqlite_text(&text).unwrap_or_default();
                let place = table.indexes.iter().position(|index| index.name == name);
                let place = place.unwrap_or_else(|| {
                    table.indexes.push(InspectedIndex {
                        name,
                        keys: Vec::new(),
                        unique: unique == "yes",
                        predicate: read.predicate.clone(),
                    });
                    table.indexes.len() - 1
                });
                let index = &mut table.indexes[place];
                let key = match column.is_empty() {
                    true => read.keys.get(index.keys.len()).cloned().unwrap_or_default(),
                    false => column,
                };
                index.keys.push(format!("{key}{desc}"));
            }),
            _ => {}
        }
    }
    // A UNIQUE without a name in the text.
    for (table, _, columns) in uniques {
        let rule = Rule::Unique(columns);
        with(tables, &table, |table| {
            if table.constraints.iter().all(|one| one.rule != rule) {
                let name = String::new();
                table.constraints.push(InspectedConstraint { name, rule });
            }
        });
    }
    Ok(())
}
