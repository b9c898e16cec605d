//! Writing: units of steps with the rules compiled into them.

mod change;
mod delete;
mod insert;
mod replace;
mod shown;
mod upsert;

pub(crate) use self::insert::with_checked_columns;

use lang::{Expr, ExprKind, Span};
use schema::Table;
use sql::{DbError, Ident, Outcome, Step, Value};

use super::explain::TableErrors;
use super::form::Form;
use super::{Context, Target};
use crate::access::{RequestEnvironment, join};
use crate::request::{Count, Format, Media, Prefer, ReadRequest, Returning};
use crate::{ErrorKind, Method, Request, RestError, Success, SuccessKind};

pub(crate) use shown::{Shown, plan_shown};

/// A write that is ready to run.
pub struct WritePlan {
    pub(crate) unit: Vec<Step>,
    pub(crate) rehearse: bool,
    pub(crate) done: Done,
    pub(crate) shown: Shown,
    pub(super) errors: TableErrors,
    /// `Prefer: max-affected`
    pub(super) most: Option<u64>,
    applied: Vec<String>,
    /// Whether the number of rows is asked for.
    counts: bool,
    /// Of an SQL file that runs as the server itself.
    pub(crate) definer: bool,
}

/// What the unit's outcomes mean.
pub(crate) enum Done {
    /// So many rows were inserted.
    Inserted { rows: u64, location: Option<String> },
    /// So many rows were changed or, by `step` and those behind it, inserted.
    Merged { rows: u64, step: usize },
    /// Rows were changed or deleted by `step`.
    Changed { step: usize, by_key: bool },
    /// A row was replaced by `step` or made by the one behind it.
    Replaced { step: usize, denied: RestError },
    /// An SQL file has run; `step` was its last statement.
    File {
        step: usize,
        status: Option<u16>,
        cache: Option<String>,
    },
}

impl WritePlan {
    pub(crate) fn new(
        unit: Vec<Step>,
        done: Done,
        shown: Shown,
        errors: TableErrors,
        prefer: &Prefer,
    ) -> Self {
        Self {
            unit,
            rehearse: prefer.rollback,
            done,
            shown,
            errors,
            most: prefer.max_affected,
            applied: prefer.applied.clone(),
            counts: prefer.count != Count::None,
            definer: false,
        }
    }

    /// The steps; they are taken out, because running them consumes them.
    pub fn take_unit(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.unit)
    }

    /// Whether it runs as the server itself, whoever asks (`@security definer`).
    #[must_use]
    pub fn is_definers(&self) -> bool {
        self.definer
    }

    /// Whether the unit is to be taken back (`Prefer: tx=rollback`).
    #[must_use]
    pub fn rehearse(&self) -> bool {
        self.rehearse
    }

    /// How many rows the unit inserted, changed or deleted; of an SQL file, its last statement.
    #[must_use]
    pub fn affected(&self, outcomes: &[Outcome]) -> u64 {
        let of = |step: usize| outcomes.get(step).map_or(0, |outcome| outcome.affected);
        match &self.done {
            Done::Inserted { rows, .. } | Done::Merged { rows, .. } => *rows,
            Done::Changed { step, .. } | Done::File { step, .. } => of(*step),
            Done::Replaced { step, .. } => of(*step) + of(step + 1),
        }
    }

    /// Whether the same request, planned and run once more, may succeed: somebody else made a row
    /// between two steps.
    #[must_use]
    pub fn is_overtaken(&self, error: &DbError) -> bool {
        matches!(
            (&self.done, error),
            (
                Done::Merged { .. } | Done::Replaced { .. },
                DbError::Unique { .. }
            )
        )
    }

    /// The columns and values by which the written rows are to be read, in the same transaction,
    /// when the unit has run; `None` where it shows them itself.
    #[must_use]
    pub fn written(&self, outcomes: &[Outcome]) -> Option<(Vec<Ident>, Vec<Vec<Value>>)> {
        self.shown.written(outcomes)
    }

    /// Whether the rows are to be read when the unit has run: it then needs a transaction that
    /// stays open.
    #[must_use]
    pub fn reads_later(&self) -> bool {
        matches!(self.shown, Shown::Later { .. } | Shown::New { .. })
    }

    /// The answer, when the unit is committed; `read` are the rows that were read behind it.
    pub fn finish(self, outcomes: &[Outcome], read: Option<Success>) -> Result<Success, RestError> {
        let affected = |step: usize| outcomes.get(step).map_or(0, |outcome| outcome.affected);
        let rows = self.affected(outcomes);
        let is_created = match &self.done {
            Done::Inserted { .. } => true,
            Done::Merged { step, .. } => affected(*step) > 0,
            Done::File { .. } => false,
            Done::Changed { step, by_key } => match *by_key && affected(*step) == 0 {
                true => return Err(RestError::row()),
                false => false,
            },
            Done::Replaced { step, denied } => match (affected(*step), affected(step + 1)) {
                (0, 0) => return Err(denied.clone()),
                (changed, _) => changed == 0,
            },
        };
        let shown = match read {
            Some(read) => Some(read),
            None => self.shown.finish(outcomes)?,
        };
        let mut success = shown.unwrap_or_else(|| Success::empty(SuccessKind::NoContent));
        if is_created {
            success.kind = SuccessKind::Created;
        }
        match self.done {
            Done::Inserted { location, .. } => success.location = location,
            Done::File { status, cache, .. } => {
                success.kind = status.map_or(success.kind, SuccessKind::Declared);
                success.cache_control = cache;
            }
            Done::Merged { .. } | Done::Changed { .. } | Done::Replaced { .. } => {}
        }
        if self.counts {
            success.content_range = Some(format!("*/{rows}"));
        }
        success.preference_applied = self.applied;
        Ok(success)
    }
}

