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
    use crate::spell::{is_found_by_three, lower};

    /// A letter that the index took for another than a search does would hide rows.
    #[test]
    fn three_letters_are_the_same_to_the_index_and_to_a_search() {
        let connection = rusqlite::Connection::open_in_memory().expect("memory");
        connection
            .execute_batch(
                "create virtual table words using fts5(c0, content='', columnsize=0, \
                 detail='column', tokenize='trigram');
                 create virtual table terms using fts5vocab(words, 'instance');",
            )
            .expect("FTS5 is built in");
        let all = || (1..=u32::from(char::MAX)).filter_map(char::from_u32);
        let letters = || {
            let letters = all().filter(|letter| letter.is_alphanumeric());
            letters.filter(|letter| is_found_by_three(lower(*letter)))
        };
        connection.execute_batch("begin").expect("a transaction");
        let mut insert = connection
            .prepare("insert into words (rowid, c0) values (?, ?)")
            .expect("a statement");
        for letter in letters() {
            let text = format!("00{letter}");
            insert.execute((u32::from(letter), text)).expect("a row");
        }
        let mut folded = std::collections::HashMap::new();
        let mut terms = connection
            .prepare("select doc, term from terms")
            .expect("a statement");
        let rows = terms.query_map((), |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?))
        });
        folded.extend(rows.expect("rows").map(|row| row.expect("a row")));
        let mut known = 0;
        let mut others = Vec::new();
        for letter in letters() {
            known += 1;
            let small = lower(letter);
            let (one, other) = (
                folded.get(&u32::from(letter)),
                folded.get(&u32::from(small)),
            );
            if one.is_none() || one != other {
                others.push(format!("{letter} and {small}"));
            }
        }
        assert!(others.is_empty(), "{others:?}");
        assert!(known > 30_000, "{known}");
    }

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
