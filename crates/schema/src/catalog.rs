//! The declared tables, roles and rules, all names resolved.

use std::collections::HashMap;

use lang::{
    Expr, FunctionDef, NativeStatement, PolicyCommand, Privilege, Query, ReferentialAction,
    RoleSetting, Span, Type, ViewDef, Was,
};
use sql::Ident;

/// Everything that `schema/*.sql` declares.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// In the order of declaration.
    pub tables: Vec<Table>,
    /// Place in `tables` by name.
    pub by_name: HashMap<Ident, usize>,
    /// `anon`, `authenticated` and `service` first, then the declared ones.
    pub roles: Vec<Role>,
    /// Statements for one engine, in order.
    pub natives: Vec<NativeStatement>,
    /// Functions, which are put in the place of their calls.
    pub functions: Vec<FunctionDef>,
    /// In an order in which each finds those that it reads.
    pub views: Vec<View>,
}

/// A declared view: a query with a name, of which rows are read as of a table.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name, columns, comment and grants, as those of a table without any constraint. A
    /// column that is a table's own points where that one points.
    pub relation: Table,
    /// What it reads.
    pub query: Query,
    /// As it was written.
    pub definition: ViewDef,
}

impl View {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Ident {
        &self.relation.name
    }

    /// Whether another one reads the same rows.
    #[must_use]
    pub fn reads_like(&self, other: &Self) -> bool {
        self.definition.security_invoker == other.definition.security_invoker
            && self.query.to_string() == other.query.to_string()
    }
}

/// A role and whose privileges it has besides its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: Ident,
    /// The roles that were granted to it, directly.
    pub inherits: Vec<Ident>,
    /// What the data API gives it at most, where that is its own; each limit once.
    pub settings: Vec<RoleSetting>,
}

/// A declared table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: Ident,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its primary key, if any.
    pub primary_key: Option<PrimaryKey>,
    /// Its UNIQUE constraints.
    pub uniques: Vec<Unique>,
    /// Its CHECK constraints.
    pub checks: Vec<Check>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its indexes, those of constraints not included.
    pub indexes: Vec<Index>,
    /// `COMMENT ON TABLE`
    pub comment: Option<String>,
    /// Who may do what, one entry per role and privilege, columns merged.
    pub grants: Vec<Grant>,
    /// Which rows.
    pub policies: Vec<Policy>,
    /// What it was called before.
    pub was: Option<Was>,
    /// Where it is declared.
    pub path: String,
    /// Where it is declared.
    pub span: Span,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// Whether it can be `NULL`.
    pub nullable: bool,
    /// Its default.
    pub default: Option<ColumnDefault>,
    /// Whether the engine numbers its rows.
    pub identity: bool,
    /// `GENERATED ALWAYS AS (…) STORED` over "this row" (binding 0): nobody writes it.
    pub generated: Option<Expr>,
    /// `COMMENT ON COLUMN`
    pub comment: Option<String>,
    /// What it was called before.
    pub was: Option<Was>,
    /// Where it is declared.
    pub span: Span,
}

/// What a column takes when an insert does not name it.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnDefault {
    /// An expression that the engine evaluates: a constant, `now()`, `gen_random_uuid()`.
    Engine(Expr),
    /// An expression over the caller (`auth.uid()`), filled in by the write compiler.
    Caller(Expr),
}

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryKey {
    /// `table_pkey`
    pub name: Ident,
    /// Its columns.
    pub columns: Vec<Ident>,
}

/// A UNIQUE constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// `table_column_key`
    pub name: Ident,
    /// Its columns.
    pub columns: Vec<Ident>,
}

/// A CHECK constraint over "this row" (binding 0).
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// `table_column_check`
    pub name: Ident,
    /// The condition.
    pub expr: Expr,
    /// The column it was written at, or the only one it names.
    pub column: Option<Ident>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// `table_column_fkey`
    pub name: Ident,
    /// Its columns.
    pub columns: Vec<Ident>,
    /// The table it points to.
    pub target: Ident,
    /// The columns it points to, as many as `columns`.
    pub target_columns: Vec<Ident>,
    /// `ON DELETE`
    pub on_delete: ReferentialAction,
    /// `ON UPDATE`
    pub on_update: ReferentialAction,
}

/// A constraint of a table, by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// `PRIMARY KEY`
    PrimaryKey(PrimaryKey),
    /// `UNIQUE`
    Unique(Unique),
    /// `CHECK`
    Check(Check),
    /// `FOREIGN KEY`
    ForeignKey(ForeignKey),
}

impl Constraint {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Ident {
        match self {
            Self::PrimaryKey(key) => &key.name,
            Self::Unique(unique) => &unique.name,
            Self::Check(check) => &check.name,
            Self::ForeignKey(key) => &key.name,
        }
    }

    /// The columns that make it a key, for engines that bound what a key holds.
    #[must_use]
    pub fn key_columns(&self) -> &[Ident] {
        match self {
            Self::PrimaryKey(key) => &key.columns,
            Self::Unique(unique) => &unique.columns,
            Self::ForeignKey(key) => &key.columns,
            Self::Check(_) => &[],
        }
    }
}

/// An index. Two are equal when they are written alike, wherever they stand.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its name.
    pub name: Ident,
    /// What it is over.
    pub keys: Vec<IndexKey>,
    /// `UNIQUE`
    pub unique: bool,
    /// `WHERE …` over "this row" (binding 0).
    pub predicate: Option<Expr>,
}

