//! What there is, asked of PostgreSQL's catalogue.

use std::collections::{BTreeMap, BTreeSet};

use sql::{DbResult, Ident, Tx};

use super::policies::SERVER;
use super::wanted::{Right, Thing, Wanted};
use super::{NativeNames, sql};
use crate::Catalog;
use crate::inspect::texts;

/// How the comment of a policy, a function or the schema of ours begins.
pub(super) const MARK: &str = "pilaster";
/// What it says of a table whose row security was on before.
pub(super) const WAS_ON: &str = "pilaster was on";

/// A database as we find it.
pub(super) struct Present {
    /// Who asks.
    pub(super) login: Ident,
    /// Where the tables are.
    pub(super) schema: Ident,
    /// Whether a membership says itself what it is good for (PostgreSQL 16).
    pub(super) grants_have_options: bool,
    /// What the login may do.
    pub(super) may: May,
    /// Whether everybody may use the schema that the tables are in.
    pub(super) is_open: bool,
    /// Ours, each with what tells it from another one of the same name.
    pub(super) things: BTreeMap<Thing, String>,
    /// Tables and the sequences that number their rows by a default.
    pub(super) sequences: Vec<(Ident, Ident)>,
    /// Tables whose row security is on.
    pub(super) secured: BTreeSet<Ident>,
    /// Those of them where it was on before us.
    pub(super) was_on: BTreeSet<Ident>,
    /// Tables that belong to others, and to whom.
    pub(super) of_others: BTreeMap<Ident, String>,
    /// Policies of others.
    pub(super) policies: BTreeSet<(Ident, Ident)>,
    /// What others made that could be in the way, each in words.
    pub(super) strange: Strange,
}

/// What a login may do.
pub(super) struct May {
    pub(super) make_roles: bool,
    pub(super) make_schemas: bool,
}

/// What others made.
#[derive(Default)]
pub(super) struct Strange {
    /// Roles with names of ours that are not ours, or not any more.
    pub(super) roles: Vec<String>,
    /// That there is a schema `auth` of theirs.
    pub(super) schema: bool,
    /// What they put into ours.
    pub(super) inside: Vec<String>,
    /// Privileges that they gave to roles of ours.
    pub(super) privileges: Vec<String>,
}

/// The names of our roles.
pub(super) async fn roles(tx: &mut Tx, names: &NativeNames) -> DbResult<Vec<Ident>> {
    let mut query = sql();
    query.push("select rolname::text from pg_roles where shobj_description(oid, 'pg_authid') = ");
    query.quoted(&names.mark());
    let found = texts(tx, query).await?;
    Ok(found.iter().filter_map(|[name]| ident(name)).collect())
}

fn ident(name: &str) -> Option<Ident> {
    Ident::new(name).ok()
}

impl Present {
    pub(super) async fn of(tx: &mut Tx, names: &NativeNames) -> DbResult<Self> {
        let mut present = Self::login(tx).await?;
        present.roles(tx, names).await?;
        present.members(tx).await?;
        present.schema(tx).await?;
        present.tables(tx).await?;
        present.grants(tx).await?;
        present.policies(tx).await?;
        Ok(present)
    }

    async fn login(tx: &mut Tx) -> DbResult<Self> {
        let mut query = sql();
        query.push(
            "select current_user::text, coalesce(current_schema()::text, 'public'), \
             case when current_setting('server_version_num')::integer >= 160000 then 'yes' end, \
             case when rolcreaterole or rolsuper then 'yes' end, \
             case when has_database_privilege(current_database(), 'create') then 'yes' end, \
             case when has_schema_privilege('public', current_schema(), 'usage') then 'yes' end \
             from pg_roles where rolname = current_user",
        );
        let [login, schema, options, makes_roles, makes_schemas, is_open] =
            texts(tx, query).await?.pop().unwrap_or_default();
        let named = |name: &str, other: Ident| ident(name).unwrap_or(other);
        Ok(Self {
            login: named(&login, Ident::of("postgres")),
            schema: named(&schema, Ident::of("public")),
            grants_have_options: options == "yes",
            may: May {
                make_roles: makes_roles == "yes",
                make_schemas: makes_schemas == "yes",
            },
            is_open: is_open == "yes",
            things: BTreeMap::new(),
            sequences: Vec::new(),
            secured: BTreeSet::new(),
            was_on: BTreeSet::new(),
            of_others: BTreeMap::new(),
            policies: BTreeSet::new(),
            strange: Strange::default(),
        })
    }

    async fn roles(&mut self, tx: &mut Tx, names: &NativeNames) -> DbResult<()> {
        let mut query = sql();
        query.push(
            "select rolname::text, case when rolcanlogin or rolsuper or rolcreaterole \
             or rolcreatedb or rolreplication or rolbypassrls then 'yes' end, \
             shobj_description(oid, 'pg_authid') from pg_roles where rolname ~ ",
        );
        query.quoted(&names.pattern());
        for [name, is_more, comment] in texts(tx, query).await? {
            let Some(role) = ident(&name) else { continue };
            match (comment == names.mark(), is_more == "yes") {
                (true, false) => {
                    self.things.insert(Thing::Role(role), String::new());
                }
                (true, true) => self.strange.roles.push(format!(
                    "the role {name} may log in or do more than Pilaster has let it"
                )),
                (false, _) => self
                    .strange
                    .roles
                    .push(format!("there is a role {name} that Pilaster has not made")),
            }
        }
        Ok(())
    }

