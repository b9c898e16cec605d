//! A private MariaDB Galera cluster: three nodes on this machine, each of which takes writes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::mariadb::{Programs, address};
use super::process::{Process, Server, free_ports, owned_folder, spawn, wait_for};
use crate::command::find_program;

/// Where Debian's package `galera-4` puts the library.
const LIBRARY: &str = "/usr/lib/galera/libgalera_smm.so";

const NODES: usize = 3;

/// Whether the library is installed.
pub(crate) fn is_installed() -> bool {
    Path::new(LIBRARY).is_file()
}

/// Whether what copies one node's data to the next is installed.
pub(crate) fn can_copy() -> bool {
    find_program(&["rsync"], &[]).is_some()
}

/// Three nodes, stopped on drop. A node that ends before that is started again, as a machine's
/// service manager would: a test may kill one.
pub(crate) struct Cluster {
    programs: Programs,
    nodes: Vec<Node>,
    stopping: Arc<AtomicBool>,
    keepers: Vec<JoinHandle<()>>,
}

/// One node's folder and ports.
#[derive(Clone)]
struct Node {
    name: String,
    home: PathBuf,
    log: PathBuf,
    /// For clients.
    port: u16,
    /// For the other nodes' writes.
    group: u16,
    /// For the writes that it missed.
    missed: u16,
    /// For a copy of another node's data.
    copy: u16,
}

impl Cluster {
    /// Starts the nodes and does not wait for them.
    pub(crate) fn begin(folder: &Path) -> Result<Self> {
        let programs = Programs::find()?;
        let ports = free_ports(4 * NODES)?;
        let mut nodes = Vec::new();
        for (place, ports) in ports.chunks_exact(4).enumerate() {
            let name = format!("galera-{}", place + 1);
            let home = owned_folder(folder, &name, "mysql")?;
            owned_folder(&home, "data", "mysql")?;
            let log = folder.join(format!("{name}.log"));
            let &[port, group, missed, copy] = ports else {
                continue;
            };
            nodes.push(Node {
                name,
                home,
                log,
                port,
                group,
                missed,
                copy,
            });
        }
        // The others get theirs from the first.
        programs.install(&nodes[0].home)?;
        let mut cluster = Self {
            programs,
            nodes,
            stopping: Arc::default(),
            keepers: Vec::new(),
        };
        for place in 0..NODES {
            let keeper = cluster.keeper(place);
            cluster.keepers.push(keeper);
        }
        Ok(cluster)
    }

    /// A server's process ends with the thread that started it, so its keeper stays.
    fn keeper(&self, place: usize) -> JoinHandle<()> {
        let node = self.nodes[place].clone();
        let stopping = Arc::clone(&self.stopping);
        let again = || node.command(&self.programs, &self.nodes);
        let (mut first, mut again) = (again(), again());
        if place == 0 {
            first.arg("--wsrep-new-cluster");
        }
        std::thread::spawn(move || {
            if let Err(error) = keep(&node, &mut first, &mut again, &stopping) {
                eprintln!("{}: {error:#}", node.name);
            }
        })
    }

    /// Waits until each node takes writes and sees the others.
    pub(crate) fn ready(self) -> Result<Server> {
        let state = "show global status where variable_name in \
                     ('wsrep_cluster_size', 'wsrep_ready')";
        for node in &self.nodes {
            wait_for(&node.name, &node.log, || {
                let state = self.programs.ask(&node.home, state).unwrap_or_default();
                let words: Vec<&str> = state.split_whitespace().collect();
                words == ["wsrep_cluster_size", "3", "wsrep_ready", "ON"]
            })?;
        }
        let first = self.nodes.first().context("there are three")?;
        let password = self.programs.create_user(&first.home)?;
        for node in &self.nodes {
            // Answered when the node has caught up, with the user too.
            let caught_up = "set session wsrep_sync_wait = 1; select 1";
            self.programs.ask(&node.home, caught_up)?;
        }
        let urls: Vec<String> = self
            .nodes
            .iter()
            .map(|node| address(&password, node.port))
            .collect();
        Ok(Server::cluster("TEST_GALERA_URLS", urls.join(" "), self))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        for keeper in self.keepers.drain(..) {
            // One that panicked has nothing left to stop.
            let _ = keeper.join();
        }
    }
}

impl Node {
    fn command(&self, programs: &Programs, all: &[Self]) -> Command {
        let groups: Vec<String> = all
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.group))
            .collect();
        let mut command = programs.server(&self.home, self.port);
        command
            .args([
                "--innodb-buffer-pool-size=64M",
                "--innodb-log-file-size=16M",
                // What is lost with one machine's power is on the others.
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-autoinc-lock-mode=2",
                "--binlog-format=ROW",
                "--wsrep-on=ON",
                "--wsrep-sst-method=rsync",
            ])
            .arg(format!("--wsrep-provider={LIBRARY}"))
            .arg(format!("--wsrep-node-name={}", self.name))
            .arg(format!(
                "--wsrep-cluster-address=gcomm://{}",
                groups.join(",")
            ))
            .arg(format!("--wsrep-node-address=127.0.0.1:{}", self.group))
            .arg(format!(
                "--wsrep-sst-receive-address=127.0.0.1:{}",
                self.copy
            ))
            .arg(format!(
                "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{};\
                 ist.recv_addr=127.0.0.1:{};gcache.size=32M",
                self.group, self.missed
            ));
        command
    }
}

/// Runs one node until the cluster stops.
fn keep(
    node: &Node,
    first: &mut Command,
    again: &mut Command,
    stopping: &AtomicBool,
) -> Result<()> {
    let mut process = Process::new(spawn(first, &node.log)?);
    while !stopping.load(Ordering::Relaxed) {
        if process.has_ended() {
            process = Process::new(spawn(again, &node.log)?);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
