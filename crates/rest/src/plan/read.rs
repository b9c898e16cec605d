//! Reading: one statement for the rows and their to-one relations, one more for each to-many.

use lang::{Expr, ExpressionWriter};
use sql::{DbResult, Ident, Kind, Query, RowRef, RowSink, Sql, ValueRef, Weight};

use super::filter::{write_conditions, write_order};
use super::select::{Embed, Part, resolve};
use super::{Context, Target};
use crate::access::{RequestEnvironment, as_constant};
use crate::json::{ChildWriter, Field, RowWriter, member_key};
use crate::request::{Prefer, ReadRequest};
use crate::{ContentType, ErrorKind, RestError, Success, SuccessKind};

/// The alias of the table that is read.
const ROOT: Ident = Ident::of("r");

/// The alias of a table whose rows are many for each row that is read.
const CHILD: Ident = Ident::of("c");

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
    children: Vec<(Query, ChildWriter)>,
    count: Option<(Query, Count)>,
    rows: (Query, RowWriter),
    answer: Answer,
    offset: u64,
    has_range: bool,
    applied: Vec<String>,
    /// `Cache-Control` and status of an SQL file.
    pub(crate) cache_control: Option<String>,
    pub(crate) status: Option<u16>,
}

/// Takes the one number of a counting statement.
#[derive(Default)]
struct Count(Option<u64>);

