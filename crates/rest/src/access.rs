//! What a set of roles may do: grants merged, policies combined, once for each set.

use std::cell::Cell;
use std::collections::HashMap;

use lang::{
    AuthFunction, BinaryOp, Environment, Expr, ExprKind, Literal, PolicyCommand, Privilege, Span,
    Type,
};
use schema::{Catalog, Column, Policy, Table, View};
use sql::{Ident, Value};
use uuid::Uuid;

use crate::plan::facts::{Fact, Facts};
use crate::{Caller, Moment, RoleSet};

/// What a set of roles may do with every table.
pub(crate) struct Access {
    tables: HashMap<Ident, TableAccess>,
}

/// What a set of roles may do with one table.
pub(crate) struct TableAccess {
    select: Vec<Ident>,
    insert: Vec<Ident>,
    update: Vec<Ident>,
    /// Whether rows may be deleted at all.
    pub(crate) delete: bool,
    /// Which rows may be read.
    pub(crate) read: Expr,
    /// Which rows may be changed.
    pub(crate) update_using: Expr,
    /// What a changed row must satisfy.
    pub(crate) update_check: Expr,
    /// Which rows may be deleted.
    pub(crate) delete_using: Expr,
    /// What a new row must satisfy.
    pub(crate) insert_check: Expr,
}

impl Access {
    pub(crate) fn of(catalog: &Catalog, roles: &RoleSet) -> Self {
        let tables = catalog.tables.iter();
        let mut access = Self {
            tables: tables
                .map(|table| (table.name.clone(), TableAccess::of(table, roles)))
                .collect(),
        };
        // Each stands behind those that it reads.
        for view in &catalog.views {
            let own = TableAccess::of_view(view, roles, access.missing(view).is_none());
            access.tables.insert(view.name().clone(), own);
        }
        access
    }

    /// A table beneath a view, or a column of it, that these roles may not read.
    pub(crate) fn missing(&self, view: &View) -> Option<(Ident, Option<Ident>)> {
        if !view.definition.security_invoker {
            return None;
        }
        let (tables, columns) = view.query.reads();
        let columns = columns
            .into_iter()
            .map(|(table, column)| (table, Some(column)));
        let tables = tables.into_iter().map(|table| (table, None));
        let mut needed = columns.chain(tables);
        needed.find(|(table, column)| !self.may_read(table, column.as_ref()))
    }

    /// Whether a column may be read; without one, whether any of the table may: who counts rows
    /// names none.
    pub(crate) fn may_read(&self, table: &Ident, column: Option<&Ident>) -> bool {
        let access = self.table(table.as_str());
        access.is_some_and(|access| match column {
            Some(column) => access.readable().contains(column),
            None => !access.readable().is_empty(),
        })
    }

    pub(crate) fn table(&self, name: &str) -> Option<&TableAccess> {
        self.tables.get(name)
    }
}

impl TableAccess {
    fn of(table: &Table, roles: &RoleSet) -> Self {
        let columns = |privilege: Privilege| {
            let grants = || {
                table
                    .grants
                    .iter()
                    .filter(|g| g.privilege == privilege && roles.has(&g.role))
            };
            let granted = |column: &Ident| {
                grants().any(|grant| match &grant.columns {
                    None => true,
                    Some(columns) => columns.contains(column),
                })
            };
            let is_write = matches!(privilege, Privilege::Insert | Privilege::Update);
            let writable = |column: &&Column| !(is_write && column.generated.is_some());
            let all = table.columns.iter().filter(writable);
            all.map(|column| &column.name)
                .filter(|name| granted(name))
                .cloned()
                .collect::<Vec<_>>()
        };
        let using = |privilege| combine(table, roles, privilege, |policy| policy.using.as_ref());
        let check = |privilege| {
            combine(table, roles, privilege, |policy| {
                policy.check.as_ref().or(policy.using.as_ref())
            })
        };
        // A row that has expired is there for nobody, even before it is purged.
        let alive = |rule: Expr| match table.expiry() {
            Some(column) => join(BinaryOp::And, alive(column), rule),
            None => rule,
        };
        Self {
            select: columns(Privilege::Select),
            insert: columns(Privilege::Insert),
            update: columns(Privilege::Update),
            delete: !columns(Privilege::Delete).is_empty(),
            read: alive(using(Privilege::Select)),
            update_using: using(Privilege::Update),
            update_check: check(Privilege::Update),
            delete_using: using(Privilege::Delete),
            insert_check: check(Privilege::Insert),
        }
    }

