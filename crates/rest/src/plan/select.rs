//! `select` resolved: which columns, which related rows, by which foreign keys.

use schema::ForeignKey;
use serde_json::json;
use sql::Ident;

use super::filter::readable;
use super::{Context, Target};
use crate::request::{Item, Scope, Selection};
use crate::{ErrorKind, RestError};

/// A selected column with its name in the answer.
pub(super) struct Chosen<'a> {
    pub(super) key: &'a str,
    pub(super) column: &'a schema::Column,
}

/// Related rows.
pub(super) struct Embed<'a> {
    pub(super) key: &'a str,
    /// The related table's name in the statement.
    pub(super) alias: Ident,
    pub(super) target: Target<'a>,
    pub(super) columns: Vec<Chosen<'a>>,
    pub(super) inner: bool,
    /// Columns of the parent and of the related table that are equal.
    pub(super) pairs: Vec<(Ident, Ident)>,
    /// Whether one row at most is related.
    pub(super) to_one: bool,
    /// Filters, order and limit of the related rows.
    pub(super) scope: &'a Scope,
}

/// A resolved `select`, items in order.
pub(super) enum Part<'a> {
    Column(Chosen<'a>),
    Embed(Embed<'a>),
}

/// All related rows.
static WHOLE: Scope = Scope {
    conditions: Vec::new(),
    order: Vec::new(),
    limit: None,
    offset: None,
};

fn alias_of(place: usize) -> Ident {
    Ident::new(&format!("e{place}")).expect("a letter and digits are a name")
}

/// Resolves against what the caller may read. No `select` means all readable columns.
pub(super) fn resolve<'a>(
    context: Context<'a>,
    target: Target<'a>,
    selection: Option<&'a Selection>,
    embeds: &'a [(String, Scope)],
) -> Result<Vec<Part<'a>>, RestError> {
    let mut parts = Vec::new();
    let mut used = Vec::new();
    for item in selection.map_or(&[Item::All][..], Vec::as_slice) {
        match item {
            Item::All => parts.extend(all(target).into_iter().map(Part::Column)),
            Item::Column { alias, name } => {
                let column = readable(target, name)?;
                let key = alias.as_deref().unwrap_or(name);
                parts.push(Part::Column(Chosen { key, column }));
            }
            Item::Embed {
                alias,
                relation,
                hint,
                inner,
                items,
            } => {
                let key = alias.as_deref().unwrap_or(relation);
                let scope = embeds
                    .iter()
                    .find(|(name, _)| *name == *key || name == relation);
                if let Some((name, _)) = scope {
                    used.push(name);
                }
                let (related, way) = way(context, target, relation, hint.as_deref())?;
                parts.push(Part::Embed(Embed {
                    key,
                    alias: alias_of(parts.len()),
                    target: related,
                    columns: columns(related, items)?,
                    inner: *inner,
                    pairs: way.pairs(),
                    to_one: way.to_one,
                    scope: scope.map_or(&WHOLE, |(_, scope)| scope),
                }));
            }
        }
    }
    match embeds.iter().find(|(name, _)| !used.contains(&name)) {
        Some((name, _)) => Err(RestError::new(
            ErrorKind::BadRequest,
            "PGRST108",
            format!("{name} is filtered or ordered and is not in select"),
        )
        .hint(format!("add {name}(…) to select"))),
        None => Ok(parts),
    }
}

fn all(target: Target<'_>) -> Vec<Chosen<'_>> {
    let columns = target.table.columns.iter();
    columns
        .filter(|column| target.access.readable().contains(&column.name))
        .map(|column| Chosen {
            key: column.name.as_str(),
            column,
        })
        .collect()
}

/// A way from one table to another.
struct Way<'a> {
    key: &'a ForeignKey,
    /// The foreign key stands in the parent.
    forward: bool,
    to_one: bool,
}

