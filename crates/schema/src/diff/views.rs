//! Views: those that change go first and come last, and so do those whose tables change.

use std::collections::BTreeSet;

use sql::Ident;

use crate::{Catalog, Operation, View};

/// The steps with those of the views around them.
pub(super) fn around(from: &Catalog, to: &Catalog, operations: Vec<Operation>) -> Vec<Operation> {
    let changing = operations.iter().filter(|one| one.moves_views());
    let changed: BTreeSet<&Ident> = changing.filter_map(Operation::table).collect();
    let stays = |old: &View, new: &View| {
        let read = new.query.relations();
        old.reads_like(new) && !read.iter().any(|table| changed.contains(table))
    };
    let goes = |old: &&View| {
        let new = to.view(old.name().as_str());
        !new.is_some_and(|new| stays(old, new))
    };
    let comes = |new: &&View| {
        let old = from.view(new.name().as_str());
        !old.is_some_and(|old| stays(old, new))
    };
    let boxed = |view: &View| Box::new(view.clone());
    let gone = from.views.iter().rev().filter(goes);
    let come = to.views.iter().filter(comes);
    let mut all: Vec<Operation> = gone.map(|view| Operation::DropView(boxed(view))).collect();
    let come: Vec<Operation> = come
        .map(|view| Operation::CreateView(boxed(view)))
        .collect();
    all.extend(operations);
    all.extend(come);
    all
}
