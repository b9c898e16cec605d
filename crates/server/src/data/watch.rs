//! Rows as they change (`Accept: text/event-stream`; HTML Standard, 9.2): a snapshot, then what
//! came, changed and went.
//!
//! Each time something may have changed the whole read is planned and run again, for the caller as
//! he is then, and compared with what he was shown before. So the rules are those of a read; a row
//! that goes is told by its key alone and only to whom it was shown; and it does not matter who
//! changed it, here or elsewhere. Watchers are woken by writes of this server and look by
//! themselves now and then, for writes of others.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method as HttpMethod, Response, StatusCode, header};
use rest::{KEY_MEMBER, Method, Moment, Plan, Request};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, watch};
use xxhash_rust::xxh3::xxh3_128;

use super::perform::failed;
use crate::App;
use crate::auth::{Possession, authenticate};
use crate::error::{Answer, Refusal};

/// From one look to the next, where nobody here wrote.
const LOOK: Duration = Duration::from_secs(2);

/// The shortest time between two looks.
const REST: Duration = Duration::from_millis(100);

/// How often a silent stream says that it lives.
const BREATH: u32 = 8;

/// The most streams at once.
const MOST: usize = 1_000;

/// What watchers wait for.
pub(crate) struct Watchers {
    writes: watch::Sender<u64>,
    streams: AtomicUsize,
}

impl Watchers {
    pub(crate) fn new() -> Self {
        Self {
            writes: watch::Sender::new(0),
            streams: AtomicUsize::new(0),
        }
    }

    /// Something was written.
    pub(crate) fn wake(&self) {
        self.writes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Nothing more will be told: the server stops.
    pub(crate) fn close(&self) {
        self.writes.send_replace(u64::MAX);
    }
}

/// Whether a stream is asked for.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    let text = accept
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let first = text.split([',', ';']).next().unwrap_or_default();
    first.trim().eq_ignore_ascii_case("text/event-stream")
}

/// What is watched.
struct Watched {
    app: App,
    headers: HeaderMap,
    path: Vec<String>,
    query: String,
}

/// A row that was shown: its key, and the digest of what was shown of it.
type Shown = HashMap<String, (Value, u128)>;

/// One of the open streams.
struct Stream(App);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.0.watchers.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Begins a stream; what is wrong with the request is said before it.
pub(super) async fn answer(
    app: &App,
    headers: &HeaderMap,
    path: &[std::borrow::Cow<'_, str>],
    query: &str,
) -> Answer {
    let watched = Watched {
        app: app.clone(),
        headers: headers.clone(),
        path: path.iter().map(ToString::to_string).collect(),
        query: query.to_owned(),
    };
    let open = app.0.watchers.streams.fetch_add(1, Ordering::Relaxed);
    let stream = Stream(app.clone());
    if open >= MOST {
        let message = format!("there are {MOST} streams already");
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "53300",
            message,
        ));
    }
    let writes = app.0.watchers.writes.subscribe();
    let rows = watched.read().await?;
    let mut shown = Shown::new();
    let snapshot: Vec<Value> = rows
        .into_iter()
        .map(|row| note(&mut shown, row).1)
        .collect();
    let (sender, receiver) = mpsc::channel(16);
    let first = event("snapshot", &Value::Array(snapshot));
    tokio::spawn(async move {
        if sender.send(first).await.is_ok() {
            watched.follow(shown, writes, sender).await;
        }
        drop(stream);
    });
    let body = futures_util::stream::unfold(receiver, async |mut receiver| {
        let text = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), receiver))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/event-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// Takes the key out of a row, and notes what is shown of it; gives the key as text, the row and
/// whether it is as it was.
fn note(shown: &mut Shown, mut row: Value) -> (String, Value, Change) {
    let mut key = Map::new();
    if let Value::Object(members) = &mut row {
        members.retain(|name, value| match name.strip_prefix(KEY_MEMBER) {
            Some(column) => {
                key.insert(column.to_owned(), value.take());
                false
            }
            None => true,
        });
    }
    // Rows without a key are what they hold.
    let key = match key.is_empty() {
        true => row.clone(),
        false => Value::Object(key),
    };
    let digest = xxh3_128(row.to_string().as_bytes());
    let id = key.to_string();
    let change = match shown.insert(id.clone(), (key, digest)) {
        None => Change::New,
        Some((_, before)) if before == digest => Change::None,
        Some(_) => Change::Other,
    };
    (id, row, change)
}

