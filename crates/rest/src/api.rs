//! Schema and endpoints compiled for one engine: the door of this room.

mod advice;
mod key;
mod known;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use lang::{Diagnostic, Source};
use schema::Catalog;
use sql::{Dialect, Kind, Sql, Step};

pub(crate) use self::key::key_values;
use self::key::{filtered_key, readable_key};
pub(crate) use self::known::KnownReads;
use self::known::Sameness;
use crate::access::Access;
use crate::budget::Rights;
use crate::endpoint::{Endpoint, match_name, match_path};
use crate::plan::{Context, Wanted, plan_read, plan_shown, plan_write, split};
use crate::request::{Field, Item, Media, Prefer, negotiate, parse};
use crate::{
    ApiOptions, Caller, ErrorKind, Limits, Method, Moment, Nested, OpenApiInfo, Plan, Prefixes,
    ReadPlan, Request, RestError, RoleSet, RouteInfo,
};

/// How the members begin that tell a watched row's key.
pub const KEY_MEMBER: &str = "$key.";

/// Everything that a request needs to be planned; swapped whole when files change.
pub struct Api {
    catalog: Arc<Catalog>,
    pub(crate) endpoints: Vec<Endpoint>,
    dialect: Dialect,
    limits: Limits,
    /// Where it is mounted.
    prefixes: Prefixes,
    /// Whether the engine applies policies of its own, too.
    is_native: bool,
    /// What each set of roles may do, worked out once.
    rights: RwLock<HashMap<RoleSet, Arc<Rights>>>,
}

impl Api {
    /// Compiles the endpoint files against the catalog.
    pub fn new(
        catalog: Arc<Catalog>,
        files: &[Source],
        dialect: Dialect,
        options: impl Into<ApiOptions>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let endpoints = Endpoint::compile_all(files, &catalog, dialect)?;
        require_readable_views(&catalog)?;
        let ApiOptions { limits, prefixes } = options.into();
        Ok(Self {
            catalog,
            endpoints,
            dialect,
            limits,
            prefixes,
            is_native: false,
            rights: RwLock::new(HashMap::new()),
        })
    }

    /// The same for a database that applies the rules by policies of its own, too
    /// ([`schema::NativeRules`]): statements are those of a role that it narrows.
    #[must_use]
    pub fn with_native_rules(mut self) -> Self {
        self.is_native = true;
        self
    }

    /// The declared tables.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// Where it is mounted.
    #[must_use]
    pub fn prefixes(&self) -> &Prefixes {
        &self.prefixes
    }

