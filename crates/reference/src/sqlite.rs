//! The three statements on SQLite: reads inline, one durable commit for each insert.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::model::{Activity, Author, User, new_uuid, now, spell};

pub(crate) const USER: &str =
    "select uuid, display_name, handle, bio, created_at from users where uuid = ?";
pub(crate) const FEED: &str =
    "select a.uuid, a.message, a.likes_count, a.created_at, u.handle, u.display_name
    from activities a left join users u on u.uuid = a.user_uuid
    where a.expires_at is null or a.expires_at > ?
    order by a.created_at desc, a.uuid desc limit 20";
const INSERT: &str = "insert into activities (uuid, user_uuid, message, created_at)
    values (?, ?, ?, ?)";

/// Connections: some for reading, one for writing.
pub(crate) struct Engine {
    readers: Mutex<Vec<Connection>>,
    path: String,
    writer: Arc<Mutex<Connection>>,
}

fn connect(path: &str) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
         pragma busy_timeout = 5000;",
    )?;
    Ok(connection)
}

impl Engine {
    pub(crate) fn open(url: &str) -> Result<Self> {
        let path = url.trim_start_matches("sqlite:").to_owned();
        let writer = Arc::new(Mutex::new(connect(&path)?));
        Ok(Self {
            readers: Mutex::new(Vec::new()),
            path,
            writer,
        })
    }

    pub(crate) fn with_reader<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let free = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match free {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let result = work(&connection);
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        result
    }

    pub(crate) fn user(&self, uuid: Uuid) -> Result<Option<User>> {
        self.with_reader(|connection| {
            let mut statement = connection.prepare_cached(USER)?;
            let mut text = Uuid::encode_buffer();
            let key: &str = uuid.hyphenated().encode_lower(&mut text);
            let user = statement
                .query_row([key], |row| {
                    Ok(User {
                        uuid,
                        display_name: row.get(1)?,
                        handle: row.get(2)?,
                        bio: row.get(3)?,
                        created_at: row.get(4)?,
                    })
                })
                .optional()?;
            Ok(user)
        })
    }

    pub(crate) fn feed(&self) -> Result<Vec<Activity>> {
        self.with_reader(|connection| {
            let mut statement = connection.prepare_cached(FEED)?;
            let rows = statement.query_map([spell(now())], |row| {
                let uuid: String = row.get(0)?;
                Ok(Activity {
                    uuid: Uuid::parse_str(&uuid).unwrap_or_default(),
                    message: row.get(1)?,
                    likes_count: row.get(2)?,
                    created_at: row.get(3)?,
                    author: Some(Author {
                        handle: row.get(4)?,
                        display_name: row.get(5)?,
                    }),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub(crate) async fn insert(&self, user: Uuid, message: String) -> Result<()> {
        let writer = Arc::clone(&self.writer);
        tokio::task::spawn_blocking(move || {
            let connection = writer.lock().unwrap_or_else(PoisonError::into_inner);
            let mut statement = connection.prepare_cached(INSERT)?;
            statement.execute(params![
                new_uuid().to_string(),
                user.to_string(),
                message,
                spell(now())
            ])?;
            Ok(())
        })
        .await?
    }
}
