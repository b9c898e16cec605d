//! Statements to a catalog: every name found, every mistake told with its place.

mod access;
mod constraints;
mod tables;
mod views;

use lang::{
    CreateEnum, Diagnostic, FunctionDef, RelationShape, Relations, ShapeColumn, Source, Statement,
    ViewDef, check_function, parse_statements,
};
use sql::{Dialect, Ident};

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
        take_enums(&mut parsed, &mut diagnostics);
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
            settings: Vec::new(),
        };
        Self {
            roles: BUILT_IN.iter().map(role).collect(),
            ..Self::default()
        }
    }

    /// Functions come before everything that may call them, and are checked once the tables are
    /// there.
    fn declare_functions(&mut self, placed: &[Placed<'_>], errors: &mut Vec<Diagnostic>) {
        for (path, statement) in placed {
            let Statement::CreateFunction(function) = statement else {
                continue;
            };
            if self
                .functions
                .iter()
                .any(|known| known.name == function.name)
            {
                let message = format!("the function {} is declared twice", function.name);
                errors.push(Diagnostic::new(*path, function.span, message));
                continue;
            }
            self.functions.push(function.clone());
        }
    }

    fn check_functions(&self, placed: &[Placed<'_>], errors: &mut Vec<Diagnostic>) {
        for (path, statement) in placed {
            if let Statement::CreateFunction(function) = statement {
                errors.extend(
                    check_function(function, path, self)
                        .err()
                        .into_iter()
                        .flatten(),
                );
            }
        }
    }

    fn resolve(&mut self, placed: &[Placed<'_>], kind: CatalogKind, errors: &mut Vec<Diagnostic>) {
        self.declare_roles(placed, errors);
        self.declare_settings(placed, errors);
        self.declare_functions(placed, errors);
        self.declare_tables(placed, kind, errors);
        self.declare_constraints(placed, errors);
        self.declare_indexes(placed, errors);
        self.declare_views(placed, kind, errors);
        self.check_functions(placed, errors);
        self.declare_comments(placed, errors);
        self.declare_grants(placed, errors);
        self.declare_policies(placed, errors);
        self.refuse_circles(errors);
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

    /// Refuses what another engine than this one has.
    pub fn require_engine(&self, dialect: Dialect) -> Result<(), Vec<Diagnostic>> {
        if dialect == Dialect::Postgres {
            return Ok(());
        }
        let mut errors = Vec::new();
        for table in &self.tables {
            for column in table
                .columns
                .iter()
                .filter(|one| one.ty.is_postgres_alone())
            {
                let (own, name, ty) = (&table.name, &column.name, &column.ty);
                let message = format!("{own}.{name} is {ty}, which {dialect} does not have");
                let hint = "PostgreSQL alone has arrays and ranges; write jsonb, or two columns";
                errors.push(Diagnostic::new(&table.path, column.span, message).hint(hint));
            }
        }
        match errors.is_empty() {
            true => Ok(()),
            false => Err(errors),
        }
    }

    /// Adds tables, indexes, views and comments to what is there already.
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
        self.declare_views(&placed, kind, &mut errors);
        self.declare_comments(&placed, &mut errors);
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

    /// The table or view of that name, to be commented on or granted.
    fn relation_mut(&mut self, name: &Ident) -> Option<&mut Table> {
        if let Some(&place) = self.by_name.get(name) {
            return self.tables.get_mut(place);
        }
        let view = self.views.iter_mut().find(|view| view.name() == name);
        view.map(|view| &mut view.relation)
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
        let table = self.table(name);
        table
            .or_else(|| Self::view(self, name).map(|view| &view.relation))
            .map(Table::shape)
    }

    fn view(&self, name: &str) -> Option<&ViewDef> {
        Self::view(self, name).map(|view| &view.definition)
    }

    fn function(&self, name: &str) -> Option<&FunctionDef> {
        self.functions.iter().find(|known| known.name == *name)
    }

    fn names(&self) -> Vec<Ident> {
        self.relations().map(|table| table.name.clone()).collect()
    }
}

/// Columns of declared types become what they are.
fn take_enums(parsed: &mut [(&str, Vec<Statement>)], errors: &mut Vec<Diagnostic>) {
    let mut enums: Vec<CreateEnum> = Vec::new();
    for (path, statement) in parsed
        .iter()
        .flat_map(|(path, all)| all.iter().map(move |s| (path, s)))
    {
        let Statement::CreateEnum(new) = statement else {
            continue;
        };
        let mut wrong = |message: String| errors.push(Diagnostic::new(*path, new.span, message));
        if new.values.is_empty() {
            wrong(format!("{} has no values", new.name));
        }
        if enums.iter().any(|known| known.name == new.name) {
            wrong(format!("the type {} is declared twice", new.name));
        }
        enums.push(new.clone());
    }
    for (path, statements) in parsed {
        for statement in statements {
            let Statement::CreateTable(table) = statement else {
                continue;
            };
            for (span, message) in table.take_enums(&enums) {
                errors.push(Diagnostic::new(*path, span, message).hint(
                    "known types are boolean, smallint, integer, bigint, real, double precision, \
                     numeric(p,s), text, varchar(n), uuid, date, time, timestamptz, interval, \
                     bytea, jsonb and those of CREATE TYPE … AS ENUM",
                ));
            }
        }
    }
}

/// "did you mean …?" over names.
fn near(error: Diagnostic, wanted: &Ident, names: &[Ident]) -> Diagnostic {
    match stdx::nearest(wanted.as_str(), names.iter().map(Ident::as_str)) {
        Some(found) => error.hint(format!("did you mean {found}?")),
        None => error,
    }
}
