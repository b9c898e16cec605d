//! Two catalogs to operations.

use lang::Diagnostic;
use sql::Ident;

use crate::{Catalog, Operation, Table};

/// What stands between two catalogs.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// The steps, in an order in which they can run.
    pub operations: Vec<Operation>,
}

/// The steps from one catalog to another, or what no step can do yet.
///
/// Roles, grants, policies and comments are no structure (ADR 0003).
pub fn diff(from: &Catalog, to: &Catalog) -> Result<Difference, Vec<Diagnostic>> {
    let mut operations = Vec::new();
    let mut errors = Vec::new();
    let mut waiting = Vec::new();
    let mut present: Vec<&Ident> = from.tables.iter().map(|table| &table.name).collect();
    for table in in_order_of_dependency(to) {
        match from.table(table.name.as_str()) {
            None => {
                present.push(&table.name);
                let mut later = Vec::new();
                for key in table
                    .foreign_keys
                    .iter()
                    .filter(|key| !present.contains(&&key.target))
                {
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
            Some(old) => compare(old, table, &mut operations, &mut errors),
        }
    }
    operations.append(&mut waiting);
    let gone = in_order_of_dependency(from).into_iter().rev();
    for table in gone.filter(|table| to.table(table.name.as_str()).is_none()) {
        operations.push(Operation::DropTable(Box::new(table.clone())));
    }
    if errors.is_empty() {
        Ok(Difference { operations })
    } else {
        Err(errors)
    }
}

/// Tables before those that point to them, as far as there is no circle.
fn in_order_of_dependency(catalog: &Catalog) -> Vec<&Table> {
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

#[expect(
    clippy::too_many_lines,
    reason = "columns, constraints and indexes in their order"
)]
fn compare(
    old: &Table,
    new: &Table,
    operations: &mut Vec<Operation>,
    errors: &mut Vec<Diagnostic>,
) {
    let name = &new.name;
    let mut refuse = |span: lang::Span, message: String| {
        errors.push(Diagnostic::new(&new.path, span, message).hint(
            "this release adds and drops tables, columns and indexes; write the change as a \
             migration file by hand, or as a new column",
        ));
    };
    let dropped: Vec<&Ident> = missing(&old.columns, &new.columns);
    let added: Vec<&Ident> = missing(&new.columns, &old.columns);
    if let ([dropped], [added]) = (dropped.as_slice(), added.as_slice()) {
        let types = old.column(dropped.as_str()).zip(new.column(added.as_str()));
        if let Some((_, column)) = types.filter(|(old, new)| old.ty == new.ty) {
            errors.push(
                Diagnostic::new(
                    &new.path,
                    column.span,
                    format!(
                        "was {name}.{dropped} renamed to {added}, or dropped and {added} added?"
                    ),
                )
                .hint(format!(
                    "for a rename write a migration with: alter table {name} rename column \
                     {dropped} to {added};"
                )),
            );
            return;
        }
    }
    for column in &new.columns {
        match old.column(column.name.as_str()) {
            None if !column.nullable && column.default.is_none() && column.generated.is_none() => {
                refuse(
                    column.span,
                    format!(
                        "{name}.{} is NOT NULL and has no default for the rows that exist",
                        column.name
                    ),
                );
            }
            None => operations.push(Operation::AddColumn {
                table: name.clone(),
                column: Box::new(column.clone()),
                foreign_key: new
                    .foreign_keys
                    .iter()
                    .find(|key| key.columns == [column.name.clone()])
                    .cloned(),
            }),
            Some(before) => {
                let same = before.ty == column.ty
                    && before.nullable == column.nullable
                    && before.identity == column.identity
                    && before.generated == column.generated
                    && default_text(before) == default_text(column);
                if !same {
                    refuse(column.span, format!("{name}.{} has changed", column.name));
                }
            }
        }
    }
    if let Some(what) = changed_constraints(old, new, &added, &dropped) {
        refuse(new.span, format!("{what} of {name} has changed"));
    }
    for index in old
        .indexes
        .iter()
        .filter(|index| !new.indexes.contains(index))
    {
        operations.push(Operation::DropIndex {
            table: name.clone(),
            index: index.clone(),
        });
    }
    for column in dropped {
        if let Some(column) = old.column(column.as_str()) {
            let column = Box::new(column.clone());
            operations.push(Operation::DropColumn {
                table: name.clone(),
                column,
            });
        }
    }
    for index in new
        .indexes
        .iter()
        .filter(|index| !old.indexes.contains(index))
    {
        operations.push(Operation::CreateIndex {
            table: name.clone(),
            index: index.clone(),
        });
    }
}

fn missing<'a>(these: &'a [crate::Column], those: &[crate::Column]) -> Vec<&'a Ident> {
    these
        .iter()
        .filter(|column| those.iter().all(|other| other.name != column.name))
        .map(|column| &column.name)
        .collect()
}

/// A default's text; one over the caller is not the database's.
fn default_text(column: &crate::Column) -> Option<String> {
    match &column.default {
        Some(crate::ColumnDefault::Engine(expr)) => Some(expr.to_string()),
        Some(crate::ColumnDefault::Caller(_)) | None => None,
    }
}

fn changed_constraints(
    old: &Table,
    new: &Table,
    added: &[&Ident],
    gone: &[&Ident],
) -> Option<&'static str> {
    if old.primary_key != new.primary_key {
        return Some("the primary key");
    }
    if old.uniques != new.uniques {
        return Some("a UNIQUE");
    }
    let checks = |table: &Table| {
        let mut texts: Vec<String> = table
            .checks
            .iter()
            .map(|check| format!("{} {}", check.name, check.expr))
            .collect();
        texts.sort();
        texts
    };
    if checks(old) != checks(new) {
        return Some("a CHECK");
    }
    let keys = |table: &Table, except: &[&Ident]| {
        let mut keys: Vec<_> = table
            .foreign_keys
            .iter()
            .filter(|key| !key.columns.iter().any(|column| except.contains(&column)))
            .map(|key| format!("{key:?}"))
            .collect();
        keys.sort();
        keys
    };
    if keys(old, gone) != keys(new, added) {
        return Some("a foreign key");
    }
    None
}
