//! The codes of refusals: those that the server writes are those that `docs/` lists, so that programs
//! can rely on them.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Result;

use super::Finding;
use super::files::rust_files;
use crate::command::root;

/// What stands before a code; behind the first of them, also a status.
const BEFORE: [(&str, bool); 5] = [
    ("Refusal::new(", true),
    ("Self::new(", true),
    ("Refusal::forbidden(", false),
    ("conflict(", false),
    (".code = String::from(", false),
];

/// The heading of the lists.
const HEADING: &str = "## Codes of refusals";

/// Compares the two lists.
pub(crate) fn check() -> Result<Vec<Finding>> {
    let mut text = String::new();
    for file in rust_files(&root().join("crates/server/src"))? {
        text.push_str(&fs::read_to_string(file)?);
    }
    let mut listed = BTreeSet::new();
    for entry in fs::read_dir(root().join("docs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "md") {
            listed.extend(listed_in(&fs::read_to_string(path)?));
        }
    }
    Ok(compare(&text, &listed))
}

fn compare(source: &str, listed: &BTreeSet<String>) -> Vec<Finding> {
    let written = written_in(source);
    let missing = written.difference(listed).map(|code| {
        let message = format!("no list of docs/ under \"{HEADING}\" has the code {code}");
        Finding::new("crates/server", message)
    });
    // A code may be written in another way, as from a table; but written it is.
    let stale = listed
        .iter()
        .filter(|code| !source.contains(&format!("\"{code}\"")));
    let stale = stale.map(|code| {
        let message = format!("the code {code} is listed, and the server never says it");
        Finding::new("docs", message)
    });
    missing.chain(stale).collect()
}

/// The codes of ours that refusals are made with: words of small letters.
fn written_in(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (before, has_status) in BEFORE {
        for (place, _) in source.match_indices(before) {
            let rest = source.get(place + before.len()..).unwrap_or_default();
            let rest = match has_status {
                true => rest.split_once(',').map_or("", |(_, rest)| rest),
                false => rest,
            };
            let literal = rest.trim_start().strip_prefix('"');
            let code = literal.and_then(|literal| literal.split('"').next());
            found.extend(code.filter(|code| is_word(code)).map(str::to_owned));
        }
    }
    found
}

/// The codes of a page's list; the first two cells of a line have status and codes.
fn listed_in(page: &str) -> BTreeSet<String> {
    let list = page.split(HEADING).nth(1).unwrap_or_default();
    let list = list.split("\n## ").next().unwrap_or_default();
    let mut found = BTreeSet::new();
    for line in list.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').skip(1).take(2).collect();
        let cells = cells.join(" ");
        let quoted = cells.split('`').skip(1).step_by(2);
        found.extend(quoted.filter(|code| is_word(code)).map(str::to_owned));
    }
    found
}

/// As `link_invalid`; SQLSTATEs and PostgREST's codes are others' lists.
fn is_word(code: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    code.contains('_') && code.split('_').all(letters)
}

#[cfg(test)]
mod tests {
    //! Facts about the lists of codes.

    use super::{check, compare, listed_in};

    const PAGE: &str = "# A page\n| `no_code` | |\n\n## Codes of refusals\n\n\
        | status | code | what |\n|---|---|---|\n| 404 | `user_unknown`, `23505` | no `such_thing` |\n\
        | `link_invalid` | 400 | |\n\n## Else\n| 400 | `nor_this` | |\n";

    // req: FE-10
    #[test]
    fn the_list_of_the_docs_is_that_of_the_code() {
        let findings = check().unwrap();
        let said: Vec<&str> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(said, Vec::<&str>::new());
    }

    #[test]
    fn a_code_that_one_of_the_two_lacks_is_found() {
        let listed = listed_in(PAGE);
        let listed_words: Vec<&str> = listed.iter().map(String::as_str).collect();
        assert_eq!(listed_words, ["link_invalid", "user_unknown"]);
        let source = "Refusal::new(\n  status,\n  \"user_unknown\",\n  \"none\")\n\
            Refusal::forbidden(\"role_protected\", \"no\")";
        let findings = compare(source, &listed);
        let said: Vec<&str> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("role_protected"), "{said:?}");
        assert!(said[1].contains("link_invalid"), "{said:?}");
    }
}
