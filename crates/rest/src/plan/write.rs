//! Writing: units of steps with the rules compiled into them.

mod change;
mod insert;
mod replace;

use lang::{Expr, ExprKind, Span};
use schema::Table;
use sql::{Ident, Kind, Outcome, RowRef, RowSink, Sql, Step, Value};

use super::explain::TableErrors;
use super::{Context, Target};
use crate::access::{RequestEnvironment, join};
use crate::json::{Field, RowWriter, Style};
use crate::plan::read::shape;
use crate::request::{Condition, Prefer, ReadRequest, Returning};
use crate::{Answer, ContentType, ErrorKind, Method, Request, RestError, Success, SuccessKind};

/// A write that is ready to run.
pub struct WritePlan {
    pub(crate) unit: Vec<Step>,
    pub(crate) rehearse: bool,
    pub(crate) after: AfterWrite,
    pub(super) errors: TableErrors,
    applied: Vec<String>,
}

/// What becomes of the outcomes.
pub(crate) enum AfterWrite {
    /// Rows were inserted.
    Inserted {
        location: Option<String>,
        rows: Option<(usize, Vec<Field>)>,
        object: bool,
    },
    /// Rows were changed or deleted by `step`.
    Changed {
        step: usize,
        rows: Option<(usize, Vec<Field>)>,
        by_key: bool,
        object: bool,
    },
    /// A row was replaced by `step` or made by the one behind it.
    Replaced { step: usize, denied: RestError },
    /// An SQL file's last rows.
    File {
        step: usize,
        fields: Vec<Field>,
        answer: Option<Answer>,
        status: Option<u16>,
        cache: Option<String>,
    },
}

impl WritePlan {
    pub(crate) fn new(
        unit: Vec<Step>,
        after: AfterWrite,
        errors: TableErrors,
        prefer: &Prefer,
    ) -> Self {
        Self {
            unit,
            rehearse: prefer.rollback,
            after,
            errors,
            applied: prefer.applied.clone(),
        }
    }

    /// The steps; they are taken out, because running them consumes them.
    pub fn take_unit(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.unit)
    }

    /// Whether the unit is to be taken back (`Prefer: tx=rollback`).
    #[must_use]
    pub fn rehearse(&self) -> bool {
        self.rehearse
    }

    /// The answer, when the unit is committed.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of write")]
    pub fn finish(self, outcomes: &[Outcome]) -> Result<Success, RestError> {
        let mut success = match self.after {
            AfterWrite::Inserted {
                location,
                rows,
                object,
            } => {
                let mut success = Success::empty(SuccessKind::Created);
                if let Some((step, fields)) = rows {
                    let (count, body) = render(outcomes, step, fields)?;
                    let answer = if object { Answer::One } else { Answer::Many };
                    success.body = shape(&answer, count, body)?;
                    success.content_type = if object {
                        ContentType::Object
                    } else {
                        ContentType::Json
                    };
                }
                success.location = location;
                success
            }
            AfterWrite::Changed {
                step,
                rows,
                by_key,
                object,
            } => {
                let affected = outcomes.get(step).map_or(0, |outcome| outcome.affected);
                if by_key && affected == 0 {
                    return Err(RestError::row());
                }
                match rows {
                    None => Success::empty(SuccessKind::NoContent),
                    Some((step, fields)) => {
                        let (count, body) = render(outcomes, step, fields)?;
                        let one = object || by_key;
                        let answer = if one { Answer::One } else { Answer::Many };
                        let mut success = Success::rows(shape(&answer, count, body)?);
                        if one {
                            success.content_type = ContentType::Object;
                        }
                        success
                    }
                }
            }
            AfterWrite::Replaced { step, denied } => {
                let affected =
                    |step: usize| outcomes.get(step).map_or(0, |outcome| outcome.affected);
                match (affected(step), affected(step + 1)) {
                    (0, 0) => return Err(denied),
                    (0, _) => Success::empty(SuccessKind::Created),
                    _ => Success::empty(SuccessKind::NoContent),
                }
            }
            AfterWrite::File {
                step,
                fields,
                answer,
                status,
                cache,
            } => {
                let mut success = match answer {
                    None => Success::empty(SuccessKind::NoContent),
                    Some(answer) => {
                        let (count, body) = render(outcomes, step, fields)?;
                        Success::rows(shape(&answer, count, body)?)
                    }
                };
                if let Some(status) = status {
                    success.kind = SuccessKind::Declared(status);
                }
                success.cache_control = cache;
                success
            }
        };
        success.preference_applied = self.applied;
        Ok(success)
    }
}

fn render(
    outcomes: &[Outcome],
    step: usize,
    fields: Vec<Field>,
) -> Result<(u64, Vec<u8>), RestError> {
    let mut writer = RowWriter::new(fields, Style::default());
    // An insert of many rows has them in several steps; others have one step with rows.
    for row in outcomes.iter().skip(step).flat_map(|outcome| &outcome.rows) {
        writer.row(&RowRef::Owned(row)).map_err(|_| {
            RestError::new(
                ErrorKind::Internal,
                "XX000",
                "a returned row cannot be shown",
            )
        })?;
    }
    let count = writer.rows;
    Ok((count, writer.finish(&[])))
}

