//! What would make a request faster that took too long: an index that is not there.

use schema::{IndexTarget, Table};
use sql::Ident;

use super::Api;
use crate::request::{Comparison, Condition, Is, Operation, ReadRequest, parse};
use crate::{Caller, ErrorKind, Request, RestError};

impl Api {
    /// What a caller is told whose request took too long: by which limit, and the index that the
    /// request would need, as the statement that makes it.
    #[must_use]
    pub fn too_slow(&self, request: &Request<'_>, caller: &Caller) -> RestError {
        let rights = self.rights(&caller.roles);
        let message = match rights.limits.statement_timeout {
            Some(limit) => format!(
                "the statement took longer than {} ms, the statement_timeout of the caller's role",
                limit.as_millis()
            ),
            None => String::from("the statement took longer than database.statement_timeout"),
        };
        let error = RestError::new(ErrorKind::Timeout, "57014", message);
        let read = parse(request.query, &rights.limits);
        let table = request
            .path
            .first()
            .and_then(|name| self.catalog.table(name));
        let advice = read.ok().zip(table).and_then(|(read, table)| {
            // Only what the caller may read is spoken of; the rest was refused before.
            missing_index(table, &read)
        });
        match advice {
            Some(statement) => error.hint(format!("add to schema/: {statement}")),
            None => error.hint("ask for fewer rows, or filter and order by indexed columns"),
        }
    }
}

/// The index that no other one stands in for: over the columns that are compared for equality,
/// then the one of a range, or those of the order.
fn missing_index(table: &Table, read: &ReadRequest) -> Option<String> {
    let mut columns: Vec<&Ident> = Vec::new();
    let mut add = |name: &str| {
        let column = table.column(name).map(|column| &column.name);
        if let Some(column) = column.filter(|column| !columns.contains(column)) {
            columns.push(column);
        }
    };
    for name in compared(&read.root.conditions, is_equality) {
        add(name);
    }
    let keys = read.root.order.iter().filter(|key| key.related.is_none());
    let mut ordered = keys.filter(|key| key.field.is_plain()).peekable();
    if ordered.peek().is_some() {
        ordered.for_each(|key| add(&key.field.name));
    } else if let Some(name) = compared(&read.root.conditions, is_range).next() {
        add(name);
    }
    let first = *columns.first()?;
    if starts_an_index(table, first) {
        return None;
    }
    let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    Some(format!(
        "create index on {} ({});",
        quoted(&table.name),
        list.join(", ")
    ))
}

/// The plain columns of the conditions that all have to hold.
fn compared(
    conditions: &[Condition],
    counts: fn(&Operation) -> bool,
) -> impl Iterator<Item = &str> {
    conditions
        .iter()
        .filter_map(move |condition| match condition {
            Condition::Compare {
                field,
                operation,
                negated: false,
            } if field.is_plain() && counts(operation) => Some(field.name.as_str()),
            Condition::Compare { .. } | Condition::Logic { .. } => None,
        })
}

fn is_equality(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Compare(Comparison::Eq, _) | Operation::In(_) | Operation::Is(Is::Null)
    )
}

fn is_range(operation: &Operation) -> bool {
    use Comparison::{Gt, GtEq, Lt, LtEq};
    matches!(operation, Operation::Compare(Gt | GtEq | Lt | LtEq, _))
}

/// Whether an index, of a constraint or not, begins with the column.
fn starts_an_index(table: &Table, column: &Ident) -> bool {
    let primary = table.primary_key.iter().map(|key| &key.columns);
    let uniques = table.uniques.iter().map(|unique| &unique.columns);
    let by_constraint = primary
        .chain(uniques)
        .any(|columns| columns.first() == Some(column));
    by_constraint
        || table.indexes.iter().any(|index| {
            let first = index.keys.first().map(|key| &key.target);
            let is_first = matches!(first, Some(IndexTarget::Column(first)) if first == column);
            is_first && index.predicate.is_none()
        })
}

/// A name as it is written in `schema/*.sql`.
fn quoted(name: &Ident) -> String {
    let text = name.as_str();
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    match is_plain {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}
