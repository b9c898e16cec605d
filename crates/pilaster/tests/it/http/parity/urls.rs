//! Reads: random URLs and headers, most of them well formed.

use std::fmt::Write as _;

use super::operators::operation;
use super::shape::{FILMS, Is, MEMBERS, TABLES, Table, Way, value};
use super::stage::Ask;
use crate::access::Dice;

/// How deep relations go.
const DEEPEST: usize = 3;

/// A random request.
pub(super) fn ask(dice: &Dice) -> Ask {
    let place = match dice.happens(50) {
        true => FILMS,
        false => dice.below(TABLES.len()),
    };
    let table = &TABLES[place];
    let mut url = Url {
        dice,
        parameters: Vec::new(),
    };
    if dice.happens(85) {
        let select = url.level(table, &[], 0, true);
        url.add("select", select);
    } else {
        url.narrow(table, &[]);
    }
    let mut parameters = url.parameters;
    if dice.happens(10) && !parameters.is_empty() {
        let place = dice.below(parameters.len());
        let (name, text) = &mut parameters[place];
        match dice.happens(20) {
            true => *name = broken(dice, name),
            false => *text = broken(dice, text),
        }
    }
    let query = joined(&parameters);
    let path = match dice.below(100) {
        0..6 => format!("{}/{}", table.name, key(dice, table)),
        6 => format!("{}x", table.name),
        _ => table.name.to_owned(),
    };
    let mark = if query.is_empty() { "" } else { "?" };
    Ask {
        method: "GET",
        body: None,
        url: format!("/api/{path}{mark}{query}"),
        headers: headers(dice),
    }
}

/// The values of a key, percent-encoded.
pub(super) fn key(dice: &Dice, table: &Table) -> String {
    let of = |name: &&str| {
        let column = table.columns.iter().find(|(known, _)| known == name);
        encode(&value(dice, column.expect("a column").1))
    };
    let values: Vec<String> = table.key.iter().map(of).collect();
    values.join(",")
}

/// The query string of names and values.
pub(super) fn joined(parameters: &[(String, String)]) -> String {
    let pairs = parameters.iter();
    let pairs = pairs.map(|(name, text)| format!("{}={}", encode(name), encode(text)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Percent-encodes what a query string cannot hold as it is.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b'('
            | b')'
            | b','
            | b'*'
            | b':'
            | b'!' => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02X}").expect("a text"),
        }
    }
    encoded
}

fn headers(dice: &Dice) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    if dice.happens(35) {
        let prefer = dice.one(&[
            "count=exact",
            "count=exact",
            "count=planned",
            "count=estimated",
            "timezone=Europe/Berlin",
            "timezone=-03:30",
            "timezone=Nowhere, count=exact",
            "handling=strict, count=exact",
            "count=exact, timezone=Asia/Tokyo",
        ]);
        headers.push(("Prefer", prefer.to_owned()));
    }
    if dice.happens(8) {
        let range = dice.one(&["0-4", "3-9", "10-", "5-2", "900-", "x-y", "0-0"]);
        headers.push(("Range", range.to_owned()));
    }
    if dice.happens(15) {
        let accept = dice.one(&[
            "text/csv",
            "text/csv",
            "application/vnd.pgrst.object+json",
            "application/vnd.pgrst.object+json;nulls=stripped",
            "application/vnd.pgrst.array+json;nulls=stripped",
            "application/json;q=0.5, text/csv",
            "image/png",
            "*/*",
        ]);
        headers.push(("Accept", accept.to_owned()));
    }
    headers
}

/// A text with a mistake in it.
fn broken(dice: &Dice, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = dice.below(characters.len() + 1);
    let odd = dice.one(&[
        '(',
        ')',
        ',',
        '.',
        '"',
        '\\',
        '{',
        '}',
        '!',
        ':',
        '-',
        '>',
        '*',
        '\'',
        '%',
        ' ',
        '\u{1f600}',
    ]);
    match dice.below(4) {
        0 if place < characters.len() => {
            characters.remove(place);
        }
        1 => characters.truncate(place),
        2 => characters.extend(text.chars()),
        _ => characters.insert(place, odd),
    }
    characters.into_iter().collect()
}

/// The parameters of a URL in the making.
struct Url<'d> {
    dice: &'d Dice,
    parameters: Vec<(String, String)>,
}

