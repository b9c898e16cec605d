//! The films schema as the generators know it: tables, types, ways from one to another, and values
//! that columns hold and requests ask for.

use crate::access::Dice;

/// A column's type, as far as operators and values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Whole,
    Big,
    Decimal,
    Float,
    Text,
    Flag,
    Moment,
    Date,
    Time,
    Id,
    Bytes,
    Json,
}

/// A relation as `select` names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// `directors!director_id`
    pub(super) name: &'static str,
    /// The place of its table in [`TABLES`].
    pub(super) to: usize,
    /// Whether one row at most is related.
    pub(super) is_one: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) key: &'static [&'static str],
    pub(super) columns: &'static [(&'static str, Is)],
    pub(super) ways: &'static [Way],
}

const fn one(name: &'static str, to: usize) -> Way {
    Way {
        name,
        to,
        is_one: true,
    }
}

const fn many(name: &'static str, to: usize) -> Way {
    Way {
        name,
        to,
        is_one: false,
    }
}

/// The place of `films`, of which most is asked.
pub(super) const FILMS: usize = 1;

pub(super) const TABLES: [Table; 7] = [
    Table {
        name: "directors",
        key: &["id"],
        columns: &[
            ("id", Is::Whole),
            ("first_name", Is::Text),
            ("last_name", Is::Text),
            ("born", Is::Date),
        ],
        ways: &[many("films!director_id", 1), many("films!producer_id", 1)],
    },
    Table {
        name: "films",
        key: &["id"],
        columns: &[
            ("id", Is::Whole),
            ("title", Is::Text),
            ("director_id", Is::Whole),
            ("producer_id", Is::Whole),
            ("year", Is::Whole),
            ("language", Is::Text),
            ("rating", Is::Decimal),
            ("budget", Is::Big),
            ("score", Is::Float),
            ("released", Is::Flag),
            ("shown_at", Is::Moment),
            ("starts", Is::Time),
            ("token", Is::Id),
            ("sleeve", Is::Bytes),
            ("info", Is::Json),
            ("tags", Is::Json),
            ("summary", Is::Text),
            ("sequel_to", Is::Whole),
        ],
        ways: &[
            one("directors!director_id", 0),
            one("directors!producer_id", 0),
            one("technical_specs", 2),
            many("roles_played", 4),
            many("actors", 3),
            many("actors!roles_played", 3),
            many("nominations", 6),
            one("sequel_to", 1),
            many("films", 1),
        ],
    },
    Table {
        name: "technical_specs",
        key: &["film_id"],
        columns: &[
            ("film_id", Is::Whole),
            ("runtime", Is::Whole),
            ("camera", Is::Text),
        ],
        ways: &[one("films", 1)],
    },
    Table {
        name: "actors",
        key: &["id"],
        columns: &[("id", Is::Whole), ("name", Is::Text)],
        ways: &[many("roles_played", 4), many("films", 1)],
    },
    Table {
        name: "roles_played",
        key: &["film_id", "actor_id"],
        columns: &[
            ("film_id", Is::Whole),
            ("actor_id", Is::Whole),
            ("character", Is::Text),
        ],
        ways: &[one("films", 1), one("actors", 3)],
    },
    Table {
        name: "competitions",
        key: &["name", "year"],
        columns: &[("name", Is::Text), ("year", Is::Whole)],
        ways: &[many("nominations", 6)],
    },
    Table {
        name: "nominations",
        key: &["id"],
        columns: &[
            ("id", Is::Whole),
            ("competition", Is::Text),
            ("year", Is::Whole),
            ("film_id", Is::Whole),
            ("rank", Is::Whole),
        ],
        ways: &[one("competitions", 5), one("films", 1)],
    },
];

/// Texts that engines, quoting or comparing could treat differently.
pub(super) const TEXTS: [&str; 40] = [
    "",
    " ",
    "a",
    "A",
    "á",
    "Á",
    "a ",
    " a",
    "ab",
    "aB",
    "b",
    "z",
    "Z",
    "ß",
    "SS",
    "Straße",
    "STRASSE",
    "İstanbul",
    "ΣΊΣΥΦΟΣ",
    "ﬁne",
    "日本",
    "\u{1f600}",
    "\u{1f600} film",
    "e\u{301}",
    "é",
    "100%",
    "50_50",
    "back\\slash",
    "O'Hara",
    "\"quoted\"",
    "(a,b)",
    "{a,b}",
    "a.b,c",
    "null",
    "NULL",
    "true",
    "0",
    "12",
    "line\nbreak",
    "tab\there; drop table films --",
];

