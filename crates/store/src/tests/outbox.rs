//! Facts about deliveries: leased by one, done once, given up and taken up again.

use std::time::Duration;

use sql::DbError;
use uuid::Uuid;

use super::engines::every_engine;
use crate::Store;
use crate::deliveries::{self, After, Delivery};

const LEASE: Duration = Duration::from_secs(15);
const TARGET: &str = "hooks/login.sql";

async fn one(store: &Store) -> Delivery {
    let step = deliveries::insert_step(store, Uuid::nil(), "login", TARGET, "{\"a\": \"😀'\"}");
    store.db.write(vec![step]).await.unwrap();
    let mut due = due(store).await;
    assert_eq!(due.len(), 1);
    due.remove(0)
}

async fn due(store: &Store) -> Vec<Delivery> {
    let targets = [TARGET.to_owned(), String::from("webhooks.none")];
    deliveries::due(store, &targets, 16).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_see_a_delivery_one_gets_it() {
    every_engine(async |store| {
        let seen = one(store).await;
        assert_eq!(seen.message, "{\"a\": \"😀'\"}");
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (store, seen) = (store.clone(), seen.clone());
                tokio::spawn(async move { deliveries::lease(&store, seen, LEASE).await.unwrap() })
            })
            .collect();
        let mut leased = Vec::new();
        for task in tasks {
            leased.extend(task.await.unwrap());
        }
        assert_eq!(leased.len(), 1);
        assert_eq!((leased[0].attempts, leased[0].version), (1, 1));
        assert!(due(store).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_overtaken_can_neither_finish_nor_fail_what_is_anothers() {
    every_engine(async |store| {
        let seen = one(store).await;
        let slow = deliveries::lease(store, seen, LEASE)
            .await
            .unwrap()
            .unwrap();
        store.clock.advance(LEASE);
        let again = due(store).await.remove(0);
        let quick = deliveries::lease(store, again, LEASE)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(quick.attempts, 2);
        let late = deliveries::failed(store, &slow, "late", After::Dead).await;
        assert!(!late.unwrap());
        let late = store
            .db
            .write(vec![deliveries::done_step(store, &slow)])
            .await;
        assert!(
            matches!(
                late,
                Err(DbError::Unexpected {
                    step: 0,
                    affected: 0
                })
            ),
            "{late:?}"
        );
        store
            .db
            .write(vec![deliveries::done_step(store, &quick)])
            .await
            .unwrap();
        assert!(deliveries::standing(store).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_waits_until_it_is_taken_up_again() {
    every_engine(async |store| {
        let seen = one(store).await;
        assert!(!deliveries::retry_one(store, seen.id).await.unwrap());
        let leased = deliveries::lease(store, seen, LEASE)
            .await
            .unwrap()
            .unwrap();
        let long = "x".repeat(600);
        assert!(
            deliveries::failed(store, &leased, &long, After::Dead)
                .await
                .unwrap()
        );
        store.clock.advance(Duration::from_hours(1000));
        assert!(due(store).await.is_empty());
        let standing = deliveries::standing(store).await.unwrap();
        assert_eq!((standing[0].waiting, standing[0].dead), (0, 1));
        let listed = deliveries::failures(store, 10).await.unwrap();
        assert_eq!(listed[0].last_error.as_deref().map(str::len), Some(500));

        assert_eq!(deliveries::retry_all(store).await.unwrap(), 1);
        assert_eq!(deliveries::retry_all(store).await.unwrap(), 0);
        let again = due(store).await.remove(0);
        assert_eq!((again.attempts, again.dead_at), (0, None));
        let leased = deliveries::lease(store, again, LEASE)
            .await
            .unwrap()
            .unwrap();
        assert!(!deliveries::retry_one(store, leased.id).await.unwrap());
        let later = store.clock.now() + jiff::SignedDuration::from_secs(60);
        let after = After::RetryAt(later);
        assert!(
            deliveries::failed(store, &leased, "no", after)
                .await
                .unwrap()
        );
        assert!(due(store).await.is_empty());
        assert!(deliveries::retry_one(store, leased.id).await.unwrap());
        assert_eq!(due(store).await.len(), 1);
    })
    .await;
}
