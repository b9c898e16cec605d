//! Files of `schema/`.

use ::schema::{Catalog, CatalogKind, Migrations};

/// A schema file. One that is right gives a migration that leads to just that schema.
///
/// # Panics
/// When it does not.
pub fn schema(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let sources = [crate::source("schema/fuzz.sql", &text)];
    let Ok(wanted) = Catalog::from_sources(&sources, CatalogKind::User) else {
        return;
    };
    let none = Migrations::default();
    let Ok(Some(first)) = none.next(&wanted, "init", CatalogKind::User) else {
        return;
    };
    let file = crate::source(&format!("migrations/{}", first.file_name), &first.text);
    let known = match Migrations::load(&[file]) {
        Ok(known) => known,
        Err(errors) => panic!("{errors:?}\n{}", first.text),
    };
    match known.next(&wanted, "again", CatalogKind::User) {
        Ok(None) => {}
        Ok(Some(more)) => panic!("{}\nis followed by\n{}", first.text, more.text),
        Err(errors) => panic!("{errors:?}\n{}", first.text),
    }
}
