//! Writes: random bodies, keys, filters and preferences, most of them well formed.

use serde_json::{Map, Value as Json, json};

use super::operators::operation;
use super::shape::{FILMS, Is, TABLES, Table, member, value};
use super::stage::Ask;
use super::urls::{encode, joined, key};
use crate::access::Dice;

/// A random request that may change something.
pub(super) fn ask(dice: &Dice) -> Ask {
    let place = match dice.happens(35) {
        true => FILMS,
        false => dice.below(TABLES.len()),
    };
    let table = &TABLES[place];
    let mut headers = vec![("Prefer", prefer(dice))];
    if dice.happens(10) {
        let accept = dice.one(&[
            "text/csv",
            "application/vnd.pgrst.object+json",
            "application/vnd.pgrst.array+json;nulls=stripped",
        ]);
        headers.push(("Accept", accept.to_owned()));
    }
    let mut parameters = shown(dice, table);
    let by_key = dice.happens(35);
    let method = dice.one(&["POST", "POST", "POST", "PATCH", "PATCH", "PUT", "DELETE"]);
    let body = match method {
        "POST" => Some(inserted(dice, table, &mut headers, &mut parameters)),
        "PATCH" => Some(changed(dice, table)),
        "PUT" => Some(Json::Object(row(dice, table, 100)).to_string()),
        _ => None,
    };
    let by_key = match method {
        "POST" => false,
        "PUT" => dice.happens(95),
        _ => by_key,
    };
    if !by_key && method != "POST" {
        // MySQL and MariaDB look at foreign keys row by row, so that of rows that point to each
        // other none can be deleted (docs/data-api.md).
        let most = match method == "DELETE" && place == FILMS {
            true => 1,
            false => 3,
        };
        filters(dice, table, most, &mut parameters);
    }
    if body.is_some() && headers.iter().all(|(name, _)| *name != "Content-Type") {
        headers.push(("Content-Type", String::from("application/json")));
    }
    let path = match by_key {
        true => format!("{}/{}", table.name, key(dice, table)),
        false => table.name.to_owned(),
    };
    let query = joined(&parameters);
    let mark = if query.is_empty() { "" } else { "?" };
    Ask {
        method,
        url: format!("/api/{path}{mark}{query}"),
        headers,
        body,
    }
}

fn prefer(dice: &Dice) -> String {
    let mut words = vec![dice.one(&[
        "return=representation",
        "return=representation",
        "return=representation",
        "return=minimal",
        "return=headers-only",
    ])];
    for (chance, word) in [
        (12, "resolution=merge-duplicates"),
        (12, "resolution=ignore-duplicates"),
        (10, "missing=default"),
        (10, "tx=rollback"),
        (8, "max-affected=3"),
        (10, "handling=strict"),
        (5, "count=exact"),
        (3, "nonsense"),
    ] {
        if dice.happens(chance) {
            words.push(word);
        }
    }
    words.join(", ")
}

/// `select` and `order` of what is shown.
fn shown(dice: &Dice, table: &Table) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    if dice.happens(50) {
        let mut items: Vec<String> = (0..=dice.below(3))
            .map(|_| dice.one(table.columns).0.to_owned())
            .collect();
        if dice.happens(40) {
            let way = dice.one(table.ways);
            let (column, _) = dice.one(TABLES[way.to].columns);
            items.push(format!("{}({column})", way.name));
        }
        parameters.push((String::from("select"), items.join(",")));
    }
    if dice.happens(15) {
        let (name, _) = dice.one(table.columns);
        let order = format!("{name}{}", dice.one(&["", ".desc", ".nullsfirst"]));
        parameters.push((String::from("order"), order));
    }
    parameters
}

