//! In which order rows come.

use sql::{Dialect, Ident, Sql};

use super::FILE_PLACE;
use super::columns::Group;
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
}

impl Key<'_, '_> {
    /// Writes what is compared: as the engine orders it, so that an index serves. MariaDB orders
    /// ids of version 7 by their time and those of versions 1 to 5 by their last digits first
    /// (manual, "UUID Data Type").
    pub(super) fn write(&self, sql: &mut Sql) {
        self.operand.write(sql, self.alias);
    }

    /// Whether it can be null; what is joined can be where nothing is.
    pub(super) fn may_be_null(&self, level: &Level<'_>) -> bool {
        self.operand.is_nullable() || *self.alias != level.alias
    }
}

/// Writes ` order by …`: what was asked for, then the primary key, or all that groups have in
/// common, so that pages never overlap.
pub(super) fn write_order(sql: &mut Sql, level: &Level<'_>) -> Result<(), RestError> {
    let mut next = " order by ";
    let is_grouped = level.is_grouped();
    for key in keys(level)? {
        sql.push(next);
        next = ", ";
        let may_be_null = key.may_be_null(level);
        let write = |sql: &mut Sql| match is_grouped {
            true => key.operand.write_common(sql, key.alias),
            false => key.write(sql),
        };
        ordered(sql, write, key.descending, key.nulls_first, may_be_null);
    }
    if is_grouped {
        for group in groups(level, true) {
            sql.push(next);
            next = ", ";
            match group {
                Group::Operand(operand, alias) => {
                    let may_be_null = operand.is_nullable() || *alias != level.alias;
                    let write = |sql: &mut Sql| operand.write_common(sql, alias);
                    ordered(sql, write, false, false, may_be_null);
                }
                Group::Column(alias, column) => {
                    let write = |sql: &mut Sql| {
                        sql.column(&alias, &column);
                    };
                    ordered(sql, write, false, false, true);
                }
            }
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
        operand.require_order()?;
        let is_group = |group: Group<'_, '_>| match group {
            Group::Operand(group, of) => of == alias && group.is(&operand),
            Group::Column(..) => false,
        };
        if is_grouped && !groups(level, true).any(is_group) {
            let name = &operand.column.name;
            return Err(
                RestError::query(format!("{name} is not what the rows are grouped by"))
                    .hint("order by a selected column"),
            );
        }
        keys.push(Key {
            alias,
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
fn ordered(
    sql: &mut Sql,
    write: impl Fn(&mut Sql),
    descending: bool,
    nulls_first: bool,
    may_be_null: bool,
) {
    let engine_puts_first = match sql.dialect() {
        Dialect::Postgres => descending,
        Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => !descending,
    };
    let say = may_be_null && nulls_first != engine_puts_first;
    if say && !sql.dialect().null_ordering() {
        sql.push("(");
        write(sql);
        sql.push(if nulls_first {
            " is not null), "
        } else {
            " is null), "
        });
    }
    write(sql);
    sql.push(if descending { " desc" } else { " asc" });
    if say && sql.dialect().null_ordering() {
        sql.push(if nulls_first {
            " nulls first"
        } else {
            " nulls last"
        });
    }
}

/// What the rows of a grouped relation have in common. `always`: the relation has a row in every
/// row of the statement.
fn groups<'l, 'a>(
    level: &'l Level<'a>,
    always: bool,
) -> Box<dyn Iterator<Item = Group<'l, 'a>> + 'l> {
    let own = level.parts.iter().filter_map(|part| match part {
        Part::Value(Chosen {
            value: Selected::Plain(operand),
            ..
        }) => Some(Group::Operand(operand, &level.alias)),
        Part::Value(_) | Part::Embed(_) => None,
    });
    Box::new(own.chain(level.joined().flat_map(move |embed| {
        let always = always && embed.inner;
        let is_shown = !embed.spread && !embed.level.parts.is_empty();
        let tie = || Group::Column(embed.level.alias.clone(), embed.way.pairs[0].1.clone());
        let marker = (is_shown && !always).then(tie);
        marker.into_iter().chain(groups(&embed.level, always))
    })))
}
