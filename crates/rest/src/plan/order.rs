//! In which order rows come.

use sql::{Dialect, Ident, Sql};

use super::FILE_PLACE;
use super::operand::Operand;
use super::select::{Chosen, Level, Part, Selected};
use crate::request::OrderKey;
use crate::{ErrorKind, RestError};

/// A key by which rows are ordered.
pub(super) struct Key<'l, 'a> {
    pub(super) alias: &'l Ident,
    pub(super) operand: Operand<'a>,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
    pub(super) may_be_null: bool,
}

/// Writes ` order by …`: what was asked for, then the primary key, or all that groups have in
/// common, so that pages never overlap.
pub(super) fn write_order(sql: &mut Sql, level: &Level<'_>) -> Result<(), RestError> {
    let mut next = " order by ";
    for key in keys(level)? {
        sql.push(next);
        next = ", ";
        ordered(sql, &key);
    }
    if level.is_grouped() {
        for (alias, operand) in groups(level) {
            sql.push(next);
            next = ", ";
            operand.write(sql, alias);
        }
    } else if level.target.file.is_some_and(|file| !file.query.distinct) {
        sql.push(next).column(&level.alias, &FILE_PLACE);
    }
    Ok(())
}

/// What was asked for and, but for groups and results of files, the primary key behind it.
pub(super) fn keys<'l, 'a>(level: &'l Level<'a>) -> Result<Vec<Key<'l, 'a>>, RestError> {
    let is_grouped = level.is_grouped();
    let mut keys = Vec::with_capacity(level.scope.order.len() + 1);
    for key in &level.scope.order {
        let (alias, operand) = operand(level, key)?;
        if is_grouped && !groups(level).any(|(of, group)| of == alias && group.is(&operand)) {
            let name = &operand.column.name;
            return Err(
                RestError::query(format!("{name} is not what the rows are grouped by"))
                    .hint("order by a selected column"),
            );
        }
        keys.push(Key {
            alias,
            may_be_null: operand.is_nullable() || key.related.is_some(),
            operand,
            descending: key.descending,
            nulls_first: key.nulls_first.unwrap_or(key.descending),
        });
    }
    if is_grouped {
        return Ok(keys);
    }
    let is_said = |column: &Ident| {
        let names = |key: &OrderKey| {
            key.related.is_none() && key.field.is_plain() && *column == *key.field.name.as_str()
        };
        level.scope.order.iter().any(names)
    };
    let table = level.target.table;
    let primary = table.primary_key.as_ref();
    for name in primary.map_or(&[][..], |key| &key.columns) {
        if let Some(column) = table.column(name.as_str()).filter(|_| !is_said(name)) {
            keys.push(Key {
                alias: &level.alias,
                operand: Operand::whole(column),
                descending: false,
                nulls_first: false,
                may_be_null: false,
            });
        }
    }
    Ok(keys)
}

/// What a key names: a column of the relation, or of one that is joined to it.
fn operand<'l, 'a>(
    level: &'l Level<'a>,
    key: &OrderKey,
) -> Result<(&'l Ident, Operand<'a>), RestError> {
    let Some(name) = &key.related else {
        return Ok((&level.alias, Operand::resolve(level.target, &key.field)?));
    };
    let Some(embed) = level.embed(name) else {
        let message = format!("the rows are ordered by {name}, which is not in select");
        return Err(RestError::new(ErrorKind::BadRequest, "PGRST108", message)
            .hint(format!("add {name}() to select")));
    };
    if !embed.way.to_one {
        let message = format!(
            "{name} has many rows for each of {}",
            level.target.table.name
        );
        return Err(RestError::new(ErrorKind::BadRequest, "PGRST118", message)
            .hint("order by a relation that has one row"));
    }
    let operand = Operand::resolve(embed.level.target, &key.field)?;
    Ok((&embed.level.alias, operand))
}

/// One key; where nulls go is said only where they can be and the engine would put them
/// elsewhere, so that indexes still serve the order.
fn ordered(sql: &mut Sql, key: &Key<'_, '_>) {
    let engine_puts_first = match sql.dialect() {
        Dialect::Postgres => key.descending,
        Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => !key.descending,
    };
    let say = key.may_be_null && key.nulls_first != engine_puts_first;
    if say && !sql.dialect().null_ordering() {
        sql.push("(");
        key.operand.write(sql, key.alias);
        sql.push(if key.nulls_first {
            " is not null), "
        } else {
            " is null), "
        });
    }
    key.operand.write(sql, key.alias);
    sql.push(if key.descending { " desc" } else { " asc" });
    if say && sql.dialect().null_ordering() {
        sql.push(if key.nulls_first {
            " nulls first"
        } else {
            " nulls last"
        });
    }
}

/// What the rows of a grouped relation have in common.
fn groups<'l, 'a>(
    level: &'l Level<'a>,
) -> Box<dyn Iterator<Item = (&'l Ident, &'l Operand<'a>)> + 'l> {
    let own = level.parts.iter().filter_map(|part| match part {
        Part::Value(Chosen {
            value: Selected::Plain(operand),
            ..
        }) => Some((&level.alias, operand)),
        Part::Value(_) | Part::Embed(_) => None,
    });
    Box::new(own.chain(level.joined().flat_map(|embed| groups(&embed.level))))
}
