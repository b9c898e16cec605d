//! A read: its statements, and the answer that becomes of their rows.

use std::time::Duration;

use sql::{DbError, Query, RowSink, Sql, Step, Value};

use super::explanation::{self, Lines, explained, write_explain};
use super::form::{Answer, Form};
use super::select::resolve;
use super::statement::Statements;
use super::wanted::Wanted;
use super::{Context, Target};
use crate::json::Style;
use crate::request::{Count, Format, Media, Prefer, ReadRequest};
use crate::{RestError, Success};

/// A read that is ready to run.
#[derive(Debug)]
pub struct ReadPlan {
    /// The rows, each relation, the count: in the order of the form's sinks.
    queries: Vec<Query>,
    form: Form,
    applied: Vec<String>,
    /// `Cache-Control` and status of an SQL file.
    pub(crate) cache_control: Option<String>,
    pub(crate) status: Option<u16>,
    /// Of an SQL file that runs as the server itself.
    pub(crate) definer: bool,
}

/// A statement with the sink that takes its rows.
pub type ReadPart<'p> = (&'p Query, &'p mut (dyn RowSink + Send));

impl ReadPlan {
    /// A read with one statement, as SQL files have it.
    pub(crate) fn of_rows(query: Query, form: Form, prefer: &Prefer) -> Self {
        Self {
            queries: vec![query],
            form,
            applied: prefer.applied.clone(),
            cache_control: None,
            status: None,
            definer: false,
        }
    }

    /// The statements, to be run in one snapshot when there are several.
    pub fn parts(&mut self) -> Vec<ReadPart<'_>> {
        self.queries.iter().zip(self.form.sinks()).collect()
    }

    /// The only statement, when there is only one.
    pub fn single(&mut self) -> Option<ReadPart<'_>> {
        match self.queries.as_slice() {
            [only] => self.form.sinks().next().map(|sink| (only, sink)),
            _ => None,
        }
    }

    /// The same with other values in some places of its one statement; `None` where it has several.
    pub(crate) fn afresh(&self, values: impl Iterator<Item = (usize, Value)>) -> Option<Self> {
        let [only] = self.queries.as_slice() else {
            return None;
        };
        let form = self.form.afresh()?;
        let mut query = only.clone();
        values.for_each(|(place, value)| query.sql.rebind(place, value));
        Some(Self {
            queries: vec![query],
            form,
            applied: self.applied.clone(),
            cache_control: self.cache_control.clone(),
            status: self.status,
            definer: self.definer,
        })
    }

    /// The values of its one statement.
    pub(crate) fn args(&self) -> Option<&[Value]> {
        match self.queries.as_slice() {
            [only] => Some(only.sql.args()),
            _ => None,
        }
    }

    /// The statements as steps of a unit, and what takes their rows.
    pub(super) fn into_steps(self) -> (Vec<Step>, Form) {
        let step = |query: Query| Step::new(query.sql).returning(query.kinds);
        (self.queries.into_iter().map(step).collect(), self.form)
    }

    /// The same within a time of its own.
    pub(crate) fn within(mut self, limit: Option<Duration>) -> Self {
        for query in &mut self.queries {
            query.limit = limit;
        }
        self
    }

    /// The same, whose rows become something else.
    pub(crate) fn answering(mut self, answer: Answer) -> Self {
        self.form = self.form.answering(answer);
        self
    }

    /// Whether it runs as the server itself, whoever asks (`@security definer`).
    #[must_use]
    pub fn is_definers(&self) -> bool {
        self.definer
    }

    /// What a failed statement means, where it is not the engine's affair: a limit, a cast.
    pub fn refusal(&mut self, error: &DbError) -> Option<RestError> {
        self.form.refusal(error)
    }

    /// The answer, when all statements have answered.
    pub fn finish(self) -> Result<Success, RestError> {
        let mut success = self.form.finish()?;
        if let Some(status) = self.status {
            success.kind = crate::SuccessKind::Declared(status);
        }
        success.preference_applied = self.applied;
        success.cache_control = self.cache_control;
        Ok(success)
    }
}

/// Plans a read of a table or view.
pub(crate) fn plan_read(
    context: Context<'_>,
    target: Target<'_>,
    request: &ReadRequest,
    wanted: Wanted<'_>,
    media: Media,
    prefer: &Prefer,
) -> Result<ReadPlan, RestError> {
    if target.access.readable().is_empty() {
        return Err(RestError::table(target.table.name.as_str(), None));
    }
    let limit = limit(context, target, request)?;
    let selection = request.select.as_ref();
    let level = resolve(context, target, selection, &request.root, &request.embeds)?;
    let style = Style::of(media, prefer, context.limits.max_response_bytes);
    let mut statements = Statements::new(context, &level, wanted, limit, style);
    let is_list = matches!(wanted, Wanted::All);
    if let Some(cursor) = request.cursor.as_ref().filter(|_| is_list) {
        statements.follow(cursor)?;
    }
    if let Format::Plan(explanation) = media.format {
        explanation::require(context)?;
        let mut sql = Sql::new(context.dialect);
        write_explain(&mut sql, explanation);
        let (query, _) = statements.rows(sql)?;
        return Ok(ReadPlan {
            queries: vec![explained(query.sql)],
            form: Form::of_lines(Lines::new(explanation, context.dialect)),
            applied: prefer.applied.clone(),
            cache_control: None,
            status: None,
            definer: false,
        });
    }
    let (query, rows) = statements.rows(Sql::new(context.dialect))?;
    let count = match prefer.count {
        Count::Exact if is_list => Some(statements.count(None)?),
        Count::Bounded if is_list => Some(statements.count(Some(context.limits.max_count))?),
        Count::None | Count::Exact | Count::Bounded => None,
    };
    let has_total = count.is_some();
    let (related, children): (Vec<Query>, Vec<_>) = statements.children.into_iter().unzip();
    let queries = std::iter::once(query).chain(related).chain(count);
    let answer = match (wanted, media.format) {
        (Wanted::Key(_), _) => Answer::One,
        (_, Format::Object) => Answer::Single,
        _ => Answer::Many,
    };
    let form = Form::new(rows, children, has_total, answer).formatted(media.format);
    Ok(ReadPlan {
        queries: queries.collect(),
        form: match is_list {
            true => form.page(request.root.offset.unwrap_or(0)).of_size(limit),
            false => form,
        },
        applied: prefer.applied.clone(),
        cache_control: None,
        status: None,
        definer: false,
    })
}

fn limit(
    context: Context<'_>,
    target: Target<'_>,
    request: &ReadRequest,
) -> Result<u64, RestError> {
    let most = context.limits.max_rows;
    match request.root.limit {
        // A file knows itself how many rows are a page.
        None if target.file.is_some() => Ok(most),
        None => Ok(context.limits.default_rows),
        Some(limit) if limit <= most => Ok(limit),
        Some(limit) => Err(RestError::limit(
            format!("limit={limit} is more than {most} rows"),
            "read in pages with limit and offset; the limit is max_rows",
        )),
    }
}
