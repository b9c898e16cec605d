//! Plans to answers: alone, as a unit, or within a transaction that stays open.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use rest::{
    Caller, Explained, Method, Moment, Plan, ReadPlan, Request, RestError, Success, WritePlan,
};
use sql::{Actor, DbError, DbResult, Outcome, RowRef, Tx};

use super::batch;
use super::conditions::{Conditions, etag};
use super::nested;
use super::repeat::Repeat;
use super::respond::unmet;
use super::timing::{Part, Timing};
use crate::app::{Compiled, State};
use crate::error::Refusal;

/// Times that a request is planned and run again after somebody else was faster.
const RETRIES: u32 = 8;

/// One request of one caller.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) state: &'a Arc<State>,
    pub(crate) compiled: &'a Compiled,
    pub(crate) caller: &'a Caller,
    pub(crate) request: &'a Request<'a>,
    /// Where its time goes, if somebody wants to know.
    pub(crate) timing: Option<&'a Timing>,
}

/// Why a request in a transaction failed.
pub(super) enum Failed {
    /// Run the whole transaction again.
    Overtaken(Refusal),
    /// This is the answer.
    Refused(Refusal),
}

impl<'a> Asked<'a> {
    pub(crate) fn moment(&self) -> Moment<'a> {
        Moment {
            now: self.state.clock.now(),
            clock: &self.state.clock,
            rng: &self.state.rng,
        }
    }

    fn over(&self, part: Part) {
        self.timing.iter().for_each(|timing| timing.over(part));
    }

    fn plan(&self) -> Result<Plan, RestError> {
        // What was before it, within a transaction, was the database's.
        self.over(Part::Transaction);
        let api = &self.compiled.api;
        let plan = api.plan(self.request, self.caller, self.moment());
        self.over(Part::Plan);
        plan
    }

    /// As whom its statements run, where the database has roles of its own; an SQL file of a
    /// definer is the server's own.
    async fn actor(self, is_definers: bool) -> Result<Option<Actor>, Refusal> {
        match is_definers {
            true => Ok(None),
            false => self.state.actor(self.compiled, self.caller).await,
        }
    }

    /// Makes a transaction the caller's, or the server's own again, from here on.
    pub(super) async fn enter(self, tx: &mut Tx, is_servers: bool) -> Result<(), Failed> {
        if self.state.native.is_none() {
            return Ok(());
        }
        let actor = self.actor(is_servers).await.map_err(Failed::Refused)?;
        tx.act_as(actor.as_ref()).await.map_err(Failed::of_engine)
    }

    /// Answers the request.
    pub(crate) async fn answer(self) -> Result<Success, Refusal> {
        let planned = match self.plan() {
            Ok(planned) => planned,
            Err(error) => return self.otherwise(error).await,
        };
        match planned {
            Plan::Read(plan) => self.read(plan).await,
            Plan::Write(plan) if plan.reads_later() => Box::pin(Work::Plain(self).transact()).await,
            Plan::Write(plan) => self.write(plan).await,
        }
    }

    /// A body that a table does not take may hold rows of other tables.
    async fn otherwise(self, error: RestError) -> Result<Success, Refusal> {
        match nested::objects(self)? {
            Some(_) => Box::pin(Work::Plain(self).transact()).await,
            None => Err(error.into()),
        }
    }

    async fn read(self, mut plan: ReadPlan) -> Result<Success, Refusal> {
        let db = &self.state.db;
        let actor = self.actor(plan.is_definers()).await?;
        let result = match (&actor, plan.single()) {
            (None, Some((query, sink))) => db.read(query, sink).await,
            (None, None) => db.read_all(&mut plan.parts()).await,
            (Some(actor), Some((query, sink))) => db.read_as(actor, query, sink).await,
            (Some(actor), None) => db.read_all_as(actor, &mut plan.parts()).await,
        };
        if let Err(error) = result {
            let refused = plan.refusal(&error).or_else(|| self.slow(&error));
            let refused = refused.map(Refusal::from);
            return Err(refused.unwrap_or_else(|| failed(&error)));
        }
        Ok(plan.finish()?)
    }

    /// What a read that took too long is told: its limit, and what would make it faster.
    fn slow(self, error: &DbError) -> Option<RestError> {
        let is_slow = matches!(error, DbError::Timeout);
        is_slow.then(|| self.compiled.api.too_slow(self.request, self.caller))
    }

    /// Runs a unit; once more where somebody made a row between two of its steps.
    async fn write(self, plan: WritePlan) -> Result<Success, Refusal> {
        let mut plan = plan;
        let mut attempts = 0;
        loop {
            let unit = plan.take_unit();
            let db = &self.state.db;
            let result = match (self.actor(plan.is_definers()).await?, plan.rehearse()) {
                (None, true) => db.rehearse(unit).await,
                (None, false) => db.write(unit).await,
                (Some(actor), true) => db.rehearse_as(&actor, unit).await,
                (Some(actor), false) => db.write_as(&actor, unit).await,
            };
            let error = match result {
                Ok(outcomes) => return Ok(plan.finish(&outcomes, None)?),
                Err(error) => error,
            };
            attempts += 1;
            if !plan.is_overtaken(&error) || attempts > RETRIES {
                return Err(Box::pin(explain(self.state, plan.explain(&error), &error)).await);
            }
            let Plan::Write(again) = self.plan()? else {
                return Err(failed(&error));
            };
            plan = again;
        }
    }

    /// Answers a write if the row is as the conditions say, and once if it is sent twice.
    pub(crate) async fn answer_on(self, terms: &Terms<'_>) -> Result<Success, Refusal> {
        Work::OnTerms(self, terms).transact().await
    }

    async fn on_terms(self, tx: &mut Tx, terms: &Terms<'_>) -> Result<(Success, bool), Failed> {
        if let Some(repeat) = &terms.repeat
            && let Some(success) = repeat.answer(self.state, tx).await?
        {
            return Ok((success, false));
        }
        if terms.conditions.guards(self.request.method) {
            self.require(tx, &terms.conditions).await?;
        }
        let (success, keeps) = self.within(tx).await?;
        if let (Some(repeat), true) = (&terms.repeat, keeps) {
            self.enter(tx, true).await?;
            repeat.keep(self.state, tx, &success).await?;
        }
        Ok((success, keeps))
    }

    /// Whether the row of the request's path is as the conditions say; it stays so until the
    /// transaction ends.
    async fn require(self, tx: &mut Tx, conditions: &Conditions<'_>) -> Result<(), Failed> {
        let (api, caller, moment) = (&self.compiled.api, self.caller, self.moment());
        if let Some(lock) = api
            .lock(self.request, caller, moment)
            .map_err(Failed::of_plan)?
        {
            tx.step(0, &lock).await.map_err(Failed::of_engine)?;
        }
        let read = Request {
            method: Method::Get,
            prefer: &[],
            accept: None,
            range: None,
            body: &[],
            ..*self.request
        };
        self.enter(tx, false).await?;
        let current = match api.plan(&read, caller, moment) {
            Ok(Plan::Read(plan)) => read_within(tx, plan).await,
            Ok(Plan::Write(_)) => return Err(Failed::Refused(unmet())),
            Err(error) => Err(Failed::of_plan(error)),
        };
        let tag = match current {
            Ok(success) => Some(etag(&success.body)),
            Err(Failed::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => None,
            Err(failed) => return Err(failed),
        };
        match conditions.allow(tag.as_deref()) {
            true => Ok(()),
            false => Err(Failed::Refused(unmet())),
        }
    }

    /// Answers the request within a transaction; gives whether its changes are to be kept.
    pub(super) async fn within(self, tx: &mut Tx) -> Result<(Success, bool), Failed> {
        let planned = match self.plan() {
            Ok(planned) => planned,
            Err(error) => {
                let objects = nested::objects(self).map_err(Failed::Refused)?;
                let objects = objects.ok_or_else(|| Failed::of_plan(error))?;
                return Box::pin(nested::insert(self, tx, objects)).await;
            }
        };
        let mut plan = match planned {
            Plan::Read(plan) => {
                self.enter(tx, plan.is_definers()).await?;
                return Ok((read_within(tx, plan).await?, true));
            }
            Plan::Write(plan) => plan,
        };
        self.enter(tx, plan.is_definers()).await?;
        let mut outcomes: Vec<Outcome> = Vec::new();
        for (place, step) in plan.take_unit().iter().enumerate() {
            match tx.step(place, step).await {
                Ok(outcome) => outcomes.push(outcome),
                Err(DbError::Conflict) => {
                    return Err(Failed::Overtaken(failed(&DbError::Conflict)));
                }
                Err(error) => {
                    let is_overtaken = plan.is_overtaken(&error);
                    let refusal = Box::pin(explain(self.state, plan.explain(&error), &error)).await;
                    return Err(match is_overtaken {
                        true => Failed::Overtaken(refusal),
                        false => Failed::Refused(refusal),
                    });
                }
            }
        }
        let read = match plan.written(&outcomes) {
            None => None,
            Some((columns, values)) => {
                let api = &self.compiled.api;
                let (caller, moment) = (self.caller, self.moment());
                let read = api.plan_written(self.request, caller, moment, &columns, &values);
                Some(read_within(tx, read.map_err(Failed::of_plan)?).await?)
            }
        };
        let keeps = !plan.rehearse();
        let success = plan.finish(&outcomes, read).map_err(Failed::of_plan)?;
        Ok((success, keeps))
    }
}

