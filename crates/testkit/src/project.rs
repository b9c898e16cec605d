//! A user's project in a temporary folder.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A key that is as good as a generated one and the same in every test.
pub const SECRET_KEY: &str = "b3f1c6d27a9e4450861fd7c2e05b9a4d13786ef0c5a24b9d8e6710f3ac52d94b";

/// A folder of SQL, gone when dropped.
pub struct Project {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Project {
    /// A folder with nothing in it but an empty `pilaster.toml`.
    #[must_use]
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let project = Self {
            folder,
            environment: Vec::new(),
        };
        project.write("pilaster.toml", "");
        let project = project
            .with("SECRET_KEY", SECRET_KEY)
            .with("DATABASE_URL", "sqlite:data/test.db");
        // Every test can be asked to run with PostgreSQL's own policies beside ours.
        match std::env::var_os("PILASTER_TEST_NATIVE_RLS") {
            Some(wanted) => project.with("PILASTER_DATABASE_NATIVE_RLS", &wanted.to_string_lossy()),
            None => project,
        }
    }

    /// A copy of `examples/cruddur`.
    #[must_use]
    pub fn cruddur() -> Self {
        let project = Self::empty();
        copy(&workspace().join("examples/cruddur"), project.path());
        project
    }

    /// The same project with one more environment variable for every command.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same project with one environment variable less.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// The value of an environment variable, empty where it is not set.
    #[must_use]
    pub fn variable(&self, name: &str) -> String {
        let found = self.environment.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, its folders included.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        let folder = path.parent().expect("a file stands in a folder");
        fs::create_dir_all(folder).expect("folders can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Reads a file.
    #[must_use]
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("the file is there")
    }

    /// The names of a folder's files; empty where there is no such folder.
    #[must_use]
    pub fn read_dir(&self, path: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path().join(path)) else {
            return Vec::new();
        };
        entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// A command of `program` in this project: nothing of the caller's environment but PATH.
    #[must_use]
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs a command at a terminal where somebody types; what it writes to either stream comes
    /// back as `out`.
    ///
    /// # Panics
    /// When there is no pseudo-terminal (`script`, of Debian's bsdutils).
    #[must_use]
    pub fn at_terminal(&self, program: &str, words: &[&str], typed: &str) -> Finished {
        let quoted = |word: &&str| format!("'{}'", word.replace('\'', "'\\''"));
        let line: Vec<String> = std::iter::once(&program).chain(words).map(quoted).collect();
        let mut command = self.command("script", &["-qec", &line.join(" "), "/dev/null"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("script can be started");
        let mut keyboard = child.stdin.take().expect("it is piped");
        keyboard.write_all(typed.as_bytes()).expect("it listens");
        drop(keyboard);
        Finished::from(child.wait_with_output().expect("script ends"))
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run(&self, program: &str, words: &[&str]) -> Finished {
        let output = self
            .command(program, words)
            .output()
            .expect("the program starts");
        Finished::from(output)
    }

    /// Runs a command that must succeed.
    ///
    /// # Panics
    /// When it does not.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers want the success alone"
    )]
    pub fn succeed(&self, program: &str, words: &[&str]) -> Finished {
        let finished = self.run(program, words);
        assert_eq!(finished.code, 0, "{words:?} failed:\n{}", finished.text());
        finished
    }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Finished {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Finished {
    /// Both outputs.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The checkout.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/testkit stands two levels below the root")
        .to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folders can be made");
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("an entry can be read");
        let target = to.join(entry.file_name());
        let private = matches!(entry.file_name().to_str(), Some(".env" | "data"));
        if entry.path().is_dir() && !private {
            copy(&entry.path(), &target);
        } else if !private {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}
