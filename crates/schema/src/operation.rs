//! One change of the database's structure.

use sql::Ident;

use crate::{Column, ForeignKey, Index, Table};

/// A step from one catalog to another, engine-neutral.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A new table with its constraints; its indexes are operations of their own.
    CreateTable(Box<Table>),
    /// A table and its rows go.
    DropTable(Box<Table>),
    /// A new column.
    AddColumn {
        /// Of which table.
        table: Ident,
        /// The column.
        column: Column,
        /// A foreign key on just that column, written with it.
        foreign_key: Option<ForeignKey>,
    },
    /// A column and its values go.
    DropColumn {
        /// Of which table.
        table: Ident,
        /// The column.
        column: Column,
    },
    /// A new index.
    CreateIndex {
        /// On which table.
        table: Ident,
        /// The index.
        index: Index,
    },
    /// An index goes.
    DropIndex {
        /// On which table.
        table: Ident,
        /// The index.
        index: Index,
    },
}
