//! Three nodes that all take writes: nobody's write is lost, and one starter migrates.

use std::process::{Child, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use sql::{Kind, Query, Row, Sql, Step, Value};
use testkit::{ClusterNode, Project, Running, ThrowAwayCluster};

use crate::http::PILASTER;

/// The nodes are everybody's: one test locks one, another kills one.
static CLUSTER: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A project's command on one of the nodes, its output kept.
fn start(project: &Project, node: &ClusterNode, words: &[&str]) -> Child {
    project
        .command(PILASTER, words)
        .env("DATABASE_URL", node.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

async fn rows(node: &ClusterNode, text: &'static str, kinds: Vec<Kind>) -> Vec<Row> {
    let db = node.connect().await;
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    let rows = db.settled_rows(&Query::short(sql, kinds)).await;
    rows.expect("it reads")
}

async fn number(node: &ClusterNode, text: &'static str) -> i64 {
    match rows(node, text, vec![Kind::BigInt]).await[0].0[0] {
        Value::Int(number) => number,
        ref other => panic!("{other:?} is no number"),
    }
}

// req: DM-9
#[tokio::test(flavor = "multi_thread")]
async fn eight_starters_on_three_nodes_migrate_once() {
    let _alone = CLUSTER.lock().await;
    let Some(cluster) = ThrowAwayCluster::create().await else {
        return;
    };
    let project = Project::cruddur();
    project.write(
        "schema/tags.sql",
        "create table tags (id integer primary key, name text not null);\n",
    );
    project.succeed(PILASTER, &["migrate", "new", "tags"]);
    let starters: Vec<Child> = (0..8)
        .map(|n| start(&project, &cluster.nodes()[n % 3], &["migrate", "up"]))
        .collect();
    let mut shown = String::new();
    for starter in starters {
        let output = starter.wait_with_output().expect("it ends");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        shown.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    for title in ["applied 0001_init", "applied 0002_tags"] {
        assert_eq!(shown.matches(title).count(), 1, "{shown}");
    }
    let books = "select history, revision, checksum, direction, steps, steps_begun, steps_done \
                 from auth_migrations order by history, revision";
    let (text, count) = (Kind::Text, Kind::BigInt);
    let kinds = vec![text, text, text, text, count, count, count];
    let first = rows(&cluster.nodes()[0], books, kinds.clone()).await;
    for node in cluster.nodes() {
        assert_eq!(rows(node, books, kinds.clone()).await, first);
        let checked = start(&project, node, &["migrate", "check"]).wait_with_output();
        let checked = checked.expect("it ends");
        assert!(checked.status.success(), "{checked:?}");
    }
}

/// A node that lags behind does not tell what was so a moment ago.
#[tokio::test(flavor = "multi_thread")]
async fn the_books_are_read_as_all_nodes_know_them() {
    let _alone = CLUSTER.lock().await;
    let Some(cluster) = ThrowAwayCluster::create().await else {
        return;
    };
    let project = Project::cruddur();
    let [first, second, _] = cluster.nodes() else {
        panic!("three nodes were asked for")
    };
    // What other nodes have committed waits there, unseen.
    let db = second.connect().await;
    let mut late = db.begin().await.expect("a conversation begins");
    let mut sql = Sql::new(db.dialect());
    sql.push("flush tables with read lock");
    late.execute(&sql).await.expect("it is locked");
    let up = start(&project, first, &["migrate", "up"]).wait_with_output();
    let up = up.expect("it ends");
    assert!(up.status.success(), "{up:?}");
    let status = start(&project, second, &["migrate", "status"]);
    tokio::time::sleep(Duration::from_millis(700)).await;
    let mut sql = Sql::new(db.dialect());
    sql.push("unlock tables");
    late.execute(&sql).await.expect("it goes on");
    let status = status.wait_with_output().expect("it ends");
    let shown = String::from_utf8_lossy(&status.stdout);
    assert!(
        shown.contains("0001_init") && shown.contains("applied"),
        "{shown}"
    );
}

const COUNTERS: &str = "
create table counters (id integer primary key, value integer not null);
create table bumps (id uuid primary key default gen_random_uuid(), counter integer not null references counters);
";
const BUMP: &str = "-- @summary  Count one more
-- @param    id  integer  in path
-- @access   anon
-- @returns  one
-- @security definer
insert into bumps (counter) values (:id);
update counters set value = value + 1 where id = :id returning value
";

/// Two counters, served from each node.
async fn counters(cluster: &ThrowAwayCluster) -> Vec<Running> {
    let project = Project::empty();
    project.write("schema/counters.sql", COUNTERS);
    project.write("api/counters/[id]/bump.post.sql", BUMP);
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    let project = project.with("PILASTER_MIGRATE_MODE", "auto");
    let mut servers = Vec::new();
    for node in cluster.nodes() {
        servers.push(Running::serve_at(PILASTER, &project, node.url()).await);
    }
    let db = cluster.nodes()[0].connect().await;
    let mut sql = Sql::new(db.dialect());
    sql.push("insert into counters (id, value) values (1, 0), (2, 0)");
    db.write(vec![Step::new(sql)]).await.expect("inserted");
    for node in cluster.nodes() {
        assert_eq!(number(node, "select count(*) from counters").await, 2);
    }
    servers
}

/// Thirty bumps at once, ten through each node: how many were acknowledged, and how many refused
/// in a way that the caller can act on.
async fn bump(servers: &[Running]) -> (i64, i64) {
    let bumps = (0..30).map(|n| {
        let path = format!("/api/counters/{}/bump", n % 2 + 1);
        let server = &servers[n % 3];
        async move { server.send("POST", "", &path, &json!({})).await }
    });
    let (mut counted, mut refused) = (0, 0);
    for answer in join_all(bumps).await {
        match answer.status {
            200 | 201 => counted += 1,
            409 | 503 => refused += 1,
            other => panic!("{other}: {}", answer.body),
        }
    }
    (counted, refused)
}

const SUM: &str = "select cast(sum(value) as signed) from counters";
const BUMPS: &str = "select count(*) from bumps";

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_lose_certification_are_run_again_and_none_is_lost() {
    let _alone = CLUSTER.lock().await;
    let Some(cluster) = ThrowAwayCluster::create().await else {
        return;
    };
    let servers = counters(&cluster).await;
    let before = conflicts(&cluster).await;
    let (mut counted, mut refused) = (0, 0);
    for _ in 0..20 {
        let round = bump(&servers).await;
        counted += round.0;
        refused += round.1;
    }
    // Without this the rest proves nothing.
    let lost = conflicts(&cluster).await - before;
    assert!(lost > 0, "no two nodes were ever in each other's way");
    assert!(
        refused * 10 < counted,
        "{refused} beside {counted} lost every attempt"
    );
    for node in cluster.nodes() {
        assert_eq!(number(node, SUM).await, counted);
        assert_eq!(number(node, BUMPS).await, counted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_takes_no_acknowledged_write_with_it() {
    let _alone = CLUSTER.lock().await;
    let Some(cluster) = ThrowAwayCluster::create().await else {
        return;
    };
    let servers = counters(&cluster).await;
    let (mut counted, mut refused) = (0, 0);
    for round in 0..12 {
        let (acknowledged, others) = match round {
            3 => tokio::join!(bump(&servers), cluster.nodes()[0].kill()).0,
            _ => bump(&servers).await,
        };
        counted += acknowledged;
        refused += others;
    }
    assert!(refused > 0, "nobody noticed that the node was gone");
    cluster.until_whole().await;
    let all = number(&cluster.nodes()[1], SUM).await;
    // The connection of some broke when they had been written and not yet been acknowledged.
    assert!(
        (counted..=counted + refused).contains(&all),
        "{counted} {refused} {all}"
    );
    for node in cluster.nodes() {
        assert_eq!(number(node, SUM).await, all);
        assert_eq!(number(node, BUMPS).await, all);
    }
    let (again, refused) = bump(&servers).await;
    assert_eq!(
        (again, refused),
        (30, 0),
        "the node's server does not come back"
    );
}

/// How often a write of one node was in the way of another's.
async fn conflicts(cluster: &ThrowAwayCluster) -> i64 {
    let mut all = 0;
    for node in cluster.nodes() {
        all += node.status("wsrep_local_cert_failures").await;
        all += node.status("wsrep_local_bf_aborts").await;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_outbox_runs_once_though_every_node_looks_at_it() {
    let _alone = CLUSTER.lock().await;
    let Some(cluster) = ThrowAwayCluster::create().await else {
        return;
    };
    let project = Project::empty();
    project.write(
        "schema/log.sql",
        "create table log (delivery uuid primary key, person uuid not null unique);\n",
    );
    // A second run would break both keys, and be retried until it is a dead letter.
    project.write(
        "hooks/user_registered.sql",
        "-- @mode outbox\ninsert into log (delivery, person) values (:delivery_id, :user_id)\n",
    );
    project.succeed(PILASTER, &["migrate", "new", "log"]);
    let done = start(&project, &cluster.nodes()[0], &["migrate", "up"]).wait_with_output();
    assert!(done.expect("it ends").status.success());
    let mut servers = Vec::new();
    for node in cluster.nodes() {
        servers.push(Running::serve_at(PILASTER, &project, node.url()).await);
    }
    let accounts = (0..45).map(|number| {
        let server = &servers[number % servers.len()];
        let account =
            json!({"email": format!("u{number}@example.org"), "password": "a long pass phrase"});
        async move { server.send("POST", "", "/register", &account).await }
    });
    for answer in join_all(accounts).await {
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    let node = &cluster.nodes()[1];
    let deadline = std::time::Instant::now() + Duration::from_mins(2);
    while number(
        node,
        "select count(*) from auth_deliveries where dead_at is null",
    )
    .await
        > 0
    {
        assert!(std::time::Instant::now() < deadline, "deliveries are left");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(
        number(node, "select count(*) from auth_deliveries").await,
        0
    );
    assert_eq!(number(node, "select count(*) from log").await, 45);
}
