//! The order of exact decimals, which SQLite keeps as text.

use std::cmp::Ordering;

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;

/// The collation's name, as columns of type `numeric` are declared with it.
const NAME: &str = "decimal";

/// Makes the collation known to a connection.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation(NAME, compare)?;
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("decimal_sum", 1, flags, Sum)?;
    connection.create_scalar_function("decimal_add", 2, flags, |call| combined(call, 1))?;
    connection.create_scalar_function("decimal_sub", 2, flags, |call| combined(call, -1))
}

/// The exact sum of two decimals, or with `sign` -1 their difference; null where one is null.
fn combined(call: &Context<'_>, sign: i128) -> rusqlite::Result<Option<String>> {
    let (one, other): (Option<String>, Option<String>) = (call.get(0)?, call.get(1)?);
    let Some((one, other)) = one.zip(other) else {
        return Ok(None);
    };
    let signed = |total: Total| Total {
        units: total.units * sign,
        ..total
    };
    let sum = Total::parse(&one).zip(Total::parse(&other).map(signed));
    let sum = sum.and_then(|(one, other)| one.plus(other));
    let failed = || rusqlite::Error::UserFunctionError("the sum is out of range".into());
    sum.map(|sum| Some(sum.text())).ok_or_else(failed)
}

/// `decimal_sum(x)`: the exact sum of decimals or whole numbers, as text; null of none. SQLite's
/// own `sum` would make floats of them.
struct Sum;

/// A sum so far, in units of its last digit.
struct Total {
    units: i128,
    /// Digits behind the point.
    scale: usize,
}

impl Total {
    /// The same with more digits behind the point.
    fn scaled(self, scale: usize) -> Option<Self> {
        let digits = u32::try_from(scale.saturating_sub(self.scale)).ok()?;
        let factor = 10_i128.checked_pow(digits)?;
        let units = self.units.checked_mul(factor)?;
        let scale = scale.max(self.scale);
        Some(Self { units, scale })
    }

    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let units = format!("{whole}{fraction}").parse().ok()?;
        let scale = fraction.len();
        Some(Self { units, scale })
    }

    fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let (one, other) = (self.scaled(scale)?, other.scaled(scale)?);
        let units = one.units.checked_add(other.units)?;
        Some(Self { units, scale })
    }

    fn text(&self) -> String {
        let sign = if self.units < 0 { "-" } else { "" };
        let digits = format!("{:0>1$}", self.units.unsigned_abs(), self.scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }
}

impl Aggregate<Option<Total>, Option<String>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Option<Total>> {
        Ok(None)
    }

    fn step(&self, call: &mut Context<'_>, sum: &mut Option<Total>) -> rusqlite::Result<()> {
        let value = match call.get_raw(0) {
            ValueRef::Null => return Ok(()),
            ValueRef::Integer(number) => Some(Total {
                units: number.into(),
                scale: 0,
            }),
            ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(Total::parse),
            ValueRef::Real(_) | ValueRef::Blob(_) => None,
        };
        let added = match sum.take() {
            None => value,
            Some(sum) => value.and_then(|value| sum.plus(value)),
        };
        let failed = || rusqlite::Error::UserFunctionError("the sum is out of range".into());
        *sum = Some(added.ok_or_else(failed)?);
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        sum: Option<Option<Total>>,
    ) -> rusqlite::Result<Option<String>> {
        Ok(sum.flatten().map(|sum| sum.text()))
    }
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
    fn decimals_are_added_up_exactly() {
        let sum = |texts: &[&str]| {
            let parts = texts.iter().map(|text| Total::parse(text));
            let sum = parts.reduce(|one, other| one?.plus(other?)).flatten();
            sum.map(|sum| sum.text())
        };
        assert_eq!(sum(&["0.10", "0.20"]).as_deref(), Some("0.30"));
        assert_eq!(sum(&["-0.05", "0.020"]).as_deref(), Some("-0.030"));
        assert_eq!(
            sum(&["9007199254740993", "1"]).as_deref(),
            Some("9007199254740994")
        );
        let largest = i128::MAX.to_string();
        assert_eq!(sum(&[&largest, "1"]), None);
    }

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
