//! Who did what to whom, written in the unit of the act itself.

use sql::{Expect, Step};
use uuid::Uuid;

use crate::Store;

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Act<'a> {
    /// A stable name, at most 60 characters: `password.changed`.
    pub act: &'a str,
    /// Who did it; nobody for the shell.
    pub actor_id: Option<Uuid>,
    /// How the actor was called then, at most 254 characters.
    pub actor: &'a str,
    /// To whom.
    pub target_id: Option<Uuid>,
    /// How that one was called then.
    pub target: Option<&'a str>,
    /// From where.
    pub address: Option<&'a str>,
    /// JSON, without secrets.
    pub details: Option<String>,
}

/// The step that writes it down.
#[must_use]
pub fn step(store: &Store, act: &Act<'_>) -> Step {
    let mut sql = store.sql();
    sql.push(
        "insert into auth_audit (id, at, act, actor_id, actor, target_id, target, address, \
         details) values (",
    );
    sql.arg(stdx::new_id(&store.clock, &store.rng));
    sql.push(", ").arg(store.clock.now());
    sql.push(", ").arg(act.act);
    sql.push(", ").arg(act.actor_id);
    sql.push(", ").arg(act.actor);
    sql.push(", ").arg(act.target_id);
    sql.push(", ").arg(act.target.map(str::to_owned));
    sql.push(", ").arg(act.address.map(str::to_owned));
    sql.push(", ").arg(act.details.clone()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}
