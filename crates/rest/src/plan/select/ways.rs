//! From one relation to another, by foreign keys.

use schema::ForeignKey;
use serde_json::json;
use sql::Ident;

use super::super::{Context, Target};
use crate::{ErrorKind, RestError};

/// How the rows of two relations belong together.
pub(in super::super) struct Way<'a> {
    /// Columns of the parent, and of the related relation or the table between, that are equal.
    pub(in super::super) pairs: Vec<(Ident, Ident)>,
    /// Whether one row at most is related.
    pub(in super::super) to_one: bool,
    /// The table between, where both have many of each other.
    pub(in super::super) through: Option<Through<'a>>,
}

/// A table between two others.
pub(in super::super) struct Through<'a> {
    pub(in super::super) target: Target<'a>,
    /// Its name in the statement.
    pub(in super::super) alias: Ident,
    /// Its columns, and those of the related table that are equal.
    pub(in super::super) pairs: Vec<(Ident, Ident)>,
}

/// A possible way.
#[derive(Clone, Copy)]
enum Candidate<'a> {
    /// The foreign key stands in the parent.
    Forward(&'a ForeignKey),
    /// It stands in the related table.
    Backward(&'a ForeignKey, bool),
    /// Two stand in a table between: one to the parent, one to the related table.
    Through(Target<'a>, &'a ForeignKey, &'a ForeignKey),
}

impl Candidate<'_> {
    /// By which it can be told from others.
    fn name(&self) -> &str {
        match self {
            Self::Forward(key) | Self::Backward(key, _) => key.name.as_str(),
            Self::Through(between, ..) => between.table.name.as_str(),
        }
    }

    fn is_hinted(&self, hint: &str) -> bool {
        let by_key = |key: &ForeignKey| {
            key.name == *hint || key.columns.iter().any(|column| *column == *hint)
        };
        match self {
            Self::Forward(key) | Self::Backward(key, _) => by_key(key),
            Self::Through(between, _, second) => between.table.name == *hint || by_key(second),
        }
    }
}

/// The related relation and the one way to it that is meant; `alias` names a table between.
pub(super) fn find<'a>(
    context: Context<'a>,
    parent: Target<'a>,
    relation: &str,
    hint: Option<&str>,
    alias: impl FnOnce() -> Ident,
) -> Result<(Target<'a>, Way<'a>), RestError> {
    let (target, mut candidates) =
        candidates(context, parent, relation).ok_or_else(|| unknown(context, parent, relation))?;
    candidates.retain(|way| is_readable(*way, parent, target));
    if let Some(hint) = hint {
        candidates.retain(|way| way.is_hinted(hint));
    }
    // A table between is meant only where nothing is nearer, unless it is named.
    let is_near = |way: &Candidate<'_>| !matches!(way, Candidate::Through(..));
    if hint.is_none()
        && candidates.iter().any(is_near)
        && candidates.iter().filter(|way| is_near(way)).count() == 1
    {
        candidates.retain(is_near);
    }
    match candidates.as_slice() {
        [] => Err(unknown(context, parent, relation)),
        [only] => Ok((target, only.way(target, alias))),
        several => Err(ambiguous(relation, several)),
    }
}

impl<'a> Candidate<'a> {
    fn way(self, target: Target<'a>, alias: impl FnOnce() -> Ident) -> Way<'a> {
        match self {
            Self::Forward(key) => Way {
                pairs: pairs(&key.columns, &key.target_columns),
                to_one: true,
                through: None,
            },
            Self::Backward(key, is_key) => Way {
                pairs: pairs(&key.target_columns, &key.columns),
                to_one: is_key,
                through: None,
            },
            Self::Through(between, first, second) => {
                let _ = target;
                Way {
                    pairs: pairs(&first.target_columns, &first.columns),
                    to_one: false,
                    through: Some(Through {
                        target: between,
                        alias: alias(),
                        pairs: pairs(&second.columns, &second.target_columns),
                    }),
                }
            }
        }
    }
}

fn pairs(own: &[Ident], other: &[Ident]) -> Vec<(Ident, Ident)> {
    own.iter().cloned().zip(other.iter().cloned()).collect()
}

fn unknown(context: Context<'_>, parent: Target<'_>, relation: &str) -> RestError {
    let message = format!("{} has no relation to {relation}", parent.table.name);
    let error = RestError::new(ErrorKind::BadRequest, "PGRST200", message);
    let related = context.catalog.relations().filter(|table| {
        let is_visible = context.target(table.name.as_str()).is_some();
        let points = |from: &schema::Table, to: &schema::Table| {
            from.foreign_keys.iter().any(|key| key.target == to.name)
        };
        is_visible && (points(parent.table, table) || points(table, parent.table))
    });
    match stdx::nearest(relation, related.map(|table| table.name.as_str())) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint("a relation is a foreign key between two tables that you may read"),
    }
}

