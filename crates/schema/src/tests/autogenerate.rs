//! What a difference sees, row by row of the table that other tools are measured by (tables,
//! nullability, types, defaults, indexes, keys, checks, renames, enums, views, triggers): each on
//! every engine, in the files and in the database, there and back.

use sql::{Db, Dialect, Sql, Step};
use stdx::{Clock, Rng};

use super::migrations::{load, next, on_every_engine};
use super::{show, source};
use crate::{Catalog, CatalogKind, History, Loss, Migrations, Runner, diff, drift};

/// A row: what it is about, two schemas, and the steps between them.
struct Row {
    name: &'static str,
    before: &'static str,
    after: &'static str,
    steps: &'static [&'static str],
}

const ROWS: &[Row] = &[
    Row {
        name: "tables that come and go",
        before: "create table a (id integer primary key);",
        after: "create table b (id bigint primary key, a text);",
        steps: &["create table b", "drop table a"],
    },
    Row {
        name: "columns that come and go",
        before: "create table t (id integer primary key, gone text);",
        after: "create table t (id integer primary key, come integer not null default 1);",
        steps: &["drop column t.gone", "add column t.come"],
    },
    Row {
        name: "nullability",
        before: "create table t (id integer primary key, a text not null, b text default 'x');",
        after: "create table t (id integer primary key, a text, b text not null default 'x');",
        steps: &["alter column t.a", "alter column t.b"],
    },
    Row {
        name: "types, their lengths and digits",
        before: "create table t (id integer primary key, a smallint, b varchar(10), \
                 c numeric(6,2), d text);",
        after: "create table t (id integer primary key, a bigint, b varchar(20), \
                c numeric(8,3), d varchar(40));",
        steps: &[
            "alter column t.a",
            "alter column t.b",
            "alter column t.c",
            "alter column t.d",
        ],
    },
    Row {
        name: "defaults, of the server",
        before: "create table t (id integer primary key, a integer default 1, \
                 b timestamptz default now(), c text, d uuid default gen_random_uuid());",
        after: "create table t (id integer primary key, a integer default 2, b timestamptz, \
                c text default 'it''s', d uuid);",
        steps: &[
            "alter column t.a",
            "alter column t.b",
            "alter column t.c",
            "alter column t.d",
        ],
    },
    Row {
        name: "indexes: columns, order, uniqueness, conditions, expressions",
        before: "create table t (id integer primary key, a integer, b varchar(9));
                 create index one on t (a); create index two on t (a, b);
                 create index three on t (b) where a > 1; create unique index four on t (a);",
        after: "create table t (id integer primary key, a integer, b varchar(9));
                create index one on t (a desc); create unique index two on t (a, b);
                create index three on t (b) where a > 2; create index five on t ((lower(b)));",
        steps: &[
            "drop index one",
            "drop index two",
            "drop index three",
            "drop index four",
            "create index one",
            "create index two",
            "create index three",
            "create index five",
        ],
    },
    Row {
        name: "unique constraints",
        before: "create table t (id integer primary key, a integer unique, b integer);",
        after: "create table t (id integer primary key, a integer, b integer, unique (a, b));",
        steps: &["drop constraint t_a_key", "add constraint t_a_b_key"],
    },
    Row {
        name: "foreign keys and their actions",
        before: "create table p (id integer primary key);
                 create table t (id integer primary key, p integer references p, q integer);",
        after: "create table p (id integer primary key);
                create table t (id integer primary key, \
                p integer references p on delete cascade, q integer references p);",
        steps: &[
            "drop constraint t_p_fkey",
            "add constraint t_p_fkey",
            "add constraint t_q_fkey",
        ],
    },
    Row {
        name: "checks, named and not, by their text",
        before: "create table t (id integer primary key, a integer check (a > 0), \
                 constraint named check (a < 9));",
        after: "create table t (id integer primary key, a integer check (a > 1), \
                constraint named check (a < 10));",
        steps: &[
            "drop constraint t_a_check of t",
            "drop constraint named of t",
            "add constraint t_a_check to t",
            "add constraint named to t",
        ],
    },
    Row {
        name: "renames of tables and columns",
        before: "create table t (id integer primary key, a text);",
        after: "create table u ( -- @was t\n id integer primary key, b text -- @was a\n);",
        // The key is called after its table.
        steps: &[
            "rename table t to u",
            "rename column u.a to b",
            "drop constraint t_pkey",
            "add constraint u_pkey",
        ],
    },
    Row {
        name: "primary keys",
        before: "create table t (a integer not null, b integer not null, primary key (a));",
        after: "create table t (a integer not null, b integer not null, primary key (a, b));",
        steps: &["drop constraint t_pkey", "add constraint t_pkey"],
    },
    Row {
        name: "numbers that the engine gives",
        before: "create table t (id bigint primary key, a integer);
                 create table u (id bigint generated by default as identity primary key, b text);",
        after: "create table t (id bigint generated by default as identity primary key, a integer);
                create table u (id bigint primary key, b text);",
        steps: &["alter column t.id", "alter column u.id"],
    },
    Row {
        name: "enum values",
        before: "create type mood as enum ('ok', 'sad');
                 create table t (id integer primary key, m mood);",
        after: "create type mood as enum ('ok', 'sad', 'happy');
                create table t (id integer primary key, m mood);",
        steps: &[
            "drop constraint t_m_check",
            "alter column t.m",
            "add constraint t_m_check",
        ],
    },
    Row {
        name: "generated columns",
        before: "create table t (id integer primary key, a integer, \
                 twice integer generated always as (a + 2) stored);",
        after: "create table t (id integer primary key, a integer, \
                twice integer generated always as (a * 2) stored, \
                more integer generated always as (a + 1) stored);",
        steps: &[
            "drop column t.twice",
            "add column t.twice",
            "add column t.more",
        ],
    },
    Row {
        name: "views",
        before: "create table t (id integer primary key, a integer, b integer);
                 create view one as select id from t; create view two as select a from t;",
        after: "create table t (id integer primary key, a integer, b integer);
                create view one as select id, b from t where a > 1;",
        steps: &["drop view two", "drop view one", "create view one"],
    },
    Row {
        name: "SQL functions, wherever they are called",
        before:
            "create function twice(x integer) returns integer language sql as $$ select x * 2 $$;
                 create table t (id integer primary key, a integer check (twice(a) < 9));
                 create view v as select twice(a) as a from t;",
        after:
            "create function twice(x integer) returns integer language sql as $$ select x + x $$;
                create table t (id integer primary key, a integer check (twice(a) < 9));
                create view v as select twice(a) as a from t;",
        steps: &[
            "drop view v",
            "drop constraint t_a_check",
            "add constraint t_a_check",
            "create view v",
        ],
    },
    Row {
        name: "comments on tables, columns and views",
        before: "create table p (id integer primary key);
                 create table t (id bigint generated by default as identity primary key, \
                   a integer not null default 7, b varchar(9), c text, \
                   twice integer generated always as (a * 2) stored, p integer references p, \
                   check (a > 0));
                 create index two on t ((lower(b))) where a > 1; create unique index three on t (b) where a > 2;
                 create view v as select id, a from t; create view w as select id from p;
                 comment on table t is 'It''s \"what\" goes \\';
                 comment on column t.a is 'Until now.'; comment on column t.b is 'Goes.';
                 comment on column t.c is 'Stays: 漢字, ''q'', \\ and %.';
                 comment on view v is 'Stays as well.'; comment on view w is 'Until now.';
                 comment on column v.a is 'Of the view.';",
        after: "create table p (id integer primary key);
                create table t (id bigint generated by default as identity primary key, \
                  a integer not null default 7, b varchar(9), c text not null default 'x', \
                  twice integer generated always as (a * 2) stored, p integer references p, \
                  d uuid, check (a > 0));
                create index two on t ((lower(b))) where a > 1; create unique index three on t (b) where a > 2;
                create view v as select id, a from t; create view w as select id from p;
                comment on table p is 'Comes:\nit''s in \"two\" lines,\n-- @down\r\nor \\n three.';
                comment on column p.id is 'Äöü \\'; comment on column t.id is 'Numbered.';
                comment on column t.a is 'From now on.';
                comment on column t.c is 'Stays: 漢字, ''q'', \\ and %.';
                comment on column t.twice is 'Worked out.'; comment on column t.p is 'Points.';
                comment on column t.d is 'New.';
                comment on view v is 'Stays as well.'; comment on view w is 'From now on.';
                comment on column v.id is 'Of the view.';",
        steps: &[
            "drop view v",
            "alter column t.c",
            "add column t.d",
            "create view v",
            "comment on table p",
            "comment on column p.id",
            "no comment on table t",
            "comment on column t.id",
            "comment on column t.a",
            "no comment on column t.b",
            "comment on column t.twice",
            "comment on column t.p",
            "comment on column t.d",
            "comment on view v",
            "comment on column v.id",
            "comment on view w",
        ],
    },
    Row {
        name: "comments on what is renamed, dropped and made",
        before: "create table t (id integer primary key, a text);
                 create table gone (id integer primary key, twin integer);
                 comment on table t is 'Stays.'; comment on column t.a is 'Stays.';
                 comment on table gone is 'Goes.'; comment on column gone.id is 'Goes.';",
        after: "create table u ( -- @was t\n id integer primary key, b text -- @was a\n);
                create table made (id integer primary key);
                comment on table u is 'Stays.'; comment on column u.b is 'Stays.';
                comment on table made is 'Comes.';",
        steps: &[
            "rename table t to u",
            "rename column u.a to b",
            "drop constraint t_pkey",
            "add constraint u_pkey",
            "create table made",
            "drop table gone",
            "comment on table made",
        ],
    },
];

