//! Operations as DDL for one engine.

mod columns;
mod tables;

pub(crate) use columns::{Native, native_type};

use lang::ddl_expression;
use sql::{Dialect, Ident, Sql};

use crate::{Catalog, Index, Operation};

/// Renders one operation. `catalog` is the state that the operation leads to; it tells which
/// columns are in keys, which decides some types on MySQL and MariaDB.
#[must_use]
pub fn render_operation(operation: &Operation, catalog: &Catalog, dialect: Dialect) -> Vec<Sql> {
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
        Operation::DropTable(table) => {
            sql.push("drop table ").ident(&table.name);
        }
        Operation::AddColumn {
            table,
            column,
            foreign_key,
        } => {
            sql.push("alter table ").ident(table).push(" add column ");
            if let Some(owner) = catalog.table(table.as_str()) {
                columns::define(&mut sql, column, owner, columns::Define::InTableThatExists);
            }
            let inline = foreign_key.as_ref().filter(|_| dialect == Dialect::Sqlite);
            if let Some(key) = inline {
                sql.push(" constraint ").ident(&key.name);
                tables::references(&mut sql, key);
            }
            if let Some(key) = foreign_key.as_ref().filter(|_| dialect != Dialect::Sqlite) {
                return vec![sql, tables::add_foreign_key(table, key, dialect)];
            }
        }
        Operation::DropColumn { table, column } => {
            sql.push("alter table ")
                .ident(table)
                .push(" drop column ")
                .ident(&column.name);
        }
        Operation::RenameColumn { table, from, to } => {
            sql.push("alter table ")
                .ident(table)
                .push(" rename column ")
                .ident(from);
            sql.push(" to ").ident(to);
        }
        Operation::CreateIndex { table, index } => create_index(&mut sql, table, index),
        Operation::DropIndex { table, index } => {
            sql.push("drop index ").ident(&index.name);
            match dialect {
                Dialect::Sqlite | Dialect::Postgres => {}
                Dialect::MySql | Dialect::MariaDb => {
                    sql.push(" on ").ident(table);
                }
            }
        }
    }
    vec![sql]
}

fn create_index(sql: &mut Sql, table: &Ident, index: &Index) {
    sql.push(if index.unique {
        "create unique index "
    } else {
        "create index "
    });
    sql.ident(&index.name).push(" on ").ident(table).push(" (");
    for (place, (column, descending)) in index.columns.iter().enumerate() {
        if place > 0 {
            sql.push(", ");
        }
        sql.ident(column);
        if *descending {
            sql.push(" desc");
        }
    }
    sql.push(")");
}

/// A CHECK's or DEFAULT's expression.
fn expression(sql: &mut Sql, expr: &lang::Expr) {
    ddl_expression(sql, expr);
}
