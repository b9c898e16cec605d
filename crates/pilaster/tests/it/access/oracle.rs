//! What must happen, worked out slowly over rows in memory, from PostgreSQL's manual: CREATE POLICY
//! ("Policies Applied by Command Type"), GRANT, and the rules of comparison with nulls.

use serde_json::Value as Json;

use super::request::{Ask, Filter};
use super::world::{Condition, Policy, Row, Table, World};

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// Their id; none for anonymous callers.
    pub(super) user: Option<String>,
    /// All roles, inherited ones included.
    pub(super) roles: Vec<&'static str>,
    /// Their token, empty for anonymous callers.
    pub(super) token: String,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// These rows, in this order where one was asked for; and how many there are without a limit.
    Rows(Vec<Json>, usize),
    /// Done, nothing to show.
    Done,
    /// A grant is missing: some refusal.
    NoGrant,
    /// A policy refuses a new row.
    NoPolicy,
    /// The row of the URL is not there, for this caller.
    Missing,
    /// A key is taken, or points nowhere, or is pointed to.
    Conflict,
    /// One row of several is refused by a policy and another one has such a key: which of the two
    /// is said depends on their order.
    NoPolicyOrConflict,
}

impl World {
    /// What the caller gets; writes change the rows here too.
    pub(super) fn expect(&mut self, who: &Who, ask: &Ask) -> Fate {
        match ask {
            Ask::Read { .. } => self.read(who, ask),
            Ask::Insert { table, rows, show } => self.insert(who, *table, rows, *show),
            Ask::Update {
                table,
                key,
                filters,
                values,
                show,
            } => self.update(who, *table, *key, filters, values, *show),
            Ask::Replace { table, key, values } => self.replace(who, *table, *key, values),
            Ask::Delete {
                table,
                key,
                filters,
            } => self.delete(who, *table, *key, filters),
        }
    }

    fn read(&self, who: &Who, ask: &Ask) -> Fate {
        let Ask::Read {
            table,
            key,
            select,
            filters,
            order,
            limit,
            embed,
        } = ask
        else {
            panic!("{ask:?} reads nothing");
        };
        let own = &self.tables[*table];
        let readable = own.granted(who, "select");
        let named = select.clone().unwrap_or_else(|| readable.clone());
        let mut used = named.clone();
        used.extend(filters.iter().map(|filter| filter.column));
        used.extend(order.iter().map(|(column, _)| *column));
        used.extend(key.map(|_| "id"));
        // A join reads both sides of what it is over.
        let is_tied = embed
            .as_ref()
            .is_none_or(|columns| columns.contains(&"id") && readable.contains(&"up"));
        if !is_tied {
            return Fate::NoGrant;
        }
        if readable.is_empty() || used.iter().any(|column| !readable.contains(column)) {
            return Fate::NoGrant;
        }
        let mut rows: Vec<&Row> = own
            .rows
            .iter()
            .filter(|row| {
                key.is_none_or(|key| row["id"] == key)
                    && filters.iter().all(|filter| filter.holds(row))
                    && self.passes(who, *table, "select", "using", row)
            })
            .collect();
        sort(&mut rows, order);
        let total = rows.len();
        rows.truncate(limit.unwrap_or(usize::MAX));
        let shown = rows.into_iter().map(|row| {
            let mut shown = only(row, &named);
            if let Some(columns) = embed {
                let parent = own.parent.expect("there is one to embed");
                let found = self.tables[parent].rows.iter().find(|other| {
                    other["id"] == row["up"] && self.passes(who, parent, "select", "using", other)
                });
                let found = found.map_or(Json::Null, |row| Json::Object(only(row, columns)));
                shown.insert(self.tables[parent].name.clone(), found);
            }
            Json::Object(shown)
        });
        match (key, total) {
            (Some(_), 0) => Fate::Missing,
            _ => Fate::Rows(shown.collect(), total),
        }
    }

    fn insert(&mut self, who: &Who, table: usize, rows: &[Row], show: bool) -> Fate {
        let own = &self.tables[table];
        let (insertable, readable) = (own.granted(who, "insert"), own.granted(who, "select"));
        let is_granted = rows
            .iter()
            .flat_map(Row::keys)
            .all(|name| insertable.contains(&name.as_str()));
        if !is_granted || (show && readable.is_empty()) {
            return Fate::NoGrant;
        }
        let whole = |row: &Row| {
            let mut whole = row.clone();
            for name in own.names() {
                whole.entry(name).or_insert(Json::Null);
            }
            whole
        };
        let rows: Vec<Row> = rows.iter().map(whole).collect();
        // RETURNING needs the SELECT policies too.
        let may = |row: &Row| {
            self.passes(who, table, "insert", "check", row)
                && (!show || self.passes(who, table, "select", "using", row))
        };
        let is_let = rows.iter().all(may);
        let mut all = own.rows.clone();
        let mut conflicts = false;
        for row in &rows {
            conflicts |= all.iter().any(|other| other["id"] == row["id"]);
            conflicts |= !self.points_somewhere(table, row);
            all.push(row.clone());
        }
        match (is_let, conflicts) {
            (true, false) => {}
            (true, true) => return Fate::Conflict,
            (false, true) if rows.len() > 1 => return Fate::NoPolicyOrConflict,
            (false, _) => return Fate::NoPolicy,
        }
        let shown = rows
            .iter()
            .map(|row| Json::Object(only(row, &readable)))
            .collect();
        self.tables[table].rows = all;
        if show {
            Fate::Rows(shown, rows.len())
        } else {
            Fate::Done
        }
    }

