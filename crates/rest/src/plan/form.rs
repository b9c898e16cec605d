//! What becomes of rows: the answer that was asked for.

use sql::{DbError, DbResult, Kind, Outcome, RowRef, RowSink, ValueRef};

use super::cursor::write_cursor;
use super::explanation::Lines;
use crate::json::{ChildWriter, Field, RowWriter, Style, to_csv};
use crate::request::{Format, Media, Prefer};
use crate::{ContentType, ErrorKind, RestError, Success, SuccessKind};

/// What the rows become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An array.
    Many,
    /// One object; none is "not found", several are refused.
    One,
    /// One object, as the caller says; another number is refused.
    Single,
    /// One object; none is this JSON instead.
    OneOr(String),
    /// The first column of the one row, bare.
    Value,
}

/// Takes the rows of all statements of a read, and makes an answer of them.
#[derive(Debug)]
pub(crate) struct Form {
    rows: RowWriter,
    children: Vec<ChildWriter>,
    total: Option<Total>,
    answer: Answer,
    /// Where the page begins, where it is one of several.
    offset: Option<u64>,
    /// The most rows of the page.
    size: u64,
    /// The names of the values of a line, where the answer is CSV.
    csv: Option<Vec<String>>,
    /// The engine's plan, in the place of rows.
    plan: Option<Lines>,
}

/// Takes the one number of a counting statement.
#[derive(Debug, Default)]
struct Total(Option<u64>);

impl RowSink for Total {
    fn row(&mut self, row: &RowRef<'_>) -> DbResult<()> {
        if let ValueRef::Int(count) = row.get(0, Kind::BigInt)? {
            self.0 = u64::try_from(count).ok();
        }
        Ok(())
    }
}

impl Style {
    /// As the request wants its rows written.
    pub(crate) fn of(media: Media, prefer: &Prefer, max_bytes: usize) -> Self {
        Self {
            strips_nulls: media.strips_nulls,
            zone: prefer.zone.clone(),
            max_bytes,
            max_rows: 0,
        }
    }
}

impl Form {
    /// Rows without relations.
    pub(crate) fn of_rows(fields: Vec<Field>, style: Style, answer: Answer) -> Self {
        Self {
            rows: RowWriter::new(fields, style),
            children: Vec::new(),
            total: None,
            answer,
            offset: None,
            size: 0,
            csv: None,
            plan: None,
        }
    }

    /// The engine's plan.
    pub(super) fn of_lines(lines: Lines) -> Self {
        Self {
            plan: Some(lines),
            ..Self::of_rows(Vec::new(), Style::default(), Answer::Many)
        }
    }

    pub(super) fn new(
        rows: RowWriter,
        children: Vec<ChildWriter>,
        has_total: bool,
        answer: Answer,
    ) -> Self {
        Self {
            rows,
            children,
            total: has_total.then(Total::default),
            answer,
            offset: None,
            size: 0,
            csv: None,
            plan: None,
        }
    }

    /// The same before any row, where it takes those of one statement.
    pub(super) fn afresh(&self) -> Option<Self> {
        let is_simple = self.children.is_empty() && self.total.is_none() && self.plan.is_none();
        is_simple.then(|| Self {
            rows: self.rows.afresh(),
            children: Vec::new(),
            total: None,
            answer: self.answer.clone(),
            offset: self.offset,
            size: self.size,
            csv: self.csv.clone(),
            plan: None,
        })
    }

    /// The same, whose rows become something else; lines stay lines.
    pub(super) fn answering(mut self, answer: Answer) -> Self {
        if self.csv.is_none() {
            self.answer = answer;
        }
        self
    }

