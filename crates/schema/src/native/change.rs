//! The statements between what there is and what there should be.

use sql::{Ident, Sql};

use super::policies::SERVER;
use super::present::{MARK, Present, WAS_ON};
use super::wanted::{Made, Thing, Wanted};
use super::{NativeError, NativeNames, Servers, sql};
use crate::Catalog;

/// Adds to the comments of ours what the server makes of each thing, by which we see when somebody
/// changes it.
const SEAL: &str = "do $pilaster$ declare one record; begin \
    for one in select format('policy %I on %s', p.polname, p.polrelid::regclass) as thing, \
      d.description, md5(concat_ws('/', p.polcmd, p.polpermissive, p.polroles, p.polqual, \
      p.polwithcheck)) as state from pg_policy p join pg_description d on d.objoid = p.oid \
      and d.classoid = 'pg_policy'::regclass \
      union all select format('function %s', p.oid::regprocedure), d.description, \
      md5(concat_ws('/', p.prosrc, p.prosecdef, p.provolatile, p.proparallel, \
      array_to_string(p.proconfig, ','))) from pg_proc p join pg_description d \
      on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass \
      where p.pronamespace = 'auth'::regnamespace \
    loop if one.description ~ '^pilaster( was on)? [0-9a-f]{16}$' then \
      execute format('comment on %s is %L', one.thing, one.description || ' ' || one.state); \
    end if; end loop; end $pilaster$";

/// The statements that make the role of a caller with these roles.
pub(super) fn role_of(
    roles: &[Ident],
    catalog: &Catalog,
    names: &NativeNames,
    present: &Present,
    servers: &Servers,
) -> Result<Vec<Sql>, NativeError> {
    let wanted = Wanted::of_caller(roles, catalog, names, present, servers);
    let made = wanted.things.keys();
    let changes = Changes {
        gone: Vec::new(),
        made: made
            .filter(|thing| !present.things.contains_key(thing))
            .cloned()
            .collect(),
        mark: names.mark(),
    };
    changes.are_free(present, &wanted)?;
    changes.are_allowed(present)?;
    Ok(changes.statements(present, &wanted))
}

/// What is to be taken away, and what is to be made.
pub(super) struct Changes {
    gone: Vec<Thing>,
    made: Vec<Thing>,
    mark: String,
}

impl Changes {
    pub(super) fn between(
        present: &Present,
        wanted: &Wanted,
        names: &NativeNames,
        is_loose: bool,
    ) -> Result<Self, NativeError> {
        let is_bound = |thing: &Thing| matches!(thing, Thing::Security(_) | Thing::Policy { .. });
        let is_ours = |thing: &Thing| match thing {
            // A login that somebody else let in; a role of ours that goes takes it along.
            Thing::Member { member, .. } => {
                present.things.contains_key(&Thing::Role(member.clone()))
            }
            Thing::Schema => present.strange.inside.is_empty(),
            _ => true,
        };
        let mut gone = Vec::new();
        for (thing, hash) in present.things.iter().rev() {
            let leaves = match wanted.things.get(thing) {
                None => is_ours(thing) && (!is_loose || is_bound(thing)),
                Some(made) => has_text(thing) && made.hash != *hash,
            };
            // A function that others may name stays, and gets another body.
            let is_function = matches!(thing, Thing::Function(_)) && !is_of_key(thing);
            let stays = is_function && wanted.things.contains_key(thing);
            if leaves && !stays {
                gone.push(thing.clone());
            }
        }
        let made = wanted.things.iter().filter(|(thing, made)| {
            let known = present.things.get(thing);
            known.is_none_or(|hash| has_text(thing) && made.hash != *hash)
        });
        let changes = Self {
            made: made.map(|(thing, _)| thing.clone()).collect(),
            gone,
            mark: names.mark(),
        };
        changes.are_free(present, wanted)?;
        changes.are_allowed(present)?;
        Ok(changes)
    }

    /// Whether nothing of somebody else's has a name that is needed.
    fn are_free(&self, present: &Present, wanted: &Wanted) -> Result<(), NativeError> {
        if wanted.things.is_empty() {
            return Ok(());
        }
        let in_the_way = |what: String, fix: &str| {
            let fix = fix.to_owned();
            Err(NativeError::InTheWay { what, fix })
        };
        if let Some(what) = present.strange.roles.first() {
            return in_the_way(
                what.clone(),
                "look at who has made or changed it; drop it, and it is made anew",
            );
        }
        if present.strange.schema {
            return in_the_way(
                String::from("there is a schema auth that Pilaster has not made"),
                "rename it, or leave database.native_rls off",
            );
        }
        let is_taken = |thing: &&Thing| match thing {
            Thing::Policy { table, name } => {
                present.policies.contains(&(table.clone(), name.clone()))
            }
            Thing::Security(table) => present.policies.contains(&(table.clone(), SERVER)),
            _ => false,
        };
        match self.made.iter().find(is_taken) {
            Some(Thing::Policy { table, name }) => in_the_way(
                format!("{table} has a policy {name} that Pilaster has not made"),
                "rename one of the two",
            ),
            Some(Thing::Security(table)) => in_the_way(
                format!("{table} has a policy {SERVER} that Pilaster has not made"),
                "rename it",
            ),
            _ => Ok(()),
        }
    }

