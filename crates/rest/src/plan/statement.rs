//! The statements of a read: one for the rows and their to-one relations, one more for each
//! to-many relation, wherever it stands.
//!
//! Related rows are tied to their parents by a sub-select of the parents' own statement, so that
//! no statement waits for another one's answer.

use lang::{Expr, ExpressionWriter};
use sql::{Ident, Kind, Query, Sql, Value, Weight};

use super::columns::{Columns, group_by, kind_of};
use super::filter::{Over, Related, write_conditions};
use super::order::{keys, write_order};
use super::select::{Embed, Level, Part};
use super::wanted::Wanted;
use super::{Context, FILE_PLACE, Target};
use crate::RestError;
use crate::access::{RequestEnvironment, as_constant};
use crate::json::{ChildWriter, Field, RowWriter, Style, Ties, member_key};

/// The place of a related row among those of its parent.
const PLACE: Ident = Ident::of("row_place");

/// What is written of one request.
pub(super) struct Statements<'s, 'a> {
    context: Context<'a>,
    pub(super) root: &'s Level<'a>,
    pub(super) wanted: Wanted<'s>,
    limit: u64,
    style: Style,
    /// Whether the page has a cursor, and the values behind which it begins.
    pub(super) cursor: Option<Vec<Value>>,
    /// The statements of related rows so far, those of theirs before them.
    pub(super) children: Vec<(Query, ChildWriter)>,
}

/// The rows of one statement.
#[derive(Clone, Copy)]
enum Rows<'s, 'a> {
    /// Those of the relation that the URL names.
    Root,
    /// Those related to the rows of another statement.
    Related(&'s Embed<'a>, &'s Parent<'s, 'a>),
}

/// Where an embed hangs: a relation, and the statement in which that stands.
struct Parent<'s, 'a> {
    rows: Rows<'s, 'a>,
    level: &'s Level<'a>,
}

impl<'s, 'a> Statements<'s, 'a> {
    pub(super) fn new(
        context: Context<'a>,
        root: &'s Level<'a>,
        wanted: Wanted<'s>,
        limit: u64,
        style: Style,
    ) -> Self {
        Self {
            context,
            root,
            wanted,
            limit,
            style,
            cursor: None,
            children: Vec::new(),
        }
    }

    pub(super) fn context(&self) -> &Context<'a> {
        &self.context
    }

    /// The statement of the rows themselves, behind what `sql` holds already; fills
    /// [`Self::children`].
    pub(super) fn rows(&mut self, mut sql: Sql) -> Result<(Query, RowWriter), RestError> {
        sql.push("select ");
        let mut columns = Columns::new(sql, self.root, false);
        let fields = self.fields(Rows::Root, self.root, true, &mut columns)?;
        let mut tail = Vec::new();
        if self.cursor.is_some() {
            for key in keys(self.root)? {
                let kind = key.operand.kind();
                tail.push((
                    columns.add(kind, |sql| key.operand.write(sql, key.alias)),
                    kind,
                ));
            }
        }
        let (mut sql, kinds, groups) = columns.finish();
        self.body(&mut sql, Rows::Root)?;
        self.behind_cursor(&mut sql)?;
        group_by(&mut sql, &groups, self.root);
        self.page(&mut sql, Rows::Root)?;
        Ok((
            Query {
                sql,
                kinds,
                weight: self.weight(),
                limit: None,
            },
            RowWriter::new(fields, self.style.clone()).telling(tail.into()),
        ))
    }

    /// How many rows there are without limit and offset, counted no further than to `bound`.
    pub(super) fn count(&mut self, bound: Option<u64>) -> Result<Query, RestError> {
        let mut sql = Sql::new(self.context.dialect);
        sql.push("select count(*)");
        if self.root.is_grouped() {
            sql.push(" from (select ");
            let mut columns = Columns::new(sql, self.root, true);
            self.fields(Rows::Root, self.root, true, &mut columns)?;
            let (grouped, _, groups) = columns.finish();
            sql = grouped;
            self.body(&mut sql, Rows::Root)?;
            group_by(&mut sql, &groups, self.root);
        } else if bound.is_some() {
            sql.push(" from (select 1 as one");
            self.body(&mut sql, Rows::Root)?;
        } else {
            self.body(&mut sql, Rows::Root)?;
            return Ok(Query::long(sql, vec![Kind::BigInt]));
        }
        if let Some(bound) = bound {
            sql.push(" limit ").number(bound);
        }
        sql.push(") as counted");
        Ok(Query::long(sql, vec![Kind::BigInt]))
    }

    fn weight(&self) -> Weight {
        let offset = self.root.scope.offset.unwrap_or(0);
        let is_one = matches!(self.wanted, Wanted::Key(_));
        match is_one || (self.limit <= 1_000 && offset <= 10_000) {
            true => Weight::Short,
            false => Weight::Long,
        }
    }

