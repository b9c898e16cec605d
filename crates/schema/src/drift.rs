//! A database beside what its migrations lead to.
//!
//! Engines write expressions and types in their own way, so the wanted tables are made in a
//! scratch place of the same engine and asked of the same catalogue; what differs then is a
//! difference, and not a spelling.

mod comments;
mod natives;
mod spelling;

use std::fmt::Write as _;

use sql::{Db, DbResult, Scratch};
use stdx::{Clock, Rng};

use crate::diff::effective;
use crate::inspect::{
    InspectedColumn, InspectedIndex, InspectedObject, InspectedTable, Inspection, Rule, inspect,
};
use crate::{Catalog, Operation, diff, render_operations};

/// What differs, a line each; empty where the database is as it should be.
pub async fn drift(db: &Db, expected: &Catalog, clock: &Clock, rng: &Rng) -> DbResult<Vec<String>> {
    let found = inspect_database(db).await?;
    let scratch = format!("pilaster_scratch_{}", stdx::new_id(clock, rng).simple());
    let wanted = inspect_wanted(db, expected, &scratch).await?;
    let mut lines = compare(&found.tables, &wanted.tables);
    compare_objects(&found.objects, &wanted.objects, &mut lines);
    Ok(lines)
}

/// The names of a database's tables and views, Pilaster's own left out.
pub async fn relation_names(db: &Db) -> DbResult<Vec<String>> {
    let found = inspect_database(db).await?;
    let views = found.objects.into_iter().filter(|one| one.kind == "view");
    let tables = found.tables.into_iter().map(|table| table.name);
    let mut names: Vec<String> = tables.chain(views.map(|view| view.name)).collect();
    names.sort();
    Ok(names)
}

/// What is in a database.
pub(crate) async fn inspect_database(db: &Db) -> DbResult<Inspection> {
    let mut tx = db.begin().await?;
    let found = inspect(&mut tx, db.dialect()).await;
    tx.rollback().await?;
    found
}

/// The tables that a database has and has otherwise than declared, with those of their columns of
/// which the type is another.
pub(crate) async fn differing_tables(
    db: &Db,
    expected: &Catalog,
    clock: &Clock,
    rng: &Rng,
) -> DbResult<Vec<(String, Vec<String>)>> {
    let found = inspect_database(db).await?;
    let scratch = format!("pilaster_scratch_{}", stdx::new_id(clock, rng).simple());
    let wanted = inspect_wanted(db, expected, &scratch).await?;
    let differing = |table: &InspectedTable| {
        let other = wanted.tables.iter().find(|one| one.name == table.name)?;
        let mut lines = Vec::new();
        compare_table(table, other, &mut lines);
        let is_other = |column: &&InspectedColumn| {
            let same = other.columns.iter().find(|one| one.name == column.name);
            same.is_some_and(|same| same.ty != column.ty)
        };
        let columns = table.columns.iter().filter(is_other);
        let columns = columns.map(|column| column.name.clone()).collect();
        (!lines.is_empty()).then(|| (table.name.clone(), columns))
    };
    Ok(found.tables.iter().filter_map(differing).collect())
}

/// A catalog as this engine tells it, made and asked in a scratch place.
async fn inspect_wanted(db: &Db, expected: &Catalog, scratch: &str) -> DbResult<Inspection> {
    let operations = match diff(&Catalog::empty(), expected) {
        Ok(difference) => difference.operations,
        // Tables out of nothing raise no question.
        Err(_) => Vec::new(),
    };
    // Natives know the tables; the views may rest on both, and some natives on views.
    let comes_late = |operation: &Operation| match operation {
        Operation::CreateView(_) => true,
        // A column may be a view's.
        Operation::Comment { on, .. } => expected.table(on.relation().as_str()).is_none(),
        _ => false,
    };
    let structure = operations.into_iter().filter(|one| !one.is_data());
    let (views, tables): (Vec<Operation>, Vec<Operation>) = structure.partition(comes_late);
    let with_catalog = |all: Vec<Operation>| -> Vec<(Operation, Catalog)> {
        let steps = all.into_iter();
        steps
            .map(|operation| (operation, expected.clone()))
            .collect()
    };
    let (views, tables) = (with_catalog(views), with_catalog(tables));
    let mut scratch = Scratch::beside(db, scratch).await?;
    let made = async {
        let dialect = db.dialect();
        for statement in render_operations(&tables, dialect) {
            scratch.tx().execute(&statement.sql).await?;
        }
        let natives = effective(&expected.natives);
        let waiting = natives::run(scratch.tx(), natives, dialect).await?;
        for statement in render_operations(&views, dialect) {
            scratch.tx().execute(&statement.sql).await?;
        }
        natives::run(scratch.tx(), waiting, dialect).await?;
        inspect(scratch.tx(), db.dialect()).await
    }
    .await;
    scratch.end().await?;
    made
}

