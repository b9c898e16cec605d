//! What there should be: things by their names, each with the text that makes it.

use std::collections::{BTreeMap, BTreeSet};

use sql::{Ident, Sql};

use super::policies;
use super::present::Present;
use super::privileges::{self, Columns, Granted};
use super::{NativeNames, Servers, sql};
use crate::Catalog;
use crate::migrate::checksum_of;

/// Up to so many declared roles every combination of them gets a role of its own beforehand.
const ALL_COMBINATIONS: usize = 6;

/// Something of ours in a database. In this order things are made; they are taken away in the
/// opposite one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Role(Ident),
    /// `grant role to member`
    Member {
        role: Ident,
        member: Ident,
    },
    /// `auth`
    Schema,
    /// A function of `auth`.
    Function(Ident),
    /// `grant usage on schema`
    Use {
        schema: Ident,
        role: Ident,
    },
    /// `grant privilege (column) on relation`
    Grant {
        relation: Ident,
        right: Right,
        column: Option<Ident>,
        role: Ident,
    },
    /// That a table's row security is on, and does not keep the server out.
    Security(Ident),
    Policy {
        table: Ident,
        name: Ident,
    },
}

/// A privilege on a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Right {
    Select,
    Insert,
    Update,
    Delete,
    /// Of a sequence.
    Usage,
}

/// How something is made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) sql: Sql,
    /// What tells it from another one of the same name, where it has a comment that says so.
    pub(super) hash: String,
}

/// All that there should be.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) things: BTreeMap<Thing, Made>,
}

impl Wanted {
    pub(super) fn new(
        catalog: &Catalog,
        names: &NativeNames,
        present: &Present,
        servers: &Servers,
        used: &[Vec<String>],
    ) -> Self {
        let mut wanted = Self::default();
        let context = Context {
            catalog,
            names,
            present,
            servers,
        };
        wanted.roles(context, used);
        wanted.functions(context);
        wanted.grants(context);
        wanted.policies(context);
        wanted
    }

    /// The role of one caller alone.
    pub(super) fn of_caller(
        roles: &[Ident],
        catalog: &Catalog,
        names: &NativeNames,
        present: &Present,
        servers: &Servers,
    ) -> Self {
        let mut wanted = Self::default();
        let context = Context {
            catalog,
            names,
            present,
            servers,
        };
        let (name, tops) = names.caller(catalog, roles);
        wanted.role(&name);
        if tops.len() > 1 {
            for top in &tops {
                wanted.member(&names.role(top), &name, context);
            }
        }
        if let Some(app) = &servers.app {
            wanted.member(&name, app, context);
        }
        wanted
    }

    fn add(&mut self, thing: Thing, sql: Sql) {
        let hash = checksum_of(sql.text())[..16].to_owned();
        self.things.insert(thing, Made { sql, hash });
    }

    fn roles(&mut self, context: Context<'_>, used: &[Vec<String>]) {
        let Context { catalog, names, .. } = context;
        for role in &catalog.roles {
            self.role(&names.role(&role.name));
            for inherited in &role.inherits {
                self.member(&names.role(inherited), &names.role(&role.name), context);
            }
        }
        let mut sets = combinations(catalog, used);
        sets.extend(context.present.combinations(catalog, names));
        for set in sets {
            let (name, tops) = names.caller(catalog, &set);
            if tops.len() > 1 {
                self.role(&name);
                for top in &tops {
                    self.member(&names.role(top), &name, context);
                }
            }
        }
        let made = self.things.keys().filter_map(|thing| match thing {
            Thing::Role(name) => Some(name.clone()),
            _ => None,
        });
        let made: Vec<Ident> = made.collect();
        if let Some(app) = &context.servers.app {
            for role in &made {
                self.member(role, app, context);
            }
        }
    }

    fn role(&mut self, name: &Ident) {
        let mut create = sql();
        create
            .push("create role ")
            .ident(name)
            .push(" nologin nosuperuser nocreatedb nocreaterole inherit noreplication nobypassrls");
        self.add(Thing::Role(name.clone()), create);
    }

    fn member(&mut self, role: &Ident, member: &Ident, context: Context<'_>) {
        let mut grant = sql();
        grant.push("grant ").ident(role).push(" to ").ident(member);
        let is_server = context.servers.all.contains(member);
        if context.present.grants_have_options && is_server {
            // It becomes the role for a transaction, and has nothing of it before.
            grant.push(" with inherit false, set true");
        }
        let thing = Thing::Member {
            role: role.clone(),
            member: member.clone(),
        };
        self.add(thing, grant);
    }

    fn functions(&mut self, context: Context<'_>) {
        let mut schema = sql();
        schema.push("create schema auth");
        self.add(Thing::Schema, schema);
        for (name, create) in policies::functions(context) {
            self.add(Thing::Function(name), create);
        }
    }

