//! The texts of policies, and of the functions that they ask.

use lang::{Expr, PolicyCommand, Privilege, ddl_policy};
use sql::{Ident, Sql};

use super::wanted::Context;
use super::{Servers, sql, taken_function};
use crate::ddl::write_column_type;
use crate::{Policy, Table};

/// The policy that lets the server itself see and change every row; it is also the mark of a table
/// whose row security we look after.
pub(super) const SERVER: Ident = Ident::of("pilaster");
/// The policies that hide rows whose time has come, one for each command that meets rows.
const EXPIRY: [(Ident, &str); 3] = [
    (
        Ident::of("pilaster_expiry"),
        " as restrictive for select to ",
    ),
    (
        Ident::of("pilaster_expiry_update"),
        " as restrictive for update to ",
    ),
    (
        Ident::of("pilaster_expiry_delete"),
        " as restrictive for delete to ",
    ),
];

/// A function of the schema `auth`, by its name and what it gives.
struct Fact {
    name: Ident,
    head: &'static str,
    body: &'static str,
}

const FACTS: [Fact; 6] = [
    Fact {
        name: Ident::of("uid"),
        head: "() returns uuid",
        body: "select nullif(current_setting('pilaster.uid', true), '')::uuid",
    },
    Fact {
        name: Ident::of("role"),
        head: "() returns text",
        body: "select nullif(current_setting('pilaster.role', true), '')",
    },
    Fact {
        name: Ident::of("acr"),
        head: "() returns text",
        body: "select nullif(current_setting('pilaster.acr', true), '')",
    },
    Fact {
        name: Ident::of("claim"),
        head: "(text) returns text",
        body: "select nullif(current_setting('pilaster.claims', true), '')::json ->> $1",
    },
    Fact {
        name: Ident::of("has_scope"),
        head: "(text) returns boolean",
        body: "select coalesce(nullif(current_setting('pilaster.scopes', true), '')::jsonb ? $1, \
               false)",
    },
    // The server's clock, where it says what it is: a row that it has stamped is of the past.
    Fact {
        name: Ident::of("now"),
        head: "() returns timestamptz",
        body: "select coalesce(nullif(current_setting('pilaster.now', true), '')::timestamptz, \
               pg_catalog.now())",
    },
];

/// All functions, each with the statement that makes it.
pub(super) fn functions(context: Context<'_>) -> Vec<(Ident, Sql)> {
    let mut all: Vec<(Ident, Sql)> = FACTS.iter().map(fact).collect();
    all.push((Ident::of("has_role"), has_role(context)));
    all.push((Ident::of("is_server"), is_server(context.servers)));
    for table in &context.catalog.tables {
        let keys = table.primary_key.iter().map(|key| &key.columns);
        let keys = keys.chain(table.uniques.iter().map(|unique| &unique.columns));
        for key in keys {
            all.push((taken_function(&table.name, key), taken(table, key, context)));
        }
    }
    all
}

fn create(name: &Ident, head: &'static str) -> Sql {
    let mut create = sql();
    create.push("create or replace function auth.").ident(name);
    create.push(head).push(" language sql stable parallel safe");
    create
}

fn fact(fact: &Fact) -> (Ident, Sql) {
    let mut create = create(&fact.name, fact.head);
    create.push(" as ").quoted(fact.body);
    (fact.name.clone(), create)
}

/// By the names that the roles are declared with.
fn has_role(context: Context<'_>) -> Sql {
    let mut body = sql();
    body.push("select case $1");
    for role in &context.catalog.roles {
        body.push(" when ").quoted(role.name.as_str());
        body.push(" then pg_has_role(current_user, ");
        body.quoted(context.names.role(&role.name).as_str());
        body.push(", 'usage')");
    }
    body.push(" else false end");
    let mut create = create(&Ident::of("has_role"), "(text) returns boolean");
    create.push(" as ").quoted(body.text());
    create
}

/// Whether a statement is the server's own, not one that it runs as somebody's role.
fn is_server(servers: &Servers) -> Sql {
    let mut body = sql();
    body.push("select current_user in (");
    for (place, login) in servers.all.iter().enumerate() {
        body.push(if place == 0 { "" } else { ", " });
        body.quoted(login.as_str());
    }
    body.push(")");
    let mut create = create(&Ident::of("is_server"), "() returns boolean");
    create.push(" as ").quoted(body.text());
    create
}

