//! What a write shows of its rows (`Prefer: return=representation`).
//!
//! Columns alone come from the writing statement where the engine returns them. Relations, parts
//! of JSON and orders need a read: in the same unit where the rows' keys are known before it runs,
//! behind it otherwise.

use std::cmp::Ordering;

use schema::Column;
use sql::{Ident, Kind, Outcome, Sql, Step, Value};

use super::super::form::{Answer, Form};
use super::super::operand::readable;
use super::super::read::{ReadPlan, plan_read};
use super::super::wanted::Wanted;
use super::super::{Context, Target};
use super::Writer;
use crate::json::{Field, Style};
use crate::request::{Count, Format, Item, Media, Prefer, ReadRequest, Scope};
use crate::{ErrorKind, RestError, Success};

/// Where the shown rows come from.
pub(crate) enum Shown {
    /// Nothing is shown.
    Nothing,
    /// The rows that steps return, from this one on.
    Returned(usize, Box<Form>),
    /// The same in the order of the values behind the shown ones: their primary key. Engines
    /// return rows in the order in which they come across them.
    Sorted {
        step: usize,
        shown: usize,
        form: Box<Form>,
    },
    /// The rows that the reading steps from this one on give.
    Read(usize, Box<Form>),
    /// The rows with these values, but for those that `step` found to be there before.
    New {
        step: usize,
        columns: Vec<Ident>,
        keys: Vec<Vec<Value>>,
    },
    /// The rows with the values that steps return, from `step` on, in these columns.
    Later {
        step: usize,
        columns: Vec<Ident>,
        /// Values that a change gave to those columns.
        assigned: Vec<Option<Value>>,
    },
}

impl Shown {
    pub(super) fn written(&self, outcomes: &[Outcome]) -> Option<(Vec<Ident>, Vec<Vec<Value>>)> {
        let rows = |step: usize| outcomes.iter().skip(step).flat_map(|outcome| &outcome.rows);
        match self {
            Self::Nothing | Self::Returned(..) | Self::Sorted { .. } | Self::Read(..) => None,
            Self::New {
                step,
                columns,
                keys,
            } => {
                let is_new = |key: &&Vec<Value>| rows(*step).all(|row| row.0 != **key);
                let new = keys.iter().filter(is_new);
                Some((columns.clone(), new.cloned().collect()))
            }
            Self::Later {
                step,
                columns,
                assigned,
            } => {
                let keys = rows(*step).map(|row| {
                    let values = row.0.iter().zip(assigned);
                    values
                        .map(|(value, new)| new.as_ref().unwrap_or(value).clone())
                        .collect()
                });
                Some((columns.clone(), keys.collect()))
            }
        }
    }

    pub(super) fn finish(self, outcomes: &[Outcome]) -> Result<Option<Success>, RestError> {
        let from = |step: usize| outcomes.get(step..).unwrap_or_default();
        let form = match self {
            Self::Nothing | Self::New { .. } | Self::Later { .. } => return Ok(None),
            Self::Returned(step, mut form) => {
                form.take_together(from(step))?;
                form
            }
            Self::Sorted {
                step,
                shown,
                mut form,
            } => {
                let mut outcome = outcomes.get(step).cloned().unwrap_or_default();
                outcome
                    .rows
                    .sort_by(|one, other| by_key(&one.0[shown..], &other.0[shown..]));
                form.take_together(&[outcome])?;
                form
            }
            Self::Read(step, mut form) => {
                form.take(from(step))?;
                form
            }
        };
        form.finish().map(Some)
    }
}

/// Which of two keys comes first.
fn by_key(one: &[Value], other: &[Value]) -> Ordering {
    let mut pairs = one.iter().zip(other);
    let unequal = pairs.find(|(one, other)| one != other);
    unequal.map_or(Ordering::Equal, |pair| match pair {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Bytes(one), Value::Bytes(other)) => one.cmp(other),
        (Value::Uuid(one), Value::Uuid(other)) => one.cmp(other),
        (Value::Date(one), Value::Date(other)) => one.cmp(other),
        (Value::Time(one), Value::Time(other)) => one.cmp(other),
        (Value::Timestamp(one), Value::Timestamp(other)) => one.cmp(other),
        (Value::Float(one), Value::Float(other)) => one.total_cmp(other),
        (Value::Decimal(one), Value::Decimal(other)) => {
            let number = |text: &str| text.parse().unwrap_or(0.0_f64);
            number(one).total_cmp(&number(other))
        }
        _ => Ordering::Equal,
    })
}

/// A form for columns that a statement returns.
pub(super) fn form(
    context: Context<'_>,
    media: Media,
    prefer: &Prefer,
    columns: &[(String, &Column)],
    by_key: bool,
) -> Form {
    let fields = columns.iter().enumerate();
    let fields = fields.map(|(index, (key, column))| Field::column(key, index, column.ty.kind()));
    let style = Style::of(media, prefer, context.limits.max_response_bytes);
    let answer = match (by_key, media.format) {
        (true, _) => Answer::One,
        (false, Format::Object) => Answer::Single,
        (false, _) => Answer::Many,
    };
    Form::of_rows(fields.collect(), style, answer).formatted(media.format)
}

