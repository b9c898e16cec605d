//! Facts about registering and logging in.

use credentials::{
    EmailAddress, HashParams, Password, PasswordHash, Peppers, Username, Verdict, hash, verify,
};
use sql::{DbError, Kind, Query, Sql, Step, Value};

use super::engines::{QUICK, every_engine, master};
use crate::accounts::{Registration, Taken, register};
use crate::users::{self, LoginName, NewUser};
use crate::{Store, StoreError};

fn password(text: &str) -> Password {
    Password::new(text.to_owned()).unwrap()
}

fn hashed(store: &Store, text: &str) -> PasswordHash {
    hash(&password(text), &master().pepper(1), QUICK, &store.rng).unwrap()
}

fn new_user(store: &Store, email: &str) -> NewUser {
    NewUser::new(store, address(email))
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

async fn count(store: &Store, table: &'static str) -> i64 {
    let mut sql = Sql::new(store.db.dialect());
    sql.push("select count(*) from ").push(table);
    let query = Query::short(sql, vec![Kind::BigInt]);
    match store.db.optional(&query).await.unwrap().unwrap().0[0] {
        Value::Int(count) => count,
        ref other => panic!("{other:?} is no count"),
    }
}

async fn created(store: &Store, user: &NewUser, hash: &PasswordHash) {
    let registration = register(store, user, hash, Vec::new()).await.unwrap();
    assert!(matches!(registration, Registration::Created { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_registrations_of_one_address_exactly_one_wins() {
    every_engine(async |store| {
        let hash = hashed(store, "correct horse");
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (store, hash) = (store.clone(), hash.clone());
                tokio::spawn(async move {
                    let user = new_user(&store, " Race@Example.org");
                    register(&store, &user, &hash, Vec::new()).await.unwrap()
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Registration::Created { .. } => won += 1,
                Registration::AlreadyExists(taken) => assert_eq!(taken, Taken::Email),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(count(store, "auth_users").await, 1);
        assert_eq!(count(store, "auth_passwords").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_is_taken_whatever_its_case() {
    every_engine(async |store| {
        let hash = hashed(store, "correct horse");
        let mut first = new_user(store, "a@x.nl");
        first.username = Some(Username::parse("Ändrew").unwrap());
        created(store, &first, &hash).await;
        let mut second = new_user(store, "b@x.nl");
        second.username = Some(Username::parse("äNDREW").unwrap());
        let registration = register(store, &second, &hash, Vec::new()).await.unwrap();
        assert!(matches!(
            registration,
            Registration::AlreadyExists(Taken::Username)
        ));
        // Two accounts without a name are no two accounts of one name.
        created(store, &new_user(store, "c@x.nl"), &hash).await;
        created(store, &new_user(store, "d@x.nl"), &hash).await;
        assert_eq!(count(store, "auth_users").await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_registered_is_found_by_address_name_and_id() {
    every_engine(async |store| {
        let mut user = new_user(store, "A@X.nl");
        user.username = Some(Username::parse("😀 Ünïcödé").unwrap());
        user.first_name = Some("Ünï".to_owned());
        user.last_name = Some("O'Cödé \\ \"x\"".to_owned());
        user.display_name = Some("The 😀".to_owned());
        let hash = hashed(store, "correct horse");
        created(store, &user, &hash).await;

        let found = users::by_id(store, user.id).await.unwrap().unwrap();
        assert_eq!(found.email.as_str(), "a@x.nl");
        assert_eq!(found.username.as_deref(), Some("😀 Ünïcödé"));
        assert_eq!(found.last_name, user.last_name);
        assert!(found.active && found.email_verified_at.is_none() && found.epoch == 0);
        assert_eq!(found.created_at, store.clock.now());
        for typed in ["a@x.NL ", "\tA@x.nl", "😀 ÜNÏCÖDÉ"] {
            let name = LoginName::parse(typed).unwrap();
            let login = users::find_for_login(store, &name).await.unwrap().unwrap();
            assert_eq!(login.user, found, "{typed:?}");
            assert_eq!(login.hash, Some(hash.clone()));
        }
        let email = address("a@x.nl");
        assert_eq!(
            users::by_email(store, &email).await.unwrap(),
            Some(found.clone())
        );
        let name = Username::parse("😀 ünïcödé").unwrap();
        assert_eq!(users::by_username(store, &name).await.unwrap(), Some(found));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_none_and_not_an_error() {
    every_engine(async |store| {
        let id = NewUser::new(store, address("a@x.nl")).id;
        assert_eq!(users::by_id(store, id).await.unwrap(), None);
        assert_eq!(users::standing(store, id).await.unwrap(), None);
        for typed in ["a@x.nl", "andrew"] {
            let name = LoginName::parse(typed).unwrap();
            assert!(users::find_for_login(store, &name).await.unwrap().is_none());
        }
        assert_eq!(LoginName::parse("@"), None);
        assert_eq!(LoginName::parse(" "), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stored_text_is_a_hash_and_differs_for_one_password() {
    every_engine(async |store| {
        for email in ["a@x.nl", "b@x.nl"] {
            let hash = hashed(store, "marker-7f3a-password");
            created(store, &new_user(store, email), &hash).await;
        }
        let mut sql = Sql::new(store.db.dialect());
        sql.push("select hash from auth_passwords");
        let rows = store
            .db
            .rows(&Query::short(sql, vec![Kind::Text]))
            .await
            .unwrap();
        let texts: Vec<&str> = rows
            .iter()
            .map(|row| match &row.0[0] {
                Value::Text(text) => text.as_str(),
                other => panic!("{other:?} is no text"),
            })
            .collect();
        assert_eq!(texts.len(), 2);
        assert_ne!(texts[0], texts[1]);
        assert!(texts.iter().all(|text| text.starts_with("$argon2id$")));
        assert!(texts.iter().all(|text| !text.contains("marker")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applications_steps_stand_or_fall_with_the_account() {
    every_engine(async |store| {
        let hash = hashed(store, "correct horse");
        let user = new_user(store, "a@x.nl");
        let role = sql::Ident::of("member");
        let hook = || crate::roles::grant_role_steps(store, user.id, &role, None);
        let Registration::Created { hook_outcomes } =
            register(store, &user, &hash, hook()).await.unwrap()
        else {
            panic!("nobody else has that address");
        };
        assert_eq!(hook_outcomes.len(), 2);
        assert_eq!(
            crate::roles::roles_of(store, user.id).await.unwrap(),
            ["member"]
        );

        // A hook that fails leaves nothing of the account, and its own error is not ours.
        let other = new_user(store, "b@x.nl");
        let mut failing = Sql::new(store.db.dialect());
        failing
            .push("insert into auth_user_roles (user_id, role) values (")
            .arg(user.id);
        failing.push(", ").arg("member").push(")");
        let result = register(store, &other, &hash, vec![Step::new(failing)]).await;
        assert!(matches!(
            result,
            Err(StoreError::Db(DbError::Unique { .. }))
        ));
        assert_eq!(users::by_id(store, other.id).await.unwrap(), None);
        assert_eq!(count(store, "auth_passwords").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_pepper_is_taken_up_at_the_next_login() {
    every_engine(async |store| {
        let user = new_user(store, "a@x.nl");
        let old = hashed(store, "correct horse");
        created(store, &user, &old).await;
        let peppers = Peppers::new(master().pepper(2), vec![master().pepper(1)]);
        let typed = password("correct horse");
        assert_eq!(login(store, &typed, &peppers).await, Some(true));
        let new = hash(&typed, peppers.current(), QUICK, &store.rng).unwrap();
        assert!(
            users::upgrade_password(store, user.id, &old, &new)
                .await
                .unwrap()
        );
        assert_eq!(login(store, &typed, &peppers).await, Some(false));
        // The first pepper can go now.
        let only_new = Peppers::new(master().pepper(2), Vec::new());
        assert_eq!(login(store, &typed, &only_new).await, Some(false));
        // An upgrade that comes too late changes nothing.
        assert!(
            !users::upgrade_password(store, user.id, &old, &old)
                .await
                .unwrap()
        );
    })
    .await;
}

/// Whether the one account's password needs an upgrade; `None` if it is wrong.
async fn login(store: &Store, typed: &Password, peppers: &Peppers) -> Option<bool> {
    let name = LoginName::parse("a@x.nl").unwrap();
    let found = users::find_for_login(store, &name).await.unwrap().unwrap();
    match verify(typed, &found.hash.unwrap(), peppers, QUICK).unwrap() {
        Verdict::Match { needs_upgrade } => Some(needs_upgrade),
        Verdict::Mismatch => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_and_a_switch_end_all_tokens() {
    every_engine(async |store| {
        let user = new_user(store, "a@x.nl");
        created(store, &user, &hashed(store, "correct horse")).await;
        let epoch = async || users::standing(store, user.id).await.unwrap().unwrap();
        assert_eq!(epoch().await.epoch, 0);

        let other = hashed(store, "battery staple");
        let unit = users::change_password_steps(store, user.id, &other);
        store.db.write(unit).await.unwrap();
        assert_eq!(epoch().await.epoch, 1);
        let peppers = Peppers::new(master().pepper(1), Vec::new());
        assert_eq!(
            login(store, &password("correct horse"), &peppers).await,
            None
        );
        assert_eq!(
            login(store, &password("battery staple"), &peppers).await,
            Some(false)
        );

        let unit = users::set_active_steps(store, user.id, false);
        store.db.write(unit).await.unwrap();
        let standing = epoch().await;
        assert_eq!((standing.active, standing.epoch), (false, 2));
        let unit = vec![users::bump_epoch_step(store, user.id)];
        store.db.write(unit).await.unwrap();
        assert_eq!(epoch().await.epoch, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_parameters_are_those_of_a_stored_hash() {
    every_engine(async |store| {
        let typed = password("correct horse");
        let made = hash(&typed, &master().pepper(1), HashParams::DEFAULT, &store.rng).unwrap();
        created(store, &new_user(store, "a@x.nl"), &made).await;
        let name = LoginName::parse("a@x.nl").unwrap();
        let found = users::find_for_login(store, &name).await.unwrap().unwrap();
        assert_eq!(found.hash, Some(made));
    })
    .await;
}
