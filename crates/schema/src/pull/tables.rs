//! Tables, columns, constraints and plain indexes in the portable language.

use std::fmt::Write as _;

use sql::Dialect;

use super::{catalog_of, line, name, names, natives, types};
use crate::inspect::{InspectedColumn, InspectedIndex, InspectedTable, Rule};
use crate::migrate::comment_text;

/// Whether columns of an engine's enumerations say which values they take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// They are texts.
    Free,
    /// They have the check.
    Named,
}

/// Declared tables, and what of theirs the language does not have.
#[derive(Debug, Default)]
pub(super) struct Declared {
    tables: Vec<DeclaredTable>,
    /// Columns and checks in the engine's own language.
    pub(super) natives: Vec<String>,
    /// Indexes that the language does not have, with their tables.
    pub(super) indexes: Vec<(String, InspectedIndex)>,
}

#[derive(Debug, Default)]
struct DeclaredTable {
    name: String,
    columns: Vec<String>,
    constraints: Vec<String>,
    /// `constraint … check (… in (…))`
    values: Vec<String>,
    /// Indexes and comments.
    rest: String,
}

impl Declared {
    pub(super) fn text(&self, values: Values) -> String {
        let mut text = String::new();
        for table in &self.tables {
            let own: &[String] = match values {
                Values::Free => &[],
                Values::Named => &table.values,
            };
            let lines = table.columns.iter().chain(&table.constraints).chain(own);
            let lines: Vec<&str> = lines.map(String::as_str).collect();
            line(
                &mut text,
                format_args!(
                    "create table {} (\n  {}\n);",
                    name(&table.name),
                    lines.join(",\n  ")
                ),
            );
            line(&mut text, format_args!("{}", table.rest));
        }
        text
    }
}

/// Declares tables, those first that others point to.
pub(super) fn declare(
    all: &[InspectedTable],
    dialect: Dialect,
    notes: &mut Vec<String>,
) -> Declared {
    let mut declaring = Declaring {
        all,
        dialect,
        notes,
        declared: Declared::default(),
        index_names: Vec::new(),
    };
    for table in in_order(all) {
        declaring.table(table);
    }
    declaring.declared
}

/// Those that others point to first, as far as there is no circle.
fn in_order(tables: &[InspectedTable]) -> Vec<&InspectedTable> {
    let mut waiting: Vec<&InspectedTable> = tables.iter().collect();
    let mut ordered: Vec<&InspectedTable> = Vec::new();
    while !waiting.is_empty() {
        let is_free = |table: &&InspectedTable| {
            table.constraints.iter().all(|one| match &one.rule {
                Rule::ForeignKey { target, .. } => {
                    *target == table.name || ordered.iter().any(|other| other.name == *target)
                }
                _ => true,
            })
        };
        let place = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(waiting.remove(place));
    }
    ordered
}

struct Declaring<'a> {
    all: &'a [InspectedTable],
    dialect: Dialect,
    notes: &'a mut Vec<String>,
    declared: Declared,
    /// Those given; some engines let two tables have the same.
    index_names: Vec<String>,
}