/// What the columns decode to.
fn kinds(columns: &[(String, &Column)]) -> Vec<Kind> {
    columns.iter().map(|(_, column)| column.ty.kind()).collect()
}

pub(super) fn returning<'c>(sql: &mut Sql, columns: impl IntoIterator<Item = &'c Ident>) {
    sql.push(" returning ").idents(columns);
}

/// Plans the read of rows that were written, by the values of some columns.
pub(crate) fn plan_shown(
    context: Context<'_>,
    target: Target<'_>,
    read: &ReadRequest,
    wanted: Wanted<'_>,
    media: Media,
    prefer: &Prefer,
) -> Result<ReadPlan, RestError> {
    let request = ReadRequest {
        root: match wanted {
            // The filters chose the rows before they were changed.
            Wanted::Written(..) => Scope {
                order: read.root.order.clone(),
                ..Scope::default()
            },
            Wanted::All | Wanted::Key(_) | Wanted::Changeable(..) => read.root.clone(),
        },
        ..read.clone()
    };
    let prefer = Prefer {
        count: Count::None,
        ..prefer.clone()
    };
    plan_read(context, target, &request, wanted, media, &prefer)
}

impl<'a> Writer<'a, '_> {
    /// The shown columns, where columns alone are shown; `None` where it takes a read.
    pub(super) fn plain(&self) -> Result<Option<Vec<(String, &'a Column)>>, RestError> {
        let may_read = self.target.access.readable();
        if may_read.is_empty() {
            // PostgreSQL: RETURNING needs SELECT.
            return Err(self.denied().hint("leave return=representation away"));
        }
        let columns = &self.target.table.columns;
        let all = || {
            let readable = columns
                .iter()
                .filter(|column| may_read.contains(&column.name));
            readable.map(|column| (column.name.to_string(), column))
        };
        if !self.read.root.order.is_empty() || !self.read.embeds.is_empty() {
            return Ok(None);
        }
        let Some(selection) = &self.read.select else {
            return Ok(Some(all().collect()));
        };
        let mut shown = Vec::new();
        for item in selection {
            match item {
                Item::All => shown.extend(all()),
                Item::Field {
                    alias,
                    field,
                    cast: None,
                    aggregate: None,
                } if field.is_plain() => {
                    let column = readable(self.target, &field.name)?;
                    shown.push((alias.clone().unwrap_or_else(|| field.name.clone()), column));
                }
                Item::Field { .. } | Item::Count { .. } | Item::Embed { .. } => return Ok(None),
            }
        }
        // A statement that returns nothing returns no rows.
        Ok((!shown.is_empty()).then_some(shown))
    }

    /// What shows the rows that `step` returns, in the order of their keys: writes to `sql` what
    /// it returns, and gives the kinds of that.
    pub(super) fn returned(
        &self,
        sql: &mut Sql,
        columns: &[(String, &'a Column)],
        step: usize,
    ) -> (Vec<Kind>, Shown) {
        let primary = match self.key {
            Some(_) => &[][..],
            None => self.primary(),
        };
        let names = columns.iter().map(|(_, column)| &column.name);
        returning(sql, names.chain(primary));
        let mut kinds = kinds(columns);
        kinds.extend(self.kinds_of(primary));
        let form = Box::new(self.form(columns));
        let shown = Shown::Sorted {
            step,
            shown: columns.len(),
            form,
        };
        (kinds, shown)
    }

    /// Adds the reading of the rows with these values in these columns.
    pub(super) fn read_written(
        &self,
        unit: &mut Vec<Step>,
        columns: &[Ident],
        rows: &[Vec<Value>],
    ) -> Result<Shown, RestError> {
        self.read_steps(unit, Wanted::Written(columns, rows))
    }

    /// Adds the reading of rows.
    pub(super) fn read_steps(
        &self,
        unit: &mut Vec<Step>,
        wanted: Wanted<'_>,
    ) -> Result<Shown, RestError> {
        let media = Media {
            format: match self.key.is_some() && self.media.format != Format::Csv {
                true => Format::Object,
                false => self.media.format,
            },
            ..self.media
        };
        let (context, target) = (self.context, self.target);
        let plan = plan_shown(context, target, self.read, wanted, media, self.prefer)?;
        let (mut steps, form) = plan.into_steps();
        let first = unit.len();
        unit.append(&mut steps);
        Ok(Shown::Read(first, Box::new(form)))
    }

    /// Rows can be found again by their key alone.
    pub(super) fn require_key(&self) -> Result<&'a [Ident], RestError> {
        let primary = self.primary();
        if !primary.is_empty() {
            return Ok(primary);
        }
        let message = format!(
            "rows of {} cannot be shown with this select: they have no primary key",
            self.table().name
        );
        Err(RestError::new(ErrorKind::BadRequest, "PGRST127", message)
            .hint("select columns alone, or leave return=representation away"))
    }

    pub(super) fn kinds_of(&self, columns: &[Ident]) -> Vec<Kind> {
        let kind = |name: &Ident| {
            let column = self.table().column(name.as_str());
            column.map_or(Kind::Text, |column| column.ty.kind())
        };
        columns.iter().map(kind).collect()
    }
}