/// Plans a write of a table.
pub(crate) fn plan_write(
    context: Context<'_>,
    target: Target<'_>,
    request: &Request<'_>,
    read: &ReadRequest,
    key: Option<&[Value]>,
    media: Media,
    prefer: &Prefer,
) -> Result<WritePlan, RestError> {
    let writer = Writer {
        context,
        target,
        read,
        key,
        media,
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
    media: Media,
    prefer: &'r Prefer,
}

impl<'a> Writer<'a, '_> {
    fn table(&self) -> &'a Table {
        self.target.table
    }

    /// The columns of the primary key.
    fn primary(&self) -> &'a [Ident] {
        let primary = self.target.table.primary_key.as_ref();
        primary.map_or(&[][..], |key| &key.columns)
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
            .native(self.context.is_native)
    }

    /// The function that knows whether there is a row of a key, and what it takes, where the
    /// engine's own policies hide rows from the statement.
    fn taken(&self, key: &[Ident]) -> Option<(Ident, Vec<Ident>)> {
        if !self.context.is_native {
            return None;
        }
        let mut sorted = key.to_vec();
        sorted.sort();
        Some((schema::taken_function(&self.table().name, key), sorted))
    }

    fn representation(&self) -> bool {
        self.prefer.returning == Returning::Representation
    }

    /// Whether exactly one row is asked for and no key says that.
    fn is_single(&self) -> bool {
        self.media.format == Format::Object && self.key.is_none()
    }

    /// A change of rows names them; a limit would only seem to.
    fn require_filters(&self) -> Result<(), RestError> {
        let root = &self.read.root;
        if root.limit.is_some() || root.offset.is_some() {
            return Err(RestError::query("limit and offset are for reading")
                .hint("name the rows with filters"));
        }
        if self.key.is_none() && root.conditions.is_empty() {
            let message = "a change of rows needs a filter that says which";
            return Err(RestError::new(ErrorKind::BadRequest, "21000", message)
                .hint("for all of them write a filter that all satisfy, as id=not.is.null"));
        }
        Ok(())
    }

    fn write_of(
        &self,
        unit: Vec<Step>,
        done: Done,
        shown: Shown,
        named: &[(Ident, Value)],
    ) -> WritePlan {
        WritePlan::new(unit, done, shown, self.errors(named), self.prefer)
    }

    /// A form without relations, for rows that a statement returns itself.
    fn form(&self, columns: &[(String, &schema::Column)]) -> Form {
        shown::form(
            self.context,
            self.media,
            self.prefer,
            columns,
            self.key.is_some(),
        )
    }
}

/// "No row of the table has the same values in one of these keys", over the new row (binding 0);
/// the rows that the caller may not read are asked too, whatever rules apply around it.
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
        from: Some(every_row(table, OTHER)),
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

/// The table as a view that no policy narrows.
fn every_row(table: &Table, binding: u32) -> lang::FromItem {
    let inner = binding + 1;
    let projection = table.columns.iter().map(|column| lang::Projection {
        name: column.name.clone(),
        expr: Expr {
            kind: ExprKind::Column {
                binding: inner,
                column: column.name.clone(),
            },
            ty: Some(column.ty.clone()),
            nullable: column.nullable,
            span: Span::default(),
        },
    });
    let query = lang::Query {
        projection: projection.collect(),
        distinct: false,
        from: Some(lang::FromItem::Table {
            binding: inner,
            table: table.name.clone(),
        }),
        joins: Vec::new(),
        filter: None,
        group: Vec::new(),
        having: None,
        order: Vec::new(),
        limit: None,
        offset: None,
        span: Span::default(),
    };
    lang::FromItem::Derived {
        binding,
        query: Box::new(query),
        view: Some(lang::UsedView {
            name: table.name.clone(),
            security_invoker: false,
        }),
    }
}

fn null() -> Expr {
    Expr {
        kind: ExprKind::Literal(lang::Literal::Null),
        ty: None,
        nullable: true,
        span: Span::default(),
    }
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
