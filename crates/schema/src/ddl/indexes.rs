//! Indexes: over columns and expressions, whole and partial.
//!
//! MySQL has no partial ones and MariaDB neither those nor expressions. What only makes a search
//! faster is made without its condition there; what keeps two rows from being alike is made with
//! keys that are null where the condition does not hold, because nulls are not alike.

use lang::Type;
use sql::{Dialect, Ident, Sql};

use super::{alter, columns, expression};
use crate::words;
use crate::{Catalog, Column, ForeignKey, Index, IndexKey, IndexTarget, Table};

pub(super) fn create(
    table: &Ident,
    index: &Index,
    catalog: &Catalog,
    dialect: Dialect,
) -> Vec<Sql> {
    if let Some(words) = index.words() {
        let owner = catalog.table(table.as_str());
        return owner.map_or_else(Vec::new, |owner| {
            words::create(owner, index, words, dialect)
        });
    }
    let mut all = alter::retype(table, &index.columns(), catalog, dialect);
    match dialect {
        Dialect::Sqlite | Dialect::Postgres | Dialect::MySql => {
            all.push(plain(table, index, dialect));
        }
        Dialect::MariaDb => {
            let mut names = Vec::new();
            for (place, key) in index.keys.iter().enumerate() {
                match &key.target {
                    IndexTarget::Column(name) if !is_conditional(index) => names.push(name.clone()),
                    _ => {
                        let name = helper(index, place);
                        all.extend(add_helper(table, &name, index, key, catalog));
                        names.push(name);
                    }
                }
            }
            let mut sql = begin(table, index, dialect);
            for (place, (name, key)) in names.iter().zip(&index.keys).enumerate() {
                sql.push(if place > 0 { ", " } else { "" }).ident(name);
                sql.push(if key.descending { " desc" } else { "" });
            }
            sql.push(")");
            all.push(sql);
        }
    }
    all
}

pub(super) fn drop(table: &Ident, index: &Index, catalog: &Catalog, dialect: Dialect) -> Vec<Sql> {
    if index.words().is_some() {
        return words::drop(index, dialect);
    }
    let mut sql = Sql::new(dialect);
    sql.push("drop index ").ident(&index.name);
    let is_mysql = matches!(dialect, Dialect::MySql | Dialect::MariaDb);
    let mut all = Vec::new();
    if is_mysql {
        sql.push(" on ").ident(table);
        all.extend(own_indexes(table, index, catalog, dialect));
    }
    all.push(sql);
    if dialect == Dialect::MariaDb {
        for (place, key) in index.keys.iter().enumerate() {
            let is_plain = matches!(key.target, IndexTarget::Column(_));
            if is_conditional(index) || !is_plain {
                let mut sql = Sql::new(dialect);
                sql.push("alter table ").ident(table).push(" drop column ");
                sql.ident(&helper(index, place));
                all.push(sql);
            }
        }
    }
    all.extend(alter::retype(table, &index.columns(), catalog, dialect));
    all
}

/// A condition that matters for more than speed.
fn is_conditional(index: &Index) -> bool {
    index.unique && index.predicate.is_some()
}

fn begin(table: &Ident, index: &Index, dialect: Dialect) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.push(if index.unique {
        "create unique index "
    } else {
        "create index "
    });
    sql.ident(&index.name).push(" on ").ident(table).push(" (");
    sql
}

/// One statement, for engines with expressions in indexes.
pub(super) fn plain(table: &Ident, index: &Index, dialect: Dialect) -> Sql {
    let mut sql = begin(table, index, dialect);
    for (place, key) in index.keys.iter().enumerate() {
        if place > 0 {
            sql.push(", ");
        }
        match (&key.target, dialect) {
            (IndexTarget::Column(name), Dialect::MySql) if is_conditional(index) => {
                sql.push("(");
                when(&mut sql, index, |sql| {
                    sql.ident(name);
                });
                sql.push(")");
            }
            (IndexTarget::Column(name), _) => {
                sql.ident(name);
            }
            (IndexTarget::Expression(expr), Dialect::MySql) => {
                // A key is over no long text.
                let is_text = matches!(expr.ty, Some(Type::Text | Type::Varchar(_)));
                sql.push(if is_text { "(cast(" } else { "(" });
                when(&mut sql, index, |sql| expression(sql, expr));
                sql.push(if is_text { " as char(255)))" } else { ")" });
            }
            // One of words is made by itself.
            (IndexTarget::Words(_), _) => {}
            (IndexTarget::Expression(expr), _) => {
                sql.push("(");
                expression(&mut sql, expr);
                sql.push(")");
            }
        }
        sql.push(if key.descending { " desc" } else { "" });
    }
    sql.push(")");
    if let (Some(predicate), Dialect::Sqlite | Dialect::Postgres) = (&index.predicate, dialect) {
        sql.push(" where ");
        expression(&mut sql, predicate);
    }
    sql
}