fn ambiguous(relation: &str, several: &[Candidate<'_>]) -> RestError {
    let names: Vec<&str> = several.iter().map(Candidate::name).collect();
    let message = format!("there are {} relations to {relation}", several.len());
    RestError::new(ErrorKind::Ambiguous, "PGRST201", message)
        .details(json!(names))
        .hint(format!("say which one: {relation}!{}(…)", names[0]))
}

/// A relation tells the values of its columns, so all of them must be readable.
fn is_readable(way: Candidate<'_>, parent: Target<'_>, target: Target<'_>) -> bool {
    let reads = |side: Target<'_>, columns: &[Ident]| {
        let readable = side.access.readable();
        columns.iter().all(|column| readable.contains(column))
    };
    match way {
        Candidate::Forward(key) => {
            reads(parent, &key.columns) && reads(target, &key.target_columns)
        }
        Candidate::Backward(key, _) => {
            reads(target, &key.columns) && reads(parent, &key.target_columns)
        }
        Candidate::Through(between, first, second) => {
            reads(between, &first.columns)
                && reads(between, &second.columns)
                && reads(parent, &first.target_columns)
                && reads(target, &second.target_columns)
        }
    }
}

/// The related relation and all ways to it. A foreign key, or its only column, may stand for the
/// table that it points to; a table's name for those that point to this one, where it is the same.
fn candidates<'a>(
    context: Context<'a>,
    parent: Target<'a>,
    relation: &str,
) -> Option<(Target<'a>, Vec<Candidate<'a>>)> {
    let Some(target) = context.target(relation) else {
        let by_key = |key: &&ForeignKey| {
            let by_column = matches!(key.columns.as_slice(), [only] if *only == *relation);
            by_column || key.name == *relation
        };
        let key = parent.table.foreign_keys.iter().find(by_key)?;
        let target = context.target(key.target.as_str())?;
        return Some((target, vec![Candidate::Forward(key)]));
    };
    if target.access.readable().is_empty() {
        return None;
    }
    let is_self = target.table.name == parent.table.name;
    let keys = parent.table.foreign_keys.iter();
    let forward = keys
        .filter(|key| key.target == target.table.name && !is_self)
        .map(Candidate::Forward);
    let keys = target.table.foreign_keys.iter();
    let backward = keys
        .filter(|key| key.target == parent.table.name)
        .map(|key| Candidate::Backward(key, target.table.is_key(&key.columns)));
    let through = between(context, parent, target);
    Some((target, forward.chain(backward).chain(through).collect()))
}

/// Tables whose primary key holds a foreign key to each of the two.
fn between<'a>(
    context: Context<'a>,
    parent: Target<'a>,
    target: Target<'a>,
) -> impl Iterator<Item = Candidate<'a>> {
    let tables = context.catalog.tables.iter();
    tables.flat_map(move |table| {
        let primary = table
            .primary_key
            .as_ref()
            .map_or(&[][..], |key| &key.columns);
        let keys = move |to: &'a schema::Table| {
            table.foreign_keys.iter().filter(move |key| {
                key.target == to.name && key.columns.iter().all(|column| primary.contains(column))
            })
        };
        let first = keys(parent.table);
        first.flat_map(move |first| {
            let second = keys(target.table).filter(move |second| second.name != first.name);
            second.filter_map(move |second| {
                let between = context.target(table.name.as_str())?;
                Some(Candidate::Through(between, first, second))
            })
        })
    })
}
