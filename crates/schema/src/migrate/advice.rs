//! What a step locks on each engine, and how to take it while servers of the old version run.

use sql::Dialect;

use crate::{Constraint, Operation};

/// What it locks, and how to do it in several releases. PostgreSQL: the manual's page on ALTER
/// TABLE, "Notes"; MySQL: "Online DDL Operations"; MariaDB: "`InnoDB` Online DDL Overview".
pub(super) fn advice(
    operation: &Operation,
    dialect: Dialect,
) -> (Option<&'static str>, Option<&'static str>) {
    (locks(operation, dialect), in_releases(operation))
}

fn locks(operation: &Operation, dialect: Dialect) -> Option<&'static str> {
    if dialect == Dialect::Sqlite {
        return match operation {
            Operation::AlterColumn { .. }
            | Operation::AddConstraint { .. }
            | Operation::DropConstraint { .. } => {
                Some("copies the table; nobody else writes meanwhile, readers go on")
            }
            Operation::CreateIndex { .. } => Some("nobody else writes meanwhile, readers go on"),
            _ => None,
        };
    }
    let is_postgres = dialect == Dialect::Postgres;
    match operation {
        Operation::AlterColumn { before, after, .. } if before.ty != after.ty => {
            Some(match is_postgres {
                true => "may rewrite the table; readers and writers wait",
                false => "copies the table; writers wait",
            })
        }
        Operation::AlterColumn { before, after, .. } if before.nullable && !after.nullable => {
            Some(match is_postgres {
                true => "reads the whole table; readers and writers wait",
                false => "rebuilds the table; readers and writers go on",
            })
        }
        Operation::AddConstraint { constraint, .. } => Some(match (constraint, is_postgres) {
            (Constraint::Check(_), true) => "reads the whole table; readers and writers wait",
            (Constraint::ForeignKey(_), true) => "reads both tables; writers to both wait",
            (_, true) => "builds an index; writers wait",
            (Constraint::ForeignKey(_) | Constraint::Check(_), false) => {
                "copies the table; writers wait"
            }
            (_, false) => "builds an index; readers and writers go on",
        }),
        Operation::CreateIndex { .. } => Some(match is_postgres {
            true => "builds an index; writers wait, readers go on",
            false => "builds an index; readers and writers go on",
        }),
        Operation::DropColumn { .. } if !is_postgres => {
            Some("rebuilds the table on older servers; readers and writers go on")
        }
        _ => None,
    }
}

/// Expand, move over, contract: what breaks servers that still run the version before.
fn in_releases(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::RenameTable { .. } | Operation::RenameColumn { .. } => Some(
            "servers of the old version ask for the old name; to change without a pause add the \
             new one, copy, and drop the old one in a later release",
        ),
        Operation::DropTable(_) | Operation::DropColumn { .. } => Some(
            "servers of the old version may still read it; to change without a pause drop it in \
             the release after the one that ceases to use it",
        ),
        Operation::AlterColumn { before, after, .. } if !after.ty.holds(&before.ty) => Some(
            "values may not fit; to change without a pause add a column of the new type, copy, \
             and drop the old one in a later release",
        ),
        Operation::AlterColumn { before, after, .. } if before.nullable && !after.nullable => {
            Some("it fails where a null is left; fill them in a migration before")
        }
        Operation::AddConstraint { constraint, .. } => match constraint {
            Constraint::Unique(_) | Constraint::PrimaryKey(_) => {
                Some("it fails where two rows are alike; look for them before")
            }
            Constraint::Check(_) | Constraint::ForeignKey(_) => {
                Some("it fails where a row does not satisfy it; look for such rows before")
            }
        },
        _ => None,
    }
}
