//! Files to endpoints, checked against the catalog and the roles' grants.

use std::collections::BTreeSet;

use lang::{
    CheckedStatement, Diagnostic, InsertSource, ParameterShape, Privilege, Source, Span, WriteKind,
    check_query, expression_reads, parse_query,
};
use schema::{Catalog, ColumnDefault};
use sql::{Dialect, Ident};

use super::run::rules_hold;
use super::{Endpoint, Place, Relation, Segment, header};
use crate::access::Access;
use crate::plan::filter_is_filled;
use crate::{Answer, Method, RoleSet};

impl Endpoint {
    /// Compiles all files; gives every mistake of all of them.
    pub(crate) fn compile_all(
        files: &[Source],
        catalog: &Catalog,
        dialect: Dialect,
    ) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let mut endpoints: Vec<Self> = Vec::new();
        let mut errors = Vec::new();
        for file in files {
            match compile(file, catalog, dialect) {
                Ok(Some(endpoint)) => {
                    let same = |other: &&Self| {
                        other.method == endpoint.method
                            && same_path(&other.segments, &endpoint.segments)
                    };
                    if let Some(other) = endpoints.iter().find(same) {
                        let message = format!("{} answers the same route", other.path);
                        errors.push(Diagnostic::new(&file.path, start(), message));
                    } else {
                        endpoints.push(endpoint);
                    }
                }
                Ok(None) => {}
                Err(more) => errors.extend(more),
            }
        }
        // Fixed parts win over parameters.
        endpoints.sort_by_key(|endpoint| {
            let is_parameter = |s: &Segment| matches!(s, Segment::Parameter(_));
            endpoint
                .segments
                .iter()
                .map(is_parameter)
                .collect::<Vec<_>>()
        });
        if errors.is_empty() {
            Ok(endpoints)
        } else {
            Err(errors)
        }
    }
}

fn same_path(left: &[Segment], right: &[Segment]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|pair| match pair {
            (Segment::Fixed(left), Segment::Fixed(right)) => left == right,
            (Segment::Parameter(_), Segment::Parameter(_)) => true,
            _ => false,
        })
}

fn start() -> Span {
    Span { line: 1, column: 1 }
}

/// `api/a/[b].get.sql` → segments and method; a file for another engine is passed over.
fn route(source: &Source, dialect: Dialect) -> Result<Option<(Vec<Segment>, Method)>, Diagnostic> {
    let wrong = || {
        Diagnostic::new(
            &source.path,
            start(),
            "the file's name does not tell its route",
        )
        .hint("name it api/path.method.sql, as api/feed.get.sql or api/users/[id].get.sql")
    };
    let name = source.path.strip_prefix("api/").unwrap_or(&source.path);
    let name = name.strip_suffix(".sql").ok_or_else(wrong)?;
    let (folder, file) = match name.rsplit_once('/') {
        Some((folder, file)) => (Some(folder), file),
        None => (None, name),
    };
    let mut words: Vec<&str> = file.split('.').collect();
    if let Some(last) = words.last()
        && let Some(engine) = Dialect::ALL.iter().find(|engine| engine.name() == *last)
    {
        if *engine != dialect {
            return Ok(None);
        }
        words.pop();
    }
    let [stem, method] = words.as_slice() else {
        return Err(wrong());
    };
    let method = match *method {
        "get" => Method::Get,
        "post" => Method::Post,
        "put" => Method::Put,
        "patch" => Method::Patch,
        "delete" => Method::Delete,
        _ => return Err(wrong()),
    };
    let folders = folder.into_iter().flat_map(|folder| folder.split('/'));
    let stems = (*stem != "index").then_some(*stem);
    let segments: Vec<Segment> = folders
        .chain(stems)
        .map(|part| {
            match part
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                Some(name) => Segment::Parameter(name.to_owned()),
                None => Segment::Fixed(part.to_owned()),
            }
        })
        .collect();
    Ok(Some((segments, method)))
}

