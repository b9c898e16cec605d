//! What anyone on the internet can reach, and the file in which somebody has accepted it.

use std::collections::BTreeSet;
use std::path::Path;

use rest::Api;
use serde_json::json;

use super::compiled;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};

/// Where the accepted surface is kept, to be committed and reviewed beside the rules.
pub(in crate::commands) const LOCK: &str = "schema/exposure.lock";

const HEAD: &str = "\
# What callers without credentials can reach; `pilaster check --strict` refuses anything more.
# Written by `pilaster rules accept`: commit it, and review its changes as you review rules.
";

/// Today's surface beside the accepted one.
pub(in crate::commands) struct Exposure {
    /// All lines of today.
    pub(in crate::commands) lines: Vec<String>,
    /// Those that nobody has accepted; all of them where there is no file.
    pub(in crate::commands) grown: Vec<String>,
    /// Those that were accepted and are no more.
    pub(in crate::commands) shrunk: Vec<String>,
    /// Whether there is a file.
    pub(in crate::commands) is_recorded: bool,
}

impl Exposure {
    /// Compares the rules with the file of the project in `folder`.
    pub(in crate::commands) fn of(api: &Api, folder: &Path) -> Outcome<Self> {
        let path = folder.join(LOCK);
        let recorded = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::config(format!("{}: {error}", path.display()))),
        };
        let is_recorded = recorded.is_some();
        let recorded = recorded.unwrap_or_default();
        let accepted: BTreeSet<&str> = recorded
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let lines = api.exposure();
        let today: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
        let only = |these: &BTreeSet<&str>, those: &BTreeSet<&str>| {
            let only = these.difference(those);
            only.map(|line| (*line).to_owned()).collect::<Vec<_>>()
        };
        let (grown, shrunk) = (only(&today, &accepted), only(&accepted, &today));
        Ok(Self {
            lines,
            grown,
            shrunk,
            is_recorded,
        })
    }
}

/// `rules accept`
pub(super) fn accept(configuration: &Configuration, as_json: bool) -> Outcome {
    let exposure = Exposure::of(&compiled(configuration)?.api, &configuration.folder)?;
    let mut text = String::from(HEAD);
    for line in &exposure.lines {
        text.push_str(line);
        text.push('\n');
    }
    let path = configuration.folder.join(LOCK);
    std::fs::write(&path, text)
        .map_err(|error| Failure::config(format!("{}: {error}", path.display())))?;
    if as_json {
        let (added, removed) = (&exposure.grown, &exposure.shrunk);
        println!(
            "{}",
            json!({"file": LOCK, "added": added, "removed": removed})
        );
        return Ok(());
    }
    exposure.grown.iter().for_each(|line| println!("+ {line}"));
    exposure.shrunk.iter().for_each(|line| println!("- {line}"));
    println!("{LOCK} holds {} line(s); commit it", exposure.lines.len());
    Ok(())
}
