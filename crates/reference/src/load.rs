//! The data of the benchmark: users and activities that follow from their number, so that every
//! engine holds the same.

use anyhow::Result;
use mysql_async::prelude::Queryable as _;
use uuid::Uuid;

/// Rows in one statement.
const BATCH: usize = 500;

/// The id of user `number`; also known to the load generator's script.
pub(crate) fn user_id(number: usize) -> Uuid {
    Uuid::from_u128(0x0193_a000_0000_7000_8000_0000_0000_0000 | number as u128)
}

fn activity_id(number: usize) -> Uuid {
    Uuid::from_u128(0x0193_b000_0000_7000_8000_0000_0000_0000 | number as u128)
}

/// A statement with literal values: they are all made here, so nothing can be injected.
fn statements(users: usize, activities: usize, moment: fn(usize) -> String) -> Vec<String> {
    let rows = |range: std::ops::Range<usize>, row: &dyn Fn(usize) -> String| {
        range.map(row).collect::<Vec<_>>().join(",")
    };
    let mut statements = Vec::new();
    for start in (0..users).step_by(BATCH) {
        let rows = rows(start..users.min(start + BATCH), &|n| {
            let (id, moment) = (user_id(n), moment(n));
            format!("('{id}','Person {n}','person{n}','person{n}@example.org','{moment}')")
        });
        statements.push(format!(
            "insert into users (uuid, display_name, handle, email, created_at) values {rows}"
        ));
    }
    for start in (0..activities).step_by(BATCH) {
        let rows = rows(start..activities.min(start + BATCH), &|n| {
            let (id, user, moment) = (activity_id(n), user_id(n * 7919 % users), moment(n));
            let message = format!("Message {n}: {}", "the quick brown fox jumps. ".repeat(4));
            format!("('{id}','{user}','{message}',{},'{moment}')", n % 100)
        });
        statements.push(format!(
            "insert into activities (uuid, user_uuid, message, likes_count, created_at) values {rows}"
        ));
    }
    statements
}

fn second(number: usize) -> jiff::Timestamp {
    let seconds = 1_760_000_000 + i64::try_from(number).unwrap_or(0);
    jiff::Timestamp::from_second(seconds).unwrap_or_default()
}

fn iso(number: usize) -> String {
    crate::model::spell(second(number))
}

fn plain(number: usize) -> String {
    second(number).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// Fills the tables of the database at `url`, in one transaction.
pub(crate) async fn run(url: &str, users: usize, activities: usize) -> Result<()> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let connection = rusqlite::Connection::open(path)?;
        connection.execute_batch("begin")?;
        for statement in statements(users, activities, iso) {
            connection.execute_batch(&statement)?;
        }
        connection.execute_batch("commit; analyze;")?;
    } else if url.starts_with("postgres") {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("begin").await?;
        for statement in statements(users, activities, iso) {
            client.batch_execute(&statement).await?;
        }
        client.batch_execute("commit").await?;
        client
            .batch_execute("vacuum analyze users, activities")
            .await?;
    } else {
        let url = url.replacen("mariadb://", "mysql://", 1);
        let mut connection = mysql_async::Conn::new(mysql_async::Opts::from_url(&url)?).await?;
        connection.query_drop("start transaction").await?;
        for statement in statements(users, activities, plain) {
            connection.query_drop(statement).await?;
        }
        connection.query_drop("commit").await?;
        connection
            .query_drop("analyze table users, activities")
            .await?;
        connection.disconnect().await?;
    }
    println!("loaded {users} users and {activities} activities");
    Ok(())
}