impl RowSink for Count {
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
    /// The statements, to be run in one snapshot when there are several.
    pub fn parts(&mut self) -> Vec<ReadPart<'_>> {
        let mut parts: Vec<ReadPart<'_>> = Vec::with_capacity(1 + self.children.len());
        parts.push((&self.rows.0, &mut self.rows.1));
        for (query, writer) in &mut self.children {
            parts.push((query, writer));
        }
        if let Some((query, count)) = &mut self.count {
            parts.push((query, count));
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
        let total = self.count.and_then(|(_, count)| count.0);
        if self.has_range {
            if let Some(total) = total.filter(|total| self.offset > *total) {
                let message = format!(
                    "the offset {} is behind the last of {total} rows",
                    self.offset
                );
                return Err(RestError::new(
                    ErrorKind::RangeNotSatisfiable,
                    "PGRST103",
                    message,
                ));
            }
            let total_text = total.map_or(String::from("*"), |total| total.to_string());
            success.content_range = Some(match rows {
                0 => format!("*/{total_text}"),
                _ => format!("{}-{}/{total_text}", self.offset, self.offset + rows - 1),
            });
            if total.is_some_and(|total| rows < total) {
                success.kind = SuccessKind::PartialRows;
            }
        }
        if self.answer != Answer::Many {
            success.content_type = ContentType::Object;
        }
        if let Some(status) = self.status {
            success.kind = SuccessKind::Declared(status);
        }
        success.preference_applied = self.applied;
        success.cache_control = self.cache_control;
        Ok(success)
    }
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

/// A read with one statement and given fields, as SQL files have it.
pub(crate) fn row_plan(query: Query, fields: Vec<Field>, answer: Answer) -> ReadPlan {
    ReadPlan {
        children: Vec::new(),
        count: None,
        rows: (query, RowWriter::new(fields)),
        answer,
        offset: 0,
        has_range: false,
        applied: Vec::new(),
        cache_control: None,
        status: None,
    }
}

/// Plans a read of a table.
pub(crate) fn plan_read(
    context: Context<'_>,
    target: Target<'_>,
    request: &ReadRequest,
    key: Option<&[sql::Value]>,
    object: bool,
    prefer: &Prefer,
) -> Result<ReadPlan, RestError> {
    if target.access.readable().is_empty() {
        return Err(RestError::table(target.table.name.as_str(), None));
    }
    let limit = limit(context, request)?;
    let mut reader = Reader {
        context,
        target,
        request,
        key,
        limit,
    };
    let parts = resolve(context, target, request.select.as_ref(), &request.embeds)?;
    let (rows, children) = reader.statements(&parts)?;
    let count = match prefer.exact_count && key.is_none() {
        true => Some((reader.count(&parts)?, Count::default())),
        false => None,
    };
    Ok(ReadPlan {
        children,
        count,
        rows,
        answer: if object || key.is_some() {
            Answer::One
        } else {
            Answer::Many
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
        Some(limit) => Err(RestError::new(
            ErrorKind::Unprocessable,
            "PGRST103",
            format!("limit={limit} is more than {most} rows"),
        )
        .hint("read in pages with limit and offset; the limit is max_rows")),
    }
}

struct Reader<'a, 'r> {
    context: Context<'a>,
    target: Target<'a>,
    request: &'r ReadRequest,
    key: Option<&'r [sql::Value]>,
    limit: u64,
}

impl Reader<'_, '_> {
    #[expect(
        clippy::type_complexity,
        reason = "a statement with its sink, and more of them"
    )]
    fn statements(
        &mut self,
        parts: &[Part<'_>],
    ) -> Result<((Query, RowWriter), Vec<(Query, ChildWriter)>), RestError> {
        let root = &ROOT;
        let mut sql = Sql::new(self.context.dialect);
        let mut columns = Columns {
            sql: &mut sql,
            kinds: Vec::new(),
        };
        columns.sql.push("select ");
        let mut fields = Vec::new();
        let mut children = Vec::new();
        for part in parts {
            match part {
                Part::Column(chosen) => {
                    let kind = chosen.column.ty.kind();
                    let index = columns.add(root, &chosen.column.name, kind);
                    fields.push(Field::Column {
                        key: member_key(chosen.key),
                        index,
                        kind,
                    });
                }
                Part::Embed(embed) if embed.to_one => {
                    fields.push(columns.embed(embed));
                }
                Part::Embed(embed) => {
                    let (query, writer) = self.child(embed, parts)?;
                    let (own, kind) = tie(self.target, embed)?;
                    let index = columns.add(root, own, kind);
                    let key = member_key(embed.key);
                    fields.push(Field::Many {
                        key,
                        child: children.len(),
                        index,
                        kind,
                    });
                    children.push((query, writer));
                }
            }
        }
        if columns.kinds.is_empty() {
            columns.sql.push("1");
            columns.kinds.push(Kind::Integer);
        }
        let kinds = columns.kinds;
        self.relation(&mut sql, root, parts)?;
        self.page(&mut sql, root)?;
        let weight = if self.is_short() {
            Weight::Short
        } else {
            Weight::Long
        };
        Ok((
            (Query { sql, kinds, weight }, RowWriter::new(fields)),
            children,
        ))
    }

    fn is_short(&self) -> bool {
        self.key.is_some()
            || (self.limit <= 1_000 && self.request.root.offset.unwrap_or(0) <= 10_000)
    }

    /// ` from … where …`, the same for the rows, their count and their children.
    fn relation(&self, sql: &mut Sql, root: &Ident, parts: &[Part<'_>]) -> Result<(), RestError> {
        sql.push(" from ");
        self.named(sql, self.target, root);
        let mut exists = Vec::new();
        for part in parts {
            let Part::Embed(embed) = part else { continue };
            if !embed.to_one {
                if embed.inner {
                    exists.push(embed);
                }
                continue;
            }
            let alias = &embed.alias;
            sql.push(if embed.inner { " join " } else { " left join " });
            self.named(sql, embed.target, alias);
            sql.push(" on ");
            Self::ties(sql, root, alias, embed);
            self.rule(sql, &embed.target.access.read, alias);
            write_conditions(sql, embed.target, alias, &embed.scope.conditions)?;
        }
        sql.push(" where 1 = 1");
        if let Some(key) = self.key {
            let primary = self.target.table.primary_key.as_ref();
            let columns = primary
                .map(|key| key.columns.as_slice())
                .unwrap_or_default();
            for (column, value) in columns.iter().zip(key) {
                let kind = self
                    .target
                    .table
                    .column(column.as_str())
                    .map(|c| c.ty.kind());
                sql.push(" and ").column(root, column).push(" = ");
                sql.typed_arg(value.clone(), kind.unwrap_or(Kind::Text));
            }
        }
        self.rule(sql, &self.target.access.read, root);
        write_conditions(sql, self.target, root, &self.request.root.conditions)?;
        for embed in exists {
            let alias = &embed.alias;
            sql.push(" and exists (select 1 from ");
            self.named(sql, embed.target, alias);
            sql.push(" where ");
            Self::ties(sql, root, alias, embed);
            self.rule(sql, &embed.target.access.read, alias);
            write_conditions(sql, embed.target, alias, &embed.scope.conditions)?;
            sql.push(")");
        }
        Ok(())
    }

    /// `relation as alias`; a view is its query, with the caller's policies in it.
    fn named(&self, sql: &mut Sql, target: Target<'_>, alias: &Ident) {
        match target.view {
            None => {
                sql.ident(&target.table.name);
            }
            Some(view) => {
                let environment = match view.definition.security_invoker {
                    true => self.environment(),
                    false => RequestEnvironment {
                        access: None,
                        ..self.environment()
                    },
                };
                sql.push("(");
                ExpressionWriter::new(sql, &environment).query(&view.query);
                sql.push(")");
            }
        }
        sql.push(" as ").ident(alias);
    }

    fn ties(sql: &mut Sql, root: &Ident, alias: &Ident, embed: &Embed<'_>) {
        for (place, (own, other)) in embed.pairs.iter().enumerate() {
            if place > 0 {
                sql.push(" and ");
            }
            sql.column(alias, other).push(" = ").column(root, own);
        }
    }

    /// ` and (rule)`, where the rule says anything.
    fn rule(&self, sql: &mut Sql, rule: &Expr, alias: &Ident) {
        if as_constant(rule) == Some(true) {
            return;
        }
        let environment = self.environment();
        sql.push(" and ");
        ExpressionWriter::new(sql, &environment).expression(rule, Some(alias));
    }

    fn environment(&self) -> RequestEnvironment<'_> {
        let Context {
            caller,
            moment,
            access,
            ..
        } = self.context;
        RequestEnvironment::new(Some(caller), moment, Some(access), &[])
    }

    fn page(&self, sql: &mut Sql, root: &Ident) -> Result<(), RestError> {
        if self.key.is_none() {
            write_order(sql, self.target, root, &self.request.root.order)?;
            sql.push(" limit ").number(self.limit);
            if let Some(offset) = self.request.root.offset.filter(|offset| *offset > 0) {
                sql.push(" offset ").number(offset);
            }
        }
        Ok(())
    }

    fn count(&self, parts: &[Part<'_>]) -> Result<Query, RestError> {
        let root = &ROOT;
        let mut sql = Sql::new(self.context.dialect);
        sql.push("select count(*)");
        self.relation(&mut sql, root, parts)?;
        Ok(Query::long(sql, vec![Kind::BigInt]))
    }

    /// The related rows of all parents at once, tied by a sub-select of the parents' own query, so
    /// that nothing waits for the parents' answer.
    fn child(
        &self,
        embed: &Embed<'_>,
        parts: &[Part<'_>],
    ) -> Result<(Query, ChildWriter), RestError> {
        let (own, kind) = tie(self.target, embed)?;
        let (_, other) = &embed.pairs[0];
        let (root, alias) = (&ROOT, &CHILD);
        let mut sql = Sql::new(self.context.dialect);
        let mut columns = Columns {
            sql: &mut sql,
            kinds: Vec::new(),
        };
        columns.sql.push("select ");
        columns.add(alias, other, kind);
        let mut fields = Vec::new();
        for chosen in &embed.columns {
            let kind = chosen.column.ty.kind();
            let index = columns.add(alias, &chosen.column.name, kind);
            fields.push(Field::Column {
                key: member_key(chosen.key),
                index,
                kind,
            });
        }
        let kinds = columns.kinds;
        let capped = embed.scope.limit.is_some();
        sql.push(" from ");
        if capped {
            // The first rows of each parent, not of all of them together.
            sql.push("(select c.*, row_number() over (partition by ")
                .column(alias, other);
            write_order(&mut sql, embed.target, alias, &embed.scope.order)?;
            sql.push(") as row_place from ");
        }
        self.named(&mut sql, embed.target, alias);
        sql.push(" where ");
        sql.column(alias, other)
            .push(" in (select k from (select ")
            .column(root, own);
        sql.push(" as k");
        self.relation(&mut sql, root, parts)?;
        self.page(&mut sql, root)?;
        sql.push(") as p)");
        self.rule(&mut sql, &embed.target.access.read, alias);
        write_conditions(&mut sql, embed.target, alias, &embed.scope.conditions)?;
        if let Some(limit) = embed.scope.limit {
            let skipped = embed.scope.offset.unwrap_or(0);
            sql.push(") as c where row_place <= ")
                .number(limit + skipped);
            sql.push(" and row_place > ").number(skipped);
        }
        write_order(&mut sql, embed.target, alias, &embed.scope.order)?;
        let weight = if self.is_short() {
            Weight::Short
        } else {
            Weight::Long
        };
        Ok((Query { sql, kinds, weight }, ChildWriter::new(fields, kind)))
    }
}

/// The parent's column that ties a to-many relation, with its kind.
fn tie<'e>(target: Target<'_>, embed: &'e Embed<'_>) -> Result<(&'e Ident, Kind), RestError> {
    match embed.pairs.as_slice() {
        [(own, _)] => {
            let kind = target
                .table
                .column(own.as_str())
                .map(|column| column.ty.kind());
            Ok((own, kind.unwrap_or(Kind::Text)))
        }
        _ => Err(RestError::query(
            "a to-many relation over several columns is not offered yet",
        )),
    }
}

/// The list of a `select`, and what its columns decode to.
struct Columns<'s> {
    sql: &'s mut Sql,
    kinds: Vec<Kind>,
}

impl Columns<'_> {
    fn add(&mut self, alias: &Ident, column: &Ident, kind: Kind) -> usize {
        if !self.kinds.is_empty() {
            self.sql.push(", ");
        }
        self.sql.column(alias, column);
        self.kinds.push(kind);
        self.kinds.len() - 1
    }

    fn embed(&mut self, embed: &Embed<'_>) -> Field {
        let alias = &embed.alias;
        let mut fields = Vec::new();
        let mut never_null = None;
        for chosen in &embed.columns {
            let kind = chosen.column.ty.kind();
            let index = self.add(alias, &chosen.column.name, kind);
            if !chosen.column.nullable {
                never_null = Some(index);
            }
            fields.push(Field::Column {
                key: member_key(chosen.key),
                index,
                kind,
            });
        }
        // A column that is null only where no row was joined; the tie itself is always one.
        let marker = (!embed.inner)
            .then(|| never_null.unwrap_or_else(|| self.add(alias, &embed.pairs[0].1, Kind::Text)));
        Field::One {
            key: member_key(embed.key),
            marker,
            fields,
        }
    }
}
