//! The URL grammar: query string to a request, names not yet resolved.

mod accept;
mod cursor;
mod field;
mod filter;
mod order;
mod prefer;
mod query;
mod select;

pub(crate) use accept::{EXPLAIN_OPTIONS, Explanation, Format, Media, negotiate};
pub(crate) use field::Field;
pub(crate) use filter::{
    Collection, Comparison, Condition, Is, Operation, Quantifier, RangeOperator, SearchSyntax,
    TextSearch,
};
pub(crate) use order::OrderKey;
pub(crate) use prefer::{Count, Prefer, Resolution, Returning};
pub(crate) use query::{ReadRequest, Scope, pairs, parse, parse_pairs, subject};
pub(crate) use select::{AggregateFunction, Item, Selection};

use query::Budget;
