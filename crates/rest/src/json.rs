//! Rows to JSON, straight into one buffer.

mod cast;
mod csv;
mod spell;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use lang::Type;
use sql::{DbError, DbResult, Kind, RowRef, RowSink, ValueRef};

pub(crate) use csv::to_csv;
pub use spell::value_as_json;
pub(crate) use spell::{member_key, write_column, write_value};

use crate::RestError;

/// One member of a row's object.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    /// A column.
    Column {
        key: Box<[u8]>,
        index: usize,
        kind: Kind,
        /// `::type`: shown as a value of this type.
        cast: Option<Box<Type>>,
        /// A float of which the last digits say nothing.
        is_rounded: bool,
    },
    /// A related row: `null` where the marker column is.
    One {
        key: Box<[u8]>,
        marker: Option<usize>,
        fields: Vec<Field>,
    },
    /// Related rows, read by statement `child` and found by the values of columns.
    Many {
        key: Box<[u8]>,
        child: usize,
        ties: Ties,
        /// Only this one of the related rows' fields, as a list of values.
        only: Option<usize>,
    },
}

/// The columns that tie related rows to their parent: place and kind of each.
pub(crate) type Ties = Box<[(usize, Kind)]>;

impl Field {
    /// `"name":`
    fn key(&self) -> &[u8] {
        match self {
            Self::Column { key, .. } | Self::One { key, .. } | Self::Many { key, .. } => key,
        }
    }

    /// A column as it is.
    pub(crate) fn column(name: &str, index: usize, kind: Kind) -> Self {
        Self::Column {
            key: member_key(name),
            index,
            kind,
            cast: None,
            is_rounded: false,
        }
    }
}

/// How rows are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Style {
    /// Members that are null are left away.
    pub(crate) strips_nulls: bool,
    /// The zone of moments, where it is not UTC.
    pub(crate) zone: Option<TimeZone>,
    /// The most bytes of an answer; 0 for any number.
    pub(crate) max_bytes: usize,
    /// The most rows of an answer whose statement has no limit; 0 for any number.
    pub(crate) max_rows: u64,
}

/// A text with places where related rows are put when all statements have answered.
#[derive(Debug, Default)]
struct Draft {
    text: Vec<u8>,
    gaps: Vec<Gap>,
}

#[derive(Debug)]
struct Gap {
    at: usize,
    child: usize,
    only: Option<usize>,
    value: Vec<u8>,
}

/// Writes rows as the elements of an array.
#[derive(Debug)]
pub(crate) struct RowWriter {
    fields: Arc<[Field]>,
    style: Style,
    draft: Draft,
    pub(crate) rows: u64,
    refusal: Option<RestError>,
    /// Columns whose values in the last row are told, and those values as JSON.
    tail: Ties,
    last: Vec<u8>,
}

impl RowWriter {
    pub(crate) fn new(fields: Vec<Field>, style: Style) -> Self {
        Self {
            fields: fields.into(),
            style,
            draft: Draft::of_an_array(),
            rows: 0,
            refusal: None,
            tail: Ties::default(),
            last: Vec::new(),
        }
    }

    /// The same before any row.
    pub(crate) fn afresh(&self) -> Self {
        Self {
            fields: Arc::clone(&self.fields),
            style: self.style.clone(),
            draft: Draft::of_an_array(),
            rows: 0,
            refusal: None,
            tail: self.tail.clone(),
            last: Vec::new(),
        }
    }

    /// The same, telling these columns of the last row.
    pub(crate) fn telling(mut self, tail: Ties) -> Self {
        self.tail = tail;
        self
    }

    /// What the told columns of the last row hold, as JSON, separated by commas.
    pub(crate) fn told(&self) -> Option<&[u8]> {
        (!self.tail.is_empty()).then(|| self.last.strip_suffix(b",").unwrap_or_default())
    }

    /// Why it took no more rows.
    pub(crate) fn refusal(&mut self) -> Option<RestError> {
        self.refusal.take()
    }

