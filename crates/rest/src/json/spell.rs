//! One value as JSON; the declared type spells it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sql::{DbResult, Kind, RowRef, ValueRef};

/// The largest integer that a JSON reader with floats keeps exactly (2^53 - 1).
const SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// `"name":`, escaped once.
pub(crate) fn member_key(name: &str) -> Box<[u8]> {
    let mut key = Vec::with_capacity(name.len() + 3);
    write_text(&mut key, name);
    key.push(b':');
    key.into_boxed_slice()
}

/// Writes one column's value.
pub(crate) fn write_column(
    target: &mut Vec<u8>,
    row: &RowRef<'_>,
    index: usize,
    kind: Kind,
) -> DbResult<()> {
    if let Some(text) = row.spelled(index, kind) {
        // Ids and moments hold nothing that JSON escapes.
        target.push(b'"');
        target.extend_from_slice(text);
        target.push(b'"');
        return Ok(());
    }
    write_value(target, &row.get(index, kind)?, kind);
    Ok(())
}

pub(crate) fn write_value(target: &mut Vec<u8>, value: &ValueRef<'_>, kind: Kind) {
    match value {
        ValueRef::Null => target.extend_from_slice(b"null"),
        ValueRef::Bool(true) => target.extend_from_slice(b"true"),
        ValueRef::Bool(false) => target.extend_from_slice(b"false"),
        ValueRef::Int(number) => write_integer(target, *number),
        ValueRef::Float(number) if !number.is_finite() => target.extend_from_slice(b"null"),
        ValueRef::Float(number) => {
            let mut buffer = ryu::Buffer::new();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the column is a 32-bit float"
            )]
            let text = match kind {
                Kind::Real => buffer.format_finite(*number as f32),
                _ => buffer.format_finite(*number),
            };
            target.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
        }
        ValueRef::Decimal(text) => {
            quoted(target, |target| target.extend_from_slice(text.as_bytes()));
        }
        ValueRef::Text(text) => write_text(target, text),
        ValueRef::Bytes(bytes) => {
            quoted(target, |target| {
                target.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            });
        }
        ValueRef::Uuid(id) => quoted(target, |target| {
            let mut text = uuid::Uuid::encode_buffer();
            target.extend_from_slice(id.hyphenated().encode_lower(&mut text).as_bytes());
        }),
        ValueRef::Date(date) => quoted(target, |target| sql::write_date(target, *date)),
        ValueRef::Time(time) => quoted(target, |target| sql::write_time(target, *time)),
        ValueRef::Timestamp(moment) => {
            quoted(target, |target| sql::write_timestamp(target, *moment));
        }
        ValueRef::Json(text) => write_json(target, text),
        ValueRef::Array(values) => {
            target.push(b'[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    target.push(b',');
                }
                write_value(target, value, kind);
            }
            target.push(b']');
        }
    }
}

/// A sum or average of floats with twelve significant digits: the engines add up in different
/// orders and with different care, which shows in the digits behind.
pub(super) fn rounded(value: ValueRef<'_>) -> ValueRef<'_> {
    match value {
        ValueRef::Float(number) => {
            ValueRef::Float(format!("{number:.11e}").parse().unwrap_or(number))
        }
        other => other,
    }
}

/// A moment as in another zone: `2026-11-21T05:00:00.000000+01:00`.
pub(super) fn write_moment_in(target: &mut Vec<u8>, moment: Timestamp, zone: &TimeZone) {
    let zoned = moment.to_zoned(zone.clone());
    quoted(target, |target| {
        sql::write_date(target, zoned.date());
        target.push(b'T');
        sql::write_time(target, zoned.time());
        let seconds = zoned.offset().seconds();
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        let offset = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        target.extend_from_slice(offset.as_bytes());
    });
}

fn quoted(target: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    target.push(b'"');
    write(target);
    target.push(b'"');
}

fn write_integer(target: &mut Vec<u8>, number: i64) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(number).as_bytes();
    if number.unsigned_abs() <= SAFE_INTEGER {
        target.extend_from_slice(text);
    } else {
        quoted(target, |target| target.extend_from_slice(text));
    }
}

/// A value as the API spells it, JSON documents as text: for a file that holds rows.
#[must_use]
pub fn value_as_json(value: &sql::Value, kind: Kind) -> String {
    let mut text = Vec::new();
    match value {
        sql::Value::Json(document) => write_text(&mut text, document),
        other => write_value(&mut text, &other.as_ref(), kind),
    }
    String::from_utf8(text).unwrap_or_default()
}

/// A JSON string (RFC 8259 §7): quotes, backslashes and control characters are escaped.
pub(crate) fn write_text(target: &mut Vec<u8>, text: &str) {
    target.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_length(rest));
        target.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else {
            break;
        };
        write_escape(target, *byte);
        rest = after;
    }
    target.push(b'"');
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many bytes come before the first one that is escaped; sixteen are looked at together.
fn plain_length(bytes: &[u8]) -> usize {
    let (chunks, _) = bytes.as_chunks::<16>();
    let is_plain = |chunk: &&[u8; 16]| {
        !chunk
            .iter()
            .fold(false, |found, byte| found | is_special(*byte))
    };
    let whole = chunks.iter().take_while(is_plain).count() * 16;
    let rest = &bytes[whole..];
    whole + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

fn write_escape(target: &mut Vec<u8>, byte: u8) {
    const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digit = |half: u8| HEXADECIMAL[usize::from(half)];
            target.extend_from_slice(b"\\u00");
            target.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            return;
        }
    };
    target.extend_from_slice(&[b'\\', short]);
}

/// JSON from a database, white space taken out, order and digits kept.
fn write_json(target: &mut Vec<u8>, text: &str) {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => target.extend_from_slice(value.to_string().as_bytes()),
        // A column is JSON because the engine checked it; a text that is none is shown as text.
        Err(_) => write_text(target, text),
    }
}
