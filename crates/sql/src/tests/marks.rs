//! What readers of SQLite hold while there are many of them keeps nobody from anything.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::suite::{connect, count, insert};

/// Reads until it is told to stop, from several tasks at once.
fn read_much(db: &crate::Db, stop: &Arc<AtomicBool>) -> Vec<tokio::task::JoinHandle<i64>> {
    let reader = |_| {
        let (db, stop) = (db.clone(), Arc::clone(stop));
        tokio::spawn(async move {
            let mut reads = 0;
            while !stop.load(Ordering::Relaxed) {
                count(&db).await;
                reads += 1;
                tokio::task::yield_now().await;
            }
            reads
        })
    };
    (0..4).map(reader).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn much_reading_sees_each_commit_and_lets_others_empty_the_log() {
    let database = testkit::ThrowAwayDatabase::create("sqlite").await;
    let Some(database) = database else { return };
    let db = connect(&database).await;
    let path = database.url().strip_prefix("sqlite:").expect("a file");
    let stop = Arc::new(AtomicBool::new(false));
    let readers = read_much(&db, &stop);
    let other = Connection::open(Path::new(path)).expect("another process's connection");
    other
        .busy_timeout(Duration::from_secs(20))
        .expect("it waits for its turn");
    let mut rows = 0;
    for round in 0..200_i64 {
        if round % 2 == 0 {
            let name = format!("n{round}");
            db.write(vec![insert(&db, round, &name, 1)])
                .await
                .expect("inserted");
        } else {
            let sql = "insert into things (id, name, amount) values (?, ?, 1)";
            other
                .execute(sql, (round, format!("n{round}")))
                .expect("inserted");
        }
        rows += 1;
        assert_eq!(count(&db).await, rows, "a commit is seen by the next read");
        if round % 20 == 19 {
            let busy: i64 = other
                .query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))
                .expect("a checkpoint");
            assert_eq!(busy, 0, "the log can be emptied under readers");
        }
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.expect("it has not panicked") > 0);
    }
    db.close().await.expect("closed");
}
