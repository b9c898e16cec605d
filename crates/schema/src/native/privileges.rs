//! What each role is granted: what is declared, and what its statements read besides.
//!
//! A statement carries its rules, so the role that runs it has to be able to read what they look
//! at: the columns of the row, the tables that a policy asks and what those ask in turn. It reads
//! rows by their keys, and fills in what the server gives to a new row.

use std::collections::{BTreeMap, BTreeSet};

use lang::{Expr, Privilege, Type, expression_reads};
use sql::Ident;

use crate::{Catalog, Grant, Table};

/// What is granted of one table or view to one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) select: Columns,
    pub(super) insert: Columns,
    pub(super) update: Columns,
    pub(super) delete: bool,
}

/// All columns, or some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    All,
    Some(BTreeSet<Ident>),
}

impl Default for Columns {
    fn default() -> Self {
        Self::Some(BTreeSet::new())
    }
}

impl Columns {
    fn add(&mut self, more: impl IntoIterator<Item = Ident>) {
        if let Self::Some(columns) = self {
            columns.extend(more);
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::Some(columns) if columns.is_empty())
    }
}

/// By role, then by table or view.
pub(super) type Privileges = BTreeMap<Ident, BTreeMap<Ident, Granted>>;

/// What the declared roles are granted.
pub(super) fn of(catalog: &Catalog) -> Privileges {
    let mut all = Privileges::new();
    for role in &catalog.roles {
        let mut own = BTreeMap::new();
        for relation in catalog.relations() {
            let grants = relation.grants.iter().filter(|one| one.role == role.name);
            let grants: Vec<&Grant> = grants.collect();
            if !grants.is_empty() {
                declared(catalog, relation, &grants, &mut own);
            }
        }
        all.insert(role.name.clone(), own);
    }
    all
}

fn declared(
    catalog: &Catalog,
    table: &Table,
    grants: &[&Grant],
    own: &mut BTreeMap<Ident, Granted>,
) {
    let granted = own.entry(table.name.clone()).or_default();
    for grant in grants {
        let columns = match grant.privilege {
            Privilege::Select => &mut granted.select,
            Privilege::Insert => &mut granted.insert,
            Privilege::Update => &mut granted.update,
            Privilege::Delete => {
                granted.delete = true;
                continue;
            }
        };
        match &grant.columns {
            None => *columns = Columns::All,
            Some(names) => columns.add(names.iter().cloned()),
        }
    }
    if catalog.view(table.name.as_str()).is_some() {
        return;
    }
    let looked_at = looked_at(table);
    let counted = table
        .columns
        .iter()
        .filter(|column| is_number(&column.ty) && may(&granted.update, &column.name));
    // `likes+` reads what it adds to.
    let counted: Vec<Ident> = counted.map(|column| column.name.clone()).collect();
    let finds = granted.delete || !granted.update.is_none() || !granted.select.is_none();
    if finds {
        granted.select.add(looked_at.iter().cloned().chain(counted));
    }
    if !granted.insert.is_none() {
        let filled = table
            .columns
            .iter()
            .filter(|column| column.default.is_some());
        let filled = filled.map(|column| column.name.clone());
        granted.insert.add(filled.chain(looked_at));
        if let Columns::Some(columns) = &mut granted.insert {
            columns.retain(|name| {
                let column = table.column(name.as_str());
                column.is_some_and(|column| column.generated.is_none())
            });
        }
    }
    let mut seen = BTreeSet::new();
    asked(catalog, table, own, &mut seen);
}

/// Adds what the policies of a table read in other ones.
fn asked(
    catalog: &Catalog,
    table: &Table,
    own: &mut BTreeMap<Ident, Granted>,
    seen: &mut BTreeSet<Ident>,
) {
    if !seen.insert(table.name.clone()) {
        return;
    }
    for rule in rules(table) {
        let (tables, columns) = expression_reads(rule);
        for (name, column) in columns {
            let granted = own.entry(name).or_default();
            granted.select.add([column]);
        }
        for name in tables {
            let Some(other) = catalog.table(name.as_str()) else {
                // A view of which rows alone are counted.
                let view = catalog.view(name.as_str()).into_iter();
                let first = view.filter_map(|view| view.relation.columns.first());
                let first: Vec<Ident> = first.map(|column| column.name.clone()).collect();
                own.entry(name).or_default().select.add(first);
                continue;
            };
            let looked_at = looked_at(other);
            own.entry(name).or_default().select.add(looked_at);
            asked(catalog, other, own, seen);
        }
    }
}

/// The columns that any statement over a table's rows looks at: its key, what its policies read,
/// the moment at which a row expires; at least one.
fn looked_at(table: &Table) -> BTreeSet<Ident> {
    let key = table.primary_key.iter().flat_map(|key| key.columns.clone());
    let mut columns: BTreeSet<Ident> = key.collect();
    columns.extend(rules(table).flat_map(Expr::row_columns));
    columns.extend(table.expiry().map(|column| column.name.clone()));
    if columns.is_empty() {
        columns.extend(table.columns.first().map(|column| column.name.clone()));
    }
    columns
}

fn rules(table: &Table) -> impl Iterator<Item = &Expr> {
    let policies = table.policies.iter();
    policies.flat_map(|policy| policy.using.iter().chain(&policy.check))
}

fn may(columns: &Columns, column: &Ident) -> bool {
    match columns {
        Columns::All => true,
        Columns::Some(columns) => columns.contains(column),
    }
}

fn is_number(ty: &Type) -> bool {
    matches!(
        ty,
        Type::SmallInt
            | Type::Integer
            | Type::BigInt
            | Type::Real
            | Type::Double
            | Type::Numeric { .. }
    )
}
