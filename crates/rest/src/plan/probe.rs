//! Why a request is let or cut: the grants it needs, the policies that have a say, and a query
//! that asks each policy about one row.

use lang::{Expr, ExpressionWriter, Privilege};
use schema::{Policy, Table};
use sql::{Ident, Kind, Query, Sql, Value};

use super::{Context, Target, body};
use crate::access::RequestEnvironment;
use crate::api::key_values;
use crate::rules::{concerns, privilege_name, words};
use crate::{Api, Caller, Method, Moment, Request, RestError};

/// The rules of one request.
pub struct RequestRules {
    /// `Ok` where the roles may ask this; which rows they get, the policies say.
    pub verdict: Result<(), RestError>,
    /// What the request is for: `table posts`, `view feed`, `file api/feed.get.sql`.
    pub subject: String,
    /// The grants that it needs.
    pub grants: Vec<NeededGrant>,
    /// The policies of its table that are for what it does, those of other roles included.
    pub policies: Vec<AppliedPolicy>,
    /// Asks each policy about the row of the URL; `None` where the URL names no row.
    pub row: Option<Probe>,
    /// Asks each policy about the row that the body would make; `None` where there is none.
    pub new_row: Option<Probe>,
}

/// A grant that a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededGrant {
    /// `select`, `insert`, `update`, `delete`, `call`
    pub privilege: &'static str,
    /// On what.
    pub on: String,
    /// The caller's roles to which it was granted, with the columns where it was narrowed.
    pub given_to: Vec<String>,
    /// Columns that are not granted for this.
    pub withheld: Vec<String>,
}

/// A policy that has a say, or would for other roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedPolicy {
    /// Its name.
    pub name: String,
    /// What it is asked for.
    pub privilege: &'static str,
    /// Whether it widens (permissive) or narrows (restrictive).
    pub permissive: bool,
    /// Whether it is for one of the caller's roles.
    pub applies: bool,
    /// The roles that it is for; empty for everybody.
    pub roles: Vec<String>,
    /// `using` for rows that are there, `with check` for rows as they will be.
    pub clause: &'static str,
    /// Its condition in words.
    pub condition: String,
}

/// A query of one row, a whole number for each policy: 1 passes, 0 does not, 2 is null, which
/// does not pass either. No row: there is no such row in the database.
pub struct Probe {
    /// The query.
    pub query: Query,
    /// The policies, in the order of its columns.
    pub policies: Vec<AppliedPolicy>,
}

/// A policy's condition, as one command asks it.
struct Asked<'c> {
    policy: AppliedPolicy,
    condition: &'c Expr,
}

/// The commands whose rules a request meets, as PostgreSQL has them (CREATE POLICY): what is
/// changed or deleted has to be read first.
fn commands(method: Method) -> &'static [(Privilege, Clause)] {
    use Clause::{Check, Using};
    match method {
        Method::Get | Method::Head => &[(Privilege::Select, Using)],
        Method::Post => &[(Privilege::Insert, Check)],
        Method::Patch => &[
            (Privilege::Select, Using),
            (Privilege::Update, Using),
            (Privilege::Select, Check),
            (Privilege::Update, Check),
        ],
        Method::Put => &[
            (Privilege::Select, Using),
            (Privilege::Update, Using),
            (Privilege::Select, Check),
            (Privilege::Update, Check),
            (Privilege::Insert, Check),
        ],
        Method::Delete => &[(Privilege::Select, Using), (Privilege::Delete, Using)],
    }
}

/// Whether a condition is about a row that is there or a row as it will be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    Using,
    Check,
}

impl Clause {
    /// What a policy says here; a row that will be must satisfy `USING` where nothing else is
    /// said, and what is read afterwards must be readable.
    fn of(self, policy: &Policy, privilege: Privilege) -> Option<&Expr> {
        match self {
            Self::Check if privilege != Privilege::Select => {
                policy.check.as_ref().or(policy.using.as_ref())
            }
            Self::Using | Self::Check => policy.using.as_ref(),
        }
    }
}

impl Api {
    /// The rules that a request meets, without running it.
    pub fn explain(
        &self,
        request: &Request<'_>,
        caller: &Caller,
        moment: Moment<'_>,
    ) -> Result<RequestRules, RestError> {
        let verdict = self.plan(request, caller, moment).map(|_| ());
        let file = self
            .endpoints
            .iter()
            .find(|file| file.method == request.method && file.is_at(request.path));
        if let Some(file) = file {
            let has = |role: &&Ident| caller.roles.has(role);
            return Ok(RequestRules {
                verdict,
                subject: format!("file {}", file.path),
                grants: vec![NeededGrant {
                    privilege: "call",
                    on: file.path.clone(),
                    given_to: file
                        .roles
                        .iter()
                        .filter(has)
                        .map(ToString::to_string)
                        .collect(),
                    withheld: Vec::new(),
                }],
                policies: Vec::new(),
                row: None,
                new_row: None,
            });
        }
        let name = request.path.first().map(AsRef::as_ref).unwrap_or_default();
        let Some(table) = self.catalog().relations().find(|table| table.name == *name) else {
            return Err(verdict
                .err()
                .unwrap_or_else(|| RestError::table(name, None)));
        };
        let rights = self.rights(&caller.roles);
        let context = self.context(&rights, caller, moment);
        self.explain_table(context, table, request, verdict)
    }

