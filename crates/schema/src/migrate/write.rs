//! Operations as a migration file's text, portable SQL.

use std::fmt::Write as _;

use lang::{CommentTarget, Diagnostic, NativeStatement, ReferentialAction};
use sql::Ident;

use super::file::{Migrations, checksum_of};
use super::rewrite::following;
use crate::diff::{comments_of, default_text, is_made};
use crate::{
    Catalog, CatalogKind, Column, ColumnDefault, Constraint, ForeignKey, Index, Operation, Table,
    View, diff,
};

/// A file to be written.
#[derive(Clone, Debug)]
pub struct NewMigration {
    /// `0002_add_likes.sql`
    pub file_name: String,
    /// The whole text.
    pub text: String,
    /// What it does, a line each.
    pub summary: Vec<String>,
    /// A name for it, when nobody gives one.
    pub about: String,
    /// Whether it loses data.
    pub destructive: bool,
}

impl Migrations {
    /// The file that leads from these migrations to the wanted tables; `None` when they are
    /// there already.
    pub fn next(
        &self,
        wanted: &Catalog,
        name: &str,
        kind: CatalogKind,
    ) -> Result<Option<NewMigration>, Vec<Diagnostic>> {
        let known = self.fold(kind)?;
        let up = diff(&known, wanted)?.operations;
        if up.is_empty() {
            return Ok(None);
        }
        let destructive = up.iter().any(Operation::is_destructive);
        let mark = if destructive { "-- @destructive\n" } else { "" };
        let body = format!("{mark}-- @up\n{}-- @down\n{}", up_of(&up), down_of(&up));
        let slug = slug(name);
        let (revision, header) = self.header(&slug);
        let checksum = checksum_of(&body);
        let text = format!("{header}-- @checksum sha256:{checksum}\n{body}");
        let summary = up.iter().map(ToString::to_string).collect();
        Ok(Some(NewMigration {
            file_name: format!("{revision}_{slug}.sql"),
            text,
            summary,
            about: about(&up),
            destructive,
        }))
    }

    /// A file for statements that its author writes by hand; without a checksum, which the books
    /// take when it is applied.
    #[must_use]
    pub fn blank(&self, name: &str) -> NewMigration {
        let slug = slug(name);
        let (revision, header) = self.header(&slug);
        NewMigration {
            file_name: format!("{revision}_{slug}.sql"),
            text: format!(
                "{header}-- @up\n-- INSERT, UPDATE and DELETE in the portable language, or behind \
                 -- @engine postgres in one engine's own.\n\n-- @down\n\n"
            ),
            summary: Vec::new(),
            about: slug,
            destructive: false,
        }
    }

    /// The revision of the next file, and its header as far as the name.
    fn header(&self, slug: &str) -> (String, String) {
        let last = self.files.last().map(|file| file.revision.as_str());
        let (revision, parent) = (following(last), last.unwrap_or("none"));
        let header = format!("-- @revision {revision}\n-- @parent {parent}\n-- @name {slug}\n");
        (revision, header)
    }
}

/// Operations as the statements of an up part.
pub(super) fn up_of(operations: &[Operation]) -> String {
    let mut text = String::new();
    let operations = operations.iter();
    operations.for_each(|operation| write_up(&mut text, operation));
    text
}

/// Operations as the statements of a down part.
pub(super) fn down_of(operations: &[Operation]) -> String {
    let mut text = String::new();
    // What was made goes, and its comments with it.
    let goes_along = |operation: &&Operation| match operation {
        Operation::Comment { on, .. } => is_made(on, operations),
        _ => false,
    };
    let stay = operations.iter().rev().filter(|one| !goes_along(one));
    stay.for_each(|operation| write_down(&mut text, operation));
    text
}

/// The one step, or the tables that change.
fn about(operations: &[Operation]) -> String {
    if let [only] = operations {
        return only.to_string();
    }
    let mut tables: Vec<&str> = Vec::new();
    for operation in operations {
        match operation.table().map(Ident::as_str) {
            Some(table) if !tables.contains(&table) => tables.push(table),
            Some(_) | None => {}
        }
    }
    // Names of files have to stay readable.
    tables.truncate(3);
    format!("change {}", tables.join(" and "))
}

/// Lower-case letters, digits and underscores.
pub(super) fn slug(name: &str) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect();
    let words: Vec<&str> = plain.split('_').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        String::from("change")
    } else {
        words.join("_")
    }
}

fn name(ident: &Ident) -> String {
    format!("\"{}\"", ident.as_str().replace('"', "\"\""))
}