    /// Adds the columns of a relation and of what is joined to it, and the statements of what is
    /// not; gives its members. `always`: the relation has a row in every row of the statement.
    fn fields<'x>(
        &mut self,
        rows: Rows<'x, 'a>,
        level: &'x Level<'a>,
        always: bool,
        columns: &mut Columns<'x, 'a>,
    ) -> Result<Vec<Field>, RestError> {
        let mut fields = Vec::with_capacity(level.parts.len());
        for part in &level.parts {
            match part {
                Part::Value(chosen) => fields.push(columns.value(chosen, &level.alias)),
                Part::Embed(embed) if embed.way.to_one => {
                    let always = always && embed.inner;
                    let inner = self.fields(rows, &embed.level, always, columns)?;
                    match embed.spread {
                        true => fields.extend(inner),
                        false if inner.is_empty() => {}
                        false => fields.push(columns.joined(embed, always, inner)),
                    }
                }
                // Nothing of it is shown; it may be there for its filters.
                Part::Embed(embed) if embed.level.parts.is_empty() => {}
                Part::Embed(embed) => {
                    let ties = embed.way.pairs.iter().map(|(own, _)| {
                        let kind = kind_of(level.target, own);
                        (columns.column(&level.alias, own, kind), kind)
                    });
                    let ties: Ties = ties.collect();
                    let child = self.related(embed, &Parent { rows, level })?;
                    self.tied(embed, child, ties, &mut fields);
                }
            }
        }
        Ok(fields)
    }

    /// The members that a to-many relation makes: a list of rows, or a list for each of their
    /// members.
    fn tied(&self, embed: &Embed<'_>, child: usize, ties: Ties, fields: &mut Vec<Field>) {
        if !embed.spread {
            fields.push(Field::Many {
                key: member_key(embed.key),
                child,
                ties,
                only: None,
            });
            return;
        }
        for (place, key) in self.children[child].1.keys().enumerate() {
            fields.push(Field::Many {
                key: key.into(),
                child,
                ties: ties.clone(),
                only: Some(place),
            });
        }
    }

    /// The related rows of all parents at once; gives the statement's place among the children.
    fn related<'x>(
        &mut self,
        embed: &'x Embed<'a>,
        parent: &'x Parent<'x, 'a>,
    ) -> Result<usize, RestError> {
        let rows = Rows::Related(embed, parent);
        let capped = is_capped(rows);
        let mut sql = Sql::new(self.context.dialect);
        sql.push(if capped {
            "select * from (select "
        } else {
            "select "
        });
        let mut columns = Columns::new(sql, &embed.level, capped);
        let alias = tie_alias(embed);
        let ties = embed.way.pairs.iter().map(|(_, other)| {
            let kind = kind_of(tie_target(embed), other);
            (columns.column(alias, other, kind), kind)
        });
        let ties: Ties = ties.collect();
        let fields = self.fields(rows, &embed.level, true, &mut columns)?;
        let (mut sql, kinds, groups) = columns.finish();
        if capped {
            Self::place(&mut sql, embed)?;
        }
        self.body(&mut sql, rows)?;
        group_by(&mut sql, &groups, &embed.level);
        self.page(&mut sql, rows)?;
        let weight = self.weight();
        let most = self.context.limits.max_related_rows;
        let writer = ChildWriter::new(fields, ties, embed.spread, self.style.clone(), most);
        let query = Query {
            sql,
            kinds,
            weight,
            limit: None,
        };
        self.children.push((query, writer));
        Ok(self.children.len() - 1)
    }

    /// `, row_number() over (…) as row_place`: the first rows of each parent, not of all of them
    /// together.
    fn place(sql: &mut Sql, embed: &Embed<'_>) -> Result<(), RestError> {
        sql.push(", row_number() over (partition by ");
        for (place, (_, other)) in embed.way.pairs.iter().enumerate() {
            sql.push(if place > 0 { ", " } else { "" });
            sql.column(tie_alias(embed), other);
        }
        write_order(sql, &embed.level)?;
        sql.push(") as ").ident(&PLACE);
        Ok(())
    }

    /// ` from … where …`, the same for the rows, their count and their children.
    fn body(&self, sql: &mut Sql, rows: Rows<'_, 'a>) -> Result<(), RestError> {
        sql.push(" from ");
        let level = match rows {
            Rows::Root => self.root,
            Rows::Related(embed, _) => &embed.level,
        };
        self.named(sql, level.target, &level.alias);
        if let Rows::Related(embed, _) = rows {
            self.between(sql, embed);
        }
        self.joins(sql, level, true)?;
        sql.push(" where ");
        match rows {
            Rows::Root => self.where_wanted(sql),
            Rows::Related(embed, parent) => self.where_tied(sql, embed, parent)?,
        }
        self.conditions(sql, level)?;
        self.required_to_many(sql, level)
    }

    /// ` join between on …`
    fn between(&self, sql: &mut Sql, embed: &Embed<'_>) {
        let Some(through) = &embed.way.through else {
            return;
        };
        sql.push(" join ");
        self.named(sql, through.target, &through.alias);
        sql.push(" on ");
        equal(sql, &through.alias, &embed.level.alias, &through.pairs);
        self.rule(sql, &through.target.access.read, &through.alias);
    }

    /// What is joined to a relation's rows, at most one row to each. `always`: the relation has a
    /// row in every row of the statement, so that a join may take rows away.
    fn joins(&self, sql: &mut Sql, level: &Level<'a>, always: bool) -> Result<(), RestError> {
        for embed in level.joined() {
            let own = &embed.level;
            let takes_away = always && embed.inner;
            sql.push(if takes_away { " join " } else { " left join " });
            self.named(sql, own.target, &own.alias);
            sql.push(" on ");
            equal(sql, &level.alias, &own.alias, &embed.way.pairs);
            self.conditions(sql, own)?;
            if !takes_away {
                self.required(sql, own)?;
            }
            self.joins(sql, own, takes_away)?;
        }
        Ok(())
    }

    /// Rule and filters of one relation: ` and … and …`.
    fn conditions(&self, sql: &mut Sql, level: &Level<'a>) -> Result<(), RestError> {
        self.rule(sql, &level.target.access.read, &level.alias);
        let related = Embeds {
            statements: self,
            level,
        };
        let over = Over {
            target: level.target,
            alias: &level.alias,
            related: &related,
            only_true_counts: true,
        };
        write_conditions(sql, over, &level.scope.conditions)
    }

    /// ` and exists (…)` for each `!inner` that no join sees to: those to many rows.
    fn required_to_many(&self, sql: &mut Sql, level: &Level<'a>) -> Result<(), RestError> {
        for embed in level.embeds().filter(|embed| embed.inner) {
            if embed.way.to_one {
                self.required_to_many(sql, &embed.level)?;
            } else {
                sql.push(" and ");
                self.exists(sql, level, embed, false)?;
            }
        }
        Ok(())
    }

    /// The same for every `!inner`, below a relation that need not have a row.
    fn required(&self, sql: &mut Sql, level: &Level<'a>) -> Result<(), RestError> {
        for embed in level.embeds().filter(|embed| embed.inner) {
            sql.push(" and ");
            self.exists(sql, level, embed, false)?;
        }
        Ok(())
    }

    /// `exists (select 1 from related where …)`
    fn exists(
        &self,
        sql: &mut Sql,
        level: &Level<'a>,
        embed: &Embed<'a>,
        negated: bool,
    ) -> Result<(), RestError> {
        sql.push(if negated {
            "(not exists (select 1 from "
        } else {
            "(exists (select 1 from "
        });
        self.named(sql, embed.level.target, &embed.level.alias);
        self.between(sql, embed);
        sql.push(" where ");
        equal(sql, &level.alias, tie_alias(embed), &embed.way.pairs);
        self.conditions(sql, &embed.level)?;
        self.required(sql, &embed.level)?;
        sql.push("))");
        Ok(())
    }

    /// `tie in (select k from (the parents' own statement) as p)`
    fn where_tied(
        &self,
        sql: &mut Sql,
        embed: &Embed<'a>,
        parent: &Parent<'_, 'a>,
    ) -> Result<(), RestError> {
        let ties: Vec<&Ident> = embed.way.pairs.iter().map(|(_, other)| other).collect();
        let row = if ties.len() > 1 { ("(", ")") } else { ("", "") };
        sql.push(row.0);
        for (place, other) in ties.iter().enumerate() {
            sql.push(if place > 0 { ", " } else { "" });
            sql.column(tie_alias(embed), other);
        }
        let names: Vec<Ident> = (0..ties.len()).map(key_name).collect();
        sql.push(row.1)
            .push(" in (select ")
            .idents(&names)
            .push(" from (");
        let capped = is_capped(parent.rows);
        sql.push("select ");
        for (place, ((own, _), name)) in embed.way.pairs.iter().zip(&names).enumerate() {
            sql.push(if place > 0 { ", " } else { "" });
            sql.column(&parent.level.alias, own)
                .push(" as ")
                .ident(name);
        }
        if let (true, Rows::Related(related, _)) = (capped, parent.rows) {
            Self::place(sql, related)?;
        }
        self.body(sql, parent.rows)?;
        match parent.rows {
            Rows::Root => {
                self.behind_cursor(sql)?;
                self.page(sql, parent.rows)?;
                sql.push(") as p)");
            }
            Rows::Related(related, _) => {
                sql.push(") as p");
                if capped {
                    place_bounds(sql, related);
                }
                sql.push(")");
            }
        }
        Ok(())
    }

    /// Order, limit and offset.
    fn page(&self, sql: &mut Sql, rows: Rows<'_, 'a>) -> Result<(), RestError> {
        match rows {
            Rows::Root if matches!(self.wanted, Wanted::Key(_)) => Ok(()),
            Rows::Root => {
                write_order(sql, self.root)?;
                if !matches!(self.wanted, Wanted::All) {
                    return Ok(());
                }
                sql.push(" limit ").number(self.limit);
                if let Some(offset) = self.root.scope.offset.filter(|offset| *offset > 0) {
                    sql.push(" offset ").number(offset);
                }
                Ok(())
            }
            Rows::Related(embed, _) if is_capped(rows) => {
                sql.push(") as w");
                place_bounds(sql, embed);
                sql.push(" order by ").ident(&PLACE);
                // The first columns tie the rows to their parents.
                for place in 0..embed.way.pairs.len() {
                    sql.push(", c").number(place as u64);
                }
                Ok(())
            }
            Rows::Related(embed, _) => write_order(sql, &embed.level),
        }
    }

    /// `relation as alias`; a view is its query, with the caller's policies in it.
    fn named(&self, sql: &mut Sql, target: Target<'_>, alias: &Ident) {
        match (target.view, target.file) {
            (None, None) => {
                sql.ident(&target.table.name);
            }
            (_, Some(file)) => {
                let environment = RequestEnvironment {
                    parameters: file.parameters,
                    access: (!file.definer).then_some(self.context.access),
                    ..self.environment()
                };
                sql.push("(");
                let mut writer = ExpressionWriter::new(sql, &environment);
                match file.query.distinct {
                    true => writer.query(file.query),
                    false => writer.numbered_query(file.query, &FILE_PLACE),
                }
                sql.push(")");
            }
            (Some(view), None) if self.context.is_native && !view.definition.security_invoker => {
                sql.ident(view.name());
            }
            (Some(view), None) => {
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

    /// ` and (rule)`, where the rule says anything.
    pub(super) fn rule(&self, sql: &mut Sql, rule: &Expr, alias: &Ident) {
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
            facts,
            ..
        } = self.context;
        RequestEnvironment::new(Some(caller), moment, Some(access), &[])
            .native(self.context.is_native)
            .telling(facts)
    }
}

/// The embeds of a relation, for conditions that name them.
struct Embeds<'e, 's, 'a> {
    statements: &'e Statements<'s, 'a>,
    level: &'e Level<'a>,
}

