//! Statements as data: what to run, what comes back, what must be true of it.

use std::time::Duration;

use crate::{Kind, Row, Sql};

/// How long a read may keep a thread; SQLite runs short ones on the caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Found by key or bounded to about a page.
    Short,
    /// Anything else.
    Long,
}

/// A statement that reads.
#[derive(Clone, Debug)]
pub struct Query {
    /// The text and its bound values.
    pub sql: Sql,
    /// What each column of a row decodes to.
    pub kinds: Vec<Kind>,
    /// How much work it may be.
    pub weight: Weight,
    /// How long it may take; `None` for as long as any statement
    /// ([`crate::DbOptions::statement_timeout`]).
    pub limit: Option<Duration>,
}

/// What must be true of a step, or the whole unit is rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Anything,
    /// That it touched a row, where the statement cannot touch more than one (an insert of one
    /// row, a change by key): failing leaves nothing to undo.
    One,
    /// That it changed (or, for a `SELECT`, gave) exactly so many rows.
    Rows(u64),
    /// That it changed or gave at most so many rows.
    AtMost(u64),
}

/// One statement of a unit of writing.
///
/// A unit is a `Vec<Step>` that is committed whole or not at all. Because a unit is data and not
/// a conversation, SQLite's writer can put many of them into one durable commit, and a unit that
/// lost a conflict can be run again.
#[derive(Clone, Debug)]
pub struct Step {
    /// The text and its bound values.
    pub sql: Sql,
    /// What each column of a returned row decodes to; empty where nothing is returned.
    pub kinds: Vec<Kind>,
    /// What must be true of it.
    pub expect: Expect,
}

/// What a step did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Rows changed; for a step that returns rows, the rows returned.
    pub affected: u64,
    /// The rows that came back.
    pub rows: Vec<Row>,
}

impl Query {
    /// A read of about one page.
    #[must_use]
    pub fn short(sql: Sql, kinds: Vec<Kind>) -> Self {
        Self {
            sql,
            kinds,
            weight: Weight::Short,
            limit: None,
        }
    }

    /// A read that may take long.
    #[must_use]
    pub fn long(sql: Sql, kinds: Vec<Kind>) -> Self {
        Self {
            sql,
            kinds,
            weight: Weight::Long,
            limit: None,
        }
    }
}

impl Step {
    /// A step that returns no rows and promises nothing.
    #[must_use]
    pub fn new(sql: Sql) -> Self {
        Self {
            sql,
            kinds: Vec::new(),
            expect: Expect::Anything,
        }
    }

    /// The same step, returning rows of these kinds.
    #[must_use]
    pub fn returning(mut self, kinds: Vec<Kind>) -> Self {
        self.kinds = kinds;
        self
    }

    /// The same step, with a condition.
    #[must_use]
    pub fn expecting(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }
}