    /// What answers at a path below a mount, parameters and keys in braces: `/users/{key}`,
    /// `/activities/{uuid}/like`. `None` where nothing of that shape does.
    #[must_use]
    pub fn route(&self, inner: &str) -> Option<String> {
        let inner = inner.trim_matches('/');
        let path: Vec<Cow<'_, str>> = match inner {
            "" => Vec::new(),
            inner => inner.split('/').map(Cow::Borrowed).collect(),
        };
        let file = self.endpoints.iter().find(|file| file.is_at(&path));
        if let Some(file) = file {
            return Some(file.route_path());
        }
        match path.as_slice() {
            [] => Some(String::from("/")),
            [batch] if batch == "$batch" => Some(String::from("/$batch")),
            [rpc, name] if rpc == "rpc" => {
                let named = self.endpoints.iter().any(|file| file.name() == *name);
                named.then(|| format!("/rpc/{name}"))
            }
            [name] => Some(format!("/{}", self.relation(name)?)),
            [name, _] => Some(format!("/{}/{{key}}", self.relation(name)?)),
            _ => None,
        }
    }

    /// A relation's own name.
    fn relation(&self, name: &str) -> Option<&sql::Ident> {
        let mut all = self.catalog.relations();
        let found = all.find(|relation| relation.name.as_str() == name)?;
        Some(&found.name)
    }

    /// Whether a file answers at the mount itself: `api/index.get.sql`.
    #[must_use]
    pub fn has_index(&self) -> bool {
        self.endpoints.iter().any(|file| file.segments.is_empty())
    }

    /// What a set of roles may do.
    pub(crate) fn rights(&self, roles: &RoleSet) -> Arc<Rights> {
        let known = self.rights.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(rights) = known.get(roles) {
            return Arc::clone(rights);
        }
        drop(known);
        let rights = Arc::new(Rights::of(&self.catalog, roles, self.limits));
        let mut known = self.rights.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(roles.clone(), Arc::clone(&rights));
        rights
    }

    /// Understands a request, or says what is wrong with it.
    pub fn plan(
        &self,
        request: &Request<'_>,
        caller: &Caller,
        moment: Moment<'_>,
    ) -> Result<Plan, RestError> {
        require_profile(request)?;
        let rights = self.rights(&caller.roles);
        let context = self.context(&rights, caller, moment);
        let limit = rights.limits.statement_timeout;
        match self.planned(request, context, &rights.known)? {
            Plan::Read(plan) if limit.is_some() => Ok(Plan::Read(plan.within(limit))),
            plan => Ok(plan),
        }
    }

    fn planned(
        &self,
        request: &Request<'_>,
        context: Context<'_>,
        known: &KnownReads,
    ) -> Result<Plan, RestError> {
        if let [rpc, name] = request.path
            && rpc == "rpc"
        {
            return match_name(&self.endpoints, name, request, context);
        }
        if let Some(plan) = match_path(&self.endpoints, request, context)? {
            return Ok(plan);
        }
        match request.path {
            [table] | [table, _] if matches!(request.method, Method::Get | Method::Head) => {
                let key = request.path.get(1).map(AsRef::as_ref);
                let read = self.read(context, known, table, key, request);
                read.map(Plan::Read)
            }
            [table] => self.table(context, table, None, request),
            [table, key] => self.table(context, table, Some(key), request),
            _ => Err(RestError::new(
                ErrorKind::NotFound,
                "PGRST125",
                "there is no such path",
            )),
        }
    }

    pub(crate) fn context<'a>(
        &'a self,
        rights: &'a Rights,
        caller: &'a Caller,
        moment: Moment<'a>,
    ) -> Context<'a> {
        Context {
            catalog: &self.catalog,
            access: &rights.access,
            caller,
            moment,
            dialect: self.dialect,
            limits: &rights.limits,
            is_native: self.is_native,
            facts: None,
        }
    }

    /// Plans a read whose rows are to be told apart from one time to the next: each also has the
    /// values of its primary key, as members that begin with [`KEY_MEMBER`].
    pub fn plan_watched(
        &self,
        request: &Request<'_>,
        caller: &Caller,
        moment: Moment<'_>,
    ) -> Result<Plan, RestError> {
        let rights = self.rights(&caller.roles);
        let context = self.context(&rights, caller, moment);
        let [table] = request.path else {
            return self.plan(request, caller, moment);
        };
        let Some(target) = context.target(table) else {
            return self.plan(request, caller, moment);
        };
        let mut read = parse(request.query, context.limits)?;
        let prefer = Prefer::parse(request.prefer)?;
        let primary = target.table.primary_key.as_ref();
        let readable = target.access.readable();
        let columns = primary.map_or(&[][..], |key| &key.columns).iter();
        let items = read.select.get_or_insert_with(|| vec![Item::All]);
        for column in columns.filter(|column| readable.contains(column)) {
            items.push(Item::Field {
                alias: Some(format!("{KEY_MEMBER}{column}")),
                field: Field::column(column.to_string()),
                cast: None,
                aggregate: None,
            });
        }
        let plan = plan_read(
            context,
            target,
            &read,
            Wanted::All,
            Media::default(),
            &prefer,
        );
        plan.map(Plan::Read)
    }

    /// Rows of a table or view, or the one with a key.
    fn read(
        &self,
        context: Context<'_>,
        known: &KnownReads,
        name: &str,
        key: Option<&str>,
        request: &Request<'_>,
    ) -> Result<ReadPlan, RestError> {
        let unknown = || self.unknown(context, name);
        let target = context.target(name).ok_or_else(unknown)?;
        let key = key.map(|key| readable_key(target, key)).transpose()?;
        let same = Sameness::of(name, key.is_some(), context.is_anonymous(), request);
        known.plan(same, context, key.as_deref(), |context, key| {
            let target = context.target(name).ok_or_else(unknown)?;
            let prefer = Prefer::parse(request.prefer)?;
            let media = negotiate(request.accept)?;
            let mut read = parse(request.query, context.limits)?;
            if let Some(range) = request.range {
                read.page(range)?;
            }
            let wanted = key.map_or(Wanted::All, Wanted::Key);
            plan_read(context, target, &read, wanted, media, &prefer)
        })
    }

    /// A change of a table's rows.
    fn table(
        &self,
        context: Context<'_>,
        name: &str,
        key: Option<&str>,
        request: &Request<'_>,
    ) -> Result<Plan, RestError> {
        let target = context
            .target(name)
            .ok_or_else(|| self.unknown(context, name))?;
        let prefer = Prefer::parse(request.prefer)?;
        let media = negotiate(request.accept)?;
        let mut read = parse(request.query, context.limits)?;
        let key = match (key, request.method) {
            (Some(key), _) => Some(readable_key(target, key)?),
            (None, Method::Put) => Some(filtered_key(target, &mut read)?),
            (None, _) => None,
        };
        if let Some(view) = target.view {
            let message = format!("{} is a view, of which rows are only read", view.name());
            let mut error = RestError::new(ErrorKind::MethodNotAllowed, "PGRST117", message);
            error.allow = Some(String::from("GET, HEAD, OPTIONS"));
            return Err(error.hint("change the tables beneath"));
        }
        if request.method == Method::Post && key.is_some() {
            let message = "POST goes to the table, not to a row";
            let mut error = RestError::new(ErrorKind::MethodNotAllowed, "PGRST117", message);
            error.allow = Some(String::from("GET, HEAD, PUT, PATCH, DELETE, OPTIONS"));
            return Err(error);
        }
        let key = key.as_deref();
        plan_write(context, target, request, &read, key, media, &prefer).map(Plan::Write)
    }

    /// Plans the read of rows that a write has made or changed, by the values of columns: what
    /// [`crate::WritePlan::written`] says, for the request that it was planned for.
    pub fn plan_written(
        &self,
        request: &Request<'_>,
        caller: &Caller,
        moment: Moment<'_>,
        columns: &[sql::Ident],
        values: &[Vec<sql::Value>],
    ) -> Result<ReadPlan, RestError> {
        let rights = self.rights(&caller.roles);
        let context = self.context(&rights, caller, moment);
        let name = request.path.first().map_or("", AsRef::as_ref);
        let target = context
            .target(name)
            .ok_or_else(|| self.unknown(context, name))?;
        let prefer = Prefer::parse(request.prefer)?;
        let media = negotiate(request.accept)?;
        let read = parse(request.query, context.limits)?;
        let wanted = Wanted::Written(columns, values);
        plan_shown(context, target, &read, wanted, media, &prefer)
    }

    /// Takes a row for a table apart, where it holds rows of related tables; `None` where it does
    /// not, or where there is no such table.
    pub fn split(
        &self,
        table: &str,
        object: &serde_json::Map<String, serde_json::Value>,
        caller: &Caller,
        moment: Moment<'_>,
    ) -> Result<Option<Nested>, RestError> {
        let rights = self.rights(&caller.roles);
        let context = self.context(&rights, caller, moment);
        match context.target(table) {
            Some(target) if target.view.is_none() => split(context, target, object),
            _ => Ok(None),
        }
    }

    /// The columns of a table's primary key.
    #[must_use]
    pub fn key_columns(&self, table: &str) -> Vec<String> {
        let table = self.catalog.table(table);
        let primary = table.and_then(|table| table.primary_key.as_ref());
        let columns = primary.map_or(&[][..], |key| &key.columns);
        columns.iter().map(ToString::to_string).collect()
    }

    /// The values of a table's columns out of an answer's row.
    #[must_use]
    pub fn typed_values(
        &self,
        table: &str,
        columns: &[String],
        row: &serde_json::Map<String, serde_json::Value>,
    ) -> Option<(Vec<sql::Ident>, Vec<sql::Value>)> {
        let table = self.catalog.table(table)?;
        let typed = columns.iter().map(|name| {
            let column = table.column(name)?;
            let value = crate::value::from_json(row.get(name)?, &column.ty).ok()?;
            Some((column.name.clone(), value))
        });
        let typed: Vec<_> = typed.collect::<Option<_>>()?;
        Some(typed.into_iter().unzip())
    }

    /// A step that keeps the row of a path as it is until the transaction ends; `None` where the
    /// engine has one writer, or the path names no row.
    pub fn lock(
        &self,
        request: &Request<'_>,
        caller: &Caller,
        moment: Moment<'_>,
    ) -> Result<Option<Step>, RestError> {
        let rights = self.rights(&caller.roles);
        let context = self.context(&rights, caller, moment);
        let (Dialect::Postgres | Dialect::MySql | Dialect::MariaDb, [table, key]) =
            (self.dialect, request.path)
        else {
            return Ok(None);
        };
        let Some(target) = context.target(table).filter(|target| target.view.is_none()) else {
            return Ok(None);
        };
        let values = readable_key(target, key)?;
        let primary = target.table.primary_key.as_ref();
        let mut sql = Sql::new(self.dialect);
        sql.push("select 1 from ").ident(&target.table.name);
        for (place, (column, value)) in primary
            .map_or(&[][..], |key| &key.columns)
            .iter()
            .zip(values)
            .enumerate()
        {
            let kind = target.table.column(column.as_str());
            let kind = kind.map_or(Kind::Text, |column| column.ty.kind());
            sql.push(if place == 0 { " where " } else { " and " });
            sql.ident(column).push(" = ").typed_arg(value, kind);
        }
        sql.push(" for update");
        Ok(Some(Step::new(sql).returning(vec![Kind::Integer])))
    }

    /// For each table whose rows expire, the step that deletes those that have.
    #[must_use]
    pub fn purge_steps(&self, now: jiff::Timestamp) -> Vec<(sql::Ident, Step)> {
        purge_steps(&self.catalog, self.dialect, now)
    }

    /// The methods that a path takes from this caller; `None` where there is nothing.
    #[must_use]
    pub fn methods(
        &self,
        path: &[Cow<'_, str>],
        caller: &Caller,
        moment: Moment<'_>,
    ) -> Option<String> {
        let rights = self.rights(&caller.roles);
        let context = self.context(&rights, caller, moment);
        let mut methods: Vec<&str> = Vec::new();
        let is_named =
            |file: &&Endpoint| matches!(path, [rpc, name] if rpc == "rpc" && *name == file.name());
        for file in self.endpoints.iter().filter(|file| file.is_at(path)) {
            methods.push(file.method.name());
        }
        for file in self.endpoints.iter().filter(is_named) {
            methods.extend((file.method == Method::Get).then_some("GET"));
            methods.push("POST");
        }
        if let ([table] | [table, _], Some(target)) =
            (path, path.first().and_then(|name| context.target(name)))
        {
            let (own, is_row) = (target.access, path.len() == 2);
            let is_key = target.table.primary_key.is_some();
            if is_row && !is_key {
                return None;
            }
            let _ = table;
            methods.extend((!own.readable().is_empty()).then_some("GET"));
            let writes = target.view.is_none();
            methods.extend((writes && !is_row && !own.insertable().is_empty()).then_some("POST"));
            methods.extend((writes && !own.updatable().is_empty()).then_some("PATCH"));
            methods.extend((writes && is_key && !own.updatable().is_empty()).then_some("PUT"));
            methods.extend((writes && own.delete).then_some("DELETE"));
        }
        if methods.is_empty() {
            return None;
        }
        methods.extend(methods.contains(&"GET").then_some("HEAD"));
        methods.push("OPTIONS");
        methods.dedup();
        Some(methods.join(", "))
    }

    fn unknown(&self, context: Context<'_>, name: &str) -> RestError {
        let visible = self.catalog.relations().filter(|table| {
            context
                .access
                .table(table.name.as_str())
                .is_some_and(super::access::TableAccess::is_visible)
        });
        RestError::table(
            name,
            stdx::nearest(name, visible.map(|table| table.name.as_str())),
        )
    }

    /// Every statement of every endpoint, for the engine to compile at start.
    #[must_use]
    pub fn statements_to_prepare(&self) -> Vec<(String, Sql)> {
        self.endpoints
            .iter()
            .flat_map(|endpoint| endpoint.samples(self, self.dialect))
            .collect()
    }

    /// All routes, for people to look at.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteInfo> {
        crate::routes::all(self)
    }

    /// The OpenAPI document for a set of roles.
    #[must_use]
    pub fn openapi(&self, roles: &RoleSet, info: &OpenApiInfo) -> serde_json::Value {
        crate::openapi::document(self, roles, info)
    }

    /// Types of a program in TypeScript for a set of roles.
    #[must_use]
    pub fn typescript(&self, roles: &RoleSet) -> String {
        crate::typescript::module(self, roles)
    }
}

