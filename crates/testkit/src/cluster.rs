//! A database of one's own on a cluster whose nodes all take writes.

use std::path::Path;

use sql::{DatabaseUrl, Db, DbOptions, Kind, Query, Sql, Value};

use crate::database::{address, is_enabled, with_database};
use crate::{ThrowAwayDatabase, on_server};

/// A database that exists for one test, on each node of a Galera cluster.
pub struct ThrowAwayCluster {
    _database: ThrowAwayDatabase,
    nodes: Vec<ClusterNode>,
}

/// One of the nodes.
#[derive(Clone, Debug)]
pub struct ClusterNode {
    server: String,
    url: String,
}

impl ThrowAwayCluster {
    /// A fresh, empty database; `None` where `galera` was not asked for.
    ///
    /// # Panics
    /// When it was asked for and a node cannot be reached.
    pub async fn create() -> Option<Self> {
        if !is_enabled("galera") {
            return None;
        }
        let servers = address("galera", "TEST_GALERA_URLS");
        let servers: Vec<&str> = servers.split_whitespace().collect();
        let database = ThrowAwayDatabase::on(servers.first()?).await;
        let mut nodes = Vec::new();
        for server in servers {
            // Definitions have one order on all nodes: behind this one the database is there.
            let again = format!("create database if not exists {}", database.name());
            on_server(server, &again).await;
            nodes.push(ClusterNode {
                server: server.to_owned(),
                url: with_database(server, database.name()),
            });
        }
        Some(Self {
            _database: database,
            nodes,
        })
    }

    /// The nodes, in an order that stays.
    #[must_use]
    pub fn nodes(&self) -> &[ClusterNode] {
        &self.nodes
    }

    /// Waits until every node takes writes and sees all others.
    ///
    /// # Panics
    /// When that takes more than a minute.
    pub async fn until_whole(&self) {
        for node in &self.nodes {
            let mut attempts = 0;
            while !node.is_whole(self.nodes.len()).await {
                attempts += 1;
                assert!(attempts < 600, "a node does not come back: {}", node.server);
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

impl ClusterNode {
    /// The address of the test's database on this node.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of the node's administrator.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Connects to the test's database.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn connect(&self) -> Db {
        self.try_connect().await.expect("the node can be reached")
    }

    async fn try_connect(&self) -> sql::DbResult<Db> {
        let url = DatabaseUrl::parse(&self.url, Path::new("")).expect("our own address is valid");
        let options = DbOptions {
            connect_deadline: std::time::Duration::ZERO,
            ..DbOptions::default()
        };
        Db::connect(&url, &options).await
    }

    /// The node's own count of something: `wsrep_local_cert_failures`.
    ///
    /// # Panics
    /// When the node does not tell it.
    pub async fn status(&self, name: &'static str) -> i64 {
        let text = self.tell(name).await.expect("the node tells it");
        text.parse().expect("a number")
    }

    /// Ends the node's process at once, as `kill -9` does.
    ///
    /// # Panics
    /// When it is not a process of this machine.
    pub async fn kill(&self) {
        let db = self.connect().await;
        let mut sql = Sql::new(db.dialect());
        sql.push("select @@pid_file");
        let row = db.optional(&Query::short(sql, vec![Kind::Text])).await;
        let Ok(Some(Value::Text(file))) =
            row.map(|row| row.and_then(|row| row.0.into_iter().next()))
        else {
            panic!("{} does not tell its process", self.server)
        };
        let process = std::fs::read_to_string(file).expect("the node runs on this machine");
        let killed = std::process::Command::new("kill")
            .args(["-9", process.trim()])
            .status();
        assert!(killed.is_ok_and(|status| status.success()), "{process}");
    }

    async fn is_whole(&self, size: usize) -> bool {
        let ready = self.tell("wsrep_ready").await;
        let seen = self.tell("wsrep_cluster_size").await;
        ready.as_deref() == Some("ON") && seen == Some(size.to_string())
    }

    async fn tell(&self, name: &'static str) -> Option<String> {
        let db = self.try_connect().await.ok()?;
        let mut sql = Sql::new(db.dialect());
        sql.push(
            "select variable_value from information_schema.global_status where variable_name = ",
        );
        sql.arg(name);
        let row = db.optional(&Query::short(sql, vec![Kind::Text])).await;
        match row.ok()??.0.into_iter().next()? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}
