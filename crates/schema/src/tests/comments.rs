//! Comments in the database: for those who look with the engine's own tools.

use sql::{Db, Dialect, Kind, Query, Sql, Step, Value};
use stdx::{Clock, Rng};

use super::migrations::{TYPES, load, next, on_every_engine};
use super::source;
use crate::{Catalog, CatalogKind, History, Migrations, Runner, drift};

on_every_engine!(
    are_seen_by_other_tools,
    are_cut_where_there_is_no_room,
    change_nothing_else,
);

const TABLE: &str = "create table t (id integer primary key, a text);
    create view v as select id from t;";

fn catalog(text: &str) -> Catalog {
    Catalog::from_sources(&[source(text)], CatalogKind::User).expect("readable")
}

/// Writes the file for each schema in turn and applies them all.
async fn migrate(db: &Db, schemas: &[&str]) {
    let (clock, rng) = (Clock::System, Rng::System);
    let mut texts: Vec<String> = Vec::new();
    for schema in schemas {
        let known: Vec<&str> = texts.iter().map(String::as_str).collect();
        let known = match known.as_slice() {
            [] => Migrations::default(),
            known => load(known),
        };
        let file = next(&known, &catalog(schema), "more").expect("something is new");
        assert!(!file.destructive, "{}", file.text);
        texts.push(file.text);
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let files = load(&texts);
    let runner = Runner::new(db, &clock, &rng, History::App);
    let done = runner.up(&files, None, &mut |_| {}).await;
    done.unwrap_or_else(|error| panic!("{error}\n{texts:#?}"));
    let left = drift(db, &catalog(schemas.last().expect("one")), &clock, &rng).await;
    assert_eq!(left.expect("readable"), Vec::<String>::new());
}

/// The comments on the table, its column and the view, asked as any tool would.
async fn comments(db: &Db) -> Vec<String> {
    let mut sql = Sql::new(db.dialect());
    sql.push(match db.dialect() {
        Dialect::Sqlite => return Vec::new(),
        Dialect::Postgres => {
            "select coalesce(obj_description('t'::regclass), ''), \
             coalesce(col_description('t'::regclass, 2), ''), \
             coalesce(obj_description('v'::regclass), '')"
        }
        Dialect::MySql | Dialect::MariaDb => {
            "select t.table_comment, c.column_comment, '' from information_schema.tables t \
             join information_schema.columns c on c.table_schema = t.table_schema \
             and c.table_name = t.table_name where t.table_schema = database() \
             and t.table_name = 't' and c.column_name = 'a'"
        }
    });
    let row = db.optional(&Query::short(sql, vec![Kind::Text; 3])).await;
    let row = row.expect("readable").expect("they are there");
    let text = |value| match value {
        Value::Text(text) => text,
        other => panic!("{other:?}"),
    };
    row.0.into_iter().map(text).collect()
}

async fn run(db: &Db, text: &'static str) {
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    db.write(vec![Step::new(sql)]).await.expect("it runs");
}

async fn are_seen_by_other_tools(db: Db) {
    let one = format!("{TABLE} comment on table t is 'One''s \"first\" \\ thing.';");
    // The engines know no difference between an empty comment and none.
    let two = format!(
        "{TABLE} comment on table t is ''; comment on column t.a is 'Naïve\n漢字 \\n ''q''';"
    );
    // Nothing to do on three of the four.
    let three = format!("{two} comment on view v is 'Seen.';");
    migrate(&db, &[TABLE, &one, &two, &three]).await;
    let expected: &[&str] = match db.dialect() {
        Dialect::Sqlite => &[],
        Dialect::Postgres => &["", "Naïve\n漢字 \\n 'q'", "Seen."],
        Dialect::MySql | Dialect::MariaDb => &["", "Naïve\n漢字 \\n 'q'", ""],
    };
    assert_eq!(comments(&db).await, expected);
    // Somebody else writes others.
    match db.dialect() {
        Dialect::Sqlite => return,
        Dialect::Postgres => {
            run(&db, "comment on table t is 'By hand.'").await;
            run(&db, "comment on column t.a is null").await;
            run(&db, "comment on view v is 'By hand.'").await;
            run(&db, "comment on column v.id is 'By hand.'").await;
        }
        Dialect::MySql | Dialect::MariaDb => {
            run(&db, "alter table t comment = 'By hand.'").await;
            run(&db, "alter table t modify column a longtext").await;
        }
    }
    let lines = drift(&db, &catalog(&three), &Clock::System, &Rng::System).await;
    let mut expected = vec![
        "the comment on table t is 'By hand.', not ''",
        "the comment on column t.a is '', not 'Naïve\n漢字 \\n 'q''",
    ];
    if db.dialect() == Dialect::Postgres {
        expected.push("the comment on view v is 'By hand.', not 'Seen.'");
        expected.push("the comment on column v.id is 'By hand.', not ''");
    }
    assert_eq!(lines.expect("readable"), expected);
}

async fn are_cut_where_there_is_no_room(db: Db) {
    let (table, column) = ("ä".repeat(2500), "ö😀".repeat(1000));
    let long =
        format!("{TABLE} comment on table t is '{table}'; comment on column t.a is '{column}';");
    migrate(&db, &[&long]).await;
    let kept = comments(&db).await;
    match db.dialect() {
        Dialect::Sqlite => assert!(kept.is_empty()),
        Dialect::Postgres => assert_eq!(kept, [table, column, String::new()]),
        Dialect::MySql | Dialect::MariaDb => {
            assert_eq!(kept, ["ä".repeat(2048), "ö?".repeat(512), String::new()]);
        }
    }
}

/// A column of each type, with each thing that can be said of one, is what it was before.
async fn change_nothing_else(db: Db) {
    let plain = catalog(TYPES);
    let columns = plain.tables.iter().flat_map(|table| {
        let columns = table.columns.iter();
        columns.map(|column| format!("{}.{}", table.name, column.name))
    });
    let columns: Vec<String> = columns.collect();
    let comments = columns
        .iter()
        .map(|on| format!("comment on column {on} is 'New.';"));
    let commented = format!("{TYPES}{}", comments.collect::<String>());
    migrate(&db, &[TYPES, &commented]).await;
    // Beside the tables without any comment, comments are all that differs.
    let lines = drift(&db, &plain, &Clock::System, &Rng::System).await;
    let differs = |on: &String| format!("the comment on column {on} is 'New.', not ''");
    let mut expected: Vec<String> = columns.iter().map(differs).collect();
    if db.dialect() == Dialect::Sqlite {
        expected.clear();
    }
    let mut lines = lines.expect("readable");
    expected.sort();
    lines.sort();
    assert_eq!(lines, expected);
}
