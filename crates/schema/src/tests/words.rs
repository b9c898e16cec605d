//! Indexes of words through migrations: made, kept by tables that change, taken away.

use lang::Source;
use sql::{Db, DbError, Dialect, Kind, Query, Sql, Step, Value};
use stdx::{Clock, Rng};

use super::migrations::{load, next, on_every_engine, up};
use super::{show, source};
use crate::{Catalog, CatalogKind, History, Loss, Migrations, Runner, drift, pull};

const SCHEMA: &str = "
create table posts (
  uuid uuid primary key,
  title text not null,
  body text, rank integer not null default 0
);
create index posts_text on posts using gin (to_tsvector('simple', title || ' ' || coalesce(body, '')));
create table notes (
  id bigint primary key, text varchar(200) not null);
create index notes_text on notes using gin (to_tsvector('simple', text));
create table pairs (a integer, b integer, words text not null, primary key (a, b));
create index pairs_text on pairs using gin (to_tsvector('simple', words));
";

on_every_engine!(
    words_stay_found_while_their_table_changes,
    an_index_of_words_comes_and_goes,
);

fn catalog(text: &str) -> Catalog {
    Catalog::from_sources(&[source(text)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{}", show(&errors)))
}

async fn run(db: &Db, text: &str) -> Result<(), DbError> {
    let mut sql = Sql::new(db.dialect());
    sql.native(text);
    db.write(vec![Step::new(sql)]).await.map(drop)
}

/// How many rows the index names for these words; `None` where the engine has none.
async fn found(
    db: &Db,
    catalog: &Catalog,
    table: &str,
    column: &str,
    words: &[&str],
) -> Option<i64> {
    let table = catalog.table(table).expect("declared");
    let column = &table.column(column).expect("declared").name;
    let index = table.word_index(column).expect("declared");
    let mut sql = Sql::new(db.dialect());
    sql.push("select count(*) from ")
        .ident(&table.name)
        .push(" where ");
    if !index.candidates(&mut sql, &table.name, &[words.to_vec()]) {
        return None;
    }
    let row = db.optional(&Query::short(sql, vec![Kind::BigInt])).await;
    match row.expect("it runs").expect("a row").0.as_slice() {
        [Value::Int(count)] => Some(*count),
        other => panic!("{other:?}"),
    }
}

async fn is_as_declared(db: &Db, wanted: &Catalog) {
    let (clock, rng) = (Clock::System, Rng::System);
    let differences = drift(db, wanted, &clock, &rng).await;
    assert_eq!(differences.expect("readable"), Vec::<String>::new());
}

fn has_indexes(db: &Db) -> bool {
    match db.dialect() {
        Dialect::Sqlite | Dialect::Postgres => true,
        Dialect::MySql | Dialect::MariaDb => false,
    }
}

async fn count(db: &Db, catalog: &Catalog, place: (&str, &str), words: &[&str], expected: i64) {
    let counted = found(db, catalog, place.0, place.1, words).await;
    let expected = has_indexes(db).then_some(expected);
    assert_eq!(counted, expected, "{place:?} {words:?}");
}

const ID: &str = "0193a000-0000-7000-8000-00000000000";

async fn insert(db: &Db, number: u8, title: &str, body: &str) {
    let id = match db.dialect() {
        Dialect::MySql => format!("uuid_to_bin('{ID}{number}')"),
        _ => format!("'{ID}{number}'"),
    };
    let text = format!("insert into posts (uuid, title, body) values ({id}, '{title}', {body})");
    run(db, &text).await.expect("a row");
}

async fn words_stay_found_while_their_table_changes(db: Db) {
    let wanted = catalog(SCHEMA);
    let first = next(&Migrations::default(), &wanted, "first").expect("a file");
    let declared = "using gin (to_tsvector('simple', \"title\" || ' ' || \"body\"))";
    assert!(first.text.contains(declared), "{}", first.text);
    up(&db, &load(&[&first.text])).await.expect("it applies");
    is_as_declared(&db, &wanted).await;
    rows_come_and_change(&db, &wanted).await;

    // A column with another name, a table with another name, and tables that SQLite makes anew.
    let text = changed();
    let wanted = catalog(&text);
    let second = next(&load(&[&first.text]), &wanted, "second").expect("a file");
    assert!(!second.text.contains("index"), "{}", second.text);
    let both = load(&[&first.text, &second.text]);
    up(&db, &both)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", second.text));
    is_as_declared(&db, &wanted).await;
    insert_more(&db).await;
    count(&db, &wanted, ("posts", "headline"), &["minix"], 2).await;
    count(&db, &wanted, ("posts", "body"), &["penguin"], 1).await;
    count(&db, &wanted, ("remarks", "text"), &["penguins"], 2).await;
    count(&db, &wanted, ("pairs", "words"), &["penguin"], 2).await;
    let (clock, rng) = (Clock::System, Rng::System);
    let runner = Runner::new(&db, &clock, &rng, History::App).with_loss(Loss::Allowed);
    let down = runner.down(&both, Some("0001"), &mut |_| {}).await;
    down.expect("it goes back");
    is_as_declared(&db, &catalog(SCHEMA)).await;
    count(&db, &catalog(SCHEMA), ("notes", "text"), &["penguins"], 2).await;
}

async fn rows_come_and_change(db: &Db, wanted: &Catalog) {
    insert(db, 1, "Linux kernel", "'the penguin'").await;
    insert(db, 2, "Fish", "null").await;
    run(
        db,
        "insert into notes (id, text) values (7, 'seven penguins'), (8, 'eight')",
    )
    .await
    .expect("rows");
    run(
        db,
        "insert into pairs (a, b, words) values (1, 2, 'a penguin'), (1, 3, 'none')",
    )
    .await
    .expect("rows");
    count(db, wanted, ("posts", "title"), &["linux"], 1).await;
    count(db, wanted, ("posts", "body"), &["penguin", "the"], 1).await;
    count(db, wanted, ("posts", "title"), &["penguin"], 0).await;
    count(db, wanted, ("notes", "text"), &["penguins"], 1).await;
    count(db, wanted, ("pairs", "words"), &["penguin"], 1).await;
    run(
        db,
        "update posts set title = 'Minix' where title = 'Linux kernel'",
    )
    .await
    .expect("a row");
    run(db, "update notes set id = 9 where id = 7")
        .await
        .expect("a row");
    run(db, "update pairs set b = 4 where b = 2")
        .await
        .expect("a row");
    run(db, "delete from posts where title = 'Fish'")
        .await
        .expect("a row");
    count(db, wanted, ("posts", "title"), &["linux"], 0).await;
    count(db, wanted, ("posts", "title"), &["minix"], 1).await;
    count(db, wanted, ("posts", "title"), &["fish"], 0).await;
    count(db, wanted, ("notes", "text"), &["penguins"], 1).await;
    count(db, wanted, ("pairs", "words"), &["penguin"], 1).await;
}

fn changed() -> String {
    SCHEMA
        .replace(
            "title text not null,",
            "headline text not null, -- @was title",
        )
        .replace("title ||", "headline ||")
        .replace(
            "create table notes (",
            "create table remarks ( -- @was notes",
        )
        .replace("on notes", "on remarks")
        .replace("rank integer", "rank bigint")
        .replace(
            "words text not null",
            "words text not null check (words <> '')",
        )
}

async fn insert_more(db: &Db) {
    let id = match db.dialect() {
        Dialect::MySql => format!("uuid_to_bin('{ID}3')"),
        _ => format!("'{ID}3'"),
    };
    for text in [
        format!("insert into posts (uuid, headline) values ({id}, 'minix, too')"),
        String::from("insert into remarks (id, text) values (10, 'Penguins')"),
        String::from("insert into pairs (a, b, words) values (2, 2, 'that penguin')"),
    ] {
        run(db, &text).await.expect("a row");
    }
}

async fn an_index_of_words_comes_and_goes(db: Db) {
    let bare = "create table posts (uuid uuid primary key, title text not null, body text);";
    let without = catalog(bare);
    let index = "create index posts_text on posts using gin (to_tsvector('simple', title));";
    let with = catalog(&format!("{bare}{index}"));
    let other = index.replace("title", "title || ' ' || body");
    let other = catalog(&format!("{bare}{other}"));
    let mut texts: Vec<String> = Vec::new();
    let mut rows = 0;
    for (number, wanted) in [&without, &with, &other, &without].into_iter().enumerate() {
        let known: Vec<&str> = texts.iter().map(String::as_str).collect();
        let file = next(&load(&known), wanted, &format!("step{number}")).expect("a file");
        texts.push(file.text);
        let known: Vec<&str> = texts.iter().map(String::as_str).collect();
        up(&db, &load(&known)).await.expect("it applies");
        is_as_declared(&db, wanted).await;
        if wanted.tables[0].indexes.is_empty() {
            insert(
                &db,
                u8::try_from(number).expect("few"),
                "Linux",
                "'penguin'",
            )
            .await;
            rows += 1;
            continue;
        }
        count(&db, wanted, ("posts", "title"), &["linux"], rows).await;
        let (clock, rng) = (Clock::System, Rng::System);
        let pulled = pull(&db, &clock, &rng).await.expect("readable");
        let pulled = pulled.unwrap_or_else(|errors| panic!("{}", show(&errors)));
        if has_indexes(&db) {
            let said = wanted.tables[0].indexes[0].definition();
            assert!(pulled.schema.contains(&said), "{}", pulled.schema);
            assert!(!pulled.schema.contains("@engine"), "{}", pulled.schema);
        }
    }
    let gone = "drop table posts;";
    let known: Vec<&str> = texts.iter().map(String::as_str).collect();
    let file = next(&load(&known), &catalog(""), "gone").expect("a file");
    assert!(
        file.text.contains(&gone.replace("posts", "\"posts\"")),
        "{}",
        file.text
    );
    texts.push(file.text);
    let known: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (clock, rng) = (Clock::System, Rng::System);
    let runner = Runner::new(&db, &clock, &rng, History::App).with_loss(Loss::Allowed);
    let done = runner.up(&load(&known), None, &mut |_| {}).await;
    done.expect("it applies");
    is_as_declared(&db, &catalog("")).await;
}

/// What is no index of words is said with its place.
#[test]
fn what_cannot_be_indexed_is_refused() {
    let table = "create table posts (id integer primary key, title text, at date);\n";
    let keyless = "create table posts (title text);\n";
    for (table, index, said) in [
        (table, "using gin (title)", "GIN is for the words of texts"),
        (
            table,
            "using gin (to_tsvector('simple', at))",
            "at is a date",
        ),
        (
            table,
            "using gin (to_tsvector('simple', none))",
            "no column none",
        ),
        (
            table,
            "using gin (to_tsvector('simple', lower(title)))",
            "no column whose words",
        ),
        (
            table,
            "using gin (to_tsvector('simple', title || 'word'))",
            "no column whose words",
        ),
        (
            table,
            "using gin (to_tsvector('simple', title || title))",
            "each column once",
        ),
        (
            table,
            "using gin (to_tsvector(title))",
            "GIN is for the words of texts",
        ),
        (
            table,
            "using gin (to_tsvector('it''s', title))",
            "no name of a configuration",
        ),
        (
            table,
            "using gin (to_tsvector('simple', title)) where id > 1",
            "nor partial",
        ),
        (table, "using hash (title)", "USING"),
        (
            keyless,
            "using gin (to_tsvector('simple', title))",
            "no primary key",
        ),
    ] {
        let source = Source {
            path: String::from("schema/test.sql"),
            text: format!("{table}create index posts_text on posts {index};"),
        };
        let errors = Catalog::from_sources(&[source], CatalogKind::User).expect_err(index);
        let told = show(&errors);
        assert!(
            told.contains(said) && told.contains("schema/test.sql:2:"),
            "{index}: {told}"
        );
    }
}
