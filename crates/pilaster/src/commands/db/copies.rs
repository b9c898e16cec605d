//! `db dump`, `db load`, `db move`, `backup`, `restore`: rows that leave and come.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use schema::{Digest, Loss, Table, Transfer};
use sql::{DatabaseUrl, Db, Row};
use stdx::Clock;

use super::rows::{self, Catalogs, failed};
use crate::commands::confirm::confirm;
use crate::config::{Configuration, database_url};
use crate::failure::{Failure, Outcome};
use crate::native::Native;
use crate::progress::Bar;
use crate::project::{Files, connect_at, connect_to_migrate, migrate};

/// A database to read from while others write: a server's own, a copy of a file.
struct Still {
    db: Db,
    copy: Option<PathBuf>,
}

impl Still {
    async fn open(configuration: &Configuration) -> Outcome<Self> {
        let url = database_url(configuration)?;
        let Some(path) = url.sqlite_path() else {
            let db = connect_to_migrate(configuration).await?;
            return Ok(Self { db, copy: None });
        };
        let copy = path.with_extension(format!("copy-{}", std::process::id()));
        let db = connect_to_migrate(configuration).await?;
        db.snapshot(&copy)
            .await
            .map_err(|error| failed(&db, &error))?;
        let url = DatabaseUrl::parse(&format!("sqlite:{}", copy.display()), Path::new(""));
        let url = url.map_err(|error| Failure::failed(error.to_string()))?;
        let db = connect_at(configuration, &url).await?;
        let copy = Some(copy);
        Ok(Self { db, copy })
    }

    async fn close(self) -> Outcome {
        self.db
            .close()
            .await
            .map_err(|error| failed(&self.db, &error))?;
        drop(self.db);
        let Some(copy) = self.copy else { return Ok(()) };
        for ending in ["", "-wal", "-shm"] {
            let mut name = copy.clone().into_os_string();
            name.push(ending);
            match std::fs::remove_file(&name) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::failed(format!("{}: {error}", copy.display()))),
            }
        }
        Ok(())
    }
}

fn files_of(configuration: &Configuration) -> Outcome<Files> {
    Files::read(&configuration.folder)
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    move |error| Failure::failed(format!("{}: {error}", path.display()))
}

/// Writes a dump beside the file, and puts it in its place when it is whole.
async fn dump_to(configuration: &Configuration, path: &Path) -> Outcome<u64> {
    let beside = path.with_extension("part");
    let file = private(&beside).map_err(io(&beside))?;
    let mut out = BufWriter::new(file);
    let files = files_of(configuration)?;
    let still = Still::open(configuration).await?;
    let dumped = rows::dump(&still.db, &files, &mut out).await;
    still.close().await?;
    let rows = dumped?;
    let file = out
        .into_inner()
        .map_err(|error| io(&beside)(error.into_error()))?;
    file.sync_all().map_err(io(&beside))?;
    std::fs::rename(&beside, path).map_err(io(path))?;
    Ok(rows)
}

/// A new file that only its owner reads: it holds everything there is.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(super) async fn dump(configuration: &Configuration, path: Option<&Path>) -> Outcome {
    if let Some(path) = path {
        let rows = dump_to(configuration, path).await?;
        eprintln!("wrote {rows} row(s) to {}", path.display());
        return Ok(());
    }
    let still = Still::open(configuration).await?;
    let mut out = BufWriter::new(std::io::stdout());
    let dumped = rows::dump(&still.db, &files_of(configuration)?, &mut out).await;
    still.close().await?;
    dumped?;
    out.flush()
        .map_err(|error| Failure::failed(error.to_string()))
}

pub(super) async fn load(configuration: &Configuration, path: &Path) -> Outcome {
    let files = files_of(configuration)?;
    let db = connect_to_migrate(configuration).await?;
    let native = Native::of(configuration)?;
    migrate(&db, &files, None, Loss::Refused, Some(&native)).await?;
    let file = File::open(path).map_err(io(path))?;
    let rows = rows::load(&db, &files, &mut BufReader::new(file)).await?;
    println!("loaded {rows} row(s)");
    Ok(())
}

/// `backup`: a dump named by target and moment, of which so many are kept.
pub(crate) async fn backup(configuration: &Configuration, folder: &Path, keep: usize) -> Outcome {
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let prefix = format!("{}-", configuration.target);
    let now = Clock::System.now().strftime("%Y%m%dT%H%M%S%3fZ");
    let path = folder.join(format!("{prefix}{now}.jsonl"));
    let rows = dump_to(configuration, &path).await?;
    println!("wrote {rows} row(s) to {}", path.display());
    println!("it is worth nothing without SECRET_KEY, which stays in .env: keep that elsewhere");
    let mut kept: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(io(folder))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&prefix) && name.ends_with("Z.jsonl")
        })
        .collect();
    kept.sort();
    for old in kept.iter().take(kept.len().saturating_sub(keep.max(1))) {
        std::fs::remove_file(old).map_err(io(old))?;
        println!("removed {}", old.display());
    }
    Ok(())
}

