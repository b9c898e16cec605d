//! An array of objects as lines of text (RFC 4180).

use serde_json::Value;

/// The names of the first row's members, then a line for each row. Null is an empty field; lists
/// and objects stand there as JSON.
pub(crate) fn to_csv(array: &[u8], names: &[String]) -> Option<Vec<u8>> {
    let rows: Vec<Value> = serde_json::from_slice(array).ok()?;
    let mut text = Vec::with_capacity(array.len());
    line(&mut text, names.iter().map(|name| escaped(name)));
    for row in &rows {
        let cell = |name: &String| match row.get(name) {
            None | Some(Value::Null) => String::new(),
            // An empty text is not the same as no text.
            Some(Value::String(text)) if text.is_empty() => String::from("\"\""),
            Some(Value::String(text)) => escaped(text),
            Some(other) => escaped(&other.to_string()),
        };
        line(&mut text, names.iter().map(cell));
    }
    Some(text)
}

fn line(text: &mut Vec<u8>, cells: impl Iterator<Item = String>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            text.push(b',');
        }
        text.extend_from_slice(cell.as_bytes());
    }
    text.push(b'\n');
}

/// In quotes where it has to be.
fn escaped(text: &str) -> String {
    let is_plain = !text.contains(['"', ',', '\n', '\r']) && text.trim() == text;
    match is_plain {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}
