//! The declared roles, grants and policies as PostgreSQL's own, as a second belt
//! (docs/adr/0012): what there should be, what there is, and the statements between the two.
//!
//! Everything of ours carries a mark in its comment; what carries none is never touched. Nothing
//! here is a migration: the rules are read from `schema/` whenever they are put into force.

mod change;
mod circles;
mod names;
mod policies;
mod present;
mod privileges;
mod wanted;

use std::collections::BTreeSet;

use sql::{Db, DbError, Dialect, Ident, Sql};
use stdx::{Clock, Rng};

pub use names::{NativeNames, taken_function};

use crate::{Catalog, History, MigrationError, Runner};

/// Who else uses the database, by the names of their logins.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// Who serves: it may become each of the roles.
    pub app: Option<Ident>,
    /// All that see and change every row while they are themselves, the one that serves included.
    pub all: Vec<Ident>,
}

/// What there should be.
#[derive(Clone, Copy, Debug)]
pub enum NativeRules<'a> {
    /// The rules of a catalog.
    Of {
        /// Tables, roles, grants, policies.
        catalog: &'a Catalog,
        /// The database's logins.
        servers: &'a Servers,
        /// Sets of roles that callers have, as their own.
        used: &'a [Vec<String>],
    },
    /// Nothing that hinders a change of the tables: no policy. Rows are shown as if there were no
    /// rules here; the statements carry their own.
    Loose,
    /// Nothing.
    Nothing,
}

/// What lies between what there is and what there should be.
#[derive(Clone, Debug)]
pub struct NativePlan {
    /// The statements, in order; empty where all is as it should be.
    pub statements: Vec<Sql>,
    /// What others made and what therefore stays: a policy on a declared table, a member of a role
    /// of ours.
    pub foreign: Vec<String>,
}

/// Why the rules cannot be put into force.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// Something of somebody else's is in the way.
    #[error("{what}")]
    InTheWay {
        /// What is where.
        what: String,
        /// What to do about it.
        fix: String,
    },
    /// The login may not do what has to be done.
    #[error("the login {login} may not {what}")]
    Lacks {
        /// Its name.
        login: String,
        /// What it may not do.
        what: String,
        /// The statement that lets it, for somebody who may.
        fix: String,
    },
    /// The lock, or the books that it is in.
    #[error(transparent)]
    Lock(#[from] MigrationError),
    /// The database cannot be used.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The statements that lead to what there should be. Touches nothing.
pub async fn native_plan(db: &Db, rules: NativeRules<'_>) -> Result<NativePlan, NativeError> {
    let Some(names) = NativeNames::of(db).await? else {
        return Ok(NativePlan::nothing());
    };
    let mut tx = db.begin().await?;
    let present = present::Present::of(&mut tx, &names).await;
    tx.rollback().await?;
    let present = present?;
    let wanted = match rules {
        NativeRules::Of {
            catalog,
            servers,
            used,
        } => {
            if let Some((table, policy)) = circles::first(catalog) {
                let what = format!(
                    "the policy {policy} of {table} asks what asks {table} again, which \
                     PostgreSQL's own policies may not"
                );
                let fix = "ask a view WITH (security_invoker = false), or leave \
                           database.native_rls off";
                return Err(NativeError::InTheWay {
                    what,
                    fix: fix.to_owned(),
                });
            }
            let servers = servers.or(&present.login);
            wanted::Wanted::new(catalog, &names, &present, &servers, used)
        }
        NativeRules::Loose | NativeRules::Nothing => wanted::Wanted::default(),
    };
    let is_loose = matches!(rules, NativeRules::Loose);
    let changes = change::Changes::between(&present, &wanted, &names, is_loose)?;
    Ok(NativePlan {
        foreign: present.foreign(&wanted),
        statements: changes.statements(&present, &wanted),
    })
}

/// Does what [`native_plan`] says, under the lock of migrations; gives what it was.
pub async fn apply_native(
    db: &Db,
    rules: NativeRules<'_>,
    clock: &Clock,
    rng: &Rng,
) -> Result<NativePlan, NativeError> {
    let plan = native_plan(db, rules).await?;
    if plan.statements.is_empty() {
        return Ok(plan);
    }
    let runner = Runner::new(db, clock, rng, History::System);
    let mut done = plan;
    let mut failed = None;
    let work = async {
        // Somebody else may have done it meanwhile.
        match run(db, rules).await {
            Ok(plan) => done = plan,
            Err(error) => failed = Some(error),
        }
        Ok(())
    };
    Box::pin(runner.alone(work)).await?;
    match failed {
        Some(error) => Err(error),
        None => Ok(done),
    }
}

async fn run(db: &Db, rules: NativeRules<'_>) -> Result<NativePlan, NativeError> {
    let plan = native_plan(db, rules).await?;
    let mut tx = db.begin().await?;
    for statement in &plan.statements {
        tx.execute(statement).await?;
    }
    tx.commit().await?;
    Ok(plan)
}

/// Makes the role of a caller whose roles nobody has had together before; does nothing where there
/// is one.
pub async fn make_native_role(
    db: &Db,
    catalog: &Catalog,
    servers: &Servers,
    roles: &[Ident],
) -> Result<(), NativeError> {
    let Some(names) = NativeNames::of(db).await? else {
        return Ok(());
    };
    let mut tx = db.begin().await?;
    let present = present::Present::of(&mut tx, &names).await?;
    let servers = servers.or(&present.login);
    let statements = change::role_of(roles, catalog, &names, &present, &servers)?;
    for statement in &statements {
        tx.execute(statement).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Drops the roles of a database that is gone: they belong to its server and do not go with it.
pub async fn drop_native_roles(server: &Db, names: &NativeNames) -> Result<(), NativeError> {
    let mut tx = server.begin().await?;
    for role in present::roles(&mut tx, names).await? {
        let mut drop = sql();
        drop.push("drop role ").ident(&role);
        tx.execute(&drop).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The roles that a database has of ours.
pub async fn native_roles(db: &Db) -> Result<BTreeSet<Ident>, NativeError> {
    let Some(names) = NativeNames::of(db).await? else {
        return Ok(BTreeSet::new());
    };
    let mut tx = db.begin().await?;
    let roles = present::roles(&mut tx, &names).await;
    tx.rollback().await?;
    Ok(roles?.into_iter().collect())
}

impl NativePlan {
    fn nothing() -> Self {
        Self {
            statements: Vec::new(),
            foreign: Vec::new(),
        }
    }

    /// As a script for `psql`.
    #[must_use]
    pub fn script(&self) -> String {
        let mut script = String::new();
        for statement in &self.statements {
            script.push_str(statement.text());
            script.push_str(";\n");
        }
        script
    }
}

impl Servers {
    /// These, or the login that asks where an address names none.
    fn or(&self, login: &Ident) -> Self {
        let mut all = self.all.clone();
        if all.is_empty() {
            all.push(login.clone());
        }
        all.sort();
        all.dedup();
        let app = self.app.clone().or_else(|| Some(login.clone()));
        Self { app, all }
    }
}

fn sql() -> Sql {
    Sql::new(Dialect::Postgres)
}
