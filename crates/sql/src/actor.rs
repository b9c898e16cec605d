//! Statements as somebody else: a role of the server, and settings that its policies ask.

use crate::tx::Conversation;
use crate::{Db, DbError, DbResult, Dialect, Ident, Kind, Outcome, Query, RowSink, Sql, Step, Tx};

/// As whom statements run instead of as the login. PostgreSQL alone has it.
#[derive(Clone, Debug)]
pub struct Actor {
    role: Ident,
    /// `select set_config('role', …, true), …`: for the rest of a transaction.
    enter: Sql,
}

impl Actor {
    /// A role of the server, with settings by their names, as `app.user`.
    #[must_use]
    pub fn new(role: Ident, settings: &[(&'static str, String)]) -> Self {
        let mut enter = Sql::new(Dialect::Postgres);
        // The role comes last: it need not be allowed to do what follows.
        enter.push("select ");
        for (name, value) in settings {
            enter.push("set_config('").push(name).push("', ");
            enter
                .typed_arg(value.as_str(), Kind::Text)
                .push(", true), ");
        }
        enter.push("set_config('role', ");
        enter.typed_arg(role.as_str(), Kind::Text).push(", true)");
        Self { role, enter }
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> &Ident {
        &self.role
    }

    /// The statement that makes a transaction theirs.
    pub(crate) fn enter(&self) -> &Sql {
        &self.enter
    }
}

pub(crate) fn only_postgres() -> DbError {
    DbError::Other(String::from("only PostgreSQL runs statements as a role"))
}

impl Db {
    /// [`Db::read`] as an actor, in a transaction of its own that is sent in one go.
    pub async fn read_as(
        &self,
        actor: &Actor,
        query: &Query,
        sink: &mut (dyn RowSink + Send),
    ) -> DbResult<()> {
        self.read_all_as(actor, &mut [(query, sink)]).await
    }

    /// [`Db::read_all`] as an actor.
    pub async fn read_all_as(
        &self,
        actor: &Actor,
        reads: &mut [(&Query, &mut (dyn RowSink + Send))],
    ) -> DbResult<()> {
        self.read_all_by(reads, Some(actor)).await
    }

    /// [`Db::write`] as an actor.
    pub async fn write_as(&self, actor: &Actor, unit: Vec<Step>) -> DbResult<Vec<Outcome>> {
        self.run_unit(unit, true, Some(actor)).await
    }

    /// [`Db::rehearse`] as an actor.
    pub async fn rehearse_as(&self, actor: &Actor, unit: Vec<Step>) -> DbResult<Vec<Outcome>> {
        self.run_unit(unit, false, Some(actor)).await
    }
}

impl Tx {
    /// Goes on as an actor, or as the login again; on PostgreSQL.
    pub async fn act_as(&mut self, actor: Option<&Actor>) -> DbResult<()> {
        match &mut self.0 {
            Conversation::Postgres(tx) => tx.act_as(actor).await,
            Conversation::Sqlite(_) | Conversation::MySql(_) => Err(only_postgres()),
        }
    }
}
