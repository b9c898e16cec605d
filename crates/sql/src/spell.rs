//! How values are spelled: the wire format, which SQLite also stores.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// A letter's small one, one for one as the servers do it: `ß` stays.
#[must_use]
pub fn lower(letter: char) -> char {
    let mut all = letter.to_lowercase();
    match (all.next(), all.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

/// Whether SQLite's index of three letters (FTS5, `trigram`) takes all letters for one of which the
/// small one is this one. Its tables are of an older Unicode; what is outside of these is not asked
/// of it.
#[must_use]
pub fn is_found_by_three(small: char) -> bool {
    matches!(small,
        'a'..='z' | '0'..='9'
        // Latin; Greek; Cyrillic; Armenian to Myanmar, with Hebrew, Arabic and India's.
        | '\u{a0}'..='\u{19a}' | '\u{19c}'..='\u{24f}' | '\u{370}'..='\u{3f2}' | '\u{400}'..='\u{527}'
        | '\u{530}'..='\u{109f}'
        // Hangul, Ethiopic; more Latin and Greek; kana, Han and Hangul.
        | '\u{1100}'..='\u{139f}' | '\u{1e00}'..='\u{1fff}' | '\u{3040}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}')
}

/// A moment as `2026-11-21T04:00:00.123456Z`: UTC, six fraction digits, sortable as text.
pub fn write_timestamp(target: &mut Vec<u8>, moment: Timestamp) {
    let civil = Offset::UTC.to_datetime(moment);
    write_date(target, civil.date());
    target.push(b'T');
    write_time(target, civil.time());
    target.push(b'Z');
}

/// A date as `2026-11-21`.
pub fn write_date(target: &mut Vec<u8>, date: Date) {
    let year = date.year().unsigned_abs();
    if date.year() < 0 {
        target.push(b'-');
    }
    two(target, year / 100);
    two(target, year % 100);
    target.push(b'-');
    two(target, date.month().unsigned_abs().into());
    target.push(b'-');
    two(target, date.day().unsigned_abs().into());
}

/// A time of day as `04:00:00.123456`.
pub fn write_time(target: &mut Vec<u8>, time: Time) {
    two(target, time.hour().unsigned_abs().into());
    target.push(b':');
    two(target, time.minute().unsigned_abs().into());
    target.push(b':');
    two(target, time.second().unsigned_abs().into());
    target.push(b'.');
    let micros = time.subsec_nanosecond().unsigned_abs() / 1000;
    for divisor in [10_000, 100, 1] {
        two(target, u16::try_from(micros / divisor % 100).unwrap_or(0));
    }
}

fn two(target: &mut Vec<u8>, number: u16) {
    let digit = |number: u16| b'0' + u8::try_from(number % 10).unwrap_or(0);
    target.extend_from_slice(&[digit(number / 10), digit(number)]);
}

pub(crate) fn timestamp_text(moment: Timestamp) -> String {
    text(|target| write_timestamp(target, moment))
}

pub(crate) fn date_text(date: Date) -> String {
    text(|target| write_date(target, date))
}

pub(crate) fn time_text(time: Time) -> String {
    text(|target| write_time(target, time))
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut target = Vec::with_capacity(27);
    write(&mut target);
    String::from_utf8(target).unwrap_or_default()
}

/// A moment out of the parts that MySQL and MariaDB send.
pub(crate) fn civil(date: Date, time: Time) -> Option<Timestamp> {
    Offset::UTC
        .to_timestamp(DateTime::from_parts(date, time))
        .ok()
}

/// Whether `text` is exactly what [`write_timestamp`] writes for some moment, judged by shape.
pub(crate) fn is_timestamp(text: &[u8]) -> bool {
    has_shape(text, b"dddd-dd-ddTdd:dd:dd.ddddddZ")
}

/// Whether `text` is a lower-case UUID with hyphens (RFC 9562 §4).
pub(crate) fn is_uuid(text: &[u8]) -> bool {
    has_shape(text, b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
}

/// `d` stands for a digit, `x` for a hexadecimal one, anything else for itself. Looks at all
/// bytes without branching, as this runs for each id and moment of each row.
fn has_shape<const N: usize>(text: &[u8], shape: &[u8; N]) -> bool {
    let Ok(text) = <&[u8; N]>::try_from(text) else {
        return false;
    };
    text.iter().zip(shape).fold(true, |fits, (byte, expected)| {
        let is_digit = byte.is_ascii_digit();
        let is_letter = (b'a'..=b'f').contains(byte);
        fits & match expected {
            b'd' => is_digit,
            b'x' => is_digit | is_letter,
            other => byte == other,
        }
    })
}
