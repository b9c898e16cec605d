//! The declared state of our own tables and the steps to it, embedded in the program.

use lang::Source;

/// Pilaster's own `schema/*.sql`.
#[must_use]
pub fn system_schema() -> Vec<Source> {
    vec![Source {
        path: "schema/auth.sql".to_owned(),
        text: include_str!("../schema/auth.sql").to_owned(),
    }]
}

/// Pilaster's own `migrations/*.sql`, the history `system`, oldest first.
#[must_use]
pub fn system_migrations() -> Vec<Source> {
    vec![Source {
        path: "migrations/0001_init.sql".to_owned(),
        text: include_str!("../migrations/0001_init.sql").to_owned(),
    }]
}
