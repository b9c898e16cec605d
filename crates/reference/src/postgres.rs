//! The three statements on PostgreSQL: prepared once, pipelined over a few connections.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use crate::model::{Activity, Author, User, new_uuid, now, spell};

pub(crate) const USER: &str =
    "select uuid, display_name, handle, bio, created_at from users where uuid = $1";
pub(crate) const FEED: &str =
    "select a.uuid, a.message, a.likes_count, a.created_at, u.handle, u.display_name
    from activities a left join users u on u.uuid = a.user_uuid
    where a.expires_at is null or a.expires_at > $1
    order by a.created_at desc, a.uuid desc limit 20";
const INSERT: &str = "insert into activities (uuid, user_uuid, message, created_at)
    values ($1, $2, $3, $4)";

/// As many shared connections as speed measurements found best.
const CONNECTIONS: usize = 4;

/// One connection with its prepared statements.
pub(crate) struct Connection {
    pub(crate) client: Client,
    user: Statement,
    feed: Statement,
    insert: Statement,
}

/// Shared connections, used in turn.
pub(crate) struct Engine {
    connections: Vec<Connection>,
    next: AtomicUsize,
}

impl Engine {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        Self::with_connections(url, CONNECTIONS).await
    }

    pub(crate) async fn with_connections(url: &str, count: usize) -> Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(Connection::open(url).await?);
        }
        Ok(Self {
            connections,
            next: AtomicUsize::new(0),
        })
    }

    /// The connection whose turn it is; others may be waiting on it already.
    pub(crate) fn connection(&self) -> &Connection {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        &self.connections[turn % self.connections.len()]
    }
}

impl Connection {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self {
            user: client.prepare(USER).await?,
            feed: client.prepare(FEED).await?,
            insert: client.prepare(INSERT).await?,
            client,
        })
    }

    pub(crate) async fn user(&self, uuid: Uuid) -> Result<Option<User>> {
        let row = self.client.query_opt(&self.user, &[&uuid]).await?;
        Ok(row.map(|row| User {
            uuid: row.get(0),
            display_name: row.get(1),
            handle: row.get(2),
            bio: row.get(3),
            created_at: spell(row.get(4)),
        }))
    }

    pub(crate) async fn feed(&self) -> Result<Vec<Activity>> {
        let rows = self.client.query(&self.feed, &[&now()]).await?;
        Ok(rows.iter().map(activity).collect())
    }

    pub(crate) async fn insert(&self, user: Uuid, message: &str) -> Result<()> {
        self.client
            .execute(&self.insert, &[&new_uuid(), &user, &message, &now()])
            .await?;
        Ok(())
    }
}

/// A row of the feed.
pub(crate) fn activity(row: &Row) -> Activity {
    Activity {
        uuid: row.get(0),
        message: row.get(1),
        likes_count: row.get(2),
        created_at: spell(row.get(3)),
        author: Some(Author {
            handle: row.get(4),
            display_name: row.get(5),
        }),
    }
}
