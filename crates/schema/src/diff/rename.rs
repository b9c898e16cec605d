//! Tables and columns that are called otherwise: said by `-- @was`, or asked about, never guessed.

use lang::{AlterAction, AlterTable, Diagnostic, Was};
use sql::Ident;

use super::missing;
use crate::migrate::change_table;
use crate::{Catalog, Operation, Table};

/// The renames that markers ask for, and the catalog behind them. A marker whose rename was made
/// before says nothing any more.
pub(super) fn renames(
    from: &Catalog,
    to: &Catalog,
) -> Result<(Vec<Operation>, Catalog), Vec<Diagnostic>> {
    let mut operations = Vec::new();
    let mut catalog = from.clone();
    for table in &to.tables {
        if let Some(Was::Called(old)) = &table.was
            && catalog.table(old.as_str()).is_some()
            && to.table(old.as_str()).is_none()
            && catalog.table(table.name.as_str()).is_none()
        {
            let action = AlterAction::RenameTable(table.name.clone());
            operations.push(rename(&mut catalog, table, old, action)?);
        }
    }
    for table in &to.tables {
        for column in &table.columns {
            let Some(Was::Called(old)) = &column.was else {
                continue;
            };
            let known = catalog.table(table.name.as_str());
            let applies = known.is_some_and(|known| {
                known.column(old.as_str()).is_some()
                    && known.column(column.name.as_str()).is_none()
                    && table.column(old.as_str()).is_none()
            });
            if applies {
                let action = AlterAction::RenameColumn(old.clone(), column.name.clone());
                operations.push(rename(&mut catalog, table, &table.name, action)?);
            }
        }
    }
    Ok((operations, catalog))
}

/// Renames in the catalog as a migration file would. `name` is the table's until now.
fn rename(
    catalog: &mut Catalog,
    table: &Table,
    name: &Ident,
    action: AlterAction,
) -> Result<Operation, Vec<Diagnostic>> {
    let alter = AlterTable {
        name: name.clone(),
        action,
        span: table.span,
    };
    change_table(catalog, &table.path, &alter).map_err(|error| vec![error])
}

/// What may be a rename and may be two changes: one of a kind gone and one come.
pub(super) fn questions(from: &Catalog, to: &Catalog) -> Vec<Diagnostic> {
    let mut questions = Vec::new();
    questions.extend(about_tables(from, to));
    for table in &to.tables {
        let old = from.table(table.name.as_str());
        questions.extend(old.and_then(|old| about_columns(old, table)));
    }
    questions
}

fn about_tables(from: &Catalog, to: &Catalog) -> Option<Diagnostic> {
    let shape = |table: &Table| -> Vec<(Ident, lang::Type)> {
        let columns = table.columns.iter();
        columns
            .map(|column| (column.name.clone(), column.ty.clone()))
            .collect()
    };
    let gone = |table: &&Table| to.table(table.name.as_str()).is_none();
    let come = |table: &&Table| from.table(table.name.as_str()).is_none() && table.was.is_none();
    for new in to.tables.iter().filter(come) {
        let mut old = from.tables.iter().filter(gone);
        if let Some(old) = old.find(|old| shape(old) == shape(new)) {
            let (old, name) = (&old.name, &new.name);
            let question = format!("was {old} renamed to {name}, or dropped and {name} created?");
            let question = Diagnostic::new(&new.path, new.span, question);
            return Some(question.hint(answers(old)));
        }
    }
    None
}

fn about_columns(old: &Table, new: &Table) -> Option<Diagnostic> {
    let dropped = missing(&old.columns, &new.columns);
    let added = missing(&new.columns, &old.columns);
    for name in added {
        let after = new.column(name.as_str())?;
        let alike = |gone: &&&Ident| old.column(gone.as_str()).map(|c| &c.ty) == Some(&after.ty);
        if let (None, Some(gone)) = (&after.was, dropped.iter().find(alike)) {
            let table = &new.name;
            let question =
                format!("was {table}.{gone} renamed to {name}, or dropped and {name} added?");
            let question = Diagnostic::new(&new.path, after.span, question);
            return Some(question.hint(answers(gone)));
        }
    }
    None
}

fn answers(old: &Ident) -> String {
    format!(
        "write behind it, or on the line above, -- @was {old} for a rename, -- @new for a new one; \
         the marker can go once the migration is written"
    )
}
