//! Writing: units of steps with the rules compiled into them.

use lang::{Expr, ExprKind, ExpressionWriter, InsertSource, Span, WriteKind, WriteRules};
use schema::Table;
use sql::{Dialect, Expect, Ident, Kind, Outcome, RowRef, RowSink, Sql, Step, Value};

use super::body::{self, Rows};
use super::explain::TableErrors;
use super::filter::write_conditions;
use super::{Context, Target};
use crate::access::{RequestEnvironment, as_constant, join};
use crate::json::{Field, RowWriter, member_key, write_value};
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
    /// A row was replaced by step 0 or made by step 1.
    Replaced { denied: RestError },
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
            AfterWrite::Replaced { denied } => {
                let affected =
                    |step: usize| outcomes.get(step).map_or(0, |outcome| outcome.affected);
                match (affected(0), affected(1)) {
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
    let mut writer = RowWriter::new(fields);
    for row in outcomes
        .get(step)
        .into_iter()
        .flat_map(|outcome| &outcome.rows)
    {
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
                Item::Column { alias, name } => {
                    let column = super::filter::readable(self.target, name)?;
                    shown.push((alias.clone().unwrap_or_else(|| name.clone()), column));
                }
                Item::Embed { .. } => {
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
            fields.push(Field::Column {
                key: member_key(key),
                index,
                kind,
            });
            kinds.push(kind);
        }
        (fields, kinds)
    }

    fn insert(&self, request: &Request<'_>) -> Result<WritePlan, RestError> {
        let has_filters = !self.read.root.conditions.is_empty() || self.read.root.limit.is_some();
        if has_filters || self.key.is_some() {
            return Err(RestError::query("an insert takes no filters")
                .hint("send the row in the body alone"));
        }
        if self.target.access.insertable().is_empty() {
            return Err(self.denied());
        }
        let (mut objects, is_array) =
            body::objects(self.context, request.content_type, request.body)?;
        if let Some(columns) = &self.read.columns {
            for object in &mut objects {
                object.retain(|key, _| columns.contains(key));
            }
        }
        if objects.is_empty() {
            let after = AfterWrite::Inserted {
                location: None,
                rows: None,
                object: self.object,
            };
            return Ok(WritePlan::new(
                Vec::new(),
                after,
                self.errors(&[]),
                self.prefer,
            ));
        }
        let rows = body::insert_rows(self.context, self.target, &objects, is_array)?;
        let shown = if self.representation() {
            self.shown()?
        } else {
            Vec::new()
        };
        let (fields, kinds) = Self::fields(&shown);
        let (sql, is_returning) = self.insert_sql(&rows, &shown);
        let count = rows.rows.len() as u64;
        let expect = if count == 1 {
            Expect::One
        } else {
            Expect::Rows(count)
        };
        let mut step = Step::new(sql).expecting(expect);
        if is_returning {
            step = step.returning(kinds.clone());
        }
        let mut unit = vec![step];
        if self.representation() && !is_returning {
            unit.push(self.read_back(&rows, &shown, kinds));
        }
        let shows = self.representation().then_some((unit.len() - 1, fields));
        let location = self.location(&rows);
        let after = AfterWrite::Inserted {
            location,
            rows: shows,
            object: self.object,
        };
        let named = match rows.rows.as_slice() {
            [row] => rows
                .columns
                .iter()
                .cloned()
                .zip(row.iter().cloned())
                .collect(),
            _ => Vec::new(),
        };
        Ok(WritePlan::new(
            unit,
            after,
            self.errors(&named),
            self.prefer,
        ))
    }

    /// The statement, and whether it returns the shown columns itself.
    fn insert_sql(&self, rows: &Rows, shown: &[(String, &schema::Column)]) -> (Sql, bool) {
        let parameters: Vec<Value> = rows.rows.iter().flatten().cloned().collect();
        let width = rows.columns.len();
        let values = (0..rows.rows.len()).map(|row| {
            (0..width)
                .map(|place| self.parameter(row * width + place, &rows.columns[place]))
                .collect()
        });
        let mut rule = self.target.access.insert_check.clone();
        if self.representation() {
            // PostgreSQL: a row that is shown must be one that may be read.
            rule = join(lang::BinaryOp::And, rule, self.target.access.read.clone());
        }
        let check = (as_constant(&rule) != Some(true)).then_some(&rule);
        let (columns, source) = self.with_checked_columns(&rows.columns, values.collect(), check);
        let write = lang::Write {
            table: self.table().name.clone(),
            kind: WriteKind::Insert {
                columns,
                source: InsertSource::Rows(source),
            },
            returning: Vec::new(),
            span: Span::default(),
        };
        let environment = self.environment(&parameters);
        let mut sql = Sql::new(self.context.dialect);
        ExpressionWriter::new(&mut sql, &environment)
            .write(&write, WriteRules { using: None, check });
        let is_returning = !shown.is_empty() && self.context.dialect.insert_returning();
        if is_returning {
            returning(&mut sql, shown);
        }
        (sql, is_returning)
    }

    fn parameter(&self, place: usize, column: &Ident) -> Expr {
        let ty = self
            .table()
            .column(column.as_str())
            .map(|column| column.ty.clone());
        Expr {
            kind: ExprKind::Parameter(place),
            ty,
            nullable: true,
            span: Span::default(),
        }
    }

    /// A rule sees the new row, so every column that it reads has to be in it, by its default.
    fn with_checked_columns(
        &self,
        columns: &[Ident],
        mut rows: Vec<Vec<Expr>>,
        check: Option<&Expr>,
    ) -> (Vec<Ident>, Vec<Vec<Expr>>) {
        let mut columns = columns.to_vec();
        for name in check.map(Expr::row_columns).unwrap_or_default() {
            if columns.contains(&name) {
                continue;
            }
            let column = self.table().column(name.as_str());
            let value = match column.and_then(|column| column.default.as_ref()) {
                Some(schema::ColumnDefault::Engine(expr)) => expr.clone(),
                Some(schema::ColumnDefault::Caller(_)) | None => Expr {
                    kind: ExprKind::Cast(
                        Box::new(null()),
                        column.map_or(lang::Type::Text, |column| column.ty.clone()),
                    ),
                    ..null()
                },
            };
            columns.push(name);
            rows.iter_mut().for_each(|row| row.push(value.clone()));
        }
        (columns, rows)
    }

    /// The new rows by their keys, where the engine returns nothing.
    fn read_back(
        &self,
        rows: &Rows,
        shown: &[(String, &schema::Column)],
        kinds: Vec<Kind>,
    ) -> Step {
        let mut sql = Sql::new(self.context.dialect);
        select(&mut sql, shown);
        sql.push(" from ").ident(&self.table().name).push(" where ");
        let key = self
            .table()
            .primary_key
            .as_ref()
            .map(|key| key.columns.as_slice());
        let key = key.unwrap_or_default();
        let known = key.iter().all(|column| rows.columns.contains(column));
        if known {
            for (place, row) in rows.rows.iter().enumerate() {
                sql.push(if place == 0 { "(" } else { " or (" });
                for (place, column) in key.iter().enumerate() {
                    let index = rows
                        .columns
                        .iter()
                        .position(|name| name == column)
                        .unwrap_or(0);
                    sql.push(if place == 0 { "" } else { " and " })
                        .ident(column)
                        .push(" = ");
                    sql.arg(row[index].clone());
                }
                sql.push(")");
            }
        } else if let Some(column) = key.first() {
            // Numbers of one statement follow each other (InnoDB, simple inserts).
            sql.ident(column)
                .push(" >= last_insert_id() order by ")
                .ident(column);
            sql.push(" limit ").number(rows.rows.len() as u64);
        } else {
            sql.push("1 = 0");
        }
        Step::new(sql).returning(kinds)
    }

    /// `/table/key` of a single new row whose key is known here.
    fn location(&self, rows: &Rows) -> Option<String> {
        let ([row], Some(key)) = (rows.rows.as_slice(), &self.table().primary_key) else {
            return None;
        };
        let mut texts = Vec::new();
        for column in &key.columns {
            let place = rows.columns.iter().position(|name| name == column)?;
            let kind = self.table().column(column.as_str())?.ty.kind();
            let mut json = Vec::new();
            write_value(&mut json, &row[place].as_ref(), kind);
            let text = String::from_utf8(json).ok()?;
            texts.push(encode(text.trim_matches('"')));
        }
        Some(format!(
            "/{}/{}",
            encode(self.table().name.as_str()),
            texts.join(",")
        ))
    }

    fn update(&self, request: &Request<'_>) -> Result<WritePlan, RestError> {
        if self.target.access.updatable().is_empty() {
            return Err(self.denied());
        }
        let (objects, is_array) = body::objects(self.context, request.content_type, request.body)?;
        let ([object], false) = (objects.as_slice(), is_array) else {
            return Err(RestError::new(
                ErrorKind::BadRequest,
                "PGRST102",
                "a change is one object",
            ));
        };
        let assignments = body::assignments(self.target, object)?;
        if assignments.is_empty() {
            return Err(RestError::new(
                ErrorKind::Unprocessable,
                "22000",
                "the body changes nothing",
            )
            .hint("send at least one field"));
        }
        let shown = if self.representation() {
            self.shown()?
        } else {
            Vec::new()
        };
        let (fields, kinds) = Self::fields(&shown);
        let mut unit: Vec<Step> = self.guard(&assignments)?.into_iter().collect();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("update ").ident(&self.table().name).push(" set ");
        self.assign(&mut sql, &assignments);
        self.wheres(&mut sql, &self.target.access.update_using)?;
        let changed = unit.len();
        let dialect = self.context.dialect;
        let rows = self.changed_rows(
            &mut unit,
            sql,
            dialect.update_returning(),
            &shown,
            kinds,
            &assignments,
        )?;
        let rows = self.representation().then_some((rows, fields));
        let by_key = self.key.is_some();
        let after = AfterWrite::Changed {
            step: changed,
            rows,
            by_key,
            object: self.object,
        };
        Ok(WritePlan::new(
            unit,
            after,
            self.errors(&assignments),
            self.prefer,
        ))
    }

    /// Adds the changing step, and the reading one where the engine returns nothing; gives the
    /// place of the rows.
    fn changed_rows(
        &self,
        unit: &mut Vec<Step>,
        mut sql: Sql,
        has_returning: bool,
        shown: &[(String, &schema::Column)],
        kinds: Vec<Kind>,
        assignments: &[(Ident, Value)],
    ) -> Result<usize, RestError> {
        let expect = self
            .prefer
            .max_affected
            .map_or(Expect::Anything, Expect::AtMost);
        let expect = if self.object && self.key.is_none() {
            Expect::Rows(1)
        } else {
            expect
        };
        if shown.is_empty() || has_returning {
            let mut step = if shown.is_empty() {
                Step::new(sql)
            } else {
                returning(&mut sql, shown);
                Step::new(sql).returning(kinds)
            };
            step = step.expecting(expect);
            unit.push(step);
            return Ok(unit.len() - 1);
        }
        let moved = conditions_name(&self.read.root.conditions, assignments);
        if moved {
            return Err(RestError::new(
                ErrorKind::BadRequest,
                "PGRST127",
                "this engine cannot show rows that the change takes out of the filter",
            )
            .hint("filter by a column that is not changed, or leave return=representation away"));
        }
        unit.push(Step::new(sql).expecting(expect));
        let mut back = Sql::new(self.context.dialect);
        select(&mut back, shown);
        back.push(" from ").ident(&self.table().name);
        self.wheres(&mut back, &crate::access::constant(true))?;
        unit.push(Step::new(back).returning(kinds));
        Ok(unit.len() - 1)
    }

    fn assign(&self, sql: &mut Sql, assignments: &[(Ident, Value)]) {
        for (place, (column, value)) in assignments.iter().enumerate() {
            let kind = self
                .table()
                .column(column.as_str())
                .map(|column| column.ty.kind());
            sql.push(if place == 0 { "" } else { ", " })
                .ident(column)
                .push(" = ");
            sql.typed_arg(value.clone(), kind.unwrap_or(Kind::Text));
        }
    }

    /// ` where key and filters and rules`, the table's own name as alias.
    fn wheres(&self, sql: &mut Sql, using: &Expr) -> Result<(), RestError> {
        let table = &self.table().name;
        sql.push(" where 1 = 1");
        let primary = self
            .table()
            .primary_key
            .as_ref()
            .map(|key| key.columns.as_slice());
        for (column, value) in primary
            .unwrap_or_default()
            .iter()
            .zip(self.key.unwrap_or_default())
        {
            let kind = self
                .table()
                .column(column.as_str())
                .map(|column| column.ty.kind());
            sql.push(" and ").column(table, column).push(" = ");
            sql.typed_arg(value.clone(), kind.unwrap_or(Kind::Text));
        }
        write_conditions(sql, self.target, table, &self.read.root.conditions)?;
        // What is found by reading must be readable, as in PostgreSQL.
        for rule in [using, &self.target.access.read] {
            if as_constant(rule) != Some(true) {
                let environment = self.environment(&[]);
                sql.push(" and ");
                ExpressionWriter::new(sql, &environment).expression(rule, Some(table));
            }
        }
        Ok(())
    }

    /// A step that fails when a changed row would break its rule; none where the rule reads
    /// nothing that changes and has decided already which rows may be changed.
    fn guard(&self, assignments: &[(Ident, Value)]) -> Result<Option<Step>, RestError> {
        let access = self.target.access;
        let check = &access.update_check;
        let reads = check.row_columns();
        let touched = assignments.iter().any(|(column, _)| reads.contains(column));
        let decided = as_constant(check) == Some(true) || *check == access.update_using;
        if decided && !touched {
            return Ok(None);
        }
        if as_constant(check) == Some(true) {
            return Ok(None);
        }
        let (table, row) = (&self.table().name, Ident::of("n"));
        let mut sql = Sql::new(self.context.dialect);
        sql.push("select 1 from (select ");
        for (place, column) in self.table().columns.iter().enumerate() {
            sql.push(if place == 0 { "" } else { ", " });
            match assignments.iter().find(|(name, _)| *name == column.name) {
                Some((name, value)) => {
                    sql.typed_arg(value.clone(), column.ty.kind())
                        .push(" as ")
                        .ident(name);
                }
                None => {
                    sql.column(table, &column.name)
                        .push(" as ")
                        .ident(&column.name);
                }
            }
        }
        sql.push(" from ").ident(table);
        self.wheres(&mut sql, &access.update_using)?;
        sql.push(") as n where not coalesce(");
        let environment = self.environment(&[]);
        ExpressionWriter::new(&mut sql, &environment).expression(check, Some(&row));
        sql.push(match self.context.dialect {
            Dialect::Sqlite => ", 0) limit 1",
            Dialect::Postgres | Dialect::MySql | Dialect::MariaDb => ", false) limit 1",
        });
        Ok(Some(
            Step::new(sql)
                .returning(vec![Kind::Integer])
                .expecting(Expect::Rows(0)),
        ))
    }

    fn replace(&self, request: &Request<'_>) -> Result<WritePlan, RestError> {
        let access = self.target.access;
        let Some(key) = self.key else {
            return Err(RestError::query("a replacement is of one row").hint("PUT /table/key"));
        };
        if !self.read.root.conditions.is_empty() || self.read.select.is_some() {
            return Err(RestError::new(
                ErrorKind::Unprocessable,
                "PGRST114",
                "a replacement takes its values from the body alone",
            )
            .hint("leave the query string away"));
        }
        if access.updatable().is_empty() {
            return Err(self.denied());
        }
        let (objects, is_array) = body::objects(self.context, request.content_type, request.body)?;
        let ([object], false) = (objects.as_slice(), is_array) else {
            return Err(RestError::new(
                ErrorKind::BadRequest,
                "PGRST102",
                "a replacement is one object",
            ));
        };
        let mut assignments = body::assignments(self.target, object)?;
        // What the body leaves out goes back to its default.
        for column in &self.table().columns {
            let named = assignments.iter().any(|(name, _)| *name == column.name);
            let in_key = self
                .table()
                .primary_key
                .as_ref()
                .is_some_and(|k| k.columns.contains(&column.name));
            if !named && !in_key && column.nullable && access.updatable().contains(&column.name) {
                assignments.push((column.name.clone(), Value::Null));
            }
        }
        if assignments.is_empty() {
            return Err(RestError::new(
                ErrorKind::Unprocessable,
                "22000",
                "the body holds nothing",
            ));
        }
        let mut unit: Vec<Step> = self.guard(&assignments)?.into_iter().collect();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("update ").ident(&self.table().name).push(" set ");
        self.assign(&mut sql, &assignments);
        self.wheres(&mut sql, &access.update_using)?;
        let step = unit.len();
        unit.push(Step::new(sql));
        let insertable = |column: &Ident| access.insertable().contains(column);
        let primary = self
            .table()
            .primary_key
            .as_ref()
            .map(|k| k.columns.clone())
            .unwrap_or_default();
        if !primary.iter().all(insertable) {
            // The caller cannot choose keys, so there is nothing to make.
            let after = AfterWrite::Changed {
                step,
                rows: None,
                by_key: true,
                object: false,
            };
            return Ok(WritePlan::new(
                unit,
                after,
                self.errors(&assignments),
                self.prefer,
            ));
        }
        let mut whole = object.clone();
        for (column, value) in primary.iter().zip(key) {
            let kind = self
                .table()
                .column(column.as_str())
                .map_or(Kind::Text, |c| c.ty.kind());
            let mut json = Vec::new();
            write_value(&mut json, &value.as_ref(), kind);
            let json = serde_json::from_slice(&json).unwrap_or(serde_json::Value::Null);
            whole.insert(column.to_string(), json);
        }
        let rows = body::insert_rows(self.context, self.target, &[whole], false)?;
        unit.push(Step::new(self.insert_if_missing(&rows, &primary)));
        let after = match step {
            0 => AfterWrite::Replaced {
                denied: self.denied(),
            },
            _ => AfterWrite::Changed {
                step,
                rows: None,
                by_key: true,
                object: false,
            },
        };
        Ok(WritePlan::new(
            unit,
            after,
            self.errors(&assignments),
            self.prefer,
        ))
    }

    fn insert_if_missing(&self, rows: &Rows, primary: &[Ident]) -> Sql {
        let missing = missing_row(self.table(), &[primary.to_vec()]);
        let rule = join(
            lang::BinaryOp::And,
            self.target.access.insert_check.clone(),
            missing,
        );
        let parameters: Vec<Value> = rows.rows.iter().flatten().cloned().collect();
        let row: Vec<Expr> = rows
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| self.parameter(place, column))
            .collect();
        let (columns, rows) = self.with_checked_columns(&rows.columns, vec![row], Some(&rule));
        let write = lang::Write {
            table: self.table().name.clone(),
            kind: WriteKind::Insert {
                columns,
                source: InsertSource::Rows(rows),
            },
            returning: Vec::new(),
            span: Span::default(),
        };
        let Context { caller, moment, .. } = self.context;
        let environment = RequestEnvironment::new(Some(caller), moment, None, &parameters);
        let mut sql = Sql::new(self.context.dialect);
        ExpressionWriter::new(&mut sql, &environment).write(
            &write,
            WriteRules {
                using: None,
                check: Some(&rule),
            },
        );
        sql
    }

    fn delete(&self) -> Result<WritePlan, RestError> {
        if !self.target.access.delete {
            return Err(self.denied());
        }
        let shown = if self.representation() {
            self.shown()?
        } else {
            Vec::new()
        };
        let (fields, kinds) = Self::fields(&shown);
        let mut unit = Vec::new();
        let mut sql = Sql::new(self.context.dialect);
        sql.push("delete from ").ident(&self.table().name);
        self.wheres(&mut sql, &self.target.access.delete_using)?;
        let has_returning = self.context.dialect.delete_returning();
        let mut rows = 0;
        if !shown.is_empty() && !has_returning {
            let mut before = Sql::new(self.context.dialect);
            select(&mut before, &shown);
            before.push(" from ").ident(&self.table().name);
            self.wheres(&mut before, &self.target.access.delete_using)?;
            unit.push(Step::new(before).returning(kinds.clone()));
        }
        let step = unit.len();
        let mut delete = if !shown.is_empty() && has_returning {
            returning(&mut sql, &shown);
            Step::new(sql).returning(kinds)
        } else {
            Step::new(sql)
        };
        if let Some(most) = self.prefer.max_affected {
            delete = delete.expecting(Expect::AtMost(most));
        }
        unit.push(delete);
        if has_returning {
            rows = step;
        }
        let rows = self.representation().then_some((rows, fields));
        let by_key = self.key.is_some();
        let after = AfterWrite::Changed {
            step,
            rows,
            by_key,
            object: self.object,
        };
        Ok(WritePlan::new(unit, after, self.errors(&[]), self.prefer))
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
        Condition::Compare { column, .. } => assignments
            .iter()
            .any(|(name, _)| *name == *column.as_str()),
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
