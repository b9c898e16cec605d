//! The statements of `schema/*.sql` and `migrations/*.sql`, names not yet resolved.

use std::fmt;

use sql::{Dialect, Ident};

use crate::{AlterRole, RawExpr, RawQuery, Span, Type};

/// One statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// `CREATE TABLE`
    CreateTable(CreateTable),
    /// `CREATE [UNIQUE] INDEX`
    CreateIndex(CreateIndex),
    /// `CREATE VIEW`
    CreateView(ViewDef),
    /// `CREATE ROLE`
    CreateRole(CreateRole),
    /// `ALTER ROLE … SET`
    AlterRole(AlterRole),
    /// `GRANT … ON table TO role`
    Grant(Grant),
    /// `GRANT role TO role`
    GrantRole(GrantRole),
    /// `CREATE POLICY`
    CreatePolicy(CreatePolicy),
    /// `COMMENT ON`
    Comment(CommentOn),
    /// `CREATE TYPE … AS ENUM`
    CreateEnum(CreateEnum),
    /// `CREATE FUNCTION`
    CreateFunction(FunctionDef),
    /// `DROP TABLE`, in migrations
    DropTable(DropTable),
    /// `DROP INDEX`, in migrations
    DropIndex(DropIndex),
    /// `DROP VIEW`, in migrations
    DropView(DropView),
    /// `ALTER TABLE`, in migrations
    AlterTable(AlterTable),
    /// `INSERT`, `UPDATE` or `DELETE`, in migrations
    Data(RawQuery),
    /// A statement in an engine's own language
    Native(NativeStatement),
}

/// A statement behind `-- @engine …`: passed on as it is, to these engines alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeStatement {
    /// Which engines.
    pub engines: Vec<Dialect>,
    /// Its text, without the semicolon.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// `CREATE TYPE name AS ENUM (…)`: a text that is one of a few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateEnum {
    /// Its name.
    pub name: Ident,
    /// Its values, in order.
    pub values: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// `CREATE FUNCTION name(…) RETURNS … LANGUAGE sql`
#[derive(Clone, Debug)]
pub struct FunctionDef {
    /// Its name.
    pub name: Ident,
    /// Where it is declared.
    pub span: Span,
    /// Its parameters: names and types.
    pub parameters: Vec<(Ident, Type)>,
    /// What it gives.
    pub returns: Type,
    /// What stands in the place of a call, unchecked.
    pub body: RawExpr,
}

/// `CREATE TABLE name (…)`
#[derive(Clone, Debug)]
pub struct CreateTable {
    /// Its name.
    pub name: Ident,
    /// Where it is declared.
    pub span: Span,
    /// Its columns, in order.
    pub columns: Vec<ColumnDef>,
    /// Its constraints, those of columns included (each column's own are listed here too, so
    /// there is one place to look), in order.
    pub constraints: Vec<TableConstraint>,
    /// `-- @was …`
    pub was: Option<Was>,
}

impl CreateTable {
    /// Makes columns of declared types what they are: short texts with a CHECK. What is wrong
    /// with them comes back.
    pub fn take_enums(&mut self, enums: &[CreateEnum]) -> Vec<(Span, String)> {
        let mut errors = Vec::new();
        for column in &mut self.columns {
            let Some(name) = column.of.take() else {
                continue;
            };
            let Some(known) = enums.iter().find(|known| known.name == name) else {
                errors.push((column.span, format!("{name} is not a known type")));
                continue;
            };
            let longest = known.values.iter().map(|value| value.chars().count()).max();
            let longest = u32::try_from(longest.unwrap_or(1)).unwrap_or(u32::MAX);
            column.ty = Type::Varchar(longest.max(1));
            self.constraints.push(TableConstraint::Check {
                name: None,
                expr: RawExpr::is_one_of(&column.name, &known.values, column.span),
                column: Some(column.name.clone()),
                span: column.span,
            });
        }
        errors
    }
}

/// What a declaration was called before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Was {
    /// `-- @was name`
    Called(Ident),
    /// `-- @new`: nothing, though it looks like something that went.
    New,
}

/// One column of a `CREATE TABLE` or `ADD COLUMN`.
#[derive(Clone, Debug)]
pub struct ColumnDef {
    /// Its name.
    pub name: Ident,
    /// Where it is declared.
    pub span: Span,
    /// Its type; text where `of` names the real one.
    pub ty: Type,
    /// The declared type that it is of.
    pub of: Option<Ident>,
    /// False after `NOT NULL` or `PRIMARY KEY`.
    pub nullable: bool,
    /// `DEFAULT …`
    pub default: Option<DefaultDef>,
    /// `GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY`
    pub identity: bool,
    /// `GENERATED ALWAYS AS (…) STORED`
    pub generated: Option<RawExpr>,
    /// `-- @was …`
    pub was: Option<Was>,
}

