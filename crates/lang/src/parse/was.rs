//! What a declaration was called before: `-- @was old_name` behind it or on the line above. And
//! `-- @new`, for a column that only looks like a renamed one.

use sql::Ident;

use crate::{Diagnostic, Source, Span, Statement, Was};

/// Gives tables and columns their markers.
pub(super) fn mark(source: &Source, statements: &mut [Statement]) -> Result<(), Diagnostic> {
    let markers = markers(source)?;
    if markers.is_empty() {
        return Ok(());
    }
    let at = |span: Span| {
        let own = |marker: &&Marker| match marker.alone {
            true => marker.line + 1 == span.line,
            false => marker.line == span.line,
        };
        markers.iter().find(own).map(|marker| marker.was.clone())
    };
    for statement in statements {
        let Statement::CreateTable(table) = statement else {
            continue;
        };
        table.was = at(table.span);
        for column in &mut table.columns {
            if column.span.line != table.span.line {
                column.was = at(column.span);
            }
        }
    }
    Ok(())
}

struct Marker {
    line: u32,
    /// Nothing else stands on its line.
    alone: bool,
    was: Was,
}

fn markers(source: &Source) -> Result<Vec<Marker>, Diagnostic> {
    let mut markers = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let Some(place) = line.find("-- @") else {
            continue;
        };
        let (before, comment) = line.split_at(place);
        let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let mut words = comment["-- @".len()..].split_whitespace();
        let was = match (words.next(), words.next()) {
            (Some("new"), None) => Was::New,
            (Some("was"), Some(name)) => {
                let name = Ident::new(name.trim_matches('"')).map_err(|error| {
                    Diagnostic::new(&source.path, Span { line, column: 1 }, error.to_string())
                })?;
                Was::Called(name)
            }
            _ => continue,
        };
        let alone = before.trim().is_empty();
        markers.push(Marker { line, alone, was });
    }
    Ok(markers)
}
