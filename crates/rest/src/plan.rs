//! Plans: statements that are ready to run, and what becomes of their answers.

mod aggregate;
pub(crate) mod body;
mod columns;
mod cursor;
mod explain;
mod explanation;
pub(crate) mod facts;
pub(crate) mod filter;
mod form;
mod nest;
pub(crate) mod operand;
mod order;
mod probe;
mod read;
mod select;
mod statement;
mod wanted;
mod write;

pub use explain::Explained;
pub use nest::{Nested, NestedRows};
pub use probe::{AppliedPolicy, NeededGrant, Probe, RequestRules};
pub use read::{ReadPart, ReadPlan};
pub use write::WritePlan;

pub(crate) use body::{is_filled as filter_is_filled, without_brackets};
pub(crate) use explain::TableErrors;
pub(crate) use form::{Answer, Form};
pub(crate) use nest::split;
pub(crate) use read::plan_read;
pub(crate) use wanted::Wanted;
pub(crate) use write::{Done, Shown, missing_row, plan_shown, plan_write, with_checked_columns};

use schema::{Catalog, Table, View};

use self::facts::Facts;
use crate::access::{Access, TableAccess};
use crate::{Caller, Limits, Moment};

/// A request that was understood and is allowed.
pub enum Plan {
    /// It reads.
    Read(ReadPlan),
    /// It writes.
    Write(WritePlan),
}

/// What planning needs to know besides the request.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) access: &'a Access,
    pub(crate) caller: &'a Caller,
    pub(crate) moment: Moment<'a>,
    pub(crate) dialect: sql::Dialect,
    pub(crate) limits: &'a Limits,
    /// Whether the engine applies policies of its own, too.
    pub(crate) is_native: bool,
    /// Where it is taken down what is bound, if somebody wants to know.
    pub(crate) facts: Option<&'a Facts>,
}

/// A table or view with what the caller may do with it.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The table, or the view's name and columns.
    pub(crate) table: &'a Table,
    /// The view, where it is one.
    pub(crate) view: Option<&'a View>,
    /// The SQL file, where the rows are its result.
    pub(crate) file: Option<FileRows<'a>>,
    pub(crate) access: &'a TableAccess,
}

/// The rows that an SQL file's query gives.
#[derive(Clone, Copy)]
pub(crate) struct FileRows<'a> {
    pub(crate) query: &'a lang::Query,
    pub(crate) parameters: &'a [sql::Value],
    /// The tables' rules do not apply.
    pub(crate) definer: bool,
}

/// The number of a row in its file's own order.
pub(crate) const FILE_PLACE: sql::Ident = sql::Ident::of("file_place");

impl<'a> Context<'a> {
    /// The table or view of that name, if it exists for the caller.
    pub(crate) fn target(&self, name: &str) -> Option<Target<'a>> {
        let (table, view) = match self.catalog.table(name) {
            Some(table) => (table, None),
            None => {
                let view = self.catalog.view(name)?;
                (&view.relation, Some(view))
            }
        };
        let access = self
            .access
            .table(name)
            .filter(|access| access.is_visible())?;
        Some(Target {
            table,
            view,
            file: None,
            access,
        })
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.caller.user.is_none()
    }
}
