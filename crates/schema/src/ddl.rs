//! Operations as DDL for one engine.

mod alter;
mod columns;
mod comments;
mod indexes;
mod rebuild;
mod tables;

pub(crate) use columns::{Native, native_type, write_type as write_column_type};
pub(crate) use tables::add_foreign_key;

use lang::{ddl_expression, ddl_query, ddl_write};
use sql::{Dialect, Ident, Sql};

use crate::{Catalog, Column, ForeignKey, Operation, Table, View, words};

/// A statement, and the operation that it is a part of.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The statement.
    pub sql: Sql,
    /// The place of its operation in the list that was rendered; the last one, where several
    /// were put together.
    pub operation: usize,
}

/// Renders operations in their order, each with the catalog that it leads to. Steps for which
/// SQLite has to make a table anew are put together, so that its rows are copied once.
#[must_use]
pub fn render_operations(steps: &[(Operation, Catalog)], dialect: Dialect) -> Vec<Rendered> {
    let mut rendered: Vec<Rendered> = Vec::new();
    let mut added = Vec::new();
    for (place, (operation, after)) in steps.iter().enumerate() {
        let mut take = |statements: Vec<Sql>| {
            let operation = place;
            rendered.extend(
                statements
                    .into_iter()
                    .map(|sql| Rendered { sql, operation }),
            );
        };
        let Some(table) = rebuild::needed(operation).filter(|_| dialect == Dialect::Sqlite) else {
            take(render_operation(operation, after, dialect));
            continue;
        };
        if let Operation::AddColumn { column, .. } = operation {
            added.push(column.name.clone());
        }
        let next = steps.get(place + 1);
        let goes_on = next.is_some_and(|(next, _)| rebuild::needed(next) == Some(table));
        if let (false, Some(table)) = (goes_on, after.table(table.as_str())) {
            take(rebuild::statements(
                table,
                &std::mem::take(&mut added),
                rebuild::Copy::AsItIs,
                &after.natives,
            ));
        }
    }
    rendered
}

/// The statements that make a table that is there what it is declared to be: its columns get the
/// types, defaults and nullability of the declaration.
pub(crate) fn make_as_declared(table: &Table, catalog: &Catalog, dialect: Dialect) -> Vec<Sql> {
    if dialect == Dialect::Sqlite {
        return rebuild::statements(table, &[], rebuild::Copy::Respelled, &catalog.natives);
    }
    let columns = table.columns.iter().filter(|one| one.generated.is_none());
    columns
        .flat_map(|column| alter::convert(&table.name, column, catalog, dialect))
        .collect()
}

/// Renders one operation. `catalog` is the state that the operation leads to; it tells which
/// columns are in keys, which decides some types on MySQL and MariaDB.
fn render_operation(operation: &Operation, catalog: &Catalog, dialect: Dialect) -> Vec<Sql> {
    let mut sql = Sql::new(dialect);
    match operation {
        Operation::CreateTable { table, later } => tables::create(&mut sql, table, later),
        Operation::AddForeignKey { table, key } => {
            return match dialect {
                Dialect::Sqlite => Vec::new(),
                Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => {
                    vec![tables::add_foreign_key(table, key, dialect)]
                }
            };
        }
        Operation::DropTable(table) => return drop_table(table, dialect),
        Operation::AddColumn {
            table,
            column,
            foreign_key,
        } => return add_column(table, column, foreign_key.as_ref(), catalog, dialect),
        Operation::DropColumn { table, column } => {
            sql.push("alter table ")
                .ident(table)
                .push(" drop column ")
                .ident(&column.name);
        }
        Operation::RenameColumn { table, from, to } => {
            return alter::rename_column(table, from, to, catalog, dialect);
        }
        Operation::AlterColumn {
            table,
            before,
            after,
        } => return alter::column(table, before, after, catalog, dialect),
        Operation::AddConstraint { table, constraint } => {
            return alter::add(table, constraint, catalog, dialect);
        }
        Operation::DropConstraint { table, constraint } => {
            return alter::drop(table, constraint, catalog, dialect);
        }
        Operation::RenameTable { from, to } => {
            sql.push("alter table ")
                .ident(from)
                .push(" rename to ")
                .ident(to);
        }
        Operation::CreateIndex { table, index } => {
            return indexes::create(table, index, catalog, dialect);
        }
        Operation::DropIndex { table, index } => {
            return indexes::drop(table, index, catalog, dialect);
        }
        Operation::CreateView(view) => create_view(&mut sql, view),
        Operation::DropView(view) => {
            sql.push("drop view ").ident(view.name());
        }
        Operation::Comment { on, after, .. } => {
            let statement = comments::comment(on, after.as_deref(), catalog, dialect);
            return statement.into_iter().collect();
        }
        Operation::Change(write) => ddl_write(&mut sql, write),
        Operation::Native { run: native, .. } => {
            if !native.engines.contains(&dialect) {
                return Vec::new();
            }
            sql.native(&native.text);
        }
    }
    vec![sql]
}

fn drop_table(table: &Table, dialect: Dialect) -> Vec<Sql> {
    let indexes = table.indexes.iter();
    // Those of SQLite are tables of their own.
    let with_tables = indexes.filter(|one| dialect == Dialect::Sqlite && one.words().is_some());
    let mut all: Vec<Sql> = with_tables
        .flat_map(|index| words::drop(index, dialect))
        .collect();
    let mut sql = Sql::new(dialect);
    sql.push("drop table ").ident(&table.name);
    all.push(sql);
    all
}

/// A view stands open to whoever may read the tables beneath, as far as the engine can say so.
fn create_view(sql: &mut Sql, view: &View) {
    let is_invokers = view.definition.security_invoker;
    sql.push(match (sql.dialect(), is_invokers) {
        (Dialect::MySql | Dialect::MariaDb, true) => "create sql security invoker view ",
        _ => "create view ",
    });
    sql.ident(view.name());
    if is_invokers && sql.dialect() == Dialect::Postgres {
        sql.push(" with (security_invoker = true)");
    }
    sql.push(" as ");
    ddl_query(sql, &view.query);
}

fn add_column(
    table: &Ident,
    column: &Column,
    key: Option<&ForeignKey>,
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<Sql> {
    let mut sql = Sql::new(dialect);
    sql.push("alter table ").ident(table).push(" add column ");
    if let Some(owner) = catalog.table(table.as_str()) {
        let how = columns::Define::InTableThatExists;
        columns::define(&mut sql, column, owner, how);
    }
    match (key, dialect) {
        (None, _) => vec![sql],
        (Some(key), Dialect::Sqlite) => {
            sql.push(" constraint ").ident(&key.name);
            tables::references(&mut sql, key);
            vec![sql]
        }
        (Some(key), Dialect::Postgres | Dialect::MySql | Dialect::MariaDb) => {
            vec![sql, tables::add_foreign_key(table, key, dialect)]
        }
    }
}

/// A CHECK's or DEFAULT's expression.
fn expression(sql: &mut Sql, expr: &lang::Expr) {
    ddl_expression(sql, expr);
}
