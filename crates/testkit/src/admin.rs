//! Statements that make and drop databases, outside of any transaction.

use std::path::Path;

use sql::{DatabaseUrl, Db, DbOptions, Sql, Step};

/// Runs one statement of our own on a server.
///
/// # Panics
/// When the server refuses it.
pub(crate) async fn run(server: &str, statement: &str) {
    let url = DatabaseUrl::parse(server, Path::new("")).expect("the server's address is valid");
    let options = DbOptions {
        read_connections: 1,
        write_connections: 1,
        ..DbOptions::default()
    };
    let db = Db::connect(&url, &options)
        .await
        .expect("the server can be reached");
    // Database names are made of our own letters and digits, so leaking the text is harmless; a
    // writer that takes only static text wants it static.
    let text: &'static str = Box::leak(statement.to_owned().into_boxed_str());
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    db.write(vec![Step::new(sql)])
        .await
        .expect("the server takes the statement");
    db.close().await.expect("the connection closes");
}