    fn update(
        &mut self,
        who: &Who,
        table: usize,
        key: Option<i64>,
        filters: &[Filter],
        values: &Row,
        show: bool,
    ) -> Fate {
        let own = &self.tables[table];
        let (updatable, readable) = (own.granted(who, "update"), own.granted(who, "select"));
        let mut used: Vec<&str> = filters.iter().map(|filter| filter.column).collect();
        used.extend(key.map(|_| "id"));
        let is_granted = values.keys().all(|name| updatable.contains(&name.as_str()))
            && used.iter().all(|column| readable.contains(column));
        if !is_granted || (show && readable.is_empty()) {
            return Fate::NoGrant;
        }
        let mut all = own.rows.clone();
        let mut changed = Vec::new();
        for (place, row) in own.rows.iter().enumerate() {
            let is_meant = key.is_none_or(|key| row["id"] == key)
                && filters.iter().all(|filter| filter.holds(row));
            if !is_meant
                || !self.passes(who, table, "update", "using", row)
                || !self.passes(who, table, "select", "using", row)
            {
                continue;
            }
            all[place].extend(values.clone());
            changed.push(all[place].clone());
        }
        // The new rows too must be readable, because the statement reads.
        let may = |row: &Row| {
            self.passes(who, table, "update", "check", row)
                && self.passes(who, table, "select", "using", row)
        };
        if !changed.iter().all(may) {
            return Fate::NoPolicy;
        }
        if !changed.iter().all(|row| self.points_somewhere(table, row)) {
            return Fate::Conflict;
        }
        if key.is_some() && changed.is_empty() {
            return Fate::Missing;
        }
        let shown: Vec<Json> = changed
            .iter()
            .map(|row| Json::Object(only(row, &readable)))
            .collect();
        self.tables[table].rows = all;
        if show {
            Fate::Rows(shown, changed.len())
        } else {
            Fate::Done
        }
    }

    fn replace(&mut self, who: &Who, table: usize, key: i64, values: &Row) -> Fate {
        let own = &self.tables[table];
        let insertable = own.granted(who, "insert");
        let mut whole = values.clone();
        for name in own.granted(who, "update") {
            if name != "id" {
                whole.entry(name).or_insert(Json::Null);
            }
        }
        let makes = insertable.contains(&"id");
        let is_insertable = values
            .keys()
            .all(|name| insertable.contains(&name.as_str()));
        let is_updatable = !own.granted(who, "update").is_empty() && !whole.is_empty();
        if !is_updatable || (makes && !is_insertable) {
            return Fate::NoGrant;
        }
        let fate = self.update(who, table, Some(key), &[], &whole, false);
        if fate != Fate::Missing || !makes {
            return fate;
        }
        let mut row = values.clone();
        row.insert(String::from("id"), Json::from(key));
        let is_there = self.tables[table].rows.iter().any(|row| row["id"] == key);
        match self.insert(who, table, &[row], false) {
            // The row is there and hidden: nothing more is said.
            Fate::Conflict if is_there => Fate::NoPolicy,
            fate => fate,
        }
    }

    fn delete(&mut self, who: &Who, table: usize, key: Option<i64>, filters: &[Filter]) -> Fate {
        let own = &self.tables[table];
        let readable = own.granted(who, "select");
        let mut used: Vec<&str> = filters.iter().map(|filter| filter.column).collect();
        used.extend(key.map(|_| "id"));
        let is_granted = own
            .grants
            .iter()
            .any(|g| g.verb == "delete" && who.roles.contains(&g.role));
        if !is_granted || used.iter().any(|column| !readable.contains(column)) {
            return Fate::NoGrant;
        }
        let (gone, kept): (Vec<Row>, Vec<Row>) = own.rows.iter().cloned().partition(|row| {
            key.is_none_or(|key| row["id"] == key)
                && filters.iter().all(|filter| filter.holds(row))
                && self.passes(who, table, "delete", "using", row)
                && self.passes(who, table, "select", "using", row)
        });
        let is_needed = |row: &Row| {
            let mut children = self
                .tables
                .iter()
                .filter(|child| child.parent == Some(table));
            children.any(|child| child.rows.iter().any(|other| other["up"] == row["id"]))
        };
        if gone.iter().any(is_needed) {
            return Fate::Conflict;
        }
        if key.is_some() && gone.is_empty() {
            return Fate::Missing;
        }
        self.tables[table].rows = kept;
        Fate::Done
    }

    /// Whether the caller reads a row, whatever the grants say of its columns.
    pub(super) fn reads(&self, who: &Who, table: usize, row: usize) -> bool {
        self.passes(who, table, "select", "using", &self.tables[table].rows[row])
    }

