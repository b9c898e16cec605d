//! Test harness: throw-away databases on every engine, a running Pilaster, builders.

mod admin;
mod database;
mod dump;
mod project;
mod running;

pub use database::{ThrowAwayDatabase, is_enabled};
pub use project::{Finished, Project, SECRET_KEY, workspace};
pub use running::{Answer, Running};
