//! The three statements on MariaDB and MySQL: prepared, a pool without a reset per checkout.

use anyhow::Result;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts, Row};
use uuid::Uuid;

use crate::model::{Activity, Author, User, new_uuid, now};

pub(crate) const USER: &str = "select cast(uuid as char), display_name, handle, bio,
    date_format(created_at, '%Y-%m-%dT%H:%i:%s.%fZ') from users where uuid = ?";
pub(crate) const FEED: &str = "select cast(a.uuid as char), a.message, a.likes_count,
    date_format(a.created_at, '%Y-%m-%dT%H:%i:%s.%fZ'), u.handle, u.display_name
    from activities a left join users u on u.uuid = a.user_uuid
    where a.expires_at is null or a.expires_at > ?
    order by a.created_at desc, a.uuid desc limit 20";
const INSERT: &str = "insert into activities (uuid, user_uuid, message, created_at)
    values (?, ?, ?, ?)";

/// The pool.
pub(crate) struct Engine {
    pub(crate) pool: Pool,
}

pub(crate) fn moment() -> String {
    now().strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

impl Engine {
    pub(crate) fn open(url: &str) -> Result<Self> {
        Self::with_pool(url, 16, false)
    }

    /// `reset`: each connection is put back into its first state before it is used again.
    pub(crate) fn with_pool(url: &str, size: usize, reset: bool) -> Result<Self> {
        let url = url.replacen("mariadb://", "mysql://", 1);
        let pool = PoolOpts::default()
            .with_reset_connection(reset)
            .with_constraints(PoolConstraints::new(4, size).unwrap_or_default());
        let options = OptsBuilder::from_opts(Opts::from_url(&url)?)
            .setup(vec!["set time_zone = '+00:00'"])
            .pool_opts(pool);
        Ok(Self {
            pool: Pool::new(options),
        })
    }

    pub(crate) async fn user(&self, uuid: Uuid) -> Result<Option<User>> {
        let mut connection = self.pool.get_conn().await?;
        let row: Option<(String, String, String, Option<String>, String)> =
            connection.exec_first(USER, (uuid.to_string(),)).await?;
        Ok(row.map(|(_, display_name, handle, bio, created_at)| User {
            uuid,
            display_name,
            handle,
            bio,
            created_at,
        }))
    }

    pub(crate) async fn feed(&self) -> Result<Vec<Activity>> {
        let mut connection = self.pool.get_conn().await?;
        let rows: Vec<Row> = connection.exec(FEED, (moment(),)).await?;
        rows.into_iter()
            .map(|row| {
                let (uuid, message, likes_count, created_at, handle, display_name): (
                    String,
                    String,
                    i32,
                    String,
                    String,
                    String,
                ) = mysql_async::from_row_opt(row)?;
                Ok(Activity {
                    uuid: Uuid::parse_str(&uuid)?,
                    message,
                    likes_count,
                    created_at,
                    author: Some(Author {
                        handle,
                        display_name,
                    }),
                })
            })
            .collect()
    }

    pub(crate) async fn insert(&self, user: Uuid, message: &str) -> Result<()> {
        let mut connection = self.pool.get_conn().await?;
        let values = (new_uuid().to_string(), user.to_string(), message, moment());
        connection.exec_drop(INSERT, values).await?;
        Ok(())
    }
}
