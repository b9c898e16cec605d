//! Random schemas with rules, rows and requests, and their text.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};
use stdx::Rng;

/// Chance, from a seed that a failure prints.
pub(crate) struct Dice(Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::seeded(seed))
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: usize) -> usize {
        let number = u32::from_le_bytes(self.0.bytes());
        usize::try_from(number).expect("32 bits") % end
    }

    /// Whether something with this chance in a hundred happens.
    pub(crate) fn happens(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn one<T: Clone>(&self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }
}

/// `r2` has what `r1` has; both are given to users.
pub(super) const ROLES: [&str; 4] = ["anon", "authenticated", "r1", "r2"];
pub(super) const VERBS: [&str; 4] = ["select", "insert", "update", "delete"];

/// Name and type; the last one only where a table points to another one.
pub(super) const COLUMNS: [(&str, &str); 6] = [
    ("id", "integer primary key"),
    ("owner", "uuid"),
    ("flag", "boolean"),
    ("num", "integer"),
    ("txt", "text"),
    ("up", "integer"),
];

/// A table between the first two, which everybody reads.
const BETWEEN: &str = "create table pairs (
  one integer not null references t0 on update cascade on delete cascade,
  other integer not null references t1 on update cascade on delete cascade,
  primary key (one, other)
);
grant select on pairs to anon, authenticated;
create policy everybody on pairs for select using (true);
";

pub(super) type Row = Map<String, Json>;

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// Which table `up` points to.
    pub(super) parent: Option<usize>,
    pub(super) grants: Vec<Grant>,
    pub(super) policies: Vec<Policy>,
    pub(super) rows: Vec<Row>,
}

#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) role: &'static str,
    pub(super) verb: &'static str,
    pub(super) columns: Option<Vec<&'static str>>,
}

#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) permissive: bool,
    /// `all` or a verb.
    pub(super) command: &'static str,
    /// Empty for everybody.
    pub(super) roles: Vec<&'static str>,
    pub(super) using: Option<Condition>,
    pub(super) check: Option<Condition>,
}

