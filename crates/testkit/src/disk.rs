//! A disk of a few megabytes, for filling it up.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the process that runs in a namespace of its own.
const INSIDE: &str = "PILASTER_TEST_OWN_NAMESPACE";

/// A file system of its own in a folder, gone when dropped.
pub struct SmallDisk {
    at: PathBuf,
}

/// Runs the test of this name again in a namespace of its own, where anybody may mount and
/// nothing that is mounted outlives it; `true` is the answer inside of it.
///
/// # Panics
/// When the test fails in there, or when there are no namespaces.
#[must_use]
pub fn in_own_namespace(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let program = std::env::current_exe().expect("a test has a file");
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let mut command = Command::new("unshare");
    command.arg("--mount");
    command.args((!is_root).then_some("--map-root-user"));
    command.arg(program).args(["--exact", test, "--nocapture"]);
    let output = command.env(INSIDE, "1").output();
    let output = output.expect("util-linux has unshare");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{test}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// Runs a program that has to succeed.
pub(crate) fn must(command: &mut Command) {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?} (mounting needs a namespace of its own, or root): {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl SmallDisk {
    /// Mounts one at a folder, which is made.
    ///
    /// # Panics
    /// When this process may not.
    #[must_use]
    pub fn mount(at: &Path, mebibytes: u32, (user, group): (u32, u32)) -> Self {
        fs::create_dir_all(at).expect("folders can be made");
        let options = format!("size={mebibytes}m,mode=0700,uid={user},gid={group}");
        must(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", &options, "none"])
                .arg(at),
        );
        Self { at: at.to_owned() }
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }

    /// Fills it, so that so many bytes are left.
    pub fn fill(&self, leave: u64) {
        let mut file = fs::File::create(self.filler()).expect("a file can be made");
        let zeros = vec![0; 1 << 16];
        while std::io::Write::write_all(&mut file, &zeros).is_ok() {}
        let length = file.metadata().expect("a file has a length").len();
        let shorter = file.set_len(length.saturating_sub(leave));
        shorter.expect("a file can be cut");
    }

    /// Makes room again.
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("the filler is there");
    }

    /// Lets nobody write from now on.
    pub fn make_read_only(&self) {
        must(
            Command::new("mount")
                .args(["-o", "remount,ro"])
                .arg(&self.at),
        );
    }
}

/// A file or a folder that is seen in the place of another one; gone when dropped.
pub struct Over {
    at: PathBuf,
}

/// Lets `what` be seen at `at`, to be read alone or not.
///
/// # Panics
/// When this process may not.
#[must_use]
pub fn mount_over(what: &Path, at: &Path, read_only: bool) -> Over {
    must(Command::new("mount").arg("--bind").arg(what).arg(at));
    let over = Over { at: at.to_owned() };
    if read_only {
        must(
            Command::new("mount")
                .args(["-o", "remount,bind,ro"])
                .arg(at),
        );
    }
    over
}

impl Drop for Over {
    fn drop(&mut self) {
        // What is still open there goes with its process.
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still open there goes with its process.
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}
