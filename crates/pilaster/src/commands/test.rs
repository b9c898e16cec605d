//! `test`: the project's request and rule tests, each file against a database of its own.

mod database;
mod file;
mod rules;
mod run;

use std::path::{Path, PathBuf};

use schema::Loss;
use server::{App, InProcess, MasterKey};
use sql::Db;
use stdx::Rng;

use self::database::Temporary;
use self::file::RequestFile;
use self::rules::RulesFile;
use super::db::seed_into;
use crate::config::{Configuration, api_options, settings};
use crate::failure::{Failure, Outcome};
use crate::project::{Files, migrate, prepare, require_current};

/// A file of `tests/`.
enum TestFile {
    /// `*.http`
    Requests(RequestFile),
    /// `*.rules`
    Rules(RulesFile),
}

pub(super) async fn run(configuration: &Configuration, engine: &str, given: &[PathBuf]) -> Outcome {
    let tests = read_tests(&configuration.folder, given)?;
    let files = Files::read(&configuration.folder)?;
    let (mut passed, mut failed) = (0, 0);
    for test in &tests {
        let database = Temporary::create(configuration, engine).await?;
        // Whatever happens in between, the database goes.
        let outcome = tokio::select! {
            outcome = one(configuration, &files, &database, test) => outcome,
            _ = tokio::signal::ctrl_c() => Err(Failure::failed("stopped")),
        };
        database.drop().await?;
        let (good, bad) = outcome?;
        passed += good;
        failed += bad;
    }
    println!("{passed} passed, {failed} failed, on {engine}");
    if failed > 0 {
        return Err(Failure::failed(format!("{failed} test(s) ended otherwise")));
    }
    Ok(())
}

/// Runs one file; gives how many requests answered as expected and how many did not.
async fn one(
    configuration: &Configuration,
    files: &Files,
    database: &Temporary,
    test: &TestFile,
) -> Outcome<(usize, usize)> {
    let db = database.connect().await?;
    let counted = serve_and_run(configuration, files, &db, test).await;
    db.close()
        .await
        .map_err(|error| Failure::database(&db.description(), &error))?;
    counted
}

async fn serve_and_run(
    configuration: &Configuration,
    files: &Files,
    db: &Db,
    test: &TestFile,
) -> Outcome<(usize, usize)> {
    // Roles belong to a whole server; a database of a moment leaves none behind.
    migrate(db, files, None, Loss::Allowed, None).await?;
    require_current(db, files).await?;
    seed_into(db, files).await?;
    let compiled = files.compile(db.dialect(), api_options(configuration)?)?;
    prepare(db, &compiled).await?;
    let test = match test {
        TestFile::Rules(test) => return Ok(rules::all(&compiled.api, db, test).await),
        TestFile::Requests(test) => test,
    };
    let master = MasterKey::generate(&Rng::System);
    let master = MasterKey::parse(master.expose())
        .map_err(|error| Failure::failed(format!("a generated key: {error}")))?;
    let settings = settings(configuration, 0, true)?;
    let app = App::new(db.clone(), &master, settings, compiled.api, compiled.hooks)
        .await
        .map_err(|error| Failure::failed(error.to_string()))?;
    Ok(run::all(&InProcess::new(app), test).await)
}

fn read_tests(folder: &Path, given: &[PathBuf]) -> Outcome<Vec<TestFile>> {
    let mut paths = Vec::new();
    for path in given {
        if path.is_dir() {
            collect(path, &mut paths)?;
        } else {
            paths.push(path.clone());
        }
    }
    if given.is_empty() {
        collect(&folder.join("tests"), &mut paths)?;
    }
    if paths.is_empty() {
        return Err(Failure::failed("there are no tests/*.http and no tests/*.rules").fix(
            "write tests/first.http:\n\n### anybody reads the list\n# @expect 200\nGET /api/items",
        ));
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::config(format!("{}: {error}", path.display())))?;
        let name = path
            .strip_prefix(folder)
            .unwrap_or(path)
            .display()
            .to_string();
        let parsed = match path
            .extension()
            .is_some_and(|extension| extension == "rules")
        {
            true => RulesFile::parse(&name, &text).map(TestFile::Rules),
            false => RequestFile::parse(&name, &text).map(TestFile::Requests),
        };
        parsed.map_err(Failure::config)
    };
    paths.iter().map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Outcome {
    if !folder.is_dir() {
        return Ok(());
    }
    let failed = |error: std::io::Error| Failure::config(format!("{}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "http" || extension == "rules")
        {
            paths.push(path);
        }
    }
    Ok(())
}