/// `restore`: what is there is kept beside, then replaced.
pub(crate) async fn restore(
    configuration: &Configuration,
    path: &Path,
    confirmed: Option<&str>,
) -> Outcome {
    let files = files_of(configuration)?;
    let url = database_url(configuration)?;
    confirm("replace everything in", &url.database_name(), confirmed)?;
    // Nothing goes before it is sure that something comes.
    let file = File::open(path).map_err(io(path))?;
    rows::verify(&files, &mut BufReader::new(file))?;
    let file = File::open(path).map_err(io(path))?;
    let db = connect_to_migrate(configuration).await?;
    let native = Native::of(configuration)?;
    migrate(&db, &files, None, Loss::Refused, Some(&native)).await?;
    // A name of its own each time: a second attempt must not replace what the first one kept.
    let now = Clock::System.now().strftime("%Y%m%dT%H%M%S%3fZ");
    let before = path.with_extension(format!("before-restore-{now}.jsonl"));
    let rows = dump_to(configuration, &before).await?;
    println!("what was there, {rows} row(s), is in {}", before.display());
    let catalogs = Catalogs::of(&files)?;
    rows::write(&db, rows::clear(&db, &catalogs.transfers())).await?;
    let rows = rows::load(&db, &files, &mut BufReader::new(file)).await?;
    println!("restored {rows} row(s)");
    Ok(())
}

/// `db move`: goes on where an earlier run was cut off, and ends with a comparison.
pub(super) async fn move_to(configuration: &Configuration, to: &str) -> Outcome {
    let files = files_of(configuration)?;
    let url = DatabaseUrl::parse(to, &configuration.folder)
        .map_err(|error| Failure::usage(format!("--to: {error}")))?;
    let still = Still::open(configuration).await?;
    let target = connect_at(configuration, &url).await?;
    // The rules of that database are put into force by whoever serves from it.
    migrate(&target, &files, None, Loss::Refused, None).await?;
    crate::project::require_current(&still.db, &files).await?;
    let catalogs = Catalogs::of(&files)?;
    let moved = move_all(&still.db, &target, &catalogs).await;
    still.close().await?;
    let rows = moved?;
    println!(
        "moved {rows} row(s) to {}; every table is the same on both sides",
        target.description()
    );
    Ok(())
}

async fn move_all(from: &Db, to: &Db, catalogs: &Catalogs) -> Outcome<u64> {
    let mut tx = Transfer::begin(from)
        .await
        .map_err(|error| failed(from, &error))?;
    let mut bar = Bar::new();
    let mut total = 0;
    let transfers = catalogs.transfers();
    for transfer in &transfers {
        for (place, table) in transfer.tables().iter().enumerate() {
            bar.step("move", place, transfer.tables().len(), table.name.as_str());
            total += move_table(from, &mut tx, to, transfer, table).await?;
        }
    }
    // Second, because a row may point to one that came after it.
    for transfer in &transfers {
        for table in transfer.tables() {
            if !transfer.late_columns(table).is_empty() {
                point(from, &mut tx, to, transfer, table).await?;
            }
        }
    }
    for table in transfers.iter().flat_map(Transfer::tables) {
        rows::write(to, Transfer::numbering(to.dialect(), table)).await?;
        let here = digest(from, &mut tx, table).await?;
        let mut there = Transfer::begin(to)
            .await
            .map_err(|error| failed(to, &error))?;
        let same = digest(to, &mut there, table).await? == here;
        there.rollback().await.map_err(|error| failed(to, &error))?;
        if !same {
            return Err(
                Failure::failed(format!("{} is not the same on both sides", table.name))
                    .fix("something else writes there; take an empty database and move again"),
            );
        }
    }
    tx.rollback().await.map_err(|error| failed(from, &error))?;
    Ok(total)
}

async fn move_table(
    from: &Db,
    tx: &mut sql::Tx,
    to: &Db,
    transfer: &Transfer<'_>,
    table: &Table,
) -> Outcome<u64> {
    // Rows go in the order of their key, so those that are there are the first ones.
    let mut there = rows::count(to, table).await?;
    if there > 0 && table.primary_key.is_none() {
        // Without a key nothing says which rows are there; all of them, or it is not ours to mend.
        return match rows::count(from, table).await? == there {
            true => Ok(there),
            false => Err(Failure::failed(format!(
                "{} has no primary key, and some of its rows are there already",
                table.name
            ))
            .fix("take an empty database")),
        };
    }
    let mut last: Option<Row> = None;
    let mut moved = there;
    loop {
        let page = Transfer::page(tx, from.dialect(), table, last.as_ref(), there).await;
        let page = page.map_err(|error| failed(from, &error))?;
        there = 0;
        moved += u64::try_from(page.len()).unwrap_or(0);
        rows::write(to, transfer.insert(to.dialect(), table, &page)).await?;
        if Transfer::is_last(table, &page) {
            return Ok(moved);
        }
        last = page.into_iter().next_back();
    }
}

async fn point(
    from: &Db,
    tx: &mut sql::Tx,
    to: &Db,
    transfer: &Transfer<'_>,
    table: &Table,
) -> Outcome {
    let mut last: Option<Row> = None;
    loop {
        let page = Transfer::page(tx, from.dialect(), table, last.as_ref(), 0).await;
        let page = page.map_err(|error| failed(from, &error))?;
        rows::write(to, transfer.late(to.dialect(), table, &page)).await?;
        if Transfer::is_last(table, &page) {
            return Ok(());
        }
        last = page.into_iter().next_back();
    }
}

async fn digest(db: &Db, tx: &mut sql::Tx, table: &Table) -> Outcome<Digest> {
    let mut digest = Digest::default();
    let mut last: Option<Row> = None;
    loop {
        let page = Transfer::page(tx, db.dialect(), table, last.as_ref(), 0).await;
        let page = page.map_err(|error| failed(db, &error))?;
        page.iter().for_each(|row| digest.add(row));
        if Transfer::is_last(table, &page) {
            return Ok(digest);
        }
        last = page.into_iter().next_back();
    }
}
