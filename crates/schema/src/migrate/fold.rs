//! Migrations to the state they lead to; no database is asked.

use lang::{CheckedStatement, Diagnostic, Source, Statement, check_query, parse_statements};

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
            Statement::CreateTable(_)
            | Statement::CreateIndex(_)
            | Statement::CreateView(_)
            | Statement::Comment(_) => batch.push(statement),
            other => {
                steps.extend(create(catalog, part, &std::mem::take(&mut batch), kind)?);
                require_no_view(catalog, part, &other).map_err(|error| vec![error])?;
                let operation = change(catalog, part, &other).map_err(|error| vec![error])?;
                steps.push((operation, catalog.clone()));
            }
        }
    }
    steps.extend(create(catalog, part, &batch, kind)?);
    Ok(steps)
}

/// Tables, indexes and views that stand together may point to each other; their comments follow.
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

/// What a view rests on changes only while the view is away: the engines would refuse it, or
/// leave the view broken.
fn require_no_view(
    catalog: &Catalog,
    part: &Source,
    statement: &Statement,
) -> Result<(), Diagnostic> {
    let (table, span) = match statement {
        Statement::DropTable(drop) => (&drop.name, drop.span),
        Statement::AlterTable(alter) => (&alter.name, alter.span),
        _ => return Ok(()),
    };
    match catalog.view_over(table) {
        None => Ok(()),
        Some(view) => {
            let view = view.name();
            Err(
                Diagnostic::new(&part.path, span, format!("the view {view} reads {table}")).hint(
                    format!("write drop view {view}; before it, and create it again behind it"),
                ),
            )
        }
    }
}

fn first(errors: Vec<Diagnostic>, part: &Source) -> Diagnostic {
    let unknown = || Diagnostic::new(&part.path, lang::Span::default(), "it cannot be read");
    errors.into_iter().next().unwrap_or_else(unknown)
}

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
        Statement::DropView(drop) => {
            let mut views = catalog.views.iter();
            let place = views.position(|view| *view.name() == drop.name);
            let missing = missing(drop.span, format!("there is no view {} to drop", drop.name));
            let view = catalog.views.remove(place.ok_or(missing)?);
            Ok(Operation::DropView(Box::new(view)))
        }
        Statement::Native(native) => {
            catalog.natives.push(native.clone());
            Ok(Operation::Native {
                run: native.clone(),
                back: None,
            })
        }
        Statement::Data(raw) => {
            let checked = check_query(raw, &part.path, &[], catalog);
            match checked.map_err(|errors| first(errors, part))? {
                CheckedStatement::Write(write) => Ok(Operation::Change(Box::new(write))),
                CheckedStatement::Query(_) => {
                    Err(missing(raw.span(), String::from("a query changes nothing")))
                }
            }
        }
        Statement::AlterTable(alter) => super::alter::change(catalog, &part.path, alter),
        other => {
            let span = match other {
                Statement::Grant(grant) => grant.span,
                Statement::CreatePolicy(policy) => policy.span,
                Statement::CreateRole(role) => role.span,
                Statement::AlterRole(role) => role.span,
                _ => lang::Span { line: 1, column: 1 },
            };
            Err(
                missing(span, String::from("a migration holds structure alone")).hint(
                    "roles with their limits, grants and policies stand in schema/ and need no \
                     migration",
                ),
            )
        }
    }
}
