//! `lower` and `upper` of all letters; SQLite's own know those of ASCII alone.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::spell::lower;

/// Puts them in the place of SQLite's own.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        // They may stand in indexes and CHECKs.
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("lower", 1, flags, |call| {
        let text: Option<String> = call.get(0)?;
        Ok(text.map(|text| text.chars().map(lower).collect::<String>()))
    })?;
    connection.create_scalar_function("upper", 1, flags, |call| {
        let text: Option<String> = call.get(0)?;
        Ok(text.map(|text| text.chars().map(upper).collect::<String>()))
    })
}

fn upper(letter: char) -> char {
    let mut all = letter.to_uppercase();
    match (all.next(), all.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}