/// `DEFAULT expression`
#[derive(Clone, Debug)]
pub struct DefaultDef {
    /// The expression, unchecked.
    pub expr: RawExpr,
    /// Where it stands.
    pub span: Span,
}

/// A constraint, named by its author or by the rule of PostgreSQL (`table_column_key`).
#[derive(Clone, Debug)]
pub enum TableConstraint {
    /// `PRIMARY KEY (…)`
    PrimaryKey {
        /// The author's name for it.
        name: Option<Ident>,
        /// Its columns.
        columns: Vec<Ident>,
        /// Where it stands.
        span: Span,
    },
    /// `UNIQUE (…)`
    Unique {
        /// The author's name for it.
        name: Option<Ident>,
        /// Its columns.
        columns: Vec<Ident>,
        /// Where it stands.
        span: Span,
    },
    /// `CHECK (…)`
    Check {
        /// The author's name for it.
        name: Option<Ident>,
        /// The condition, unchecked.
        expr: RawExpr,
        /// The column it was written at, if it was.
        column: Option<Ident>,
        /// Where it stands.
        span: Span,
    },
    /// `FOREIGN KEY (…) REFERENCES …`
    ForeignKey(ForeignKeyDef),
}

/// `FOREIGN KEY (columns) REFERENCES target (target_columns) …`
#[derive(Clone, Debug)]
pub struct ForeignKeyDef {
    /// The author's name for it.
    pub name: Option<Ident>,
    /// Its columns.
    pub columns: Vec<Ident>,
    /// The table it points to.
    pub target: Ident,
    /// The columns it points to; empty means the target's primary key.
    pub target_columns: Vec<Ident>,
    /// `ON DELETE`
    pub on_delete: ReferentialAction,
    /// `ON UPDATE`
    pub on_update: ReferentialAction,
    /// Where it stands.
    pub span: Span,
}

/// What happens to the rows that point to a row that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferentialAction {
    /// Refuse (the default).
    NoAction,
    /// Refuse at once.
    Restrict,
    /// Go with it.
    Cascade,
    /// Point to nothing.
    SetNull,
    /// Take the default.
    SetDefault,
}

/// `CREATE [UNIQUE] INDEX name ON table [USING GIN] (…) [WHERE …]`
#[derive(Clone, Debug)]
pub struct CreateIndex {
    /// Its name.
    pub name: Ident,
    /// The table.
    pub table: Ident,
    /// Where it is declared.
    pub span: Span,
    /// What it is over, and whether it descends.
    pub keys: Vec<(IndexKeyDef, bool)>,
    /// `UNIQUE`
    pub unique: bool,
    /// `WHERE …`, unchecked.
    pub predicate: Option<RawExpr>,
}

/// What an index is over.
#[derive(Clone, Debug)]
pub enum IndexKeyDef {
    /// A column.
    Column(Ident),
    /// An expression, unchecked.
    Expression(RawExpr),
    /// `to_tsvector('config', column || ' ' || column)`: the words of texts.
    Words {
        /// How PostgreSQL reads them.
        config: String,
        /// The texts.
        columns: Vec<Ident>,
    },
}

/// `CREATE VIEW name [(columns)] [WITH (security_invoker = …)] AS SELECT …`
#[derive(Clone, Debug)]
pub struct ViewDef {
    /// Its name.
    pub name: Ident,
    /// Its columns' names, where they are not the query's.
    pub columns: Vec<Ident>,
    /// Whether the caller's grants and policies apply to the tables beneath. They do unless the
    /// view says `security_invoker = false`.
    pub security_invoker: bool,
    /// The query, unchecked.
    pub query: RawQuery,
    /// Where it is declared.
    pub span: Span,
}

/// `CREATE ROLE name`
#[derive(Clone, Debug)]
pub struct CreateRole {
    /// Its name.
    pub name: Ident,
    /// Where it is declared.
    pub span: Span,
}

/// A privilege on a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Privilege {
    /// Read.
    Select,
    /// Insert.
    Insert,
    /// Update.
    Update,
    /// Delete.
    Delete,
}

