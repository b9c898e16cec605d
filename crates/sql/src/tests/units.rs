//! Units are committed whole or not at all, by many callers at once.

use futures_util::future::join_all;

use super::suite::{count, insert, on_every_engine};
use crate::{Db, DbError, Expect, Kind, Query, Sql, Value};

on_every_engine!(
    a_unit_is_whole_or_nothing,
    a_rehearsal_leaves_nothing,
    one_of_fifty_equal_inserts_wins,
    two_hundred_callers_do_not_mix,
    reads_of_one_call_see_one_snapshot,
    a_dropped_transaction_leaves_nothing,
);

async fn a_unit_is_whole_or_nothing(db: Db) {
    let unit = vec![insert(&db, 1, "one", 1), insert(&db, 2, "one", 1)];
    assert!(matches!(db.write(unit).await, Err(DbError::Unique { .. })));
    assert_eq!(count(&db).await, 0);
    let unit = vec![
        insert(&db, 1, "one", 1),
        insert(&db, 2, "two", 1).expecting(Expect::Rows(2)),
    ];
    assert_eq!(
        db.write(unit).await.err(),
        Some(DbError::Unexpected {
            step: 1,
            affected: 1
        })
    );
    assert_eq!(count(&db).await, 0);
    let unit = vec![insert(&db, 1, "one", 1), insert(&db, 2, "two", 1)];
    assert_eq!(db.write(unit).await.expect("it is fine").len(), 2);
    assert_eq!(count(&db).await, 2);
}

async fn a_rehearsal_leaves_nothing(db: Db) {
    let outcomes = db
        .rehearse(vec![insert(&db, 1, "one", 1)])
        .await
        .expect("it would go in");
    assert_eq!(outcomes[0].affected, 1);
    assert_eq!(count(&db).await, 0);
}

async fn one_of_fifty_equal_inserts_wins(db: Db) {
    let attempts = (0..50).map(|id| db.write(vec![insert(&db, id, "same", 1)]));
    let results = join_all(attempts).await;
    assert_eq!(
        results.iter().filter(|result| result.is_ok()).count(),
        1,
        "{results:?}"
    );
    assert_eq!(count(&db).await, 1);
}

async fn two_hundred_callers_do_not_mix(db: Db) {
    let callers = (0..200).map(|id| {
        let db = db.clone();
        async move {
            db.write(vec![insert(&db, id, &format!("n{id}"), id + 1)])
                .await
                .expect("inserted");
            let mut sql = Sql::new(db.dialect());
            sql.push("select amount, name from things where id = ")
                .arg(id);
            let rows = db
                .rows(&Query::short(sql, vec![Kind::Integer, Kind::Text]))
                .await;
            let row = rows.expect("read").remove(0);
            assert_eq!(row.0, [Value::Int(id + 1), Value::from(format!("n{id}"))]);
        }
    });
    join_all(callers).await;
    assert_eq!(count(&db).await, 200);
}

async fn reads_of_one_call_see_one_snapshot(db: Db) {
    struct Count(i64);
    impl crate::RowSink for Count {
        fn row(&mut self, row: &crate::RowRef<'_>) -> crate::DbResult<()> {
            if let crate::ValueRef::Int(count) = row.get(0, Kind::BigInt)? {
                self.0 = count;
            }
            Ok(())
        }
    }
    let writer = {
        let db = db.clone();
        tokio::spawn(async move {
            for id in 0..200 {
                db.write(vec![insert(&db, id, &format!("n{id}"), 1)])
                    .await
                    .expect("inserted");
            }
        })
    };
    let mut sql = Sql::new(db.dialect());
    sql.push("select count(*) from things");
    let query = Query::short(sql, vec![Kind::BigInt]);
    while !writer.is_finished() {
        let (mut first, mut second) = (Count(0), Count(0));
        db.read_all(&mut [(&query, &mut first), (&query, &mut second)])
            .await
            .expect("read");
        assert_eq!(first.0, second.0);
    }
    writer.await.expect("the writer is done");
}

async fn a_dropped_transaction_leaves_nothing(db: Db) {
    let mut tx = db.begin().await.expect("begun");
    tx.execute(&insert(&db, 1, "one", 1).sql)
        .await
        .expect("inserted");
    drop(tx);
    assert_eq!(count(&db).await, 0);
    let mut tx = db.begin().await.expect("begun");
    tx.execute(&insert(&db, 1, "one", 1).sql)
        .await
        .expect("inserted");
    tx.commit().await.expect("committed");
    assert_eq!(count(&db).await, 1);
}
