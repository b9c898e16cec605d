//! Random reads: the same bytes from every engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::stage::{Ask, Seen, Stage, answer};
use super::urls;
use crate::access::{Dice, number};

/// URLs of an ordinary run; `PILASTER_URLS` asks for more, `PILASTER_URL_SEED` for others.
const URLS: u64 = 600;

/// Requests that are under way on all engines before the answers are compared.
const TOGETHER: usize = 100;

/// Differences that a failure shows.
const SHOWN: usize = 20;

/// The answers of every engine, in the order of the requests.
async fn answers(stage: &Stage, asks: &[Ask]) -> Vec<Vec<Seen>> {
    let asks: Arc<[Ask]> = asks.into();
    let servers = stage.apps.iter().map(|(_, app)| {
        let (app, asks) = (Arc::clone(app), Arc::clone(&asks));
        tokio::spawn(async move {
            let mut answers = Vec::with_capacity(asks.len());
            for ask in &*asks {
                answers.push(answer(&app, ask).await);
            }
            answers
        })
    });
    let answers = futures_util::future::join_all(servers).await;
    let answers = answers.into_iter();
    answers
        .map(|answers| answers.expect("the requests are sent"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_url_gives_the_same_answer_on_every_engine() {
    let seed = number("PILASTER_URL_SEED").unwrap_or(1);
    let dice = Dice::new(seed);
    let stage = Stage::build(&dice).await;
    let count = number("PILASTER_URLS").unwrap_or(URLS);
    let asks: Vec<Ask> = (0..count).map(|_| urls::ask(&dice)).collect();
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    for asks in asks.chunks(TOGETHER) {
        let answers = answers(&stage, asks).await;
        for (place, ask) in asks.iter().enumerate() {
            let answers: Vec<Seen> = answers.iter().map(|all| all[place].clone()).collect();
            *statuses.entry(answers[0].status).or_default() += 1;
            wrong.extend(stage.wrong(ask, &answers));
        }
    }
    eprintln!("{count} URLs, seed {seed}: {statuses:?}");
    let number = wrong.len();
    wrong.truncate(SHOWN);
    assert!(
        wrong.is_empty(),
        "PILASTER_URL_SEED={seed}, {number} differ:\n{}",
        wrong.join("\n\n")
    );
    let (good, bad): (Vec<_>, Vec<_>) = statuses.iter().partition(|(status, _)| **status < 300);
    let sum = |list: Vec<(&u16, &usize)>| list.into_iter().map(|(_, count)| count).sum::<usize>();
    let (good, bad) = (sum(good), sum(bad));
    assert!(
        good > bad && bad * 20 > good,
        "most URLs are right and some are wrong: {statuses:?}"
    );
}
