//! Deleting: filters, the rule, and what is shown.

use sql::{Dialect, Expect, Sql, Step};

use super::super::wanted::Wanted;
use super::shown::Shown;
use super::{Done, WritePlan, Writer};
use crate::RestError;

impl Writer<'_, '_> {
    pub(super) fn delete(&self) -> Result<WritePlan, RestError> {
        if !self.target.access.delete {
            return Err(self.denied());
        }
        self.require_filters()?;
        let using = &self.target.access.delete_using;
        let mut unit = Vec::new();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("delete from ").ident(&self.table().name);
        self.wheres(&mut sql, using)?;
        let expect = self.expected();
        let plain = match self.representation() {
            true => Some(self.plain()?),
            false => None,
        };
        let shown = match plain {
            None => {
                unit.push(Step::new(sql).expecting(expect));
                Shown::Nothing
            }
            Some(Some(columns)) if self.context.dialect.delete_returning() => {
                let (kinds, shown) = self.returned(&mut sql, &columns, 0);
                unit.push(Step::new(sql).returning(kinds).expecting(expect));
                shown
            }
            Some(_) => {
                let shown = self.read_steps(&mut unit, Wanted::Changeable(using, self.key))?;
                // Nobody may change the rows between the two.
                let locks = match self.context.dialect {
                    Dialect::MySql | Dialect::MariaDb => true,
                    Dialect::Sqlite | Dialect::Postgres => false,
                };
                if let (true, Some(first)) = (locks, unit.first_mut()) {
                    first.sql.push(" for update");
                }
                unit.push(Step::new(sql).expecting(expect));
                shown
            }
        };
        let step = unit.len() - 1;
        let by_key = self.key.is_some();
        Ok(self.write_of(unit, Done::Changed { step, by_key }, shown, &[]))
    }

    /// How many rows may be changed.
    pub(super) fn expected(&self) -> Expect {
        match (self.is_single(), self.prefer.max_affected) {
            (true, _) => Expect::Rows(1),
            (false, Some(most)) => Expect::AtMost(most),
            (false, None) => Expect::Anything,
        }
    }
}