/// Whether a row has that key, whoever may see it: nothing but what a unique index tells anyone who
/// tries to insert one.
fn taken(table: &Table, key: &[Ident], context: Context<'_>) -> Sql {
    let mut columns: Vec<&Ident> = key.iter().collect();
    columns.sort();
    let mut body = sql();
    body.push("select exists (select from ");
    body.column(&context.present.schema, &table.name);
    for (place, column) in columns.iter().enumerate() {
        body.push(if place == 0 { " where " } else { " and " });
        body.ident(column).push(" = $").number(place as u64 + 1);
    }
    body.push(")");
    let mut create = sql();
    create.push("create or replace function auth.");
    create.ident(&taken_function(&table.name, key)).push("(");
    for (place, column) in columns.iter().enumerate() {
        create.push(if place == 0 { "" } else { ", " });
        if let Some(column) = table.column(column.as_str()) {
            write_column_type(&mut create, column, table);
        }
    }
    create.push(") returns boolean language sql stable security definer set search_path = ");
    create.push("pg_catalog, pg_temp as ").quoted(body.text());
    create
}

/// The marking policy of a table.
pub(super) fn server(table: &Table, servers: &Servers) -> Sql {
    let mut create = sql();
    create.push("create policy ").ident(&SERVER);
    create.push(" on ").ident(&table.name).push(" to ");
    create.idents(&servers.all);
    create.push(" using (true) with check (true)");
    create
}

/// The declared policies, and that of rows that expire.
pub(super) fn of_table(table: &Table, context: Context<'_>) -> Vec<(Ident, Sql)> {
    let declared = table.policies.iter();
    let mut all: Vec<(Ident, Sql)> = declared
        .map(|policy| (policy.name.clone(), declared_policy(table, policy, context)))
        .collect();
    if let Some(column) = table.expiry() {
        for (name, kind) in EXPIRY {
            let create = expiry(table, &column.name, &name, kind, context);
            all.push((name, create));
        }
    }
    all
}

fn expiry(
    table: &Table,
    column: &Ident,
    name: &Ident,
    kind: &'static str,
    context: Context<'_>,
) -> Sql {
    let mut create = sql();
    create.push("create policy ").ident(name);
    create.push(" on ").ident(&table.name).push(kind);
    callers(&mut create, &[], context);
    create.push(" using ((select auth.is_server()) or ");
    create.ident(column).push(" is null or ");
    create.ident(column).push(" > (select auth.now()))");
    // A row may be given an end that is past.
    create.push(match kind.contains("update") {
        true => " with check (true)",
        false => "",
    });
    create
}

fn declared_policy(table: &Table, policy: &Policy, context: Context<'_>) -> Sql {
    let mut create = sql();
    create.push("create policy ").ident(&policy.name);
    create.push(" on ").ident(&table.name);
    create.push(match policy.permissive {
        true => " as permissive for ",
        false => " as restrictive for ",
    });
    create.push(match policy.command {
        PolicyCommand::All => "all",
        PolicyCommand::One(Privilege::Select) => "select",
        PolicyCommand::One(Privilege::Insert) => "insert",
        PolicyCommand::One(Privilege::Update) => "update",
        PolicyCommand::One(Privilege::Delete) => "delete",
    });
    create.push(" to ");
    callers(&mut create, &policy.roles, context);
    let mut rule = |word: &'static str, rule: Option<&Expr>| {
        if let Some(rule) = rule {
            create.push(word);
            if !policy.permissive {
                // A login that may become a role has its policies already, where it inherits them.
                create.push("(select auth.is_server()) or ");
            }
            ddl_policy(&mut create, rule, &table.name);
            create.push(")");
        }
    };
    rule(" using (", policy.using.as_ref());
    rule(" with check (", policy.check.as_ref());
    create
}

/// To whom: everybody is whoever has one of the roles that each caller has one of.
fn callers(sql: &mut Sql, declared: &[Ident], context: Context<'_>) {
    let base = [
        Ident::of("anon"),
        Ident::of("authenticated"),
        Ident::of("service"),
    ];
    let roles = if declared.is_empty() { &base } else { declared };
    let names: Vec<Ident> = roles.iter().map(|role| context.names.role(role)).collect();
    sql.idents(&names);
}
