//! `CREATE TABLE`, `ADD COLUMN` and their constraints.

use sql::{Ident, RangeOf};
use sqlparser::ast;

use super::{name, place, portable_type, table_name};
use crate::{
    ColumnDef, CreateTable, DefaultDef, Diagnostic, ForeignKeyDef, RawExpr, ReferentialAction,
    Source, Span, TableConstraint, Type,
};

type Parsed<T> = Result<T, Diagnostic>;

pub(super) fn table(source: &Source, create: &ast::CreateTable, span: Span) -> Parsed<CreateTable> {
    let refuse = |message: &str| Err(Diagnostic::new(&source.path, span, message));
    if create.query.is_some() || create.like.is_some() {
        return refuse("a table is declared by its columns, not copied from a query");
    }
    if create.temporary || create.if_not_exists || create.or_replace {
        return refuse("write CREATE TABLE alone: a declaration says what is wanted, once");
    }
    let mut columns = Vec::new();
    let mut constraints = Vec::new();
    for definition in &create.columns {
        let (column, own) = column(source, definition, span)?;
        columns.push(column);
        constraints.extend(own);
    }
    for constraint in &create.constraints {
        constraints.push(table_constraint(source, constraint, span)?);
    }
    Ok(CreateTable {
        name: table_name(&source.path, &create.name, span)?,
        span,
        columns,
        constraints,
        was: None,
    })
}

pub(super) fn column(
    source: &Source,
    definition: &ast::ColumnDef,
    fallback: Span,
) -> Parsed<(ColumnDef, Vec<TableConstraint>)> {
    let span = place(definition.name.span.start);
    let span = if span.line == 0 { fallback } else { span };
    let column = name(&source.path, &definition.name, span)?;
    let (ty, of) = match declared_type(source, &definition.data_type, span)? {
        Some(name) => (Type::Text, Some(name)),
        None => {
            let ty = portable_type(&definition.data_type).map_err(|hint| {
                let message = format!("{} is not a portable type", definition.data_type);
                Diagnostic::new(&source.path, span, message).hint(hint)
            })?;
            (ty, None)
        }
    };
    let mut parsed = ColumnDef {
        name: column.clone(),
        span,
        ty,
        of,
        nullable: true,
        default: None,
        identity: false,
        generated: None,
        was: None,
    };
    let mut constraints = Vec::new();
    for option in &definition.options {
        let own_name = option
            .name
            .as_ref()
            .map(|ident| name(&source.path, ident, span))
            .transpose()?;
        match &option.option {
            ast::ColumnOption::Null => {}
            ast::ColumnOption::NotNull => parsed.nullable = false,
            ast::ColumnOption::Default(expr) => {
                let expr = RawExpr {
                    expr: expr.clone(),
                    span,
                };
                parsed.default = Some(DefaultDef { expr, span });
            }
            ast::ColumnOption::Generated {
                generation_expr: Some(expr),
                ..
            } => {
                let expr = expr.clone();
                parsed.generated = Some(RawExpr { expr, span });
            }
            ast::ColumnOption::Generated {
                generation_expr: None,
                ..
            }
            | ast::ColumnOption::Identity(_) => {
                parsed.identity = true;
                parsed.nullable = false;
            }
            other => {
                if matches!(other, ast::ColumnOption::PrimaryKey(_)) {
                    parsed.nullable = false;
                }
                constraints.push(column_constraint(source, other, own_name, &column, span)?);
            }
        }
    }
    Ok((parsed, constraints))
}

/// The name of a type of the user's own. What other databases have is told what to write.
fn declared_type(source: &Source, ty: &ast::DataType, span: Span) -> Parsed<Option<Ident>> {
    let ast::DataType::Custom(object, modifiers) = ty else {
        return Ok(None);
    };
    let text = object.to_string().to_lowercase();
    let is_foreign = text.contains("serial") || ["money", "citext"].contains(&text.as_str());
    let is_range = RangeOf::ALL.iter().any(|range| range.name() == text);
    if is_foreign || is_range || !modifiers.is_empty() {
        return Ok(None);
    }
    table_name(&source.path, object, span).map(Some)
}

