//! The declared state of our own tables and the steps to it, embedded in the program.

use lang::Source;

/// Our own migrations: path and text, oldest first.
const MIGRATIONS: [(&str, &str); 9] = [
    (
        "migrations/0001_init.sql",
        include_str!("../migrations/0001_init.sql"),
    ),
    (
        "migrations/0002_deliveries.sql",
        include_str!("../migrations/0002_deliveries.sql"),
    ),
    (
        "migrations/0003_kept_answers.sql",
        include_str!("../migrations/0003_kept_answers.sql"),
    ),
    (
        "migrations/0004_identity.sql",
        include_str!("../migrations/0004_identity.sql"),
    ),
    (
        "migrations/0005_oauth.sql",
        include_str!("../migrations/0005_oauth.sql"),
    ),
    (
        "migrations/0006_devices.sql",
        include_str!("../migrations/0006_devices.sql"),
    ),
    (
        "migrations/0007_registration.sql",
        include_str!("../migrations/0007_registration.sql"),
    ),
    (
        "migrations/0008_logout.sql",
        include_str!("../migrations/0008_logout.sql"),
    ),
    (
        "migrations/0009_administration.sql",
        include_str!("../migrations/0009_administration.sql"),
    ),
];

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
    let source = |(path, text): (&str, &str)| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    MIGRATIONS.into_iter().map(source).collect()
}
