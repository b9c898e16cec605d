//! Rows as a person reads them.

use std::fmt::Write as _;

use sql::Shown;
use unicode_width::UnicodeWidthStr as _;

/// How null is shown; an empty text is shown as nothing.
const NULL: &str = "NULL";

/// Columns side by side, each as wide as its widest value.
pub(super) fn aligned(shown: &Shown) -> String {
    let names: Vec<String> = shown.columns.iter().map(|name| printable(name)).collect();
    let rows: Vec<Vec<String>> = shown.rows.iter().map(|row| cells(row)).collect();
    let mut widths: Vec<usize> = names.iter().map(|name| name.width()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let mut text = format!("{}\n{}\n", line(&names, &widths), rule.join("+"));
    for row in &rows {
        text.push_str(&line(row, &widths));
        text.push('\n');
    }
    text
}

/// One value on each line.
pub(super) fn expanded(shown: &Shown) -> String {
    let names: Vec<String> = shown.columns.iter().map(|name| printable(name)).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let mut text = String::new();
    for (place, row) in shown.rows.iter().enumerate() {
        let _ = writeln!(text, "-[ row {} ]-", place + 1);
        for (name, cell) in names.iter().zip(cells(row)) {
            let line = format!("{} | {cell}", padded(name, width));
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

fn cells(row: &[Option<String>]) -> Vec<String> {
    let cell = |value: &Option<String>| match value {
        Some(text) => printable(text),
        None => String::from(NULL),
    };
    row.iter().map(cell).collect()
}

/// Without letters that would break the line or command the terminal.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => printable.extend(character.escape_default()),
            false => printable.push(character),
        }
    }
    printable
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| padded(cell, *width));
    let line = format!(" {}", padded.collect::<Vec<_>>().join(" | "));
    line.trim_end().to_owned()
}

/// Spaces fill up what the letters take on a terminal, which is neither bytes nor characters.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