/// A condition over a row.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Always(bool),
    /// `flag`
    Flag,
    /// `num < 3` and so on
    Num(&'static str, i64),
    /// `txt = 'a'`
    Txt(&'static str),
    /// `column is null`
    Null(&'static str),
    /// `owner = auth.uid()`
    Own,
    HasRole(&'static str),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    /// `exists (select 1 from table x where x.id = up and …)`; without a link, of any row.
    Exists(usize, bool, Box<Condition>),
    /// `num in (select num from table x where …)`
    Among(usize, Box<Condition>),
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) tables: Vec<Table>,
}

impl Table {
    pub(super) fn columns(&self) -> &'static [(&'static str, &'static str)] {
        match self.parent {
            Some(_) => &COLUMNS,
            None => &COLUMNS[..5],
        }
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.columns().iter().map(|(name, _)| *name).collect()
    }
}

impl World {
    /// A world of two to four tables; `users` are whom rows belong to.
    pub(super) fn random(dice: &Dice, users: &[String]) -> Self {
        let mut world = Self { tables: Vec::new() };
        for place in 0..2 + dice.below(3) {
            let parent = (place > 0 && dice.happens(75)).then(|| dice.below(place));
            let mut table = Table {
                name: format!("t{place}"),
                parent,
                grants: Vec::new(),
                policies: Vec::new(),
                rows: Vec::new(),
            };
            world.rules(dice, &mut table, place);
            let rows = 3 + dice.below(6);
            for id in 1..=rows {
                let row = world.row(dice, &table, id, users);
                table.rows.push(row);
            }
            world.tables.push(table);
        }
        world
    }

    fn rules(&self, dice: &Dice, table: &mut Table, place: usize) {
        for role in ROLES {
            for verb in VERBS {
                let chance = if verb == "select" { 60 } else { 45 };
                // What policies of other tables ask is everybody's to ask, as PostgreSQL wants it.
                let is_asked = place == 0 && verb == "select" && role != "r1" && role != "r2";
                if !is_asked && !dice.happens(chance) {
                    continue;
                }
                let is_whole = is_asked || verb == "delete" || dice.happens(60);
                let named = || {
                    let names = table.names().into_iter();
                    let kept =
                        names.filter(|name| dice.happens(if *name == "id" { 85 } else { 60 }));
                    kept.collect::<Vec<_>>()
                };
                let columns = (!is_whole).then(named);
                if columns.as_ref().is_some_and(Vec::is_empty) {
                    continue;
                }
                table.grants.push(Grant {
                    role,
                    verb,
                    columns,
                });
            }
        }
        for _ in 0..2 + dice.below(5) {
            let command = dice.one(&[
                "all", "all", "select", "select", "insert", "update", "delete",
            ]);
            let roles = ROLES.into_iter().filter(|_| dice.happens(35)).collect();
            let has_using = command != "insert" && dice.happens(92);
            let checks = matches!(command, "all" | "insert" | "update");
            let has_check = checks && (command == "insert" || dice.happens(50));
            let using = has_using.then(|| self.condition(dice, table, place, 3));
            let check = has_check.then(|| self.condition(dice, table, place, 3));
            if using.is_none() && check.is_none() {
                continue;
            }
            table.policies.push(Policy {
                permissive: dice.happens(75),
                command,
                roles,
                using,
                check,
            });
        }
    }

    /// A condition over a table; sub-queries ask the first table, so that no rule asks itself.
    fn condition(&self, dice: &Dice, table: &Table, place: usize, depth: usize) -> Condition {
        let inner = |depth| Box::new(self.condition(dice, table, place, depth));
        let asked = |dice: &Dice| Box::new(self.condition(dice, &self.tables[0], 0, 1));
        match dice.below(if depth > 1 { 14 } else { 9 }) {
            0 => Condition::Always(dice.happens(75)),
            1 => Condition::Flag,
            2 => Condition::Num(dice.one(&["<", ">=", "=", "<>"]), small(dice)),
            3 => Condition::Txt(dice.one(&["a", "b", "c"])),
            4 => Condition::Null(dice.one(&["owner", "flag", "num", "txt"])),
            5 | 6 => Condition::Own,
            7 => Condition::HasRole(dice.one(&["r1", "r2", "authenticated"])),
            8 => Condition::Num("<", 4),
            9 => Condition::Not(inner(depth - 1)),
            10 => Condition::And(inner(depth - 1), inner(depth - 1)),
            11 => Condition::Or(inner(depth - 1), inner(depth - 1)),
            _ if place == 0 => Condition::Flag,
            12 => Condition::Exists(0, table.parent == Some(0), asked(dice)),
            _ => Condition::Among(0, asked(dice)),
        }
    }

    pub(super) fn row(&self, dice: &Dice, table: &Table, id: usize, users: &[String]) -> Row {
        let mut row = Row::new();
        for (name, _) in table.columns() {
            let value = match *name {
                "id" => json!(id),
                _ if dice.happens(20) => Json::Null,
                other => self.value(dice, table, other, users),
            };
            row.insert((*name).to_owned(), value);
        }
        row
    }

    /// A value of a column, not null; an `up` mostly points somewhere.
    pub(super) fn value(&self, dice: &Dice, table: &Table, column: &str, users: &[String]) -> Json {
        match column {
            "owner" => json!(dice.one(users)),
            "flag" => json!(dice.happens(60)),
            "num" => json!(small(dice)),
            "txt" => json!(dice.one(&["a", "b", "c"])),
            "up" => {
                let parent = &self.tables[table.parent.expect("it points somewhere")];
                match parent.rows.as_slice() {
                    [] => Json::Null,
                    rows => dice.one(rows)["id"].clone(),
                }
            }
            other => panic!("{other} has no random value"),
        }
    }

    /// `schema/world.sql`; natively, with PostgreSQL's own roles under `prefix`.
    pub(super) fn schema(&self, prefix: Option<&str>) -> String {
        let mut text = String::new();
        let role = |name: &str| format!("{}{name}", prefix.unwrap_or_default());
        if prefix.is_none() {
            text.push_str("create role r1;\ncreate role r2;\ngrant r1 to r2;\n");
        }
        for (place, table) in self.tables.iter().enumerate() {
            let columns: Vec<String> = table
                .columns()
                .iter()
                .map(|(name, ty)| match (*name, table.parent) {
                    ("up", Some(parent)) => format!("up integer references t{parent}"),
                    _ => format!("{name} {ty}"),
                })
                .collect();
            writeln!(text, "create table t{place} ({});", columns.join(", ")).expect("a text");
            if prefix.is_some() {
                writeln!(text, "alter table t{place} enable row level security;").expect("a text");
            }
            for grant in &table.grants {
                let columns = grant
                    .columns
                    .as_ref()
                    .map(|names| format!(" ({})", names.join(", ")));
                let (verb, columns) = (grant.verb, columns.unwrap_or_default());
                let to = role(grant.role);
                writeln!(text, "grant {verb}{columns} on t{place} to {to};").expect("a text");
            }
            for (number, policy) in table.policies.iter().enumerate() {
                text.push_str(&Self::policy(policy, place, number, &role));
            }
        }
        if prefix.is_none() {
            text.push_str(BETWEEN);
            for table in &self.tables {
                text.push_str(&Self::view(table));
            }
        }
        text
    }

    /// What one role may see of a table as a view of its own.
    fn view(table: &Table) -> String {
        let mut grants = table.grants.iter();
        let Some(grant) = grants.find(|grant| grant.verb == "select") else {
            return String::new();
        };
        let name = table.name.replace('t', "v");
        let columns = grant.columns.clone().unwrap_or_else(|| table.names());
        let (columns, role) = (columns.join(", "), grant.role);
        format!(
            "create view {name} as select {columns} from {};\ngrant select on {name} to {role};\n",
            table.name
        )
    }

    fn policy(
        policy: &Policy,
        place: usize,
        number: usize,
        role: &dyn Fn(&str) -> String,
    ) -> String {
        let kind = if policy.permissive {
            "permissive"
        } else {
            "restrictive"
        };
        let mut text = format!(
            "create policy p{number} on t{place} as {kind} for {}",
            policy.command
        );
        let roles: Vec<String> = policy.roles.iter().map(|name| role(name)).collect();
        if !roles.is_empty() {
            write!(text, " to {}", roles.join(", ")).expect("a text");
        }
        let row = format!("t{place}");
        if let Some(using) = &policy.using {
            write!(text, " using ({})", using.text(&row)).expect("a text");
        }
        if let Some(check) = &policy.check {
            write!(text, " with check ({})", check.text(&row)).expect("a text");
        }
        text.push_str(";\n");
        text
    }

    /// An insert of all rows.
    pub(super) fn seed(&self) -> String {
        let mut text = String::new();
        for table in &self.tables {
            let rows: Vec<String> = table
                .rows
                .iter()
                .map(|row| {
                    let values = table.names().into_iter().map(|name| literal(&row[name]));
                    format!("({})", values.collect::<Vec<_>>().join(", "))
                })
                .collect();
            let (name, columns) = (&table.name, table.names().join(", "));
            writeln!(
                text,
                "insert into {name} ({columns}) values {};",
                rows.join(", ")
            )
            .expect("a text");
        }
        text
    }

    /// An insert of what the table between says: which rows of the first two belong together.
    pub(super) fn pairs(&self) -> String {
        let ids = |place: usize| self.tables[place].rows.iter().map(|row| &row["id"]);
        let pairs = ids(0).flat_map(|left| ids(1).map(move |right| (left, right)));
        let pairs = pairs.enumerate().filter(|(number, _)| number % 3 != 1);
        let pairs: Vec<String> = pairs
            .map(|(_, (left, right))| format!("({left}, {right})"))
            .collect();
        format!(
            "insert into pairs (one, other) values {};\n",
            pairs.join(", ")
        )
    }
}

/// A value as SQL.
pub(super) fn literal(value: &Json) -> String {
    match value {
        Json::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn small(dice: &Dice) -> i64 {
    i64::try_from(dice.below(7)).expect("a small number")
}

impl Condition {
    /// The condition as SQL, over the row of `this`.
    pub(super) fn text(&self, this: &str) -> String {
        match self {
            Self::Always(value) => value.to_string(),
            Self::Flag => format!("{this}.flag"),
            Self::Num(op, number) => format!("{this}.num {op} {number}"),
            Self::Txt(text) => format!("{this}.txt = '{text}'"),
            Self::Null(column) => format!("{this}.{column} is null"),
            Self::Own => format!("{this}.owner = auth.uid()"),
            Self::HasRole(role) => format!("auth.has_role('{role}')"),
            Self::Not(inner) => format!("not ({})", inner.text(this)),
            Self::And(left, right) => format!("({}) and ({})", left.text(this), right.text(this)),
            Self::Or(left, right) => format!("({}) or ({})", left.text(this), right.text(this)),
            Self::Exists(table, is_linked, inner) => {
                let link = if *is_linked {
                    format!("x.id = {this}.up and ")
                } else {
                    String::new()
                };
                format!(
                    "exists (select 1 from t{table} x where {link}({}))",
                    inner.text("x")
                )
            }
            Self::Among(table, inner) => {
                format!(
                    "{this}.num in (select x.num from t{table} x where {})",
                    inner.text("x")
                )
            }
        }
    }
}
