//! Comments: they come last, when everything that they can be on is there.

use lang::CommentTarget;
use sql::Ident;

use crate::{Catalog, Operation, Table};

/// The steps that give tables, views and columns their comments, or take them away. `operations`
/// are the steps before: what they make is new and has no comment, whatever was there before.
/// `from` has the new names already.
pub(super) fn changes(from: &Catalog, to: &Catalog, operations: &[Operation]) -> Vec<Operation> {
    let mut changes = Vec::new();
    for table in &to.tables {
        let on = CommentTarget::Table(table.name.clone());
        let old = from.table(table.name.as_str());
        of_relation(on, old, table, operations, &mut changes);
    }
    for view in &to.views {
        let on = CommentTarget::View(view.name().clone());
        let old = from.view(view.name().as_str()).map(|old| &old.relation);
        of_relation(on, old, &view.relation, operations, &mut changes);
    }
    changes
}

fn of_relation(
    on: CommentTarget,
    old: Option<&Table>,
    new: &Table,
    operations: &[Operation],
    changes: &mut Vec<Operation>,
) {
    let name = &new.name;
    let old = old.filter(|_| !is_made(&on, operations));
    let mut compare = |on: CommentTarget, before: Option<&String>, after: Option<&String>| {
        if before != after {
            changes.push(Operation::Comment {
                on,
                before: before.cloned(),
                after: after.cloned(),
            });
        }
    };
    let before = old.and_then(|old| old.comment.as_ref());
    compare(on, before, new.comment.as_ref());
    for column in &new.columns {
        let on = CommentTarget::Column(name.clone(), column.name.clone());
        let old = old.and_then(|old| old.column(column.name.as_str()));
        let old = old.filter(|_| !is_made(&on, operations));
        let before = old.and_then(|old| old.comment.as_ref());
        compare(on, before, column.comment.as_ref());
    }
}

/// Whether one of the steps makes what a comment is on.
pub(crate) fn is_made(on: &CommentTarget, operations: &[Operation]) -> bool {
    let makes = |operation: &Operation| match operation {
        Operation::CreateTable { table, .. } => table.name == *on.relation(),
        Operation::CreateView(view) => view.name() == on.relation(),
        Operation::AddColumn { table, column, .. } => is_column(on, table, &column.name),
        _ => false,
    };
    operations.iter().any(makes)
}

fn is_column(on: &CommentTarget, table: &Ident, column: &Ident) -> bool {
    *on == CommentTarget::Column(table.clone(), column.clone())
}

/// The comments that a table, or what a view looks like, has now: what they are on, and their text.
pub(crate) fn comments_of<'t>(
    on: &CommentTarget,
    relation: &'t Table,
) -> Vec<(CommentTarget, &'t String)> {
    let own = relation.comment.iter().map(|text| (on.clone(), text));
    let columns = relation.columns.iter().filter_map(|column| {
        let on = CommentTarget::Column(relation.name.clone(), column.name.clone());
        column.comment.as_ref().map(|text| (on, text))
    });
    own.chain(columns).collect()
}
