//! Durations as people write them in configuration: `250ms`, `15m`, `30d`.

use std::time::Duration;

/// A duration that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a duration: write a whole number and a unit, as in 250ms, 30s, 15m, 12h or 30d")]
pub struct DurationError;

/// Reads a whole number followed by `ms`, `s`, `m`, `h` or `d`.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .ok_or(DurationError)?;
    let (digits, unit) = text.split_at(split);
    let count: u64 = digits.parse().map_err(|_| DurationError)?;
    let millis_per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(DurationError),
    };
    count
        .checked_mul(millis_per_unit)
        .map(Duration::from_millis)
        .ok_or(DurationError)
}