/// One thing that an index is over.
#[derive(Clone, Debug)]
pub struct IndexKey {
    /// The column or expression.
    pub target: IndexTarget,
    /// `DESC`
    pub descending: bool,
}

/// A column, an expression, or the words of texts.
#[derive(Clone, Debug)]
pub enum IndexTarget {
    /// A column.
    Column(Ident),
    /// An expression over "this row" (binding 0).
    Expression(Expr),
    /// The words of texts; alone in its index.
    Words(Words),
}

/// Texts whose words are found by an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// How PostgreSQL reads them: `simple`, `english`, …
    pub config: String,
    /// The texts, each once.
    pub columns: Vec<Ident>,
}

impl Index {
    /// The texts, where it is an index of words.
    #[must_use]
    pub fn words(&self) -> Option<&Words> {
        match &self.keys.first()?.target {
            IndexTarget::Words(words) => Some(words),
            IndexTarget::Column(_) | IndexTarget::Expression(_) => None,
        }
    }

    /// The columns that it is over, expressions and words left out.
    #[must_use]
    pub fn columns(&self) -> Vec<Ident> {
        let column = |key: &IndexKey| match &key.target {
            IndexTarget::Column(name) => Some(name.clone()),
            IndexTarget::Expression(_) | IndexTarget::Words(_) => None,
        };
        self.keys.iter().filter_map(column).collect()
    }

    /// `("a" desc, (lower("b"))) where …` in the portable language.
    #[must_use]
    pub fn definition(&self) -> String {
        if let Some(words) = self.words() {
            return words.definition();
        }
        let key = |key: &IndexKey| {
            let target = match &key.target {
                IndexTarget::Column(name) => quoted(name),
                IndexTarget::Expression(expr) => format!("({expr})"),
                // It is alone, and above.
                IndexTarget::Words(words) => words.config.clone(),
            };
            format!("{target}{}", if key.descending { " desc" } else { "" })
        };
        let keys: Vec<String> = self.keys.iter().map(key).collect();
        let predicate = self.predicate.as_ref().map(|expr| format!(" where {expr}"));
        format!("({}){}", keys.join(", "), predicate.unwrap_or_default())
    }
}

impl Words {
    /// `using gin (to_tsvector('simple', "a" || ' ' || "b"))`
    #[must_use]
    pub fn definition(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(quoted).collect();
        let (config, text) = (&self.config, columns.join(" || ' ' || "));
        format!("using gin (to_tsvector('{config}', {text}))")
    }
}

fn quoted(name: &Ident) -> String {
    format!("\"{}\"", name.as_str().replace('"', "\"\""))
}

impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.unique == other.unique
            && self.definition() == other.definition()
    }
}

/// What one role may do on one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub role: Ident,
    /// What.
    pub privilege: Privilege,
    /// On which columns; `None` means all of them. Always `None` for `Delete`.
    pub columns: Option<Vec<Ident>>,
}

/// A row policy, as PostgreSQL defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: Ident,
    /// `FOR …`
    pub command: PolicyCommand,
    /// Permissive policies are OR-ed, restrictive ones AND-ed.
    pub permissive: bool,
    /// `TO …`; empty means everybody.
    pub roles: Vec<Ident>,
    /// `USING (…)` over "this row" (binding 0).
    pub using: Option<Expr>,
    /// `WITH CHECK (…)` over "this row" (binding 0).
    pub check: Option<Expr>,
}

impl Catalog {
    /// The table of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name).map(|&place| &self.tables[place])
    }

    /// Everything that rows are read of: the tables, then the views as the tables they look like.
    pub fn relations(&self) -> impl Iterator<Item = &Table> {
        let views = self.views.iter().map(|view| &view.relation);
        self.tables.iter().chain(views)
    }

    /// The view of that name.
    #[must_use]
    pub fn view(&self, name: &str) -> Option<&View> {
        self.views.iter().find(|view| *view.name() == *name)
    }
}

impl Table {
    /// All constraints, those that others rest on first.
    #[must_use]
    pub fn constraints(&self) -> Vec<Constraint> {
        let keys = self.primary_key.iter().cloned().map(Constraint::PrimaryKey);
        let uniques = self.uniques.iter().cloned().map(Constraint::Unique);
        let checks = self.checks.iter().cloned().map(Constraint::Check);
        let foreign = self
            .foreign_keys
            .iter()
            .cloned()
            .map(Constraint::ForeignKey);
        keys.chain(uniques).chain(checks).chain(foreign).collect()
    }

    /// Columns alone: a result that is read like a table.
    #[must_use]
    pub fn of_columns(name: Ident, columns: Vec<Column>) -> Self {
        Self {
            name,
            columns,
            primary_key: None,
            uniques: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            comment: None,
            grants: Vec::new(),
            policies: Vec::new(),
            was: None,
            path: String::new(),
            span: Span::default(),
        }
    }

    /// The moment from which on a row is gone: the `timestamptz` whose comment says `@expires`.
    #[must_use]
    pub fn expiry(&self) -> Option<&Column> {
        let says = |column: &&Column| {
            let comment = column.comment.as_deref().unwrap_or_default();
            comment.split_whitespace().any(|word| word == "@expires")
        };
        let mut moments = self
            .columns
            .iter()
            .filter(|column| column.ty == Type::Timestamp);
        moments.find(says)
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }
}