enum Change {
    None,
    New,
    Other,
}

impl Watched {
    /// The rows as the caller may see them now.
    async fn read(&self) -> Result<Vec<Value>, Refusal> {
        let state = &self.app.0;
        let compiled = state.compiled.load();
        // What the token is bound to was shown when the stream was begun.
        let shown = Possession::NotAsked;
        let authenticated =
            authenticate(state, &compiled, &HttpMethod::GET, shown, &self.headers).await?;
        let caller = authenticated.as_deref().unwrap_or(&compiled.anonymous);
        let path: Vec<_> = self.path.iter().map(|part| part.as_str().into()).collect();
        let request = Request {
            method: Method::Get,
            path: &path,
            query: &self.query,
            prefer: &[],
            accept: None,
            range: None,
            profile: None,
            content_type: None,
            body: &[],
        };
        let moment = Moment {
            now: state.clock.now(),
            clock: &state.clock,
            rng: &state.rng,
        };
        let Plan::Read(mut plan) = compiled.api.plan_watched(&request, caller, moment)? else {
            let message = "only what is read can be watched";
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "PGRST117",
                message,
            ));
        };
        let actor = match plan.is_definers() {
            true => None,
            false => state.actor(&compiled, caller).await?,
        };
        let read = match &actor {
            Some(actor) => state.db.read_all_as(actor, &mut plan.parts()).await,
            None => state.db.read_all(&mut plan.parts()).await,
        };
        if let Err(error) = read {
            let refused = plan.refusal(&error).map(Refusal::from);
            return Err(refused.unwrap_or_else(|| failed(&error)));
        }
        let body = plan.finish()?.body;
        match serde_json::from_slice(&body) {
            Ok(Value::Array(rows)) => Ok(rows),
            Ok(one) => Ok(vec![one]),
            Err(error) => Err(Refusal::internal("rows that are no JSON", &error)),
        }
    }

    /// Tells changes until nobody listens any more, the caller may not read any more, or the
    /// server stops.
    async fn follow(
        self,
        mut shown: Shown,
        mut writes: watch::Receiver<u64>,
        sender: mpsc::Sender<String>,
    ) {
        let mut silent = 0;
        loop {
            tokio::select! {
                () = sender.closed() => return,
                _ = tokio::time::timeout(LOOK, writes.changed()) => {}
            }
            if *writes.borrow_and_update() == u64::MAX {
                return;
            }
            let text = match self.read().await {
                Ok(rows) => changes(&mut shown, rows),
                Err(refusal) => {
                    let body = json!({"code": refusal.code, "message": refusal.message});
                    let _ = sender.send(event("error", &body)).await;
                    return;
                }
            };
            silent = if text.is_empty() { silent + 1 } else { 0 };
            let text = match text.is_empty() {
                true if silent % BREATH == 0 => String::from(": alive\n\n"),
                _ => text,
            };
            if !text.is_empty() && sender.send(text).await.is_err() {
                return;
            }
            tokio::time::sleep(REST).await;
        }
    }
}

/// The events between what was shown and what is there.
fn changes(shown: &mut Shown, rows: Vec<Value>) -> String {
    let mut text = String::new();
    let mut seen = HashSet::with_capacity(rows.len());
    for row in rows {
        let (id, row, change) = note(shown, row);
        seen.insert(id);
        match change {
            Change::None => {}
            Change::New => text.push_str(&event("insert", &row)),
            Change::Other => text.push_str(&event("update", &row)),
        }
    }
    let gone = shown.extract_if(|id, _| !seen.contains(id));
    for (_, (key, _)) in gone {
        text.push_str(&event("delete", &key));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Shown, changes};
    use serde_json::json;

    #[test]
    fn changes_are_told_by_key() {
        let mut shown = Shown::new();
        let row = |id: i64, name: &str| json!({"name": name, "$key.id": id});
        let text = changes(&mut shown, vec![row(1, "a"), row(2, "b")]);
        assert_eq!(text.matches("event: insert").count(), 2);
        let text = changes(&mut shown, vec![row(2, "c"), row(3, "d")]);
        assert_eq!(
            text,
            "event: update\ndata: {\"name\":\"c\"}\n\nevent: insert\ndata: {\"name\":\"d\"}\n\n\
             event: delete\ndata: {\"id\":1}\n\n"
        );
        assert_eq!(changes(&mut shown, vec![row(2, "c"), row(3, "d")]), "");
    }
}
