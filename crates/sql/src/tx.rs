//! A transaction for a conversation, whichever engine.

use crate::drivers::mysql::MySqlTx;
use crate::drivers::postgres::PostgresTx;
use crate::drivers::sqlite::SqliteTx;
use crate::drivers::verify;
use crate::spans::{self, traced};
use crate::{DbResult, Dialect, Outcome, Query, Row, Sql, Step};

/// A transaction on a connection of its own; rolled back when dropped.
pub struct Tx(pub(crate) Conversation);

pub(crate) enum Conversation {
    Sqlite(SqliteTx),
    Postgres(Box<PostgresTx<'static>>),
    MySql(MySqlTx),
}

impl Tx {
    /// Owned rows of one statement.
    pub async fn rows(&mut self, query: &Query) -> DbResult<Vec<Row>> {
        let span = spans::statement(self.dialect(), &query.sql);
        let work = async {
            match &mut self.0 {
                Conversation::Sqlite(tx) => tx.rows(query.sql.clone(), query.kinds.clone()).await,
                Conversation::Postgres(tx) => tx.rows(query).await,
                Conversation::MySql(tx) => tx.rows(query).await,
            }
        };
        traced(span, work, |rows| rows.len() as u64).await
    }

    /// Runs one statement; gives the number of rows it changed.
    pub async fn execute(&mut self, sql: &Sql) -> DbResult<u64> {
        let span = spans::statement(self.dialect(), sql);
        let work = async {
            match &mut self.0 {
                Conversation::Sqlite(tx) => tx.execute(sql.clone()).await,
                Conversation::Postgres(tx) => tx.execute(sql).await,
                Conversation::MySql(tx) => tx.execute(sql).await,
            }
        };
        traced(span, work, |affected| *affected).await
    }

    /// The engine; what only spans ask for.
    fn dialect(&self) -> Dialect {
        match &self.0 {
            Conversation::Sqlite(_) => Dialect::Sqlite,
            Conversation::Postgres(_) => Dialect::Postgres,
            Conversation::MySql(tx) => tx.dialect,
        }
    }

    /// Runs one step; gives what it did if that is what is expected of it.
    pub async fn step(&mut self, place: usize, step: &Step) -> DbResult<Outcome> {
        let outcome = if step.kinds.is_empty() {
            Outcome {
                affected: self.execute(&step.sql).await?,
                rows: Vec::new(),
            }
        } else {
            let query = Query::long(step.sql.clone(), step.kinds.clone());
            let rows = self.rows(&query).await?;
            Outcome {
                affected: rows.len() as u64,
                rows,
            }
        };
        verify(place, step.expect, outcome.affected)?;
        Ok(outcome)
    }

    /// Makes it durable.
    pub async fn commit(self) -> DbResult<()> {
        match self.0 {
            Conversation::Sqlite(tx) => tx.commit().await,
            Conversation::Postgres(tx) => tx.commit().await,
            Conversation::MySql(tx) => tx.commit().await,
        }
    }

    /// Takes it back.
    pub async fn rollback(self) -> DbResult<()> {
        match self.0 {
            Conversation::Sqlite(tx) => {
                drop(tx);
                Ok(())
            }
            Conversation::Postgres(tx) => tx.rollback().await,
            Conversation::MySql(tx) => tx.rollback().await,
        }
    }
}
