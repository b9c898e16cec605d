//! The list of a `select`: what it selects, and how the rows are read.

use sql::{Ident, Kind, Sql};

use super::operand::Operand;
use super::select::{Chosen, Embed, Level, Selected};
use super::{Target, aggregate};
use crate::json::{Field, member_key};

/// What a column decodes to.
pub(super) fn kind_of(target: Target<'_>, column: &Ident) -> Kind {
    let column = target.table.column(column.as_str());
    column.map_or(Kind::Text, |column| column.ty.kind())
}

/// By what the rows of a grouped statement are grouped.
pub(super) enum Group<'x, 'a> {
    Operand(&'x Operand<'a>, &'x Ident),
    Column(Ident, Ident),
}

pub(super) fn group_by(sql: &mut Sql, groups: &[Group<'_, '_>], level: &Level<'_>) {
    if !level.is_grouped() {
        return;
    }
    for (place, group) in groups.iter().enumerate() {
        sql.push(if place == 0 { " group by " } else { ", " });
        match group {
            Group::Operand(operand, alias) => operand.write(sql, alias),
            Group::Column(alias, column) => {
                sql.column(alias, column);
            }
        }
    }
}

/// The list of a `select`, what its columns decode to, and by what they would be grouped.
pub(super) struct Columns<'x, 'a> {
    sql: Sql,
    kinds: Vec<Kind>,
    /// Whether each column has a name, to be selected by a statement around this one.
    named: bool,
    groups: Vec<Group<'x, 'a>>,
    /// Whether the statement has groups.
    grouped: bool,
    /// Columns that are null only where their relation has no row.
    certain: Vec<(&'x Ident, usize)>,
}

impl<'x, 'a> Columns<'x, 'a> {
    /// Of the statement whose rows are those of `level`.
    pub(super) fn new(sql: Sql, level: &Level<'_>, named: bool) -> Self {
        Self {
            sql,
            kinds: Vec::new(),
            named,
            groups: Vec::new(),
            grouped: level.is_grouped(),
            certain: Vec::new(),
        }
    }

    /// The statement so far, the kinds of its columns, and its groups. A statement has a column.
    pub(super) fn finish(mut self) -> (Sql, Vec<Kind>, Vec<Group<'x, 'a>>) {
        if self.kinds.is_empty() {
            self.add(Kind::Integer, |sql| {
                sql.push("1");
            });
        }
        (self.sql, self.kinds, self.groups)
    }

    pub(super) fn add(&mut self, kind: Kind, write: impl FnOnce(&mut Sql)) -> usize {
        if !self.kinds.is_empty() {
            self.sql.push(", ");
        }
        write(&mut self.sql);
        let place = self.kinds.len();
        if self.named {
            self.sql.push(" as c").number(place as u64);
        }
        self.kinds.push(kind);
        place
    }

    /// A column that is needed, whether it is shown or not.
    pub(super) fn column(&mut self, alias: &Ident, column: &Ident, kind: Kind) -> usize {
        let group = Group::Column(alias.clone(), column.clone());
        self.groups.push(group);
        self.add(kind, |sql| {
            sql.column(alias, column);
        })
    }

    pub(super) fn value(&mut self, chosen: &'x Chosen<'a>, alias: &'x Ident) -> Field {
        let (index, kind) = match &chosen.value {
            Selected::Plain(operand) => {
                let kind = operand.kind();
                let is_common = self.grouped && !operand.is_column();
                let index = self.add(kind, |sql| match is_common {
                    true => operand.write_common(sql, alias),
                    false => operand.write(sql, alias),
                });
                self.groups.push(Group::Operand(operand, alias));
                if !operand.is_nullable() {
                    self.certain.push((alias, index));
                }
                (index, kind)
            }
            Selected::Aggregate(function, operand) => {
                let (function, operand) = (*function, operand.as_ref());
                let kind = aggregate::kind(function, operand);
                let write = |sql: &mut Sql| aggregate::write(sql, alias, function, operand);
                (self.add(kind, write), kind)
            }
        };
        Field::Column {
            key: member_key(&chosen.key),
            index,
            kind,
            cast: chosen.cast().map(Box::new),
            is_rounded: chosen.is_rounded(),
        }
    }

    /// The member of a joined relation: null where a column is that never is in a row of it; in
    /// groups always that which ties it, by which they are ordered.
    pub(super) fn joined(
        &mut self,
        embed: &'x Embed<'a>,
        always: bool,
        fields: Vec<Field>,
    ) -> Field {
        let alias = &embed.level.alias;
        let mut certain = self.certain.iter();
        let certain = certain.find(|(of, _)| *of == alias && !self.grouped);
        let marker = match (always, certain) {
            (true, _) => None,
            (false, Some((_, index))) => Some(*index),
            (false, None) => {
                let tie = &embed.way.pairs[0].1;
                Some(self.column(alias, tie, kind_of(embed.level.target, tie)))
            }
        };
        Field::One {
            key: member_key(embed.key),
            marker,
            fields,
        }
    }
}