    /// The same, as a page that begins at `offset`.
    pub(crate) fn page(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// The same, of a page with so many rows at most.
    pub(super) fn of_size(mut self, size: u64) -> Self {
        self.size = size;
        self
    }

    /// The same, in the format that is asked for.
    pub(crate) fn formatted(mut self, format: Format) -> Self {
        if format == Format::Csv {
            self.csv = Some(self.rows.names());
            self.answer = Answer::Many;
        }
        self
    }

    /// What takes the rows of each statement: of the rows themselves, of each relation, of the
    /// count.
    pub(super) fn sinks(&mut self) -> impl Iterator<Item = &mut (dyn RowSink + Send)> {
        let rows: &mut (dyn RowSink + Send) = match &mut self.plan {
            Some(plan) => plan,
            None => &mut self.rows,
        };
        let children = self.children.iter_mut();
        let children = children.map(|child| -> &mut (dyn RowSink + Send) { child });
        let total = self.total.iter_mut();
        let total = total.map(|total| -> &mut (dyn RowSink + Send) { total });
        std::iter::once(rows).chain(children).chain(total)
    }

    /// Takes rows that are here already, those of each statement in its place.
    pub(super) fn take(&mut self, outcomes: &[Outcome]) -> Result<(), RestError> {
        let mut failed = None;
        for (sink, outcome) in self.sinks().zip(outcomes) {
            for row in &outcome.rows {
                if let Err(error) = sink.row(&RowRef::Owned(row)) {
                    failed = Some(error);
                    break;
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(self.failed(&error)))
    }

    /// Takes the rows of several statements as those of one.
    pub(super) fn take_together(&mut self, outcomes: &[Outcome]) -> Result<(), RestError> {
        for row in outcomes.iter().flat_map(|outcome| &outcome.rows) {
            if let Err(error) = self.rows.row(&RowRef::Owned(row)) {
                return Err(self.failed(&error));
            }
        }
        Ok(())
    }

    fn failed(&mut self, error: &DbError) -> RestError {
        self.refusal(error).unwrap_or_else(|| {
            let message = "a returned row cannot be shown";
            RestError::new(ErrorKind::Internal, "XX000", message)
        })
    }

    /// What a failed statement means, where it is not the engine's affair: a limit, a cast.
    pub(super) fn refusal(&mut self, error: &DbError) -> Option<RestError> {
        if *error != DbError::Stopped {
            return None;
        }
        let mut children = self.children.iter_mut();
        let refused = self.rows.refusal();
        refused.or_else(|| children.find_map(ChildWriter::refusal))
    }

    /// The answer, when all rows have come.
    pub(crate) fn finish(self) -> Result<Success, RestError> {
        if let Some(plan) = self.plan {
            let content_type = match plan.is_json() {
                true => ContentType::JsonPlan,
                false => ContentType::TextPlan,
            };
            return Ok(Success {
                content_type,
                ..Success::rows(plan.finish())
            });
        }
        let rows = self.rows.rows;
        let is_full = rows > 0 && rows == self.size;
        let next = self.rows.told().filter(|_| is_full).map(write_cursor);
        let body = self.rows.finish(&self.children);
        let mut success = Success::rows(shape(&self.answer, rows, body)?);
        success.next = next;
        if let Some(offset) = self.offset {
            let total = self.total.and_then(|total| total.0);
            range(&mut success, offset, rows, total)?;
        }
        if self.answer != Answer::Many {
            success.content_type = ContentType::Object;
        }
        if let Some(names) = &self.csv {
            success.body = to_csv(&success.body, names).unwrap_or_default();
            success.content_type = ContentType::Csv;
        }
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
fn shape(answer: &Answer, rows: u64, body: Vec<u8>) -> Result<Vec<u8>, RestError> {
    let counted = |message: &str| {
        RestError::new(ErrorKind::NotAcceptable, "PGRST116", message).details(serde_json::json!(
            format!("The result contains {rows} rows")
        ))
    };
    match (answer, rows) {
        (Answer::Many, _) => Ok(body),
        (Answer::One, 0) => Err(RestError::row()),
        (Answer::Single, 0) => Err(counted("one row was asked for, there is none")),
        (Answer::OneOr(empty), 0) => Ok(empty.clone().into_bytes()),
        (Answer::One | Answer::Single | Answer::OneOr(_), 1) => {
            Ok(body[1..body.len() - 1].to_vec())
        }
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
        (Answer::One | Answer::Single | Answer::OneOr(_) | Answer::Value, _) => {
            Err(counted("one row was asked for, there are more"))
        }
    }
}
