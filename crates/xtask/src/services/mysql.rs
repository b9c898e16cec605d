//! A private MySQL. Debian stable has none, so the server of Debian unstable is unpacked into a
//! folder of its own, once, and runs from there.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::process::{Server, free_port, fresh_password, spawn, wait_until};
use crate::command::{find_program, is_root, output, run, target};
use crate::packages;

/// The user that the server runs as; it exists nowhere else.
const SERVER_USER: u32 = 27_001;

/// Where the unpacked system stands; kept between runs.
fn system() -> PathBuf {
    target().join("mysql-system")
}

/// Starts one, with a user `pilaster_test` that may do everything.
pub(crate) fn start(_folder: &Path) -> Result<Server> {
    unpack()?;
    let name = format!("run-{}", std::process::id());
    let home = system().join("srv").join(&name);
    fs::create_dir_all(&home)?;
    chown(&home, Some(SERVER_USER), Some(SERVER_USER))?;
    let password = fresh_password()?;
    fs::write(
        home.join("init.sql"),
        format!(
            "create user pilaster_test@'%' identified by '{password}';\n\
             grant all on *.* to pilaster_test@'%' with grant option;\n"
        ),
    )?;
    let data = format!("--datadir=/srv/{name}/data");
    output(inside().args([
        "/usr/sbin/mysqld",
        "--no-defaults",
        "--initialize-insecure",
        &data,
    ]))?;
    let port = free_port()?;
    let log = system().join("srv").join(format!("{name}.log"));
    let mut child = spawn(
        inside()
            .args(["/usr/sbin/mysqld", "--no-defaults", &data])
            .args([
                "--bind-address=127.0.0.1",
                &format!("--port={port}"),
                "--mysqlx=OFF",
            ])
            .args([
                format!("--socket=/srv/{name}/socket"),
                format!("--pid-file=/srv/{name}/pid"),
            ])
            .arg(format!("--init-file=/srv/{name}/init.sql"))
            .args([
                "--secure-file-priv=NULL",
                "--skip-log-bin",
                "--max-connections=300",
            ]),
        &log,
    )?;
    let socket = home.join("socket");
    wait_until("MySQL", &mut child, &log, || {
        socket.exists() && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })?;
    let url = format!("mysql://pilaster_test:{password}@127.0.0.1:{port}/mysql");
    Ok(Server::started("TEST_MYSQL_URL", url, child))
}

/// A command inside the unpacked system, as the server's user, that dies with us.
fn inside() -> Command {
    let mut command = Command::new("chroot");
    let user = SERVER_USER.to_string();
    command.arg(system()).args([
        "setpriv",
        "--reuid",
        &user,
        "--regid",
        &user,
        "--clear-groups",
    ]);
    command.args(["--pdeathsig", "TERM"]);
    command
}

fn unpack() -> Result<()> {
    let system = system();
    let complete = system.join("usr/sbin/mysqld");
    remove_leftovers(&system.join("srv"));
    if complete.is_file() {
        return Ok(());
    }
    if !is_root() {
        bail!(
            "MySQL is not in Debian stable, and unpacking its server needs root; \
             run as root or name a server in TEST_MYSQL_URL"
        );
    }
    if find_program(&["debootstrap"], &[PathBuf::from("/usr/sbin")]).is_none() {
        packages::install(&["debootstrap"])?;
    }
    let partial = system.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    run(Command::new("debootstrap")
        .args([
            "--variant=minbase",
            "--extractor=dpkg-deb",
            "--include=mysql-server-core",
            "sid",
        ])
        .arg(&partial))?;
    let _ = fs::remove_dir_all(&system);
    fs::rename(&partial, &system)?;
    Ok(())
}

/// Removes the data of runs whose process is gone; another run may be going on beside us.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.trim_start_matches("run-").trim_end_matches(".log");
        if !Path::new("/proc").join(process).exists() {
            // What cannot be removed goes with `cargo clean`.
            let _ = fs::remove_dir_all(entry.path());
            let _ = fs::remove_file(entry.path());
        }
    }
}
