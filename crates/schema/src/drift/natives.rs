//! What migrations made in an engine's own language, made again in a scratch place.

use lang::NativeStatement;
use sql::{DbResult, Dialect, Sql, Tx};

/// What stays within the schema that it is made in. Roles, extensions and the like do not.
const KINDS: [&str; 12] = [
    "view",
    "trigger",
    "function",
    "procedure",
    "aggregate",
    "table",
    "index",
    "type",
    "domain",
    "sequence",
    "rule",
    "event",
];

/// Words between `CREATE` and what is created.
const BETWEEN: [&str; 13] = [
    "or",
    "replace",
    "unique",
    "materialized",
    "recursive",
    "constraint",
    "virtual",
    "algorithm",
    "sql",
    "security",
    "invoker",
    "fulltext",
    "spatial",
];

/// Runs the statements that change structure, each by itself; gives those that could not run. One
/// that never can made nothing that will be found, and shows as a difference if it has made
/// something there.
pub(super) async fn run<'n>(
    tx: &mut Tx,
    natives: Vec<&'n NativeStatement>,
    dialect: Dialect,
) -> DbResult<Vec<&'n NativeStatement>> {
    let mut waiting = Vec::new();
    let is_own =
        |native: &&NativeStatement| native.engines.contains(&dialect) && is_structure(&native.text);
    for native in natives.into_iter().filter(is_own) {
        let mut statement = Sql::new(dialect);
        statement.native(&native.text);
        // These commit behind each statement of DDL, and know no way back.
        let commits = matches!(dialect, Dialect::MySql | Dialect::MariaDb);
        if !commits {
            tx.execute(Sql::new(dialect).push("savepoint one_native"))
                .await?;
        }
        if tx.execute(&statement).await.is_err() {
            waiting.push(native);
            if !commits {
                let back = "rollback to savepoint one_native";
                tx.execute(Sql::new(dialect).push(back)).await?;
            }
        }
    }
    Ok(waiting)
}

/// Whether it makes, changes or drops something within its schema.
fn is_structure(text: &str) -> bool {
    let mut words = text.split_whitespace().map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    // How statements behind it are read, in this transaction.
    if first == "set" {
        return words.next().as_deref() == Some("local");
    }
    if !["create", "alter", "drop", "comment"].contains(&first.as_str()) {
        return false;
    }
    let is_between = |word: &String| {
        BETWEEN.contains(&word.as_str()) || word.starts_with("definer") || word.contains('=')
    };
    let kind = words.find(|word| !is_between(word)).unwrap_or_default();
    first == "comment" || KINDS.contains(&kind.as_str())
}
