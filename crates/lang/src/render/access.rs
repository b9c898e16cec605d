//! Parts of JSON values: `data -> 'key'`, `data ->> 0`.
//!
//! Steps in a row become one path. PostgreSQL takes a bare value for an array of one element,
//! MySQL and MariaDB any value that is no array; so each step to an element asks there whether it
//! comes from an array.

use sql::Dialect;

use super::{ExpressionWriter, ddl};
use crate::{Expr, ExprKind, JsonKey, Type};

/// A JSON value and the steps to a part of it.
#[derive(Clone, Copy)]
struct Part<'e> {
    base: &'e Expr,
    steps: &'e [&'e JsonKey],
}

impl ExpressionWriter<'_> {
    /// `access` with its last step; those before it are found within.
    pub(super) fn json_access(&mut self, access: &Expr, as_text: bool) {
        let mut steps = Vec::new();
        let mut base = access;
        while let ExprKind::JsonAccess { operand, key, .. } = &base.kind {
            steps.push(key);
            base = operand;
        }
        steps.reverse();
        let part = Part {
            base,
            steps: &steps,
        };
        match (self.sql.dialect(), as_text) {
            (Dialect::Sqlite, false) => self.json_part(part),
            (Dialect::Sqlite, true) => self.sqlite_text(part),
            (Dialect::Postgres, _) => self.only_arrays(part, |writer| {
                writer.postgres_steps(part, as_text);
            }),
            (Dialect::MySql | Dialect::MariaDb, false) => self.only_arrays(part, |writer| {
                writer.json_part(part);
            }),
            (Dialect::MySql, true) => self.only_arrays(part, |writer| writer.mysql_text(part)),
            (Dialect::MariaDb, true) => self.only_arrays(part, |writer| writer.mariadb_text(part)),
        }
    }

    /// What `write` writes, null where a step to an element does not start at an array.
    fn only_arrays(&mut self, part: Part<'_>, write: impl FnOnce(&mut Self)) {
        let dialect = self.sql.dialect();
        let mut is_guarded = false;
        for (place, step) in part.steps.iter().enumerate() {
            if matches!(step, JsonKey::Member(_)) {
                continue;
            }
            self.sql
                .push(if is_guarded { " and " } else { "(case when " });
            is_guarded = true;
            let before = Part {
                steps: &part.steps[..place],
                ..part
            };
            if dialect == Dialect::Postgres {
                self.sql.push("jsonb_typeof(");
                self.postgres_steps(before, false);
                self.sql.push(") = 'array'");
            } else {
                self.sql.push("json_type(");
                self.json_part(before);
                self.sql.push(") = 'ARRAY'");
            }
        }
        if is_guarded {
            self.sql.push(" then ");
        }
        write(self);
        if is_guarded {
            self.sql.push(" end)");
        }
    }

    /// A `jsonb`, or a text where the last step is taken `as_text`.
    fn postgres_steps(&mut self, part: Part<'_>, as_text: bool) {
        let last = part.steps.len().saturating_sub(1);
        part.steps.iter().for_each(|_| {
            self.sql.push("(");
        });
        // What is built by `json_build_object` is `json`.
        self.sql.push("cast(");
        self.expr(part.base);
        self.sql.push(" as jsonb)");
        for (place, step) in part.steps.iter().enumerate() {
            let is_text = as_text && place == last;
            self.sql.push(if is_text { " ->> " } else { " -> " });
            match step {
                JsonKey::Member(name) => self.sql.quoted(name),
                JsonKey::Element(element) => {
                    let sign = if *element < 0 { "-" } else { "" };
                    let number = u64::from(element.unsigned_abs());
                    self.sql.push(sign).number(number)
                }
            };
            self.sql.push(")");
        }
    }

    /// JSON as the other engines have it: SQLite and MariaDB as text.
    fn json_part(&mut self, part: Part<'_>) {
        if part.steps.is_empty() {
            return self.expr(part.base);
        }
        if self.sql.dialect() == Dialect::Sqlite {
            self.sql.push("(");
            self.expr(part.base);
            self.sql.push(" -> ");
        } else {
            self.sql.push("json_extract(");
            self.expr(part.base);
            self.sql.push(", ");
        }
        let from_end = |step: &&JsonKey| matches!(step, JsonKey::Element(place) if *place < 0);
        if self.sql.dialect() == Dialect::MariaDb && part.steps.iter().any(from_end) {
            self.unsteady_path(part);
        } else {
            self.path(part.steps);
        }
        self.sql.push(")");
    }

    /// A path from the end. MariaDB (10.11) takes the place that it finds in the first row for all
    /// others, unless the path could be another one for each row.
    fn unsteady_path(&mut self, part: Part<'_>) {
        let mut is_of_row = false;
        part.base
            .visit(&mut |expr| is_of_row |= matches!(expr.kind, ExprKind::Column { .. }));
        if self.quoting && !is_of_row {
            // DDL takes no chance; and a constant there is worked out once.
            return self.path(part.steps);
        }
        self.sql.push("concat(");
        self.path(part.steps);
        self.sql.push(", left(");
        if is_of_row {
            self.expr(part.base);
        } else {
            self.sql.push("rand()");
        }
        self.sql.push(", 0))");
    }

    fn path(&mut self, steps: &[&JsonKey]) {
        let path = path(steps, self.sql.dialect());
        if self.quoting {
            ddl::literal(self.sql, &path, Some(&Type::Text));
        } else {
            self.sql.quoted(&path);
        }
    }

    fn sqlite_text(&mut self, part: Part<'_>) {
        self.sql.push("(case json_type(");
        self.expr(part.base);
        self.sql.push(", ");
        self.path(part.steps);
        self.sql.push(") when 'null' then null when 'text' then ");
        self.expr(part.base);
        self.sql.push(" ->> ");
        self.path(part.steps);
        self.sql.push(" when 'object' then ");
        self.sqlite_spaced(|writer| writer.json_part(part));
        self.sql.push(" when 'array' then ");
        self.sqlite_spaced(|writer| writer.json_part(part));
        self.sql.push(" else ");
        self.json_part(part);
        self.sql.push(" end)");
    }

    /// Its line breaks stand between the parts alone: within a text they are written `\n`.
    fn sqlite_spaced(&mut self, write: impl FnOnce(&mut Self)) {
        self.sql.push("replace(replace(json_pretty(");
        write(self);
        self.sql
            .push(", ''), ',' || char(10), ', '), char(10), '')");
    }

    fn mysql_text(&mut self, part: Part<'_>) {
        self.sql.push("(case when json_type(");
        self.json_part(part);
        self.sql.push(") <> 'NULL' then json_unquote(");
        self.json_part(part);
        // JSON's own collation takes no notice of spaces at the end.
        self.sql.push(") collate utf8mb4_0900_bin end)");
    }

    fn mariadb_text(&mut self, part: Part<'_>) {
        self.sql.push("(case json_type(");
        self.json_part(part);
        self.sql.push(") when 'NULL' then null");
        for kind in [" when 'OBJECT'", " when 'ARRAY'"] {
            self.sql.push(kind).push(" then json_loose(");
            self.json_part(part);
            self.sql.push(") collate utf8mb4_nopad_bin");
        }
        self.sql.push(" else json_unquote(");
        self.json_part(part);
        self.sql.push(") collate utf8mb4_nopad_bin end)");
    }

    /// A whole JSON value as text, spaced as by PostgreSQL and MySQL.
    pub(super) fn json_as_text(&mut self, value: &Expr) {
        match self.sql.dialect() {
            Dialect::Sqlite => self.sqlite_spaced(|writer| writer.expr(value)),
            Dialect::Postgres => {
                self.sql.push("cast(cast(");
                self.expr(value);
                self.sql.push(" as jsonb) as text)");
            }
            Dialect::MySql => {
                self.sql.push("(cast(");
                self.expr(value);
                self.sql.push(" as char) collate utf8mb4_0900_bin)");
            }
            Dialect::MariaDb => {
                self.sql.push("(json_loose(");
                self.expr(value);
                self.sql.push(") collate utf8mb4_nopad_bin)");
            }
        }
    }
}