/// A key that is null where the index's condition does not hold.
fn when(sql: &mut Sql, index: &Index, key: impl FnOnce(&mut Sql)) {
    match &index.predicate {
        Some(predicate) if index.unique => {
            sql.push("(case when ");
            expression(sql, predicate);
            sql.push(" then ");
            key(sql);
            sql.push(" end)");
        }
        _ => {
            sql.push("(");
            key(sql);
            sql.push(")");
        }
    }
}

/// The name of the column that stands for a key on MariaDB.
fn helper(index: &Index, place: usize) -> Ident {
    let name = format!("{}_{}", index.name, place + 1);
    Ident::new(&name).unwrap_or_else(|_| index.name.clone())
}

/// A column that nobody sees, worked out when it is read, for a key of an index.
fn add_helper(
    table: &Ident,
    name: &Ident,
    index: &Index,
    key: &IndexKey,
    catalog: &Catalog,
) -> Option<Sql> {
    let owner = catalog.table(table.as_str())?;
    let ty = match &key.target {
        IndexTarget::Column(column) => owner.column(column.as_str())?.ty.clone(),
        IndexTarget::Expression(expr) => expr.ty.clone().unwrap_or(Type::Text),
        IndexTarget::Words(_) => return None,
    };
    let ty = match ty {
        Type::Text => Type::Varchar(255),
        other => other,
    };
    let column = Column {
        name: name.clone(),
        ty,
        nullable: true,
        default: None,
        identity: false,
        generated: None,
        comment: None,
        was: None,
        span: owner.span,
    };
    let mut sql = Sql::new(Dialect::MariaDb);
    sql.push("alter table ").ident(table).push(" add column ");
    sql.ident(name).push(" ");
    columns::write_type(&mut sql, &column, owner);
    sql.push(" generated always as ");
    when(&mut sql, index, |sql| match &key.target {
        IndexTarget::Column(column) => {
            sql.ident(column);
        }
        IndexTarget::Expression(expr) => expression(sql, expr),
        IndexTarget::Words(_) => {}
    });
    sql.push(" virtual invisible");
    Some(sql)
}

/// MySQL and MariaDB make an index for each foreign key, named like it, and take it away when
/// another one serves; before that one goes, theirs has to come back.
fn own_indexes(table: &Ident, gone: &Index, catalog: &Catalog, dialect: Dialect) -> Vec<Sql> {
    let Some(owner) = catalog.table(table.as_str()) else {
        return Vec::new();
    };
    let others = searched(owner);
    let rests = |key: &&ForeignKey| {
        let served = |columns: &Vec<Ident>| columns.starts_with(&key.columns);
        served(&leading(gone)) && !others.iter().any(served)
    };
    let create = |key: &ForeignKey| {
        let mut sql = Sql::new(dialect);
        sql.push("create index ").ident(&key.name);
        sql.push(" on ").ident(table).push(" (");
        sql.idents(&key.columns).push(")");
        sql
    };
    owner
        .foreign_keys
        .iter()
        .filter(rests)
        .map(create)
        .collect()
}

/// The columns that an index can be searched by, as far as no expression stands between them.
fn leading(index: &Index) -> Vec<Ident> {
    let column = |key: &IndexKey| match &key.target {
        IndexTarget::Column(name) => Some(name.clone()),
        IndexTarget::Expression(_) | IndexTarget::Words(_) => None,
    };
    index.keys.iter().map_while(column).collect()
}

/// The lists of columns by which a table's keys and indexes find rows.
fn searched(table: &Table) -> Vec<Vec<Ident>> {
    let primary = table.primary_key.iter().map(|key| key.columns.clone());
    let uniques = table.uniques.iter().map(|unique| unique.columns.clone());
    let indexes = table.indexes.iter().map(leading);
    primary.chain(uniques).chain(indexes).collect()
}

/// Whether something else than a foreign key that goes finds its columns. Where nothing does, MySQL
/// and MariaDB have made an index for it, and leave that behind.
pub(super) fn is_served(table: &Ident, columns: &[Ident], catalog: &Catalog) -> bool {
    let Some(owner) = catalog.table(table.as_str()) else {
        return true;
    };
    let keys = owner.foreign_keys.iter().map(|key| key.columns.clone());
    let mut all = searched(owner).into_iter().chain(keys);
    all.any(|other| other.starts_with(columns))
}
