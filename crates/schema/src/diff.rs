//! Two catalogs to operations.

mod comments;
mod natives;
mod rename;
mod views;

pub(crate) use comments::{comments_of, is_made};
pub(crate) use natives::{effective, triggers_of};
pub use rename::{RenameQuestion, rename_questions};

use lang::Diagnostic;
use sql::Ident;

use crate::{Catalog, Constraint, ForeignKey, Operation, Table};

/// What stands between two catalogs.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// The steps, in an order in which they can run.
    pub operations: Vec<Operation>,
}

/// The steps from one catalog to another, or what no step can do yet.
///
/// Roles with their limits, grants and policies are not the database's (ADR 0003).
pub fn diff(from: &Catalog, to: &Catalog) -> Result<Difference, Vec<Diagnostic>> {
    let before = from;
    let (mut operations, from) = rename::renames(from, to)?;
    let questions = rename::questions(&from, to);
    let mut errors: Vec<Diagnostic> = questions.iter().map(RenameQuestion::diagnostic).collect();
    let mut waiting = Vec::new();
    let mut present: Vec<&Ident> = from.tables.iter().map(|table| &table.name).collect();
    for table in in_order_of_dependency(to) {
        match from.table(table.name.as_str()) {
            None => {
                create(table, &present, &mut operations, &mut waiting);
                present.push(&table.name);
            }
            Some(old) => compare(old, table, &mut operations, &mut waiting, &mut errors),
        }
    }
    operations.append(&mut waiting);
    let gone = in_order_of_dependency(&from).into_iter().rev();
    for table in gone.filter(|table| to.table(table.name.as_str()).is_none()) {
        operations.push(Operation::DropTable(Box::new(table.clone())));
    }
    let mut operations = views::around(before, to, operations);
    operations.extend(comments::changes(&from, to, &operations));
    let operations = natives::around(&from.natives, &to.natives, operations);
    if errors.is_empty() {
        Ok(Difference { operations })
    } else {
        Err(errors)
    }
}

/// A new table and its indexes; its keys to tables that are not `present` have to wait.
fn create(
    table: &Table,
    present: &[&Ident],
    operations: &mut Vec<Operation>,
    waiting: &mut Vec<Operation>,
) {
    let is_present = |target: &Ident| *target == table.name || present.contains(&target);
    let mut later = Vec::new();
    let keys = table.foreign_keys.iter();
    for key in keys.filter(|key| !is_present(&key.target)) {
        later.push(key.name.clone());
        waiting.push(Operation::AddForeignKey {
            table: table.name.clone(),
            key: key.clone(),
        });
    }
    operations.push(Operation::CreateTable {
        table: Box::new(table.clone()),
        later,
    });
    operations.extend(table.indexes.iter().map(|index| Operation::CreateIndex {
        table: table.name.clone(),
        index: index.clone(),
    }));
}

/// Tables before those that point to them, as far as there is no circle.
pub(crate) fn in_order_of_dependency(catalog: &Catalog) -> Vec<&Table> {
    let mut waiting: Vec<&Table> = catalog.tables.iter().collect();
    let mut ordered: Vec<&Table> = Vec::new();
    while !waiting.is_empty() {
        let is_free = |table: &&Table| {
            table.foreign_keys.iter().all(|key| {
                key.target == table.name || ordered.iter().any(|other| other.name == key.target)
            })
        };
        let place = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(waiting.remove(place));
    }
    ordered
}

/// What has changed about a table: what goes, what is altered, what comes.
fn compare(
    old: &Table,
    new: &Table,
    operations: &mut Vec<Operation>,
    waiting: &mut Vec<Operation>,
    errors: &mut Vec<Diagnostic>,
) {
    let name = &new.name;
    let dropped: Vec<&Ident> = missing(&old.columns, &new.columns);
    let added: Vec<&Ident> = missing(&new.columns, &old.columns);
    let table = || name.clone();
    let lost = old
        .indexes
        .iter()
        .filter(|index| !new.indexes.contains(index));
    operations.extend(lost.map(|index| Operation::DropIndex {
        table: table(),
        index: index.clone(),
    }));
    // What others rest on goes last.
    let (before, after) = (old.constraints(), new.constraints());
    let lost = before.iter().rev().filter(|one| !is_among(one, &after));
    operations.extend(lost.map(|constraint| Operation::DropConstraint {
        table: table(),
        constraint: constraint.clone(),
    }));
    let lost = dropped.iter().filter_map(|name| old.column(name.as_str()));
    operations.extend(lost.map(|column| Operation::DropColumn {
        table: table(),
        column: Box::new(column.clone()),
    }));
    columns(old, new, operations, errors);
    for constraint in after.iter().filter(|one| !is_among(one, &before)) {
        if let Constraint::ForeignKey(key) = constraint
            && added.iter().any(|column| own_key(new, column) == Some(key))
        {
            // It comes with its column.
            continue;
        }
        let operation = Operation::AddConstraint {
            table: table(),
            constraint: constraint.clone(),
        };
        match constraint {
            // Its target may come later.
            Constraint::ForeignKey(_) => waiting.push(operation),
            Constraint::PrimaryKey(_) | Constraint::Unique(_) | Constraint::Check(_) => {
                operations.push(operation);
            }
        }
    }
    let made = new
        .indexes
        .iter()
        .filter(|index| !old.indexes.contains(index));
    operations.extend(made.map(|index| Operation::CreateIndex {
        table: table(),
        index: index.clone(),
    }));
}

