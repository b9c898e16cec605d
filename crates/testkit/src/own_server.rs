//! A server that belongs to one test, which may break it: its disk fills up.
//!
//! Programs and users are those of the server that the other tests share, found by its port.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::disk::{SmallDisk, must};
use crate::{is_enabled, on_server};

/// Name and password of the login that may do everything.
const LOGIN: &str = "own:own";

/// A server with one database on a small disk; both are gone when dropped.
pub struct OwnServer {
    child: Child,
    home: PathBuf,
    url: String,
    disk: Option<SmallDisk>,
}

/// A server's programs, and the user that it runs as.
struct Programs {
    /// Where its system begins: `/`, or the folder that it is shut into.
    root: PathBuf,
    /// The server, as seen from there.
    server: PathBuf,
    owner: (u32, u32),
}

impl OwnServer {
    /// A fresh one with a database on a disk of this size; `None` where the engine was not asked
    /// for.
    ///
    /// # Panics
    /// When this process is not root on the machine of the shared server.
    pub async fn create(engine: &str, mebibytes: u32) -> Option<Self> {
        if !is_enabled(engine) {
            return None;
        }
        let variable = format!("TEST_{}_URL", engine.to_uppercase());
        let shared = std::env::var_os(&variable).unwrap_or_default();
        let programs = Programs::of(&shared.to_string_lossy());
        let own = Self::start(engine, &programs).await;
        let admin = own.url.clone();
        match engine {
            "postgres" => {
                let at = own.home.join("disk");
                let disk = SmallDisk::mount(&at, mebibytes, programs.owner);
                let inside = programs.folder(&at.join("tablespace"));
                let location = inside.display();
                on_server(
                    &admin,
                    &format!("create tablespace small location '{location}'"),
                )
                .await;
                on_server(&admin, "create database cramped tablespace small").await;
                Some(own.with(disk, "cramped"))
            }
            _ => {
                on_server(&admin, "create database cramped").await;
                let folder = own.home.join("data/cramped");
                let kept = fs::read(folder.join("db.opt")).ok();
                let disk = SmallDisk::mount(&folder, mebibytes, programs.owner);
                if let Some(text) = kept {
                    fs::write(folder.join("db.opt"), text).expect("a file can be written");
                }
                Some(own.with(disk, "cramped"))
            }
        }
    }

    fn with(mut self, disk: SmallDisk, database: &str) -> Self {
        let (server, _) = self.url.rsplit_once('/').expect("an address has a name");
        self.url = format!("{server}/{database}");
        self.disk = Some(disk);
        self
    }

    async fn start(engine: &str, programs: &Programs) -> Self {
        let (inside, home) = programs.home();
        let port = free_port();
        let (user, password) = LOGIN.split_once(':').expect("two words");
        let init = format!(
            "create user {user}@'%' identified by '{password}';\n\
             grant all on *.* to {user}@'%' with grant option;\n"
        );
        fs::write(home.join("init.sql"), init).expect("a file can be written");
        fs::write(home.join("password"), password).expect("a file can be written");
        let (mut install, mut start) = match engine {
            "postgres" => programs.postgres(&inside, user, &port),
            "mysql" => {
                let mut install = programs.command(&programs.server);
                install.args(["--no-defaults", "--initialize-insecure"]);
                let mut start = programs.command(&programs.server);
                start.args(["--no-defaults", "--mysqlx=OFF", "--secure-file-priv=NULL"]);
                of_mysql(install, start, &inside, &port)
            }
            _ => {
                let mut install = programs.command(Path::new("mariadb-install-db"));
                install.args(["--no-defaults", "--skip-test-db"]);
                let mut start = programs.command(&programs.server);
                start.arg("--no-defaults");
                of_mysql(install, start, &inside, &port)
            }
        };
        must(&mut install);
        let log = fs::File::create(home.join("log")).expect("a log can be written");
        start.stdout(Stdio::null()).stderr(Stdio::from(log));
        let child = start.spawn().expect("the server starts");
        let name = match engine {
            "postgres" => "postgres",
            _ => "mysql",
        };
        let mut own = Self {
            child,
            url: format!("{engine}://{LOGIN}@127.0.0.1:{port}/{name}"),
            home,
            disk: None,
        };
        own.until_ready(&port).await;
        own
    }

