//! Bodies with rows within rows: a film with its nominations, an order with its lines.

use serde_json::{Map, Value as Json};

use super::select::Way;
use super::{Context, Target};
use crate::RestError;

/// An object of a body, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nested {
    /// What is the row's own.
    pub own: Map<String, Json>,
    /// Rows that it points to, which are made before it.
    pub before: Vec<NestedRows>,
    /// Rows that point to it, which are made behind it.
    pub after: Vec<NestedRows>,
}

/// Rows of a related table.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedRows {
    /// The table.
    pub table: String,
    /// Columns of the row around, and of these, that are equal.
    pub pairs: Vec<(String, String)>,
    /// The rows, which may hold others.
    pub rows: Vec<Map<String, Json>>,
    /// The member that held them.
    pub member: String,
}

/// Takes an object apart; `None` where it holds no other rows. A member that is no column and holds
/// an object or a list of them is named as a relation in `select`: `films`, `films!director_id`.
pub(crate) fn split(
    context: Context<'_>,
    target: Target<'_>,
    object: &Map<String, Json>,
) -> Result<Option<Nested>, RestError> {
    let is_nested = |name: &String, value: &Json| {
        let is_column = target.table.column(name).is_some();
        !is_column && rows_of(value).is_some()
    };
    if !object.iter().any(|(name, value)| is_nested(name, value)) {
        return Ok(None);
    }
    let mut nested = Nested::default();
    for (member, value) in object {
        let Some(rows) = rows_of(value).filter(|_| is_nested(member, value)) else {
            nested.own.insert(member.clone(), value.clone());
            continue;
        };
        let (relation, hint) = match member.split_once('!') {
            Some((relation, hint)) => (relation, Some(hint)),
            None => (member.as_str(), None),
        };
        let (related, way) = super::select::way(context, target, relation, hint)?;
        let (forward, rows) = place(&related, &way, target, member, rows)?;
        match forward {
            true => nested.before.push(rows),
            false => nested.after.push(rows),
        }
    }
    Ok(Some(nested))
}

/// The objects of a value, if it is one or a list of them.
fn rows_of(value: &Json) -> Option<Vec<Map<String, Json>>> {
    match value {
        Json::Object(object) => Some(vec![object.clone()]),
        Json::Array(list) if !list.is_empty() => list
            .iter()
            .map(|one| one.as_object().cloned())
            .collect::<Option<_>>(),
        _ => None,
    }
}

/// Whether the rows come before the one around them, and they themselves.
fn place(
    related: &Target<'_>,
    way: &Way<'_>,
    parent: Target<'_>,
    member: &str,
    rows: Vec<Map<String, Json>>,
) -> Result<(bool, NestedRows), RestError> {
    if way.through.is_some() {
        return Err(RestError::query(format!(
            "{member} is on the other side of a table between, which needs a row of its own"
        ))
        .hint("nest the rows of the table between, and in them those of the other side"));
    }
    let own: Vec<&sql::Ident> = way.pairs.iter().map(|(own, _)| own).collect();
    // The foreign key stands in the row around, which then points to a single row.
    let forward = parent.table.foreign_keys.iter().any(|key| {
        key.target == related.table.name && key.columns.iter().collect::<Vec<_>>() == own
    });
    if forward && way.to_one && rows.len() != 1 {
        return Err(RestError::query(format!("{member} is one row")));
    }
    let pairs = way.pairs.iter();
    let pairs = pairs.map(|(own, other)| (own.to_string(), other.to_string()));
    Ok((
        forward && way.to_one,
        NestedRows {
            table: related.table.name.to_string(),
            pairs: pairs.collect(),
            rows,
            member: member.to_owned(),
        },
    ))
}
