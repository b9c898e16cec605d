//! Random requests, as URLs and bodies.

use serde_json::{Value as Json, json};

use super::oracle::Who;
use super::world::{Dice, Row, World};

/// `column=op.value`
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) column: &'static str,
    pub(super) op: &'static str,
    pub(super) value: Json,
}

#[derive(Clone, Debug)]
pub(super) enum Ask {
    Read {
        table: usize,
        key: Option<i64>,
        select: Option<Vec<&'static str>>,
        filters: Vec<Filter>,
        /// Column, and whether descending; complete, or empty.
        order: Vec<(&'static str, bool)>,
        limit: Option<usize>,
        /// The columns of the row that `up` points to.
        embed: Option<Vec<&'static str>>,
    },
    Insert {
        table: usize,
        rows: Vec<Row>,
        show: bool,
    },
    Update {
        table: usize,
        key: Option<i64>,
        filters: Vec<Filter>,
        values: Row,
        show: bool,
    },
    Delete {
        table: usize,
        key: Option<i64>,
        filters: Vec<Filter>,
    },
    /// `PUT`: the row at the key is made if it is not there.
    Replace { table: usize, key: i64, values: Row },
}

impl Filter {
    fn random(dice: &Dice, users: &[String]) -> Self {
        let column = dice.one(&["id", "owner", "flag", "num", "txt"]);
        let op = match column {
            "id" | "num" => dice.one(&["eq", "neq", "gt", "lte", "is", "not.is"]),
            "flag" => dice.one(&["eq", "neq", "is"]),
            _ => dice.one(&["eq", "neq", "is", "not.is"]),
        };
        let value = match (column, op) {
            (_, "is" | "not.is") => Json::Null,
            ("owner", _) => json!(dice.one(users)),
            ("flag", _) => json!(dice.happens(50)),
            ("txt", _) => json!(dice.one(&["a", "b"])),
            _ => json!(dice.below(7)),
        };
        Self { column, op, value }
    }

    pub(super) fn holds(&self, row: &Row) -> bool {
        let own = &row[self.column];
        match self.op {
            "is" => return own.is_null(),
            "not.is" => return !own.is_null(),
            _ if own.is_null() => return false,
            "eq" => return *own == self.value,
            "neq" => return *own != self.value,
            _ => {}
        }
        let (left, right) = (own.as_i64(), self.value.as_i64());
        match self.op {
            "gt" => left > right,
            _ => left <= right,
        }
    }

    fn text(&self) -> String {
        let value = match &self.value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        format!("{}={}.{value}", self.column, self.op)
    }

