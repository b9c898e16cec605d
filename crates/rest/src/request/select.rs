//! `select=a,b::text,alias:c->d,related!hint(d,e),...spread(f),amount.sum()`.

use super::Budget;
use super::cursor::Cursor;
use super::field::{self, Field};
use crate::RestError;

/// One selected item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// `*`
    All,
    /// `[alias:]column[::type][.aggregate()[::type]]`
    Field {
        alias: Option<String>,
        field: Field,
        cast: Option<String>,
        aggregate: Option<Aggregate>,
    },
    /// `[alias:]count()[::type]`
    Count {
        alias: Option<String>,
        cast: Option<String>,
    },
    /// `[alias:]relation[!hint][!inner](items)`
    Embed {
        alias: Option<String>,
        relation: String,
        /// A foreign key, a column or a table between that tells which relation is meant.
        hint: Option<String>,
        inner: bool,
        /// `...`: its items become items of the relation around it.
        spread: bool,
        items: Selection,
    },
}

/// A list of items.
pub(crate) type Selection = Vec<Item>;

/// A function over the rows of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aggregate {
    pub(crate) function: AggregateFunction,
    pub(crate) cast: Option<String>,
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AggregateFunction {
    Sum,
    Avg,
    Min,
    Max,
    Count,
}

impl AggregateFunction {
    /// As it is written, and as it is called in the answer.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
        }
    }
}

/// Parses the value of `select`.
pub(super) fn parse(text: &str, budget: &mut Budget<'_>) -> Result<Selection, RestError> {
    let mut cursor = Cursor::new(
        text,
        "select",
        "select=column,alias:column,related(column),amount.sum()",
    );
    let items = items(&mut cursor, budget, 1)?;
    cursor.finish()?;
    Ok(items)
}

fn items(
    cursor: &mut Cursor<'_>,
    budget: &mut Budget<'_>,
    depth: usize,
) -> Result<Selection, RestError> {
    budget.depth(depth, "select")?;
    let mut items = Vec::new();
    loop {
        cursor.spaces();
        if cursor.is_at_end() || cursor.rest().starts_with(')') {
            return Ok(items);
        }
        budget.node()?;
        items.push(item(cursor, budget, depth)?);
        cursor.spaces();
        if !cursor.take(",") {
            return Ok(items);
        }
    }
}

fn item(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Result<Item, RestError> {
    if cursor.take("*") {
        return Ok(Item::All);
    }
    let spread = cursor.take("...");
    let mut name = cursor.name()?;
    let mut alias = None;
    if !spread && cursor.peek() == Some(':') && !cursor.rest().starts_with("::") {
        cursor.take(":");
        cursor.spaces();
        alias = Some(std::mem::replace(&mut name, cursor.name()?));
    }
    if name == "count" && !spread && cursor.take("()") {
        let cast = cast(cursor)?;
        return Ok(Item::Count { alias, cast });
    }
    let (hint, inner) = hints(cursor)?;
    if cursor.take("(") {
        let items = items(cursor, budget, depth + 1)?;
        cursor.expect(")", "a closing bracket")?;
        return Ok(Item::Embed {
            alias,
            relation: name,
            hint,
            inner,
            spread,
            items,
        });
    }
    if spread || hint.is_some() || inner {
        return Err(cursor.error("should be the bracket of a relation"));
    }
    let field = field::path(cursor, name)?;
    let cast = cast(cursor)?;
    let aggregate = aggregate(cursor)?;
    Ok(Item::Field {
        alias,
        field,
        cast,
        aggregate,
    })
}

/// `!hint!inner`
fn hints(cursor: &mut Cursor<'_>) -> Result<(Option<String>, bool), RestError> {
    let (mut hint, mut inner) = (None, false);
    while cursor.take("!") {
        match cursor.name()?.as_str() {
            "inner" => inner = true,
            "left" => inner = false,
            other => hint = Some(other.to_owned()),
        }
    }
    Ok((hint, inner))
}

/// `::type`
fn cast(cursor: &mut Cursor<'_>) -> Result<Option<String>, RestError> {
    if !cursor.take("::") {
        return Ok(None);
    }
    let ty = cursor.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' '));
    match ty.trim() {
        "" => Err(cursor.error("should be a type")),
        ty => Ok(Some(ty.to_ascii_lowercase())),
    }
}

/// `.sum()`
fn aggregate(cursor: &mut Cursor<'_>) -> Result<Option<Aggregate>, RestError> {
    if !cursor.take(".") {
        return Ok(None);
    }
    let function = match cursor.take_while(|c| c.is_ascii_alphabetic()) {
        "sum" => AggregateFunction::Sum,
        "avg" => AggregateFunction::Avg,
        "min" => AggregateFunction::Min,
        "max" => AggregateFunction::Max,
        "count" => AggregateFunction::Count,
        other => {
            let message = format!("select: there is no aggregate {other}");
            return Err(
                RestError::query(message).hint("write sum(), avg(), min(), max() or count()")
            );
        }
    };
    cursor.expect("()", "() behind the aggregate")?;
    let cast = cast(cursor)?;
    Ok(Some(Aggregate { function, cast }))
}
