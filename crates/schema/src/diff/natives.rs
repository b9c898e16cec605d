//! Statements for one engine: those that make something with a name can be taken back.

use lang::NativeStatement;
use sql::Dialect;

use crate::Operation;

/// What a statement makes or drops.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Made {
    /// `view`, `materialized view`, `trigger`, `function`, `procedure`, `type`, …
    kind: String,
    /// Its name, as it is written.
    name: String,
    /// The table of a trigger, as it is written.
    table: Option<String>,
}

/// What has a name, and can be dropped by it.
const KINDS: [&str; 8] = [
    "view",
    "trigger",
    "function",
    "procedure",
    "type",
    "domain",
    "sequence",
    "event",
];

/// The steps with those of the natives around them: what goes, goes first.
pub(super) fn around(
    from: &[NativeStatement],
    to: &[NativeStatement],
    operations: Vec<Operation>,
) -> Vec<Operation> {
    let standing = standing(from);
    let mut all = Vec::new();
    for old in standing.iter().rev() {
        let Some((made, drop)) = made(old).map(|made| (made.clone(), dropping(&made, old))) else {
            continue;
        };
        let new = to.iter().find(|new| is_of(new, &made, old));
        let stays = new.is_some_and(|new| is_same(new, old) || can_replace(&made, new));
        if !stays {
            all.push(Operation::Native {
                run: drop,
                back: Some((*old).clone()),
            });
        }
    }
    all.extend(operations);
    for new in to {
        let own = made(new);
        let old = standing.iter().copied().find(|old| match &own {
            Some(made) => is_of(old, made, new),
            None => false,
        });
        let is_there = match &own {
            Some(_) => old.is_some_and(|old| is_same(old, new)),
            // What has no name was run once, and that is all that is known of it.
            None => from
                .iter()
                .any(|old| old.engines == new.engines && old.text == new.text),
        };
        if !is_there {
            all.push(match (own, old) {
                (Some(made), Some(old)) if can_replace(&made, new) => Operation::Native {
                    run: replacing(new),
                    back: Some(replacing(old)),
                },
                (own, _) => Operation::Native {
                    run: new.clone(),
                    back: own.map(|made| dropping(&made, new)),
                },
            });
        }
    }
    all
}

/// The statements of which the effect is still there.
fn standing(all: &[NativeStatement]) -> Vec<&NativeStatement> {
    let mut standing: Vec<&NativeStatement> = Vec::new();
    for native in all {
        if let Some(gone) = named(native, "drop") {
            standing.retain(|other| !is_of(other, &gone, native));
        } else if let Some(new) = made(native) {
            // What is replaced stays where it was: others may rest on it.
            match standing.iter().position(|other| is_of(other, &new, native)) {
                Some(place) => standing[place] = native,
                None => standing.push(native),
            }
        }
    }
    standing
}

/// Whether a statement makes this for the same engines.
fn is_of(native: &NativeStatement, this: &Made, other: &NativeStatement) -> bool {
    let is_same = |own: Made| {
        let same_table = match (&own.table, &this.table) {
            (Some(own), Some(this)) => own == this,
            // Most engines know a trigger by its name alone.
            _ => true,
        };
        own.kind == this.kind && own.name == this.name && same_table
    };
    native.engines == other.engines && made(native).is_some_and(is_same)
}

fn made(native: &NativeStatement) -> Option<Made> {
    named(native, "create")
}

/// Triggers and the like rest on PostgreSQL's routines, which are changed where they stand.
fn can_replace(made: &Made, native: &NativeStatement) -> bool {
    let is_routine = ["function", "procedure"].contains(&made.kind.as_str());
    is_routine && native.engines == [Dialect::Postgres]
}

/// What stands behind `CREATE [OR REPLACE]`.
fn essence(native: &NativeStatement) -> &str {
    let mut text = native.text.trim_start();
    for word in ["create", "or", "replace"] {
        if let Some((first, rest)) = text.split_once(char::is_whitespace)
            && first.eq_ignore_ascii_case(word)
        {
            text = rest.trim_start();
        }
    }
    text
}

fn is_same(one: &NativeStatement, other: &NativeStatement) -> bool {
    essence(one) == essence(other)
}

fn replacing(native: &NativeStatement) -> NativeStatement {
    NativeStatement {
        text: format!("create or replace {}", essence(native)),
        ..native.clone()
    }
}

/// What a statement that begins with `verb` names.
fn named(native: &NativeStatement, verb: &str) -> Option<Made> {
    let mut words = native.text.split_whitespace().peekable();
    if !words.next()?.eq_ignore_ascii_case(verb) {
        return None;
    }
    let mut materialized = false;
    let kind = words.by_ref().take(12).find_map(|word| {
        let word = word.to_ascii_lowercase();
        materialized |= word == "materialized";
        KINDS.contains(&word.as_str()).then_some(word)
    })?;
    let kind = match materialized {
        true => format!("materialized {kind}"),
        false => kind,
    };
    while words.peek().is_some_and(|word| {
        let word = word.to_ascii_lowercase();
        ["if", "not", "exists"].contains(&word.as_str())
    }) {
        words.next();
    }
    let until_bracket = |word: &str| word.split('(').next().unwrap_or_default().to_owned();
    let name = until_bracket(words.next()?);
    let table = match kind.as_str() {
        "trigger" => words
            .by_ref()
            .find(|word| word.eq_ignore_ascii_case("on"))
            .and_then(|_| words.next())
            .map(until_bracket),
        _ => None,
    };
    Some(Made { kind, name, table })
}

/// The statement that drops it.
fn dropping(made: &Made, native: &NativeStatement) -> NativeStatement {
    let Made { kind, name, table } = made;
    let is_postgres = native.engines.contains(&Dialect::Postgres);
    let text = match table {
        Some(table) if is_postgres => format!("drop {kind} {name} on {table}"),
        Some(_) | None => format!("drop {kind} {name}"),
    };
    NativeStatement {
        text,
        ..native.clone()
    }
}