fn compare(found: &[InspectedTable], wanted: &[InspectedTable]) -> Vec<String> {
    let mut lines = Vec::new();
    for table in wanted {
        match found.iter().find(|other| other.name == table.name) {
            None => lines.push(format!("the table {} is missing", table.name)),
            Some(other) => compare_table(other, table, &mut lines),
        }
    }
    for table in found {
        if wanted.iter().all(|other| other.name != table.name) {
            lines.push(format!("no migration made the table {}", table.name));
        }
    }
    lines
}

fn compare_objects(found: &[InspectedObject], wanted: &[InspectedObject], lines: &mut Vec<String>) {
    let is_same = |one: &InspectedObject, other: &InspectedObject| {
        one.kind == other.kind && one.name == other.name
    };
    for object in wanted {
        let (kind, name) = (&object.kind, &object.name);
        match found.iter().find(|other| is_same(other, object)) {
            None => lines.push(format!("the {kind} {name} is missing")),
            Some(other) if other.definition != object.definition => lines.push(format!(
                "the {kind} {name} is {}, not {}",
                other.definition, object.definition
            )),
            Some(other) => comments::compare_object(other, object, lines),
        }
    }
    for object in found {
        if !wanted.iter().any(|other| is_same(other, object)) {
            let (kind, name) = (&object.kind, &object.name);
            lines.push(format!("no migration made the {kind} {name}"));
        }
    }
}

fn compare_table(found: &InspectedTable, wanted: &InspectedTable, lines: &mut Vec<String>) {
    let name = &wanted.name;
    for column in &wanted.columns {
        match found.columns.iter().find(|other| other.name == column.name) {
            None => lines.push(format!("the column {name}.{} is missing", column.name)),
            Some(other) => lines.extend(compare_column(name, other, column)),
        }
    }
    for column in &found.columns {
        if wanted.columns.iter().all(|other| other.name != column.name) {
            lines.push(format!(
                "no migration made the column {name}.{}",
                column.name
            ));
        }
    }
    comments::compare_table(found, wanted, lines);
    let rules = |table: &InspectedTable| -> Vec<(String, Rule)> {
        let plain = |rule: &Rule| match rule {
            Rule::Check(check) => Rule::Check(spelling::plain(check)),
            other => other.clone(),
        };
        let all = table.constraints.iter();
        all.map(|one| (one.name.clone(), plain(&one.rule)))
            .collect()
    };
    let (has, needs) = (rules(found), rules(wanted));
    for (constraint, rule) in needs.iter().filter(|one| !has.contains(one)) {
        lines.push(format!("{name} lacks {}", shown(constraint, rule)));
    }
    for (constraint, rule) in has.iter().filter(|one| !needs.contains(one)) {
        lines.push(format!(
            "no migration gave {name} {}",
            shown(constraint, rule)
        ));
    }
    let index = |index: &InspectedIndex| {
        let unique = if index.unique { "unique " } else { "" };
        let predicate = index
            .predicate
            .as_ref()
            .map(|text| format!(" where {text}"));
        format!(
            "the {unique}index {} ({}){}",
            index.name,
            index.keys.join(", "),
            predicate.unwrap_or_default()
        )
    };
    for one in wanted
        .indexes
        .iter()
        .filter(|one| !found.indexes.contains(one))
    {
        lines.push(format!("{name} lacks {}", index(one)));
    }
    for one in found
        .indexes
        .iter()
        .filter(|one| !wanted.indexes.contains(one))
    {
        lines.push(format!("no migration gave {name} {}", index(one)));
    }
}

fn compare_column(
    table: &str,
    found: &InspectedColumn,
    wanted: &InspectedColumn,
) -> Option<String> {
    let say = |column: &InspectedColumn| {
        let null = if column.nullable { "null" } else { "not null" };
        let mut text = format!("{} {null}", column.ty);
        if let Some(default) = &column.default {
            let _ = write!(text, " default {default}");
        }
        if let Some(expr) = &column.generated {
            let _ = write!(text, " generated from {expr}");
        }
        if column.identity {
            text.push_str(" numbered");
        }
        text
    };
    let (is, should) = (say(found), say(wanted));
    (is != should).then(|| format!("the column {table}.{} is {is}, not {should}", wanted.name))
}

fn shown(name: &str, rule: &Rule) -> String {
    let what = match rule {
        Rule::PrimaryKey(columns) => format!("the primary key ({})", columns.join(", ")),
        Rule::Unique(columns) => format!("the unique constraint ({})", columns.join(", ")),
        Rule::Check(check) => format!("the check ({check})"),
        Rule::ForeignKey {
            columns,
            target,
            target_columns,
            on_delete,
            on_update,
        } => format!(
            "the foreign key ({}) to {target} ({}) on delete {on_delete} on update {on_update}",
            columns.join(", "),
            target_columns.join(", ")
        ),
    };
    match name {
        "" => what,
        name => format!("{what} {name}"),
    }
}
