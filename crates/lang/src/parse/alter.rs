//! `ALTER TABLE`, as migrations have it.

use sql::Ident;
use sqlparser::ast;

use super::types::portable_type;
use super::{create, name, table_name};
use crate::{
    AlterAction, AlterTable, ColumnChange, DefaultDef, Diagnostic, RawExpr, Source, Span, Statement,
};

type Parsed<T> = Result<T, Diagnostic>;

/// One statement for each of its actions.
pub(super) fn alter_table(
    source: &Source,
    alter: &ast::AlterTable,
    span: Span,
) -> Parsed<Vec<Statement>> {
    let table = table_name(&source.path, &alter.name, span)?;
    let mut statements = Vec::new();
    for operation in &alter.operations {
        for action in actions(source, operation, span)? {
            statements.push(Statement::AlterTable(AlterTable {
                name: table.clone(),
                action,
                span,
            }));
        }
    }
    Ok(statements)
}

fn actions(
    source: &Source,
    operation: &ast::AlterTableOperation,
    span: Span,
) -> Parsed<Vec<AlterAction>> {
    let ident = |ident: &ast::Ident| name(&source.path, ident, span);
    Ok(match operation {
        ast::AlterTableOperation::AddColumn { column_def, .. } => {
            let (column, constraints) = create::column(source, column_def, span)?;
            vec![AlterAction::AddColumn(column, constraints)]
        }
        ast::AlterTableOperation::DropColumn { column_names, .. } => column_names
            .iter()
            .map(|column| Ok(AlterAction::DropColumn(ident(column)?)))
            .collect::<Parsed<_>>()?,
        ast::AlterTableOperation::RenameColumn {
            old_column_name,
            new_column_name,
        } => vec![AlterAction::RenameColumn(
            ident(old_column_name)?,
            ident(new_column_name)?,
        )],
        ast::AlterTableOperation::AlterColumn { column_name, op } => {
            let column: Ident = ident(column_name)?;
            let change = column_change(source, op, span)?;
            vec![AlterAction::AlterColumn(column, change)]
        }
        ast::AlterTableOperation::AddConstraint { constraint, .. } => {
            let constraint = create::table_constraint(source, constraint, span)?;
            vec![AlterAction::AddConstraint(constraint)]
        }
        ast::AlterTableOperation::DropConstraint { name: dropped, .. } => {
            vec![AlterAction::DropConstraint(ident(dropped)?)]
        }
        ast::AlterTableOperation::RenameTable {
            table_name: ast::RenameTableNameKind::To(to),
        } => vec![AlterAction::RenameTable(table_name(
            &source.path,
            to,
            span,
        )?)],
        other => {
            let message = format!("ALTER TABLE … {other} is not offered");
            return Err(Diagnostic::new(&source.path, span, message).hint(
                "a migration may ADD, DROP, ALTER or RENAME a COLUMN, ADD or DROP a CONSTRAINT, \
                 and RENAME TO",
            ));
        }
    })
}

fn column_change(
    source: &Source,
    operation: &ast::AlterColumnOperation,
    span: Span,
) -> Parsed<ColumnChange> {
    Ok(match operation {
        ast::AlterColumnOperation::SetNotNull => ColumnChange::SetNotNull,
        ast::AlterColumnOperation::DropNotNull => ColumnChange::DropNotNull,
        ast::AlterColumnOperation::DropDefault => ColumnChange::DropDefault,
        ast::AlterColumnOperation::SetDefault { value } => {
            let expr = RawExpr {
                expr: value.clone(),
                span,
            };
            ColumnChange::SetDefault(DefaultDef { expr, span })
        }
        ast::AlterColumnOperation::SetDataType {
            data_type,
            using: None,
            ..
        } => ColumnChange::Type(portable_type(data_type).map_err(|hint| {
            let message = format!("{data_type} is not a portable type");
            Diagnostic::new(&source.path, span, message).hint(hint)
        })?),
        other => {
            let message = format!("ALTER COLUMN … {other} is not offered");
            return Err(Diagnostic::new(&source.path, span, message)
                .hint("write TYPE, SET or DROP NOT NULL, SET or DROP DEFAULT"));
        }
    })
}