impl Way<'_> {
    /// Columns of the parent and of the related table that are equal.
    fn pairs(&self) -> Vec<(Ident, Ident)> {
        let pairs = self.key.columns.iter().zip(&self.key.target_columns);
        let turned = |(own, other): (&Ident, &Ident)| match self.forward {
            true => (own.clone(), other.clone()),
            false => (other.clone(), own.clone()),
        };
        pairs.map(turned).collect()
    }
}

/// The related table and the one way to it that is meant.
fn way<'a>(
    context: Context<'a>,
    parent: Target<'a>,
    relation: &str,
    hint: Option<&str>,
) -> Result<(Target<'a>, Way<'a>), RestError> {
    let unknown = || {
        let message = format!("{} has no relation to {relation}", parent.table.name);
        RestError::new(ErrorKind::BadRequest, "PGRST200", message)
            .hint("a relation is a foreign key between two tables that you may read")
    };
    let (target, mut ways) = ways(context, parent, relation).ok_or_else(unknown)?;
    // A relation tells the values of its columns, so all of them must be readable.
    ways.retain(|way| {
        let (owner, other) = match way.forward {
            true => (parent, target),
            false => (target, parent),
        };
        let reads = |side: Target<'_>, columns: &[Ident]| {
            columns
                .iter()
                .all(|column| side.access.readable().contains(column))
        };
        reads(owner, &way.key.columns) && reads(other, &way.key.target_columns)
    });
    if let Some(hint) = hint {
        ways.retain(|way| {
            way.key.name == *hint || way.key.columns.iter().any(|column| *column == *hint)
        });
    }
    match ways.len() {
        0 => Err(unknown()),
        1 => Ok((target, ways.swap_remove(0))),
        several => {
            let names: Vec<&str> = ways.iter().map(|way| way.key.name.as_str()).collect();
            let message = format!("there are {several} relations to {relation}");
            Err(RestError::new(ErrorKind::Ambiguous, "PGRST201", message)
                .details(json!(names))
                .hint(format!("say which one: {relation}!{}(…)", names[0])))
        }
    }
}

/// The selected columns of a related table.
fn columns<'a>(target: Target<'a>, items: &'a Selection) -> Result<Vec<Chosen<'a>>, RestError> {
    let mut columns = Vec::new();
    for item in items {
        match item {
            Item::All => columns.extend(all(target)),
            Item::Column { alias, name } => {
                let column = readable(target, name)?;
                let key = alias.as_deref().unwrap_or(name);
                columns.push(Chosen { key, column });
            }
            Item::Embed { .. } => {
                return Err(
                    RestError::query("relations of relations are not offered yet")
                        .hint("embed one level deep, or write an endpoint in api/"),
                );
            }
        }
    }
    Ok(columns)
}

/// The related table and all ways to it; a foreign key's column may stand for its table.
fn ways<'a>(
    context: Context<'a>,
    parent: Target<'a>,
    relation: &str,
) -> Option<(Target<'a>, Vec<Way<'a>>)> {
    let by_column = parent
        .table
        .foreign_keys
        .iter()
        .find(|key| match key.columns.as_slice() {
            [only] => *only == *relation,
            _ => false,
        });
    if let Some(key) = by_column.filter(|_| context.target(relation).is_none()) {
        let target = context.target(key.target.as_str())?;
        return Some((
            target,
            vec![Way {
                key,
                forward: true,
                to_one: true,
            }],
        ));
    }
    let target = context
        .target(relation)
        .filter(|target| !target.access.readable().is_empty())?;
    let forward = parent
        .table
        .foreign_keys
        .iter()
        .filter(|key| key.target == target.table.name)
        .map(|key| Way {
            key,
            forward: true,
            to_one: true,
        });
    let backward = target
        .table
        .foreign_keys
        .iter()
        .filter(|key| key.target == parent.table.name)
        .map(|key| Way {
            key,
            forward: false,
            to_one: target.table.is_key(&key.columns),
        });
    Some((target, forward.chain(backward).collect()))
}