    /// Whether the login may do all that.
    fn are_allowed(&self, present: &Present) -> Result<(), NativeError> {
        let login = present.login.to_string();
        let own = quoted(&present.login);
        let lacks = |what: String, fix: String| {
            let login = login.clone();
            Err(NativeError::Lacks { login, what, fix })
        };
        for thing in self.gone.iter().chain(&self.made) {
            match thing {
                Thing::Role(_) | Thing::Member { .. } if !present.may.make_roles => {
                    return lacks(
                        String::from("make roles, which database.native_rls needs"),
                        format!("alter role {own} createrole"),
                    );
                }
                Thing::Schema if !present.may.make_schemas => {
                    return lacks(
                        String::from("make the schema auth, which database.native_rls needs"),
                        format!(
                            "do $$ begin execute format('grant create on database %I to {own}', current_database()); end $$"
                        ),
                    );
                }
                Thing::Security(table)
                | Thing::Policy { table, .. }
                | Thing::Grant {
                    relation: table, ..
                } => {
                    if let Some(owner) = present.of_others.get(table) {
                        return lacks(
                            format!("change who sees what of {table}, which belongs to {owner}"),
                            format!("grant {owner} to {own}"),
                        );
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn statements(&self, present: &Present, wanted: &Wanted) -> Vec<Sql> {
        let gone = self.gone.iter();
        let mut all: Vec<Sql> = gone.flat_map(|thing| take_away(thing, present)).collect();
        for thing in &self.made {
            if let Some(made) = wanted.things.get(thing) {
                all.extend(self.make(thing, made, present));
            }
        }
        if self.made.iter().any(has_text) {
            let mut seal = sql();
            seal.push(SEAL);
            all.push(seal);
        }
        all
    }

    fn make(&self, thing: &Thing, made: &Made, present: &Present) -> Vec<Sql> {
        let mut comment = sql();
        let mut after = Vec::new();
        let mark = format!("{MARK} {}", made.hash);
        match thing {
            Thing::Role(name) => {
                comment.push("comment on role ").ident(name);
                comment.push(" is ").quoted(&self.mark);
            }
            Thing::Schema => {
                comment.push("comment on schema auth is ").quoted(MARK);
            }
            Thing::Function(name) => {
                comment.push("comment on function auth.").ident(name);
                comment.push(" is ").quoted(&mark);
            }
            Thing::Policy { table, name } => {
                comment.push("comment on policy ").ident(name);
                comment.push(" on ").ident(table);
                comment.push(" is ").quoted(&mark);
            }
            Thing::Security(table) => {
                let mark = match present.was_on.contains(table) {
                    true => format!("{WAS_ON} {}", made.hash),
                    false => mark,
                };
                comment.push("comment on policy ").ident(&SERVER);
                comment.push(" on ").ident(table);
                comment.push(" is ").quoted(&mark);
                after.push(security(table, " enable"));
            }
            Thing::Member { .. } | Thing::Use { .. } | Thing::Grant { .. } => {
                return vec![made.sql.clone()];
            }
        }
        let mut all = vec![made.sql.clone(), comment];
        all.append(&mut after);
        all
    }
}

/// Whether its text is more than its name.
fn has_text(thing: &Thing) -> bool {
    matches!(
        thing,
        Thing::Function(_) | Thing::Security(_) | Thing::Policy { .. }
    )
}

/// Whether it is a function that knows keys: what it takes changes with the table.
fn is_of_key(thing: &Thing) -> bool {
    matches!(thing, Thing::Function(name) if name.as_str().starts_with("taken_"))
}

fn security(table: &Ident, what: &'static str) -> Sql {
    let mut sql = sql();
    sql.push("alter table ").ident(table).push(what);
    sql.push(" row level security");
    sql
}

fn take_away(thing: &Thing, present: &Present) -> Vec<Sql> {
    let mut drop = sql();
    match thing {
        Thing::Role(name) => drop.push("drop role ").ident(name),
        Thing::Member { role, member } => {
            drop.push("revoke ").ident(role);
            drop.push(" from ").ident(member)
        }
        Thing::Schema => drop.push("drop schema auth"),
        Thing::Function(name) => drop.push("drop function auth.").ident(name),
        Thing::Use { schema, role } => {
            drop.push("revoke usage on schema ").ident(schema);
            drop.push(" from ").ident(role)
        }
        Thing::Grant {
            relation,
            right,
            column,
            role,
        } => {
            drop.push("revoke ");
            right.write(&mut drop, relation, column.as_ref());
            drop.push(" from ").ident(role)
        }
        Thing::Security(table) => {
            drop.push("drop policy ").ident(&SERVER);
            drop.push(" on ").ident(table);
            return match present.was_on.contains(table) {
                true => vec![drop],
                false => vec![drop, security(table, " disable")],
            };
        }
        Thing::Policy { table, name } => {
            drop.push("drop policy ").ident(name);
            drop.push(" on ").ident(table)
        }
    };
    vec![drop]
}

/// A name as it stands in a statement for people.
fn quoted(name: &Ident) -> String {
    let mut sql = sql();
    sql.ident(name);
    sql.text().to_owned()
}
