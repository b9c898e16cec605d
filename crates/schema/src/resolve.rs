//! Statements to a catalog: every name found, every mistake told with its place.

mod access;
mod constraints;
mod tables;

use lang::{
    Diagnostic, RelationShape, Relations, ShapeColumn, Source, Statement, parse_statements,
};
use sql::Ident;

use crate::{Catalog, Role, Table};

/// Whose tables they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogKind {
    /// A user's; names that are ours are refused.
    User,
    /// Pilaster's own.
    System,
}

/// The roles that exist without being declared.
const BUILT_IN: [&str; 3] = ["anon", "authenticated", "service"];

/// A statement with the path of its file.
type Placed<'a> = (&'a str, &'a Statement);

impl Catalog {
    /// Parses and resolves files of declarations together: a table may point to one that stands
    /// later, or in another file.
    pub fn from_sources(sources: &[Source], kind: CatalogKind) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let mut parsed = Vec::new();
        for source in sources {
            match parse_statements(source) {
                Ok(statements) => parsed.push((source.path.as_str(), statements)),
                Err(errors) => diagnostics.extend(errors),
            }
        }
        let placed: Vec<Placed<'_>> = parsed
            .iter()
            .flat_map(|(path, statements)| statements.iter().map(move |s| (*path, s)))
            .collect();
        let mut catalog = Self::empty();
        catalog.resolve(&placed, kind, &mut diagnostics);
        if diagnostics.is_empty() {
            Ok(catalog)
        } else {
            Err(diagnostics)
        }
    }

    /// A catalog with the built-in roles alone.
    #[must_use]
    pub fn empty() -> Self {
        let role = |name: &&'static str| Role {
            name: Ident::of(name),
            inherits: Vec::new(),
        };
        Self {
            roles: BUILT_IN.iter().map(role).collect(),
            ..Self::default()
        }
    }

    fn resolve(&mut self, placed: &[Placed<'_>], kind: CatalogKind, errors: &mut Vec<Diagnostic>) {
        self.declare_roles(placed, errors);
        self.declare_tables(placed, kind, errors);
        self.declare_constraints(placed, errors);
        self.declare_indexes(placed, errors);
        self.declare_comments(placed, errors);
        self.declare_grants(placed, errors);
        self.declare_policies(placed, errors);
        for (path, statement) in placed {
            match statement {
                Statement::Native(native) => self.natives.push(native.clone()),
                Statement::Data(raw) => errors.push(
                    Diagnostic::new(
                        *path,
                        raw.span(),
                        "a schema says what there is, not its rows",
                    )
                    .hint("rows belong in seed/, changes of rows in a migration"),
                ),
                _ => {}
            }
        }
    }

    /// Adds tables and indexes to what is there already.
    pub(crate) fn add(
        &mut self,
        path: &str,
        statements: &[Statement],
        kind: CatalogKind,
    ) -> Result<(), Vec<Diagnostic>> {
        let placed: Vec<Placed<'_>> = statements
            .iter()
            .map(|statement| (path, statement))
            .collect();
        let mut errors = Vec::new();
        self.declare_tables(&placed, kind, &mut errors);
        self.declare_constraints(&placed, &mut errors);
        self.declare_indexes(&placed, &mut errors);
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Puts a table in, at the end.
    pub(crate) fn push(&mut self, table: Table) {
        self.by_name.insert(table.name.clone(), self.tables.len());
        self.tables.push(table);
    }

    /// Takes a table out.
    pub(crate) fn remove(&mut self, name: &Ident) -> Option<Table> {
        let place = self.by_name.remove(name)?;
        let table = self.tables.remove(place);
        for other in self.by_name.values_mut() {
            if *other > place {
                *other -= 1;
            }
        }
        Some(table)
    }

    pub(crate) fn table_mut(&mut self, name: &Ident) -> Option<&mut Table> {
        self.by_name.get(name).map(|&place| &mut self.tables[place])
    }

    pub(crate) fn has_role(&self, name: &Ident) -> bool {
        self.roles.iter().any(|role| role.name == *name)
    }
}

impl Table {
    /// Its columns as a check sees them.
    #[must_use]
    pub fn shape(&self) -> RelationShape {
        let column = |column: &crate::Column| ShapeColumn {
            name: column.name.clone(),
            ty: Some(column.ty.clone()),
            nullable: column.nullable,
        };
        RelationShape {
            name: self.name.clone(),
            columns: self.columns.iter().map(column).collect(),
        }
    }
}

impl Relations for Catalog {
    fn relation(&self, name: &str) -> Option<RelationShape> {
        self.table(name).map(Table::shape)
    }

    fn names(&self) -> Vec<Ident> {
        self.tables.iter().map(|table| table.name.clone()).collect()
    }
}

/// "did you mean …?" over names.
fn near(error: Diagnostic, wanted: &Ident, names: &[Ident]) -> Diagnostic {
    match stdx::nearest(wanted.as_str(), names.iter().map(Ident::as_str)) {
        Some(found) => error.hint(format!("did you mean {found}?")),
        None => error,
    }
}