    fn explain_table(
        &self,
        context: Context<'_>,
        table: &Table,
        request: &Request<'_>,
        verdict: Result<(), RestError>,
    ) -> Result<RequestRules, RestError> {
        let view = self.catalog().view(table.name.as_str());
        let mut grants = Vec::new();
        for (privilege, _) in commands(request.method) {
            let privilege = *privilege;
            if grants
                .iter()
                .all(|grant: &NeededGrant| grant.privilege != privilege_name(privilege))
            {
                grants.push(needed(context, table, privilege));
            }
        }
        let asked = asked(context, table, request.method);
        let key = match (request.path.get(1), request.method, view) {
            (Some(key), method, None) if method != Method::Post => {
                let access = context.access.table(table.name.as_str());
                let access = access.ok_or_else(|| RestError::table(table.name.as_str(), None))?;
                let target = Target {
                    table,
                    view,
                    access,
                    file: None,
                };
                Some(key_values(target, key)?)
            }
            _ => None,
        };
        let row = key.as_ref().map(|key| {
            let using = asked.iter().filter(|asked| asked.policy.clause == "using");
            row_probe(context, table, &using.collect::<Vec<_>>(), |sql| {
                sql.ident(&table.name);
                Some(key.as_slice())
            })
        });
        let new_row = match view {
            None => new_row_probe(context, table, request, key.as_deref(), &asked)?,
            Some(_) => None,
        };
        let kind = if view.is_some() { "view" } else { "table" };
        Ok(RequestRules {
            verdict,
            subject: format!("{kind} {}", table.name),
            grants,
            policies: asked.into_iter().map(|asked| asked.policy).collect(),
            row,
            new_row,
        })
    }
}

fn needed(context: Context<'_>, table: &Table, privilege: Privilege) -> NeededGrant {
    let own = context.access.table(table.name.as_str());
    let granted: &[Ident] = own.map_or(&[], |own| match privilege {
        Privilege::Select => own.readable(),
        Privilege::Insert => own.insertable(),
        Privilege::Update => own.updatable(),
        Privilege::Delete => &[],
    });
    let given_to = table.grants.iter().filter_map(|grant| {
        let is_ours = grant.privilege == privilege && context.caller.roles.has(&grant.role);
        is_ours.then(|| match &grant.columns {
            None => grant.role.to_string(),
            Some(columns) => {
                let names: Vec<&str> = columns.iter().map(Ident::as_str).collect();
                format!("{} ({})", grant.role, names.join(", "))
            }
        })
    });
    let columns = table.columns.iter();
    let withheld = columns.filter(|column| {
        let is_write = privilege != Privilege::Select;
        let is_nobodys = is_write && column.generated.is_some();
        privilege != Privilege::Delete && !is_nobodys && !granted.contains(&column.name)
    });
    NeededGrant {
        privilege: privilege_name(privilege),
        on: table.name.to_string(),
        given_to: given_to.collect(),
        withheld: withheld.map(|column| column.name.to_string()).collect(),
    }
}

/// Every policy that is for what the method does.
fn asked<'c>(context: Context<'_>, table: &'c Table, method: Method) -> Vec<Asked<'c>> {
    let mut all = Vec::new();
    for (privilege, clause) in commands(method) {
        for policy in &table.policies {
            let is_for = match policy.command {
                lang::PolicyCommand::All => true,
                lang::PolicyCommand::One(one) => one == *privilege,
            };
            let Some(condition) = clause.of(policy, *privilege).filter(|_| is_for) else {
                continue;
            };
            all.push(Asked {
                policy: AppliedPolicy {
                    name: policy.name.to_string(),
                    privilege: privilege_name(*privilege),
                    permissive: policy.permissive,
                    applies: concerns(policy, &context.caller.roles, *privilege),
                    roles: policy.roles.iter().map(ToString::to_string).collect(),
                    clause: match clause {
                        Clause::Using => "using",
                        Clause::Check => "with check",
                    },
                    condition: words(condition),
                },
                condition,
            });
        }
    }
    all
}

