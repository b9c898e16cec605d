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
mod native;
mod operation;
mod pull;
mod resolve;
mod transfer;
mod words;

pub use catalog::{
    Catalog, Check, Column, ColumnDefault, Constraint, ForeignKey, Grant, Index, IndexKey,
    IndexTarget, Policy, PrimaryKey, Role, Table, Unique, View, Words,
};
pub use ddl::{Rendered, render_operations};
pub use describe::{DescribedColumn, Description, describe, describe_view};
pub use diff::{Difference, RenameQuestion, diff, rename_questions};
pub use drift::{drift, relation_names};
pub use migrate::{
    Direction, History, Loss, Migration, MigrationError, MigrationState, MigrationStatus,
    Migrations, NewMigration, Plan, PlannedStep, Progress, Reference, Rewritten, Runner,
};
pub use native::{
    NativeError, NativeNames, NativePlan, NativeRules, Servers, apply_native, drop_native_roles,
    make_native_role, native_plan, native_roles, taken_function,
};
pub use operation::Operation;
pub use pull::{Pulled, pull};
pub use resolve::CatalogKind;
pub use transfer::{Digest, Transfer};
pub use words::WordIndex;

#[cfg(test)]
mod tests;
