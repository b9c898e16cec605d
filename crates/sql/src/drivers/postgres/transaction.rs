//! A transaction on a connection of its own.

use super::connect::Connection;
use super::database::{Held, owned, rows, run_step};
use super::error::from_postgres;
use crate::{DbError, DbResult, Outcome, Query, Row, Sql, Step};

/// An open transaction. Dropped without an end, it takes its connection with it, and the server
/// rolls back.
pub(crate) struct PostgresTx<'a> {
    place: Option<Place<'a>>,
}

enum Place<'a> {
    Pooled(Held<'a>),
    Own(Connection),
}

impl<'a> PostgresTx<'a> {
    /// Begins on a pooled connection.
    pub(super) async fn begin(held: Held<'a>) -> DbResult<Self> {
        Self::started(Place::Pooled(held)).await
    }

    /// Begins on a connection that belongs to the transaction.
    pub(super) async fn begin_on(connection: Connection) -> DbResult<PostgresTx<'static>> {
        PostgresTx::started(Place::Own(connection)).await
    }

    async fn started(place: Place<'a>) -> DbResult<Self> {
        let tx = Self { place: Some(place) };
        tx.text("begin").await?;
        Ok(tx)
    }

    pub(super) async fn step(&mut self, step: &Step) -> DbResult<Outcome> {
        run_step(self.connection()?, step)
            .await
            .map_err(DbError::from)
    }

    pub(crate) async fn rows(&mut self, query: &Query) -> DbResult<Vec<Row>> {
        let rows = rows(self.connection()?, &query.sql)
            .await
            .map_err(DbError::from)?;
        owned(&rows, &query.kinds)
    }

    pub(crate) async fn execute(&mut self, sql: &Sql) -> DbResult<u64> {
        let outcome = run_step(self.connection()?, &Step::new(sql.clone())).await;
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
        let connection = self.connection()?;
        connection
            .client
            .batch_execute(text)
            .await
            .map_err(|error| from_postgres(&error))
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
