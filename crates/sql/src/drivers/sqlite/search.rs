//! What is found in texts: patterns and words.

use std::sync::Arc;

use regex::Regex;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The memory that one compiled pattern may take.
const LARGEST: usize = 1 << 20;

/// Puts `regexp` behind SQLite's operator of that name, and makes `has_words` known.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    // `text regexp pattern` is `regexp(pattern, text)`.
    connection.create_scalar_function("regexp", 2, flags, |call| {
        let Some(text) = call.get::<Option<String>>(1)? else {
            return Ok(None);
        };
        Ok(Some(pattern(call)?.is_match(&text)))
    })?;
    connection.create_scalar_function("has_words", 2, flags, |call| {
        let (text, words): (Option<String>, String) = (call.get(0)?, call.get(1)?);
        Ok(text.map(|text| has_words(&text, &words)))
    })
}

/// The pattern, compiled once for a statement.
fn pattern(call: &Context<'_>) -> rusqlite::Result<Arc<Regex>> {
    call.get_or_create_aux(0, |value| {
        let text = value.as_str()?;
        let pattern = regex::RegexBuilder::new(text).size_limit(LARGEST).build()?;
        Ok::<_, BoxError>(pattern)
    })
}

/// Whether the words stand in the text in a row: whole ones, of letters and digits, large and
/// small ones alike.
fn has_words(text: &str, words: &str) -> bool {
    let wanted: Vec<&str> = words.split(' ').collect();
    let small: String = text.chars().map(crate::spell::lower).collect();
    let found: Vec<&str> = small
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    found.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::has_words;

    #[test]
    fn whole_words_are_found_in_a_row() {
        let text = "The quick, brown Fox; 42 jumps";
        for words in ["the", "brown fox", "fox 42 jumps", "quick brown"] {
            assert!(has_words(text, words), "{words}");
        }
        for words in ["bro", "quick fox", "fox brown", "jumps over"] {
            assert!(!has_words(text, words), "{words}");
        }
    }
}
