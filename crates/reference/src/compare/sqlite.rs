//! SQLite: reads on the async worker against reads on other threads; JSON made in Rust against
//! JSON made by SQLite.

use std::sync::Arc;
use std::sync::mpsc;

use anyhow::{Context as _, Result};
use tokio::sync::oneshot;

use super::{Contest, Way, user_of, written};
use crate::model::{now, spell};
use crate::sqlite::{Engine, FEED, USER};

type Job = Box<dyn FnOnce(&Engine) + Send>;

/// What is read in one contest.
type Read = fn(&Engine, usize) -> Result<()>;

pub(super) fn contests(url: &str) -> Result<Vec<Contest>> {
    Ok(vec![
        contest(url, "sqlite: one row by key", user, user_as_json)?,
        contest(url, "sqlite: list of 20 with join", feed, feed_as_json)?,
    ])
}

fn contest(url: &str, work: &'static str, read: Read, json: Read) -> Result<Contest> {
    let engine = Arc::new(Engine::open(url)?);
    let jobs = reader_thread(Engine::open(url)?);
    let (inline, blocking, by_sqlite) = (Arc::clone(&engine), Arc::clone(&engine), engine);
    let ways = vec![
        Way::new("on the async worker", move |call| {
            std::future::ready(read(&inline, call))
        }),
        Way::new("by channel to a reader thread", move |call| {
            let jobs = jobs.clone();
            async move {
                let (answer, done) = oneshot::channel();
                let job: Job = Box::new(move |engine| {
                    // The caller has gone: nobody waits for the answer.
                    let _ = answer.send(read(engine, call));
                });
                jobs.send(job).ok().context("the reader thread is there")?;
                done.await?
            }
        }),
        Way::new("spawn_blocking for each", move |call| {
            let engine = Arc::clone(&blocking);
            async move { tokio::task::spawn_blocking(move || read(&engine, call)).await? }
        }),
        Way::new("on the async worker, JSON by SQLite", move |call| {
            std::future::ready(json(&by_sqlite, call))
        }),
    ];
    Ok(Contest { work, ways })
}

/// A thread that reads with a connection of its own.
fn reader_thread(engine: Engine) -> mpsc::Sender<Job> {
    let (sender, jobs) = mpsc::channel::<Job>();
    std::thread::spawn(move || jobs.iter().for_each(|job| job(&engine)));
    sender
}

fn user(engine: &Engine, call: usize) -> Result<()> {
    written(&engine.user(user_of(call))?)
}

fn feed(engine: &Engine, _call: usize) -> Result<()> {
    written(&engine.feed()?)
}

fn user_as_json(engine: &Engine, call: usize) -> Result<()> {
    let text = format!(
        "select json_object('uuid', uuid, 'display_name', display_name, 'handle', handle,
            'bio', bio, 'created_at', created_at) from ({USER})"
    );
    body(engine, &text, &user_of(call).to_string())
}

fn feed_as_json(engine: &Engine, _call: usize) -> Result<()> {
    let text = format!(
        "select json_group_array(json_object('uuid', uuid, 'message', message, 'likes_count',
            likes_count, 'created_at', created_at, 'author', json_object('handle', handle,
            'display_name', display_name))) from ({FEED})"
    );
    body(engine, &text, &spell(now()))
}

/// A body that the database wrote.
fn body(engine: &Engine, text: &str, parameter: &str) -> Result<()> {
    engine.with_reader(|connection| {
        let body: String = connection
            .prepare_cached(text)?
            .query_row([parameter], |row| row.get(0))?;
        anyhow::ensure!(!std::hint::black_box(body).is_empty(), "an empty body");
        Ok(())
    })
}