/// Filters that leave a few rows, as a rule.
fn filters(dice: &Dice, table: &Table, most: usize, parameters: &mut Vec<(String, String)>) {
    if dice.happens(97) {
        let (name, is) = (table.columns[0].0, table.columns[0].1);
        let values: Vec<String> = (0..=dice.below(most))
            .map(|_| format!("\"{}\"", escaped(&value(dice, is))))
            .collect();
        parameters.push((name.to_owned(), format!("in.({})", values.join(","))));
    }
    if dice.happens(40) {
        let (name, is) = dice.one(table.columns);
        parameters.push((name.to_owned(), operation(dice, is, false)));
    }
    if dice.happens(3) {
        parameters.push((String::from("limit"), String::from("1")));
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A row of a table; `percent`: how many of the columns that need not be there are.
fn row(dice: &Dice, table: &Table, percent: usize) -> Map<String, Json> {
    let mut row = Map::new();
    for (name, is) in table.columns {
        let needed = table.key.contains(name)
            || matches!(
                *name,
                "title" | "director_id" | "year" | "first_name" | "last_name" | "runtime" | "name"
            )
            || matches!(*name, "competition" | "film_id");
        if (needed && dice.happens(99)) || dice.happens(percent) {
            row.insert((*name).to_owned(), of_column(dice, name, *is));
        }
    }
    if dice.happens(2) {
        row.insert(String::from("nothing"), json!(1));
    }
    row
}

fn of_column(dice: &Dice, name: &str, is: Is) -> Json {
    let small = |end: usize| json!(1 + dice.below(end));
    match name {
        "director_id" => small(31),
        "id" if dice.happens(60) => json!(400 + dice.below(60)),
        "film_id" if dice.happens(95) => small(400),
        "actor_id" if dice.happens(95) => small(60),
        "rating" if dice.happens(80) => json!(dice.one(&["9.9", "0.5", "-99.9"])),
        "released" | "tags" | "summary" | "title" | "year" | "runtime" => member(dice, is),
        _ if dice.happens(15) => Json::Null,
        _ if dice.happens(2) => json!({"a": [1]}),
        _ => member(dice, is),
    }
}

/// The body of an insert: JSON, lines or a form.
fn inserted(
    dice: &Dice,
    table: &Table,
    headers: &mut Vec<(&'static str, String)>,
    parameters: &mut Vec<(String, String)>,
) -> String {
    let percent = dice.one(&[0, 30, 100]);
    let first = row(dice, table, percent);
    if dice.happens(10) {
        let (name, _) = dice.one(table.columns);
        let names: Vec<&str> = table.key.iter().copied().chain([name]).collect();
        parameters.push((String::from("on_conflict"), table.key.join(",")));
        if dice.happens(30) {
            parameters.push((String::from("columns"), names.join(",")));
        }
    }
    let plain = |json: &Json| match json {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    };
    match dice.below(20) {
        0 => {
            headers.push(("Content-Type", String::from("text/csv")));
            let names: Vec<&str> = first.keys().map(String::as_str).collect();
            let cell = |json: &Json| format!("\"{}\"", plain(json).replace('"', "\"\""));
            let cells: Vec<String> = first.values().map(cell).collect();
            format!("{}\n{}\n", names.join(","), cells.join(","))
        }
        1 => {
            let form = String::from("application/x-www-form-urlencoded");
            headers.push(("Content-Type", form));
            let pairs = first.iter();
            let pairs = pairs.map(|(name, json)| format!("{name}={}", encode(&plain(json))));
            pairs.collect::<Vec<_>>().join("&")
        }
        2 => broken(dice, &Json::Object(first).to_string()),
        3..10 => Json::Object(first).to_string(),
        _ => {
            // Every row has the same members.
            let rows = (0..dice.below(5)).map(|_| {
                let mut other = row(dice, table, 100);
                other.retain(|name, _| first.contains_key(name));
                for name in first.keys() {
                    let value = other.get(name).cloned().unwrap_or(Json::Null);
                    other.insert(name.clone(), value);
                }
                Json::Object(other)
            });
            Json::Array(rows.collect()).to_string()
        }
    }
}

fn changed(dice: &Dice, table: &Table) -> String {
    let mut body = Map::new();
    for _ in 0..=dice.below(3) {
        let (name, is) = dice.one(table.columns);
        if table.key.contains(&name) && dice.happens(90) {
            continue;
        }
        body.insert(name.to_owned(), of_column(dice, name, is));
    }
    match dice.happens(3) {
        true => broken(dice, &Json::Object(body).to_string()),
        false => Json::Object(body).to_string(),
    }
}

/// A body that ends too early.
fn broken(dice: &Dice, text: &str) -> String {
    let length = text.chars().count();
    text.chars().take(dice.below(length + 1)).collect()
}