fn catalog(text: &str) -> Catalog {
    Catalog::from_sources(&[source(text)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{text}\n{}", show(&errors)))
}

on_every_engine!(each_kind_of_change_is_seen);

async fn each_kind_of_change_is_seen(db: Db) {
    let (clock, rng) = (Clock::System, Rng::System);
    for row in ROWS {
        let name = row.name;
        let (before, after) = (catalog(row.before), catalog(row.after));
        let first = next(&Migrations::default(), &before, "one").expect("something");
        let second = next(&load(&[&first.text]), &after, "two").expect(name);
        for step in row.steps {
            let is_said = second.summary.iter().any(|line| line.contains(step));
            assert!(is_said, "{name}: {step} is not in {:#?}", second.summary);
        }
        if !row.steps.is_empty() {
            assert_eq!(
                second.summary.len(),
                row.steps.len(),
                "{name}: {:#?}",
                second.summary
            );
        }
        let (one, both) = (load(&[&first.text]), load(&[&first.text, &second.text]));
        assert!(
            next(&both, &after, "again").is_none(),
            "{name}: {}",
            second.text
        );
        let runner = Runner::new(&db, &clock, &rng, History::App).with_loss(Loss::Allowed);
        let done = runner.up(&one, None, &mut |_| {}).await;
        done.unwrap_or_else(|error| panic!("{name}: {error}\n{}", first.text));
        // The database as it is, beside the tables that are wanted next. SQLite's own types know
        // no lengths and no digits, and it keeps no comments.
        let seen = drift(&db, &after, &clock, &rng).await.expect("readable");
        let is_seen =
            !seen.is_empty() || (name.starts_with("types") && db.dialect() == Dialect::Sqlite);
        assert!(is_seen, "{name}: nothing is seen in the database");
        let done = runner.up(&both, None, &mut |_| {}).await;
        done.unwrap_or_else(|error| panic!("{name}: {error}\n{}", second.text));
        let left = drift(&db, &after, &clock, &rng).await.expect("readable");
        assert!(left.is_empty(), "{name}: {left:#?}\n{}", second.text);
        let done = runner.down(&both, Some("0001"), &mut |_| {}).await;
        done.unwrap_or_else(|error| panic!("{name}: {error}\n{}", second.text));
        let left = drift(&db, &before, &clock, &rng).await.expect("readable");
        assert!(left.is_empty(), "{name}: back: {left:#?}\n{}", second.text);
        let done = runner.down(&both, None, &mut |_| {}).await;
        done.unwrap_or_else(|error| panic!("{name}: {error}\n{}", first.text));
        forget(&db).await;
    }
}

async fn forget(db: &Db) {
    let mut sql = Sql::new(db.dialect());
    sql.push("delete from auth_migrations");
    db.write(vec![Step::new(sql)])
        .await
        .expect("the books are empty again");
}

/// What needs no migration, because it is not the database's: it is in force with the files.
#[test]
fn grants_policies_and_limits_are_part_of_the_model() {
    let table = "create table t (id integer primary key, owner uuid);";
    let before = catalog(table);
    let after = catalog(&format!(
        "{table} create role editor; grant select on t to anon; grant update (owner) on t to editor;
         create policy own on t using (owner = auth.uid()); alter role editor set api.max_rows = 5;"
    ));
    let difference = diff(&before, &after).expect("no question");
    assert!(difference.operations.is_empty());
    let one = after.table("t").expect("declared");
    assert_eq!((one.grants.len(), one.policies.len()), (2, 1));
    let editor = after.roles.iter().find(|role| role.name == *"editor");
    assert_eq!(editor.map(|role| role.settings.len()), Some(1));
}