impl Declaring<'_> {
    fn table(&mut self, table: &InspectedTable) {
        let mut own = DeclaredTable {
            name: table.name.clone(),
            ..DeclaredTable::default()
        };
        for column in &table.columns {
            match self.type_of(table, column, 0) {
                Some(ty) => {
                    own.values.extend(values_of(table, column));
                    own.columns.push(self.column(table, column, &ty));
                }
                None => {
                    let statements = natives::column(table, column, self.dialect);
                    self.declared.natives.extend(statements);
                    self.notes.push(format!(
                        "{}.{}: {} has no portable type; the API does not see it",
                        table.name, column.name, column.ty
                    ));
                }
            }
        }
        for constraint in &table.constraints {
            own.constraints.extend(self.constraint(
                table,
                &own.columns,
                &constraint.name,
                &constraint.rule,
            ));
        }
        for index in &table.indexes {
            self.index(table, index, &mut own.rest);
        }
        self.comments(&mut own.rest, table);
        self.declared.tables.push(own);
    }

    /// The portable type; a column that points to a whole number is one of the same size.
    fn type_of(
        &self,
        table: &InspectedTable,
        column: &InspectedColumn,
        depth: u8,
    ) -> Option<String> {
        let own = types::portable(&column.ty, self.dialect).or_else(|| {
            // SQLite takes any word for a type; what it does not know are texts.
            (self.dialect == Dialect::Sqlite).then(|| String::from("text"))
        })?;
        let is_key = table.constraints.iter().any(|one| match &one.rule {
            Rule::PrimaryKey(columns) => columns.contains(&column.name),
            _ => false,
        });
        // SQLite's word for any number, where it counts rows.
        let any = ["numeric", "decimal", "number"].contains(&column.ty.to_lowercase().as_str());
        let own = match is_key && any && self.dialect == Dialect::Sqlite {
            true => String::from("bigint"),
            false => own,
        };
        let whole = ["smallint", "integer", "bigint"];
        if !whole.contains(&own.as_str()) || depth > 8 {
            return Some(own);
        }
        let target = table.constraints.iter().find_map(|one| match &one.rule {
            Rule::ForeignKey {
                columns,
                target,
                target_columns,
                ..
            } => {
                let place = columns.iter().position(|name| *name == column.name)?;
                let target = self.all.iter().find(|other| other.name == *target)?;
                let name = target_columns.get(place).filter(|name| !name.is_empty())?;
                let column = target.columns.iter().find(|one| one.name == *name)?;
                Some((target, column))
            }
            _ => None,
        });
        match target {
            Some((table, target)) if target.name != column.name || depth == 0 => {
                let of_target = self.type_of(table, target, depth + 1);
                of_target
                    .filter(|ty| whole.contains(&ty.as_str()))
                    .or(Some(own))
            }
            _ => Some(own),
        }
    }

    fn column(&mut self, table: &InspectedTable, column: &InspectedColumn, ty: &str) -> String {
        let mut note = |what: String| {
            self.notes
                .push(format!("{}.{}: {what}", table.name, column.name));
        };
        if types::portable(&column.ty, self.dialect).is_none() {
            note(format!("{} became text", column.ty));
        }
        let mut text = format!("{} {ty}", name(&column.name));
        if column.identity {
            text.push_str(" generated by default as identity");
            return text;
        }
        if !column.nullable {
            text.push_str(" not null");
        }
        if let Some(default) = &column.default {
            let portable = types::default(default, ty);
            let with = |default: &String| format!("{text} default {default}");
            match portable.filter(|default| is_portable(table, &[with(default)], "")) {
                Some(default) => text = with(&default),
                None => note(format!("left out: default {default}")),
            }
        }
        if let Some(expr) = &column.generated {
            note(format!("left out: generated from {expr}"));
        }
        text
    }

    fn constraint(
        &mut self,
        table: &InspectedTable,
        columns: &[String],
        own: &str,
        rule: &Rule,
    ) -> Option<String> {
        let rule = match rule {
            Rule::PrimaryKey(columns) => format!("primary key ({})", names(columns)),
            Rule::Unique(columns) => format!("unique ({})", names(columns)),
            Rule::ForeignKey {
                columns,
                target,
                target_columns,
                on_delete,
                on_update,
            } => foreign_key(columns, target, target_columns, on_delete, on_update),
            // MariaDB keeps JSON as text with a check of its own.
            Rule::Check(check) if check.starts_with("json_valid(") => return None,
            Rule::Check(check) => {
                let rule = format!("check ({})", check.replace('`', "\""));
                if !is_portable(table, columns, &rule) {
                    self.native_check(table, own, check);
                    return None;
                }
                rule
            }
        };
        // MySQL calls every primary key so, SQLite need not call it at all.
        Some(match own {
            "" | "PRIMARY" => rule,
            own => format!("constraint {} {rule}", name(own)),
        })
    }

    /// A check that the language does not take; SQLite adds none to a table that is there.
    fn native_check(&mut self, table: &InspectedTable, own: &str, check: &str) {
        if self.dialect == Dialect::Sqlite {
            self.notes
                .push(format!("{}: left out: check ({check})", table.name));
            return;
        }
        let quoted = |text: &str| super::native_name(text, self.dialect);
        self.declared.natives.push(format!(
            "alter table {} add constraint {} check ({check})",
            quoted(&table.name),
            quoted(own)
        ));
    }

    fn index(&mut self, table: &InspectedTable, index: &InspectedIndex, text: &mut String) {
        let is_plain = |key: &String| {
            let key = key.trim_end_matches(" desc").trim_matches('"');
            let column = table.columns.iter().find(|column| column.name == key);
            column.is_some_and(|column| self.type_of(table, column, 0).is_some())
        };
        let is_given = self.index_names.contains(&index.name);
        if let (Some(words), false) = (index.words(self.dialect), is_given) {
            self.index_names.push(index.name.clone());
            let (index, table) = (name(&index.name), name(&table.name));
            let what = words.definition();
            line(
                text,
                format_args!("create index {index} on {table} {what};"),
            );
            return;
        }
        if index.predicate.is_some() || is_given || !index.keys.iter().all(is_plain) {
            self.declared
                .indexes
                .push((table.name.clone(), index.clone()));
            return;
        }
        self.index_names.push(index.name.clone());
        let key = |key: &String| match key.strip_suffix(" desc") {
            Some(key) => format!("{} desc", name(key.trim_matches('"'))),
            None => name(key.trim_matches('"')),
        };
        let keys: Vec<String> = index.keys.iter().map(key).collect();
        let unique = if index.unique { "unique " } else { "" };
        let (index, table, keys) = (name(&index.name), name(&table.name), keys.join(", "));
        line(
            text,
            format_args!("create {unique}index {index} on {table} ({keys});"),
        );
    }

    /// Those of the table and of the columns that are declared.
    fn comments(&self, text: &mut String, table: &InspectedTable) {
        let own = name(&table.name);
        if !table.comment.is_empty() {
            let comment = comment_text(&table.comment);
            line(text, format_args!("comment on table {own} is {comment};"));
        }
        let commented = |column: &&InspectedColumn| {
            !column.comment.is_empty() && self.type_of(table, column, 0).is_some()
        };
        for column in table.columns.iter().filter(commented) {
            let (column, comment) = (name(&column.name), comment_text(&column.comment));
            line(
                text,
                format_args!("comment on column {own}.{column} is {comment};"),
            );
        }
    }
}

