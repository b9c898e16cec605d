//! A server's process: started as an ordinary user, tied to our life, stopped on drop.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::command::{is_root, output, target};

/// A server that the tests use.
pub(crate) struct Server {
    /// The variable that tells the tests its address.
    pub(crate) variable: &'static str,
    /// Its address.
    pub(crate) url: String,
    child: Option<Child>,
}

impl Server {
    /// A server that somebody else runs.
    pub(crate) fn given(variable: &'static str, url: String) -> Self {
        Self {
            variable,
            url,
            child: None,
        }
    }

    /// A server of ours.
    pub(crate) fn started(variable: &'static str, url: String, child: Child) -> Self {
        Self {
            variable,
            url,
            child: Some(child),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        // Asked politely first: a server that is killed leaves shared memory behind.
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            match child.try_wait() {
                Ok(Some(_)) | Err(_) => return,
                Ok(None) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        let _ = child.kill();
        let _ = child.wait();
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
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
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
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if ready() {
            return Ok(());
        }
        let ended = child.try_wait()?;
        if ended.is_some() || Instant::now() > deadline {
            let text = fs::read_to_string(log).unwrap_or_default();
            let tail: Vec<&str> = text.lines().rev().take(15).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            let _ = child.kill();
            bail!(
                "{name} did not come up ({ended:?}); its log ends:\n{}",
                tail.join("\n")
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
