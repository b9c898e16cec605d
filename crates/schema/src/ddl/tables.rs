//! `CREATE TABLE` with its constraints.

use lang::{ReferentialAction, Type};
use sql::{Dialect, Ident, Sql};

use super::{columns, expression};
use crate::{ForeignKey, Table};

/// Writes the whole statement; the foreign keys named in `later` are left to [`add_foreign_key`]
/// on engines that want their target to exist.
pub(super) fn create(sql: &mut Sql, table: &Table, later: &[Ident]) {
    sql.push("create table ").ident(&table.name).push(" (");
    for (place, column) in table.columns.iter().enumerate() {
        if place > 0 {
            sql.push(", ");
        }
        columns::define(sql, column, table, columns::Define::InNewTable);
    }
    let own_numbering = sql.dialect() == Dialect::Sqlite && is_row_id(table);
    if let Some(key) = &table.primary_key {
        if own_numbering {
            // Numbers of deleted rows are not given again.
            sql.push(", constraint ")
                .ident(&key.name)
                .push(" primary key (")
                .idents(&key.columns);
            sql.push(" autoincrement)");
        } else {
            sql.push(", constraint ")
                .ident(&key.name)
                .push(" primary key (")
                .idents(&key.columns);
            sql.push(")");
        }
    }
    for unique in &table.uniques {
        sql.push(", constraint ")
            .ident(&unique.name)
            .push(" unique (")
            .idents(&unique.columns);
        sql.push(")");
    }
    for check in &table.checks {
        sql.push(", constraint ")
            .ident(&check.name)
            .push(" check (");
        expression(sql, &check.expr);
        sql.push(")");
    }
    if sql.dialect() == Dialect::Sqlite {
        for column in table
            .columns
            .iter()
            .filter(|column| column.ty == Type::Boolean)
        {
            sql.push(", check (")
                .ident(&column.name)
                .push(" in (0, 1))");
        }
    }
    let all = sql.dialect() == Dialect::Sqlite;
    for key in table
        .foreign_keys
        .iter()
        .filter(|key| all || !later.contains(&key.name))
    {
        sql.push(", constraint ")
            .ident(&key.name)
            .push(" foreign key (")
            .idents(&key.columns);
        sql.push(")");
        references(sql, key);
    }
    sql.push(match sql.dialect() {
        Dialect::Sqlite => ") strict",
        Dialect::Postgres => ")",
        Dialect::MariaDb => ") engine=InnoDB character set utf8mb4 collate utf8mb4_nopad_bin",
        Dialect::MySql => ") engine=InnoDB character set utf8mb4 collate utf8mb4_0900_bin",
    });
}

pub(super) fn is_row_id(table: &Table) -> bool {
    match &table.primary_key {
        Some(key) => match key.columns.as_slice() {
            [only] => table
                .column(only.as_str())
                .is_some_and(|column| column.identity),
            _ => false,
        },
        None => false,
    }
}

/// ` references target (columns) on …`
pub(super) fn references(sql: &mut Sql, key: &ForeignKey) {
    sql.push(" references ")
        .ident(&key.target)
        .push(" (")
        .idents(&key.target_columns)
        .push(")");
    sql.push(match key.on_delete {
        ReferentialAction::NoAction => "",
        ReferentialAction::Restrict => " on delete restrict",
        ReferentialAction::Cascade => " on delete cascade",
        ReferentialAction::SetNull => " on delete set null",
        ReferentialAction::SetDefault => " on delete set default",
    });
    sql.push(match key.on_update {
        ReferentialAction::NoAction => "",
        ReferentialAction::Restrict => " on update restrict",
        ReferentialAction::Cascade => " on update cascade",
        ReferentialAction::SetNull => " on update set null",
        ReferentialAction::SetDefault => " on update set default",
    });
}

/// A foreign key of a table that exists.
pub(crate) fn add_foreign_key(table: &Ident, key: &ForeignKey, dialect: Dialect) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.push("alter table ")
        .ident(table)
        .push(" add constraint ")
        .ident(&key.name);
    sql.push(" foreign key (").idents(&key.columns).push(")");
    references(&mut sql, key);
    sql
}
