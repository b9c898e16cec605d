//! What SQLite's writer acknowledged is in the file when the process is killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::suite::{connect, count, insert};
use crate::{DatabaseUrl, Db, DbOptions};

const VARIABLE: &str = "PILASTER_DURABILITY_DATABASE";

/// Not a test of its own: the process that the next test starts and kills.
#[tokio::test(flavor = "multi_thread")]
async fn writes_until_it_is_killed() {
    let Some(url) = std::env::var_os(VARIABLE) else {
        return;
    };
    let url = DatabaseUrl::parse(&url.to_string_lossy(), Path::new("")).expect("an address");
    let db = Db::connect(&url, &DbOptions::default())
        .await
        .expect("the file is there");
    let workers = (0..16_i64).map(|worker| {
        let db = db.clone();
        tokio::spawn(async move {
            for round in 0..100_000_i64 {
                let id = worker * 100_000 + round;
                db.write(vec![insert(&db, id, &format!("n{id}"), 1)])
                    .await
                    .expect("inserted");
                println!("acknowledged");
            }
        })
    });
    futures_util::future::join_all(workers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_to_a_kill() {
    let database = testkit::ThrowAwayDatabase::create("sqlite").await;
    let Some(database) = database else { return };
    connect(&database).await.close().await.expect("closed");
    let mut child = Command::new(std::env::current_exe().expect("this test has a file"))
        .args([
            "--exact",
            "tests::durability::writes_until_it_is_killed",
            "--nocapture",
        ])
        .env(VARIABLE, database.url())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let lines = BufReader::new(child.stdout.take().expect("its output is ours")).lines();
    let mut acknowledged = 0;
    for line in lines {
        if line.is_ok_and(|line| line.contains("acknowledged")) {
            acknowledged += 1;
        }
        if acknowledged == 1_000 {
            child.kill().expect("killed");
        }
    }
    child.wait().expect("it has ended");
    let url = DatabaseUrl::parse(database.url(), Path::new("")).expect("an address");
    let db = Db::connect(&url, &DbOptions::default())
        .await
        .expect("the file opens again");
    assert!(acknowledged >= 1_000);
    assert!(count(&db).await >= acknowledged);
}
