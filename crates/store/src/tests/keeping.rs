//! Facts about roles, settings and signing keys.

use std::collections::HashSet;
use std::time::Duration;

use credentials::{MasterKey, Password, hash};
use oauth::{Algorithm, Expectations, decode_access_token, encode_access_token};
use schema::{Catalog, CatalogKind};
use sql::Ident;

use super::engines::{QUICK, every_engine, master};
use crate::users::{self, NewUser};
use crate::{Store, StoreError, roles, settings, signing_keys};

async fn somebody(store: &Store) -> uuid::Uuid {
    let email = credentials::EmailAddress::parse("a@x.nl").unwrap();
    let user = NewUser::new(store, email);
    let password = Password::new("correct horse".to_owned()).unwrap();
    let hash = hash(&password, &master().pepper(1), QUICK, &store.rng).unwrap();
    let unit = users::insert_steps(store, &user, &hash);
    store.db.write(unit).await.unwrap();
    user.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_held_until_it_expires_or_is_taken_away() {
    every_engine(async |store| {
        let user = somebody(store).await;
        let soon = store.clock.now() + jiff::SignedDuration::from_secs(60);
        let (editor, member) = (Ident::of("editor"), Ident::of("member"));
        let mut unit = roles::grant_role_steps(store, user, &member, None);
        unit.extend(roles::grant_role_steps(store, user, &editor, Some(soon)));
        store.db.write(unit).await.unwrap();
        assert_eq!(
            roles::roles_of(store, user).await.unwrap(),
            ["editor", "member"]
        );

        store.clock.advance(Duration::from_mins(1));
        assert_eq!(roles::roles_of(store, user).await.unwrap(), ["member"]);

        let unit = roles::grant_role_steps(store, user, &editor, None);
        store.db.write(unit).await.unwrap();
        let unit = roles::revoke_role_steps(store, user, &member);
        store.db.write(unit.clone()).await.unwrap();
        store.db.write(unit).await.unwrap();
        assert_eq!(roles::roles_of(store, user).await.unwrap(), ["editor"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_what_was_last_set() {
    every_engine(async |store| {
        assert_eq!(settings::get(store, "pepper").await.unwrap(), None);
        for value in ["1", "2 😀 ' \\", ""] {
            let unit = settings::set_steps(store, "pepper", value);
            store.db.write(unit).await.unwrap();
            let read = settings::get(store, "pepper").await.unwrap();
            assert_eq!(read.as_deref(), Some(value));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_processes_that_start_at_once_share_one_key() {
    every_engine(async |store| {
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let seal = master().key_encryption_key();
                    let keys = signing_keys::load_or_create(&store, &seal).await.unwrap();
                    keys.current.kid().to_owned()
                })
            })
            .collect();
        let mut names = HashSet::new();
        for task in tasks {
            names.insert(task.await.unwrap());
        }
        assert_eq!(names.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_key_is_told_and_changes_nothing() {
    every_engine(async |store| {
        let seal = master().key_encryption_key();
        let keys = signing_keys::load_or_create(store, &seal).await.unwrap();
        let other = MasterKey::parse(MasterKey::generate(&store.rng).expose()).unwrap();
        let error = signing_keys::load_or_create(store, &other.key_encryption_key())
            .await
            .unwrap_err();
        let kid = keys.current.kid().to_owned();
        assert_eq!(error, StoreError::SecretKeyMismatch { kid: kid.clone() });
        assert!(
            error
                .to_string()
                .contains("SECRET_KEY does not match this database")
        );
        let again = signing_keys::load(store, &seal).await.unwrap().unwrap();
        assert_eq!(again.current.kid(), kid);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_key_verifies_until_its_tokens_are_dead() {
    every_engine(async |store| {
        let seal = master().key_encryption_key();
        let old = signing_keys::load_or_create(store, &seal).await.unwrap();
        let token = encode_access_token(&claims(store), &old.current).unwrap();
        let new = signing_keys::rotate(store, &seal, Algorithm::EdDsa, old.current.kid())
            .await
            .unwrap();
        assert_ne!(new.current.kid(), old.current.kid());
        let expectations = Expectations {
            issuer: "issuer".to_owned(),
            audience: "audience".to_owned(),
            leeway: Duration::ZERO,
        };
        let now = store.clock.now();
        assert!(decode_access_token(&token, &new.verifying, &expectations, now).is_ok());
        // A second rotation of the same old key finds the first one's.
        let same = signing_keys::rotate(store, &seal, Algorithm::EdDsa, old.current.kid())
            .await
            .unwrap();
        assert_eq!(same.current.kid(), new.current.kid());

        store.clock.advance(Duration::from_secs(3661));
        let later = signing_keys::load(store, &seal).await.unwrap().unwrap();
        assert_eq!(later.verifying.iter().count(), 1);
        assert!(later.verifying.get(old.current.kid()).is_none());
    })
    .await;
}

fn claims(store: &Store) -> oauth::AccessTokenClaims {
    let now = store.clock.now().as_second();
    oauth::AccessTokenClaims {
        iss: "issuer".to_owned(),
        sub: "subject".to_owned(),
        aud: "audience".to_owned(),
        client_id: "client".to_owned(),
        scope: None,
        roles: Vec::new(),
        iat: now,
        exp: now + 900,
        nbf: None,
        jti: "1".to_owned(),
        auth_time: None,
        acr: None,
        epoch: None,
        extra: serde_json::Map::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_write_is_told_so_and_nothing_is_written() {
    every_engine(async |store| {
        let own = crate::system_schema();
        let catalog = Catalog::from_sources(&own, CatalogKind::System).unwrap();
        let before = testkit::dump(&store.db).await;
        let read_only = crate::access::is_read_only(&store.db, &catalog).await;
        assert!(!read_only.unwrap());
        assert_eq!(testkit::dump(&store.db).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_lent_stays_in_its_process() {
    every_engine(async |store| {
        let seal = master().key_encryption_key();
        let lent = signing_keys::load_or_lend(store, &seal).await.unwrap();
        assert!(signing_keys::load(store, &seal).await.unwrap().is_none());
        let kept = signing_keys::load_or_create(store, &seal).await.unwrap();
        assert_ne!(lent.current.kid(), kept.current.kid());
        let again = signing_keys::load_or_lend(store, &seal).await.unwrap();
        assert_eq!(again.current.kid(), kept.current.kid());
    })
    .await;
}