fn columns(
    old: &Table,
    new: &Table,
    operations: &mut Vec<Operation>,
    errors: &mut Vec<Diagnostic>,
) {
    let name = &new.name;
    for column in &new.columns {
        let mut refuse = |message: String, hint: &str| {
            errors.push(Diagnostic::new(&new.path, column.span, message).hint(hint));
        };
        let Some(before) = old.column(column.name.as_str()) else {
            if !column.nullable && column.default.is_none() && column.generated.is_none() {
                refuse(
                    format!(
                        "{name}.{} is NOT NULL and has no default for the rows that exist",
                        column.name
                    ),
                    "give it a DEFAULT, or let it be null at first",
                );
                continue;
            }
            operations.push(Operation::AddColumn {
                table: name.clone(),
                column: Box::new(column.clone()),
                foreign_key: own_key(new, &column.name).cloned(),
            });
            continue;
        };
        if generated_text(before) != generated_text(column) {
            let is_worked_out = before.generated.is_some() && column.generated.is_some();
            if !is_worked_out || rests_on(old, &column.name) || rests_on(new, &column.name) {
                refuse(
                    format!("{name}.{} has begun or ceased to be generated", column.name),
                    "drop the column in one migration and add it in the next",
                );
                continue;
            }
            // Its values are worked out again.
            operations.push(Operation::DropColumn {
                table: name.clone(),
                column: Box::new(before.clone()),
            });
            operations.push(Operation::AddColumn {
                table: name.clone(),
                column: Box::new(column.clone()),
                foreign_key: None,
            });
            continue;
        }
        let same = before.ty == column.ty
            && before.identity == column.identity
            && before.nullable == column.nullable
            && default_text(before) == default_text(column);
        if !same {
            operations.push(Operation::AlterColumn {
                table: name.clone(),
                before: Box::new(before.clone()),
                after: Box::new(column.clone()),
            });
        }
    }
}

fn generated_text(column: &crate::Column) -> Option<String> {
    column.generated.as_ref().map(ToString::to_string)
}

/// Whether a constraint or an index of the table reads the column.
fn rests_on(table: &Table, column: &Ident) -> bool {
    let reads = |expr: &lang::Expr| expr.row_columns().contains(column);
    let in_key = |constraint: &Constraint| match constraint {
        Constraint::Check(check) => reads(&check.expr),
        other => other.key_columns().contains(column),
    };
    let in_index = |index: &crate::Index| {
        let in_target = |key: &crate::IndexKey| match &key.target {
            crate::IndexTarget::Column(name) => name == column,
            crate::IndexTarget::Expression(expr) => reads(expr),
            crate::IndexTarget::Words(words) => words.columns.contains(column),
        };
        index.keys.iter().any(in_target) || index.predicate.as_ref().is_some_and(reads)
    };
    table.constraints().iter().any(in_key) || table.indexes.iter().any(in_index)
}

/// The foreign key that stands on this column alone.
fn own_key<'t>(table: &'t Table, column: &Ident) -> Option<&'t ForeignKey> {
    let mut keys = table.foreign_keys.iter();
    keys.find(|key| key.columns == [column.clone()])
}

/// Whether the same constraint is there, wherever it was written.
fn is_among(constraint: &Constraint, others: &[Constraint]) -> bool {
    others.iter().any(|other| match (constraint, other) {
        (Constraint::Check(one), Constraint::Check(other)) => {
            one.name == other.name && one.expr.to_string() == other.expr.to_string()
        }
        (one, other) => one == other,
    })
}

fn missing<'a>(these: &'a [crate::Column], those: &[crate::Column]) -> Vec<&'a Ident> {
    these
        .iter()
        .filter(|column| those.iter().all(|other| other.name != column.name))
        .map(|column| &column.name)
        .collect()
}

/// A default's text; one over the caller is not the database's.
pub(crate) fn default_text(column: &crate::Column) -> Option<String> {
    match &column.default {
        Some(crate::ColumnDefault::Engine(expr)) => Some(expr.to_string()),
        Some(crate::ColumnDefault::Caller(_)) | None => None,
    }
}
