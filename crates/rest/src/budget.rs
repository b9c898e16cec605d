//! What a set of roles may do and how much, worked out once for each set.

use std::time::Duration;

use lang::RoleLimit;
use schema::Catalog;

use crate::access::Access;
use crate::api::KnownReads;
use crate::{Limits, RoleSet};

/// What a set of roles may do, and how much of it in one request.
pub(crate) struct Rights {
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    /// Reads that were planned for them before.
    pub(crate) known: KnownReads,
}

impl Rights {
    pub(crate) fn of(catalog: &Catalog, roles: &RoleSet, everybody: Limits) -> Self {
        Self {
            access: Access::of(catalog, roles),
            limits: limits(catalog, roles, everybody),
            known: KnownReads::new(),
        }
    }
}

/// Of each limit the most generous value that a role says; that of everybody where none does.
fn limits(catalog: &Catalog, roles: &RoleSet, everybody: Limits) -> Limits {
    let own = |limit: RoleLimit| {
        let ours = catalog.roles.iter().filter(|role| roles.has(&role.name));
        let settings = ours.flat_map(|role| &role.settings);
        let values = settings.filter(|setting| setting.limit == limit);
        values.map(|setting| setting.value).max()
    };
    let rows = |limit, otherwise| own(limit).map_or(otherwise, u64::from);
    let count = |limit, otherwise| {
        own(limit).map_or(otherwise, |value| {
            usize::try_from(value).unwrap_or(usize::MAX)
        })
    };
    let is_on = |limit, otherwise| own(limit).map_or(otherwise, |value| value > 0);
    let max_rows = rows(RoleLimit::MaxRows, everybody.max_rows);
    Limits {
        // Who asks for no number gets no more than who asks.
        default_rows: rows(RoleLimit::DefaultRows, everybody.default_rows).min(max_rows),
        max_rows,
        max_nodes: count(RoleLimit::MaxNodes, everybody.max_nodes),
        max_depth: count(RoleLimit::MaxDepth, everybody.max_depth),
        max_insert_rows: count(RoleLimit::MaxInsertRows, everybody.max_insert_rows),
        max_related_rows: rows(RoleLimit::MaxRelatedRows, everybody.max_related_rows),
        max_count: rows(RoleLimit::MaxCount, everybody.max_count),
        max_response_bytes: count(RoleLimit::MaxResponseBytes, everybody.max_response_bytes),
        aggregates: is_on(RoleLimit::Aggregates, everybody.aggregates),
        plans: is_on(RoleLimit::Plans, everybody.plans),
        statement_timeout: own(RoleLimit::StatementTimeout)
            .map(|millis| Duration::from_millis(millis.into()))
            .or(everybody.statement_timeout),
    }
}
