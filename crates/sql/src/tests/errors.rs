//! What the engines refuse, in one vocabulary.

use super::suite::{count, insert, on_every_engine};
use crate::{Db, DbError, Dialect, Kind, Query, Sql, Step};

on_every_engine!(
    violations_name_their_constraint,
    readers_cannot_write,
    broken_connections_are_replaced,
);

fn sql(db: &Db, text: &'static str) -> Sql {
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    sql
}

async fn violations_name_their_constraint(db: Db) {
    db.write(vec![insert(&db, 1, "one", 1)])
        .await
        .expect("the first goes in");
    match db.write(vec![insert(&db, 2, "one", 1)]).await {
        Err(DbError::Unique {
            constraint,
            columns,
        }) => match db.dialect() {
            Dialect::Sqlite => assert_eq!(columns, ["name"]),
            Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => {
                assert_eq!(constraint.as_deref(), Some("things_name_key"));
            }
        },
        other => panic!("{other:?}"),
    }
    match db.write(vec![insert(&db, 2, "two", 0)]).await {
        Err(DbError::Check { constraint }) => {
            assert_eq!(constraint.as_deref(), Some("things_amount_check"));
        }
        other => panic!("{other:?}"),
    }
    let missing = sql(&db, "insert into things (id, name) values (3, 'three')");
    match db.write(vec![Step::new(missing)]).await {
        Err(DbError::NotNull { column }) => assert_eq!(column.as_deref(), Some("amount")),
        other => panic!("{other:?}"),
    }
    assert_eq!(count(&db).await, 1);
}

// req: CR-12
async fn readers_cannot_write(db: Db) {
    let query = Query::short(sql(&db, "delete from things"), vec![Kind::BigInt]);
    assert_eq!(db.rows(&query).await, Err(DbError::ReadOnly));
}

async fn broken_connections_are_replaced(db: Db) {
    let kill = match db.dialect() {
        Dialect::Sqlite => return,
        Dialect::Postgres => sql(
            &db,
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        ),
        Dialect::MySql | Dialect::MariaDb => {
            for session in db.sessions().await.expect("sessions are listed") {
                let mut kill = Sql::new(db.dialect());
                kill.push("kill ").number(session.id.unsigned_abs());
                // The session that kills itself reports that; the others are gone all the same.
                let _ = db.write(vec![Step::new(kill)]).await;
            }
            sql(&db, "select 1")
        }
    };
    let _ = db.write(vec![Step::new(kill)]).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    for id in 10..30 {
        // A writer's broken connection may cost one error, as the outcome is not known then.
        if db
            .write(vec![insert(&db, id, &format!("n{id}"), 1)])
            .await
            .is_err()
        {
            db.write(vec![insert(&db, id, &format!("n{id}"), 1)])
                .await
                .expect("a fresh connection");
        }
        assert!(count(&db).await > 0);
    }
}

#[test]
fn an_error_can_be_told_without_what_the_engine_quotes() {
    let other = |text: &str| DbError::Other(text.to_owned()).without_values();
    let quoting = "22P02 invalid input syntax for type integer: \"Ada\"";
    let code = "the database refused the statement, code 22P02";
    assert_eq!(other(quoting), code);
    assert_eq!(
        other("1292 Truncated: 'Ada'"),
        code.replace("22P02", "1292")
    );
    for text in ["Ada", "", "ADAL is no number", "datatype mismatch: Ada"] {
        assert_eq!(other(text), "the database refused the statement");
    }
    let decode = DbError::Decode {
        column: 2,
        expected: "a number",
        found: String::from("Ada"),
    };
    assert_eq!(decode.without_values(), "column 2 does not hold a number");
}
