//! Views of a database: in the portable language where it has the words, else in the engine's own.

use sql::Dialect;

use super::natives::block;
use super::{catalog_of, line, name, native_name};
use crate::inspect::{InspectedObject, Inspection};
use crate::migrate::comment_text;

/// The views, and how those that are there go.
#[derive(Debug, Default)]
pub(super) struct Views {
    pub(super) text: String,
    pub(super) dropping: Vec<String>,
}

/// `schema` is what the views rest on.
pub(super) fn declare(inspection: &Inspection, dialect: Dialect, schema: &str) -> Views {
    let is_view = |one: &&InspectedObject| one.kind.ends_with("view");
    let all: Vec<&InspectedObject> = inspection.objects.iter().filter(is_view).collect();
    let mut views = Views::default();
    let rules = inspection.objects.iter().filter(|one| one.kind == "rule");
    for rule in rules.clone() {
        let (own, table) = rule.name.split_once(" on ").unwrap_or((&rule.name, ""));
        let (own, table) = (name(own), name(table));
        views
            .dropping
            .push(format!("drop rule if exists {own} on {table}"));
    }
    let ordered = in_order(&all);
    for view in ordered.iter().rev() {
        let (kind, own) = (&view.kind, native_name(&view.name, dialect));
        views.dropping.push(format!("drop {kind} if exists {own}"));
    }
    let mut known = schema.to_owned();
    let mut natives = Vec::new();
    for view in ordered {
        let own = portable(view, dialect);
        let text = own.filter(|text| catalog_of(&format!("{known}{text}")).is_ok());
        match text {
            Some(mut text) => {
                for comment in comments(view) {
                    line(&mut text, format_args!("{comment};"));
                }
                known.push_str(&text);
                views.text.push_str(&text);
            }
            None => {
                natives.push(view.statement(dialect));
                natives.extend(comments(view));
            }
        }
    }
    natives.extend(rules.map(|rule| rule.statement(dialect)));
    views.text.push_str(&block(&natives, dialect));
    views
}

/// The statements for its comments, which PostgreSQL alone has, in the words that the language
/// shares with it.
fn comments(view: &InspectedObject) -> Vec<String> {
    let own = name(&view.name);
    let comment = |(column, text): &(String, String)| {
        let text = comment_text(text);
        match column.as_str() {
            "" => format!("comment on {} {own} is {text}", view.kind),
            column => format!("comment on column {own}.{} is {text}", name(column)),
        }
    };
    view.comments.iter().map(comment).collect()
}

/// Those first that others name.
fn in_order<'i>(all: &[&'i InspectedObject]) -> Vec<&'i InspectedObject> {
    let mut waiting: Vec<&InspectedObject> = all.to_vec();
    let mut ordered: Vec<&InspectedObject> = Vec::new();
    while !waiting.is_empty() {
        let is_free = |one: &&InspectedObject| {
            let names = |other: &&InspectedObject| {
                other.name != one.name && words(&one.definition).any(|word| word == other.name)
            };
            !waiting.iter().any(names)
        };
        let place = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(waiting.remove(place));
    }
    ordered
}

/// Names within a text, quoted or not.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_quote = |c: char| matches!(c, '"' | '`' | '[' | ']');
    let quoted = text.split(is_quote);
    let plain = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    quoted.chain(plain)
}

/// The same text with the names quoted as the standard does.
fn requoted(text: &str, dialect: Dialect) -> String {
    let others: &[char] = match dialect {
        Dialect::Postgres => &[],
        Dialect::Sqlite => &['`', '[', ']'],
        Dialect::MySql | Dialect::MariaDb => &['`'],
    };
    let mut in_text = false;
    let quote = |c: char| {
        in_text ^= c == '\'';
        match !in_text && others.contains(&c) {
            true => '"',
            false => c,
        }
    };
    text.chars().map(quote).collect()
}

/// The declaration that says the same, for the language to take or not. The caller's rules apply
/// beneath it, whatever its author let it show, until somebody says otherwise.
fn portable(view: &InspectedObject, dialect: Dialect) -> Option<String> {
    if view.kind != "view" {
        return None;
    }
    let definition = requoted(&view.definition, dialect);
    let lower = definition.to_lowercase();
    // Behind `CREATE VIEW … AS`, or the options of the engine.
    let query = match dialect {
        Dialect::Sqlite => {
            let head = lower.find(" as ").or_else(|| lower.find(" as\n"))?;
            &definition[head + 4..]
        }
        Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => {
            definition.split_once("as ").map(|(_, query)| query)?
        }
    };
    let mut text = String::new();
    let query = query.trim().trim_end_matches(';');
    line(
        &mut text,
        format_args!("create view {} as\n{query};", name(&view.name)),
    );
    Some(text)
}
