//! What every source file must be: headed, short, clean, and silent about other rooms' matters.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Finding;
use crate::command::root;

/// A file longer than this is split.
const MOST_LINES: usize = 600;

/// A text that may stand only in some rooms.
struct Reserved {
    text: &'static str,
    rooms: &'static [&'static str],
    why: &'static str,
}

const RESERVED: &[Reserved] = &[
    Reserved {
        text: "StatusCode",
        rooms: &["server", "testkit", "reference"],
        why: "status codes belong to server",
    },
    Reserved {
        text: "std::env::",
        rooms: &["pilaster", "xtask", "testkit", "reference"],
        why: "only the binary reads the environment",
    },
    Reserved {
        text: "std::fs::",
        rooms: &["pilaster", "xtask", "testkit", "sql", "reference"],
        why: "only the binary reads files",
    },
    Reserved {
        text: "sqlparser::",
        rooms: &["lang"],
        why: "the parser is named in lang alone",
    },
    Reserved {
        text: "todo!(",
        rooms: &[],
        why: "finish it",
    },
    Reserved {
        text: "unimplemented!(",
        rooms: &[],
        why: "finish it",
    },
    Reserved {
        text: "#[ignore",
        rooms: &[],
        why: "a test runs or does not exist",
    },
    Reserved {
        text: "#[allow(",
        rooms: &[],
        why: "write #[expect(…, reason = …)]",
    },
];

/// Checks every Rust file of the tree.
pub(crate) fn check() -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in rust_files(&root().join("crates"))? {
        let text = fs::read_to_string(&file)?;
        let place = file
            .strip_prefix(root())
            .unwrap_or(&file)
            .display()
            .to_string();
        check_file(&place, &text, &mut findings);
    }
    Ok(findings)
}

fn check_file(place: &str, text: &str, findings: &mut Vec<Finding>) {
    let mut find = |message: String| findings.push(Finding::new(place, message));
    if !text.starts_with("//!") {
        find(String::from(
            "the first line says what the file is in charge of: //! …",
        ));
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        find(format!("{lines} lines; split it, {MOST_LINES} is the most"));
    }
    if text
        .lines()
        .any(|line| line.ends_with(' ') || line.ends_with('\t'))
    {
        find(String::from("white space at the end of a line"));
    }
    let room = place.split('/').nth(1).unwrap_or_default();
    // This file names the reserved texts, and tests may look behind any door.
    let excused = place.ends_with("tidy/files.rs") || is_test(place);
    for reserved in RESERVED {
        if !excused && !reserved.rooms.contains(&room) && text.contains(reserved.text) {
            find(format!("`{}`: {}", reserved.text, reserved.why));
        }
    }
}

fn is_test(place: &str) -> bool {
    place.contains("/tests/") || place.ends_with("/tests.rs") || place.contains("/examples/")
}

pub(super) fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