/// Plans a write of a table.
pub(crate) fn plan_write(
    context: Context<'_>,
    target: Target<'_>,
    request: &Request<'_>,
    read: &ReadRequest,
    key: Option<&[Value]>,
    object: bool,
    prefer: &Prefer,
) -> Result<WritePlan, RestError> {
    let writer = Writer {
        context,
        target,
        read,
        key,
        object,
        prefer,
    };
    match request.method {
        Method::Post => writer.insert(request),
        Method::Patch => writer.update(request),
        Method::Put => writer.replace(request),
        Method::Delete => writer.delete(),
        Method::Get | Method::Head => Err(RestError::new(
            ErrorKind::Internal,
            "XX000",
            "a read is no write",
        )),
    }
}

struct Writer<'a, 'r> {
    context: Context<'a>,
    target: Target<'a>,
    read: &'r ReadRequest,
    key: Option<&'r [Value]>,
    object: bool,
    prefer: &'r Prefer,
}

impl Writer<'_, '_> {
    fn table(&self) -> &Table {
        self.target.table
    }

    fn denied(&self) -> RestError {
        RestError::denied(&self.table().name, self.context.is_anonymous())
    }

    fn errors(&self, named: &[(Ident, Value)]) -> TableErrors {
        TableErrors::of(self.context, self.target, named)
    }

    fn environment<'p>(&'p self, parameters: &'p [Value]) -> RequestEnvironment<'p> {
        let Context {
            caller,
            moment,
            access,
            ..
        } = self.context;
        RequestEnvironment::new(Some(caller), moment, Some(access), parameters)
    }

    fn representation(&self) -> bool {
        self.prefer.returning == Returning::Representation
    }

    /// The columns that a representation shows: `select`, without relations.
    fn shown(&self) -> Result<Vec<(String, &schema::Column)>, RestError> {
        use crate::request::Item;
        let readable = self.target.access.readable();
        let all = || {
            let columns = self.table().columns.iter();
            columns
                .filter(|column| readable.contains(&column.name))
                .map(|c| (c.name.to_string(), c))
        };
        let Some(selection) = &self.read.select else {
            return Ok(all().collect());
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
                    let column = super::operand::readable(self.target, &field.name)?;
                    shown.push((alias.clone().unwrap_or_else(|| field.name.clone()), column));
                }
                Item::Field { .. } | Item::Count { .. } | Item::Embed { .. } => {
                    return Err(RestError::query("a write shows no relations yet")
                        .hint("read the row again with select"));
                }
            }
        }
        Ok(shown)
    }

    fn fields(shown: &[(String, &schema::Column)]) -> (Vec<Field>, Vec<Kind>) {
        let mut fields = Vec::new();
        let mut kinds = Vec::new();
        for (index, (key, column)) in shown.iter().enumerate() {
            let kind = column.ty.kind();
            fields.push(Field::column(key, index, kind));
            kinds.push(kind);
        }
        (fields, kinds)
    }
}

/// "No row of the table has the same values in one of these keys", over the new row (binding 0).
pub(crate) fn missing_row(table: &Table, keys: &[Vec<Ident>]) -> Expr {
    const OTHER: u32 = 1_000;
    let column = |binding: u32, name: &Ident| {
        let ty = table.column(name.as_str()).map(|column| column.ty.clone());
        let kind = ExprKind::Column {
            binding,
            column: name.clone(),
        };
        Expr {
            kind,
            ty,
            nullable: false,
            span: Span::default(),
        }
    };
    let boolean = |kind: ExprKind| Expr {
        kind,
        ty: Some(lang::Type::Boolean),
        nullable: false,
        span: Span::default(),
    };
    let same = |key: &Vec<Ident>| {
        key.iter()
            .map(|name| {
                let (left, right) = (column(OTHER, name), column(0, name));
                boolean(ExprKind::Binary(
                    lang::BinaryOp::Eq,
                    Box::new(left),
                    Box::new(right),
                ))
            })
            .reduce(|left, right| join(lang::BinaryOp::And, left, right))
    };
    let filter = keys
        .iter()
        .filter_map(same)
        .reduce(|left, right| join(lang::BinaryOp::Or, left, right));
    let query = lang::Query {
        projection: vec![lang::Projection {
            name: Ident::of("one"),
            expr: Expr {
                kind: ExprKind::Literal(lang::Literal::Int(1)),
                ..null()
            },
        }],
        distinct: false,
        from: Some(lang::FromItem::Table {
            binding: OTHER,
            table: table.name.clone(),
        }),
        joins: Vec::new(),
        filter,
        group: Vec::new(),
        having: None,
        order: Vec::new(),
        limit: None,
        offset: None,
        span: Span::default(),
    };
    boolean(ExprKind::Exists {
        query: Box::new(query),
        negated: true,
    })
}

fn null() -> Expr {
    Expr {
        kind: ExprKind::Literal(lang::Literal::Null),
        ty: None,
        nullable: true,
        span: Span::default(),
    }
}

fn select(sql: &mut Sql, shown: &[(String, &schema::Column)]) {
    sql.push("select ")
        .idents(shown.iter().map(|(_, column)| &column.name));
}

fn returning(sql: &mut Sql, shown: &[(String, &schema::Column)]) {
    sql.push(" returning ")
        .idents(shown.iter().map(|(_, column)| &column.name));
}

fn conditions_name(conditions: &[Condition], assignments: &[(Ident, Value)]) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::Compare { field, .. } => assignments
            .iter()
            .any(|(name, _)| *name == *field.name.as_str()),
        Condition::Logic { conditions, .. } => conditions_name(conditions, assignments),
    })
}

/// A path segment (RFC 3986 §3.3), everything but unreserved characters escaped.
fn encode(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, SEGMENT).to_string()
}
