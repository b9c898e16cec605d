//! Facts about moments, the same in the database, in memory and in Redis.

use std::time::Duration;

use super::engines::every_engine;
use crate::Store;
use crate::moments::{Moments, Purpose};

const LIFE: Duration = Duration::from_mins(1);

/// Runs `fact` in memory, in Redis where there is one, and in the database of each engine.
async fn everywhere(fact: impl AsyncFn(&Moments)) {
    every_engine(async |store| {
        fact(&Moments::in_database(store.clone())).await;
        if store.db.dialect() == sql::Dialect::Sqlite {
            fact(&Moments::in_memory(store)).await;
            if let Some(redis) = redis(store) {
                fact(&redis).await;
            }
        }
    })
    .await;
}

/// The Redis that the tests share, under names of our own.
fn redis(store: &Store) -> Option<Moments> {
    let url = testkit::tool("TEST_REDIS_URL")?;
    let own = u64::from_be_bytes(store.rng.bytes());
    let prefix = format!("pilaster-test-{own:016x}:");
    Some(Moments::in_redis(store, &url, &prefix).unwrap())
}

// req: SE-7
#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_takers_one_gets_it() {
    everywhere(async |moments| {
        let (purpose, name) = (Purpose::OpaqueLogin, "a name 😀");
        assert_eq!(moments.take(purpose, name).await.unwrap(), None);
        moments.put(purpose, name, "first", LIFE).await.unwrap();
        moments.put(purpose, name, "state '😀", LIFE).await.unwrap();
        let peeked = moments.peek(purpose, name).await.unwrap();
        assert_eq!(peeked.as_deref(), Some("state '😀"));
        let takers: Vec<_> = (0..100)
            .map(|_| {
                let moments = moments.clone();
                tokio::spawn(async move { moments.take(purpose, name).await.unwrap() })
            })
            .collect();
        let mut taken = Vec::new();
        for taker in takers {
            taken.extend(taker.await.unwrap());
        }
        assert_eq!(taken, ["state '😀"]);
        assert_eq!(moments.peek(purpose, name).await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_of_one_purpose() {
    everywhere(async |moments| {
        let name = "the same";
        moments
            .put(Purpose::OpaqueLogin, name, "x", LIFE)
            .await
            .unwrap();
        for purpose in Purpose::ALL {
            let is_it = purpose == Purpose::OpaqueLogin;
            let peeked = moments.peek(purpose, name).await.unwrap();
            assert_eq!(peeked.is_some(), is_it, "{purpose:?}");
            if !is_it {
                assert_eq!(moments.take(purpose, name).await.unwrap(), None);
                moments.forget(purpose, name).await.unwrap();
            }
        }
        let left = moments.take(Purpose::OpaqueLogin, name).await.unwrap();
        assert_eq!(left.as_deref(), Some("x"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_counts_gets_a_number_of_his_own() {
    everywhere(async |moments| {
        let (purpose, name) = (Purpose::LoginAttempts, "ada@example.org");
        assert_eq!(moments.count(purpose, name).await.unwrap(), None);
        moments.count_down(purpose, name).await.unwrap();
        assert_eq!(moments.count(purpose, name).await.unwrap(), None);
        let counters: Vec<_> = (0..20)
            .map(|_| {
                let moments = moments.clone();
                tokio::spawn(async move { moments.count_up(purpose, name, LIFE).await.unwrap() })
            })
            .collect();
        let mut numbers = Vec::new();
        for counter in counters {
            numbers.push(counter.await.unwrap().number);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<u32>>());
        moments.count_down(purpose, name).await.unwrap();
        let count = moments.count(purpose, name).await.unwrap().unwrap();
        assert_eq!(count.number, 19);
        moments.forget(purpose, name).await.unwrap();
        assert_eq!(moments.count(purpose, name).await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_its_time_is_gone() {
    every_engine(async |store| {
        let places = [
            Moments::in_database(store.clone()),
            Moments::in_memory(store),
        ];
        let (purpose, counted) = (Purpose::PendingLogin, Purpose::FactorAttempts);
        for moments in &places {
            moments.put(purpose, "a", "x", LIFE).await.unwrap();
            moments.put(purpose, "b", "x", LIFE * 3).await.unwrap();
            moments.count_up(counted, "a", LIFE).await.unwrap();
        }
        store.clock.advance(LIFE);
        for moments in &places {
            assert_eq!(moments.take(purpose, "a").await.unwrap(), None);
            assert!(moments.peek(purpose, "b").await.unwrap().is_some());
            assert_eq!(moments.count(counted, "a").await.unwrap(), None);
            let again = moments.count_up(counted, "a", LIFE).await.unwrap();
            assert_eq!(again.number, 1);
            moments.put(purpose, "a", "y", LIFE).await.unwrap();
        }
        store.clock.advance(LIFE);
        for moments in &places {
            assert_eq!(moments.purge().await.unwrap(), 2);
            assert!(moments.take(purpose, "b").await.unwrap().is_some());
        }
    })
    .await;
}
