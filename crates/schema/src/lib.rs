//! The declared tables: catalog, differences, DDL, inspection, migrations.
//!
//! `schema/*.sql` is the wanted state. It becomes a [`Catalog`]; two catalogs give a list of
//! [`Operation`]s; operations become DDL for one engine. The same road serves a user's tables
//! and Pilaster's own.

mod catalog;
mod ddl;
mod describe;
mod diff;
mod drift;
mod inspect;
mod migrate;
mod names;
mod operation;
mod resolve;

pub use catalog::{
    Catalog, Check, Column, ColumnDefault, Constraint, ForeignKey, Grant, Index, Policy,
    PrimaryKey, Role, Table, Unique,
};
pub use ddl::{Rendered, render_operations};
pub use describe::{DescribedColumn, Description, describe};
pub use diff::{Difference, diff};
pub use drift::drift;
pub use migrate::{
    Direction, History, Loss, Migration, MigrationError, MigrationState, MigrationStatus,
    Migrations, NewMigration, Plan, PlannedStep, Progress, Reference, Rewritten, Runner,
};
pub use operation::Operation;
pub use resolve::CatalogKind;

#[cfg(test)]
mod tests;
