//! Which rows of the relation that the URL names.

use lang::Expr;
use sql::{Ident, Sql, Value};

use super::columns::kind_of;
use super::cursor::{read_cursor, require_order, write_behind};
use super::facts::Fact;
use super::order::keys;
use super::statement::Statements;
use crate::RestError;

/// Which rows of the relation that the URL names.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'k> {
    /// A page of those that the filters leave.
    All,
    /// The one with this primary key.
    Key(&'k [Value]),
    /// All with these values in these columns: rows that were written.
    Written(&'k [Ident], &'k [Vec<Value>]),
    /// All that the filters leave, or the one with this key, that this rule lets be changed.
    Changeable(&'k Expr, Option<&'k [Value]>),
}

impl Statements<'_, '_> {
    /// Begins the page behind the row that a cursor names, and lets the last row's place be told.
    pub(super) fn follow(&mut self, cursor: &str) -> Result<(), RestError> {
        let scope = self.root.scope;
        if self.root.is_grouped() || scope.offset.is_some() {
            return Err(
                RestError::query("a cursor goes with neither groups nor offset")
                    .hint("leave one of the two away"),
            );
        }
        let keys = keys(self.root)?;
        require_order(&keys)?;
        self.cursor = Some(match cursor {
            "" => Vec::new(),
            cursor => read_cursor(cursor, &keys)?,
        });
        Ok(())
    }

    /// What is behind `where`, of the relation itself.
    pub(super) fn where_wanted(&self, sql: &mut Sql) {
        sql.push("1 = 1");
        let level = self.root;
        match self.wanted {
            Wanted::All => {}
            Wanted::Key(key) => {
                if let Some(facts) = self.context().facts {
                    let first = sql.args().len();
                    (0..key.len()).for_each(|place| facts.add(first + place, Fact::Key(place)));
                }
                self.has_key(sql, key);
            }
            Wanted::Written(_, []) => {
                sql.push(" and 1 = 0");
            }
            Wanted::Written(columns, rows) => {
                for (place, row) in rows.iter().enumerate() {
                    sql.push(if place == 0 { " and ((" } else { ") or (" });
                    self.equal_values(sql, columns, row);
                }
                sql.push("))");
            }
            Wanted::Changeable(rule, key) => {
                if let Some(key) = key {
                    self.has_key(sql, key);
                }
                self.rule(sql, rule, &level.alias);
            }
        }
    }

    fn has_key(&self, sql: &mut Sql, key: &[Value]) {
        let primary = self.root.target.table.primary_key.as_ref();
        sql.push(" and ");
        self.equal_values(sql, primary.map_or(&[][..], |key| &key.columns), key);
    }

    fn equal_values(&self, sql: &mut Sql, columns: &[Ident], values: &[Value]) {
        let level = self.root;
        for (place, (column, value)) in columns.iter().zip(values).enumerate() {
            sql.push(if place > 0 { " and " } else { "" });
            sql.column(&level.alias, column).push(" = ");
            sql.typed_arg(value.clone(), kind_of(level.target, column));
        }
    }

    /// ` and (…)`: the rows behind the cursor, where there is one.
    pub(super) fn behind_cursor(&self, sql: &mut Sql) -> Result<(), RestError> {
        match self.cursor.as_deref() {
            None | Some([]) => Ok(()),
            Some(values) => {
                write_behind(sql, self.root, &keys(self.root)?, values);
                Ok(())
            }
        }
    }
}
