//! Operators and their values, as the type of a column has them, and now and then others.

use super::shape::{Is, sentence, value};
use crate::access::Dice;

/// `[not.]operator.value`; `nested`: within a tree, where commas and brackets end a value.
pub(super) fn operation(dice: &Dice, is: Is, nested: bool) -> String {
    let not = if dice.happens(20) { "not." } else { "" };
    if dice.happens(10) {
        let test = match is {
            Is::Flag => dice.one(&["null", "not_null", "true", "FALSE", "unknown"]),
            _ if dice.happens(5) => dice.one(&["true", "nothing"]),
            _ => dice.one(&["null", "null", "not_null"]),
        };
        return format!("{not}is.{test}");
    }
    let text = match is {
        Is::Text => text_operation(dice, nested),
        Is::Json => json_operation(dice, nested),
        Is::Flag | Is::Bytes if dice.happens(70) => {
            let operator = dice.one(&["eq", "neq", "isdistinct"]);
            format!("{operator}.{}", quoted(dice, &value(dice, is), nested))
        }
        _ => comparison(dice, is, nested),
    };
    format!("{not}{text}")
}

/// Where it has to be, or just so.
fn quoted(dice: &Dice, text: &str, nested: bool) -> String {
    let must = text.contains([',', '(', ')', '{', '"']);
    match nested && (must || dice.happens(20)) {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => text.to_owned(),
    }
}

/// `a,"b"` for `in` and quantifiers.
fn list(dice: &Dice, is: Is) -> String {
    let element = |_| quoted(dice, &value(dice, is), true);
    let elements: Vec<String> = (0..dice.below(4)).map(element).collect();
    elements.join(",")
}

fn comparison(dice: &Dice, is: Is, nested: bool) -> String {
    let operator = dice.one(&["eq", "neq", "gt", "gte", "lt", "lte"]);
    match dice.below(36) {
        0..6 => format!("in.({})", list(dice, is)),
        6..9 => {
            let operator = dice.one(&["eq", "gt", "gte", "lt", "lte"]);
            let quantifier = dice.one(&["any", "all"]);
            format!("{operator}({quantifier}).{{{}}}", list(dice, is))
        }
        9..12 => format!("isdistinct.{}", quoted(dice, &value(dice, is), nested)),
        // What is no value of this type, or one that no column holds.
        12 => format!(
            "{operator}.{}",
            quoted(dice, &value(dice, Is::Text), nested)
        ),
        13 | 14 if is != Is::Float && is != Is::Decimal => {
            let odd = dice.one(&["007", "-0", "2147483648", "9223372036854775808"]);
            format!("{operator}.{odd}")
        }
        13..15 => {
            let odd = dice.one(&[
                "99999999999999999999",
                "1e400",
                "-0",
                "+1",
                "0x1",
                "1.50",
                "NaN",
                "Infinity",
                "0.30000000000000004",
            ]);
            format!("{operator}.{odd}")
        }
        _ => format!("{operator}.{}", quoted(dice, &value(dice, is), nested)),
    }
}

fn text_operation(dice: &Dice, nested: bool) -> String {
    let is = Is::Text;
    match dice.below(14) {
        0..4 => comparison(dice, is, nested),
        4..8 => {
            let operator = dice.one(&["like", "like", "ilike", "ilike", "like(any)", "ilike(all)"]);
            match operator.ends_with(')') {
                true => format!(
                    "{operator}.{{{},{}}}",
                    quoted(dice, &pattern(dice), true),
                    quoted(dice, &pattern(dice), true)
                ),
                false => format!("{operator}.{}", quoted(dice, &pattern(dice), nested)),
            }
        }
        8..11 => {
            let operator = dice.one(&["match", "imatch"]);
            let pattern = dice.one(&[
                "^a",
                "a$",
                "^$",
                "\\d+",
                "^\\w+$",
                "[[:upper:]]",
                "\\s",
                "é",
                "É",
                "^.$",
                "^..$",
                "[a-c]",
                "[^a-z]",
                "(a|b) ?",
                "a{1,2}",
                "ß",
                "\u{1f600}",
                "日.",
                "\\\\",
                "\\.",
                "%",
                "x*",
                "[",
                "(?i)a",
                "σ",
                "i",
                "ss",
            ]);
            format!("{operator}.{}", quoted(dice, pattern, nested))
        }
        _ => {
            let operator = dice.one(&["plfts", "phfts", "wfts"]);
            let words = match dice.below(5) {
                0 => format!("{} or {}", sentence(dice), sentence(dice)),
                1 => format!("-{}", sentence(dice)),
                2 => format!("\"{}\" {}", sentence(dice), sentence(dice)),
                _ => sentence(dice),
            };
            format!("{operator}.{}", quoted(dice, &words, nested))
        }
    }
}

fn pattern(dice: &Dice) -> String {
    let text = value(dice, Is::Text);
    let part: String = text.chars().take(1 + dice.below(4)).collect();
    match dice.below(7) {
        0 => format!("*{part}*"),
        1 => format!("{part}*"),
        2 => format!("%{part}"),
        3 => format!("_{part}"),
        4 => format!("{part}\\%*"),
        5 => text,
        _ => format!("*{part}_*"),
    }
}

fn json_operation(dice: &Dice, nested: bool) -> String {
    match dice.below(8) {
        0..4 => {
            let operator = dice.one(&["cs", "cs", "cd", "ov"]);
            let text = match dice.below(4) {
                0 => String::from("{drama,a}"),
                1 => dice
                    .one(&["[\"drama\"]", "[1]", "[]", "{}", "{a,1}"])
                    .to_owned(),
                _ => value(dice, Is::Json),
            };
            format!("{operator}.{}", quoted(dice, &text, nested))
        }
        4 => String::from("is.null"),
        5 => format!("eq.{}", quoted(dice, &value(dice, Is::Json), nested)),
        _ => {
            let operator = dice.one(&["eq", "neq", "gt", "lte"]);
            format!(
                "{operator}.{}",
                dice.one(&["0", "1", "90", "119.5", "-7", "9007199254740993", "1e3"])
            )
        }
    }
}