    /// The names of a row's members.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |field: &Field| {
            let key = field.key();
            serde_json::from_slice(&key[..key.len() - 1]).unwrap_or_default()
        };
        self.fields.iter().map(name).collect()
    }

    /// The array, related rows put in.
    pub(crate) fn finish(mut self, children: &[ChildWriter]) -> Vec<u8> {
        self.draft.text.push(b']');
        if self.draft.gaps.is_empty() {
            return self.draft.text;
        }
        let mut whole = Vec::with_capacity(self.draft.text.len() * 2);
        self.draft.fill(&mut whole, children);
        whole
    }
}

impl RowSink for RowWriter {
    fn row(&mut self, row: &RowRef<'_>) -> DbResult<()> {
        if self.rows > 0 {
            self.draft.text.push(b',');
        }
        self.rows += 1;
        let most = self.style.max_rows;
        if most > 0 && self.rows > most {
            self.refusal = Some(RestError::limit(
                format!("the answer has more than {most} rows"),
                "ask for a page with limit and offset; the limit is max_rows",
            ));
            return Err(DbError::Stopped);
        }
        let mut pen = Pen {
            draft: &mut self.draft,
            style: &self.style,
            refusal: &mut self.refusal,
        };
        pen.object(row, &self.fields)?;
        pen.bound()?;
        if !self.tail.is_empty() {
            self.last = tie(row, &self.tail)?;
        }
        Ok(())
    }
}

impl Draft {
    fn of_an_array() -> Self {
        let mut text = Vec::with_capacity(512);
        text.push(b'[');
        Self {
            text,
            gaps: Vec::new(),
        }
    }

    fn fill(&self, whole: &mut Vec<u8>, children: &[ChildWriter]) {
        let mut done = 0;
        for gap in &self.gaps {
            whole.extend_from_slice(&self.text[done..gap.at]);
            done = gap.at;
            whole.push(b'[');
            let related = children.get(gap.child);
            if let Some(rows) = related.and_then(|child| child.of(&gap.value, gap.only)) {
                rows.fill(whole, children);
            }
            whole.push(b']');
        }
        whole.extend_from_slice(&self.text[done..]);
    }
}

/// Writes into a draft.
struct Pen<'a> {
    draft: &'a mut Draft,
    style: &'a Style,
    refusal: &'a mut Option<RestError>,
}

impl Pen<'_> {
    /// An object with its own brackets.
    fn object(&mut self, row: &RowRef<'_>, fields: &[Field]) -> DbResult<()> {
        self.draft.text.push(b'{');
        let mut is_first = true;
        for field in fields {
            if self.style.strips_nulls && is_null(row, field) {
                continue;
            }
            if !is_first {
                self.draft.text.push(b',');
            }
            is_first = false;
            self.draft.text.extend_from_slice(field.key());
            self.value(row, field)?;
        }
        self.draft.text.push(b'}');
        Ok(())
    }

    /// A member's value.
    fn value(&mut self, row: &RowRef<'_>, field: &Field) -> DbResult<()> {
        match field {
            Field::Column {
                index,
                kind,
                cast,
                is_rounded: true,
                ..
            } => {
                let value = spell::rounded(row.get(*index, *kind)?);
                match cast {
                    Some(ty) => self.cast(&value, *kind, ty)?,
                    None => write_value(&mut self.draft.text, &value, *kind),
                }
                Ok(())
            }
            Field::Column {
                index, kind, cast, ..
            } => match (cast, &self.style.zone) {
                (Some(ty), _) => self.cast(&row.get(*index, *kind)?, *kind, ty),
                (None, Some(zone)) if *kind == Kind::Timestamp => {
                    match row.get(*index, *kind)? {
                        ValueRef::Timestamp(moment) => {
                            spell::write_moment_in(&mut self.draft.text, moment, zone);
                        }
                        other => write_value(&mut self.draft.text, &other, *kind),
                    }
                    Ok(())
                }
                (None, _) => write_column(&mut self.draft.text, row, *index, *kind),
            },
            Field::One { marker, fields, .. } => {
                if marker.is_some_and(|marker| row.is_null(marker)) {
                    self.draft.text.extend_from_slice(b"null");
                    return Ok(());
                }
                self.object(row, fields)
            }
            Field::Many {
                child, ties, only, ..
            } => {
                self.draft.gaps.push(Gap {
                    at: self.draft.text.len(),
                    child: *child,
                    only: *only,
                    value: tie(row, ties)?,
                });
                Ok(())
            }
        }
    }

    fn cast(&mut self, value: &ValueRef<'_>, kind: Kind, ty: &Type) -> DbResult<()> {
        match cast::cast(value, kind, ty) {
            Ok(value) => write_value(&mut self.draft.text, &value.as_ref(), ty.kind()),
            Err(refusal) => {
                *self.refusal = Some(refusal);
                return Err(DbError::Stopped);
            }
        }
        Ok(())
    }

    /// Stops the statement when the answer has become too long.
    fn bound(&mut self) -> DbResult<()> {
        let most = self.style.max_bytes;
        if most == 0 || self.draft.text.len() <= most {
            return Ok(());
        }
        *self.refusal = Some(RestError::limit(
            format!("the answer has more than {most} bytes"),
            "ask for fewer rows or columns; the limit is max_response_bytes",
        ));
        Err(DbError::Stopped)
    }
}

