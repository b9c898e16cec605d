//! Which crate may use which: the table of ARCHITECTURE.md, compared with the manifests.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::Finding;
use crate::command::output;

/// A room, the rooms it may use, and the outside crates it must not.
struct Room {
    name: &'static str,
    uses: &'static [&'static str],
    never: &'static [&'static str],
}

const DRIVERS: &[&str] = &["rusqlite", "tokio-postgres", "mysql_async"];
const HTTP: &[&str] = &["axum", "hyper", "hyper-util", "http", "tower"];

const ROOMS: &[Room] = &[
    Room {
        name: "stdx",
        uses: &[],
        never: &["tokio", "serde_json"],
    },
    Room {
        name: "sql",
        uses: &["stdx"],
        never: HTTP,
    },
    Room {
        name: "lang",
        uses: &["stdx", "sql"],
        never: &["tokio"],
    },
    Room {
        name: "schema",
        uses: &["stdx", "sql", "lang"],
        never: &["tokio"],
    },
    Room {
        name: "rest",
        uses: &["stdx", "sql", "lang", "schema"],
        never: &["tokio"],
    },
    Room {
        name: "oauth",
        uses: &["stdx"],
        never: &["tokio"],
    },
    Room {
        name: "credentials",
        uses: &["stdx"],
        never: &["tokio"],
    },
    Room {
        name: "store",
        uses: &["stdx", "sql", "lang", "schema", "oauth", "credentials"],
        never: &["tokio"],
    },
    Room {
        name: "server",
        uses: &[
            "stdx",
            "sql",
            "lang",
            "schema",
            "rest",
            "oauth",
            "credentials",
            "store",
        ],
        never: &["clap", "toml", "dotenvy"],
    },
    Room {
        name: "pilaster",
        uses: &["stdx", "sql", "lang", "schema", "rest", "store", "server"],
        never: HTTP,
    },
    Room {
        name: "hostile",
        uses: &["stdx", "sql", "lang", "schema", "rest"],
        never: &["tokio"],
    },
    Room {
        name: "testkit",
        uses: &["stdx", "sql"],
        never: &[],
    },
    Room {
        name: "xtask",
        uses: &[],
        never: &[],
    },
    Room {
        name: "reference",
        uses: &[],
        never: &[],
    },
];

/// Compares every crate's dependencies with the table.
pub(crate) fn check() -> Result<Vec<Finding>> {
    let text = output(Command::new("cargo").args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists packages")?;
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        match ROOMS.iter().find(|room| room.name == name) {
            Some(room) => check_room(room, package, &mut findings),
            None => findings.push(Finding::new(
                name,
                "this crate is not in the table of arrows",
            )),
        }
    }
    Ok(findings)
}

fn check_room(room: &Room, package: &serde_json::Value, findings: &mut Vec<Finding>) {
    let dependencies = package["dependencies"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for dependency in dependencies {
        // Tests may look through any door; arrows are about what ships.
        if dependency["kind"].as_str() == Some("dev") {
            continue;
        }
        let used = dependency["name"].as_str().unwrap_or_default();
        let is_room = ROOMS.iter().any(|other| other.name == used);
        if is_room && !room.uses.contains(&used) {
            findings.push(Finding::new(
                room.name,
                format!("must not use the room {used}"),
            ));
        }
        let driver = DRIVERS.contains(&used) && !matches!(room.name, "sql" | "reference");
        let http = HTTP.contains(&used) && !matches!(room.name, "server" | "reference");
        if driver || http || room.never.contains(&used) {
            findings.push(Finding::new(
                room.name,
                format!("must not use the crate {used}"),
            ));
        }
    }
}
