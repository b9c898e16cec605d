//! The order of exact decimals, which SQLite keeps as text.

use std::cmp::Ordering;

use rusqlite::Connection;

/// The collation's name, as columns of type `numeric` are declared with it.
const NAME: &str = "decimal";

/// Makes the collation known to a connection.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation(NAME, compare)
}

/// A decimal in plain notation, taken apart.
struct Decimal<'t> {
    negative: bool,
    /// Without leading zeros.
    whole: &'t str,
    /// Without trailing zeros.
    fraction: &'t str,
}

impl<'t> Decimal<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !is_plain(whole) || !is_plain(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self {
            negative: negative && !is_zero,
            whole,
            fraction,
        })
    }

    fn size(&self, other: &Self) -> Ordering {
        self.whole
            .len()
            .cmp(&other.whole.len())
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction))
    }
}

/// By value; what is no decimal comes behind all that are, byte by byte.
fn compare(one: &str, other: &str) -> Ordering {
    match (Decimal::parse(one), Decimal::parse(other)) {
        (Some(one), Some(other)) => match (one.negative, other.negative) {
            (false, false) => one.size(&other),
            (true, true) => other.size(&one),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        },
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_ordered_by_value() {
        let ordered = [
            "-100",
            "-99.99",
            "-2",
            "-0.10",
            "-0.09",
            "0",
            "0.09",
            "0.1",
            "1",
            "9.5",
            "10",
            "99",
            "100.01",
            "12345678901234567890.1",
            "12345678901234567890.2",
            "a",
            "b",
        ];
        for (place, one) in ordered.iter().enumerate() {
            for (other_place, other) in ordered.iter().enumerate() {
                assert_eq!(
                    compare(one, other),
                    place.cmp(&other_place),
                    "{one} {other}"
                );
            }
        }
        for (one, same) in [
            ("0", "-0.00"),
            ("12.5", "12.50"),
            ("007", "7"),
            (".5", "0.5"),
        ] {
            assert_eq!(compare(one, same), Ordering::Equal, "{one} {same}");
        }
    }
}
