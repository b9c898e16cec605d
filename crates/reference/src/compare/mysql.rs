//! MariaDB and MySQL: connections used as they are against connections reset before each use;
//! JSON made in Rust against JSON made by the database.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use mysql_async::prelude::Queryable as _;

use super::{Contest, Way, user_of, written};
use crate::mysql::{Engine, FEED, USER, moment};

pub(super) async fn contests(url: &str) -> Result<Vec<Contest>> {
    let mut key = Vec::new();
    let mut feed = Vec::new();
    for (name, size, reset) in [
        ("8 connections, as they are", 8, false),
        ("4 connections, as they are", 4, false),
        ("16 connections, as they are", 16, false),
        ("8 connections, reset before each use", 8, true),
    ] {
        let engine = Arc::new(Engine::with_pool(url, size, reset)?);
        let shared = Arc::clone(&engine);
        key.push(Way::new(name, move |call| {
            let engine = Arc::clone(&shared);
            async move { written(&engine.user(user_of(call)).await?) }
        }));
        feed.push(Way::new(name, move |_| {
            let engine = Arc::clone(&engine);
            async move { written(&engine.feed().await?) }
        }));
    }
    let user = format!(
        "select json_object('uuid', u.c0, 'display_name', u.display_name, 'handle', u.handle,
            'bio', u.bio, 'created_at', u.c1) from ({}) u",
        USER.replace("cast(uuid as char)", "cast(uuid as char) c0")
            .replace("%fZ')", "%fZ') c1")
    );
    let feed_text = format!(
        "select json_arrayagg(json_object('uuid', f.c0, 'message', f.message, 'likes_count',
            f.likes_count, 'created_at', f.c1, 'author', json_object('handle', f.handle,
            'display_name', f.display_name))) from ({}) f",
        FEED.replace("cast(a.uuid as char)", "cast(a.uuid as char) c0")
            .replace("%fZ')", "%fZ') c1")
    );
    let engine = Arc::new(Engine::with_pool(url, 8, false)?);
    let shared = Arc::clone(&engine);
    let text: Arc<str> = user.into();
    key.push(Way::new("8 connections, JSON by the server", move |call| {
        let (engine, text) = (Arc::clone(&shared), Arc::clone(&text));
        async move { body(&engine, &text, user_of(call).to_string()).await }
    }));
    let text: Arc<str> = feed_text.into();
    feed.push(Way::new("8 connections, JSON by the server", move |_| {
        let (engine, text) = (Arc::clone(&engine), Arc::clone(&text));
        async move { body(&engine, &text, moment()).await }
    }));
    #[cfg(feature = "alternatives")]
    super::alternatives::mysql(url, &mut key, &mut feed).await?;
    #[cfg(not(feature = "alternatives"))]
    std::future::ready(()).await;
    Ok(vec![
        Contest {
            work: "mariadb: one row by key",
            ways: key,
        },
        Contest {
            work: "mariadb: list of 20 with join",
            ways: feed,
        },
    ])
}

/// A body that the database wrote.
async fn body(engine: &Engine, text: &str, parameter: String) -> Result<()> {
    let mut connection = engine.pool.get_conn().await?;
    let body: Option<Vec<u8>> = connection.exec_first(text, (parameter,)).await?;
    let body = body.context("the statement gives one row")?;
    anyhow::ensure!(!std::hint::black_box(body).is_empty(), "an empty body");
    Ok(())
}