    fn has_role(&self, name: &str) -> bool {
        ident(name).is_some_and(|role| self.things.contains_key(&Thing::Role(role)))
    }

    async fn members(&mut self, tx: &mut Tx) -> DbResult<()> {
        let mut query = sql();
        query.push(
            "select r.rolname::text, m.rolname::text from pg_auth_members a \
             join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member \
             where r.rolname like 'pilaster\\_%'",
        );
        if self.grants_have_options {
            // Who made a role may give it away, and is not a member by that alone.
            query.push(" and (a.set_option or a.inherit_option)");
        }
        for [role, member] in texts(tx, query).await? {
            if let (true, Some(role), Some(member)) =
                (self.has_role(&role), ident(&role), ident(&member))
            {
                let thing = Thing::Member { role, member };
                self.things.insert(thing, String::new());
            }
        }
        Ok(())
    }

    async fn schema(&mut self, tx: &mut Tx) -> DbResult<()> {
        let mut query = sql();
        query.push(
            "select obj_description(oid, 'pg_namespace') from pg_namespace \
             where nspname = 'auth'",
        );
        match texts(tx, query).await?.pop() {
            None => return Ok(()),
            Some([mark]) if mark == MARK => {
                self.things.insert(Thing::Schema, String::new());
            }
            Some(_) => {
                self.strange.schema = true;
                return Ok(());
            }
        }
        let mut query = sql();
        query.push(
            "select proname::text, obj_description(oid, 'pg_proc'), md5(concat_ws('/', prosrc, \
             prosecdef, provolatile, proparallel, array_to_string(proconfig, ','))) \
             from pg_proc where pronamespace = 'auth'::regnamespace",
        );
        for [name, comment, state] in texts(tx, query).await? {
            match (hash(&comment, &state), ident(&name)) {
                (Some(hash), Some(name)) => {
                    self.things.insert(Thing::Function(name), hash);
                }
                _ => self
                    .strange
                    .inside
                    .push(format!("the function auth.{name}")),
            }
        }
        let mut query = sql();
        query.push(
            "select relname::text from pg_class where relnamespace = 'auth'::regnamespace \
             and relkind in ('r', 'p', 'v', 'm', 'S', 'f')",
        );
        let inside = texts(tx, query).await?;
        let named = inside.iter().map(|[name]| format!("auth.{name}"));
        self.strange.inside.extend(named);
        Ok(())
    }

    async fn tables(&mut self, tx: &mut Tx) -> DbResult<()> {
        let mut query = sql();
        query.push(
            "select relname::text, case when relrowsecurity then 'yes' end, \
             case when not pg_has_role(relowner, 'usage') then relowner::regrole::text end \
             from pg_class where relnamespace = current_schema()::regnamespace \
             and relkind in ('r', 'p', 'v', 'm')",
        );
        for [name, is_secured, owner] in texts(tx, query).await? {
            let Some(table) = ident(&name) else { continue };
            if is_secured == "yes" {
                self.secured.insert(table.clone());
                // Until a mark says otherwise.
                self.was_on.insert(table.clone());
            }
            if !owner.is_empty() {
                self.of_others.insert(table, owner);
            }
        }
        let mut query = sql();
        query.push(
            "select t.relname::text, s.relname::text from pg_depend d \
             join pg_class s on s.oid = d.objid and s.relkind = 'S' \
             join pg_class t on t.oid = d.refobjid where d.classid = 'pg_class'::regclass \
             and d.refclassid = 'pg_class'::regclass and d.deptype = 'a' \
             and t.relnamespace = current_schema()::regnamespace",
        );
        for [table, sequence] in texts(tx, query).await? {
            self.sequences.extend(ident(&table).zip(ident(&sequence)));
        }
        Ok(())
    }