    /// Every column may be read, and nothing written: what a query gives to whom it may be given.
    pub(crate) fn whole(table: &Table) -> Self {
        let mut access = Self::of(table, &RoleSet::none());
        access.select = table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        access.read = constant(true);
        access
    }

    /// A view: its grants say which columns, and its query, into which the policies of the tables
    /// go, says which rows.
    fn of_view(view: &View, roles: &RoleSet, may_read_beneath: bool) -> Self {
        let mut access = Self::of(&view.relation, roles);
        access.read = constant(true);
        if !may_read_beneath {
            access.select.clear();
        }
        access
    }

    /// The columns that may be read, in the table's order.
    pub(crate) fn readable(&self) -> &[Ident] {
        &self.select
    }

    /// The columns that an insert may name.
    pub(crate) fn insertable(&self) -> &[Ident] {
        &self.insert
    }

    /// The columns that an update may name.
    pub(crate) fn updatable(&self) -> &[Ident] {
        &self.update
    }

    /// Whether the table exists for these roles.
    pub(crate) fn is_visible(&self) -> bool {
        !self.select.is_empty() || !self.insert.is_empty() || !self.update.is_empty() || self.delete
    }
}

/// PostgreSQL's rule (CREATE POLICY): permissive ones are OR-ed, restrictive ones AND-ed to that,
/// and without a permissive one nothing passes. A policy that says nothing about this command's
/// rows (`FOR UPDATE WITH CHECK` alone says nothing about those that are there) has no part in it.
fn combine<'t>(
    table: &'t Table,
    roles: &RoleSet,
    privilege: Privilege,
    rule: impl Fn(&'t Policy) -> Option<&'t Expr>,
) -> Expr {
    let concerns = |policy: &&Policy| {
        let command = match policy.command {
            PolicyCommand::All => true,
            PolicyCommand::One(one) => one == privilege,
        };
        command && (policy.roles.is_empty() || policy.roles.iter().any(|role| roles.has(role)))
    };
    let rules = |permissive: bool| {
        table
            .policies
            .iter()
            .filter(concerns)
            .filter(move |policy| policy.permissive == permissive)
            .filter_map(|policy| rule(policy).cloned())
            .collect::<Vec<_>>()
    };
    let permitted = rules(true)
        .into_iter()
        .reduce(|left, right| join(BinaryOp::Or, left, right));
    rules(false).into_iter().fold(
        permitted.unwrap_or_else(|| constant(false)),
        |left, right| join(BinaryOp::And, left, right),
    )
}

/// `expires_at is null or expires_at > now()`
fn alive(column: &Column) -> Expr {
    let own = Expr {
        kind: ExprKind::Column {
            binding: 0,
            column: column.name.clone(),
        },
        ty: Some(column.ty.clone()),
        nullable: column.nullable,
        span: Span::default(),
    };
    let now = Expr {
        kind: ExprKind::Now,
        nullable: false,
        ..own.clone()
    };
    let later = Expr {
        kind: ExprKind::Binary(BinaryOp::Gt, Box::new(own.clone()), Box::new(now)),
        ..constant(true)
    };
    let unset = Expr {
        kind: ExprKind::IsNull {
            operand: Box::new(own),
            negated: false,
        },
        ..constant(true)
    };
    match column.nullable {
        true => join(BinaryOp::Or, unset, later),
        false => later,
    }
}

pub(crate) fn constant(value: bool) -> Expr {
    Expr {
        kind: ExprKind::Literal(Literal::Bool(value)),
        ty: Some(Type::Boolean),
        nullable: false,
        span: Span::default(),
    }
}

/// Joins two conditions, leaving out what decides nothing.
pub(crate) fn join(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let neutral = op == BinaryOp::And;
    match (as_constant(&left), as_constant(&right)) {
        (Some(value), _) if value == neutral => right,
        (_, Some(value)) if value == neutral => left,
        (Some(value), _) | (_, Some(value)) => constant(value),
        (None, None) => Expr {
            nullable: left.nullable || right.nullable,
            kind: ExprKind::Binary(op, Box::new(left), Box::new(right)),
            ty: Some(Type::Boolean),
            span: Span::default(),
        },
    }
}

