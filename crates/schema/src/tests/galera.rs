//! Starters on different nodes of a cluster, one of which stops or dies.

use sql::Kind;
use stdx::Rng;
use testkit::ThrowAwayCluster;

use super::interrupted::{AFTER, catalog, files, later, stalls_while_another_finishes};
use crate::{History, Loss, MigrationError, Runner, drift};

/// The nodes are everybody's, and one test kills one.
static CLUSTER: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn a_starter_that_stalls_is_taken_over_from_another_node() {
    let _alone = CLUSTER.lock().await;
    let Some(cluster) = ThrowAwayCluster::create().await else {
        return;
    };
    let [first, second, _] = cluster.nodes() else {
        panic!("there are three nodes")
    };
    stalls_while_another_finishes(&first.connect().await, &second.connect().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_with_the_lock_is_followed_by_another() {
    let _alone = CLUSTER.lock().await;
    let Some(cluster) = ThrowAwayCluster::create().await else {
        return;
    };
    let [first, second, _] = cluster.nodes() else {
        panic!("there are three nodes")
    };
    let (files, rng) = (files(), Rng::System);
    let (clock, clock_later) = (later(0), later(1));
    let db = first.connect().await;
    let dying = Runner::new(&db, &clock, &rng, History::App).with_loss(Loss::Allowed);
    let runtime = tokio::runtime::Handle::current();
    let mut report = |progress: crate::Progress<'_>| {
        if progress.migration.ends_with("two") && progress.step == 3 {
            tokio::task::block_in_place(|| runtime.block_on(first.kill()));
        }
    };
    let died = dying.up(&files, None, &mut report).await;
    assert!(
        matches!(died, Err(MigrationError::Step { step: 3, .. })),
        "{died:?}"
    );

    let db = second.connect().await;
    let mut sql = sql::Sql::new(db.dialect());
    sql.push("select holder from auth_migration_lock");
    let query = sql::Query::short(sql, vec![Kind::Text]);
    let lock = db.settled_rows(&query).await.expect("two nodes go on");
    assert_ne!(lock[0].0, [sql::Value::from("")], "it died with the lock");
    let following = Runner::new(&db, &clock_later, &rng, History::App).with_loss(Loss::Allowed);
    let followed = following.up(&files, None, &mut |_| {}).await;
    assert_eq!(followed.expect("it goes on"), ["0002_two"]);
    cluster.until_whole().await;
    for node in cluster.nodes() {
        let db = node.connect().await;
        let differences = drift(&db, &catalog(AFTER), &clock_later, &rng).await;
        assert_eq!(differences.expect("readable"), Vec::<String>::new());
    }
}
