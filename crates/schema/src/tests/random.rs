//! Random pairs of schemas: the difference leads from one to the other and back, in the files and
//! in a real database, and keeps the rows that neither loses.

use std::fmt::Write as _;

use proptest::prelude::*;
use sql::Db;
use stdx::{Clock, Rng};

use super::migrations::{load, on_every_engine};
use super::{show, source};
use crate::{Catalog, CatalogKind, History, Loss, Migrations, Runner, describe, drift};

/// A column, as a choice for each thing that can be said of it.
#[derive(Clone, Debug)]
struct Column {
    name: usize,
    ty: usize,
    says: Says,
}

/// What is said of a column besides.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is there or not, whatever the others are"
)]
#[derive(Clone, Debug, Default)]
struct Says {
    not_null: bool,
    default: bool,
    unique: bool,
    check: bool,
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const TABLES: [&str; 3] = ["t", "u", "v"];

/// Type, a default of it, a check of it; each widens to the next.
const TYPES: [(&str, &str, &str); 6] = [
    ("smallint", "1", "< 9"),
    ("integer", "2", "< 99"),
    ("bigint", "3", "< 999"),
    ("varchar(10)", "'x'", "<> 'no'"),
    ("text", "'y'", "<> 'never'"),
    ("timestamptz", "now()", "> '2000-01-01T00:00:00Z'"),
];

fn column() -> impl Strategy<Value = Column> {
    (0..NAMES.len(), 0..TYPES.len(), any::<[bool; 4]>()).prop_map(|(name, ty, flags)| {
        let says = says(flags);
        Column { name, ty, says }
    })
}

/// What is not null has a default, for the rows that exist.
fn says([not_null, default, unique, check]: [bool; 4]) -> Says {
    Says {
        not_null: not_null && default,
        default,
        unique,
        check,
    }
}

/// A table: its columns, whether it points to the table before it, whether it has an index.
type Table = (Vec<Column>, bool, bool);

fn tables() -> impl Strategy<Value = Vec<Option<Table>>> {
    let table = (
        prop::collection::vec(column(), 0..4),
        any::<bool>(),
        any::<bool>(),
    );
    prop::collection::vec(prop::option::of(table), TABLES.len())
}

fn schema() -> impl Strategy<Value = String> {
    tables().prop_map(|tables| write(&tables))
}

/// A schema, and the same one with wider types, other constraints and indexes.
fn grown() -> impl Strategy<Value = (String, String)> {
    let changes = prop::collection::vec(any::<[bool; 4]>(), 12);
    (tables(), changes).prop_map(|(before, changes)| {
        let mut after = before.clone();
        let mut changes = changes.into_iter().cycle();
        for (columns, _, indexed) in after.iter_mut().flatten() {
            for column in columns {
                if matches!(column.ty, 0 | 1 | 3) {
                    column.ty += 1;
                }
                let may_be_null = !column.says.not_null;
                column.says = says(changes.next().unwrap_or_default());
                // A null that is there stays one.
                column.says.not_null &= !may_be_null;
            }
            *indexed = !*indexed;
        }
        (write(&before), write(&after))
    })
}

fn write(tables: &[Option<Table>]) -> String {
    let mut text = String::new();
    let mut earlier: Option<&str> = None;
    for (table, name) in tables.iter().zip(TABLES) {
        let Some(table @ (columns, points, indexed)) = table else {
            continue;
        };
        let mut seen = Vec::new();
        let _ = write!(text, "create table {name} (\n  id integer primary key");
        for column in columns {
            if seen.contains(&column.name) {
                continue;
            }
            seen.push(column.name);
            let (ty, default, check) = TYPES[column.ty];
            let own = NAMES[column.name];
            let _ = write!(text, ",\n  {own} {ty}");
            if column.says.not_null {
                text.push_str(" not null");
            }
            if column.says.default {
                let _ = write!(text, " default {default}");
            }
            if column.says.unique {
                text.push_str(" unique");
            }
            if column.says.check {
                let _ = write!(text, " check ({own} {check})");
            }
        }
        if let (true, Some(target)) = (points, earlier) {
            let _ = write!(
                text,
                ",\n  parent integer references {target} on delete cascade"
            );
        }
        text.push_str("\n);\n");
        if let (true, Some(first)) = (indexed, seen.first()) {
            let first = NAMES[*first];
            let _ = writeln!(
                text,
                "create index {name}_idx on {name} ({first} desc, id);"
            );
        }
        if let (true, Some(last)) = (*indexed, seen.last()) {
            let last = NAMES[*last];
            let _ = writeln!(
                text,
                "create index {name}_expr on {name} ((id * 2), {last}) where id > 1;"
            );
        }
        if *points {
            let _ = writeln!(
                text,
                "create unique index {name}_part on {name} (id, (id + 1)) where id <> 7;"
            );
        }
        if *points != *indexed {
            let columns: Vec<&str> = seen.iter().map(|own| NAMES[*own]).collect();
            let columns = columns.iter().map(|own| format!(", {own}"));
            let columns: String = columns.collect();
            let _ = writeln!(
                text,
                "create view {name}_view as select id{columns}, (select count(*) from {name} as o \
                 where o.id > x.id) as behind from {name} as x where x.id > 0;"
            );
        }
        write_comments(&mut text, name, table);
        earlier = Some(name);
    }
    text
}

fn write_comments(text: &mut String, name: &str, table: &Table) {
    let (columns, points, indexed) = table;
    if points != indexed {
        let _ = writeln!(text, "comment on view {name}_view is 'Over {name}.';");
    }
    for column in columns.iter().filter(|one| one.says.unique) {
        let (own, what) = (NAMES[column.name], TYPES[column.ty].0);
        let _ = writeln!(text, "comment on column {name}.{own} is 'It''s a {what}.';");
    }
    if *indexed {
        let of = columns.len();
        let _ = writeln!(text, "comment on table {name} is 'Of {of}.';");
    }
}

fn catalog(text: &str) -> Catalog {
    Catalog::from_sources(&[source(text)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{text}\n{}", show(&errors)))
}

/// The files that lead to one schema and then to the other; `None` where a person has to be asked
/// whether a column was renamed, or a column ceased to fit.
fn files(before: &str, after: &str) -> Option<[String; 2]> {
    let first = Migrations::default().next(&catalog(before), "one", CatalogKind::User);
    let first = first.ok()??;
    let second = load(&[&first.text]).next(&catalog(after), "two", CatalogKind::User);
    let second = second.ok()??;
    Some([first.text, second.text])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn files_lead_from_one_schema_to_the_other(before in schema(), after in schema()) {
        let files = files(&before, &after);
        prop_assume!(files.is_some());
        if let Some([first, second]) = files {
            let known = load(&[&first, &second]);
            let more = known.next(&catalog(&after), "again", CatalogKind::User);
            prop_assert!(matches!(more, Ok(None)), "{second}\nis followed by {more:?}");
        }
    }
}

on_every_engine!(databases_follow);

/// Pairs that are applied to each engine; DDL is slow, so there are few, always the same ones.
async fn databases_follow(db: Db) {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let pair = prop_oneof![grown(), (schema(), schema())];
    let (mut applied, mut kept) = (0, 0);
    while applied < 20 {
        let (before, after) = pair.new_tree(&mut runner).expect("a value").current();
        let Some([first, second]) = files(&before, &after) else {
            continue;
        };
        kept += follow(&db, &first, &second, &catalog(&after)).await;
        clear(&db).await;
        applied += 1;
    }
    assert!(kept > 3, "only {kept} tables had rows to keep");
}

/// Gives how many tables had a row before and after.
async fn follow(db: &Db, first: &str, second: &str, wanted: &Catalog) -> usize {
    let (clock, rng) = (Clock::System, Rng::System);
    let runner = Runner::new(db, &clock, &rng, History::App).with_loss(Loss::Allowed);
    let begun = runner.up(&load(&[first]), None, &mut |_| {}).await;
    assert!(begun.is_ok(), "{begun:?}\n{first}");
    // A null cannot become what is not null, and 'x' no number; all else keeps its rows.
    let keeps_rows = !second.contains("@destructive") && !second.contains("set not null");
    let filled = match keeps_rows {
        true => fill(db).await,
        false => Vec::new(),
    };
    let done = runner.up(&load(&[first, second]), None, &mut |_| {}).await;
    assert!(done.is_ok(), "{done:?}\n{first}\n{second}");
    for count in &filled {
        assert_eq!(rows(db, count).await, 1, "{count}\n{first}\n{second}");
    }
    for table in &wanted.tables {
        let described = describe(db, table).await.expect("readable");
        let described = described.expect("it exists");
        for column in &described.columns {
            let declared = table.column(&column.name).expect("declared");
            assert_eq!(
                column.nullable, declared.nullable,
                "{described}\n{first}\n{second}"
            );
        }
        let described = described.to_string();
        assert!(
            !described.contains("not declared"),
            "{described}\n{first}\n{second}"
        );
    }
    let there = drift(db, wanted, &clock, &rng).await.expect("readable");
    assert!(there.is_empty(), "{there:#?}\n{first}\n{second}");
    let both = load(&[first, second]);
    let back = runner.down(&both, Some("0001"), &mut |_| {}).await;
    assert!(back.is_ok(), "{back:?}\n{first}\n{second}");
    let before = load(&[first]).fold(CatalogKind::User).expect("it folds");
    let there = drift(db, &before, &clock, &rng).await.expect("readable");
    assert!(there.is_empty(), "{there:#?}\n{first}\n{second}");
    filled.len()
}

/// A row in each table that is there; gives the statements that count them.
async fn fill(db: &Db) -> Vec<&'static str> {
    let mut filled = Vec::new();
    for (insert, count) in [
        ("insert into t (id) values (1)", "select count(*) from t"),
        ("insert into u (id) values (1)", "select count(*) from u"),
        ("insert into v (id) values (1)", "select count(*) from v"),
    ] {
        let mut sql = sql::Sql::new(db.dialect());
        sql.push(insert);
        if db.write(vec![sql::Step::new(sql)]).await.is_ok() {
            filled.push(count);
        }
    }
    filled
}

async fn rows(db: &Db, count: &'static str) -> i64 {
    let mut sql = sql::Sql::new(db.dialect());
    sql.push(count);
    let query = sql::Query::short(sql, vec![sql::Kind::BigInt]);
    match db.optional(&query).await {
        Ok(Some(row)) => match row.0.as_slice() {
            [sql::Value::Int(count)] => *count,
            other => panic!("{other:?}"),
        },
        other => panic!("{count}: {other:?}"),
    }
}

/// An empty database again.
async fn clear(db: &Db) {
    for text in [
        "drop view if exists v_view",
        "drop view if exists u_view",
        "drop view if exists t_view",
        "drop table if exists v",
        "drop table if exists u",
        "drop table if exists t",
        "delete from auth_migrations",
    ] {
        let mut sql = sql::Sql::new(db.dialect());
        sql.push(text);
        db.write(vec![sql::Step::new(sql)]).await.expect("it goes");
    }
}
