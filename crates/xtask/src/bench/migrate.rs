//! Changing a large table: how long it takes, that memory does not grow with the rows, and that
//! somebody at a terminal sees that something goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Programs;
use crate::command::{output, target};
use crate::packages;
use crate::services::Services;

const ENGINES: [&str; 4] = ["sqlite", "postgres", "mariadb", "mysql"];

/// The rows whose memory the large table's is compared with.
const FEW: u64 = 1_000;
/// The rows of a large table where `--rows` does not say otherwise.
const MANY: u64 = 1_000_000;

/// What a table may take more for its rows: half as much again and this, in KiB.
const ALLOWANCE: u64 = 16 * 1024;

const BEFORE: &str = "\
create table things (id integer primary key, amount integer, name varchar(40) not null);
";

/// A new type, NOT NULL with a default, a CHECK, a new column, an index.
const AFTER: &str = "\
create table things (id integer primary key, amount bigint not null default 0 check (amount >= 0),
  name varchar(80) not null, seen boolean not null default false);
create index things_name on things (name, id);
";

/// What one run took.
struct Figures {
    time: Duration,
    /// The most memory, in KiB.
    peak: u64,
    /// Whether the terminal showed the migration's bar.
    bar: bool,
}

/// `bench --migrate`: every engine, or the one that `--engine` names; `--rows N` for another size.
pub(super) fn run(arguments: &[String]) -> Result<()> {
    let word = |name: &str| {
        let place = arguments.iter().position(|word| word == name)?;
        Some(arguments.get(place + 1).map_or("", String::as_str))
    };
    let many = match word("--rows") {
        Some(number) => number.parse().context("--rows needs a number")?,
        None => MANY,
    };
    let engines = ENGINES.into_iter();
    let wanted: Vec<&'static str> = match word("--engine") {
        Some(engine) => engines.filter(|known| *known == engine).collect(),
        None => engines.collect(),
    };
    if wanted.is_empty() {
        bail!("--engine takes one of {}", ENGINES.join(", "));
    }
    packages::install_for_tests()?;
    let program = Programs::build_pilaster()?;
    let services = Services::start()?;
    println!("\n`migrate up` of a new type, a NOT NULL, a CHECK, a column and an index");
    println!(
        "  {:<10}{:>10}{:>9}{:>13}  bar",
        "", "rows", "seconds", "peak memory"
    );
    let mut failures = Vec::new();
    for engine in wanted {
        let measured = || Project::create(&program, engine, &services)?.measure(many);
        let found = measured().with_context(|| format!("benchmark on {engine}"))?;
        failures.extend(found.into_iter().map(|what| format!("{engine}: {what}")));
    }
    if failures.is_empty() {
        return Ok(());
    }
    bail!("{}", failures.join("; "))
}

/// A project on one engine.
struct Project<'a> {
    program: &'a Path,
    engine: &'static str,
    folder: PathBuf,
    server: String,
}