    fn grants(&mut self, context: Context<'_>) {
        let mut schemas = vec![Ident::of("auth")];
        if !context.present.is_open {
            schemas.push(context.present.schema.clone());
        }
        for (declared, relations) in privileges::of(context.catalog) {
            let role = context.names.role(&declared);
            for schema in &schemas {
                let mut usage = sql();
                usage.push("grant usage on schema ").ident(schema);
                usage.push(" to ").ident(&role);
                let thing = Thing::Use {
                    schema: schema.clone(),
                    role: role.clone(),
                };
                self.add(thing, usage);
            }
            for (relation, granted) in relations {
                self.granted(&relation, &granted, &role, context);
            }
        }
    }

    fn granted(&mut self, relation: &Ident, granted: &Granted, role: &Ident, context: Context<'_>) {
        for (right, columns) in [
            (Right::Select, &granted.select),
            (Right::Insert, &granted.insert),
            (Right::Update, &granted.update),
        ] {
            match columns {
                Columns::All => self.grant(relation, right, None, role),
                Columns::Some(columns) => {
                    for column in columns {
                        self.grant(relation, right, Some(column), role);
                    }
                }
            }
        }
        if granted.delete {
            self.grant(relation, Right::Delete, None, role);
        }
        if granted.insert != Columns::default() {
            let own = context.present.sequences.iter();
            for (_, sequence) in own.filter(|(table, _)| table == relation) {
                self.grant(sequence, Right::Usage, None, role);
            }
        }
    }

    fn grant(&mut self, relation: &Ident, right: Right, column: Option<&Ident>, role: &Ident) {
        let mut grant = sql();
        grant.push("grant ");
        right.write(&mut grant, relation, column);
        grant.push(" to ").ident(role);
        let thing = Thing::Grant {
            relation: relation.clone(),
            right,
            column: column.cloned(),
            role: role.clone(),
        };
        self.add(thing, grant);
    }

    /// Those of every table of which any role is granted anything.
    fn policies(&mut self, context: Context<'_>) {
        let granted: BTreeSet<Ident> = self
            .things
            .keys()
            .filter_map(|thing| match thing {
                Thing::Grant { relation, .. } => Some(relation.clone()),
                _ => None,
            })
            .collect();
        let tables = context.catalog.tables.iter();
        for table in tables.filter(|table| granted.contains(&table.name)) {
            let server = policies::server(table, context.servers);
            self.add(Thing::Security(table.name.clone()), server);
            for (name, create) in policies::of_table(table, context) {
                let table = table.name.clone();
                self.add(Thing::Policy { table, name }, create);
            }
        }
    }
}

/// What texts are made from.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) names: &'a NativeNames,
    pub(super) present: &'a Present,
    pub(super) servers: &'a Servers,
}

impl Right {
    pub(super) const ALL: [(Self, &'static str); 5] = [
        (Self::Select, "SELECT"),
        (Self::Insert, "INSERT"),
        (Self::Update, "UPDATE"),
        (Self::Delete, "DELETE"),
        (Self::Usage, "USAGE"),
    ];

    /// `select ("a") on "t"`, for GRANT and REVOKE.
    pub(super) fn write(self, sql: &mut Sql, relation: &Ident, column: Option<&Ident>) {
        sql.push(match self {
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Usage => "usage",
        });
        if let Some(column) = column {
            sql.push(" (").ident(column).push(")");
        }
        sql.push(match self {
            Self::Usage => " on sequence ",
            Self::Select | Self::Insert | Self::Update | Self::Delete => " on ",
        });
        sql.ident(relation);
    }
}

/// The sets of roles that a signed-in caller may have, everything inherited included.
fn combinations(catalog: &Catalog, used: &[Vec<String>]) -> Vec<Vec<Ident>> {
    let base = [
        Ident::of("anon"),
        Ident::of("authenticated"),
        Ident::of("service"),
    ];
    let roles = catalog.roles.iter().map(|role| &role.name);
    let declared: Vec<&Ident> = roles.clone().filter(|name| !base.contains(name)).collect();
    let mut own: Vec<Vec<&Ident>> = match declared.len() <= ALL_COMBINATIONS {
        true => (0_u32..1 << declared.len())
            .map(|bits| {
                let places = declared.iter().enumerate();
                let chosen = places.filter(|(place, _)| bits >> place & 1 == 1);
                chosen.map(|(_, name)| *name).collect()
            })
            .collect(),
        false => declared.iter().map(|name| vec![*name]).collect(),
    };
    own.extend(used.iter().map(|set| {
        let known = roles.clone();
        let held = known.filter(|name| set.iter().any(|held| **name == *held.as_str()));
        held.collect::<Vec<_>>()
    }));
    let whole = own.into_iter().map(|set| {
        let start = set.into_iter().chain([&base[1]]);
        let mut whole: Vec<Ident> = start.flat_map(|role| catalog.inherited(role)).collect();
        whole.sort();
        whole.dedup();
        whole
    });
    let whole: BTreeSet<Vec<Ident>> = whole.collect();
    whole.into_iter().collect()
}
