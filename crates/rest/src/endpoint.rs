//! SQL files as endpoints, hooks and seeds.

mod compile;
mod header;
mod hook;
mod parameters;
mod run;
mod seed;

pub use hook::{
    ClaimsError, ClaimsQuery, Event, Happened, Hook, Hooks, MessageError, Mode, Occurrence, Person,
};
pub use seed::seed_steps;

pub(crate) use run::{match_name, match_path};

use lang::{CheckedStatement, Type};
use sql::Ident;

use crate::access::TableAccess;
use crate::{Answer, Method, RouteInfo};

/// A compiled file of `api/`.
pub(crate) struct Endpoint {
    /// Its file.
    pub(crate) path: String,
    pub(crate) method: Method,
    pub(crate) segments: Vec<Segment>,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) parameters: Vec<Parameter>,
    /// The roles that may call it.
    pub(crate) roles: Vec<Ident>,
    /// What it answers; `None` for nothing.
    pub(crate) answer: Option<Answer>,
    pub(crate) cache: Option<String>,
    pub(crate) status: Option<u16>,
    /// The tables' rules do not apply.
    pub(crate) definer: bool,
    pub(crate) statements: Vec<CheckedStatement>,
    /// The result's columns as a relation, for the grammar of reads on top of it.
    pub(crate) relation: Option<Box<Relation>>,
}

/// The result of a file's query, as if it were a table.
pub(crate) struct Relation {
    pub(crate) table: schema::Table,
    pub(crate) access: TableAccess,
}

impl Relation {
    /// The columns of a query.
    pub(super) fn of(name: &str, query: &lang::Query) -> Option<Self> {
        let column = |projection: &lang::Projection| schema::Column {
            name: projection.name.clone(),
            ty: projection.expr.ty.clone().unwrap_or(Type::Text),
            nullable: true,
            default: None,
            identity: false,
            generated: None,
            comment: None,
            was: None,
            span: lang::Span::default(),
        };
        let table = schema::Table::of_columns(
            Ident::new(name).ok()?,
            query.projection.iter().map(column).collect(),
        );
        let access = TableAccess::whole(&table);
        Some(Self { table, access })
    }
}

/// How a request comes to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// By its own path and method.
    Route,
    /// By its name, as `/rpc/feed`: all parameters come from the query string or the body.
    Name,
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Fixed(String),
    Parameter(String),
}

/// Where a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Body,
}

/// A declared parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) place: Place,
    pub(crate) default: Option<sql::Value>,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) description: String,
}

/// The file that a call by its name reaches: GET calls what reads; POST what writes, or else what
/// reads.
pub(crate) fn by_name<'e>(
    endpoints: &'e [Endpoint],
    name: &str,
    method: Method,
) -> Option<&'e Endpoint> {
    let mut named = endpoints.iter().filter(|file| file.name() == name);
    let mut others = named.clone();
    let reading = named.find(|file| file.method == Method::Get);
    match method {
        Method::Get | Method::Head => reading,
        Method::Post => others.find(|file| file.method != Method::Get).or(reading),
        Method::Put | Method::Patch | Method::Delete => None,
    }
}

/// Every call by a name, with the file that it reaches, in the order of the files.
pub(crate) fn calls(endpoints: &[Endpoint]) -> Vec<(Method, String, &Endpoint)> {
    let mut calls: Vec<(Method, String, &Endpoint)> = Vec::new();
    for name in endpoints.iter().map(Endpoint::name) {
        if calls.iter().any(|(_, known, _)| *known == name) {
            continue;
        }
        for method in [Method::Get, Method::Post] {
            let file = by_name(endpoints, &name, method);
            calls.extend(file.map(|file| (method, name.clone(), file)));
        }
    }
    calls
}

impl Endpoint {
    /// The path below the mount, parameters in braces.
    pub(crate) fn route_path(&self) -> String {
        let segment = |segment: &Segment| match segment {
            Segment::Fixed(text) => format!("/{text}"),
            Segment::Parameter(name) => format!("/{{{name}}}"),
        };
        self.segments.iter().map(segment).collect()
    }

    /// Its name below `/rpc/`: the fixed parts of its path, as `activities_like`; those in `api/rpc/`
    /// need not say so.
    pub(crate) fn name(&self) -> String {
        let fixed = self.segments.iter().filter_map(|segment| match segment {
            Segment::Fixed(text) => Some(text.as_str()),
            Segment::Parameter(_) => None,
        });
        let fixed: Vec<&str> = fixed.collect();
        match fixed.as_slice() {
            [] => String::from("index"),
            ["rpc", rest @ ..] if !rest.is_empty() => rest.join("_"),
            all => all.join("_"),
        }
    }

    pub(crate) fn route(&self) -> RouteInfo {
        RouteInfo {
            method: self.method.name(),
            path: self.route_path(),
            roles: self.roles.iter().map(ToString::to_string).collect(),
            source: self.path.clone(),
        }
    }
}
