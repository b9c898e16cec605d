//! Facts about mails and the audit log.

use std::time::Duration;

use credentials::EmailAddress;
use stdx::Secret;
use uuid::Uuid;

use super::engines::{every_engine, master};
use crate::Store;
use crate::audit::{self, Act, Actor, Entry, Filter, Target};
use crate::deliveries::After;
use crate::mails::{self, Mail, NewMail};

const LEASE: Duration = Duration::from_secs(40);

async fn one(store: &Store) -> Mail {
    let mailbox = EmailAddress::parse("ada@example.org").unwrap();
    let mail = NewMail {
        mailbox: &mailbox,
        template: "reset",
        language: "nl",
        content: Secret::new(String::from("{\"link\": \"😀'\"}")),
    };
    let step = mails::insert_step(store, &master().mail_key(), &mail);
    store.db.write(vec![step]).await.unwrap();
    let mut due = mails::due(store, 16).await.unwrap();
    assert_eq!(due.len(), 1);
    due.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_see_a_mail_one_sends_it() {
    every_engine(async |store| {
        let seen = one(store).await;
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (store, seen) = (store.clone(), seen.clone());
                tokio::spawn(async move { mails::lease(&store, seen, LEASE).await.unwrap() })
            })
            .collect();
        let mut leased = Vec::new();
        for task in tasks {
            leased.extend(task.await.unwrap());
        }
        assert_eq!(leased.len(), 1);
        assert!(mails::due(store, 16).await.unwrap().is_empty());
        // Who is overtaken can settle nothing.
        store.clock.advance(LEASE);
        let again = mails::due(store, 16).await.unwrap().remove(0);
        let quick = mails::lease(store, again, LEASE).await.unwrap().unwrap();
        assert_eq!(quick.attempts, 2);
        assert!(!mails::done(store, &leased[0]).await.unwrap());
        let late = mails::failed(store, &leased[0], "late", After::Dead).await;
        assert!(!late.unwrap());
        assert!(mails::done(store, &quick).await.unwrap());
        store.clock.advance(LEASE);
        assert!(mails::due(store, 16).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mail_says_lies_sealed_and_what_failed_is_kept_for_a_month() {
    every_engine(async |store| {
        let mail = one(store).await;
        let opened = mail.open(&master().mail_key()).unwrap();
        assert_eq!(opened.expose(), "{\"link\": \"😀'\"}".as_bytes());
        let mut other = mail.clone();
        other.id = Uuid::nil();
        assert!(
            other.open(&master().mail_key()).is_none(),
            "moved to another row"
        );
        let leased = mails::lease(store, mail, LEASE).await.unwrap().unwrap();
        let then = store.clock.now() + Duration::from_mins(1);
        let noted = mails::failed(store, &leased, "x", After::RetryAt(then)).await;
        assert!(noted.unwrap());
        assert!(mails::due(store, 16).await.unwrap().is_empty());
        store.clock.advance(Duration::from_mins(1));
        let again = mails::due(store, 16).await.unwrap().remove(0);
        let again = mails::lease(store, again, LEASE).await.unwrap().unwrap();
        assert!(
            mails::failed(store, &again, "y", After::Dead)
                .await
                .unwrap()
        );
        let dead = mails::failures(store, 9).await.unwrap();
        assert_eq!(dead[0].last_error.as_deref(), Some("y"));
        assert!(dead[0].dead_at.is_some());
        assert_eq!(mails::purge(store).await.unwrap(), 0);
        store.clock.advance(Duration::from_hours(24 * 31));
        assert_eq!(mails::purge(store).await.unwrap(), 1);
    })
    .await;
}

/// Four acts, a second apart.
async fn act(store: &Store, ada: Uuid, bob: Uuid) {
    let acts = [
        (Act::UserRegistered, Actor::Anonymous, Some(ada), "ada@x.nl"),
        (
            Act::PasswordChanged,
            Actor::User(bob, String::from("b")),
            Some(ada),
            "ada@x.nl",
        ),
        (Act::UserDeleted, Actor::Shell, Some(bob), "bob@x.nl"),
        (Act::ResetRequested, Actor::Anonymous, None, "ada@x.nl"),
    ];
    for (act, actor, id, name) in acts {
        let entry = Entry {
            act,
            actor,
            target: Target {
                id,
                name: Some(name.to_owned()),
            },
            address: Some(String::from("::1")),
            request_id: Some(String::from("r-1")),
            details: Some(String::from("{\"a\":1}")),
        };
        let step = audit::insert_step(store, &entry);
        store.db.write(vec![step]).await.unwrap();
        store.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_are_found_by_whom_what_and_when() {
    every_engine(async |store| {
        let (ada, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        act(store, ada, bob).await;
        let found = async |filter: Filter| {
            let lines = audit::list(store, &filter, 9).await.unwrap();
            lines
                .into_iter()
                .map(|line| line.act)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let all = "user_registered password_changed user_deleted reset_requested";
        assert_eq!(found(Filter::default()).await, all);
        let user = Some(bob);
        let of_bob = found(Filter {
            user,
            ..Filter::default()
        })
        .await;
        assert_eq!(of_bob, "password_changed user_deleted");
        let name = Some(String::from("ada@x.nl"));
        let to_ada = found(Filter {
            name,
            user: Some(ada),
            ..Filter::default()
        })
        .await;
        assert_eq!(to_ada, "user_registered password_changed reset_requested");
        let act = Some(Act::UserDeleted);
        assert_eq!(
            found(Filter {
                act,
                ..Filter::default()
            })
            .await,
            "user_deleted"
        );
        let since = Some(store.clock.now() - Duration::from_millis(1500));
        assert_eq!(
            found(Filter {
                since,
                ..Filter::default()
            })
            .await,
            "reset_requested"
        );
        let last = audit::list(store, &Filter::default(), 1).await.unwrap();
        assert_eq!(
            (last[0].actor.as_str(), last[0].actor_id),
            ("anonymous", None)
        );
        assert_eq!(Act::of_name(&last[0].act), Some(Act::ResetRequested));
    })
    .await;
}
