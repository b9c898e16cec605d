//! One test for each engine out of one function, and the tables that they use.

/// Makes a test for each engine out of `async fn name(db: Db)`.
macro_rules! on_every_engine {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            async fn on(engine: &str) {
                let Some(database) = testkit::ThrowAwayDatabase::create(engine).await else { return };
                let db = $crate::tests::suite::connect(&database).await;
                super::$name(db).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                on("sqlite").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                on("postgres").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn mariadb() {
                on("mariadb").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn mysql() {
                on("mysql").await;
            }
        })*
    };
}
pub(crate) use on_every_engine;

use std::path::Path;

use crate::{DatabaseUrl, Db, DbOptions, Dialect, Sql, Step};

/// The library under test, not the harness's copy of it, connects.
pub(crate) async fn connect(database: &testkit::ThrowAwayDatabase) -> Db {
    let url = DatabaseUrl::parse(database.url(), Path::new("")).expect("an address");
    let options = DbOptions {
        read_connections: 2,
        write_connections: 4,
        ..DbOptions::default()
    };
    let db = Db::connect(&url, &options)
        .await
        .expect("the database is there");
    db.write(vec![Step::new(table(&db))])
        .await
        .expect("the table can be made");
    db
}

/// `things`: an id, a unique name of at most 20 letters, a positive number, a note.
fn table(db: &Db) -> Sql {
    let mut sql = Sql::new(db.dialect());
    sql.push(match db.dialect() {
        Dialect::Sqlite => {
            "create table things (id integer not null primary key, name text not null,
             amount integer not null, note text,
             constraint things_name_key unique (name),
             constraint things_amount_check check (amount > 0)) strict"
        }
        Dialect::Postgres => {
            "create table things (id bigint not null primary key, name varchar(20) not null,
             amount integer not null, note text,
             constraint things_name_key unique (name),
             constraint things_amount_check check (amount > 0))"
        }
        Dialect::MySql | Dialect::MariaDb => {
            "create table things (id bigint not null primary key, name varchar(20) not null,
             amount integer not null, note longtext,
             constraint things_name_key unique (name),
             constraint things_amount_check check (amount > 0)) character set utf8mb4"
        }
    });
    sql
}

/// An insert of one thing.
pub(crate) fn insert(db: &Db, id: i64, name: &str, amount: i64) -> Step {
    let mut sql = Sql::new(db.dialect());
    sql.push("insert into things (id, name, amount) values (");
    sql.arg(id)
        .push(", ")
        .arg(name)
        .push(", ")
        .arg(amount)
        .push(")");
    Step::new(sql)
}

/// How many things there are.
pub(crate) async fn count(db: &Db) -> i64 {
    let mut sql = Sql::new(db.dialect());
    sql.push("select count(*) from things");
    let query = crate::Query::short(sql, vec![crate::Kind::BigInt]);
    match db
        .optional(&query)
        .await
        .expect("counting works")
        .expect("one row")
        .0[0]
    {
        crate::Value::Int(count) => count,
        ref other => panic!("{other:?} is no count"),
    }
}
