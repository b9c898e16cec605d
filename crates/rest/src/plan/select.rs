//! `select` resolved: which columns, which related rows, by which foreign keys.

mod ways;

use std::borrow::Cow;

use lang::Type;
use sql::Ident;

use super::operand::Operand;
use super::{Context, Target};
use crate::request::{AggregateFunction, Field, Item, Scope, Selection};
use crate::{ErrorKind, RestError};

pub(super) use ways::Way;

/// One relation with what is asked of it.
pub(super) struct Level<'a> {
    pub(super) target: Target<'a>,
    /// Its name in the statement.
    pub(super) alias: Ident,
    /// What is selected, in order.
    pub(super) parts: Vec<Part<'a>>,
    /// Filters, order and limit.
    pub(super) scope: &'a Scope,
}

/// A selected item.
pub(super) enum Part<'a> {
    Value(Chosen<'a>),
    Embed(Box<Embed<'a>>),
}

/// A selected value with its name in the answer.
pub(super) struct Chosen<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) value: Selected<'a>,
    /// `::type`
    pub(super) cast: Option<Type>,
}

impl Chosen<'_> {
    /// Whether its last digits depend on the order in which an engine adds up.
    pub(super) fn is_rounded(&self) -> bool {
        matches!(
            &self.value,
            Selected::Aggregate(AggregateFunction::Sum | AggregateFunction::Avg, Some(operand))
                if matches!(operand.ty(), Type::Real | Type::Double)
        )
    }

    /// As a value of which type it is shown, if not of its own.
    pub(super) fn cast(&self) -> Option<Type> {
        let own = match &self.value {
            // The engines give it as a decimal, as it may be larger than its parts.
            Selected::Aggregate(AggregateFunction::Sum, Some(operand))
                if *operand.ty() == Type::BigInt =>
            {
                Some(Type::BigInt)
            }
            Selected::Aggregate(..) | Selected::Plain(_) => None,
        };
        self.cast.clone().or(own)
    }
}

/// A column, a part of one, or what an aggregate makes of the rows of a group.
pub(super) enum Selected<'a> {
    Plain(Operand<'a>),
    /// `count()` looks at no column.
    Aggregate(AggregateFunction, Option<Operand<'a>>),
}

/// Related rows.
pub(super) struct Embed<'a> {
    /// Its name in the answer and in filters.
    pub(super) key: &'a str,
    /// The relation, which filters may name too.
    pub(super) relation: &'a str,
    pub(super) level: Level<'a>,
    /// Rows of the parent without a related row are left away.
    pub(super) inner: bool,
    /// Its items are items of the parent.
    pub(super) spread: bool,
    pub(super) way: Way<'a>,
}

/// What is selected where nothing is said.
static ALL: [Item; 1] = [Item::All];

/// All related rows.
static WHOLE: Scope = Scope {
    conditions: Vec::new(),
    order: Vec::new(),
    limit: None,
    offset: None,
};

impl<'a> Level<'a> {
    /// Its embeds, in order.
    pub(super) fn embeds(&self) -> impl Iterator<Item = &Embed<'a>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Embed(embed) => Some(&**embed),
            Part::Value(_) => None,
        })
    }

    /// The embed of that name.
    pub(super) fn embed(&self, name: &str) -> Option<&Embed<'a>> {
        let by_key = self.embeds().find(|embed| embed.key == name);
        by_key.or_else(|| self.embeds().find(|embed| embed.relation == name))
    }

    /// The embeds that are joined: with at most one row for each of this relation's.
    pub(super) fn joined(&self) -> impl Iterator<Item = &Embed<'a>> {
        self.embeds().filter(|embed| embed.way.to_one)
    }

    /// Whether its rows are groups: an aggregate stands here or in what is spread into it.
    pub(super) fn is_grouped(&self) -> bool {
        let here = self.parts.iter().any(|part| {
            matches!(
                part,
                Part::Value(Chosen {
                    value: Selected::Aggregate(..),
                    ..
                })
            )
        });
        here || self
            .joined()
            .any(|embed| embed.spread && embed.level.is_grouped())
    }
}