#[expect(clippy::too_many_lines, reason = "a file's checks in their order")]
fn compile(
    source: &Source,
    catalog: &Catalog,
    dialect: Dialect,
) -> Result<Option<Endpoint>, Vec<Diagnostic>> {
    let Some((segments, method)) = route(source, dialect).map_err(|error| vec![error])? else {
        return Ok(None);
    };
    let header = header::parse(source)?;
    let wrong = |message: String| Diagnostic::new(&source.path, start(), message);
    let mut errors = Vec::new();
    if header.access.is_empty() {
        errors.push(
            wrong(String::from("the file does not say who may call it"))
                .hint("write -- @access anon, authenticated or a role of your own"),
        );
    }
    let mut roles = Vec::new();
    for role in &header.access {
        match catalog
            .roles
            .iter()
            .find(|known| known.name == *role.as_str())
        {
            Some(known) => roles.push(known.name.clone()),
            None => errors.push(wrong(format!("there is no role {role}"))),
        }
    }
    let answer = header.answer();
    let mut parameters = Vec::new();
    for (mut parameter, placed) in header.parameters {
        let in_path = segments.contains(&Segment::Parameter(parameter.name.clone()));
        parameter.place = match (in_path, placed, method) {
            (true, _, _) => Place::Path,
            (false, true, _) => parameter.place,
            (false, false, Method::Get | Method::Head | Method::Delete) => Place::Query,
            (false, false, Method::Post | Method::Put | Method::Patch) => Place::Body,
        };
        parameters.push(parameter);
    }
    for segment in &segments {
        if let Segment::Parameter(name) = segment
            && parameters.iter().all(|parameter| parameter.name != *name)
        {
            errors.push(
                wrong(format!("the path's [{name}] is not declared"))
                    .hint(format!("write -- @param {name} uuid in path")),
            );
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let shapes: Vec<ParameterShape> = parameters
        .iter()
        .map(|parameter| ParameterShape {
            name: parameter.name.clone(),
            ty: parameter.ty.clone(),
            nullable: parameter.default == Some(sql::Value::Null),
        })
        .collect();
    let reads_only = method == Method::Get;
    let statements = check_statements(source, &shapes, catalog, reads_only, dialect)?;
    let mut endpoint = Endpoint {
        path: source.path.clone(),
        method,
        segments,
        summary: header.summary,
        description: header.description,
        parameters,
        roles,
        answer,
        cache: header.cache,
        status: header.status,
        definer: header.definer,
        statements,
        relation: None,
    };
    if let ([CheckedStatement::Query(query)], Some(Answer::Many | Answer::One | Answer::OneOr(_))) =
        (endpoint.statements.as_slice(), &endpoint.answer)
    {
        endpoint.relation = Relation::of(&endpoint.name(), query).map(Box::new);
    }
    unused(source, &endpoint)?;
    if !endpoint.definer {
        grants(source, &endpoint, catalog)?;
    }
    Ok(Some(endpoint))
}

/// Checks a file's statements; a reading file holds one query.
pub(super) fn check_statements(
    source: &Source,
    shapes: &[ParameterShape],
    catalog: &Catalog,
    reads_only: bool,
    dialect: Dialect,
) -> Result<Vec<CheckedStatement>, Vec<Diagnostic>> {
    let raw = parse_query(source)?;
    if reads_only {
        let writing = raw.iter().find(|query| !query.is_query());
        if let Some(query) = writing {
            let message = "a GET only reads";
            return Err(vec![
                Diagnostic::new(&source.path, query.span(), message)
                    .hint("name the file .post.sql, .put.sql, .patch.sql or .delete.sql"),
            ]);
        }
        if let Some(second) = raw.get(1) {
            let message = "a GET is one statement";
            return Err(vec![Diagnostic::new(&source.path, second.span(), message)]);
        }
    }
    let mut statements = Vec::new();
    let mut errors = Vec::new();
    for query in &raw {
        match check_query(query, &source.path, shapes, catalog) {
            Ok(checked) if loses_rows(&checked, dialect) => errors.push(
                Diagnostic::new(
                    &source.path,
                    query.span(),
                    format!(
                        "{dialect} cannot return rows that an update takes out of its own filter"
                    ),
                )
                .hint("filter by the key, or leave RETURNING away"),
            ),
            Ok(checked) => statements.push(with_defaults(checked, catalog, dialect)),
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() {
        Ok(statements)
    } else {
        Err(errors)
    }
}

/// Whether a changed row would be read back by a column that has changed; engines with
/// `UPDATE … RETURNING` need not.
fn loses_rows(checked: &CheckedStatement, dialect: Dialect) -> bool {
    let CheckedStatement::Write(write) = checked else {
        return false;
    };
    let WriteKind::Update {
        assignments,
        filter: Some(filter),
    } = &write.kind
    else {
        return false;
    };
    let read = filter.row_columns();
    !dialect.update_returning()
        && !write.returning.is_empty()
        && assignments.iter().any(|(column, _)| read.contains(column))
}

/// Adds what we fill in (owner, moment, id) to an insert that does not name it.
fn with_defaults(
    checked: CheckedStatement,
    catalog: &Catalog,
    dialect: Dialect,
) -> CheckedStatement {
    let CheckedStatement::Write(mut write) = checked else {
        return checked;
    };
    let Some(table) = catalog.table(write.table.as_str()) else {
        return CheckedStatement::Write(write);
    };
    let is_shown = !write.returning.is_empty();
    if let WriteKind::Insert { columns, source } = &mut write.kind {
        for column in table
            .columns
            .iter()
            .filter(|column| filter_is_filled(column))
        {
            if columns.contains(&column.name) {
                continue;
            }
            let Some(ColumnDefault::Caller(expr) | ColumnDefault::Engine(expr)) = &column.default
            else {
                continue;
            };
            match source {
                InsertSource::Rows(rows) => rows.iter_mut().for_each(|row| row.push(expr.clone())),
                InsertSource::Query(query) => {
                    // One bound id cannot serve several rows; the engine makes them, except where
                    // the new row could not be found again.
                    let is_id = matches!(expr.kind, lang::ExprKind::NewId { .. });
                    if is_id && (dialect.insert_returning() || !is_shown) {
                        continue;
                    }
                    let name = column.name.clone();
                    query.projection.push(lang::Projection {
                        name,
                        expr: expr.clone(),
                    });
                }
            }
            columns.push(column.name.clone());
        }
    }
    CheckedStatement::Write(write)
}

fn unused(source: &Source, endpoint: &Endpoint) -> Result<(), Vec<Diagnostic>> {
    let mut used = vec![false; endpoint.parameters.len()];
    let mut see = |expr: &lang::Expr| {
        if let lang::ExprKind::Parameter(place) = expr.kind {
            used[place] = true;
        }
    };
    for statement in &endpoint.statements {
        match statement {
            CheckedStatement::Query(query) => query.visit(&mut see),
            CheckedStatement::Write(write) => write.visit(&mut see),
        }
    }
    match used.iter().position(|used| !used) {
        Some(place) => {
            let name = &endpoint.parameters[place].name;
            Err(vec![
                Diagnostic::new(
                    &source.path,
                    start(),
                    format!("the parameter {name} is not used"),
                )
                .hint(format!(
                    "write :{name} in the statement, or take the line away"
                )),
            ])
        }
        None => Ok(()),
    }
}

/// Every role that may call the file may read and write what the file names.
fn grants(source: &Source, endpoint: &Endpoint, catalog: &Catalog) -> Result<(), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    for role in &endpoint.roles {
        let access = Access::of(catalog, &RoleSet::of_role(catalog, role));
        for statement in &endpoint.statements {
            if let CheckedStatement::Write(write) = statement
                && !rules_hold(&access, write)
            {
                let message = format!("the rules of {} look at what this writes", write.table);
                errors.push(Diagnostic::new(&source.path, start(), message).hint(
                    "write it through the table's own route, or -- @security definer with the rule \
                     in the statement",
                ));
            }
            for (table, column, privilege) in needs(statement, catalog) {
                let granted = match privilege {
                    Privilege::Select => access.may_read(&table, column.as_ref()),
                    _ => access.table(table.as_str()).is_some_and(|access| {
                        let columns = match privilege {
                            Privilege::Update => access.updatable(),
                            Privilege::Delete => return access.delete,
                            Privilege::Insert | Privilege::Select => access.insertable(),
                        };
                        column
                            .as_ref()
                            .is_none_or(|column| columns.contains(column))
                    }),
                };
                if !granted {
                    let what = format!("{privilege:?}").to_lowercase();
                    let column = column
                        .map(|column| format!(".{column}"))
                        .unwrap_or_default();
                    let message = format!("{role} may not {what} {table}{column}");
                    errors.push(Diagnostic::new(&source.path, start(), message).hint(
                        "grant it in schema/, or write -- @security definer if the file alone \
                             decides",
                    ));
                }
            }
        }
    }
    errors.dedup();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

type Need = (Ident, Option<Ident>, Privilege);

fn needs(statement: &CheckedStatement, catalog: &Catalog) -> Vec<Need> {
    type Reads = (BTreeSet<Ident>, BTreeSet<(Ident, Ident)>);
    let read = |(tables, columns): Reads| {
        let columns = columns
            .into_iter()
            .map(|(table, column)| (table, Some(column)));
        let tables = tables.into_iter().map(|table| (table, None));
        let needs = columns.chain(tables);
        needs
            .map(|(table, column)| (table, column, Privilege::Select))
            .collect::<Vec<Need>>()
    };
    match statement {
        CheckedStatement::Query(query) => read(query.reads()),
        CheckedStatement::Write(write) => {
            let mut needs = Vec::new();
            let table = &write.table;
            let row = |needs: &mut Vec<Need>, expr: &lang::Expr| {
                for column in expr.row_columns() {
                    needs.push((table.clone(), Some(column), Privilege::Select));
                }
                needs.extend(read(expression_reads(expr)));
            };
            match &write.kind {
                WriteKind::Insert { columns, source } => {
                    // What the server fills in needs no grant.
                    let declared = catalog.table(table.as_str());
                    let given = columns
                        .iter()
                        .enumerate()
                        .filter(|(place, name)| !is_ours(declared, name, source, *place))
                        .map(|(_, name)| name.clone());
                    needs.extend(given.map(|c| (table.clone(), Some(c), Privilege::Insert)));
                    if let InsertSource::Query(query) = source {
                        needs.extend(read(query.reads()));
                    }
                }
                WriteKind::Update {
                    assignments,
                    filter,
                } => {
                    for (column, value) in assignments {
                        needs.push((table.clone(), Some(column.clone()), Privilege::Update));
                        row(&mut needs, value);
                    }
                    filter.iter().for_each(|filter| row(&mut needs, filter));
                }
                WriteKind::Delete { filter } => {
                    needs.push((table.clone(), None, Privilege::Delete));
                    filter.iter().for_each(|filter| row(&mut needs, filter));
                }
            }
            write
                .returning
                .iter()
                .for_each(|column| row(&mut needs, &column.expr));
            needs
        }
    }
}

/// Whether an insert's value is the default that we put there, not the file's own.
fn is_ours(
    table: Option<&schema::Table>,
    name: &Ident,
    source: &InsertSource,
    place: usize,
) -> bool {
    let default = table
        .and_then(|table| table.column(name.as_str()))
        .filter(|column| filter_is_filled(column))
        .and_then(|column| column.default.as_ref());
    let value = match source {
        InsertSource::Rows(rows) => rows.first().and_then(|row| row.get(place)),
        InsertSource::Query(query) => query.projection.get(place).map(|column| &column.expr),
    };
    match (default, value) {
        (Some(ColumnDefault::Caller(expr) | ColumnDefault::Engine(expr)), Some(value)) => {
            expr == value
        }
        _ => false,
    }
}
