//! A real mail server (aiosmtpd), with a certificate of its own and a login.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The authority that stands behind the server's certificate.
pub(super) const AUTHORITY: &str = include_str!("../hooks/tls/ca.pem");

/// The program, and a folder that it writes what it gets into.
pub(super) struct MailServer {
    python: String,
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it")
        .join(path)
}

impl MailServer {
    /// A port for it, where nobody listens yet; `None` without Python.
    pub(super) fn reserve() -> Option<Self> {
        let python = testkit::tool("TEST_PYTHON")?;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        Some(Self {
            python,
            folder: tempfile::tempdir().expect("a folder can be made"),
            port: listener.local_addr().expect("it has an address").port(),
            child: None,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Listens, in that mode, for who logs in as `films@example.org` with `p@ss:word`.
    pub(super) fn start(&mut self, mode: &str) {
        self.stop();
        let child = Command::new(&self.python)
            .arg(here("mail/server.py"))
            .arg(self.port.to_string())
            .arg(self.folder.path())
            .arg(here("hooks/tls/leaf.pem"))
            .arg(here("hooks/tls/leaf.key"))
            .args([mode, "films@example.org", "p@ss:word"])
            .stdin(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("Python starts");
        self.child = Some(child);
        let ready = self.folder.path().join("ready");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !ready.exists() {
            assert!(Instant::now() < deadline, "the mail server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::remove_file(ready).expect("it is there");
    }

    pub(super) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What it got, in order.
    pub(super) fn mails(&self) -> Vec<Value> {
        let entries = std::fs::read_dir(self.folder.path()).expect("it is there");
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        paths.sort();
        let read = |path: &PathBuf| std::fs::read_to_string(path).expect("it can be read");
        let parse = |path| serde_json::from_str(&read(path)).expect("it is JSON");
        paths.iter().map(parse).collect()
    }

    /// What it got, as soon as it is so many.
    pub(super) async fn until(&self, count: usize, log: impl Fn() -> String) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mails = self.mails();
            if mails.len() >= count {
                assert_eq!(mails.len(), count, "{mails:?}");
                return mails;
            }
            assert!(
                Instant::now() < deadline,
                "{} mails\n{}",
                mails.len(),
                log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
    }
}
