//! Rows to ask for, many and odd, put in over HTTP: what goes in is answered alike, too.

use serde_json::{Map, Value as Json, json};

use super::shape::{FILMS, Is, TABLES, member};
use crate::access::Dice;

/// Rows of each table, in the order of [`TABLES`].
const COUNTS: [usize; 7] = [30, 400, 200, 60, 500, 25, 300];

/// A body for each table, in an order that foreign keys allow.
pub(super) fn bodies(dice: &Dice) -> Vec<(&'static str, Json)> {
    let places = [0, FILMS, 2, 3, 4, 5, 6];
    let mut competitions = Vec::new();
    let mut bodies = Vec::new();
    for place in places {
        let mut rows: Vec<Json> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        for number in 1..=COUNTS[place] {
            let row = row(dice, place, number, &competitions);
            let key = match place {
                4 => format!("{} {}", row["film_id"], row["actor_id"]),
                5 => format!("{} {}", row["name"], row["year"]),
                _ => number.to_string(),
            };
            if !keys.contains(&key) {
                keys.push(key);
                rows.push(Json::Object(row));
            }
        }
        if place == 5 {
            competitions.clone_from(&rows);
        }
        bodies.push((TABLES[place].name, Json::Array(rows)));
    }
    bodies
}

fn row(dice: &Dice, place: usize, number: usize, competitions: &[Json]) -> Map<String, Json> {
    let below = |end: usize| json!(1 + dice.below(end));
    let mut row = Map::new();
    for (name, is) in TABLES[place].columns {
        let value = match (place, *name) {
            (_, "id") => json!(number),
            (2, "film_id") => json!(number * 2),
            (_, "director_id") => below(COUNTS[0]),
            (_, "producer_id") if dice.happens(60) => below(COUNTS[0]),
            (_, "sequel_to") if number > 1 && dice.happens(30) => below(number - 1),
            (_, "producer_id" | "sequel_to") => Json::Null,
            (_, "film_id") => below(COUNTS[FILMS]),
            (_, "actor_id") => below(COUNTS[3]),
            (3, "name") => json!(format!("{} {number}", name_of(dice))),
            (6, "competition" | "year") => continue,
            (_, "tags") => tags(dice),
            (_, "summary") => json!(super::shape::sentence(dice)),
            (_, "language") if dice.happens(70) => json!(dice.one(&["French", "english", "é"])),
            (_, "title" | "first_name" | "last_name" | "name") => member(dice, Is::Text),
            (_, "released" | "year" | "runtime") => member(dice, *is),
            _ if dice.happens(25) => Json::Null,
            (_, "language") => json!(name_of(dice)),
            _ => member(dice, *is),
        };
        row.insert((*name).to_owned(), value);
    }
    if place == 6 {
        let competition = dice.one(competitions);
        row.insert(String::from("competition"), competition["name"].clone());
        row.insert(String::from("year"), competition["year"].clone());
    }
    row
}

/// A text of at most twenty characters.
fn name_of(dice: &Dice) -> String {
    dice.one(&super::shape::TEXTS).chars().take(20).collect()
}

fn tags(dice: &Dice) -> Json {
    let tag = |_| match dice.happens(85) {
        true => json!(dice.one(&["drama", "action", "music", "a", "é", "1"])),
        false => json!(dice.below(3)),
    };
    Json::Array((0..dice.below(4)).map(tag).collect())
}