impl Related for Embeds<'_, '_, '_> {
    fn has_row(&self, sql: &mut Sql, name: &str, negated: bool) -> Option<Result<(), RestError>> {
        let is_column = self.level.target.table.column(name).is_some();
        let embed = self.level.embed(name).filter(|_| !is_column)?;
        Some(self.statements.exists(sql, self.level, embed, negated))
    }
}

/// Whether only some of the related rows of each parent are asked for.
fn is_capped(rows: Rows<'_, '_>) -> bool {
    match rows {
        Rows::Root => false,
        Rows::Related(embed, _) => {
            let scope = embed.level.scope;
            scope.limit.is_some() || scope.offset.is_some_and(|offset| offset > 0)
        }
    }
}

/// ` where row_place > offset and row_place <= offset + limit`
fn place_bounds(sql: &mut Sql, embed: &Embed<'_>) {
    let scope = embed.level.scope;
    let offset = scope.offset.unwrap_or(0);
    sql.push(" where ").ident(&PLACE).push(" > ").number(offset);
    if let Some(limit) = scope.limit {
        sql.push(" and ").ident(&PLACE).push(" <= ");
        sql.number(offset.saturating_add(limit));
    }
}

fn key_name(place: usize) -> Ident {
    match place {
        0 => Ident::of("k"),
        _ => Ident::new(&format!("k{place}")).expect("a letter and digits are a name"),
    }
}

/// The relation whose columns tie an embed to its parent: itself, or the table between.
fn tie_alias<'e>(embed: &'e Embed<'_>) -> &'e Ident {
    let through = embed.way.through.as_ref();
    through.map_or(&embed.level.alias, |through| &through.alias)
}

fn tie_target<'a>(embed: &Embed<'a>) -> Target<'a> {
    let through = embed.way.through.as_ref();
    through.map_or(embed.level.target, |through| through.target)
}

/// `left.a = right.b and …`
fn equal(sql: &mut Sql, left: &Ident, right: &Ident, pairs: &[(Ident, Ident)]) {
    for (place, (own, other)) in pairs.iter().enumerate() {
        sql.push(if place > 0 { " and " } else { "" });
        sql.column(right, other).push(" = ").column(left, own);
    }
}
