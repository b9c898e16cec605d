//! `hooks/<event>.sql`: SQL that runs when something happens to an account.

mod claims;
mod compile;
mod event;

use lang::CheckedStatement;
use sql::{Dialect, Sql, Step, Value};
use uuid::Uuid;

use super::run::{rendered, write_steps};
use crate::Moment;
use crate::access::RequestEnvironment;

pub use claims::{ClaimsError, ClaimsQuery};
pub use event::{Event, Happened, MessageError, Occurrence, Person};

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the event's own transaction: what fails undoes the event.
    Transaction,
    /// After it, from the outbox, again and again until it has worked.
    Outbox,
}

/// A compiled hook file.
pub struct Hook {
    /// What it runs on.
    pub event: Event,
    /// When.
    pub mode: Mode,
    statements: Vec<CheckedStatement>,
    dialect: Dialect,
}

/// All compiled hook files of a project: at most one for each event.
#[derive(Default)]
pub struct Hooks(Vec<Hook>);

impl Hooks {
    /// The hook of that event.
    #[must_use]
    pub fn of(&self, event: Event) -> Option<&Hook> {
        self.0.iter().find(|hook| hook.event == event)
    }

    /// All of them, in the order of [`Event::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = &Hook> {
        self.0.iter()
    }

    /// The statements as they would run, each with its file, for the engine to compile.
    #[must_use]
    pub fn statements_to_prepare(&self) -> Vec<(String, Sql)> {
        self.0.iter().flat_map(Hook::samples).collect()
    }
}

impl Mode {
    /// Its name in a header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Outbox => "outbox",
        }
    }
}

impl Hook {
    /// The hook's steps, to be added to a unit. No table's rules apply: the file is the
    /// operator's own. `delivery` is the same whenever the same event is delivered again.
    #[must_use]
    pub fn steps(&self, told: &Occurrence, delivery: Uuid, moment: Moment<'_>) -> Vec<Step> {
        let values = parameters(told, delivery);
        let environment = RequestEnvironment::new(None, moment, None, &values);
        self.writes(&environment)
    }

    /// The question that `before_token` asks; `None` for every other event.
    #[must_use]
    pub fn claims(&self, told: &Occurrence, moment: Moment<'_>) -> Option<ClaimsQuery> {
        let [CheckedStatement::Query(query)] = self.statements.as_slice() else {
            return None;
        };
        let values = parameters(told, told.id);
        let environment = RequestEnvironment::new(None, moment, None, &values);
        let (sql, kinds) = rendered(query, self.dialect, &environment);
        Some(ClaimsQuery::new(sql, kinds, &query.projection))
    }

    fn writes(&self, environment: &RequestEnvironment<'_>) -> Vec<Step> {
        let mut unit = Vec::new();
        for statement in &self.statements {
            if let CheckedStatement::Write(write) = statement {
                write_steps(&mut unit, write, None, self.dialect, environment);
            }
        }
        unit
    }

    fn samples(&self) -> Vec<(String, Sql)> {
        let (clock, rng) = (
            stdx::Clock::manual(jiff::Timestamp::UNIX_EPOCH),
            stdx::Rng::seeded(0),
        );
        let moment = Moment {
            now: jiff::Timestamp::UNIX_EPOCH,
            clock: &clock,
            rng: &rng,
        };
        let values = vec![Value::Null; self.event.values().len() + event::DELIVERY.len()];
        let environment = RequestEnvironment::new(None, moment, None, &values);
        let asked = self
            .statements
            .iter()
            .filter_map(|statement| match statement {
                CheckedStatement::Query(query) => {
                    Some(rendered(query, self.dialect, &environment).0)
                }
                CheckedStatement::Write(_) => None,
            });
        let written = self.writes(&environment).into_iter().map(|step| step.sql);
        asked
            .chain(written)
            .map(|sql| (self.event.path(), sql))
            .collect()
    }
}

/// The values of all parameters, in the order in which the file was compiled.
fn parameters(told: &Occurrence, delivery: Uuid) -> Vec<Value> {
    let mut values = told.values.clone();
    values.push(Value::Timestamp(told.at));
    values.push(Value::Uuid(told.id));
    values.push(Value::Uuid(delivery));
    values
}
