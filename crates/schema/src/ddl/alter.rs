//! `ALTER TABLE` of columns and constraints, on engines that have it.

use sql::{Dialect, Ident, Sql};

use super::columns::{self, Define};
use super::{expression, tables};
use crate::diff::default_text;
use crate::{Catalog, Column, ColumnDefault, Constraint};

fn alter(table: &Ident, dialect: Dialect) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.push("alter table ").ident(table).push(" ");
    sql
}

/// Another type, default, or nullability.
pub(super) fn column(
    table: &Ident,
    before: &Column,
    after: &Column,
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<Sql> {
    match dialect {
        // Made anew, see `rebuild`.
        Dialect::Sqlite => Vec::new(),
        Dialect::MySql | Dialect::MariaDb => {
            modify(table, after, catalog, dialect).into_iter().collect()
        }
        Dialect::Postgres => postgres_column(table, before, after, catalog),
    }
}

/// The declared type and default for a column whose engine's type is another.
pub(super) fn convert(
    table: &Ident,
    column: &Column,
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<Sql> {
    if dialect != Dialect::Postgres {
        return modify(table, column, catalog, dialect)
            .into_iter()
            .collect();
    }
    let Some(owner) = catalog.table(table.as_str()) else {
        return Vec::new();
    };
    let start = || {
        let mut sql = alter(table, Dialect::Postgres);
        sql.push("alter column ").ident(&column.name).push(" ");
        sql
    };
    let mut drop_default = start();
    drop_default.push("drop default");
    let mut retype = start();
    retype.push("type ");
    columns::write_type(&mut retype, column, owner);
    retype.push(" using ").ident(&column.name).push("::");
    columns::write_type(&mut retype, column, owner);
    let mut all = match column.identity {
        true => vec![],
        false => vec![drop_default, retype],
    };
    if let Some(ColumnDefault::Engine(expr)) = &column.default {
        let mut sql = start();
        sql.push("set default ");
        expression(&mut sql, expr);
        all.push(sql);
    }
    all
}

fn postgres_column(table: &Ident, before: &Column, after: &Column, catalog: &Catalog) -> Vec<Sql> {
    let start = || {
        let mut sql = alter(table, Dialect::Postgres);
        sql.push("alter column ").ident(&after.name).push(" ");
        sql
    };
    let mut all = Vec::new();
    let retyped = before.ty != after.ty;
    let redefault = retyped || default_text(before) != default_text(after);
    let has_default = |column: &Column| matches!(column.default, Some(ColumnDefault::Engine(_)));
    if redefault && has_default(before) {
        // A default of the old type need not have one of the new.
        let mut sql = start();
        sql.push("drop default");
        all.push(sql);
    }
    if let (true, Some(owner)) = (retyped, catalog.table(table.as_str())) {
        let mut sql = start();
        sql.push("type ");
        columns::write_type(&mut sql, after, owner);
        sql.push(" using ").ident(&after.name).push("::");
        columns::write_type(&mut sql, after, owner);
        all.push(sql);
    }
    if let (true, Some(ColumnDefault::Engine(expr))) = (redefault, &after.default) {
        let mut sql = start();
        sql.push("set default ");
        expression(&mut sql, expr);
        all.push(sql);
    }
    if before.nullable != after.nullable {
        let mut sql = start();
        sql.push(if after.nullable {
            "drop not null"
        } else {
            "set not null"
        });
        all.push(sql);
    }
    all
}

/// The whole definition again, as MySQL and MariaDB want it.
fn modify(table: &Ident, column: &Column, catalog: &Catalog, dialect: Dialect) -> Option<Sql> {
    let owner = catalog.table(table.as_str())?;
    let mut sql = alter(table, dialect);
    sql.push("modify column ");
    columns::define(&mut sql, column, owner, Define::InTableThatExists);
    Some(sql)
}

/// On MySQL and MariaDB a text that comes into a key, or leaves all keys, has another type.
pub(super) fn retype(
    table: &Ident,
    names: &[Ident],
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<Sql> {
    if matches!(dialect, Dialect::Sqlite | Dialect::Postgres) {
        return Vec::new();
    }
    let owner = catalog.table(table.as_str());
    let texts = owner.into_iter().flat_map(|owner| &owner.columns);
    texts
        .filter(|column| column.ty == lang::Type::Text && names.contains(&column.name))
        .filter_map(|column| modify(table, column, catalog, dialect))
        .collect()
}

/// Another name for a column. MySQL renames none that a CHECK reads, so those go and come again.
pub(super) fn rename_column(
    table: &Ident,
    from: &Ident,
    to: &Ident,
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<Sql> {
    let mut rename = alter(table, dialect);
    rename
        .push("rename column ")
        .ident(from)
        .push(" to ")
        .ident(to);
    let owner = catalog.table(table.as_str());
    let checks: Vec<Constraint> = owner
        .filter(|_| dialect == Dialect::MySql)
        .into_iter()
        .flat_map(|owner| &owner.checks)
        .filter(|check| check.expr.row_columns().contains(to))
        .cloned()
        .map(Constraint::Check)
        .collect();
    let mut all = Vec::new();
    for check in &checks {
        all.extend(drop(table, check, catalog, dialect));
    }
    all.push(rename);
    for check in &checks {
        all.extend(add(table, check, catalog, dialect));
    }
    all
}

/// A constraint for a table that exists.
pub(super) fn add(
    table: &Ident,
    constraint: &Constraint,
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<Sql> {
    let mut all = retype(table, constraint.key_columns(), catalog, dialect);
    let mut sql = alter(table, dialect);
    sql.push("add constraint ").ident(constraint.name());
    match constraint {
        Constraint::PrimaryKey(key) => {
            sql.push(" primary key (").idents(&key.columns).push(")");
        }
        Constraint::Unique(unique) => {
            sql.push(" unique (").idents(&unique.columns).push(")");
        }
        Constraint::Check(check) => {
            sql.push(" check (");
            expression(&mut sql, &check.expr);
            sql.push(")");
        }
        Constraint::ForeignKey(key) => {
            sql.push(" foreign key (").idents(&key.columns).push(")");
            tables::references(&mut sql, key);
        }
    }
    all.push(sql);
    all
}

/// A constraint that goes.
pub(super) fn drop(
    table: &Ident,
    constraint: &Constraint,
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<Sql> {
    let mut sql = alter(table, dialect);
    let is_mysql = matches!(dialect, Dialect::MySql | Dialect::MariaDb);
    match (constraint, is_mysql) {
        (Constraint::PrimaryKey(_), true) => sql.push("drop primary key"),
        (Constraint::Unique(unique), true) => sql.push("drop index ").ident(&unique.name),
        (Constraint::ForeignKey(key), true) => sql.push("drop foreign key ").ident(&key.name),
        (Constraint::Check(_), true) | (_, false) => {
            sql.push("drop constraint ").ident(constraint.name())
        }
    };
    let mut all = vec![sql];
    all.extend(retype(table, constraint.key_columns(), catalog, dialect));
    all
}