fn names(idents: &[Ident]) -> String {
    idents.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn write_up(text: &mut String, operation: &Operation) {
    match operation {
        Operation::CreateTable { table, .. } => text.push_str(&create_table(table)),
        // It is written with its table.
        Operation::AddForeignKey { .. } => {}
        Operation::DropTable(table) => drop_table(text, table),
        Operation::AddColumn {
            table,
            column,
            foreign_key,
        } => {
            let _ = write!(
                text,
                "alter table {} add column {}",
                name(table),
                define(column)
            );
            if let Some(key) = foreign_key {
                let _ = write!(text, " constraint {} {}", name(&key.name), references(key));
            }
            text.push_str(";\n");
        }
        Operation::DropColumn { table, column } => drop_column(text, table, column),
        Operation::RenameColumn { table, from, to } => {
            rename(text, table, from, to);
        }
        Operation::AlterColumn {
            table,
            before,
            after,
        } => alter_column(text, table, before, after),
        Operation::AddConstraint { table, constraint } => add_constraint(text, table, constraint),
        Operation::DropConstraint { table, constraint } => drop_constraint(text, table, constraint),
        Operation::RenameTable { from, to } => rename_table(text, from, to),
        Operation::CreateIndex { table, index } => create_index(text, table, index),
        Operation::DropIndex { index, .. } => drop_index(text, index),
        Operation::CreateView(view) => create_view(text, view),
        Operation::DropView(view) => drop_view(text, view),
        Operation::Comment { on, after, .. } => comment(text, on, after.as_deref()),
        Operation::Native { run, .. } => engine_block(text, run),
        // A difference of structure has none.
        Operation::Change(_) => {}
    }
}

fn engine_block(text: &mut String, native: &NativeStatement) {
    let engines: Vec<&str> = native.engines.iter().map(|one| one.name()).collect();
    let (engines, statement) = (engines.join(", "), &native.text);
    let _ = write!(text, "-- @engine {engines}\n{statement};\n-- @engine all\n");
}

fn write_down(text: &mut String, operation: &Operation) {
    match operation {
        Operation::CreateTable { table, .. } => drop_table(text, table),
        Operation::AddForeignKey { .. } => {}
        Operation::DropTable(table) => {
            text.push_str(&create_table(table));
            table
                .indexes
                .iter()
                .for_each(|index| create_index(text, &table.name, index));
            let on = CommentTarget::Table(table.name.clone());
            comments(text, &on, table);
        }
        Operation::AddColumn {
            table,
            column,
            foreign_key,
        } => {
            let key = foreign_key.iter().cloned().map(Constraint::ForeignKey);
            key.for_each(|key| drop_constraint(text, table, &key));
            drop_column(text, table, column);
        }
        Operation::DropColumn { table, column } => {
            let _ = writeln!(
                text,
                "alter table {} add column {};",
                name(table),
                define(column)
            );
            let on = CommentTarget::Column(table.clone(), column.name.clone());
            let own = column.comment.as_deref();
            own.into_iter()
                .for_each(|own| comment(text, &on, Some(own)));
        }
        Operation::RenameColumn { table, from, to } => rename(text, table, to, from),
        Operation::AlterColumn {
            table,
            before,
            after,
        } => alter_column(text, table, after, before),
        Operation::AddConstraint { table, constraint } => drop_constraint(text, table, constraint),
        Operation::DropConstraint { table, constraint } => add_constraint(text, table, constraint),
        Operation::RenameTable { from, to } => rename_table(text, to, from),
        Operation::CreateIndex { index, .. } => drop_index(text, index),
        Operation::DropIndex { table, index } => create_index(text, table, index),
        Operation::CreateView(view) => drop_view(text, view),
        Operation::DropView(view) => {
            create_view(text, view);
            let on = CommentTarget::View(view.name().clone());
            comments(text, &on, &view.relation);
        }
        Operation::Comment { on, before, .. } => comment(text, on, before.as_deref()),
        Operation::Native {
            back: Some(back), ..
        } => engine_block(text, back),
        Operation::Native {
            run: native,
            back: None,
        } => {
            let engines: Vec<&str> = native.engines.iter().map(|one| one.name()).collect();
            let _ = writeln!(
                text,
                "-- write here, behind -- @engine {}, what takes the statement back",
                engines.join(", ")
            );
        }
        Operation::Change(_) => {}
    }
}

fn drop_table(text: &mut String, table: &Table) {
    let _ = writeln!(text, "drop table {};", name(&table.name));
}

fn drop_column(text: &mut String, table: &Ident, column: &Column) {
    let _ = writeln!(
        text,
        "alter table {} drop column {};",
        name(table),
        name(&column.name)
    );
}

fn rename(text: &mut String, table: &Ident, from: &Ident, to: &Ident) {
    let _ = writeln!(
        text,
        "alter table {} rename column {} to {};",
        name(table),
        name(from),
        name(to)
    );
}

fn rename_table(text: &mut String, from: &Ident, to: &Ident) {
    let _ = writeln!(text, "alter table {} rename to {};", name(from), name(to));
}

/// One line for each thing that differs.
fn alter_column(text: &mut String, table: &Ident, before: &Column, after: &Column) {
    let mut say = |what: String| {
        let (table, column) = (name(table), name(&after.name));
        let _ = writeln!(text, "alter table {table} alter column {column} {what};");
    };
    if before.ty != after.ty {
        say(format!("type {}", after.ty));
    }
    let (old, new) = (default_text(before), default_text(after));
    match new {
        Some(new) if old.as_ref() != Some(&new) => say(format!("set default {new}")),
        None if old.is_some() => say(String::from("drop default")),
        Some(_) | None => {}
    }
    if before.identity && !after.identity {
        say(String::from("drop identity"));
    }
    match (before.nullable, after.nullable) {
        (true, false) => say(String::from("set not null")),
        (false, true) => say(String::from("drop not null")),
        (true, true) | (false, false) => {}
    }
    if after.identity && !before.identity {
        say(String::from("add generated by default as identity"));
    }
}

fn add_constraint(text: &mut String, table: &Ident, constraint: &Constraint) {
    let table = name(table);
    let _ = writeln!(
        text,
        "alter table {table} add {};",
        define_constraint(constraint)
    );
}

fn drop_constraint(text: &mut String, table: &Ident, constraint: &Constraint) {
    let (table, constraint) = (name(table), name(constraint.name()));
    let _ = writeln!(text, "alter table {table} drop constraint {constraint};");
}

/// `constraint name …`
fn define_constraint(constraint: &Constraint) -> String {
    let what = match constraint {
        Constraint::PrimaryKey(key) => format!("primary key ({})", names(&key.columns)),
        Constraint::Unique(unique) => format!("unique ({})", names(&unique.columns)),
        Constraint::Check(check) => format!("check ({})", check.expr),
        Constraint::ForeignKey(key) => {
            format!("foreign key ({}) {}", names(&key.columns), references(key))
        }
    };
    format!("constraint {} {what}", name(constraint.name()))
}

fn create_index(text: &mut String, table: &Ident, index: &Index) {
    let unique = if index.unique { "unique " } else { "" };
    let (own, table, what) = (name(&index.name), name(table), index.definition());
    let _ = writeln!(text, "create {unique}index {own} on {table} {what};");
}

fn drop_index(text: &mut String, index: &Index) {
    let _ = writeln!(text, "drop index {};", name(&index.name));
}

fn create_view(text: &mut String, view: &View) {
    let options = match view.definition.security_invoker {
        true => "",
        false => " with (security_invoker = false)",
    };
    let (own, query) = (name(view.name()), &view.query);
    let _ = writeln!(text, "create view {own}{options} as {query};");
}

fn drop_view(text: &mut String, view: &View) {
    let _ = writeln!(text, "drop view {};", name(view.name()));
}

/// All comments of a table or a view that comes again.
fn comments(text: &mut String, on: &CommentTarget, relation: &Table) {
    let all = comments_of(on, relation).into_iter();
    all.for_each(|(on, own)| comment(text, &on, Some(own)));
}

fn comment(text: &mut String, on: &CommentTarget, own: Option<&str>) {
    let on = match on {
        CommentTarget::Table(table) => format!("table {}", name(table)),
        CommentTarget::View(view) => format!("view {}", name(view)),
        CommentTarget::Column(relation, column) => {
            format!("column {}.{}", name(relation), name(column))
        }
    };
    let own = own.map_or_else(|| String::from("null"), comment_text);
    let _ = writeln!(text, "comment on {on} is {own};");
}

/// A comment's text as a literal on one line: a line of its own could be taken for one of the
/// file's markers.
pub(crate) fn comment_text(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if !text.contains(['\n', '\r']) {
        return format!("'{doubled}'");
    }
    let escaped = doubled.replace('\\', "\\\\").replace('\n', "\\n");
    format!("E'{}'", escaped.replace('\r', "\\r"))
}

fn define(column: &Column) -> String {
    let mut text = format!("{} {}", name(&column.name), column.ty);
    if column.identity {
        text.push_str(" generated by default as identity");
    } else if !column.nullable {
        text.push_str(" not null");
    }
    if let Some(ColumnDefault::Engine(expr)) = &column.default {
        let _ = write!(text, " default {expr}");
    }
    if let Some(expr) = &column.generated {
        let _ = write!(text, " generated always as ({expr}) stored");
    }
    text
}

fn create_table(table: &Table) -> String {
    let columns = table.columns.iter().map(define);
    let constraints = table.constraints();
    let lines: Vec<String> = columns
        .chain(constraints.iter().map(define_constraint))
        .collect();
    format!(
        "create table {} (\n  {}\n);\n",
        name(&table.name),
        lines.join(",\n  ")
    )
}

fn references(key: &ForeignKey) -> String {
    let action = |action: ReferentialAction| match action {
        ReferentialAction::NoAction => None,
        ReferentialAction::Restrict => Some("restrict"),
        ReferentialAction::Cascade => Some("cascade"),
        ReferentialAction::SetNull => Some("set null"),
        ReferentialAction::SetDefault => Some("set default"),
    };
    let mut text = format!(
        "references {} ({})",
        name(&key.target),
        names(&key.target_columns)
    );
    if let Some(action) = action(key.on_delete) {
        let _ = write!(text, " on delete {action}");
    }
    if let Some(action) = action(key.on_update) {
        let _ = write!(text, " on update {action}");
    }
    text
}