/// Resolves against what the caller may read. No `select` means all readable columns.
pub(super) fn resolve<'a>(
    context: Context<'a>,
    target: Target<'a>,
    selection: Option<&'a Selection>,
    root: &'a Scope,
    embeds: &'a [(Vec<String>, Scope)],
) -> Result<Level<'a>, RestError> {
    let mut resolver = Resolver {
        context,
        embeds,
        used: vec![false; embeds.len()],
        aliases: 0,
    };
    let items = selection.map_or(&ALL[..], Vec::as_slice);
    let parts = resolver.parts(target, items, &mut Vec::new())?;
    if let Some(place) = resolver.used.iter().position(|used| !used) {
        let name = embeds[place].0.join(".");
        let message = format!("{name} is filtered or ordered and is not in select");
        return Err(RestError::new(ErrorKind::BadRequest, "PGRST108", message)
            .hint(format!("add {name}(…) to select")));
    }
    let level = Level {
        target,
        alias: Ident::of("r"),
        parts,
        scope: root,
    };
    require_groups(context, &level, Within::Rows)?;
    Ok(level)
}

struct Resolver<'a> {
    context: Context<'a>,
    embeds: &'a [(Vec<String>, Scope)],
    used: Vec<bool>,
    aliases: usize,
}

impl<'a> Resolver<'a> {
    fn parts(
        &mut self,
        target: Target<'a>,
        items: &'a [Item],
        path: &mut Vec<(&'a str, &'a str)>,
    ) -> Result<Vec<Part<'a>>, RestError> {
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::All => parts.extend(all(target)),
                Item::Field {
                    alias,
                    field,
                    cast,
                    aggregate,
                } => {
                    let name = alias.as_deref();
                    parts.push(Part::Value(match aggregate {
                        None => plain(target, name, field, cast.as_deref())?,
                        Some(aggregate) => {
                            let cast = (cast.as_deref(), aggregate.cast.as_deref());
                            aggregated(target, name, field, aggregate.function, cast)?
                        }
                    }));
                }
                Item::Count { alias, cast } => parts.push(Part::Value(Chosen {
                    key: Cow::Borrowed(alias.as_deref().unwrap_or("count")),
                    value: Selected::Aggregate(AggregateFunction::Count, None),
                    cast: cast.as_deref().map(type_named).transpose()?,
                })),
                Item::Embed { .. } => {
                    let embed = self.embed(target, item, path)?;
                    parts.push(Part::Embed(Box::new(embed)));
                }
            }
        }
        Ok(parts)
    }

    fn embed(
        &mut self,
        parent: Target<'a>,
        item: &'a Item,
        path: &mut Vec<(&'a str, &'a str)>,
    ) -> Result<Embed<'a>, RestError> {
        let Item::Embed {
            alias,
            relation,
            hint,
            inner,
            spread,
            items,
        } = item
        else {
            return Err(RestError::query("select: an embed was expected"));
        };
        let key = alias.as_deref().unwrap_or(relation);
        let (target, way) = ways::find(self.context, parent, relation, hint.as_deref(), || {
            self.aliases += 1;
            alias_of(self.aliases)
        })?;
        self.aliases += 1;
        let own = alias_of(self.aliases);
        path.push((key, relation));
        let scope = self.scope(path);
        let parts = self.parts(target, items, path)?;
        path.pop();
        Ok(Embed {
            key,
            relation,
            level: Level {
                target,
                alias: own,
                parts,
                scope,
            },
            inner: *inner,
            spread: *spread,
            way,
        })
    }

    /// What the request says of the embed at `path`, by its names or by those of its relations.
    fn scope(&mut self, path: &[(&str, &str)]) -> &'a Scope {
        let is_meant = |names: &[String]| {
            names.len() == path.len()
                && names
                    .iter()
                    .zip(path)
                    .all(|(name, (key, relation))| name == key || name == relation)
        };
        let place = self
            .embeds
            .iter()
            .enumerate()
            .position(|(place, (names, _))| !self.used[place] && is_meant(names));
        match place {
            Some(place) => {
                self.used[place] = true;
                &self.embeds[place].1
            }
            None => &WHOLE,
        }
    }
}

/// The related relation and the one way to it that is meant.
pub(super) fn way<'a>(
    context: Context<'a>,
    parent: Target<'a>,
    relation: &str,
    hint: Option<&str>,
) -> Result<(Target<'a>, Way<'a>), RestError> {
    ways::find(context, parent, relation, hint, || alias_of(0))
}

/// Names in the statement; the relation that the URL names is `r`.
fn alias_of(place: usize) -> Ident {
    Ident::new(&format!("e{place}")).expect("a letter and digits are a name")
}