/// `$."key"[0]`, in the spelling of an engine that has paths.
fn path(steps: &[&JsonKey], dialect: Dialect) -> String {
    let mut path = String::from("$");
    for step in steps {
        match step {
            JsonKey::Member(name) => {
                path.push_str(".\"");
                name.chars().for_each(|letter| escape(&mut path, letter));
                path.push('"');
            }
            JsonKey::Element(element) => {
                let place = element.unsigned_abs();
                let (from, place) = match (dialect, *element < 0) {
                    (_, false) => ("[", place),
                    (Dialect::Sqlite, true) => ("[#-", place),
                    (Dialect::MySql, true) => ("[last-", place - 1),
                    (Dialect::Postgres | Dialect::MariaDb, true) => ("[-", place),
                };
                path.push_str(from);
                path.push_str(&place.to_string());
                path.push(']');
            }
        }
    }
    path
}

/// As our writer of JSON spells it: MariaDB compares the spellings.
fn escape(path: &mut String, letter: char) {
    match letter {
        '"' | '\\' => path.extend(['\\', letter]),
        '\u{8}' => path.push_str("\\b"),
        '\u{c}' => path.push_str("\\f"),
        '\n' => path.push_str("\\n"),
        '\r' => path.push_str("\\r"),
        '\t' => path.push_str("\\t"),
        control if control < ' ' => {
            let code = u32::from(control);
            path.push_str("\\u00");
            path.extend(char::from_digit(code / 16, 16));
            path.extend(char::from_digit(code % 16, 16));
        }
        plain => path.push(plain),
    }
}
