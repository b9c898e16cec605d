//! Random writes: the same answers from every engine, and the same rows afterwards.

use std::collections::BTreeMap;

use super::changes;
use super::shape::TABLES;
use super::stage::{Ask, Stage};
use crate::access::{Dice, number};

/// Writes of an ordinary run; `PILASTER_WRITES` asks for more, `PILASTER_URL_SEED` for others.
const WRITES: u64 = 300;

/// Writes between two looks at all rows.
const TOGETHER: u64 = 25;

/// All rows of all tables are the same.
async fn compare(stage: &Stage, context: &str) {
    for table in &TABLES {
        let all = Ask {
            method: "GET",
            url: format!(
                "/api/{}?limit=1000&order={}",
                table.name,
                table.key.join(",")
            ),
            headers: Vec::new(),
            body: None,
        };
        let (answers, wrong) = stage.ask(&all).await;
        assert_eq!(answers[0].status, 200, "{}", answers[0].text);
        assert_eq!(wrong, None, "{context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_write_does_the_same_on_every_engine() {
    let seed = number("PILASTER_URL_SEED").unwrap_or(1);
    let dice = Dice::new(seed);
    let stage = Stage::build(&dice).await;
    let count = number("PILASTER_WRITES").unwrap_or(WRITES);
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let mut since: Vec<String> = Vec::new();
    for place in 1..=count {
        let ask = changes::ask(&dice);
        let (answers, wrong) = stage.ask(&ask).await;
        *statuses.entry(answers[0].status).or_default() += 1;
        since.push(format!("{} {ask:?}", answers[0].status));
        if let Some(wrong) = wrong {
            panic!("PILASTER_URL_SEED={seed}, write {place}: {wrong}");
        }
        if place % TOGETHER == 0 || place == count {
            compare(&stage, &since.join("\n")).await;
            since.clear();
        }
    }
    eprintln!("{count} writes, seed {seed}: {statuses:?}");
    let good: usize = statuses
        .iter()
        .filter(|(status, _)| **status < 300)
        .map(|(_, count)| count)
        .sum();
    assert!(good as u64 * 3 > count, "too few succeed: {statuses:?}");
}