/// The condition's value where it has only one.
pub(crate) fn as_constant(expr: &Expr) -> Option<bool> {
    match expr.kind {
        ExprKind::Literal(Literal::Bool(value)) => Some(value),
        _ => None,
    }
}

/// What a statement knows of its request.
pub(crate) struct RequestEnvironment<'a> {
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) moment: Moment<'a>,
    /// `None`: no rules apply (`@security definer`, hooks, seeds).
    pub(crate) access: Option<&'a Access>,
    pub(crate) parameters: &'a [Value],
    /// The last id that was made, to read a new row back.
    pub(crate) last_id: Cell<Option<Uuid>>,
    /// Whether ids are the last one again.
    pub(crate) reading_back: Cell<bool>,
    /// Whether the engine applies policies of its own to the statement.
    pub(crate) is_native: bool,
    /// Where it is taken down what is bound, if somebody wants to know.
    pub(crate) facts: Option<&'a Facts>,
}

impl<'a> RequestEnvironment<'a> {
    pub(crate) fn new(
        caller: Option<&'a Caller>,
        moment: Moment<'a>,
        access: Option<&'a Access>,
        parameters: &'a [Value],
    ) -> Self {
        let last_id = Cell::new(None);
        Self {
            caller,
            moment,
            access,
            parameters,
            last_id,
            reading_back: Cell::new(false),
            is_native: false,
            facts: None,
        }
    }

    /// The same where the engine applies policies of its own.
    pub(crate) fn native(mut self, is_native: bool) -> Self {
        self.is_native = is_native;
        self
    }

    /// The same, taking down what is bound.
    pub(crate) fn telling(mut self, facts: Option<&'a Facts>) -> Self {
        self.facts = facts;
        self
    }
}

impl Environment for RequestEnvironment<'_> {
    fn auth(&self, function: &AuthFunction) -> Value {
        let Some(caller) = self.caller else {
            return Value::Null;
        };
        let claim = |name: &str| match caller.claims.get(name) {
            None | Some(serde_json::Value::Null) => Value::Null,
            Some(serde_json::Value::String(text)) => Value::Text(text.clone()),
            Some(other) => Value::Text(other.to_string()),
        };
        match function {
            AuthFunction::Uid => caller.user.into(),
            AuthFunction::Role => Value::from(caller.base_role.name()),
            AuthFunction::HasRole(role) => {
                Value::Bool(Ident::new(role).is_ok_and(|role| caller.roles.has(&role)))
            }
            AuthFunction::HasScope(scope) => Value::Bool(caller.scopes.contains(scope)),
            AuthFunction::Claim(name) => claim(name),
            AuthFunction::Acr => caller.acr.clone().into(),
        }
    }

    fn now(&self) -> jiff::Timestamp {
        self.moment.now
    }

    fn new_id(&self, ordered: bool) -> Uuid {
        if let (true, Some(id)) = (self.reading_back.get(), self.last_id.get()) {
            return id;
        }
        let id = new_id(&self.moment, ordered);
        self.last_id.set(Some(id));
        id
    }

    fn parameter(&self, index: usize) -> Value {
        self.parameters.get(index).cloned().unwrap_or(Value::Null)
    }

    fn bound(&self, place: usize, fact: &ExprKind) {
        if let Some(facts) = self.facts {
            facts.add(place, Fact::Told(fact.clone()));
        }
    }

    fn row_filter(&self, table: &Ident) -> Option<&Expr> {
        let access = self.access?;
        let read = access.table(table.as_str()).map(|table| &table.read)?;
        if as_constant(read) == Some(true) {
            None
        } else {
            Some(read)
        }
    }

    fn reads_open_views(&self) -> bool {
        self.is_native
    }
}

/// A fresh id: by time, or random (RFC 9562 §5.7, §5.4).
pub(crate) fn new_id(moment: &Moment<'_>, ordered: bool) -> Uuid {
    if ordered {
        return stdx::new_id(moment.clock, moment.rng);
    }
    uuid::Builder::from_random_bytes(moment.rng.bytes()).into_uuid()
}
