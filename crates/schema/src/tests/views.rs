//! Views and what stands behind `-- @engine`: made, changed with what they rest on, found by the
//! drift check, taken back.

use sql::{Db, Kind, Query, Row, Sql, Step, Value};
use stdx::{Clock, Rng};

use super::migrations::{load, next, on_every_engine, up};
use super::{show, source};
use crate::{Catalog, CatalogKind, History, Loss, Migrations, Runner, drift};

on_every_engine!(
    a_view_follows_its_tables,
    a_view_means_the_same_everywhere,
    a_trigger_of_the_engine_is_a_part_of_the_schema,
    a_trigger_outlives_a_change_of_its_table,
);

const BEFORE: &str = "
create table users (id integer primary key, handle varchar(20) not null, secret text);
create table posts (
  id integer primary key, author integer not null references users, body text not null,
  at timestamptz not null default now()
);
create function short(t text) returns text language sql as $$ select substr(t, 1, 3) $$;
create view feed (id, author, start) as
  select p.id, u.handle, short(p.body) from posts p join users u on u.id = p.author
   where p.at <= now() and p.body <> 'it''s nothing';
create view counted as
  select f.author, count(*) as posts from feed f group by f.author;
";

fn catalog(text: &str) -> Catalog {
    Catalog::from_sources(&[source(text)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{}", show(&errors)))
}

fn refused(text: &str) -> String {
    let found = Catalog::from_sources(&[source(text)], CatalogKind::User);
    show(&found.expect_err("it is refused"))
}

async fn run(db: &Db, text: &str) {
    let mut sql = Sql::new(db.dialect());
    sql.native(text);
    let done = db.write(vec![Step::new(sql)]).await;
    done.unwrap_or_else(|error| panic!("{text}: {error}"));
}

async fn rows(db: &Db, text: &str, kinds: Vec<Kind>) -> Vec<Row> {
    let mut sql = Sql::new(db.dialect());
    sql.native(text);
    let rows = db.rows(&Query::short(sql, kinds)).await;
    rows.unwrap_or_else(|error| panic!("{text}: {error}"))
}

async fn differences(db: &Db, wanted: &Catalog) -> Vec<String> {
    let (clock, rng) = (Clock::System, Rng::System);
    let found = drift(db, wanted, &clock, &rng).await;
    found.expect("it can be asked")
}

async fn down(db: &Db, files: &Migrations, target: &str) {
    let (clock, rng) = (Clock::System, Rng::System);
    let runner = Runner::new(db, &clock, &rng, History::App).with_loss(Loss::Allowed);
    let done = runner.down(files, Some(target), &mut |_| {}).await;
    done.unwrap_or_else(|error| panic!("{error}"));
}

fn text(row: &Row, place: usize) -> &str {
    match &row.0[place] {
        Value::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

async fn a_view_follows_its_tables(db: Db) {
    let wanted = catalog(BEFORE);
    let first = next(&Migrations::default(), &wanted, "one").expect("something");
    up(&db, &load(&[&first.text])).await.expect("it applies");
    run(&db, "insert into users (id, handle) values (1, 'ada')").await;
    run(
        &db,
        "insert into posts (id, author, body) values (1, 1, 'hello')",
    )
    .await;
    let found = rows(&db, "select author, start from feed", vec![Kind::Text; 2]).await;
    assert_eq!((text(&found[0], 0), text(&found[0], 1)), ("ada", "hel"));
    assert_eq!(differences(&db, &wanted).await, Vec::<String>::new());
    assert!(next(&load(&[&first.text]), &wanted, "again").is_none());

    // The column that both views rest on gets another type, and another table another name.
    let after = BEFORE
        .replace("handle varchar(20)", "handle text")
        .replace("create table posts (", "create table notes ( -- @was posts")
        .replace("from posts p", "from notes p");
    let after = catalog(&after);
    let second = next(&load(&[&first.text]), &after, "two").expect("something");
    let files = load(&[&first.text, &second.text]);
    up(&db, &files)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", second.text));
    assert_eq!(
        differences(&db, &after).await,
        Vec::<String>::new(),
        "{}",
        second.text
    );
    let found = rows(
        &db,
        "select author, posts from counted",
        vec![Kind::Text, Kind::BigInt],
    )
    .await;
    assert_eq!(
        (text(&found[0], 0), &found[0].0[1]),
        ("ada", &Value::Int(1))
    );
    assert!(next(&files, &after, "again").is_none());
    down(&db, &files, "0001").await;
    assert_eq!(differences(&db, &wanted).await, Vec::<String>::new());

    run(&db, "drop view counted").await;
    run(&db, "create view mine as select 1 as one").await;
    let found = differences(&db, &wanted).await;
    assert_eq!(
        found,
        [
            "the view counted is missing",
            "no migration made the view mine"
        ]
    );
}

/// A definer's view, one with names of its own, one over another.
async fn a_view_means_the_same_everywhere(db: Db) {
    let wanted = catalog(
        "create table t (id integer primary key, a integer, b numeric(6,2), ok boolean not null);
         create view open with (security_invoker = false) as select id, ok from t where ok;
         create view sums as
           select coalesce(sum(a), 0) as total, max(b) as most, count(*) as n from t;
         create view best as select id, b from t order by b desc nulls last, id limit 2;
         create view halves as
           select x.id, x.a / 2 as half, case when x.b > 9.5 then 'much' else 'little' end as what
             from t x left join open o on o.id = x.id
            where x.a is not null and not exists (select 1 from t y where y.a > x.a)
              and o.ok is not false;",
    );
    let first = next(&Migrations::default(), &wanted, "one").expect("something");
    up(&db, &load(&[&first.text]))
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", first.text));
    let values = "insert into t (id, a, b, ok) values \
        (1, 7, 10.25, true), (2, null, 9.5, false), (3, 3, null, true)";
    run(&db, values).await;
    let numbers = |row: &Row| -> Vec<Value> { row.0.clone() };
    let found = rows(&db, "select id from open order by id", vec![Kind::Integer]).await;
    assert_eq!(
        found.iter().map(numbers).collect::<Vec<_>>(),
        [[Value::Int(1)], [Value::Int(3)]]
    );
    let found = rows(&db, "select total, n from sums", vec![Kind::BigInt; 2]).await;
    assert_eq!(numbers(&found[0]), [Value::Int(10), Value::Int(3)]);
    let found = rows(&db, "select id from best order by id", vec![Kind::Integer]).await;
    assert_eq!(
        found.iter().map(numbers).collect::<Vec<_>>(),
        [[Value::Int(1)], [Value::Int(2)]]
    );
    let kinds = vec![Kind::Integer, Kind::Integer, Kind::Text];
    let found = rows(&db, "select id, half, what from halves", kinds).await;
    let expected = [
        Value::Int(1),
        Value::Int(3),
        Value::Text(String::from("much")),
    ];
    assert_eq!(numbers(&found[0]), expected);
    assert_eq!(differences(&db, &wanted).await, Vec::<String>::new());
    let folded = load(&[&first.text]);
    assert!(next(&folded, &wanted, "again").is_none(), "{}", first.text);
}

/// A trigger in the language of each engine.
const TRIGGERS: &str = "
create table t (id integer primary key, n integer not null);
create table seen (id integer primary key);
-- @engine sqlite
create trigger t_seen after insert on t begin insert into seen values (new.id); end;
-- @engine mariadb, mysql
create trigger t_seen after insert on t for each row begin
  if new.id > 0 then insert into seen values (new.id); end if;
end;
-- @engine postgres
create function t_sees() returns trigger language plpgsql as $$
begin insert into seen values (new.id); return null; end $$;
create trigger t_seen after insert on t for each row execute function t_sees();
-- @engine all
";

async fn a_trigger_of_the_engine_is_a_part_of_the_schema(db: Db) {
    let wanted = catalog(TRIGGERS);
    let first = next(&Migrations::default(), &wanted, "one").expect("something");
    up(&db, &load(&[&first.text]))
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", first.text));
    run(&db, "insert into t (id, n) values (4, 1)").await;
    assert_eq!(
        rows(&db, "select id from seen", vec![Kind::Integer])
            .await
            .len(),
        1
    );
    assert_eq!(differences(&db, &wanted).await, Vec::<String>::new());

    // It changes, and goes.
    let changed = catalog(&TRIGGERS.replace("(new.id)", "(new.id + 100)"));
    let second = next(&load(&[&first.text]), &changed, "two").expect("something");
    let files = load(&[&first.text, &second.text]);
    up(&db, &files)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", second.text));
    assert_eq!(
        differences(&db, &changed).await,
        Vec::<String>::new(),
        "{}",
        second.text
    );
    let gone = catalog(
        TRIGGERS
            .split("-- @engine sqlite")
            .next()
            .unwrap_or_default(),
    );
    let third = next(&files, &gone, "three").expect("something");
    let files = load(&[&first.text, &second.text, &third.text]);
    up(&db, &files)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", third.text));
    run(&db, "insert into t (id, n) values (5, 1)").await;
    assert_eq!(
        rows(&db, "select id from seen", vec![Kind::Integer])
            .await
            .len(),
        1
    );
    assert_eq!(
        differences(&db, &gone).await,
        Vec::<String>::new(),
        "{}",
        third.text
    );
    down(&db, &files, "0001").await;
    assert_eq!(differences(&db, &wanted).await, Vec::<String>::new());
    // By hand.
    let by_hand = match db.dialect() {
        sql::Dialect::Postgres => "drop trigger t_seen on t",
        _ => "drop trigger t_seen",
    };
    run(&db, by_hand).await;
    let found = differences(&db, &wanted).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("trigger t_seen"), "{found:#?}");
}

/// SQLite makes the table anew, and would lose it.
async fn a_trigger_outlives_a_change_of_its_table(db: Db) {
    let wanted = catalog(TRIGGERS);
    let first = next(&Migrations::default(), &wanted, "one").expect("something");
    let checked = TRIGGERS.replace("n integer not null", "n integer not null check (n > 0)");
    let checked = catalog(&checked);
    let second = next(&load(&[&first.text]), &checked, "two").expect("something");
    let files = load(&[&first.text, &second.text]);
    up(&db, &files)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", second.text));
    run(&db, "insert into t (id, n) values (4, 1)").await;
    let seen = rows(&db, "select id from seen", vec![Kind::Integer]).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(differences(&db, &checked).await, Vec::<String>::new());
    down(&db, &files, "0001").await;
    assert_eq!(differences(&db, &wanted).await, Vec::<String>::new());
}

#[test]
fn what_is_wrong_with_a_view_is_said() {
    let table = "create table t (id integer primary key, owner uuid);";
    for (text, expected) in [
        ("create view v as select id from s", "there is no table s"),
        (
            "create view v as select nothing from t",
            "there is no column nothing",
        ),
        ("create view t as select id from t", "t is declared twice"),
        ("create view v as select id from v", "reads itself"),
        (
            "create view v as select * from t where owner = auth.uid()",
            "names the caller",
        ),
        ("create view v as select null as x from t", "has no type"),
        (
            "create view v as select max(owner) as x from t",
            "max takes no uuid",
        ),
        (
            "create view v as select sum(id > 1) as x from t",
            "sum takes no boolean",
        ),
        (
            "create view v (a, b) as select id from t",
            "2 name(s) for the 1 column(s)",
        ),
        ("create view auth_v as select id from t", "reserved"),
        (
            "create materialized view v as select id from t",
            "PostgreSQL alone",
        ),
        (
            "create or replace view v as select id from t",
            "write CREATE VIEW alone",
        ),
        (
            "create view v as select id from t; grant insert on v to anon",
            "only read",
        ),
        (
            "create view v as select id from t; create policy p on v using (true)",
            "no policies",
        ),
        (
            "create view v with (security_barrier = true) as select id from t",
            "one option",
        ),
    ] {
        let found = refused(&format!("{table}\n{text};"));
        assert!(found.contains(expected), "{text}\n{found}");
    }
    // A change by hand of what a view rests on.
    let wanted = catalog(&format!("{table} create view v as select id from t;"));
    let first = next(&Migrations::default(), &wanted, "one").expect("something");
    let by_hand = first.text.replace("0001", "0002").replace("none", "0001");
    let header = by_hand.lines().take(3).collect::<Vec<_>>().join("\n");
    let second = format!("{header}\n-- @up\nalter table t add column x text;\n-- @down\n");
    let sources = [source(&first.text), source(&second)];
    let files = Migrations::load(&sources).expect("well formed");
    let errors = files
        .fold(CatalogKind::User)
        .expect_err("the view is in the way");
    assert!(
        show(&errors).contains("write drop view v; before it"),
        "{}",
        show(&errors)
    );
}
