//! Verbs that write files and ask no database.

use std::path::Path;

use schema::{CatalogKind, Migrations, Rewritten};

use super::questions;
use crate::failure::{Failure, Outcome};
use crate::project::Files;

pub(super) fn new(folder: &Path, files: &Files, name: &str, empty: bool) -> Outcome {
    let migrations = files.migrations()?;
    if empty {
        let blank = migrations.blank(name);
        write(folder, &blank.file_name, &blank.text)?;
        println!("wrote migrations/{}", blank.file_name);
        return Ok(());
    }
    let mut wanted = files.catalog()?;
    questions::ask(&migrations, &mut wanted)?;
    let next = migrations.next(&wanted, name, CatalogKind::User);
    let Some(next) = next.map_err(|errors| Failure::files(&errors))? else {
        println!("no changes: migrations/ lead to schema/ already");
        return Ok(());
    };
    write(folder, &next.file_name, &next.text)?;
    println!("wrote migrations/{}", next.file_name);
    for line in &next.summary {
        println!("  {line}");
    }
    if next.destructive {
        println!("  this loses data; look at it before you apply it");
    }
    Ok(())
}

pub(super) fn squash(folder: &Path, files: &Files, to: &str, name: &str) -> Outcome {
    let migrations = files.migrations()?;
    let squashed = migrations.squash(&files.migrations, to, name, CatalogKind::User);
    rewrite(folder, &squashed.map_err(|errors| Failure::files(&errors))?)
}

pub(super) fn merge(folder: &Path, files: &Files, behind: &[String]) -> Outcome {
    let merged = Migrations::merge(&files.migrations, behind, CatalogKind::User);
    rewrite(folder, &merged.map_err(|errors| Failure::files(&errors))?)
}

pub(super) fn tag(folder: &Path, files: &Files, at: &str, tag: &str) -> Outcome {
    let migrations = files.migrations()?;
    let tagged = migrations.tag(&files.migrations, at, tag);
    rewrite(
        folder,
        &tagged.map_err(|errors| Failure::usage(show(&errors)))?,
    )
}

fn show(errors: &[lang::Diagnostic]) -> String {
    let lines: Vec<String> = errors.iter().map(|error| error.message.clone()).collect();
    lines.join("\n")
}

/// New files first, so that nothing is missing when it ends in between.
fn rewrite(folder: &Path, rewritten: &Rewritten) -> Outcome {
    for (name, text) in &rewritten.write {
        write(folder, name, text)?;
    }
    for name in &rewritten.remove {
        let path = folder.join("migrations").join(name);
        let removed = std::fs::remove_file(&path);
        removed.map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    }
    for line in &rewritten.summary {
        println!("{line}");
    }
    Ok(())
}

/// Writes a whole file of migrations/ or nothing of it.
fn write(folder: &Path, name: &str, text: &str) -> Outcome {
    let folder = folder.join("migrations");
    let path = folder.join(name);
    let write = || {
        std::fs::create_dir_all(&folder)?;
        let beside = folder.join(format!(".{name}.new"));
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, &path)
    };
    write().map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}