fn column_constraint(
    source: &Source,
    option: &ast::ColumnOption,
    own_name: Option<Ident>,
    column: &Ident,
    span: Span,
) -> Parsed<TableConstraint> {
    let columns = vec![column.clone()];
    Ok(match option {
        ast::ColumnOption::PrimaryKey(_) => TableConstraint::PrimaryKey {
            name: own_name,
            columns,
            span,
        },
        ast::ColumnOption::Unique(_) => TableConstraint::Unique {
            name: own_name,
            columns,
            span,
        },
        ast::ColumnOption::Check(check) => TableConstraint::Check {
            name: own_name,
            expr: RawExpr {
                expr: (*check.expr).clone(),
                span,
            },
            column: Some(column.clone()),
            span,
        },
        ast::ColumnOption::ForeignKey(key) => {
            TableConstraint::ForeignKey(foreign_key(source, key, own_name, columns, span)?)
        }
        other => {
            return Err(Diagnostic::new(
                &source.path,
                span,
                format!("{other} is not offered"),
            ));
        }
    })
}

pub(super) fn table_constraint(
    source: &Source,
    constraint: &ast::TableConstraint,
    span: Span,
) -> Parsed<TableConstraint> {
    let optional = |ident: &Option<ast::Ident>| {
        ident
            .as_ref()
            .map(|ident| name(&source.path, ident, span))
            .transpose()
    };
    Ok(match constraint {
        ast::TableConstraint::PrimaryKey(key) => TableConstraint::PrimaryKey {
            name: optional(&key.name)?,
            columns: index_columns(source, &key.columns, span)?,
            span,
        },
        ast::TableConstraint::Unique(key) => TableConstraint::Unique {
            name: optional(&key.name)?,
            columns: index_columns(source, &key.columns, span)?,
            span,
        },
        ast::TableConstraint::Check(check) => TableConstraint::Check {
            name: optional(&check.name)?,
            expr: RawExpr {
                expr: (*check.expr).clone(),
                span,
            },
            column: None,
            span,
        },
        ast::TableConstraint::ForeignKey(key) => {
            let columns = names(source, &key.columns, span)?;
            let own_name = optional(&key.name)?;
            TableConstraint::ForeignKey(foreign_key(source, key, own_name, columns, span)?)
        }
        other => {
            return Err(Diagnostic::new(
                &source.path,
                span,
                format!("{other} is not offered"),
            ));
        }
    })
}

fn index_columns(source: &Source, columns: &[ast::IndexColumn], span: Span) -> Parsed<Vec<Ident>> {
    columns
        .iter()
        .map(|column| match &column.column.expr {
            ast::Expr::Identifier(ident) => name(&source.path, ident, span),
            other => Err(Diagnostic::new(
                &source.path,
                span,
                format!("{other} is not a column"),
            )),
        })
        .collect()
}

pub(super) fn names(source: &Source, idents: &[ast::Ident], span: Span) -> Parsed<Vec<Ident>> {
    idents
        .iter()
        .map(|ident| name(&source.path, ident, span))
        .collect()
}

fn foreign_key(
    source: &Source,
    key: &ast::ForeignKeyConstraint,
    name: Option<Ident>,
    columns: Vec<Ident>,
    span: Span,
) -> Parsed<ForeignKeyDef> {
    Ok(ForeignKeyDef {
        name,
        columns,
        target: table_name(&source.path, &key.foreign_table, span)?,
        target_columns: names(source, &key.referred_columns, span)?,
        on_delete: action(key.on_delete),
        on_update: action(key.on_update),
        span,
    })
}

fn action(action: Option<ast::ReferentialAction>) -> ReferentialAction {
    match action {
        None | Some(ast::ReferentialAction::NoAction) => ReferentialAction::NoAction,
        Some(ast::ReferentialAction::Restrict) => ReferentialAction::Restrict,
        Some(ast::ReferentialAction::Cascade) => ReferentialAction::Cascade,
        Some(ast::ReferentialAction::SetNull) => ReferentialAction::SetNull,
        Some(ast::ReferentialAction::SetDefault) => ReferentialAction::SetDefault,
    }
}
