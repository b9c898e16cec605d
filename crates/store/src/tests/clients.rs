//! Facts about clients that registered themselves.

use std::time::Duration;

use credentials::token::{RegistrationToken, RegistrationUse};

use super::engines::every_engine;
use crate::clients::{self, ClientRecord};
use crate::{Store, client_invitations};

const LIFE: Duration = Duration::from_hours(24);
const NEARLY: Duration = Duration::from_secs(86_399);

fn record(store: &Store, id: &str, token: Option<&RegistrationToken>) -> ClientRecord {
    let now = store.clock.now();
    ClientRecord {
        id: id.to_owned(),
        metadata: String::from("{}"),
        secret: None,
        previous: None,
        is_first_party: false,
        role: None,
        registration: token.map(|token| token.hash(RegistrationUse::Manage)),
        used_at: None,
        created_at: now,
        updated_at: now,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_registered_and_is_not_used_is_found() {
    every_engine(async |store| {
        let token = RegistrationToken::generate(&store.rng);
        let added = [
            record(store, "operators", None),
            record(store, "used", Some(&token)),
            record(store, "unused", Some(&token)),
        ];
        let unit = added.iter().map(|one| clients::insert_step(store, one));
        store.db.write(unit.collect()).await.unwrap();
        store.clock.advance(NEARLY);
        clients::touch(store, "used").await.unwrap();
        assert!(clients::unused(store, LIFE).await.unwrap().is_empty());
        store.clock.advance(Duration::from_secs(1));
        assert_eq!(clients::unused(store, LIFE).await.unwrap(), ["unused"]);
        assert!(clients::delete(store, "unused").await.unwrap());
        assert!(!clients::delete(store, "unused").await.unwrap());
        store.clock.advance(LIFE);
        assert_eq!(clients::unused(store, LIFE).await.unwrap(), ["used"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_says_is_replaced_by_who_has_its_token_once() {
    every_engine(async |store| {
        let token = RegistrationToken::generate(&store.rng);
        let other = RegistrationToken::generate(&store.rng);
        let before = record(store, "one", Some(&token));
        let unit = vec![clients::insert_step(store, &before)];
        store.db.write(unit).await.unwrap();
        let mut after = record(store, "one", Some(&other));
        after.metadata = String::from("{\"client_name\": \"One\"}");
        let seen = token.hash(RegistrationUse::Manage);
        let unit = vec![clients::replace_step(store, &after, &seen)];
        store.db.write(unit.clone()).await.unwrap();
        store.db.write(unit).await.unwrap_err();
        let found = clients::find(store, "one").await.unwrap().unwrap();
        assert_eq!(found.metadata, after.metadata);
        let own = other.hash(RegistrationUse::Manage);
        assert!(found.registration.is_some_and(|hash| hash.is_same(&own)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_good_so_often_and_so_long() {
    every_engine(async |store| {
        let [one, late] = [(); 2].map(|()| {
            let token = RegistrationToken::generate(&store.rng);
            token.hash(RegistrationUse::Register)
        });
        let until = store.clock.now() + jiff::SignedDuration::from_secs(60);
        let unit = vec![
            client_invitations::insert_step(store, &one, 2, until),
            client_invitations::insert_step(store, &late, 9, until),
        ];
        store.db.write(unit).await.unwrap();
        let once = || {
            store
                .db
                .write(vec![client_invitations::use_step(store, &one)])
        };
        once().await.unwrap();
        once().await.unwrap();
        once().await.unwrap_err();
        assert_eq!(client_invitations::purge(store).await.unwrap(), 1);
        store.clock.advance(Duration::from_mins(1));
        let unit = vec![client_invitations::use_step(store, &late)];
        store.db.write(unit).await.unwrap_err();
        assert_eq!(client_invitations::purge(store).await.unwrap(), 1);
    })
    .await;
}
