//! Test harness: throw-away databases on every engine, a running Pilaster, builders.
#![expect(
    clippy::missing_panics_doc,
    reason = "a harness panics to fail its test"
)]

mod admin;
mod cluster;
mod database;
mod disk;
mod dump;
mod own_server;
mod project;
mod running;
mod shape;

pub use admin::on_server;
pub use cluster::{ClusterNode, ThrowAwayCluster};
pub use database::{ThrowAwayDatabase, is_enabled};
pub use disk::{Over, SmallDisk, in_own_namespace, mount_over};
pub use dump::dump;
pub use own_server::OwnServer;
pub use project::{Finished, Project, SECRET_KEY, workspace};
pub use running::{Answer, Running};
pub use shape::check as check_error;

/// A program of somebody else's that a test looks through, from the variable that
/// `cargo xtask test` sets; `None` in a plain `cargo test`, which needs nothing but cargo.
#[must_use]
pub fn tool(variable: &str) -> Option<String> {
    std::env::var_os(variable).and_then(|path| path.into_string().ok())
}

/// A moment as RFC 3339 text, out of seconds since 1970 and milliseconds.
///
/// # Panics
/// When it is outside of the calendar.
#[must_use]
pub fn rfc3339(seconds: i64, millis: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(seconds * 1000 + millis);
    moment.expect("a moment of the calendar").to_string()
}