/// Under which terms a write is done.
pub(crate) struct Terms<'h> {
    pub(crate) conditions: Conditions<'h>,
    pub(crate) repeat: Option<Repeat>,
}

/// What is done in a transaction that stays open between its steps.
pub(super) enum Work<'a> {
    /// One write, whose rows are read behind it.
    Plain(Asked<'a>),
    /// One write under terms.
    OnTerms(Asked<'a>, &'a Terms<'a>),
    /// Several requests.
    Batch(Asked<'a>, &'a Terms<'a>, &'a [batch::Part]),
}

impl Work<'_> {
    /// Runs it; once more where others were in its way.
    pub(super) async fn transact(self) -> Result<Success, Refusal> {
        let state = match &self {
            Self::Plain(asked) | Self::OnTerms(asked, _) | Self::Batch(asked, ..) => asked.state,
        };
        let mut attempts = 0;
        loop {
            let mut tx = state.db.begin().await.map_err(|error| failed(&error))?;
            match self.run(&mut tx).await {
                Ok((success, keeps)) => {
                    let ended = match keeps {
                        true => tx.commit().await,
                        false => tx.rollback().await,
                    };
                    match ended {
                        Ok(()) => return Ok(success),
                        Err(DbError::Conflict) if attempts < RETRIES => {}
                        Err(error) => return Err(failed(&error)),
                    }
                }
                Err(Failed::Overtaken(_)) if attempts < RETRIES => drop(tx),
                Err(Failed::Overtaken(refusal) | Failed::Refused(refusal)) => return Err(refusal),
            }
            attempts += 1;
            tokio::time::sleep(Duration::from_millis(5 << attempts)).await;
        }
    }

    /// The answer, and whether the changes are to be kept.
    async fn run(&self, tx: &mut Tx) -> Result<(Success, bool), Failed> {
        match self {
            Self::Plain(asked) => asked.within(tx).await,
            Self::OnTerms(asked, terms) => asked.on_terms(tx, terms).await,
            Self::Batch(asked, terms, parts) => batch::run(*asked, terms, tx, parts).await,
        }
    }
}