/// `GRANT privilege [(columns)], … ON table TO role, …`
#[derive(Clone, Debug)]
pub struct Grant {
    /// Each privilege with its columns; `None` means all of them.
    pub privileges: Vec<(Privilege, Option<Vec<Ident>>)>,
    /// The tables.
    pub tables: Vec<Ident>,
    /// The roles.
    pub roles: Vec<Ident>,
    /// Where it stands.
    pub span: Span,
}

/// `GRANT role TO role`: the second inherits what the first may do.
#[derive(Clone, Debug)]
pub struct GrantRole {
    /// Whose privileges are given.
    pub role: Ident,
    /// To whom.
    pub to: Ident,
    /// Where it stands.
    pub span: Span,
}

/// The command that a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyCommand {
    /// Every command.
    All,
    /// One of them.
    One(Privilege),
}

/// `CREATE POLICY name ON table …`
#[derive(Clone, Debug)]
pub struct CreatePolicy {
    /// Its name.
    pub name: Ident,
    /// The table.
    pub table: Ident,
    /// `FOR …`
    pub command: PolicyCommand,
    /// False after `AS RESTRICTIVE`.
    pub permissive: bool,
    /// `TO …`; empty means everybody (`PUBLIC`).
    pub roles: Vec<Ident>,
    /// `USING (…)`
    pub using: Option<RawExpr>,
    /// `WITH CHECK (…)`
    pub check: Option<RawExpr>,
    /// Where it stands.
    pub span: Span,
}

/// `COMMENT ON … IS '…'`
#[derive(Clone, Debug)]
pub struct CommentOn {
    /// What it is on.
    pub target: CommentTarget,
    /// The text; `None` for `IS NULL`.
    pub text: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// What a comment is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentTarget {
    /// A table.
    Table(Ident),
    /// A view.
    View(Ident),
    /// A column of a table or a view.
    Column(Ident, Ident),
}

impl CommentTarget {
    /// The table or view that it is on, or on a column of.
    #[must_use]
    pub fn relation(&self) -> &Ident {
        let (Self::Table(name) | Self::View(name) | Self::Column(name, _)) = self;
        name
    }
}

/// `table t`, `view v` or `column t.c`.
impl fmt::Display for CommentTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(name) => write!(f, "table {name}"),
            Self::View(name) => write!(f, "view {name}"),
            Self::Column(relation, column) => write!(f, "column {relation}.{column}"),
        }
    }
}

/// `DROP TABLE name`
#[derive(Clone, Debug)]
pub struct DropTable {
    /// Its name.
    pub name: Ident,
    /// Where it stands.
    pub span: Span,
}

/// `DROP VIEW name`
#[derive(Clone, Debug)]
pub struct DropView {
    /// Its name.
    pub name: Ident,
    /// Where it stands.
    pub span: Span,
}

/// `DROP INDEX name ON table`, MySQL's form, because an index name is not enough there.
#[derive(Clone, Debug)]
pub struct DropIndex {
    /// Its name.
    pub name: Ident,
    /// Where it stands.
    pub span: Span,
}

/// `ALTER TABLE name action`
#[derive(Clone, Debug)]
pub struct AlterTable {
    /// The table.
    pub name: Ident,
    /// What to do.
    pub action: AlterAction,
    /// Where it stands.
    pub span: Span,
}

/// One change of a table.
#[derive(Clone, Debug)]
pub enum AlterAction {
    /// `ADD COLUMN` with the column's own constraints.
    AddColumn(ColumnDef, Vec<TableConstraint>),
    /// `DROP COLUMN`
    DropColumn(Ident),
    /// `RENAME COLUMN … TO …`
    RenameColumn(Ident, Ident),
    /// `ALTER COLUMN …`
    AlterColumn(Ident, ColumnChange),
    /// `ADD CONSTRAINT …`
    AddConstraint(TableConstraint),
    /// `DROP CONSTRAINT …`
    DropConstraint(Ident),
    /// `RENAME TO …`
    RenameTable(Ident),
}

/// What changes about a column.
#[derive(Clone, Debug)]
pub enum ColumnChange {
    /// `TYPE …`
    Type(Type),
    /// `SET NOT NULL`
    SetNotNull,
    /// `DROP NOT NULL`
    DropNotNull,
    /// `SET DEFAULT …`
    SetDefault(DefaultDef),
    /// `DROP DEFAULT`
    DropDefault,
    /// `ADD GENERATED BY DEFAULT AS IDENTITY`
    AddIdentity,
    /// `DROP IDENTITY`
    DropIdentity,
}
