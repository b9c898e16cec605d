//! A transaction on a connection of its own.

use futures_util::future;

use super::connect::Connection;
use super::database::{Held, batch, enter, owned, rows, run_step};
use crate::{Actor, DbError, DbResult, Ident, Outcome, Query, Row, Sql, Step};

/// An open transaction. Dropped without an end, it takes its connection with it, and the server
/// rolls back.
pub(crate) struct PostgresTx<'a> {
    place: Option<Place<'a>>,
    /// As whom it goes on, where that is not the login.
    role: Option<Ident>,
}

enum Place<'a> {
    Pooled(Held<'a>),
    Own(Connection),
}

impl<'a> PostgresTx<'a> {
    /// Begins on a pooled connection.
    pub(super) async fn begin(held: Held<'a>, actor: Option<&Actor>) -> DbResult<Self> {
        Self::started(Place::Pooled(held), actor).await
    }

    /// Begins on a connection that belongs to the transaction.
    pub(super) async fn begin_on(connection: Connection) -> DbResult<PostgresTx<'static>> {
        PostgresTx::started(Place::Own(connection), None).await
    }

    async fn started(place: Place<'a>, actor: Option<&Actor>) -> DbResult<Self> {
        let tx = Self {
            place: Some(place),
            role: actor.map(|actor| actor.role().clone()),
        };
        let connection = tx.connection()?;
        if let Some(actor) = actor {
            connection.statement(actor.enter().text(), None).await?;
        }
        let (begun, entered) =
            future::join(batch(connection, "begin"), enter(connection, actor)).await;
        begun?;
        entered?;
        Ok(tx)
    }

    /// Goes on as an actor, or as the login again.
    pub(crate) async fn act_as(&mut self, actor: Option<&Actor>) -> DbResult<()> {
        let role = actor.map(|actor| actor.role().clone());
        if actor.is_none() {
            batch(self.connection()?, "set local role none").await?;
        }
        enter(self.connection()?, actor).await?;
        self.role = role;
        Ok(())
    }

    pub(super) async fn step(&mut self, step: &Step) -> DbResult<Outcome> {
        run_step(self.connection()?, step, self.role.as_ref())
            .await
            .map_err(DbError::from)
    }

    pub(crate) async fn rows(&mut self, query: &Query) -> DbResult<Vec<Row>> {
        let rows = rows(self.connection()?, &query.sql, self.role.as_ref())
            .await
            .map_err(DbError::from)?;
        owned(&rows, &query.kinds)
    }

    pub(crate) async fn execute(&mut self, sql: &Sql) -> DbResult<u64> {
        let step = Step::new(sql.clone());
        let outcome = run_step(self.connection()?, &step, self.role.as_ref()).await;
        outcome
            .map(|outcome| outcome.affected)
            .map_err(DbError::from)
    }

    pub(crate) async fn commit(mut self) -> DbResult<()> {
        self.text("commit").await?;
        self.place = None;
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> DbResult<()> {
        self.text("rollback").await?;
        self.place = None;
        Ok(())
    }

    async fn text(&self, text: &str) -> DbResult<()> {
        batch(self.connection()?, text).await
    }

    fn connection(&self) -> DbResult<&Connection> {
        let connection = match &self.place {
            Some(Place::Own(connection)) => Some(connection),
            Some(Place::Pooled(held)) => held.connection.as_ref(),
            None => None,
        };
        connection.ok_or_else(|| DbError::Unavailable(String::from("the transaction has ended")))
    }
}

impl Drop for PostgresTx<'_> {
    fn drop(&mut self) {
        if let Some(Place::Pooled(held)) = &mut self.place {
            held.discard();
        }
    }
}
