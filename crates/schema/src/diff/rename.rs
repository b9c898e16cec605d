//! Tables and columns that are called otherwise: said by `-- @was`, or asked about, never guessed.

use lang::{AlterAction, AlterTable, Diagnostic, Span, Was};
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

/// What may be a rename and may be two changes: one or more of a kind gone, and one come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameQuestion {
    /// The table, by its new name.
    pub table: Ident,
    /// The column, where it is not the table itself.
    pub column: Option<Ident>,
    /// What it may have been called.
    pub candidates: Vec<Ident>,
    path: String,
    span: Span,
}

impl RenameQuestion {
    /// What it is about: `notes`, or `notes.headline`.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.column {
            None => self.table.to_string(),
            Some(column) => format!("{}.{column}", self.table),
        }
    }

    /// The question for those who cannot be asked, with the markers that answer it.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let old = self
            .candidates
            .first()
            .map(Ident::as_str)
            .unwrap_or_default();
        let question = match &self.column {
            None => format!(
                "was {old} renamed to {0}, or dropped and {0} created?",
                self.table
            ),
            Some(column) => format!(
                "was {}.{old} renamed to {column}, or dropped and {column} added?",
                self.table
            ),
        };
        Diagnostic::new(&self.path, self.span, question).hint(format!(
            "write behind it, or on the line above, -- @was {old} for a rename, -- @new for a new \
             one; the marker can go once the migration is written"
        ))
    }
}

impl Catalog {
    /// Takes an answer, as a marker in the file would give it.
    pub fn answer(&mut self, question: &RenameQuestion, answer: Was) {
        let Some(table) = self.table_mut(&question.table) else {
            return;
        };
        match &question.column {
            None => table.was = Some(answer),
            Some(name) => {
                let column = table.columns.iter_mut().find(|one| one.name == *name);
                column
                    .into_iter()
                    .for_each(|column| column.was = Some(answer.clone()));
            }
        }
    }
}

/// The next question of each table, where nobody has answered it.
pub fn rename_questions(
    from: &Catalog,
    to: &Catalog,
) -> Result<Vec<RenameQuestion>, Vec<Diagnostic>> {
    let (_, from) = renames(from, to)?;
    Ok(questions(&from, to))
}

pub(super) fn questions(from: &Catalog, to: &Catalog) -> Vec<RenameQuestion> {
    let mut questions = Vec::new();
    questions.extend(about_tables(from, to));
    for table in &to.tables {
        let old = from.table(table.name.as_str());
        questions.extend(old.and_then(|old| about_columns(old, table)));
    }
    questions
}

fn about_tables(from: &Catalog, to: &Catalog) -> Option<RenameQuestion> {
    let shape = |table: &Table| -> Vec<(Ident, lang::Type)> {
        let columns = table.columns.iter();
        columns
            .map(|column| (column.name.clone(), column.ty.clone()))
            .collect()
    };
    let gone = |table: &&Table| to.table(table.name.as_str()).is_none();
    let come = |table: &&Table| from.table(table.name.as_str()).is_none() && table.was.is_none();
    to.tables.iter().filter(come).find_map(|new| {
        let alike = |old: &&Table| shape(old) == shape(new);
        let old = from.tables.iter().filter(gone).filter(alike);
        let candidates: Vec<Ident> = old.map(|old| old.name.clone()).collect();
        (!candidates.is_empty()).then(|| RenameQuestion {
            table: new.name.clone(),
            column: None,
            candidates,
            path: new.path.clone(),
            span: new.span,
        })
    })
}

fn about_columns(old: &Table, new: &Table) -> Option<RenameQuestion> {
    let dropped = missing(&old.columns, &new.columns);
    let added = missing(&new.columns, &old.columns);
    added.into_iter().find_map(|name| {
        let after = new
            .column(name.as_str())
            .filter(|after| after.was.is_none())?;
        let alike = |gone: &&&Ident| old.column(gone.as_str()).map(|c| &c.ty) == Some(&after.ty);
        let candidates: Vec<Ident> = dropped.iter().filter(alike).copied().cloned().collect();
        (!candidates.is_empty()).then(|| RenameQuestion {
            table: new.name.clone(),
            column: Some(name.clone()),
            candidates,
            path: new.path.clone(),
            span: after.span,
        })
    })
}
