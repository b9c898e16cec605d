//! Requests to endpoints: matched, allowed, rendered.

use std::borrow::Cow;

use lang::{
    CheckedStatement, ExpressionWriter, InsertSource, Projection, Query as Tree, Write, WriteKind,
    WriteRules,
};
use schema::Table;
use sql::{Dialect, Expect, Kind, Query, Sql, Step, Value};
use stdx::{Clock, Rng};

use super::parameters::Given;
use super::{Call, Endpoint, Segment, by_name};
use crate::access::{Access, RequestEnvironment, as_constant, join};
use crate::json::{Field, Style};
use crate::plan::{
    Context, Done, FileRows, Form, Shown, TableErrors, Target, Wanted, plan_read,
    with_checked_columns,
};
use crate::request::{Count, Format, Media, Prefer, negotiate, parse_pairs};
use crate::{
    Answer, Api, BaseRole, Caller, ErrorKind, Method, Moment, Plan, ReadPlan, Request, RestError,
    RoleSet, WritePlan,
};

/// How a request wants its answer.
#[derive(Clone, Copy)]
struct Asked<'a> {
    context: Context<'a>,
    prefer: &'a Prefer,
    media: Media,
}

/// The plan of the endpoint that the request is for, if one is.
pub(crate) fn match_path(
    endpoints: &[Endpoint],
    request: &Request<'_>,
    context: Context<'_>,
) -> Result<Option<Plan>, RestError> {
    let method = if request.method == Method::Head {
        Method::Get
    } else {
        request.method
    };
    let mut allowed = Vec::new();
    for endpoint in endpoints
        .iter()
        .filter(|endpoint| endpoint.is_at(request.path))
    {
        if endpoint.method == method {
            return endpoint.plan(request, context, Call::Route).map(Some);
        }
        allowed.push(endpoint.method.name());
    }
    let is_table = request
        .path
        .first()
        .is_some_and(|name| context.target(name).is_some());
    if allowed.is_empty() || (is_table && request.path.len() <= 2) {
        return Ok(None);
    }
    let mut error = RestError::new(
        ErrorKind::MethodNotAllowed,
        "PGRST117",
        "this path takes other methods",
    );
    error.allow = Some(allowed.join(", "));
    Err(error)
}

/// `/rpc/name`: the plan of the file of that name. GET calls what reads; POST what writes, or else
/// what reads.
pub(crate) fn match_name(
    endpoints: &[Endpoint],
    name: &str,
    request: &Request<'_>,
    context: Context<'_>,
) -> Result<Plan, RestError> {
    let named: Vec<&Endpoint> = endpoints
        .iter()
        .filter(|file| file.name() == name)
        .collect();
    if named.is_empty() {
        let message = format!("there is no SQL file that is called {name}");
        let error = RestError::new(ErrorKind::NotFound, "PGRST202", message);
        let names: Vec<String> = endpoints.iter().map(Endpoint::name).collect();
        return Err(
            match stdx::nearest(name, names.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint("api/feed.get.sql is called /rpc/feed"),
            },
        );
    }
    match by_name(endpoints, name, request.method) {
        Some(file) => file.plan(request, context, Call::Name),
        None => {
            let reading = named.iter().find(|file| file.method == Method::Get);
            let message = "this file is called with another method";
            let mut error = RestError::new(ErrorKind::MethodNotAllowed, "PGRST117", message);
            error.allow = Some(String::from(match reading {
                Some(_) => "GET, HEAD, POST, OPTIONS",
                None => "POST, OPTIONS",
            }));
            Err(error)
        }
    }
}

