//! `seed/*.sql`: rows that are put in unless they are there.

use lang::{
    CheckedStatement, Diagnostic, ExpressionWriter, InsertSource, Source, Write, WriteKind,
    WriteRules,
};
use schema::Catalog;
use sql::{Dialect, Ident, Sql, Step};

use super::compile::check_statements;
use super::run::write_steps;
use crate::Moment;
use crate::access::RequestEnvironment;
use crate::plan::missing_row;

/// The steps of a seed file. Each row of an insert is a step of its own, so that later rows may
/// refer to it by a natural key, and is skipped when a row with its key exists.
pub fn seed_steps(
    source: &Source,
    catalog: &Catalog,
    dialect: Dialect,
    moment: Moment<'_>,
) -> Result<Vec<Step>, Vec<Diagnostic>> {
    let statements = check_statements(source, &[], catalog, false, dialect)?;
    let environment = RequestEnvironment::new(None, moment, None, &[]);
    let mut unit = Vec::new();
    for statement in statements {
        let CheckedStatement::Write(write) = statement else {
            continue;
        };
        let table = catalog.table(write.table.as_str());
        let (
            Some(table),
            WriteKind::Insert {
                columns,
                source: InsertSource::Rows(rows),
            },
        ) = (table, &write.kind)
        else {
            write_steps(&mut unit, &write, table, dialect, &environment);
            continue;
        };
        let keys: Vec<Vec<Ident>> = table
            .primary_key
            .iter()
            .map(|key| key.columns.clone())
            .chain(table.uniques.iter().map(|unique| unique.columns.clone()))
            .filter(|key| key.iter().all(|column| columns.contains(column)))
            .collect();
        let missing = missing_row(table, &keys);
        let check = (!keys.is_empty()).then_some(&missing);
        for row in rows {
            let one = Write {
                kind: WriteKind::Insert {
                    columns: columns.clone(),
                    source: InsertSource::Rows(vec![row.clone()]),
                },
                returning: Vec::new(),
                ..write.clone()
            };
            let mut sql = Sql::new(dialect);
            ExpressionWriter::new(&mut sql, &environment).write(
                &one,
                WriteRules {
                    check,
                    ..WriteRules::default()
                },
            );
            unit.push(Step::new(sql));
        }
    }
    Ok(unit)
}
