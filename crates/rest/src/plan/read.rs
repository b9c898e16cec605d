//! A read: its statements, and the answer that becomes of their rows.

use sql::{DbError, DbResult, Kind, Query, RowRef, RowSink, ValueRef};

use super::select::resolve;
use super::statement::Statements;
use super::{Context, Target};
use crate::json::{ChildWriter, Field, RowWriter, Style, to_csv};
use crate::request::{Count, Format, Media, Prefer, ReadRequest};
use crate::{ContentType, ErrorKind, RestError, Success, SuccessKind};

/// What the rows become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An array.
    Many,
    /// One object; none is "not found", several are refused.
    One,
    /// One object; none is this JSON instead.
    OneOr(String),
    /// The first column of the one row, bare.
    Value,
}

/// A read that is ready to run.
pub struct ReadPlan {
    pub(super) children: Vec<(Query, ChildWriter)>,
    pub(super) count: Option<(Query, Total)>,
    pub(super) rows: (Query, RowWriter),
    pub(crate) answer: Answer,
    pub(super) offset: u64,
    pub(super) has_range: bool,
    /// The names of the columns of a line, where the answer is CSV.
    pub(super) csv: Option<Vec<String>>,
    pub(crate) applied: Vec<String>,
    /// `Cache-Control` and status of an SQL file.
    pub(crate) cache_control: Option<String>,
    pub(crate) status: Option<u16>,
}

/// Takes the one number of a counting statement.
#[derive(Default)]
pub(super) struct Total(Option<u64>);

impl RowSink for Total {
    fn row(&mut self, row: &RowRef<'_>) -> DbResult<()> {
        if let ValueRef::Int(count) = row.get(0, Kind::BigInt)? {
            self.0 = u64::try_from(count).ok();
        }
        Ok(())
    }
}

/// A statement with the sink that takes its rows.
pub type ReadPart<'p> = (&'p Query, &'p mut (dyn RowSink + Send));

impl ReadPlan {
    /// A read with one statement and given fields, as SQL files have it.
    pub(crate) fn of_rows(query: Query, fields: Vec<Field>, answer: Answer) -> Self {
        Self {
            children: Vec::new(),
            count: None,
            rows: (query, RowWriter::new(fields, Style::default())),
            answer,
            offset: 0,
            has_range: false,
            csv: None,
            applied: Vec::new(),
            cache_control: None,
            status: None,
        }
    }

    /// The statements, to be run in one snapshot when there are several.
    pub fn parts(&mut self) -> Vec<ReadPart<'_>> {
        let mut parts: Vec<ReadPart<'_>> = Vec::with_capacity(2 + self.children.len());
        parts.push((&self.rows.0, &mut self.rows.1));
        for (query, writer) in &mut self.children {
            parts.push((query, writer));
        }
        if let Some((query, total)) = &mut self.count {
            parts.push((query, total));
        }
        parts
    }

    /// The only statement, when there is only one.
    pub fn single(&mut self) -> Option<ReadPart<'_>> {
        if self.children.is_empty() && self.count.is_none() {
            return Some((&self.rows.0, &mut self.rows.1));
        }
        None
    }

    /// What a failed statement means, where it is not the engine's affair: a limit, a cast.
    pub fn refusal(&mut self, error: &DbError) -> Option<RestError> {
        if *error != DbError::Stopped {
            return None;
        }
        let children = self.children.iter_mut();
        let refused = self.rows.1.refusal();
        refused.or_else(|| {
            children
                .map(|(_, child)| child)
                .find_map(ChildWriter::refusal)
        })
    }

    /// The answer, when all statements have answered.
    pub fn finish(self) -> Result<Success, RestError> {
        let rows = self.rows.1.rows;
        let children: Vec<ChildWriter> = self
            .children
            .into_iter()
            .map(|(_, writer)| writer)
            .collect();
        let body = self.rows.1.finish(&children);
        let mut success = Success::rows(shape(&self.answer, rows, body)?);
        let total = self.count.and_then(|(_, total)| total.0);
        if self.has_range {
            range(&mut success, self.offset, rows, total)?;
        }
        if self.answer != Answer::Many {
            success.content_type = ContentType::Object;
        }
        if let Some(names) = &self.csv {
            success.body = to_csv(&success.body, names).unwrap_or_default();
            success.content_type = ContentType::Csv;
        }
        if let Some(status) = self.status {
            success.kind = SuccessKind::Declared(status);
        }
        success.preference_applied = self.applied;
        success.cache_control = self.cache_control;
        Ok(success)
    }
}