    /// Whether any rule names a column of this table.
    pub(super) fn rules_look_at(&self, table: usize, column: &str) -> bool {
        let policies = |place: usize| self.tables[place].policies.iter();
        let asks = |policy: &Policy, text: &str| {
            let mut both = policy.using.iter().chain(&policy.check);
            both.any(|condition| condition.text("r").contains(text))
        };
        // Sub-queries ask the first table, as x.
        let asked = (0..self.tables.len()).flat_map(policies);
        policies(table).any(|policy| asks(policy, &format!("r.{column}")))
            || (table == 0
                && asked
                    .into_iter()
                    .any(|policy| asks(policy, &format!("x.{column}"))))
    }

    fn points_somewhere(&self, table: usize, row: &Row) -> bool {
        let Some(parent) = self.tables[table].parent else {
            return true;
        };
        let up = &row["up"];
        up.is_null()
            || self.tables[parent]
                .rows
                .iter()
                .any(|other| other["id"] == *up)
    }

    /// CREATE POLICY: at least one permissive policy of the command, and all restrictive ones.
    fn passes(&self, who: &Who, table: usize, verb: &str, clause: &str, row: &Row) -> bool {
        let is_for = |policy: &&Policy| {
            let to =
                policy.roles.is_empty() || policy.roles.iter().any(|role| who.roles.contains(role));
            to && (policy.command == "all" || policy.command == verb)
        };
        let mut is_permitted = false;
        for policy in self.tables[table].policies.iter().filter(is_for) {
            // "If only USING is specified, it will be used for both."
            let condition = match clause {
                "check" => policy.check.as_ref().or(policy.using.as_ref()),
                _ => policy.using.as_ref(),
            };
            let Some(condition) = condition else { continue };
            let holds = self.holds(who, condition, row) == Some(true);
            match policy.permissive {
                true => is_permitted |= holds,
                false if !holds => return false,
                false => {}
            }
        }
        is_permitted
    }

    /// True, false, or unknown.
    fn holds(&self, who: &Who, condition: &Condition, row: &Row) -> Option<bool> {
        let seen = |table: usize| {
            let rows = self.tables[table].rows.iter();
            rows.filter(move |row| self.passes(who, table, "select", "using", row))
        };
        match condition {
            Condition::Always(value) => Some(*value),
            Condition::Flag => row["flag"].as_bool(),
            Condition::Num(op, number) => row["num"].as_i64().map(|num| match *op {
                "<" => num < *number,
                ">=" => num >= *number,
                "=" => num == *number,
                _ => num != *number,
            }),
            Condition::Txt(text) => row["txt"].as_str().map(|txt| txt == *text),
            Condition::Null(column) => Some(row[*column].is_null()),
            Condition::Own => {
                let user = who.user.as_ref()?;
                row["owner"].as_str().map(|owner| owner == user)
            }
            Condition::HasRole(role) => Some(who.roles.contains(role)),
            Condition::Not(inner) => self.holds(who, inner, row).map(|value| !value),
            Condition::And(left, right) => {
                match (self.holds(who, left, row), self.holds(who, right, row)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                }
            }
            Condition::Or(left, right) => {
                match (self.holds(who, left, row), self.holds(who, right, row)) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                }
            }
            Condition::Exists(table, is_linked, inner) => Some(seen(*table).any(|other| {
                (!is_linked || other["id"] == row["up"])
                    && self.holds(who, inner, other) == Some(true)
            })),
            Condition::Among(table, inner) => {
                let mut is_unknown = false;
                for other in
                    seen(*table).filter(|other| self.holds(who, inner, other) == Some(true))
                {
                    match (&row["num"], &other["num"]) {
                        (Json::Null, _) | (_, Json::Null) => is_unknown = true,
                        (left, right) if left == right => return Some(true),
                        _ => {}
                    }
                }
                if is_unknown { None } else { Some(false) }
            }
        }
    }
}

impl Table {
    /// The columns that the caller may read or write.
    pub(super) fn granted(&self, who: &Who, verb: &str) -> Vec<&'static str> {
        let grants = || {
            self.grants
                .iter()
                .filter(|g| g.verb == verb && who.roles.contains(&g.role))
        };
        let is_granted = |name: &&str| {
            grants().any(|grant| {
                grant
                    .columns
                    .as_ref()
                    .is_none_or(|names| names.contains(name))
            })
        };
        self.names().into_iter().filter(is_granted).collect()
    }
}

fn only(row: &Row, columns: &[&str]) -> Row {
    let kept = columns
        .iter()
        .map(|name| ((*name).to_owned(), row[*name].clone()));
    kept.collect()
}

/// Ascending with nulls last, descending with nulls first, as PostgreSQL has it.
fn sort(rows: &mut [&Row], order: &[(&'static str, bool)]) {
    rows.sort_by(|left, right| {
        let each = order.iter().map(|(column, is_descending)| {
            let key = |row: &Row| row[*column].as_i64().unwrap_or(i64::MAX);
            let ordering = key(left).cmp(&key(right));
            if *is_descending {
                ordering.reverse()
            } else {
                ordering
            }
        });
        each.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
}