/// Every role that may read a view may read what is beneath it, or the view would show nothing.
fn require_readable_views(catalog: &Catalog) -> Result<(), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    for view in &catalog.views {
        for grant in &view.relation.grants {
            let access = Access::of(catalog, &RoleSet::of_role(catalog, &grant.role));
            if let Some((table, column)) = access.missing(view) {
                let (role, name, relation) = (&grant.role, view.name(), &view.relation);
                let column = column
                    .map(|column| format!(".{column}"))
                    .unwrap_or_default();
                let message =
                    format!("{role} may not read {table}{column}, which the view {name} reads");
                errors.push(
                    Diagnostic::new(&relation.path, relation.span, message).hint(
                        "grant it, or write WITH (security_invoker = false) if the view alone \
                     decides what is seen",
                    ),
                );
            }
        }
    }
    match errors.is_empty() {
        true => Ok(()),
        false => Err(errors),
    }
}

/// For each table whose rows expire, the step that deletes those that have.
#[must_use]
pub fn purge_steps(
    catalog: &Catalog,
    dialect: Dialect,
    now: jiff::Timestamp,
) -> Vec<(sql::Ident, Step)> {
    let expiring = catalog.tables.iter().filter_map(|table| {
        let column = table.expiry()?;
        let mut sql = Sql::new(dialect);
        sql.push("delete from ").ident(&table.name).push(" where ");
        sql.ident(&column.name)
            .push(" <= ")
            .typed_arg(now, Kind::Timestamp);
        Some((table.name.clone(), Step::new(sql)))
    });
    expiring.collect()
}

/// There is one schema, and clients name it as PostgreSQL does.
fn require_profile(request: &Request<'_>) -> Result<(), RestError> {
    match request.profile {
        None | Some("public" | "") => Ok(()),
        Some(other) => {
            let message = format!("there is no schema {other}: the schema is public");
            Err(
                RestError::new(ErrorKind::NotAcceptable, "PGRST106", message)
                    .hint("leave the profile away"),
            )
        }
    }
}
