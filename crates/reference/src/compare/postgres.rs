//! PostgreSQL: statements that follow each other on shared connections against one statement
//! per checked-out connection; JSON made in Rust against JSON made by the database.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;

use super::{Contest, Way, user_of, written};
use crate::model::now;
use crate::postgres::{Connection, Engine, FEED, USER, activity};

/// One statement at a time on each of a few connections.
struct Pool {
    free: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Pool {
    async fn open(url: &str, size: usize) -> Result<Arc<Self>> {
        let mut free = Vec::new();
        for _ in 0..size {
            free.push(Connection::open(url).await?);
        }
        Ok(Arc::new(Self {
            free: Mutex::new(free),
            permits: Semaphore::new(size),
        }))
    }

    fn take(&self) -> Option<Connection> {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn put(&self, connection: Connection) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }

    async fn with<T>(&self, work: impl AsyncFnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _permit = self.permits.acquire().await?;
        let connection = self.take().context("a permit stands for a connection")?;
        let result = work(&connection).await;
        self.put(connection);
        result
    }
}

pub(super) async fn contests(url: &str) -> Result<Vec<Contest>> {
    let (mut key, mut feed) = (Vec::new(), Vec::new());
    shared(url, &mut key, &mut feed).await?;
    checked_out(url, &mut key, &mut feed).await?;
    other_statements(url, &mut key, &mut feed).await?;
    #[cfg(feature = "alternatives")]
    super::alternatives::postgres(url, &mut key, &mut feed).await?;
    Ok(vec![
        Contest {
            work: "postgres: one row by key",
            ways: key,
        },
        Contest {
            work: "postgres: list of 20 with join",
            ways: feed,
        },
    ])
}

/// Statements follow each other on shared connections.
async fn shared(url: &str, key: &mut Vec<Way>, feed: &mut Vec<Way>) -> Result<()> {
    for (name, count) in [
        ("pipelined over 4 connections", 4),
        ("pipelined over 1", 1),
        ("pipelined over 2", 2),
        ("pipelined over 8", 8),
        ("pipelined over 32", 32),
    ] {
        let engine = Arc::new(Engine::with_connections(url, count).await?);
        let shared = Arc::clone(&engine);
        key.push(Way::new(name, move |call| {
            let engine = Arc::clone(&shared);
            async move { written(&engine.connection().user(user_of(call)).await?) }
        }));
        feed.push(Way::new(name, move |_| {
            let engine = Arc::clone(&engine);
            async move { written(&engine.connection().feed().await?) }
        }));
    }
    Ok(())
}

/// One statement at a time on a connection that nobody else has meanwhile.
async fn checked_out(url: &str, key: &mut Vec<Way>, feed: &mut Vec<Way>) -> Result<()> {
    for (name, size) in [
        ("one at a time on each of 4", 4),
        ("one at a time on each of 16", 16),
        ("one at a time on each of 32", 32),
    ] {
        let pool = Pool::open(url, size).await?;
        let shared = Arc::clone(&pool);
        key.push(Way::new(name, move |call| {
            let pool = Arc::clone(&shared);
            async move { written(&pool.with(async |one| one.user(user_of(call)).await).await?) }
        }));
        feed.push(Way::new(name, move |_| {
            let pool = Arc::clone(&pool);
            async move { written(&pool.with(async |one| one.feed().await).await?) }
        }));
    }
    Ok(())
}

/// The same connections with statements of another shape.
async fn other_statements(url: &str, key: &mut Vec<Way>, feed: &mut Vec<Way>) -> Result<()> {
    let json = Arc::new(Statements::prepare(url).await?);
    let shared = Arc::clone(&json);
    key.push(Way::new(
        "pipelined over 4, JSON by PostgreSQL",
        move |call| {
            let json = Arc::clone(&shared);
            async move { json.user(call).await }
        },
    ));
    let shared = Arc::clone(&json);
    feed.push(Way::new(
        "pipelined over 4, JSON by PostgreSQL",
        move |_| {
            let json = Arc::clone(&shared);
            async move { json.feed().await }
        },
    ));
    feed.push(Way::new(
        "pipelined over 4, LIMIT as parameter",
        move |_| {
            let json = Arc::clone(&json);
            async move { json.feed_with_parameter().await }
        },
    ));
    Ok(())
}

/// The statements that the reference does not use, prepared on each of four connections.
struct Statements {
    engine: Engine,
    user: String,
    feed: String,
    with_parameter: String,
    prepared: Mutex<std::collections::HashMap<(usize, &'static str), tokio_postgres::Statement>>,
}

impl Statements {
    async fn prepare(url: &str) -> Result<Self> {
        Ok(Self {
            engine: Engine::open(url).await?,
            user: format!("select row_to_json(u)::text from ({USER}) u"),
            feed: format!(
                "select coalesce(json_agg(json_build_object('uuid', f.uuid, 'message', f.message,
                    'likes_count', f.likes_count, 'created_at', f.created_at, 'author',
                    json_build_object('handle', f.handle, 'display_name', f.display_name))),
                    '[]')::text from ({FEED}) f"
            ),
            with_parameter: FEED.replace("limit 20", "limit $2"),
            prepared: Mutex::default(),
        })
    }

    /// The statement on a connection, prepared at its first use.
    async fn statement(
        &self,
        connection: &Connection,
        name: &'static str,
        text: &str,
    ) -> Result<tokio_postgres::Statement> {
        let key = (std::ptr::from_ref(connection).addr(), name);
        let known = self
            .prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let statement = connection.client.prepare(text).await?;
        self.prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, statement.clone());
        Ok(statement)
    }

    async fn user(&self, call: usize) -> Result<()> {
        let connection = self.engine.connection();
        let statement = self.statement(connection, "user", &self.user).await?;
        let row = connection
            .client
            .query_one(&statement, &[&user_of(call)])
            .await?;
        body(row.get(0))
    }

    async fn feed(&self) -> Result<()> {
        let connection = self.engine.connection();
        let statement = self.statement(connection, "feed", &self.feed).await?;
        let row = connection.client.query_one(&statement, &[&now()]).await?;
        body(row.get(0))
    }

    async fn feed_with_parameter(&self) -> Result<()> {
        let connection = self.engine.connection();
        let statement = self
            .statement(connection, "parameter", &self.with_parameter)
            .await?;
        let rows = connection
            .client
            .query(&statement, &[&now(), &20_i64])
            .await?;
        written(&rows.iter().map(activity).collect::<Vec<_>>())
    }
}

/// A body that the database wrote.
fn body(text: String) -> Result<()> {
    anyhow::ensure!(!std::hint::black_box(text).is_empty(), "an empty body");
    Ok(())
}
