//! Libraries that Pilaster did not choose: sqlx beside the native drivers, ring beside aws-lc-rs.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sqlx_core::pool::PoolOptions;
use sqlx_core::query_as::query_as;
use sqlx_mysql::MySql;
use sqlx_postgres::Postgres;

use super::{Contest, Way, user_of, written};
use crate::model::{Activity, Author, User, now, spell};
use crate::{mysql, postgres};

type UserRow = (String, String, String, Option<String>, String);
type FeedRow = (String, String, i32, String, String, String);

fn user(row: UserRow) -> Result<User> {
    Ok(User {
        uuid: row.0.parse()?,
        display_name: row.1,
        handle: row.2,
        bio: row.3,
        created_at: row.4,
    })
}

fn activity(row: FeedRow) -> Result<Activity> {
    Ok(Activity {
        uuid: row.0.parse()?,
        message: row.1,
        likes_count: row.2,
        created_at: row.3,
        author: Some(Author {
            handle: row.4,
            display_name: row.5,
        }),
    })
}

/// sqlx with four connections, without and with its test of each connection before use. Moments
/// and ids are read as text on both sides of the wire, which is to sqlx's advantage.
pub(super) async fn postgres(url: &str, key: &mut Vec<Way>, feed: &mut Vec<Way>) -> Result<()> {
    let user_text: &'static str = Box::leak(
        postgres::USER
            .replace("select uuid", "select uuid::text")
            .replace("created_at from", "created_at::text from")
            .replace("= $1", "= $1::text::uuid")
            .into_boxed_str(),
    );
    let feed_text: &'static str = Box::leak(
        postgres::FEED
            .replace("select a.uuid", "select a.uuid::text")
            .replace("a.created_at, u", "a.created_at::text, u")
            .replace("> $1", "> $1::text::timestamptz")
            .into_boxed_str(),
    );
    for (name, test) in [
        ("sqlx, 4 connections", false),
        ("sqlx, 4 connections, tested before use", true),
    ] {
        let pool = PoolOptions::<Postgres>::new()
            .max_connections(4)
            .test_before_acquire(test)
            .connect(url)
            .await?;
        let shared = pool.clone();
        key.push(Way::new(name, move |call| {
            let pool = shared.clone();
            async move {
                let row: UserRow = query_as(user_text)
                    .bind(user_of(call).to_string())
                    .fetch_one(&pool)
                    .await?;
                written(&user(row)?)
            }
        }));
        feed.push(Way::new(name, move |_| {
            let pool = pool.clone();
            async move {
                let rows: Vec<FeedRow> = query_as(feed_text)
                    .bind(spell(now()))
                    .fetch_all(&pool)
                    .await?;
                let rows: Result<Vec<Activity>> = rows.into_iter().map(activity).collect();
                written(&rows?)
            }
        }));
    }
    Ok(())
}

/// Columns of a collation that sqlx does not know are bytes to it.
type MySqlUser = (Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Vec<u8>);
type MySqlFeed = (Vec<u8>, Vec<u8>, i32, Vec<u8>, Vec<u8>, Vec<u8>);

fn mysql_user(row: MySqlUser) -> Result<User> {
    let bio = row.3.map(String::from_utf8).transpose()?;
    let text = String::from_utf8;
    user((text(row.0)?, text(row.1)?, text(row.2)?, bio, text(row.4)?))
}

fn mysql_activity(row: MySqlFeed) -> Result<Activity> {
    let text = String::from_utf8;
    let (uuid, message, moment) = (text(row.0)?, text(row.1)?, text(row.3)?);
    activity((uuid, message, row.2, moment, text(row.4)?, text(row.5)?))
}

/// sqlx with eight connections.
pub(super) async fn mysql(url: &str, key: &mut Vec<Way>, feed: &mut Vec<Way>) -> Result<()> {
    let url = url.replacen("mariadb://", "mysql://", 1);
    let pool = PoolOptions::<MySql>::new()
        .max_connections(8)
        .test_before_acquire(false)
        .connect(&url)
        .await?;
    let shared = pool.clone();
    key.push(Way::new("sqlx, 8 connections", move |call| {
        let pool = shared.clone();
        async move {
            let row: MySqlUser = query_as(mysql::USER)
                .bind(user_of(call).to_string())
                .fetch_one(&pool)
                .await?;
            written(&mysql_user(row)?)
        }
    }));
    feed.push(Way::new("sqlx, 8 connections", move |_| {
        let pool = pool.clone();
        async move {
            let rows: Vec<MySqlFeed> = query_as(mysql::FEED)
                .bind(mysql::moment())
                .fetch_all(&pool)
                .await?;
            let rows: Result<Vec<Activity>> = rows.into_iter().map(mysql_activity).collect();
            written(&rows?)
        }
    }));
    Ok(())
}

/// A token's worth of bytes.
const MESSAGE: [u8; 400] = [7; 400];

/// Ed25519 by both libraries.
pub(super) fn signatures() -> Vec<Contest> {
    let seed = [42; 32];
    let ours = Arc::new(Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes"));
    let theirs =
        Arc::new(ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes"));
    let signature = ours.sign(&MESSAGE);
    let public = ours.public_key().as_ref().to_vec();
    let (sign_ours, sign_theirs) = (Arc::clone(&ours), theirs);
    let (known, key) = (signature.as_ref().to_vec(), public.clone());
    let (known_too, key_too) = (known.clone(), key.clone());
    let once = |done: Result<()>| std::future::ready(done);
    vec![
        Contest {
            work: "signatures: sign Ed25519",
            ways: vec![
                Way::new("aws-lc-rs", move |_| {
                    std::hint::black_box(sign_ours.sign(&MESSAGE));
                    once(Ok(()))
                }),
                Way::new("ring", move |_| {
                    std::hint::black_box(sign_theirs.sign(&MESSAGE));
                    once(Ok(()))
                }),
            ],
        },
        Contest {
            work: "signatures: verify Ed25519",
            ways: vec![
                Way::new("aws-lc-rs", move |_| {
                    let key = UnparsedPublicKey::new(&ED25519, &key);
                    once(
                        key.verify(&MESSAGE, &known)
                            .ok()
                            .context("a good signature"),
                    )
                }),
                Way::new("ring", move |_| {
                    let key = ring::signature::UnparsedPublicKey::new(
                        &ring::signature::ED25519,
                        &key_too,
                    );
                    once(
                        key.verify(&MESSAGE, &known_too)
                            .ok()
                            .context("a good signature"),
                    )
                }),
            ],
        },
    ]
}