/// `Content-Range`, and whether there is more than the page holds.
fn range(
    success: &mut Success,
    offset: u64,
    rows: u64,
    total: Option<u64>,
) -> Result<(), RestError> {
    if let Some(total) = total.filter(|total| offset > *total) {
        let message = format!("the offset {offset} is behind the last of {total} rows");
        return Err(RestError::new(
            ErrorKind::RangeNotSatisfiable,
            "PGRST103",
            message,
        ));
    }
    let total_text = total.map_or(String::from("*"), |total| total.to_string());
    success.content_range = Some(match rows {
        0 => format!("*/{total_text}"),
        _ => format!("{offset}-{}/{total_text}", offset + rows - 1),
    });
    if total.is_some_and(|total| rows < total) {
        success.kind = SuccessKind::PartialRows;
    }
    Ok(())
}

/// An array of rows as what was asked for.
pub(crate) fn shape(answer: &Answer, rows: u64, body: Vec<u8>) -> Result<Vec<u8>, RestError> {
    let several = || {
        RestError::new(
            ErrorKind::NotAcceptable,
            "PGRST116",
            "one row was asked for, there are more",
        )
        .details(serde_json::json!(format!(
            "The result contains {rows} rows"
        )))
    };
    match (answer, rows) {
        (Answer::Many, _) => Ok(body),
        (Answer::One, 0) => Err(RestError::row()),
        (Answer::OneOr(empty), 0) => Ok(empty.clone().into_bytes()),
        (Answer::One | Answer::OneOr(_), 1) => Ok(body[1..body.len() - 1].to_vec()),
        (Answer::Value, 0) => Ok(b"null".to_vec()),
        (Answer::Value, 1) => {
            // `[{"name":value}]`, and a name of ours holds no unescaped quote.
            let inner = &body[2..body.len() - 2];
            let colon = inner
                .windows(2)
                .position(|pair| pair == b"\":")
                .map_or(0, |place| place + 2);
            Ok(inner[colon..].to_vec())
        }
        (Answer::One | Answer::OneOr(_) | Answer::Value, _) => Err(several()),
    }
}

/// Plans a read of a table or view.
pub(crate) fn plan_read(
    context: Context<'_>,
    target: Target<'_>,
    request: &ReadRequest,
    key: Option<&[sql::Value]>,
    media: Media,
    prefer: &Prefer,
) -> Result<ReadPlan, RestError> {
    if target.access.readable().is_empty() {
        return Err(RestError::table(target.table.name.as_str(), None));
    }
    let limit = limit(context, request)?;
    let selection = request.select.as_ref();
    let level = resolve(context, target, selection, &request.root, &request.embeds)?;
    let style = Style {
        strips_nulls: media.strips_nulls,
        zone: prefer.zone.clone(),
        max_bytes: context.limits.max_response_bytes,
    };
    let mut statements = Statements::new(context, &level, key, limit, style);
    let rows = statements.rows()?;
    let count = match (prefer.count, key) {
        (Count::None, _) | (_, Some(_)) => None,
        (Count::Exact, None) => Some(statements.count(None)?),
        (Count::Bounded, None) => Some(statements.count(Some(context.limits.max_count))?),
    };
    let is_object = media.format == Format::Object;
    Ok(ReadPlan {
        children: statements.children,
        count: count.map(|query| (query, Total::default())),
        csv: (media.format == Format::Csv).then(|| rows.1.names()),
        rows,
        answer: match is_object || (key.is_some() && media.format != Format::Csv) {
            true => Answer::One,
            false => Answer::Many,
        },
        offset: request.root.offset.unwrap_or(0),
        has_range: key.is_none(),
        applied: prefer.applied.clone(),
        cache_control: None,
        status: None,
    })
}

fn limit(context: Context<'_>, request: &ReadRequest) -> Result<u64, RestError> {
    let most = context.limits.max_rows;
    match request.root.limit {
        None => Ok(context.limits.default_rows),
        Some(limit) if limit <= most => Ok(limit),
        Some(limit) => Err(RestError::limit(
            format!("limit={limit} is more than {most} rows"),
            "read in pages with limit and offset; the limit is max_rows",
        )),
    }
}
