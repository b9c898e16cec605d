//! PostgreSQL's binary `numeric` to plain decimal text and back.
//!
//! The format is base 10 000 digits with a weight and a display scale
//! (src/backend/utils/adt/numeric.c, `numeric_send`).

use std::fmt::Write as _;

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;

/// Decodes; `None` for NaN, infinities and malformed input.
pub(super) fn decode(raw: &[u8]) -> Option<String> {
    let word = |index: usize| -> Option<u16> {
        Some(u16::from_be_bytes(
            raw.get(index * 2..index * 2 + 2)?.try_into().ok()?,
        ))
    };
    let count = usize::from(word(0)?);
    let weight = i32::from(word(1)?.cast_signed());
    let sign = word(2)?;
    let scale = usize::from(word(3)?);
    if sign & NOT_A_NUMBER == NOT_A_NUMBER {
        return None;
    }
    let digit = |position: i32| -> u16 {
        usize::try_from(position)
            .ok()
            .filter(|position| *position < count)
            .and_then(|position| word(4 + position))
            .unwrap_or(0)
    };
    let mut text = String::with_capacity(count * 4 + 2);
    if sign == NEGATIVE {
        text.push('-');
    }
    if weight < 0 {
        text.push('0');
    }
    for position in 0..=weight {
        let group = digit(position);
        let width = if position == 0 { 0 } else { 4 };
        let _ = write!(text, "{group:0width$}");
    }
    if scale > 0 {
        let mut fraction = String::new();
        let mut position = weight + 1;
        if weight < -1 {
            // Groups of zeros between the point and the first digit.
            for _ in 0..(-1 - weight) {
                fraction.push_str("0000");
            }
            position = 0;
        }
        while fraction.len() < scale {
            let _ = write!(fraction, "{:04}", digit(position));
            position += 1;
        }
        text.push('.');
        text.push_str(fraction.get(..scale)?);
    }
    Some(text)
}

/// Encodes plain decimal text; `None` when it is none.
pub(super) fn encode(text: &str) -> Option<Vec<u8>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let padded_whole = format!("{:0>width$}", whole, width = whole.len().div_ceil(4) * 4);
    let padded_fraction = format!(
        "{:0<width$}",
        fraction,
        width = fraction.len().div_ceil(4) * 4
    );
    let mut groups: Vec<u16> = format!("{padded_whole}{padded_fraction}")
        .as_bytes()
        .chunks(4)
        .map(|chunk| {
            chunk
                .iter()
                .fold(0, |sum, byte| sum * 10 + u16::from(byte - b'0'))
        })
        .collect();
    let mut weight = i16::try_from(padded_whole.len() / 4).ok()? - 1;
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight = weight.checked_sub(i16::try_from(leading).ok()?)?;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    if groups.is_empty() {
        weight = 0;
    }
    let sign = if negative && !groups.is_empty() {
        NEGATIVE
    } else {
        0
    };
    let mut raw = Vec::with_capacity(8 + groups.len() * 2);
    raw.extend(u16::try_from(groups.len()).ok()?.to_be_bytes());
    raw.extend(weight.to_be_bytes());
    raw.extend(sign.to_be_bytes());
    raw.extend(u16::try_from(fraction.len()).ok()?.to_be_bytes());
    for group in groups {
        raw.extend(group.to_be_bytes());
    }
    Some(raw)
}

#[cfg(test)]
mod tests {
    //! Both directions, against the text itself.

    use super::{decode, encode};

    #[test]
    fn decimals_survive_the_round_trip() {
        for text in [
            "0",
            "1",
            "-1",
            "12.30",
            "0.00",
            "10000",
            "123456789.000100",
            "0.00001234",
            "-0.5",
            "99999999999999999999999999999999999999",
            "0.0000000001",
            "100000000",
            "1.0000",
        ] {
            let raw = encode(text).expect("it is a decimal");
            assert_eq!(decode(&raw).as_deref(), Some(text));
        }
        for wrong in ["", "-", "1e5", ".5", "1.2.3", "NaN"] {
            assert!(encode(wrong).is_none(), "{wrong:?} was taken");
        }
    }
}
