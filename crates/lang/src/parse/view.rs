//! `CREATE VIEW`.

use sqlparser::ast;

use super::{name, table_name};
use crate::{Diagnostic, RawQuery, Source, Span, ViewDef};

pub(super) fn view(
    source: &Source,
    create: &ast::CreateView,
    span: Span,
) -> Result<ViewDef, Diagnostic> {
    let refuse =
        |message: &str, hint: &str| Err(Diagnostic::new(&source.path, span, message).hint(hint));
    if create.materialized {
        return refuse(
            "a materialized view exists on PostgreSQL alone",
            "write CREATE VIEW, or put it behind -- @engine postgres",
        );
    }
    if create.or_replace || create.or_alter || create.if_not_exists || create.temporary {
        return refuse(
            "write CREATE VIEW alone",
            "a declaration says what is wanted, once",
        );
    }
    let is_plain = create.to.is_none()
        && create.comment.is_none()
        && create.cluster_by.is_empty()
        && create.params.is_none()
        && !create.secure
        && !create.copy_grants
        && !create.with_no_schema_binding;
    if !is_plain {
        return refuse(
            "this kind of view is not portable",
            "write CREATE VIEW name AS SELECT …",
        );
    }
    let columns = create.columns.iter().map(|column| {
        let plain = column.data_type.is_none() && column.options.is_none();
        match plain {
            true => name(&source.path, &column.name, span),
            false => Err(Diagnostic::new(
                &source.path,
                span,
                "a view's columns have the types of its query",
            )),
        }
    });
    Ok(ViewDef {
        name: table_name(&source.path, &create.name, span)?,
        columns: columns.collect::<Result<_, _>>()?,
        security_invoker: security_invoker(source, &create.options, span)?,
        query: RawQuery {
            statement: ast::Statement::Query(create.query.clone()),
            span,
        },
        span,
    })
}

/// `WITH (security_invoker = …)`; true where nothing is said, so that a view never shows more
/// than the tables beneath it do.
fn security_invoker(
    source: &Source,
    options: &ast::CreateTableOptions,
    span: Span,
) -> Result<bool, Diagnostic> {
    let refuse = || {
        Diagnostic::new(&source.path, span, "a view has one option")
            .hint("write WITH (security_invoker = true) or WITH (security_invoker = false)")
    };
    let options = match options {
        ast::CreateTableOptions::None => return Ok(true),
        ast::CreateTableOptions::With(options) => options,
        _ => return Err(refuse()),
    };
    let [ast::SqlOption::KeyValue { key, value }] = options.as_slice() else {
        return Err(refuse());
    };
    match (
        key.value.to_lowercase().as_str(),
        value.to_string().to_lowercase().as_str(),
    ) {
        ("security_invoker", "true" | "on" | "1") => Ok(true),
        ("security_invoker", "false" | "off" | "0") => Ok(false),
        _ => Err(refuse()),
    }
}