fn all(target: Target<'_>) -> impl Iterator<Item = Part<'_>> {
    let columns = target.table.columns.iter();
    let readable = columns.filter(move |column| target.access.readable().contains(&column.name));
    readable.map(|column| {
        Part::Value(Chosen {
            key: Cow::Borrowed(column.name.as_str()),
            value: Selected::Plain(Operand::whole(column)),
            cast: None,
        })
    })
}

fn plain<'a>(
    target: Target<'a>,
    alias: Option<&'a str>,
    field: &'a Field,
    cast: Option<&str>,
) -> Result<Chosen<'a>, RestError> {
    Ok(Chosen {
        key: Cow::Borrowed(alias.unwrap_or(field.key())),
        value: Selected::Plain(Operand::resolve(target, field)?),
        cast: cast.map(type_named).transpose()?,
    })
}

/// `cast`: what stands before the aggregate, and what behind it.
fn aggregated<'a>(
    target: Target<'a>,
    alias: Option<&'a str>,
    field: &'a Field,
    function: AggregateFunction,
    (before, behind): (Option<&str>, Option<&str>),
) -> Result<Chosen<'a>, RestError> {
    let operand = Operand::resolve(target, field)?;
    if let Some(ty) = before {
        return Err(
            RestError::query(format!("{}::{ty} is not aggregated", field.name))
                .hint("cast the result: column.sum()::type"),
        );
    }
    super::aggregate::require(function, &operand)?;
    Ok(Chosen {
        key: Cow::Borrowed(alias.unwrap_or(function.name())),
        value: Selected::Aggregate(function, Some(operand)),
        cast: behind.map(type_named).transpose()?,
    })
}

/// The types that a cast may name.
fn type_named(name: &str) -> Result<Type, RestError> {
    Ok(match name {
        "text" | "varchar" | "character varying" => Type::Text,
        "int" | "integer" | "int4" => Type::Integer,
        "bigint" | "int8" => Type::BigInt,
        "smallint" | "int2" => Type::SmallInt,
        "real" | "float4" => Type::Real,
        "float" | "float8" | "double precision" => Type::Double,
        "numeric" | "decimal" => Type::Numeric {
            precision: 38,
            scale: 10,
        },
        "bool" | "boolean" => Type::Boolean,
        "uuid" => Type::Uuid,
        "date" => Type::Date,
        "time" => Type::Time,
        "timestamptz" | "timestamp" | "timestamp with time zone" => Type::Timestamp,
        "json" | "jsonb" => Type::Json,
        other => {
            return Err(
                RestError::query(format!("::{other} is no type of a cast")).hint(
                    "write text, integer, bigint, numeric, double precision, boolean, uuid, date, \
                 time, timestamptz or json",
                ),
            );
        }
    })
}

/// Where a relation stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// It has many rows, or its items are those of one that has.
    Rows,
    /// It has one row for each of the relation around it.
    Row,
    /// The same, and the relation around it has groups for rows.
    Group,
}

/// Aggregates are for those to whom they are granted, and what they stand beside can be grouped.
fn require_groups(
    context: Context<'_>,
    level: &Level<'_>,
    within: Within,
) -> Result<(), RestError> {
    let is_grouped = level.is_grouped();
    if is_grouped && !context.limits.aggregates {
        return Err(RestError::new(
            ErrorKind::BadRequest,
            "PGRST123",
            "aggregates are not allowed for your roles",
        )
        .hint("the operator allows them with api.aggregates = \"on\""));
    }
    if is_grouped && within == Within::Row {
        return Err(
            RestError::query("there is one related row, nothing to aggregate")
                .hint("spread the relation with ... before its name"),
        );
    }
    let in_groups = is_grouped || within == Within::Group;
    for part in &level.parts {
        match part {
            Part::Value(Chosen {
                key,
                value: Selected::Plain(operand),
                ..
            }) if in_groups && *operand.ty() == Type::Json => {
                return Err(
                    RestError::query(format!("{key} is JSON, which makes no groups"))
                        .hint("take a part of it as text with ->>"),
                );
            }
            Part::Embed(embed) if in_groups && !embed.way.to_one => {
                return Err(RestError::query(format!(
                    "{} has many rows and stands beside an aggregate",
                    embed.key
                ))
                .hint("ask for it in a request of its own"));
            }
            Part::Embed(embed) => {
                let within = match (embed.way.to_one, in_groups, embed.spread) {
                    (false, ..) => Within::Rows,
                    (true, true, _) => Within::Group,
                    (true, false, true) => Within::Rows,
                    (true, false, false) => Within::Row,
                };
                require_groups(context, &embed.level, within)?;
            }
            Part::Value(_) => {}
        }
    }
    Ok(())
}
