//! A place of the same engine where a structure can be tried out, and of which nothing is left.

use crate::{DatabaseUrl, Db, DbError, DbOptions, DbResult, Dialect, Ident, Sql, Step, Tx};

/// An empty place: a database in memory (SQLite), a schema in a transaction that is rolled back
/// (PostgreSQL), a database of its own that is dropped (MySQL, MariaDB).
pub struct Scratch {
    tx: Tx,
    own: Own,
}

/// What else has to go.
enum Own {
    Nothing,
    /// Its writer ends with it, and waits for the conversation to end first.
    Memory {
        _db: Db,
    },
    Database {
        name: Ident,
        server: Db,
        db: Db,
    },
}

impl Scratch {
    /// Makes one beside `db`. `name` is what it is called while it exists, on servers.
    pub async fn beside(db: &Db, name: &str) -> DbResult<Self> {
        let name = &Ident::new(name).map_err(|error| DbError::Other(error.to_string()))?;
        let few = DbOptions {
            read_connections: 1,
            write_connections: 1,
            ..db.options().clone()
        };
        match db.dialect() {
            Dialect::Sqlite => {
                let memory = Db::connect(&DatabaseUrl::in_memory(), &few).await?;
                let tx = memory.begin().await?;
                let own = Own::Memory { _db: memory };
                Ok(Self { tx, own })
            }
            Dialect::Postgres => {
                let mut tx = db.begin().await?;
                let mut create = Sql::new(db.dialect());
                create.push("create schema ").ident(name);
                tx.execute(&create).await?;
                let mut enter = Sql::new(db.dialect());
                enter.push("set local search_path to ").ident(name);
                tx.execute(&enter).await?;
                let own = Own::Nothing;
                Ok(Self { tx, own })
            }
            Dialect::MySql | Dialect::MariaDb => {
                let mut create = Sql::new(db.dialect());
                create.push("create database ").ident(name);
                db.write(vec![Step::new(create)]).await?;
                let empty = Db::connect(&db.url().with_database(name.as_str()), &few).await?;
                let tx = empty.begin().await?;
                let own = Own::Database {
                    name: name.clone(),
                    server: db.clone(),
                    db: empty,
                };
                Ok(Self { tx, own })
            }
        }
    }

    /// The conversation with it.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Takes everything away.
    pub async fn end(self) -> DbResult<()> {
        self.tx.rollback().await?;
        let Own::Database { name, server, db } = self.own else {
            return Ok(());
        };
        db.close().await?;
        let mut drop = Sql::new(server.dialect());
        drop.push("drop database ").ident(&name);
        server.write(vec![Step::new(drop)]).await.map(|_| ())
    }
}
