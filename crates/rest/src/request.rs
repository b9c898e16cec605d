//! The URL grammar: query string to a request, names not yet resolved.

mod filter;
mod prefer;
mod query;
mod select;

pub(crate) use filter::{Condition, Operation};
pub(crate) use prefer::{Prefer, Returning, wants_object};
pub(crate) use query::{OrderKey, ReadRequest, Scope, parse};
pub(crate) use select::{Item, Selection};