impl<'a> Project<'a> {
    fn create(program: &'a Path, engine: &'static str, services: &Services) -> Result<Self> {
        let server = match engine {
            "sqlite" => String::new(),
            _ => {
                let variable = format!("TEST_{}_URL", engine.to_uppercase());
                let url = services.url(&variable);
                let url = url.with_context(|| format!("{variable} is not up"))?;
                let server = url.rsplit_once('/').map_or(url, |(server, _)| server);
                server.to_owned()
            }
        };
        let folder = target().join("bench").join(format!("migrate-{engine}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("schema"))?;
        fs::write(folder.join("pilaster.toml"), "")?;
        Ok(Self {
            program,
            engine,
            folder,
            server,
        })
    }

    /// Prints a line for few rows and one for many; gives what is wrong with them.
    fn measure(&self, many: u64) -> Result<Vec<String>> {
        let few = self.change(FEW)?;
        let many = self.change(many)?;
        let mut failures = Vec::new();
        let most = few.peak + few.peak / 2 + ALLOWANCE;
        if many.peak > most {
            let peak = many.peak;
            failures.push(format!("{peak} KiB of memory, more than {most} KiB"));
        }
        if !many.bar {
            failures.push(String::from("no progress bar was seen"));
        }
        Ok(failures)
    }

    /// A table of so many rows is made, filled and changed.
    fn change(&self, rows: u64) -> Result<Figures> {
        let database = format!("bench_migrate_{rows}_{}", std::process::id());
        let url = match self.engine {
            "sqlite" => format!("sqlite:data/{database}.db"),
            _ => format!("{}/{database}", self.server),
        };
        let _ = fs::remove_dir_all(self.folder.join("migrations"));
        self.pilaster(&url, &["db", "create"])?;
        self.write("schema/things.sql", BEFORE)?;
        self.pilaster(&url, &["migrate", "new", "things"])?;
        self.pilaster(&url, &["migrate", "new", "--empty", "fill"])?;
        let blank = fs::read_to_string(self.folder.join("migrations/0002_fill.sql"))?;
        let filled = blank.replace("-- @down\n", &format!("{}-- @down\n", fill(rows)));
        self.write("migrations/0002_fill.sql", &filled)?;
        self.pilaster(&url, &["migrate", "up"])?;
        self.write("schema/things.sql", AFTER)?;
        self.pilaster(&url, &["migrate", "new", "change"])?;
        let figures = self.watch(&url)?;
        self.pilaster(&url, &["db", "drop", "--confirm", &database])?;
        println!(
            "  {:<10}{rows:>10}{:>9.1}{:>9} MiB  {}",
            self.engine,
            figures.time.as_secs_f64(),
            figures.peak / 1024,
            if figures.bar { "yes" } else { "no" },
        );
        Ok(figures)
    }

    /// `migrate up` at a terminal of its own.
    fn watch(&self, url: &str) -> Result<Figures> {
        let (number, terminal) = (self.folder.join("process"), self.folder.join("terminal"));
        let _ = fs::remove_file(&number);
        // The program takes the place of the shell and has its number.
        let line = format!(
            "stty cols 120 rows 40; echo $$ > '{}'; exec '{}' migrate up",
            number.display(),
            self.program.display()
        );
        let began = Instant::now();
        let mut child = self
            .command(Path::new("script"), url)
            .args(["--quiet", "--return", "--flush", "--command", &line])
            .arg(&terminal)
            .env("TERM", "xterm")
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start script (Debian's bsdutils)")?;
        let mut peak = 0;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            // Between the last look and the end it cannot be asked; it only frees by then.
            peak = peak.max(peak_kib(&number).unwrap_or(0));
            std::thread::sleep(Duration::from_millis(2));
        };
        let time = began.elapsed();
        let shown = fs::read_to_string(&terminal)?;
        if !status.success() {
            bail!("migrate up ended with {status}: {shown}");
        }
        Ok(Figures {
            time,
            peak,
            bar: shown.contains("0003_change ["),
        })
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(path), text).with_context(|| format!("cannot write {path}"))
    }

    fn pilaster(&self, url: &str, words: &[&str]) -> Result<String> {
        output(self.command(self.program, url).args(words))
    }

    fn command(&self, program: &Path, url: &str) -> Command {
        let mut command = Command::new("env");
        command
            .arg("--chdir")
            .arg(&self.folder)
            .arg(program)
            .env("DATABASE_URL", url)
            .stdin(Stdio::null());
        command
    }
}

/// The most memory of a process that is still there.
fn peak_kib(number: &Path) -> Option<u64> {
    let number = fs::read_to_string(number).ok()?;
    let folder = Path::new("/proc").join(number.trim());
    // Before it is the program it is the shell.
    if fs::read_to_string(folder.join("comm")).ok()?.trim() != "pilaster" {
        return None;
    }
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// So many rows, in each engine's own language.
fn fill(rows: u64) -> String {
    let numbers = format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {rows})"
    );
    let deep = format!("/*+ set_var(cte_max_recursion_depth = {rows}) */");
    format!(
        "-- @engine sqlite\n\
         insert into things {numbers} select i, i % 100, 'thing ' || i from n;\n\
         -- @engine postgres\n\
         insert into things select i, i % 100, 'thing ' || i from generate_series(1, {rows}) as i;\n\
         -- @engine mariadb\n\
         insert into things select seq, seq % 100, concat('thing ', seq) from seq_1_to_{rows};\n\
         -- @engine mysql\n\
         insert {deep} into things {numbers} select i, i % 100, concat('thing ', i) from n;\n\
         -- @engine all\n"
    )
}
