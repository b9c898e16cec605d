//! Migrations to the state they lead to; no database is asked.

use lang::{AlterAction, Diagnostic, Source, Statement, TableConstraint, parse_statements};

use super::file::Migrations;
use crate::{Catalog, CatalogKind, Operation, diff};

impl Migrations {
    /// The tables after all files.
    pub fn fold(&self, kind: CatalogKind) -> Result<Catalog, Vec<Diagnostic>> {
        let mut catalog = Catalog::empty();
        for file in &self.files {
            operations(&mut catalog, &file.up, kind)?;
        }
        Ok(catalog)
    }
}

/// Applies a part's statements to a catalog and gives its operations, each with the catalog that
/// it leads to.
pub(super) fn operations(
    catalog: &mut Catalog,
    part: &Source,
    kind: CatalogKind,
) -> Result<Vec<(Operation, Catalog)>, Vec<Diagnostic>> {
    let statements = parse_statements(part)?;
    let mut steps = Vec::new();
    let mut batch: Vec<Statement> = Vec::new();
    for statement in statements {
        match statement {
            Statement::CreateTable(_) | Statement::CreateIndex(_) => batch.push(statement),
            other => {
                steps.extend(create(catalog, part, &std::mem::take(&mut batch), kind)?);
                let operation = change(catalog, part, &other).map_err(|error| vec![error])?;
                steps.push((operation, catalog.clone()));
            }
        }
    }
    steps.extend(create(catalog, part, &batch, kind)?);
    Ok(steps)
}

/// Tables and indexes that stand together may point to each other.
fn create(
    catalog: &mut Catalog,
    part: &Source,
    batch: &[Statement],
    kind: CatalogKind,
) -> Result<Vec<(Operation, Catalog)>, Vec<Diagnostic>> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let before = catalog.clone();
    catalog.add(&part.path, batch, kind)?;
    let difference = diff(&before, catalog)?;
    Ok(difference
        .operations
        .into_iter()
        .map(|operation| (operation, catalog.clone()))
        .collect())
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each statement of a migration"
)]
fn change(
    catalog: &mut Catalog,
    part: &Source,
    statement: &Statement,
) -> Result<Operation, Diagnostic> {
    let missing = |span, what: String| Diagnostic::new(&part.path, span, what);
    match statement {
        Statement::DropTable(drop) => match catalog.remove(&drop.name) {
            Some(table) => Ok(Operation::DropTable(Box::new(table))),
            None => Err(missing(
                drop.span,
                format!("there is no table {} to drop", drop.name),
            )),
        },
        Statement::DropIndex(drop) => {
            for table in &mut catalog.tables {
                if let Some(place) = table
                    .indexes
                    .iter()
                    .position(|index| index.name == drop.name)
                {
                    let index = table.indexes.remove(place);
                    return Ok(Operation::DropIndex {
                        table: table.name.clone(),
                        index,
                    });
                }
            }
            Err(missing(
                drop.span,
                format!("there is no index {} to drop", drop.name),
            ))
        }
        Statement::AlterTable(alter) => {
            let gone = || missing(alter.span, format!("there is no table {}", alter.name));
            match &alter.action {
                AlterAction::AddColumn(definition, constraints) => {
                    let mut errors = Vec::new();
                    let column = catalog.new_column(&part.path, definition, &mut errors);
                    let table = catalog.table_mut(&alter.name).ok_or_else(gone)?;
                    table.columns.push(column);
                    catalog.declare_generated(&part.path, &alter.name, definition, &mut errors);
                    let key = constraints.iter().find_map(|constraint| match constraint {
                        TableConstraint::ForeignKey(key) => Some(key),
                        _ => None,
                    });
                    if let Some(key) = key {
                        catalog.declare_foreign_key(&part.path, &alter.name, key, &mut errors);
                    }
                    if let Some(error) = errors.into_iter().next() {
                        return Err(error);
                    }
                    let table = catalog.table(alter.name.as_str()).ok_or_else(gone)?;
                    let foreign_key = key.and_then(|_| table.foreign_keys.last().cloned());
                    let column = table.column(definition.name.as_str()).ok_or_else(gone)?;
                    let column = Box::new(column.clone());
                    Ok(Operation::AddColumn {
                        table: alter.name.clone(),
                        column,
                        foreign_key,
                    })
                }
                AlterAction::DropColumn(name) => {
                    let table = catalog.table_mut(&alter.name).ok_or_else(gone)?;
                    let place = table.columns.iter().position(|column| column.name == *name);
                    let place = place.ok_or_else(|| {
                        missing(alter.span, format!("{} has no column {name}", alter.name))
                    })?;
                    let column = Box::new(table.columns.remove(place));
                    table.foreign_keys.retain(|key| !key.columns.contains(name));
                    Ok(Operation::DropColumn {
                        table: alter.name.clone(),
                        column,
                    })
                }
                AlterAction::RenameColumn(from, to) => {
                    let table = catalog.table_mut(&alter.name).ok_or_else(gone)?;
                    table
                        .rename_column(from, to)
                        .map_err(|what| missing(alter.span, what))?;
                    Ok(Operation::RenameColumn {
                        table: alter.name.clone(),
                        from: from.clone(),
                        to: to.clone(),
                    })
                }
            }
        }
        other => {
            let span = match other {
                Statement::Grant(grant) => grant.span,
                Statement::CreatePolicy(policy) => policy.span,
                Statement::CreateRole(role) => role.span,
                _ => lang::Span { line: 1, column: 1 },
            };
            Err(
                missing(span, String::from("a migration holds structure alone")).hint(
                    "roles, grants, policies and comments stand in schema/ and need no migration",
                ),
            )
        }
    }
}

impl crate::Table {
    fn rename_column(&mut self, from: &sql::Ident, to: &sql::Ident) -> Result<(), String> {
        let column = self
            .columns
            .iter_mut()
            .find(|column| column.name == *from)
            .ok_or_else(|| format!("there is no column {from}"))?;
        column.name = to.clone();
        let rename = |columns: &mut Vec<sql::Ident>| {
            for column in columns.iter_mut().filter(|column| *column == from) {
                *column = to.clone();
            }
        };
        if let Some(key) = &mut self.primary_key {
            rename(&mut key.columns);
        }
        self.uniques
            .iter_mut()
            .for_each(|unique| rename(&mut unique.columns));
        self.foreign_keys
            .iter_mut()
            .for_each(|key| rename(&mut key.columns));
        for index in &mut self.indexes {
            for (column, _) in index
                .columns
                .iter_mut()
                .filter(|(column, _)| column == from)
            {
                *column = to.clone();
            }
        }
        Ok(())
    }
}
