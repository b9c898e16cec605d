//! One change of the database's structure.

use std::fmt;

use lang::{CommentTarget, NativeStatement, Write};
use sql::Ident;

use crate::{Column, Constraint, ForeignKey, Index, Table, View};

/// A step from one catalog to another, engine-neutral.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A new table with its constraints; its indexes are operations of their own.
    CreateTable {
        /// The table.
        table: Box<Table>,
        /// Foreign keys to tables that do not exist yet; [`Operation::AddForeignKey`] follows.
        later: Vec<Ident>,
    },
    /// A foreign key that had to wait for its target. SQLite wrote it with the table.
    AddForeignKey {
        /// Of which table.
        table: Ident,
        /// The key.
        key: ForeignKey,
    },
    /// A table and its rows go.
    DropTable(Box<Table>),
    /// A new column, with the foreign key that stands on it alone.
    AddColumn {
        /// Of which table.
        table: Ident,
        /// The column.
        column: Box<Column>,
        /// Its foreign key.
        foreign_key: Option<ForeignKey>,
    },
    /// A column and its values go.
    DropColumn {
        /// Of which table.
        table: Ident,
        /// The column.
        column: Box<Column>,
    },
    /// A column gets another name.
    RenameColumn {
        /// Of which table.
        table: Ident,
        /// Its name until now.
        from: Ident,
        /// Its name from now on.
        to: Ident,
    },
    /// A column gets another type, default, or may be null or not.
    AlterColumn {
        /// Of which table.
        table: Ident,
        /// As it was.
        before: Box<Column>,
        /// As it will be.
        after: Box<Column>,
    },
    /// A table that exists gets a constraint.
    AddConstraint {
        /// Which table.
        table: Ident,
        /// The constraint.
        constraint: Constraint,
    },
    /// A constraint goes.
    DropConstraint {
        /// Of which table.
        table: Ident,
        /// The constraint.
        constraint: Constraint,
    },
    /// A table gets another name.
    RenameTable {
        /// Its name until now.
        from: Ident,
        /// Its name from now on.
        to: Ident,
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
    /// A new view.
    CreateView(Box<View>),
    /// A view goes.
    DropView(Box<View>),
    /// A comment comes, changes or goes. What is dropped takes its comments along.
    Comment {
        /// What it is on.
        on: CommentTarget,
        /// As it was; `None` where there was none.
        before: Option<String>,
        /// As it will be.
        after: Option<String>,
    },
    /// Rows are inserted, updated or deleted.
    Change(Box<Write>),
    /// A statement in an engine's own language; the other engines have nothing to do.
    Native {
        /// The statement.
        run: NativeStatement,
        /// What takes it back, where that is known.
        back: Option<NativeStatement>,
    },
}

impl Operation {
    /// The table that it is about; a native statement does not say.
    #[must_use]
    pub fn table(&self) -> Option<&Ident> {
        Some(match self {
            Self::Native { .. } => return None,
            Self::Change(write) => &write.table,
            Self::CreateTable { table, .. } | Self::DropTable(table) => &table.name,
            Self::RenameTable { from, .. } => from,
            Self::CreateView(view) | Self::DropView(view) => view.name(),
            Self::Comment { on, .. } => on.relation(),
            Self::AddForeignKey { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::AlterColumn { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::DropIndex { table, .. } => table,
        })
    }

    /// Whether a view that reads the table has to make way: engines refuse to change what a view
    /// rests on, or leave the view broken.
    #[must_use]
    pub fn moves_views(&self) -> bool {
        match self {
            Self::DropTable(_)
            | Self::AddColumn { .. }
            | Self::DropColumn { .. }
            | Self::RenameColumn { .. }
            | Self::AlterColumn { .. }
            | Self::AddConstraint { .. }
            | Self::DropConstraint { .. }
            | Self::RenameTable { .. } => true,
            Self::CreateTable { .. }
            | Self::AddForeignKey { .. }
            | Self::CreateIndex { .. }
            | Self::DropIndex { .. }
            | Self::CreateView(_)
            | Self::DropView(_)
            | Self::Comment { .. }
            | Self::Change(_)
            | Self::Native { .. } => false,
        }
    }

    /// Whether it changes rows and not structure.
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(self, Self::Change(_) | Self::Native { .. })
    }

    /// Whether rows or values are lost.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        match self {
            Self::DropTable(_) => true,
            // What is worked out from other columns can be worked out again.
            Self::DropColumn { column, .. } => column.generated.is_none(),
            Self::AlterColumn { before, after, .. } => !after.ty.holds(&before.ty),
            Self::AddConstraint { .. }
            | Self::DropConstraint { .. }
            | Self::RenameTable { .. }
            | Self::CreateTable { .. }
            | Self::AddForeignKey { .. }
            | Self::AddColumn { .. }
            | Self::RenameColumn { .. }
            | Self::CreateIndex { .. }
            | Self::DropIndex { .. }
            | Self::CreateView(_)
            | Self::DropView(_)
            | Self::Comment { .. }
            // Their author wrote them by hand, and meant it.
            | Self::Change(_)
            | Self::Native { .. } => false,
        }
    }
}

/// What it does, in a few words: `create table users`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTable { table, .. } => write!(f, "create table {}", table.name),
            Self::AddForeignKey { key, .. } => write!(f, "add foreign key {}", key.name),
            Self::DropTable(table) => write!(f, "drop table {}", table.name),
            Self::AddColumn { table, column, .. } => {
                write!(f, "add column {table}.{}", column.name)
            }
            Self::DropColumn { table, column } => write!(f, "drop column {table}.{}", column.name),
            Self::RenameColumn { table, from, to } => {
                write!(f, "rename column {table}.{from} to {to}")
            }
            Self::AlterColumn { table, after, .. } => {
                write!(f, "alter column {table}.{}", after.name)
            }
            Self::AddConstraint { table, constraint } => {
                write!(f, "add constraint {} to {table}", constraint.name())
            }
            Self::DropConstraint { table, constraint } => {
                write!(f, "drop constraint {} of {table}", constraint.name())
            }
            Self::RenameTable { from, to } => write!(f, "rename table {from} to {to}"),
            Self::CreateIndex { index, .. } => write!(f, "create index {}", index.name),
            Self::DropIndex { index, .. } => write!(f, "drop index {}", index.name),
            Self::CreateView(view) => write!(f, "create view {}", view.name()),
            Self::DropView(view) => write!(f, "drop view {}", view.name()),
            Self::Comment { on, after, .. } => {
                let what = if after.is_some() {
                    "comment"
                } else {
                    "no comment"
                };
                write!(f, "{what} on {on}")
            }
            Self::Change(write) => write!(f, "change rows of {}", write.table),
            Self::Native { run: native, .. } => {
                let words: Vec<&str> = native.text.split_whitespace().take(4).collect();
                let engines: Vec<&str> = native.engines.iter().map(|one| one.name()).collect();
                write!(f, "{}: {} …", engines.join(", "), words.join(" "))
            }
        }
    }
}
