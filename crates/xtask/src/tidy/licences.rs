//! What the binary is made of may be shipped under our own licences, and comes from the registry.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Finding;
use crate::command::output;

/// Licences that ask for no more than their text (SPDX identifiers); and MPL-2.0, of `webauthn-rs`
/// and its parts, which asks for the sources of its own files, as the registry has them, and says
/// nothing of ours (§3.3, "Larger Work").
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Looks at every package of the lock file.
pub(super) fn check() -> Result<Vec<Finding>> {
    let text = output(Command::new("cargo").args(["metadata", "--locked", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata prints JSON")?;
    let packages = metadata["packages"].as_array().context("packages")?;
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(source) = package["source"].as_str() else {
            continue;
        };
        if source != REGISTRY {
            findings.push(Finding::new(name, format!("comes from {source}")));
        }
        let licence = package["license"].as_str().unwrap_or("(none)");
        if !is_allowed(licence) {
            findings.push(Finding::new(name, format!("its licence is {licence}")));
        }
    }
    Ok(findings)
}

/// What is left of an expression.
type Words<'w> = &'w [&'w str];

/// Whether an SPDX expression (annex D) can be satisfied by what is allowed; `/` is an old `OR`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) && rest.is_empty()
}

/// `A OR B`
fn any(rest: &mut Words<'_>) -> bool {
    let mut allowed = all(rest);
    while let Some(("OR", after)) = first(rest) {
        *rest = after;
        // Both sides are read, whatever the first one says.
        allowed |= all(rest);
    }
    allowed
}

/// `A AND B`, which binds closer.
fn all(rest: &mut Words<'_>) -> bool {
    let mut allowed = one(rest);
    while let Some(("AND", after)) = first(rest) {
        *rest = after;
        allowed &= one(rest);
    }
    allowed
}

fn one(rest: &mut Words<'_>) -> bool {
    match first(rest) {
        Some(("(", after)) => {
            *rest = after;
            let allowed = any(rest);
            match first(rest) {
                Some((")", after)) => *rest = after,
                _ => return false,
            }
            allowed
        }
        Some((name, after)) => {
            *rest = after;
            if let [second, exception, after @ ..] = after
                && *second == "WITH"
            {
                *rest = after;
                return ALLOWED.contains(&format!("{name} WITH {exception}").as_str());
            }
            ALLOWED.contains(&name)
        }
        None => false,
    }
}

fn first<'w>(rest: &Words<'w>) -> Option<(&'w str, Words<'w>)> {
    rest.split_first().map(|(word, after)| (*word, after))
}

#[cfg(test)]
mod tests {
    //! SPDX expressions.

    use super::is_allowed;

    #[test]
    fn expressions_are_read_as_spdx_says() {
        for allowed in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(GPL-3.0 OR MIT) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "GPL-2.0 AND MIT OR ISC",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in [
            "",
            "(none)",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "GPL-2.0 WITH Classpath-exception-2.0",
            "(MIT",
            "MIT ISC",
        ] {
            assert!(!is_allowed(refused), "{refused}");
        }
    }
}