pub(super) const WORDS: [&str; 12] = [
    "samurai", "village", "Paris", "two", "Two", "été", "ÉTÉ", "7", "x1", "don't", "co-op", "日本",
];

const MOMENTS: [&str; 7] = [
    "0001-01-01T00:00:00Z",
    "9999-12-30T21:59:59.999999Z",
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "2000-02-29T12:00:00.5Z",
    "1954-04-26T12:30:00+02:00",
    "2026-03-29T01:30:00Z",
];

/// A value as a body holds it and an answer shows it, without quotes.
pub(super) fn value(dice: &Dice, is: Is) -> String {
    let odd = dice.happens(25);
    let list: &[&str] = match is {
        Is::Whole if odd => &["0", "-1", "32767", "-32768", "1975"],
        Is::Whole => return (1 + dice.below(40)).to_string(),
        Is::Big => &[
            "0",
            "1",
            "-1",
            "9007199254740991",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775807",
            "-9223372036854775808",
            "839727",
            "120000",
        ],
        Is::Decimal => &[
            "0", "0.0", "-0.1", "9.9", "10.0", "10", "8.5", "7.7", "99.9", "-99.9", "2",
        ],
        Is::Float => &[
            "0",
            "0.5",
            "-2",
            "1.25",
            "100",
            "0.1",
            "1e21",
            "1e-7",
            "123456789.125",
            "-0.3333333333333333",
            "5e-324",
            "1e300",
        ],
        Is::Text if dice.happens(15) => return sentence(dice),
        Is::Text => return dice.one(&TEXTS).to_owned(),
        Is::Flag => &["true", "false"],
        Is::Moment => &MOMENTS,
        Is::Date => &[
            "0001-01-01",
            "9999-12-31",
            "1582-10-10",
            "1900-02-28",
            "2000-02-29",
            "1928-05-30",
        ],
        Is::Time => &[
            "00:00:00",
            "23:59:59.999999",
            "20:00:00",
            "10:30:00.5",
            "12:00",
        ],
        // MariaDB has an order of its own for versions 1 to 5 (docs/data-api.md), so none is here.
        Is::Id => &[
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "0193a000-0000-7000-8000-000000000001",
            "0193A000-0000-7000-8000-00000000000A",
            "80000000-0000-7000-8000-000000000000",
        ],
        Is::Bytes => &["", "AA==", "AAEC", "/w==", "/wD/", "YQ=="],
        Is::Json => return json(dice, 2),
    };
    dice.one(list).to_owned()
}

/// Words in a row.
pub(super) fn sentence(dice: &Dice) -> String {
    let words: Vec<&str> = (0..=dice.below(4)).map(|_| dice.one(&WORDS)).collect();
    words.join(dice.one(&[" ", " ", ", ", "-", "  "]))
}

/// Members of JSON objects, as rows hold and paths ask for.
pub(super) const MEMBERS: [&str; 8] = ["mood", "minutes", "cities", "a", "b c", "é", "n", "0"];

fn json(dice: &Dice, depth: usize) -> String {
    let quoted = |text: &str| serde_json::to_string(text).expect("a text");
    match dice.below(if depth > 0 { 9 } else { 6 }) {
        0 => String::from("null"),
        1 => dice.one(&["true", "false"]).to_owned(),
        2 | 3 => dice
            .one(&[
                "0",
                "1",
                "-7",
                "90",
                "119.5",
                "0.25",
                "9007199254740993",
                "9223372036854775807",
            ])
            .to_owned(),
        4 | 5 => quoted(dice.one(&TEXTS)),
        6 => {
            let items: Vec<String> = (0..dice.below(4)).map(|_| json(dice, depth - 1)).collect();
            format!("[{}]", items.join(","))
        }
        _ => {
            let mut members: Vec<&str> = MEMBERS.to_vec();
            members.retain(|_| dice.happens(35));
            let members = members.into_iter();
            let members = members.map(|name| format!("{}:{}", quoted(name), json(dice, depth - 1)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

/// A value as a member of a body.
pub(super) fn member(dice: &Dice, is: Is) -> serde_json::Value {
    let text = value(dice, is);
    match is {
        Is::Whole | Is::Flag | Is::Float | Is::Json => {
            serde_json::from_str(&text).expect("the value is JSON")
        }
        Is::Big if dice.happens(50) => serde_json::from_str(&text).expect("the value is JSON"),
        _ => serde_json::Value::String(text),
    }
}