    async fn grants(&mut self, tx: &mut Tx) -> DbResult<()> {
        let mut query = sql();
        query.push(
            "select n.nspname::text, r.rolname::text from pg_namespace n \
             cross join lateral aclexplode(n.nspacl) a join pg_roles r on r.oid = a.grantee \
             where r.rolname like 'pilaster\\_%' and a.privilege_type = 'USAGE'",
        );
        for [schema, role] in texts(tx, query).await? {
            if let (true, Some(schema), Some(role)) =
                (self.has_role(&role), ident(&schema), ident(&role))
            {
                let thing = Thing::Use { schema, role };
                self.things.insert(thing, String::new());
            }
        }
        let mut query = sql();
        query.push(
            "select g.relation, g.privilege, g.attribute, r.rolname::text from (\
             select c.relname::text as relation, a.privilege_type as privilege, \
             null as attribute, a.grantee from pg_class c cross join lateral \
             aclexplode(c.relacl) a where c.relnamespace = current_schema()::regnamespace \
             union all select c.relname::text, a.privilege_type, t.attname::text, a.grantee \
             from pg_attribute t join pg_class c on c.oid = t.attrelid cross join lateral \
             aclexplode(t.attacl) a where c.relnamespace = current_schema()::regnamespace \
             and not t.attisdropped) g join pg_roles r on r.oid = g.grantee \
             where r.rolname like 'pilaster\\_%'",
        );
        for [relation, privilege, column, role] in texts(tx, query).await? {
            if !self.has_role(&role) {
                continue;
            }
            let right = Right::ALL.iter().find(|(_, name)| *name == privilege);
            match (right, ident(&relation), ident(&role)) {
                (Some((right, _)), Some(relation), Some(role)) => {
                    let thing = Thing::Grant {
                        relation,
                        right: *right,
                        column: ident(&column),
                        role,
                    };
                    self.things.insert(thing, String::new());
                }
                _ => self
                    .strange
                    .privileges
                    .push(format!("{privilege} on {relation}, granted to {role}")),
            }
        }
        Ok(())
    }

    async fn policies(&mut self, tx: &mut Tx) -> DbResult<()> {
        let mut query = sql();
        query.push(
            "select c.relname::text, p.polname::text, obj_description(p.oid, 'pg_policy'), \
             md5(concat_ws('/', p.polcmd, p.polpermissive, p.polroles, p.polqual, \
             p.polwithcheck)) from pg_policy p join pg_class c on c.oid = p.polrelid \
             where c.relnamespace = current_schema()::regnamespace",
        );
        for [table, name, comment, state] in texts(tx, query).await? {
            let (Some(table), Some(name)) = (ident(&table), ident(&name)) else {
                continue;
            };
            match hash(&comment, &state) {
                Some(_) if name == SERVER && !self.secured.contains(&table) => {
                    // Somebody has switched it off.
                    self.things.insert(Thing::Security(table), String::new());
                }
                Some(hash) if name == SERVER => {
                    if !comment.starts_with(WAS_ON) {
                        self.was_on.remove(&table);
                    }
                    self.things.insert(Thing::Security(table), hash);
                }
                Some(hash) => {
                    self.things.insert(Thing::Policy { table, name }, hash);
                }
                None => {
                    self.policies.insert((table, name));
                }
            }
        }
        Ok(())
    }

    /// The sets of declared roles for which a role was made when somebody came who had them: they
    /// stay as long as they mean the same, because servers may be using them.
    pub(super) fn combinations(&self, catalog: &Catalog, names: &NativeNames) -> Vec<Vec<Ident>> {
        let is_member = |role: &Ident, member: &Ident| {
            let (role, member) = (names.role(role), member.clone());
            self.things.contains_key(&Thing::Member { role, member })
        };
        let roles = self.things.keys().filter_map(|thing| match thing {
            Thing::Role(name) => Some(name),
            _ => None,
        });
        let sets = roles.filter_map(|name| {
            let declared = catalog.roles.iter().map(|role| &role.name);
            let tops = declared.filter(|role| is_member(role, name));
            let mut whole: Vec<Ident> = tops.flat_map(|role| catalog.inherited(role)).collect();
            whole.sort();
            whole.dedup();
            (names.caller(catalog, &whole).0 == *name).then_some(whole)
        });
        sets.collect()
    }

    /// What others made, and what therefore stays, in words.
    pub(super) fn foreign(&self, wanted: &Wanted) -> Vec<String> {
        let secured = |table: &Ident| wanted.things.contains_key(&Thing::Security(table.clone()));
        let policies = self.policies.iter().filter(|(table, _)| secured(table));
        let mut lines: Vec<String> = policies
            .map(|(table, name)| format!("the policy {name} on {table}"))
            .collect();
        for thing in self.things.keys() {
            if let Thing::Member { role, member } = thing
                && wanted.things.contains_key(&Thing::Role(role.clone()))
                && !wanted.things.contains_key(thing)
                && !self.has_role(member.as_str())
            {
                lines.push(format!("the login {member}, a member of the role {role}"));
            }
        }
        if !wanted.things.is_empty() || self.things.contains_key(&Thing::Schema) {
            lines.extend(self.strange.inside.iter().cloned());
            lines.extend(self.strange.privileges.iter().cloned());
        }
        lines
    }
}

/// The digest in a comment of ours; empty where the thing is not any more as it was when that was
/// written. `None` where the comment is none of ours.
fn hash(comment: &str, state: &str) -> Option<String> {
    let rest = comment
        .strip_prefix(WAS_ON)
        .or_else(|| comment.strip_prefix(MARK))?
        .strip_prefix(' ')?;
    match rest.split_once(' ') {
        Some((hash, known)) if known == state => Some(hash.to_owned()),
        _ => Some(String::new()),
    }
}
