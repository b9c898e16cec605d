//! Facts about catalogs and migrations.

mod autogenerate;
mod changes;
mod comments;
mod ddl;
mod errors;
mod expressions;
mod galera;
mod indexes;
mod interrupted;
mod json;
mod migrations;
mod random;
mod views;
mod words;

use lang::Source;

use crate::{Catalog, CatalogKind};

fn source(text: &str) -> Source {
    Source {
        path: String::from("schema/test.sql"),
        text: text.to_owned(),
    }
}

/// The example's schema.
fn cruddur() -> Catalog {
    let text = include_str!("../../../examples/cruddur/schema/cruddur.sql");
    match Catalog::from_sources(&[source(text)], CatalogKind::User) {
        Ok(catalog) => catalog,
        Err(errors) => panic!("{}", show(&errors)),
    }
}

fn show(errors: &[lang::Diagnostic]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