/// `select (1 or 0 or 2 of each policy) from … as r where key`.
fn row_probe<'k>(
    context: Context<'_>,
    table: &Table,
    asked: &[&Asked<'_>],
    from: impl FnOnce(&mut Sql) -> Option<&'k [Value]>,
) -> Probe {
    let row = Ident::of("r");
    let Context {
        caller,
        moment,
        access,
        ..
    } = context;
    let environment = RequestEnvironment::new(Some(caller), moment, Some(access), &[]);
    let mut sql = Sql::new(context.dialect);
    sql.push("select 1");
    let asked: Vec<&&Asked<'_>> = asked.iter().filter(|asked| asked.policy.applies).collect();
    for one in &asked {
        sql.push(", case when ");
        ExpressionWriter::new(&mut sql, &environment).expression(one.condition, Some(&row));
        sql.push(" then 1 when not ");
        ExpressionWriter::new(&mut sql, &environment).expression(one.condition, Some(&row));
        sql.push(" then 0 else 2 end");
    }
    sql.push(" from ");
    let key = from(&mut sql);
    sql.push(" as ").ident(&row).push(" where 1 = 1");
    let columns = table.primary_key.as_ref().map(|key| key.columns.as_slice());
    for (column, value) in columns
        .unwrap_or_default()
        .iter()
        .zip(key.unwrap_or_default())
    {
        let kind = table.column(column.as_str()).map(|column| column.ty.kind());
        sql.push(" and ").column(&row, column).push(" = ");
        sql.typed_arg(value.clone(), kind.unwrap_or(Kind::Text));
    }
    Probe {
        query: Query::short(sql, vec![Kind::Integer; asked.len() + 1]),
        policies: asked.iter().map(|asked| asked.policy.clone()).collect(),
    }
}

/// The row that the body makes, alone or out of the one at the key.
fn new_row_probe(
    context: Context<'_>,
    table: &Table,
    request: &Request<'_>,
    key: Option<&[Value]>,
    asked: &[Asked<'_>],
) -> Result<Option<Probe>, RestError> {
    let Some(access) = context.access.table(table.name.as_str()) else {
        return Ok(None);
    };
    let target = Target {
        table,
        view: None,
        file: None,
        access,
    };
    if request.body.is_empty() {
        return Ok(None);
    }
    let given = body::parse(context, request.content_type, request.body)?;
    let given: Vec<(Ident, Value)> = match (request.method, given.objects.first()) {
        (Method::Post, Some(object)) => {
            let one = given.of_one(object.clone());
            let rows = body::insert_rows(context, target, &one, None, false)?;
            let values = rows.rows.into_iter().next().unwrap_or_default();
            rows.columns.into_iter().zip(values).collect()
        }
        (Method::Patch | Method::Put, Some(object)) if key.is_some() => {
            body::values(&body::assignments(target, &given, object)?)
        }
        _ => return Ok(None),
    };
    let is_insert = request.method == Method::Post;
    let checks = asked
        .iter()
        .filter(|asked| asked.policy.clause == "with check")
        .filter(|asked| is_insert || asked.policy.privilege != "insert")
        .collect::<Vec<_>>();
    Ok(Some(row_probe(context, table, &checks, |sql| {
        sql.push("(select ");
        for (place, column) in table.columns.iter().enumerate() {
            sql.push(if place == 0 { "" } else { ", " });
            match given.iter().find(|(name, _)| *name == column.name) {
                Some((_, value)) => {
                    sql.typed_arg(value.clone(), column.ty.kind());
                }
                None if is_insert => default_of(context, sql, column),
                None => {
                    sql.ident(&column.name);
                }
            }
            sql.push(" as ").ident(&column.name);
        }
        if !is_insert {
            sql.push(" from ").ident(&table.name).push(" where 1 = 1");
            let columns = table.primary_key.as_ref().map(|key| key.columns.as_slice());
            for (column, value) in columns
                .unwrap_or_default()
                .iter()
                .zip(key.unwrap_or_default())
            {
                let kind = table.column(column.as_str()).map(|column| column.ty.kind());
                sql.push(" and ").ident(column).push(" = ");
                sql.typed_arg(value.clone(), kind.unwrap_or(Kind::Text));
            }
        }
        sql.push(")");
        None
    })))
}

fn default_of(context: Context<'_>, sql: &mut Sql, column: &schema::Column) {
    match &column.default {
        Some(schema::ColumnDefault::Engine(expr)) => {
            let Context { caller, moment, .. } = context;
            let environment = RequestEnvironment::new(Some(caller), moment, None, &[]);
            ExpressionWriter::new(sql, &environment).expression(expr, None);
        }
        Some(schema::ColumnDefault::Caller(_)) | None => {
            sql.typed_arg(Value::Null, column.ty.kind());
        }
    }
}
