//! Entrances for arbitrary bytes: each takes what a stranger could send and must not panic.
//!
//! `fuzz/` runs them under libFuzzer (`cargo xtask fuzz`), `tests/corpus.rs` runs the kept corpus
//! with every `cargo test`.

mod endpoint;
mod schema;
mod url;

pub use endpoint::endpoint;
pub use schema::schema;
pub use url::url;

use std::sync::Arc;

use ::schema::{Catalog, CatalogKind};
use lang::Source;

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// The tables of the example.
fn cruddur() -> Arc<Catalog> {
    let text = include_str!("../../../examples/cruddur/schema/cruddur.sql");
    let sources = [source("schema/cruddur.sql", text)];
    match Catalog::from_sources(&sources, CatalogKind::User) {
        Ok(catalog) => Arc::new(catalog),
        Err(errors) => panic!("the example is valid: {errors:?}"),
    }
}
