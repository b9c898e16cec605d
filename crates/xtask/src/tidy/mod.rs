//! The house rules that no compiler checks; one pass over the tree, under a second.

mod arrows;
mod codes;
mod files;
mod licences;

use anyhow::{Result, bail};

/// A broken rule: where, and what.
pub(crate) struct Finding {
    place: String,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }
}

/// Checks all rules and prints each finding.
pub(crate) fn run() -> Result<()> {
    let mut findings = arrows::check()?;
    findings.extend(files::check()?);
    findings.extend(licences::check()?);
    findings.extend(codes::check()?);
    for finding in &findings {
        println!("{}: {}", finding.place, finding.message);
    }
    if !findings.is_empty() {
        bail!("tidy: {} finding(s)", findings.len());
    }
    println!("tidy: the house is in order");
    Ok(())
}