impl Failed {
    pub(super) fn of_plan(error: RestError) -> Self {
        Self::Refused(error.into())
    }

    /// The same, of a row within another one.
    pub(super) fn within(self, member: &str) -> Self {
        match self {
            Self::Refused(mut refusal) => {
                refusal.message = format!("{member}: {}", refusal.message);
                Self::Refused(refusal)
            }
            overtaken @ Self::Overtaken(_) => overtaken,
        }
    }

    pub(super) fn of_engine(error: DbError) -> Self {
        match error {
            DbError::Conflict => Self::Overtaken(failed(&error)),
            error => Self::Refused(failed(&error)),
        }
    }
}

pub(super) async fn read_within(tx: &mut Tx, mut plan: ReadPlan) -> Result<Success, Failed> {
    let mut result = Ok(());
    for (query, sink) in plan.parts() {
        result = feed(tx, query, sink).await;
        if result.is_err() {
            break;
        }
    }
    match result {
        Ok(()) => plan.finish().map_err(Failed::of_plan),
        Err(DbError::Conflict) => Err(Failed::Overtaken(failed(&DbError::Conflict))),
        Err(error) => {
            let refused = plan.refusal(&error).map(Refusal::from);
            Err(Failed::Refused(refused.unwrap_or_else(|| failed(&error))))
        }
    }
}

async fn feed(
    tx: &mut Tx,
    query: &sql::Query,
    sink: &mut (dyn sql::RowSink + Send),
) -> DbResult<()> {
    for row in tx.rows(query).await? {
        sink.row(&RowRef::Owned(&row))?;
    }
    Ok(())
}

/// A statement that failed; the log gets the cause, the caller its kind.
pub(crate) fn failed(error: &DbError) -> Refusal {
    if matches!(
        error,
        DbError::Other(_)
            | DbError::Decode { .. }
            | DbError::Unavailable(_)
            | DbError::Full(_)
            | DbError::Denied(_)
            | DbError::RowSecurity(_)
    ) {
        tracing::error!(%error, "a statement failed");
    }
    RestError::of_read(error).into()
}

async fn explain(state: &Arc<State>, explained: Explained, cause: &DbError) -> Refusal {
    let is_denied = matches!(cause, DbError::RowSecurity(_) | DbError::Denied(_));
    if is_denied && !state.is_read_only {
        tracing::error!(error = %cause, "the database refused what the rules of its statement allow");
    }
    match explained {
        Explained::Error(error) => {
            if matches!(
                error.kind,
                rest::ErrorKind::Internal | rest::ErrorKind::StorageFull
            ) {
                tracing::error!(error = %cause, "a unit failed");
            }
            error.into()
        }
        Explained::Probe(probes, last) => {
            for (query, error) in probes {
                match state.db.optional(&query).await {
                    Ok(None) => return error.into(),
                    Ok(Some(_)) => {}
                    Err(error) => return failed(&error),
                }
            }
            last.into()
        }
    }
}
