//! A server's process: started as an ordinary user, tied to our life, stopped on drop.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::galera::Cluster;
use crate::command::{is_root, output, target};

/// A server that the tests use.
pub(crate) struct Server {
    /// The variable that tells the tests its address.
    pub(crate) variable: &'static str,
    /// Its address; of a cluster all of them, with blanks between them.
    pub(crate) url: String,
    _held: Held,
}

/// What ends with a server.
enum Held {
    /// Somebody else runs it.
    Nothing,
    Process {
        _process: Process,
    },
    Cluster {
        _cluster: Box<Cluster>,
    },
}

/// A process that is stopped on drop.
pub(super) struct Process(Child);

impl Server {
    fn new(variable: &'static str, url: String, held: Held) -> Self {
        Self {
            variable,
            url,
            _held: held,
        }
    }

    /// A server that somebody else runs.
    pub(crate) fn given(variable: &'static str, url: String) -> Self {
        Self::new(variable, url, Held::Nothing)
    }

    /// A server of ours.
    pub(crate) fn started(variable: &'static str, url: String, child: Child) -> Self {
        let process = Process::new(child);
        Self::new(variable, url, Held::Process { _process: process })
    }

    /// Several servers of ours that are one.
    pub(super) fn cluster(variable: &'static str, urls: String, cluster: Cluster) -> Self {
        let cluster = Box::new(cluster);
        Self::new(variable, urls, Held::Cluster { _cluster: cluster })
    }
}

impl Process {
    pub(super) fn new(child: Child) -> Self {
        Self(child)
    }

    /// Whether it has ended by itself, or nobody can say.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        // Asked politely first: a server that is killed leaves shared memory behind.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A new folder for this run's data, under the target folder where an ordinary user can reach
/// it, else in the system's temporary folder.
pub(crate) fn private_folder() -> Result<PathBuf> {
    let preferred = target().join("services");
    fs::create_dir_all(&preferred)?;
    let reachable = !is_root()
        || Command::new("setpriv")
            .args(["--reuid=nobody", "--clear-groups", "test", "-x"])
            .arg(&preferred)
            .status()
            .is_ok_and(|status| status.success());
    let base = if reachable {
        preferred
    } else {
        std::env::temp_dir()
    };
    let folder = base.join(format!("run-{}", std::process::id()));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A folder inside the run's, owned by the user that the server runs as.
pub(crate) fn owned_folder(parent: &Path, name: &str, user: &str) -> Result<PathBuf> {
    let folder = parent.join(name);
    fs::create_dir_all(&folder)?;
    if is_root() {
        output(Command::new("chown").arg(format!("{user}:")).arg(&folder))?;
    }
    Ok(folder)
}

/// A command that runs as `user` when we are root (servers refuse to run as root) and dies with
/// us even when we are killed.
pub(crate) fn as_user(user: &str, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args([
            &format!("--reuid={user}"),
            &format!("--regid={user}"),
            "--init-groups",
        ]);
    }
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}

/// Starts a server, its output in `log`.
pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Child> {
    let file = fs::File::create(log)?;
    let errors = file.try_clone()?;
    command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))
}

/// A port nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    let ports = free_ports(1)?;
    ports.first().copied().context("one was asked for")
}

/// Several ports nobody listens on now, each another one.
pub(super) fn free_ports(count: usize) -> Result<Vec<u16>> {
    // All are taken before the first is given back.
    let mut listeners = Vec::new();
    for _ in 0..count {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    }
    let ports = listeners.iter().map(|taken| Ok(taken.local_addr()?.port()));
    ports.collect()
}

/// A password for this run.
pub(crate) fn fresh_password() -> Result<String> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 12];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:024x}", u128::from_be_bytes(padded(bytes))))
}

fn padded(bytes: [u8; 12]) -> [u8; 16] {
    let mut all = [0; 16];
    all[4..].copy_from_slice(&bytes);
    all
}

/// Waits until `ready` says so, at most a minute; a server that ended is an error with its log.
pub(crate) fn wait_until(
    name: &str,
    child: &mut Child,
    log: &Path,
    mut ready: impl FnMut() -> bool,
) -> Result<()> {
    let mut ended = None;
    let waited = wait_for(name, log, || {
        ended = child.try_wait().ok().flatten();
        ended.is_some() || ready()
    });
    if ended.is_some() || waited.is_err() {
        let _ = child.kill();
        bail!("{}", failure(name, log));
    }
    Ok(())
}

/// Waits until `ready` says so, at most a minute; then it is an error with the server's log.
pub(super) fn wait_for(name: &str, log: &Path, mut ready: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !ready() {
        if Instant::now() > deadline {
            bail!("{}", failure(name, log));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn failure(name: &str, log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines
        .get(lines.len().saturating_sub(15)..)
        .unwrap_or_default();
    format!("{name} did not come up; its log ends:\n{}", tail.join("\n"))
}