fn is_null(row: &RowRef<'_>, field: &Field) -> bool {
    match field {
        Field::Column { index, .. } => row.is_null(*index),
        Field::One { marker, .. } => marker.is_some_and(|marker| row.is_null(marker)),
        Field::Many { .. } => false,
    }
}

/// The tying values as JSON, one behind the other.
fn tie(row: &RowRef<'_>, ties: &[(usize, Kind)]) -> DbResult<Vec<u8>> {
    let mut value = Vec::new();
    for (index, kind) in ties {
        write_column(&mut value, row, *index, *kind)?;
        value.push(b',');
    }
    Ok(value)
}

/// Related rows, gathered by the values that tie them to their parent.
#[derive(Debug)]
pub(crate) struct ChildWriter {
    fields: Vec<Field>,
    ties: Ties,
    style: Style,
    /// Whether each field is gathered in a list of its own.
    spread: bool,
    /// By the tying values: the elements, separated by commas; several lists where fields are
    /// spread.
    groups: HashMap<Vec<u8>, Vec<Draft>>,
    rows: u64,
    max_rows: u64,
    refusal: Option<RestError>,
}

impl ChildWriter {
    /// `max_rows` is for the rows of all parents together.
    pub(crate) fn new(
        fields: Vec<Field>,
        ties: Ties,
        spread: bool,
        style: Style,
        max_rows: u64,
    ) -> Self {
        Self {
            fields,
            ties,
            style,
            spread,
            groups: HashMap::new(),
            rows: 0,
            max_rows,
            refusal: None,
        }
    }

    /// Why it took no more rows.
    pub(crate) fn refusal(&mut self) -> Option<RestError> {
        self.refusal.take()
    }

    /// `"name":` of each member of a row.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().map(Field::key)
    }

    fn of(&self, value: &[u8], only: Option<usize>) -> Option<&Draft> {
        self.groups.get(value)?.get(only.unwrap_or(0))
    }
}

impl RowSink for ChildWriter {
    fn row(&mut self, row: &RowRef<'_>) -> DbResult<()> {
        self.rows += 1;
        if self.rows > self.max_rows {
            let most = self.max_rows;
            self.refusal = Some(RestError::limit(
                format!("there are more than {most} related rows"),
                "give the relation a limit, as related.limit=10; the limit is max_related_rows",
            ));
            return Err(DbError::Stopped);
        }
        let lists = if self.spread { self.fields.len() } else { 1 };
        let group = self.groups.entry(tie(row, &self.ties)?).or_default();
        group.resize_with(lists, Draft::default);
        for (place, draft) in group.iter_mut().enumerate() {
            if !draft.text.is_empty() {
                draft.text.push(b',');
            }
            let mut pen = Pen {
                draft,
                style: &self.style,
                refusal: &mut self.refusal,
            };
            match self.spread {
                true => pen.value(row, &self.fields[place])?,
                false => pen.object(row, &self.fields)?,
            }
            pen.bound()?;
        }
        Ok(())
    }
}
