//! Statements of a test on a whole server: databases, users.

use std::path::Path;

use sql::{DatabaseUrl, Db, DbOptions, Sql, Step};

/// Runs one statement of our own on a server.
///
/// # Panics
/// When the server refuses it.
pub async fn on_server(server: &str, statement: &str) {
    let url = DatabaseUrl::parse(server, Path::new("")).expect("the server's address is valid");
    let options = DbOptions {
        read_connections: 1,
        write_connections: 1,
        ..DbOptions::default()
    };
    let db = Db::connect(&url, &options)
        .await
        .expect("the server can be reached");
    // The writer takes only static text; a test's own statements may leak.
    let text: &'static str = Box::leak(statement.to_owned().into_boxed_str());
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    db.write(vec![Step::new(sql)])
        .await
        .expect("the server takes the statement");
    db.close().await.expect("the connection closes");
}
