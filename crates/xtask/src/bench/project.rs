//! A throw-away copy of the Cruddur example over a filled database, served by both programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::http::send;
use super::{Programs, Size};
use crate::command::{output, root, run, target};
use crate::services::Services;

/// The example on one engine.
pub(crate) struct Project<'a> {
    folder: PathBuf,
    url: String,
    programs: &'a Programs,
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
    /// From the start of the process to its first answer.
    pub(crate) start: Duration,
}

impl<'a> Project<'a> {
    /// Copies the example, makes the tables with Pilaster, fills them with the reference.
    pub(crate) fn create(
        engine: &str,
        programs: &'a Programs,
        services: &Services,
        size: &Size,
    ) -> Result<Self> {
        let folder = target().join("bench").join(engine);
        let _ = fs::remove_dir_all(&folder);
        copy(&root().join("examples/cruddur"), &folder)?;
        let url = fresh_database(engine, services, &folder)?;
        let project = Self {
            folder,
            url,
            programs,
        };
        project.pilaster(&["secret", "generate"])?;
        project.pilaster(&["migrate", "up"])?;
        output(Command::new(&programs.reference).args([
            "load",
            &project.url,
            &size.users.to_string(),
            &size.activities.to_string(),
        ]))?;
        Ok(project)
    }

    fn pilaster(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.programs.pilaster);
        command
            .args(words)
            .arg("--config")
            .arg(self.folder.join("pilaster.toml"));
        output(
            command
                .env("DATABASE_URL", &self.url)
                .env("LOG_LEVEL", "warn"),
        )
    }

    /// Prints the ways of working on this engine, beside each other.
    pub(crate) fn compare(&self) -> Result<()> {
        compare(&self.programs.reference, &self.url)
    }

    /// Starts Pilaster on the first core.
    pub(crate) fn serve_pilaster(&self) -> Result<Running> {
        let port = free_port()?;
        let mut command = pinned(&self.programs.pilaster);
        command
            .arg("serve")
            .arg("--config")
            .arg(self.folder.join("pilaster.toml"))
            .env("DATABASE_URL", &self.url)
            .env("LOG_LEVEL", "warn")
            .env("PORT", port.to_string());
        Running::start(&mut command, port, "GET /healthz")
    }

    /// Starts the reference on the first core.
    pub(crate) fn serve_reference(&self) -> Result<Running> {
        let port = free_port()?;
        let mut command = pinned(&self.programs.reference);
        command.args(["serve", &self.url, &port.to_string()]);
        Running::start(&mut command, port, "GET /feed")
    }
}

impl Running {
    fn start(command: &mut Command, port: u16, probe: &str) -> Result<Self> {
        let began = Instant::now();
        let mut child = command.stdout(Stdio::null()).stdin(Stdio::null()).spawn()?;
        loop {
            if send(port, probe, "").is_ok_and(|answer| answer.status == 200) {
                return Ok(Self {
                    child,
                    port,
                    start: began.elapsed(),
                });
            }
            if let Some(status) = child.try_wait()? {
                bail!("{command:?} ended with {status}");
            }
            if began.elapsed() > Duration::from_secs(20) {
                bail!("{command:?} does not answer");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Registers somebody at Pilaster and signs them in: a bearer token.
    pub(crate) fn register(&self) -> Result<String> {
        let account = r#"{"email":"bench@example.org","password":"a long bench password","username":"bench"}"#;
        let answer = send(self.port, "POST /register", account)?;
        if answer.status != 201 {
            bail!("POST /register answered {}: {}", answer.status, answer.body);
        }
        let form = "username=bench%40example.org&password=a+long+bench+password";
        let answer = send(self.port, "POST /token", form)?;
        let token: serde_json::Value = serde_json::from_str(&answer.body)?;
        Ok(token["access_token"]
            .as_str()
            .context("POST /token gives a token")?
            .to_owned())
    }

    /// Memory now, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most memory so far, in KiB.
    pub(crate) fn peak_kib(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .context("status")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `reference compare` on the first core.
pub(crate) fn compare(reference: &Path, what: &str) -> Result<()> {
    run(pinned(reference).args(["compare", what]))
}

/// The server under test gets the first core; the load generator the second.
fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program);
    command
}

fn fresh_database(engine: &str, services: &Services, folder: &Path) -> Result<String> {
    let server = |variable: &str| {
        services
            .url(variable)
            .map(str::to_owned)
            .with_context(|| format!("{variable} is not up"))
    };
    match engine {
        "sqlite" => {
            fs::create_dir_all(folder.join("data"))?;
            Ok(format!("sqlite:{}", folder.join("data/bench.db").display()))
        }
        "postgres" => {
            let url = server("TEST_POSTGRES_URL")?;
            output(Command::new("psql").args([&url, "-qc", "create database bench"]))?;
            Ok(replace_database(&url))
        }
        _ => {
            let url = server("TEST_MARIADB_URL")?;
            let address = Address::of(&url).context("a server's URL has user, host and port")?;
            output(
                Command::new("mariadb")
                    .args(["--no-defaults", "-h", address.host, "-P", address.port])
                    .args(["-u", address.user, "-e", "create database bench"])
                    .env("MYSQL_PWD", address.password),
            )?;
            Ok(replace_database(&url))
        }
    }
}

/// The parts of `scheme://user:password@host:port/name`.
struct Address<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: &'a str,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let (who, place) = rest.rsplit_once('@')?;
        let (user, password) = who.split_once(':')?;
        let (host, port) = place.split('/').next()?.split_once(':')?;
        Some(Self {
            user,
            password,
            host,
            port,
        })
    }
}

fn replace_database(url: &str) -> String {
    let server = url.rsplit_once('/').map_or(url, |(server, _)| server);
    format!("{server}/bench")
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let private = matches!(entry.file_name().to_str(), Some(".env" | "data"));
        if entry.path().is_dir() && !private {
            copy(&entry.path(), &target)?;
        } else if !private {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