    /// The same as SQL.
    pub(super) fn sql(&self) -> String {
        let value = super::world::literal(&self.value);
        let op = match self.op {
            "eq" => "=",
            "neq" => "<>",
            "gt" => ">",
            "lte" => "<=",
            "is" => "is",
            _ => "is not",
        };
        format!("{} {op} {value}", self.column)
    }
}

impl Ask {
    /// A request of this caller, mostly one that the grants allow.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of request")]
    pub(super) fn random(dice: &Dice, world: &World, who: &Who, users: &[String]) -> Self {
        let table = dice.below(world.tables.len());
        let own = &world.tables[table];
        let key = |dice: &Dice| {
            dice.happens(30)
                .then(|| i64::try_from(1 + dice.below(9)).expect("small"))
        };
        let wanted = |dice: &Dice, verb: &str| {
            let granted = own.granted(who, verb);
            match granted.is_empty() || dice.happens(10) {
                true => own.names(),
                false => granted,
            }
        };
        let filters = |dice: &Dice| -> Vec<Filter> {
            let readable = own.granted(who, "select");
            (0..=dice.below(2))
                .map(|_| Filter::random(dice, users))
                .filter(|filter| readable.contains(&filter.column) || dice.happens(5))
                .collect()
        };
        let some = |dice: &Dice, columns: Vec<&'static str>| -> Vec<&'static str> {
            columns.into_iter().filter(|_| dice.happens(60)).collect()
        };
        let values = |dice: &Dice, columns: Vec<&'static str>| -> Row {
            let columns = columns.into_iter().filter(|name| *name != "id");
            let value = |name: &'static str| {
                let value = match name {
                    _ if dice.happens(15) => Json::Null,
                    "up" if dice.happens(8) => json!(99),
                    name => world.value(dice, own, name, users),
                };
                (name.to_owned(), value)
            };
            columns.map(value).collect()
        };
        match dice.below(9) {
            0..=3 => Self::read(dice, world, who, table, key(dice), filters(dice)),
            4 | 5 => {
                let columns = some(dice, wanted(dice, "insert"));
                let row = |id: usize| {
                    let mut row = values(dice, columns.clone());
                    row.insert(String::from("id"), json!(id));
                    row
                };
                let first = 1 + dice.below(14);
                let count = if dice.happens(25) { 2 } else { 1 };
                let rows = (first..first + count).map(row).collect();
                Self::Insert {
                    table,
                    rows,
                    show: dice.happens(50),
                }
            }
            7 => {
                let key = i64::try_from(1 + dice.below(12)).expect("small");
                let both = wanted(dice, "update");
                let insertable = own.granted(who, "insert");
                let kept = both.into_iter().filter(|name| insertable.contains(name));
                let values = values(dice, some(dice, kept.collect()));
                Self::Replace { table, key, values }
            }
            6 => {
                let mut values = values(dice, some(dice, wanted(dice, "update")));
                if values.is_empty() {
                    values.insert(String::from("num"), json!(3));
                }
                let key = key(dice);
                let mut filters = filters(dice);
                filters.truncate(if key.is_some() { 0 } else { 2 });
                // Some engines cannot show rows that the change takes out of its filter.
                let moves = filters
                    .iter()
                    .any(|filter| values.contains_key(filter.column));
                let is_found = key.is_some() || !filters.is_empty();
                if !is_found {
                    filters.push(Filter {
                        column: "id",
                        op: "gt",
                        value: json!(0),
                    });
                }
                let show = !moves && dice.happens(50);
                Self::Update {
                    table,
                    key,
                    filters,
                    values,
                    show,
                }
            }
            _ => {
                let key = key(dice);
                let mut filters = filters(dice);
                filters.truncate(if key.is_some() { 0 } else { 2 });
                if key.is_none() {
                    filters.push(Filter {
                        column: "id",
                        op: "gt",
                        value: json!(dice.below(6)),
                    });
                }
                Self::Delete {
                    table,
                    key,
                    filters,
                }
            }
        }
    }

    fn read(
        dice: &Dice,
        world: &World,
        who: &Who,
        table: usize,
        key: Option<i64>,
        filters: Vec<Filter>,
    ) -> Self {
        let own = &world.tables[table];
        let readable = own.granted(who, "select");
        let is_ordered =
            key.is_none() && (readable.contains(&"id") || dice.happens(5)) && dice.happens(60);
        let mut order = Vec::new();
        if is_ordered && readable.contains(&"num") && dice.happens(50) {
            order.push(("num", dice.happens(50)));
        }
        if is_ordered {
            order.push(("id", dice.happens(50)));
        }
        let embed = own
            .parent
            .filter(|_| readable.contains(&"up") && dice.happens(50));
        let embed = embed.map(|parent| world.tables[parent].granted(who, "select"));
        let embed = embed.filter(|columns| !columns.is_empty());
        let named: Vec<_> = readable
            .iter()
            .copied()
            .filter(|_| dice.happens(70))
            .collect();
        let select = match () {
            () if embed.is_some() => Some(readable),
            () if named.is_empty() || dice.happens(40) => None,
            () if dice.happens(5) => Some(own.names()),
            () => Some(named),
        };
        Self::Read {
            table,
            key,
            select,
            filters: if key.is_some() { Vec::new() } else { filters },
            limit: (is_ordered && dice.happens(40)).then(|| 1 + dice.below(3)),
            order,
            embed,
        }
    }

    /// Method, URL, body and `Prefer`.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of request")]
    pub(super) fn http(&self) -> (&'static str, String, Json, &'static str) {
        let shown = |show: &bool| {
            if *show {
                "return=representation"
            } else {
                "return=minimal"
            }
        };
        let place = |table: &usize, key: &Option<i64>| match key {
            Some(key) => format!("/api/t{table}/{key}"),
            None => format!("/api/t{table}"),
        };
        let asked = |filters: &[Filter], more: Vec<String>| {
            let all: Vec<String> = filters.iter().map(Filter::text).chain(more).collect();
            if all.is_empty() {
                String::new()
            } else {
                format!("?{}", all.join("&"))
            }
        };
        match self {
            Self::Read {
                table,
                key,
                select,
                filters,
                order,
                limit,
                embed,
            } => {
                let mut more = Vec::new();
                if let Some(select) = select {
                    let mut items: Vec<String> = select.iter().map(ToString::to_string).collect();
                    if let Some(columns) = embed {
                        items.push(format!("{EMBED}({})", columns.join(",")));
                    }
                    more.push(format!("select={}", items.join(",")));
                }
                if !order.is_empty() {
                    let keys = order.iter().map(|(column, is_descending)| {
                        format!("{column}.{}", if *is_descending { "desc" } else { "asc" })
                    });
                    more.push(format!("order={}", keys.collect::<Vec<_>>().join(",")));
                }
                more.extend(limit.map(|limit| format!("limit={limit}")));
                let url = format!("{}{}", place(table, key), asked(filters, more));
                ("GET", url, Json::Null, "count=exact")
            }
            Self::Insert { table, rows, show } => {
                let body = match rows.as_slice() {
                    [row] => json!(row),
                    rows => json!(rows),
                };
                ("POST", place(table, &None), body, shown(show))
            }
            Self::Update {
                table,
                key,
                filters,
                values,
                show,
            } => {
                let url = format!("{}{}", place(table, key), asked(filters, Vec::new()));
                ("PATCH", url, json!(values), shown(show))
            }
            Self::Replace { table, key, values } => {
                let url = place(table, &Some(*key));
                ("PUT", url, json!(values), "return=minimal")
            }
            Self::Delete {
                table,
                key,
                filters,
            } => {
                let url = format!("{}{}", place(table, key), asked(filters, Vec::new()));
                ("DELETE", url, Json::Null, "return=minimal")
            }
        }
    }
}

/// Stands for the parent's name until the world is known.
pub(super) const EMBED: &str = "PARENT";
