//! Tables that SQLite has to make anew, as its manual says (`lang_altertable.html`, section 7).
//!
//! The runner switches foreign keys off around the transaction and checks them before it commits.

use lang::{NativeStatement, Type};
use sql::{Dialect, Ident, Sql};

use super::{indexes, tables};
use crate::diff::triggers_of;
use crate::{Column, ColumnDefault, Operation, Table, words};

/// The table, where `ALTER TABLE` of SQLite cannot do it.
pub(super) fn needed(operation: &Operation) -> Option<&Ident> {
    match operation {
        Operation::AlterColumn { table, .. }
        | Operation::AddConstraint { table, .. }
        | Operation::DropConstraint { table, .. } => Some(table),
        // A column that comes later has a constant default.
        Operation::AddColumn { table, column, .. } => {
            let is_constant = match &column.default {
                Some(ColumnDefault::Engine(expr)) => {
                    matches!(
                        expr.kind,
                        lang::ExprKind::Literal(_) | lang::ExprKind::Unary(..)
                    )
                }
                Some(ColumnDefault::Caller(_)) | None => true,
            };
            (!is_constant).then_some(table)
        }
        Operation::CreateTable { .. }
        | Operation::AddForeignKey { .. }
        | Operation::DropTable(_)
        | Operation::DropColumn { .. }
        | Operation::RenameColumn { .. }
        | Operation::RenameTable { .. }
        | Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::CreateView(_)
        | Operation::DropView(_)
        | Operation::Comment { .. }
        | Operation::Change(_)
        | Operation::Native { .. } => None,
    }
}

/// What happens to a value on its way into the new table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Copy {
    AsItIs,
    /// Somebody else's spelling of moments, days and decimals becomes ours.
    Respelled,
}

fn value(sql: &mut Sql, column: &Column, copy: Copy) {
    match (&column.ty, copy) {
        (Type::Timestamp, Copy::Respelled) => {
            // What SQLite cannot read as a moment stays as it is.
            sql.push("coalesce(strftime('%Y-%m-%dT%H:%M:%f', ")
                .ident(&column.name);
            sql.push(") || '000Z', ").ident(&column.name).push(")");
        }
        (Type::Date, Copy::Respelled) => {
            sql.push("coalesce(date(").ident(&column.name);
            sql.push("), ").ident(&column.name).push(")");
        }
        (Type::Numeric { scale, .. }, Copy::Respelled) => {
            sql.push("case when ")
                .ident(&column.name)
                .push(" is not null then printf('%.");
            sql.number(u64::from(*scale))
                .push("f', ")
                .ident(&column.name)
                .push(") end");
        }
        _ => {
            sql.ident(&column.name);
        }
    }
}

/// Makes the table as it should be, copies its rows, puts it in the old one's place. `added` are
/// columns that the old one does not have. The triggers among `natives` go with the old one, and
/// come again.
pub(super) fn statements(
    table: &Table,
    added: &[Ident],
    how: Copy,
    natives: &[NativeStatement],
) -> Vec<Sql> {
    let new = || Sql::new(Dialect::Sqlite);
    let mut other = table.clone();
    other.name = Ident::of("pilaster_rebuilt");
    let mut create = new();
    tables::create(&mut create, &other, &[]);
    let copied: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none() && !added.contains(&column.name))
        .collect();
    let mut copy = new();
    copy.push("insert into ").ident(&other.name).push(" (");
    copy.idents(copied.iter().map(|column| &column.name));
    copy.push(") select ");
    for (place, column) in copied.iter().enumerate() {
        copy.push(if place > 0 { ", " } else { "" });
        value(&mut copy, column, how);
    }
    copy.push(" from ").ident(&table.name);
    let mut all = vec![create, copy];
    if tables::is_row_id(table) {
        // Numbers of deleted rows are not given again.
        let mut forget = new();
        forget.push("delete from sqlite_sequence where name = ");
        forget.quoted(other.name.as_str());
        let mut remember = new();
        remember.push("insert into sqlite_sequence (name, seq) select ");
        remember.quoted(other.name.as_str());
        remember.push(", seq from sqlite_sequence where name = ");
        remember.quoted(table.name.as_str());
        all.extend([forget, remember]);
    }
    let mut drop = new();
    drop.push("drop table ").ident(&table.name);
    let mut rename = new();
    rename.push("alter table ").ident(&other.name);
    rename.push(" rename to ").ident(&table.name);
    all.extend([drop, rename]);
    for index in &table.indexes {
        match index.words() {
            Some(own) => all.extend(words::create(table, index, own, Dialect::Sqlite)),
            None => all.push(indexes::plain(&table.name, index, Dialect::Sqlite)),
        }
    }
    let triggers = triggers_of(&table.name, natives, Dialect::Sqlite);
    all.extend(triggers.into_iter().map(|trigger| {
        let mut sql = new();
        sql.native(&trigger.text);
        sql
    }));
    all
}
