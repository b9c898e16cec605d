//! In which order rows come.

use sql::{Dialect, Ident, Sql};

use super::FILE_PLACE;
use super::operand::Operand;
use super::select::{Chosen, Level, Part, Selected};
use crate::request::OrderKey;
use crate::{ErrorKind, RestError};

/// Writes ` order by …`: what was asked for, then the primary key, or all that groups have in
/// common, so that pages never overlap.
pub(super) fn write_order(sql: &mut Sql, level: &Level<'_>) -> Result<(), RestError> {
    let mut next = " order by ";
    let is_grouped = level.is_grouped();
    for key in &level.scope.order {
        let (alias, operand) = operand(level, key)?;
        if is_grouped && !groups(level).any(|(of, group)| of == alias && group.is(&operand)) {
            let name = &operand.column.name;
            return Err(
                RestError::query(format!("{name} is not what the rows are grouped by"))
                    .hint("order by a selected column"),
            );
        }
        sql.push(next);
        next = ", ";
        ordered(sql, alias, &operand, key);
    }
    if is_grouped {
        for (alias, operand) in groups(level) {
            sql.push(next);
            next = ", ";
            operand.write(sql, alias);
        }
        return Ok(());
    }
    if level.target.file.is_some_and(|file| !file.query.distinct) {
        sql.push(next).column(&level.alias, &FILE_PLACE);
        return Ok(());
    }
    let keys = &level.scope.order;
    let is_said = |column: &Ident| {
        let names = |key: &OrderKey| {
            key.related.is_none() && key.field.is_plain() && *column == *key.field.name.as_str()
        };
        keys.iter().any(names)
    };
    let primary = level.target.table.primary_key.as_ref();
    for column in primary.map_or(&[][..], |key| &key.columns) {
        if !is_said(column) {
            sql.push(next).column(&level.alias, column);
            next = ", ";
        }
    }
    Ok(())
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
fn ordered(sql: &mut Sql, alias: &Ident, operand: &Operand<'_>, key: &OrderKey) {
    let nulls_first = key.nulls_first.unwrap_or(key.descending);
    let engine_puts_first = match sql.dialect() {
        Dialect::Postgres => key.descending,
        Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => !key.descending,
    };
    let may_be_null = operand.is_nullable() || key.related.is_some();
    let say = may_be_null && nulls_first != engine_puts_first;
    if say && !sql.dialect().null_ordering() {
        sql.push("(");
        operand.write(sql, alias);
        sql.push(if nulls_first {
            " is not null), "
        } else {
            " is null), "
        });
    }
    operand.write(sql, alias);
    sql.push(if key.descending { " desc" } else { " asc" });
    if say && sql.dialect().null_ordering() {
        sql.push(if nulls_first {
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