/// The values of a column of an enumeration, as a check.
fn values_of(table: &InspectedTable, column: &InspectedColumn) -> Option<String> {
    let values = types::enumeration(&column.ty)?;
    let own = name(&format!("{}_{}_check", table.name, column.name));
    Some(format!(
        "constraint {own} check ({} in ({}))",
        name(&column.name),
        values.join(", ")
    ))
}

fn foreign_key(
    columns: &[String],
    target: &str,
    target_columns: &[String],
    on_delete: &str,
    on_update: &str,
) -> String {
    let mut rule = format!(
        "foreign key ({}) references {}",
        names(columns),
        name(target)
    );
    // SQLite leaves them out where they are the target's primary key.
    if target_columns.iter().all(|column| !column.is_empty()) {
        let _ = write!(rule, " ({})", names(target_columns));
    }
    for (event, action) in [("delete", on_delete), ("update", on_update)] {
        if action != "no action" {
            let _ = write!(rule, " on {event} {action}");
        }
    }
    rule
}

/// Whether the language takes a rule over these columns.
fn is_portable(table: &InspectedTable, columns: &[String], rule: &str) -> bool {
    let rule = match rule {
        "" => String::new(),
        rule => format!(", {rule}"),
    };
    let own = name(&table.name);
    let text = format!("create table {own} ({}{rule});", columns.join(", "));
    catalog_of(&text).is_ok()
}
