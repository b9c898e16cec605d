//! Files of `api/`.

use std::sync::{Arc, LazyLock};

use ::schema::Catalog;
use rest::{Api, Limits};
use sql::Dialect;

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(crate::cruddur);

/// An SQL file over the example's tables; its first line is its path. One that is right can be
/// written for every engine.
///
/// # Panics
/// When the text of a statement holds NUL.
pub fn endpoint(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (path, text) = text.split_once('\n').unwrap_or(("x.get.sql", &text));
    let files = [crate::source(&format!("api/{path}"), text)];
    for dialect in [
        Dialect::Sqlite,
        Dialect::Postgres,
        Dialect::MySql,
        Dialect::MariaDb,
    ] {
        if let Ok(api) = Api::new(Arc::clone(&CATALOG), &files, dialect, Limits::default()) {
            for (_, sql) in api.statements_to_prepare() {
                assert!(!sql.text().contains('\0'), "{}", sql.text());
            }
        }
    }
}
