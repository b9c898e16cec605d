//! Policies that PostgreSQL takes for a circle ("infinite recursion detected in policy").
//!
//! It follows the policies of what a policy asks, as far as they ask in turn, and refuses to come
//! back to a table that it comes from. A policy for reading that does so is refused when the schema
//! is read, on every engine; here are those for writing, which elsewhere have an end.

use std::collections::BTreeSet;

use lang::{PolicyCommand, Privilege, expression_reads};
use sql::Ident;

use crate::{Catalog, Policy, Table};

/// A table and its policy that comes back to it.
pub(super) fn first(catalog: &Catalog) -> Option<(&Ident, &Ident)> {
    catalog.tables.iter().find_map(|table| {
        let mut policies = table.policies.iter();
        let found = policies.find(|policy| comes_back(catalog, table, policy))?;
        Some((&table.name, &found.name))
    })
}

fn comes_back(catalog: &Catalog, table: &Table, policy: &Policy) -> bool {
    let mut seen = BTreeSet::new();
    let mut next: Vec<Ident> = asked(policy).into_iter().collect();
    while let Some(name) = next.pop() {
        let Some(other) = catalog.table(name.as_str()) else {
            continue;
        };
        let policies = other.policies.iter().filter(|policy| reads(policy));
        let further: BTreeSet<Ident> = policies.flat_map(asked).collect();
        if !further.is_empty() && other.name == table.name {
            return true;
        }
        if seen.insert(name) {
            next.extend(further);
        }
    }
    false
}

/// The tables that a policy asks.
fn asked(policy: &Policy) -> BTreeSet<Ident> {
    let rules = policy.using.iter().chain(&policy.check);
    rules.flat_map(|rule| expression_reads(rule).0).collect()
}

fn reads(policy: &Policy) -> bool {
    matches!(
        policy.command,
        PolicyCommand::All | PolicyCommand::One(Privilege::Select)
    )
}