impl Url<'_> {
    fn add(&mut self, name: &str, text: String) {
        self.parameters.push((name.to_owned(), text));
    }

    /// What is selected of a table; adds filters, order and limits of it and of its relations.
    fn level(&mut self, table: &Table, path: &[String], depth: usize, is_many: bool) -> String {
        let dice = self.dice;
        // Groups are of many rows.
        if is_many && dice.happens(12) {
            return self.groups(table, path, depth);
        }
        let mut items: Vec<String> = Vec::new();
        if dice.happens(15) {
            items.push(String::from("*"));
        }
        for _ in 0..dice.below(5) {
            items.push(self.item(table));
        }
        let mut ones: Vec<(String, &Table)> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let relations = if depth < DEEPEST { dice.below(3) } else { 0 };
        for number in 0..relations {
            let way = dice.one(table.ways);
            let (item, name) = self.related(way, path, depth, number);
            items.push(item);
            if way.is_one {
                ones.push((name.clone(), &TABLES[way.to]));
            }
            names.push(name);
        }
        self.narrow(table, path);
        self.by_relations(path, &names, &ones);
        items.join(if dice.happens(95) { "," } else { " , " })
    }

    /// An embed, and the name by which filters know it.
    fn related(
        &mut self,
        way: Way,
        path: &[String],
        depth: usize,
        number: usize,
    ) -> (String, String) {
        let dice = self.dice;
        let bare = way.name.split('!').next().unwrap_or(way.name);
        let is_spread = dice.happens(15);
        let (alias, name) = match dice.happens(35) && !is_spread {
            true => (format!("x{number}:"), format!("x{number}")),
            false => (String::new(), bare.to_owned()),
        };
        let mut inner = path.to_vec();
        inner.push(name.clone());
        let items = match dice.happens(10) {
            true => String::new(),
            false => self.level(
                &TABLES[way.to],
                &inner,
                depth + 1,
                !way.is_one || dice.happens(3),
            ),
        };
        let kind = dice.one(&["", "", "", "!inner", "!left"]);
        let spread = if is_spread { "..." } else { "" };
        (format!("{spread}{alias}{}{kind}({items})", way.name), name)
    }

    /// Aggregates beside what rows are grouped by.
    fn groups(&mut self, table: &Table, path: &[String], depth: usize) -> String {
        let dice = self.dice;
        let mut items: Vec<String> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        for _ in 0..dice.below(3) {
            let (name, is) = dice.one(table.columns);
            let key = field(dice, name, is).0;
            if is != Is::Json || key.contains("->>") {
                items.push(key.clone());
                keys.push(key);
            }
        }
        for number in 0..=dice.below(3) {
            let alias = if dice.happens(60) {
                format!("n{number}:")
            } else {
                String::new()
            };
            items.push(format!("{alias}{}", aggregate(dice, table)));
        }
        if depth < DEEPEST && dice.happens(25) {
            let way = dice.one(table.ways);
            if way.is_one || dice.happens(10) {
                let (item, _) = self.related(way, path, depth + 1, 9);
                items.push(item);
            }
        }
        for _ in 0..dice.below(2) {
            self.filter(table, path);
        }
        if let (true, false) = (dice.happens(50), keys.is_empty()) {
            let name = named(path, "order");
            let key = format!("{}{}", dice.one(&keys), direction(dice));
            self.add(&name, key);
        }
        if dice.happens(20) {
            let name = named(path, "limit");
            self.add(&name, dice.below(6).to_string());
        }
        items.join(",")
    }

    fn item(&self, table: &Table) -> String {
        let dice = self.dice;
        let (name, is) = dice.one(table.columns);
        let (field, is) = field(dice, name, is);
        let alias = if dice.happens(20) { "other:" } else { "" };
        let cast = if dice.happens(15) { cast(dice, is) } else { "" };
        format!("{alias}{field}{cast}")
    }

    /// Filters, order, limit and offset of a table.
    fn narrow(&mut self, table: &Table, path: &[String]) {
        let dice = self.dice;
        for _ in 0..dice.below(3) {
            self.filter(table, path);
        }
        if dice.happens(40) {
            let keys: Vec<String> = (0..=dice.below(3))
                .map(|_| format!("{}{}", order_key(dice, table), direction(dice)))
                .collect();
            self.add(&named(path, "order"), keys.join(","));
        }
        if dice.happens(30) {
            let limit = dice.one(&[
                "0", "1", "1", "3", "3", "10", "10", "25", "25", "40", "1000",
            ]);
            let odd = dice.one(&["1001", "-1", "x", "", "1.5", "99999999999999999999"]);
            let limit = if dice.happens(4) { odd } else { limit };
            self.add(&named(path, "limit"), limit.to_owned());
        }
        if dice.happens(15) {
            let offset = dice.one(&[
                "0",
                "1",
                "1",
                "7",
                "7",
                "20",
                "200",
                "99999",
                "9223372036854775807",
            ]);
            self.add(&named(path, "offset"), offset.to_owned());
        }
    }

    /// Conditions on there being related rows, and orders by one related row.
    fn by_relations(&mut self, path: &[String], names: &[String], ones: &[(String, &Table)]) {
        let dice = self.dice;
        for name in names {
            if dice.happens(15) {
                let test = dice.one(&["is.null", "not.is.null", "is.not_null", "not.is.not_null"]);
                match dice.happens(70) {
                    true => self.add(&named(path, name), test.to_owned()),
                    false => {
                        let tree = format!("({name}.{test},{name}.{test})");
                        self.add(&named(path, "or"), tree);
                    }
                }
            }
        }
        if let (true, Some((name, table))) = (dice.happens(30), ones.first()) {
            let key = format!("{name}({}){}", order_key(dice, table), direction(dice));
            self.add(&named(path, "order"), key);
        }
    }

    fn filter(&mut self, table: &Table, path: &[String]) {
        let dice = self.dice;
        if dice.happens(25) {
            let word = dice.one(&["and", "or", "or", "not.and", "not.or"]);
            let tree = tree(dice, table, 2);
            self.add(&named(path, word), tree);
            return;
        }
        let (name, is) = dice.one(table.columns);
        let (field, is) = field(dice, name, is);
        let operation = operation(dice, is, false);
        self.add(&named(path, &field), operation);
    }
}

