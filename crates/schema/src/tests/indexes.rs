//! Partial indexes and indexes over expressions mean the same on every engine.

use sql::{Db, DbError, Sql, Step};
use stdx::{Clock, Rng};

use super::migrations::{load, next, on_every_engine, up};
use super::{show, source};
use crate::{Catalog, CatalogKind, Migrations, drift};

const SCHEMA: &str = "
create table seats (
  id integer primary key, room integer not null, holder text, cancelled boolean not null
);
create unique index seats_taken on seats (room, holder) where not cancelled;
create unique index seats_by_name on seats ((lower(holder)), room desc) where not cancelled;
create index seats_live on seats (room) where holder is not null;
create index seats_sum on seats ((room + id));
";

on_every_engine!(what_is_alike_is_refused_where_the_condition_holds);

async fn run(db: &Db, text: &str) -> Result<(), DbError> {
    let mut sql = Sql::new(db.dialect());
    sql.native(text);
    db.write(vec![Step::new(sql)]).await.map(drop)
}

async fn what_is_alike_is_refused_where_the_condition_holds(db: Db) {
    let wanted = Catalog::from_sources(&[source(SCHEMA)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{}", show(&errors)));
    let first = next(&Migrations::default(), &wanted, "seats").expect("a file");
    assert!(
        first.text.contains("where (not \"cancelled\")"),
        "{}",
        first.text
    );
    up(&db, &load(&[&first.text])).await.expect("it applies");
    let insert = "insert into seats (id, room, holder, cancelled) values ";
    for row in [
        "(1, 1, 'Ada', true)",
        "(2, 1, 'Ada', true)",
        "(3, 1, 'Ada', false)",
        "(4, 2, 'Ada', false)",
        "(5, 1, null, false)",
        "(6, 1, null, false)",
    ] {
        let taken = run(&db, &format!("{insert}{row}")).await;
        assert!(taken.is_ok(), "{row}: {taken:?}");
    }
    for row in ["(7, 1, 'Ada', false)", "(8, 1, 'ADA', false)"] {
        let refused = run(&db, &format!("{insert}{row}")).await;
        assert!(
            matches!(refused, Err(DbError::Unique { .. })),
            "{row}: {refused:?}"
        );
    }
    let (clock, rng) = (Clock::System, Rng::System);
    let differences = drift(&db, &wanted, &clock, &rng).await;
    assert_eq!(differences.expect("readable"), Vec::<String>::new());
    run(&db, "drop index seats_live on seats").await.ok();
    run(&db, "drop index seats_live").await.ok();
    let differences = drift(&db, &wanted, &clock, &rng).await.expect("readable");
    assert_eq!(differences.len(), 1, "{differences:?}");
}
