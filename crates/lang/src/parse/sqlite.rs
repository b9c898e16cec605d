//! What SQLite's catalogue keeps as text alone: the CHECKs and generated columns of a table, and
//! the expressions of an index.

use sqlparser::ast;
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;

/// The parts of a `CREATE TABLE` or `CREATE INDEX` that SQLite keeps as text, written evenly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteText {
    /// CHECKs: name, where there is one, and condition.
    pub checks: Vec<(Option<String>, String)>,
    /// Generated columns: column and expression.
    pub generated: Vec<(String, String)>,
    /// Names of UNIQUE constraints with their columns.
    pub uniques: Vec<(String, Vec<String>)>,
    /// An index's `WHERE`.
    pub predicate: Option<String>,
    /// An index's columns and expressions.
    pub keys: Vec<String>,
}

/// Reads the text that `sqlite_schema` has; `None` where it is not one of the two.
#[must_use]
pub fn read_sqlite_text(text: &str) -> Option<SqliteText> {
    let mut parsed = Parser::parse_sql(&SQLiteDialect {}, text).ok()?;
    let mut found = SqliteText::default();
    match parsed.pop()? {
        ast::Statement::CreateTable(table) => {
            for column in &table.columns {
                let name = &column.name.value;
                for option in &column.options {
                    column_option(&mut found, name, option);
                }
            }
            for constraint in &table.constraints {
                table_constraint(&mut found, constraint);
            }
        }
        ast::Statement::CreateIndex(index) => {
            found.predicate = index.predicate.as_ref().map(ToString::to_string);
            found.keys = index
                .columns
                .iter()
                .map(|column| column.column.expr.to_string())
                .collect();
        }
        _ => return None,
    }
    Some(found)
}

fn column_option(found: &mut SqliteText, column: &str, option: &ast::ColumnOptionDef) {
    let name = option.name.as_ref().map(|name| name.value.clone());
    match &option.option {
        ast::ColumnOption::Check(check) => found.checks.push((name, check.expr.to_string())),
        ast::ColumnOption::Generated {
            generation_expr: Some(expr),
            ..
        } => found.generated.push((column.to_owned(), expr.to_string())),
        ast::ColumnOption::Unique(_) => {
            let columns = vec![column.to_owned()];
            found.uniques.extend(name.map(|name| (name, columns)));
        }
        _ => {}
    }
}

fn table_constraint(found: &mut SqliteText, constraint: &ast::TableConstraint) {
    match constraint {
        ast::TableConstraint::Check(check) => {
            let name = check.name.as_ref().map(|name| name.value.clone());
            found.checks.push((name, check.expr.to_string()));
        }
        ast::TableConstraint::Unique(unique) => {
            let columns = unique
                .columns
                .iter()
                .map(|column| match &column.column.expr {
                    ast::Expr::Identifier(ident) => ident.value.clone(),
                    other => other.to_string(),
                });
            let name = unique.name.as_ref().map(|name| name.value.clone());
            found
                .uniques
                .extend(name.map(|name| (name, columns.collect())));
        }
        _ => {}
    }
}
