//! Facts about tickets and invitations: each is good for one purpose, one owner, one use.

use std::time::Duration;

use credentials::EmailAddress;
use credentials::token::{MailCode, Purpose};
use sql::DbError;

use super::engines::{every_engine, master};
use crate::Store;
use crate::invitations::{self, Invitation, Stage};
use crate::tickets::{self, Issued, MOST_TRIES, NewTicket, Tried};

const LIFE: Duration = Duration::from_mins(15);

fn mailbox(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.org")).unwrap()
}

async fn issue(store: &Store, purpose: Purpose, name: &str) -> Issued {
    let ticket = NewTicket {
        purpose,
        user: None,
        mailbox: Some(mailbox(name)),
        content: String::from("{\"a\": \"😀'\"}"),
        life: LIFE,
    };
    let (issued, steps) = tickets::issue_steps(store, &master().code_key(), &ticket);
    store.db.write(steps).await.unwrap();
    issued
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_uses_one_is_committed() {
    every_engine(async |store| {
        let issued = issue(store, Purpose::ResetPassword, "ada").await;
        let ticket = tickets::by_token(store, Purpose::ResetPassword, &issued.token).await;
        let ticket = ticket.unwrap().unwrap();
        assert_eq!(ticket.content, "{\"a\": \"😀'\"}");
        assert_eq!(ticket.mailbox, Some(mailbox("ada")));
        let uses: Vec<_> = (0..100)
            .map(|_| {
                let (store, step) = (store.clone(), tickets::use_step(store, &ticket));
                tokio::spawn(async move { store.db.write(vec![step]).await })
            })
            .collect();
        let mut used = 0;
        for one in uses {
            match one.await.unwrap() {
                Ok(_) => used += 1,
                Err(DbError::Unexpected { step: 0, .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(used, 1);
        let again = tickets::by_token(store, Purpose::ResetPassword, &issued.token).await;
        assert_eq!(again.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_its_purpose_until_it_is_replaced_or_expires() {
    every_engine(async |store| {
        let old = issue(store, Purpose::ResetPassword, "ada").await;
        let other = issue(store, Purpose::ResetPassword, "bob").await;
        let confirm = issue(store, Purpose::ConfirmAddress, "ada").await;
        let live = async |purpose, issued: &Issued| {
            let found = tickets::by_token(store, purpose, &issued.token).await;
            found.unwrap().is_some()
        };
        assert!(!live(Purpose::ConfirmAddress, &old).await);
        assert!(live(Purpose::ResetPassword, &old).await);
        let new = issue(store, Purpose::ResetPassword, "ada").await;
        assert!(!live(Purpose::ResetPassword, &old).await);
        for (purpose, issued) in [
            (Purpose::ResetPassword, &new),
            (Purpose::ResetPassword, &other),
            (Purpose::ConfirmAddress, &confirm),
        ] {
            assert!(live(purpose, issued).await, "{purpose:?}");
        }
        let since = store.clock.now() - Duration::from_secs(1);
        let ada = mailbox("ada");
        let count = tickets::count_since(store, Purpose::ResetPassword, &ada, since);
        assert_eq!(count.await.unwrap(), 2);
        assert!(
            tickets::is_any_live(store, Purpose::ConfirmAddress)
                .await
                .unwrap()
        );
        let void = tickets::void_of_mailbox_step(store, Purpose::ResetPassword, &mailbox("bob"));
        store.db.write(vec![void]).await.unwrap();
        assert!(!live(Purpose::ResetPassword, &other).await);
        let ticket = tickets::by_token(store, Purpose::ResetPassword, &new.token).await;
        let ticket = ticket.unwrap().unwrap();
        store.clock.advance(LIFE);
        assert!(!live(Purpose::ResetPassword, &new).await);
        assert!(
            !tickets::is_any_live(store, Purpose::ConfirmAddress)
                .await
                .unwrap()
        );
        // Whoever had looked before it expired is too late, too.
        let late = store
            .db
            .write(vec![tickets::use_step(store, &ticket)])
            .await;
        assert!(
            matches!(late, Err(DbError::Unexpected { step: 0, .. })),
            "{late:?}"
        );
        let newest = tickets::newest_content(store, Purpose::ConfirmAddress, &ada);
        assert!(newest.await.unwrap().is_some());
        assert_eq!(tickets::purge(store).await.unwrap(), 0);
        store.clock.advance(Duration::from_hours(25));
        assert_eq!(tickets::purge(store).await.unwrap(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_has_five_tries_whoever_makes_them() {
    every_engine(async |store| {
        let purpose = Purpose::ConfirmAddress;
        let issued = issue(store, purpose, "ada").await;
        let right = issued.code.to_text();
        let wrong = if right.expose() == "000000" {
            "111111"
        } else {
            "000000"
        };
        let attempt = async |text: &str, name: &str| {
            let code = MailCode::parse(text).unwrap();
            let key = master().code_key();
            tickets::by_code(store, &key, purpose, &mailbox(name), &code)
                .await
                .unwrap()
        };
        assert_eq!(attempt(right.expose(), "bob").await, Tried::Wrong);
        for _ in 1..MOST_TRIES {
            assert_eq!(attempt(wrong, "ada").await, Tried::Wrong);
        }
        assert!(matches!(
            attempt(right.expose(), "ada").await,
            Tried::Right(_)
        ));
        assert_eq!(attempt(right.expose(), "ada").await, Tried::Wrong);
        // The link is as good as before.
        let linked = tickets::by_token(store, purpose, &issued.token).await;
        assert!(linked.unwrap().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_replaced_until_it_is_confirmed() {
    every_engine(async |store| {
        let write = async |steps| store.db.write(steps).await;
        let first = Invitation::new(store, mailbox("ada"));
        write(invitations::insert_steps(store, &first))
            .await
            .unwrap();
        let mut second = Invitation::new(store, mailbox("ada"));
        second.first_name = Some(String::from("Ada"));
        write(invitations::insert_steps(store, &second))
            .await
            .unwrap();
        assert_eq!(invitations::by_id(store, first.id).await.unwrap(), None);
        let approve = invitations::approve_step(store, second.id, "{}");
        assert!(
            write(vec![approve.clone()]).await.is_err(),
            "it is not confirmed"
        );
        let confirm = invitations::confirm_step(store, second.id);
        write(vec![confirm.clone()]).await.unwrap();
        assert!(write(vec![confirm]).await.is_err());
        let third = invitations::insert_steps(store, &Invitation::new(store, mailbox("ada")));
        assert!(matches!(write(third).await, Err(DbError::Unique { .. })));
        let list = async |stage| invitations::list(store, stage, 9).await.unwrap().len();
        assert_eq!(
            (list(Stage::Waiting).await, list(Stage::Approved).await),
            (1, 0)
        );
        write(vec![approve]).await.unwrap();
        assert_eq!(
            (list(Stage::Waiting).await, list(Stage::Approved).await),
            (0, 1)
        );
        let found = invitations::by_email(store, &mailbox("ada"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (found.id, found.first_name),
            (second.id, Some(String::from("Ada")))
        );
        let fourth = Invitation::new(store, mailbox("bob"));
        write(invitations::insert_steps(store, &fourth))
            .await
            .unwrap();
        assert_eq!(list(Stage::Unconfirmed).await, 1);
        store.clock.advance(Duration::from_hours(24 * 8));
        assert_eq!(invitations::purge(store).await.unwrap(), 1);
        write(vec![invitations::delete_step(store, second.id)])
            .await
            .unwrap();
        assert_eq!(list(Stage::Any).await, 0);
    })
    .await;
}