fn named(path: &[String], name: &str) -> String {
    match path {
        [] => name.to_owned(),
        path => format!("{}.{name}", path.join(".")),
    }
}

fn direction(dice: &Dice) -> &'static str {
    dice.one(&[
        "",
        "",
        ".asc",
        ".desc",
        ".desc",
        ".nullsfirst",
        ".nullslast",
        ".desc.nullslast",
        ".asc.nullsfirst",
        ".desc.nullsfirst",
    ])
}

/// A column or a part of one, and what that is.
fn field(dice: &Dice, name: &str, is: Is) -> (String, Is) {
    if is != Is::Json || dice.happens(30) {
        return (name.to_owned(), is);
    }
    let step = |_| match dice.happens(25) {
        true => dice.one(&["0", "1", "-1", "2", "-9"]).to_owned(),
        false => match dice.one(&MEMBERS) {
            "0" => String::from("\"0\""),
            other => other.to_owned(),
        },
    };
    let steps: Vec<String> = (0..=dice.below(2)).map(step).collect();
    let (last, before) = steps.split_last().expect("a step at least");
    let before = before
        .iter()
        .fold(String::new(), |way, step| way + "->" + step);
    match dice.happens(55) {
        true => (format!("{name}{before}->>{last}"), Is::Text),
        false => (format!("{name}{before}->{last}"), Is::Json),
    }
}

/// `column.sum()`, mostly of a column that has one.
fn aggregate(dice: &Dice, table: &Table) -> String {
    let fits = |function: &str, is: Is| match function {
        "sum" | "avg" => matches!(is, Is::Whole | Is::Big | Is::Decimal | Is::Float),
        "min" | "max" => !matches!(is, Is::Flag | Is::Id | Is::Bytes | Is::Json),
        _ => true,
    };
    let function = dice.one(&["count", "count", "sum", "avg", "min", "max", "max"]);
    let columns = table.columns.iter().filter(|(_, is)| fits(function, *is));
    let columns: Vec<_> = columns.map(|(name, _)| *name).collect();
    let name = match columns.is_empty() || dice.happens(3) {
        true => dice.one(table.columns).0,
        false => dice.one(&columns),
    };
    match dice.below(8) {
        0 | 1 => String::from("count()"),
        2 => format!("{name}.{function}()::text"),
        _ => format!("{name}.{function}()"),
    }
}

/// A key of an order, mostly one that has an order.
fn order_key(dice: &Dice, table: &Table) -> String {
    let (name, is) = dice.one(table.columns);
    let (key, is) = field(dice, name, is);
    match is == Is::Json && dice.happens(95) {
        true => format!("{name}->>a"),
        false => key,
    }
}

fn cast(dice: &Dice, is: Is) -> &'static str {
    let fitting: &[&str] = match is {
        Is::Whole | Is::Big => &["::text", "::float", "::numeric", "::bigint"],
        Is::Decimal => &["::text", "::float", "::int", "::numeric"],
        Is::Float => &["::text", "::int", "::numeric"],
        Is::Flag => &["::text", "::int"],
        Is::Moment => &["::text", "::date", "::time"],
        Is::Date => &["::text", "::timestamptz"],
        Is::Text | Is::Time | Is::Id | Is::Bytes | Is::Json => &["::text"],
    };
    match dice.happens(95) {
        true => dice.one(fitting),
        false => dice.one(&[
            "::uuid",
            "::json",
            "::smallint",
            "::time",
            "::bool",
            "::geometry",
        ]),
    }
}

/// `(a.eq.1,not.or(…))`
fn tree(dice: &Dice, table: &Table, depth: usize) -> String {
    let condition = |_| {
        if depth > 0 && dice.happens(25) {
            let word = dice.one(&["and", "or", "not.and", "not.or"]);
            return format!("{word}{}", tree(dice, table, depth - 1));
        }
        let (name, is) = dice.one(table.columns);
        let (field, is) = field(dice, name, is);
        format!("{field}.{}", operation(dice, is, true))
    };
    let conditions: Vec<String> = (0..=dice.below(3)).map(condition).collect();
    format!("({})", conditions.join(","))
}