    async fn until_ready(&mut self, port: &str) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
            let ended = self.child.try_wait().expect("a child can be asked");
            let log = fs::read_to_string(self.home.join("log")).unwrap_or_default();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "no server on {port} ({ended:?}): {log}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The address of the database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The disk of the database.
    ///
    /// # Panics
    /// Never: it is there until it is dropped.
    #[must_use]
    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("a server that is made has one")
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.disk = None;
        // What cannot be removed is in a temporary folder.
        let _ = fs::remove_dir_all(&self.home);
    }
}

impl Programs {
    /// Those of the server that listens on the port of an address.
    fn of(url: &str) -> Self {
        let (_, place) = url.rsplit_once('@').expect("an address has a login");
        let (server, _) = place.split_once('/').expect("an address has a name");
        let (_, port) = server.rsplit_once(':').expect("an address has a port");
        let entries = fs::read_dir("/proc").expect("Linux lists its processes");
        let found = entries
            .flatten()
            .find_map(|entry| Self::read(&entry.path(), port));
        found.unwrap_or_else(|| {
            panic!("no server of port {port} runs on this machine, or we are not root here")
        })
    }

    fn read(process: &Path, port: &str) -> Option<Self> {
        let words = fs::read(process.join("cmdline")).ok()?;
        let words: Vec<String> = words
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let long = format!("--port={port}");
        let is_it = words.contains(&long) || words.windows(2).any(|pair| pair == ["-p", port]);
        let root = fs::read_link(process.join("root")).ok()?;
        let server = fs::read_link(process.join("exe")).ok()?;
        let server = Path::new("/").join(server.strip_prefix(&root).ok()?);
        let owner = fs::metadata(process).ok()?;
        is_it.then(|| Self {
            root,
            server,
            owner: (owner.uid(), owner.gid()),
        })
    }

    /// A new folder that the server's user owns: as the server sees it, and as we do.
    fn home(&self) -> (PathBuf, PathBuf) {
        let folder = match self.root.join("srv").is_dir() && self.root != Path::new("/") {
            true => "/srv",
            false => "/tmp",
        };
        let inside = Path::new(folder).join(format!("run-{}", std::process::id()));
        let home = self.seen(&inside);
        let _ = fs::remove_dir_all(&home);
        self.folder(&home);
        (inside, home)
    }

    fn seen(&self, inside: &Path) -> PathBuf {
        self.root.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Makes a folder and gives it to the server's user.
    fn folder(&self, at: &Path) -> PathBuf {
        fs::create_dir_all(at).expect("folders can be made");
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(at, private).expect("our folder");
        chown(at, Some(self.owner.0), Some(self.owner.1)).expect("root gives files away");
        at.to_owned()
    }

    /// How PostgreSQL is installed and started.
    fn postgres(&self, inside: &Path, user: &str, port: &str) -> (Command, Command) {
        let folder = self.server.parent();
        let folder = folder.expect("a program stands in a folder");
        let data = inside.join("data");
        let mut install = self.command(&folder.join("initdb"));
        install.args(["--auth=scram-sha-256", "--no-sync", "-U", user, "-D"]);
        let password = inside.join("password");
        install
            .arg(&data)
            .arg(format!("--pwfile={}", password.display()));
        let mut start = self.command(&self.server);
        start.args(["-h", "127.0.0.1", "-p", port, "-c"]);
        start.arg(format!("unix_socket_directories={}", inside.display()));
        start.arg("-D").arg(&data);
        (install, start)
    }

    /// A command as the server's user that ends with us.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("chroot");
        let (user, group) = (self.owner.0.to_string(), self.owner.1.to_string());
        command
            .arg(&self.root)
            .args(["setpriv", "--reuid", &user, "--regid", &group]);
        command
            .args(["--clear-groups", "--pdeathsig", "KILL"])
            .arg(program);
        command.stdin(Stdio::null());
        command
    }
}

/// What MariaDB and MySQL are told alike.
fn of_mysql(
    mut install: Command,
    mut start: Command,
    inside: &Path,
    port: &str,
) -> (Command, Command) {
    let data = format!("--datadir={}", inside.join("data").display());
    install.arg(&data);
    start.args(["--skip-log-bin", "--bind-address=127.0.0.1", &data]);
    start.arg(format!("--port={port}"));
    for (name, file) in [
        ("init-file", "init.sql"),
        ("socket", "socket"),
        ("pid-file", "pid"),
    ] {
        start.arg(format!("--{name}={}", inside.join(file).display()));
    }
    (install, start)
}

/// A port nobody listens on now.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    address.port().to_string()
}