impl Endpoint {
    pub(crate) fn is_at(&self, path: &[Cow<'_, str>]) -> bool {
        self.segments.len() == path.len()
            && self
                .segments
                .iter()
                .zip(path)
                .all(|(segment, part)| match segment {
                    Segment::Fixed(text) => text == part,
                    Segment::Parameter(_) => true,
                })
    }

    fn plan(
        &self,
        request: &Request<'_>,
        context: Context<'_>,
        call: Call,
    ) -> Result<Plan, RestError> {
        if !self.roles.iter().any(|role| context.caller.roles.has(role)) {
            let kind = match context.is_anonymous() {
                true => ErrorKind::Unauthenticated,
                false => ErrorKind::Denied,
            };
            return Err(RestError::new(
                kind,
                "42501",
                "your roles may not call this",
            ));
        }
        let given = self.given(request, call)?;
        let asked = Asked {
            context,
            prefer: &Prefer::parse(request.prefer)?,
            media: negotiate(request.accept)?,
        };
        if let [CheckedStatement::Query(query)] = self.statements.as_slice() {
            return self
                .reading(query, &given, asked, request.range)
                .map(Plan::Read);
        }
        for statement in &self.statements {
            if let CheckedStatement::Write(write) = statement
                && !self.definer
                && !rules_hold(context.access, write)
            {
                return Err(RestError::denied(&write.table, context.is_anonymous()));
            }
        }
        Ok(Plan::Write(self.writing(&given.values, asked)))
    }

    /// The file's query, or one on top of it where the request asks for more than its result.
    fn reading(
        &self,
        query: &Tree,
        given: &Given,
        asked: Asked<'_>,
        range: Option<&str>,
    ) -> Result<ReadPlan, RestError> {
        let Asked {
            context,
            prefer,
            media,
        } = asked;
        let answer = self.answer.clone().unwrap_or(Answer::Many);
        let is_more = !given.rest.is_empty() || prefer.count != Count::None || range.is_some();
        let mut plan = match self.relation.as_ref().filter(|_| is_more) {
            Some(relation) => {
                let mut read = parse_pairs(&given.rest, context.limits)?;
                if let Some(range) = range {
                    read.page(range)?;
                }
                let target = Target {
                    table: &relation.table,
                    view: None,
                    file: Some(FileRows {
                        query,
                        parameters: &given.values,
                        definer: self.definer,
                    }),
                    access: &relation.access,
                };
                let plan = plan_read(context, target, &read, Wanted::All, media, prefer)?;
                match answer {
                    Answer::Many => plan,
                    answer => plan.answering(answer),
                }
            }
            None => {
                let environment = self.environment(context, &given.values);
                let (sql, kinds) = rendered(query, context.dialect, &environment);
                let form = self.form(asked, answer);
                ReadPlan::of_rows(Query::long(sql, kinds), form, prefer)
            }
        };
        plan.cache_control.clone_from(&self.cache);
        plan.status = self.status;
        plan.definer = self.definer;
        Ok(plan)
    }

    /// What becomes of the last statement's rows.
    fn form(&self, asked: Asked<'_>, answer: Answer) -> Form {
        let limits = asked.context.limits;
        let style = Style {
            max_rows: limits.max_rows,
            ..Style::of(asked.media, asked.prefer, limits.max_response_bytes)
        };
        let is_list = answer == Answer::Many;
        let answer = match (answer, asked.media.format) {
            (Answer::Many, Format::Object) => Answer::Single,
            (answer, _) => answer,
        };
        let is_page = is_list && answer == Answer::Many;
        let form = Form::of_rows(fields(&self.projection()), style, answer);
        let form = form.formatted(asked.media.format);
        match is_page {
            true => form.page(0),
            false => form,
        }
    }

    fn environment<'e>(&self, context: Context<'e>, values: &'e [Value]) -> RequestEnvironment<'e> {
        let Context {
            caller,
            moment,
            access,
            ..
        } = context;
        // A definer's file runs as the server itself.
        let is_native = context.is_native && !self.definer;
        let access = (!self.definer).then_some(access);
        RequestEnvironment::new(Some(caller), moment, access, values).native(is_native)
    }

    /// The columns of the last statement.
    pub(crate) fn projection(&self) -> Vec<Projection> {
        match self.statements.last() {
            Some(CheckedStatement::Query(query)) => query.projection.clone(),
            Some(CheckedStatement::Write(write)) => write.returning.clone(),
            None => Vec::new(),
        }
    }

    fn writing(&self, values: &[Value], asked: Asked<'_>) -> WritePlan {
        let context = asked.context;
        let environment = &self.environment(context, values);
        let mut unit = Vec::new();
        let mut tables: Vec<Table> = Vec::new();
        let mut last = 0;
        for statement in &self.statements {
            match statement {
                CheckedStatement::Query(query) => {
                    let (sql, kinds) = rendered(query, context.dialect, environment);
                    unit.push(Step::new(sql).returning(kinds));
                    last = unit.len() - 1;
                }
                CheckedStatement::Write(write) => {
                    let table = context.catalog.table(write.table.as_str());
                    tables.extend(table.cloned());
                    last = write_steps(&mut unit, write, table, context.dialect, environment);
                }
            }
        }
        let denied = match self.statements.first() {
            Some(CheckedStatement::Write(write)) => {
                RestError::denied(&write.table, context.is_anonymous())
            }
            _ => RestError::new(ErrorKind::Denied, "42501", "the rules do not allow this"),
        };
        let errors = TableErrors::of_tables(tables, denied, context.dialect);
        if let (Some(most), Some(step)) = (asked.prefer.max_affected, unit.get_mut(last))
            && step.expect == Expect::Anything
        {
            step.expect = Expect::AtMost(most);
        }
        let done = Done::File {
            step: last,
            status: self.status,
            cache: self.cache.clone(),
        };
        let shown = match &self.answer {
            None => Shown::Nothing,
            Some(answer) => Shown::Returned(last, Box::new(self.form(asked, answer.clone()))),
        };
        let mut plan = WritePlan::new(unit, done, shown, errors, asked.prefer);
        plan.definer = self.definer;
        plan
    }

    /// The statements as each role would run them, for the engine to compile.
    pub(crate) fn samples(&self, api: &Api, dialect: Dialect) -> Vec<(String, Sql)> {
        let (clock, rng) = (Clock::manual(jiff::Timestamp::UNIX_EPOCH), Rng::seeded(0));
        let moment = Moment {
            now: jiff::Timestamp::UNIX_EPOCH,
            clock: &clock,
            rng: &rng,
        };
        let values = vec![Value::Null; self.parameters.len()];
        let mut samples = Vec::new();
        for role in &self.roles {
            let base = match role.as_str() {
                "anon" => BaseRole::Anon,
                "service" => BaseRole::Service,
                _ => BaseRole::Authenticated,
            };
            let roles = RoleSet::effective(api.catalog(), base, &[role.to_string()]);
            let rights = api.rights(&roles);
            let caller = Caller {
                roles,
                base_role: base,
                ..Caller::anonymous(api.catalog())
            };
            let access = (!self.definer).then_some(&rights.access);
            let environment = RequestEnvironment::new(Some(&caller), moment, access, &values);
            for statement in &self.statements {
                match statement {
                    CheckedStatement::Query(query) => {
                        samples.push((self.path.clone(), rendered(query, dialect, &environment).0));
                    }
                    CheckedStatement::Write(write) => {
                        let mut unit = Vec::new();
                        let table = api.catalog().table(write.table.as_str());
                        write_steps(&mut unit, write, table, dialect, &environment);
                        samples.extend(unit.into_iter().map(|step| (self.path.clone(), step.sql)));
                    }
                }
            }
        }
        samples
    }
}

pub(super) fn rendered(
    query: &Tree,
    dialect: Dialect,
    environment: &RequestEnvironment<'_>,
) -> (Sql, Vec<Kind>) {
    let mut sql = Sql::new(dialect);
    ExpressionWriter::new(&mut sql, environment).query(query);
    (sql, kinds(&query.projection))
}

/// Adds a write's steps; gives the place of the one that has its rows.
pub(super) fn write_steps(
    unit: &mut Vec<Step>,
    write: &Write,
    table: Option<&Table>,
    dialect: Dialect,
    environment: &RequestEnvironment<'_>,
) -> usize {
    let access = environment
        .access
        .and_then(|access| access.table(write.table.as_str()));
    let rule = |expr: Option<&lang::Expr>| expr.filter(|e| as_constant(e) != Some(true)).cloned();
    // What is found by reading must be readable, as in PostgreSQL.
    let found = |using: Option<&lang::Expr>| {
        let both = using
            .zip(access)
            .map(|(using, access)| join(lang::BinaryOp::And, using.clone(), access.read.clone()));
        rule(both.as_ref())
    };
    let (using, check, has_returning) = match &write.kind {
        WriteKind::Insert { .. } => {
            let check = access.map(|access| match write.returning.is_empty() {
                true => access.insert_check.clone(),
                // What is shown must be readable, as in PostgreSQL.
                false => join(
                    lang::BinaryOp::And,
                    access.insert_check.clone(),
                    access.read.clone(),
                ),
            });
            (None, rule(check.as_ref()), dialect.insert_returning())
        }
        WriteKind::Update { .. } => (
            found(access.map(|a| &a.update_using)),
            None,
            dialect.update_returning(),
        ),
        WriteKind::Delete { .. } => (
            found(access.map(|a| &a.delete_using)),
            None,
            dialect.delete_returning(),
        ),
    };
    let mut whole = Cow::Borrowed(write);
    if let (WriteKind::Insert { columns, source }, Some(table)) = (&write.kind, table)
        && let (InsertSource::Rows(rows), Some(check)) = (source, &check)
    {
        let (columns, rows) = with_checked_columns(table, columns, rows.clone(), Some(check));
        let source = InsertSource::Rows(rows);
        whole.to_mut().kind = WriteKind::Insert { columns, source };
    }
    let write = whole.as_ref();
    let kinds = kinds(&write.returning);
    let shown = !write.returning.is_empty();
    let mut back = None;
    if shown && !has_returning && matches!(write.kind, WriteKind::Delete { .. }) {
        back = Some(unit.len());
        unit.push(read_back(write, table, dialect, environment, kinds.clone()));
    }
    let mut sql = Sql::new(dialect);
    let rules = WriteRules {
        using: using.as_ref(),
        check: check.as_ref(),
        taken: None,
    };
    ExpressionWriter::new(&mut sql, environment).write(write, rules);
    let step = Step::new(sql).expecting(rows_of(write, check.is_some()));
    unit.push(if shown && has_returning {
        step.returning(kinds.clone())
    } else {
        step
    });
    let place = unit.len() - 1;
    if shown && !has_returning && back.is_none() {
        unit.push(read_back(write, table, dialect, environment, kinds));
        return unit.len() - 1;
    }
    back.unwrap_or(place)
}

/// Where an engine returns nothing, the rows are read by the write's own filter, or new ones by
/// their keys.
fn read_back(
    write: &Write,
    table: Option<&Table>,
    dialect: Dialect,
    environment: &RequestEnvironment<'_>,
    kinds: Vec<Kind>,
) -> Step {
    let mut sql = Sql::new(dialect);
    environment.reading_back.set(true);
    let mut writer = ExpressionWriter::new(&mut sql, environment);
    match &write.kind {
        WriteKind::Update { filter, .. } | WriteKind::Delete { filter } => {
            let all = crate::access::constant(true);
            writer.read_back(write, filter.as_ref().unwrap_or(&all));
        }
        WriteKind::Insert { columns, source } => {
            let rows = match source {
                InsertSource::Rows(rows) => rows.len() as u64,
                InsertSource::Query(_) => u64::MAX,
            };
            let key = table.and_then(|table| table.primary_key.as_ref());
            let key = key.map_or(&[][..], |key| &key.columns);
            match (new_rows(key, columns, source), numbered(table)) {
                (Some(filter), _) => writer.read_back(write, &filter),
                (None, Some(column)) => writer.read_back_numbered(write, column, rows),
                (None, None) => writer.read_back(write, &crate::access::constant(false)),
            }
        }
    }
    environment.reading_back.set(false);
    Step::new(sql).returning(kinds)
}

/// The column that the engine numbers.
fn numbered(table: Option<&Table>) -> Option<&sql::Ident> {
    let mut columns = table?.columns.iter();
    columns
        .find(|column| column.identity)
        .map(|column| &column.name)
}

/// "It has the key that was just given", where the statement gives one.
fn new_rows(
    key: &[sql::Ident],
    columns: &[sql::Ident],
    source: &InsertSource,
) -> Option<lang::Expr> {
    let places: Vec<usize> = key
        .iter()
        .map(|name| columns.iter().position(|column| column == name))
        .collect::<Option<_>>()?;
    let condition = |values: &dyn Fn(usize) -> Option<lang::Expr>| {
        let equal = places.iter().map(|place| {
            let value = values(*place)?;
            let own = lang::Expr {
                kind: lang::ExprKind::Column {
                    binding: 0,
                    column: columns[*place].clone(),
                },
                ..value.clone()
            };
            let both = (Box::new(own), Box::new(value));
            Some(lang::Expr {
                kind: lang::ExprKind::Binary(lang::BinaryOp::Eq, both.0, both.1),
                ..crate::access::constant(true)
            })
        });
        let equal: Option<Vec<lang::Expr>> = equal.collect();
        equal?
            .into_iter()
            .reduce(|left, right| join(lang::BinaryOp::And, left, right))
    };
    match source {
        InsertSource::Rows(rows) => {
            let rows = rows
                .iter()
                .map(|row| condition(&|place| row.get(place).cloned()));
            let rows: Option<Vec<lang::Expr>> = rows.collect();
            rows?
                .into_iter()
                .reduce(|left, right| join(lang::BinaryOp::Or, left, right))
        }
        // Only an id that was made for the row can be said again without the query.
        InsertSource::Query(query) => condition(&|place| {
            let expr = &query.projection.get(place)?.expr;
            matches!(expr.kind, lang::ExprKind::NewId { .. }).then(|| expr.clone())
        }),
    }
}

fn kinds(projection: &[Projection]) -> Vec<Kind> {
    projection
        .iter()
        .map(|column| column.expr.ty.as_ref().map_or(Kind::Text, lang::Type::kind))
        .collect()
}

fn fields(projection: &[Projection]) -> Vec<Field> {
    let kinds = kinds(projection);
    projection
        .iter()
        .zip(kinds)
        .enumerate()
        .map(|(index, (column, kind))| Field::column(column.name.as_str(), index, kind))
        .collect()
}

/// Rows that a rule keeps out of an insert are a refusal, not silence.
fn rows_of(write: &Write, is_checked: bool) -> Expect {
    match &write.kind {
        WriteKind::Insert {
            source: InsertSource::Rows(rows),
            ..
        } if is_checked => Expect::Rows(rows.len() as u64),
        _ => Expect::Anything,
    }
}

/// Whether a write of an SQL file can be trusted to the rules that its statement carries: an
/// update only where no rule looks at what it assigns, an insert from a query only where nothing
/// is checked. Everything else goes through the table's own route or a definer's file.
pub(super) fn rules_hold(access: &Access, write: &Write) -> bool {
    let Some(access) = access.table(write.table.as_str()) else {
        return false;
    };
    match &write.kind {
        WriteKind::Update { assignments, .. } => {
            let touched = |rule: &lang::Expr| {
                let reads = rule.row_columns();
                assignments.iter().any(|(column, _)| reads.contains(column))
            };
            let check = &access.update_check;
            let is_kept = *check == access.update_using && !touched(check);
            !touched(&access.read) && (as_constant(check) == Some(true) || is_kept)
        }
        WriteKind::Insert {
            source: InsertSource::Query(_),
            ..
        } => {
            let is_seen = write.returning.is_empty() || as_constant(&access.read) == Some(true);
            is_seen && as_constant(&access.insert_check) == Some(true)
        }
        WriteKind::Insert { .. } | WriteKind::Delete { .. } => true,
    }
}
