//! Statements for one engine: those that make something with a name can be taken back.

use lang::NativeStatement;
use sql::{Dialect, Ident};

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
        let Some(made) = made(old) else {
            continue;
        };
        let new = to.iter().find(|new| is_of(new, &made, old));
        let stays = new.is_some_and(|new| is_same(new, old) || can_replace(&made, new));
        if !stays {
            all.push(Operation::Native {
                run: dropping(&made, old),
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

/// The statements of which the effect is still there, as far as they make what has a name.
fn standing(all: &[NativeStatement]) -> Vec<&NativeStatement> {
    let mut effective = effective(all);
    effective.retain(|native| made(native).is_some());
    effective
}

/// The statements that lead to what is there: what was dropped again, or made otherwise later, is
/// left out, and so is the dropping.
pub(crate) fn effective(all: &[NativeStatement]) -> Vec<&NativeStatement> {
    let mut effective: Vec<&NativeStatement> = Vec::new();
    for native in all {
        let gone = dropped(native);
        if !gone.is_empty() {
            let is_gone =
                |other: &NativeStatement| gone.iter().any(|one| is_of(other, one, native));
            effective.retain(|other| !is_gone(other));
            continue;
        }
        let new = made(native);
        let same = |new: &Made| effective.iter().position(|other| is_of(other, new, native));
        match new.as_ref().and_then(same) {
            // What is replaced stays where it was: others may rest on it.
            Some(place) if replaces(native) => effective[place] = native,
            Some(place) => {
                effective.remove(place);
                effective.push(native);
            }
            None => effective.push(native),
        }
    }
    effective
}

/// The statements that made the triggers of a table that are still there.
pub(crate) fn triggers_of<'n>(
    table: &Ident,
    all: &'n [NativeStatement],
    dialect: Dialect,
) -> Vec<&'n NativeStatement> {
    let is_on = |native: &&NativeStatement| {
        let on = made(native).and_then(|made| made.table);
        let on = on.map(|name| name.trim_matches(['"', '`', '[', ']']).to_lowercase());
        native.engines.contains(&dialect) && on == Some(table.as_str().to_lowercase())
    };
    standing(all).into_iter().filter(is_on).collect()
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
    named(native, "create").map(|(made, _)| made)
}

/// What a statement drops: `drop view a, b` more than one.
fn dropped(native: &NativeStatement) -> Vec<Made> {
    let Some((first, mut rest)) = named(native, "drop") else {
        return Vec::new();
    };
    let mut all = vec![first];
    while rest.trim_start().starts_with(',') {
        let (name, behind) = word(rest);
        rest = behind;
        all.push(Made {
            name: name.to_owned(),
            ..all[0].clone()
        });
    }
    all
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

fn replaces(native: &NativeStatement) -> bool {
    let (_, rest) = word(&native.text);
    word(rest).0.eq_ignore_ascii_case("or")
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

/// What a statement that begins with `verb` names, and what stands behind the name.
fn named<'n>(native: &'n NativeStatement, verb: &str) -> Option<(Made, &'n str)> {
    let (first, mut rest) = word(&native.text);
    if !first.eq_ignore_ascii_case(verb) {
        return None;
    }
    let mut materialized = false;
    let kind = loop {
        let (next, behind) = word(rest);
        rest = behind;
        let next = next.to_ascii_lowercase();
        materialized |= next == "materialized";
        match next.as_str() {
            "" | "table" | "index" | "on" | "as" => return None,
            kind if KINDS.contains(&kind) => break next,
            _ => {}
        }
    };
    let kind = match materialized {
        true => format!("materialized {kind}"),
        false => kind,
    };
    let mut name = word(rest);
    // PostgreSQL's event triggers belong to no schema.
    if kind == "event" && name.0.eq_ignore_ascii_case("trigger") {
        return None;
    }
    while ["if", "not", "exists"].contains(&name.0.to_ascii_lowercase().as_str()) {
        name = word(name.1);
    }
    let (name, mut rest) = name;
    let mut table = None;
    if kind == "trigger" {
        while !rest.is_empty() && table.is_none() {
            let (next, behind) = word(rest);
            rest = behind;
            if next.eq_ignore_ascii_case("on") {
                table = Some(word(rest).0.to_owned());
            }
        }
    }
    let made = Made {
        kind,
        name: name.to_owned(),
        table,
    };
    (!name.is_empty()).then_some((made, rest))
}

/// The first word or quoted name of a text, without what stands in brackets behind it, and the
/// rest.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || "(),;".contains(c));
    let close = match text.chars().next() {
        Some('[') => ']',
        Some(quote @ ('"' | '`')) => quote,
        _ => {
            let is_end = |c: char| c.is_whitespace() || "(),;".contains(c);
            return text.split_at(text.find(is_end).unwrap_or(text.len()));
        }
    };
    let end = text.char_indices().skip(1).find(|(_, c)| *c == close);
    text.split_at(end.map_or(text.len(), |(place, _)| place + 1))
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

#[cfg(test)]
mod tests {
    use lang::{NativeStatement, Span};
    use sql::Dialect;

    use super::{Made, dropping, effective, made};

    fn native(text: &str, engine: Dialect) -> NativeStatement {
        NativeStatement {
            engines: vec![engine],
            text: text.to_owned(),
            span: Span::default(),
        }
    }

    fn named(text: &str, engine: Dialect) -> Option<(String, String)> {
        let native = native(text, engine);
        made(&native).map(|made| {
            let drop = dropping(&made, &native).text;
            let Made { kind, name, .. } = made;
            (format!("{kind} {name}"), drop)
        })
    }

    #[test]
    fn what_has_a_name_is_dropped_by_it() {
        use Dialect::{MariaDb, MySql, Postgres, Sqlite};
        for (text, engine, what, drop) in [
            (
                "create trigger \"a b\" after insert on t begin select 1; end",
                Sqlite,
                "trigger \"a b\"",
                "drop trigger \"a b\"",
            ),
            (
                "create constraint trigger seen after update of a, b on \"the t\" for each row",
                Postgres,
                "trigger seen",
                "drop trigger seen on \"the t\"",
            ),
            (
                "CREATE DEFINER=`root`@`%` FUNCTION IF NOT EXISTS `f`(a int) returns int return a",
                MySql,
                "function `f`",
                "drop function `f`",
            ),
            (
                "create or replace materialized view v as select 1",
                Postgres,
                "materialized view v",
                "drop materialized view v",
            ),
            (
                "create type mood as enum ('a')",
                Postgres,
                "type mood",
                "drop type mood",
            ),
            (
                "create event e on schedule every 1 day do select 1",
                MariaDb,
                "event e",
                "drop event e",
            ),
        ] {
            let expected = Some((what.to_owned(), drop.to_owned()));
            assert_eq!(named(text, engine), expected, "{text}");
        }
        for text in [
            "create table t (type text, view text)",
            "create unique index function on t (a)",
            "create event trigger e on ddl_command_end execute function f()",
            "create extension if not exists pg_trgm",
            "alter view v rename to w",
            "insert into t select 'create view x'",
            "",
        ] {
            assert_eq!(named(text, Postgres), None, "{text}");
        }
    }

    #[test]
    fn what_was_dropped_or_replaced_is_not_there() {
        let all: Vec<NativeStatement> = [
            "create function f() returns int",
            "create view one as select 1",
            "create trigger t1 after insert on a",
            "create trigger t1 after insert on b",
            "alter table a add column x text",
            "create or replace function f() returns int -- again",
            "create view \"the other\" as select 3",
            "drop view if exists one, \"the other\" cascade",
            "drop trigger t1 on a",
            "create view two as select 2",
        ]
        .into_iter()
        .map(|text| native(text, Dialect::Postgres))
        .collect();
        let left: Vec<&str> = effective(&all)
            .iter()
            .map(|one| one.text.as_str())
            .collect();
        assert_eq!(
            left,
            [
                "create or replace function f() returns int -- again",
                "create trigger t1 after insert on b",
                "alter table a add column x text",
                "create view two as select 2",
            ]
        );
    }
}
