//! The worker behind the queue of mails: takes what is due, sends it, tries again, gives up.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use lettre::AsyncTransport as _;
use serde_json::{Map, Value};
use store::deliveries::After;
use store::mails::{self, Mail};
use store::{StoreError, StoreResult};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Transport;
use super::compose::compose;
use super::sink::Kept;
use super::smtp::Connection;
use super::templates::{Rendered, site};
use crate::App;
use crate::app::State;
use crate::events::{Failed, after};

/// How often the queue is looked at when nobody says that there is something in it.
const POLL: Duration = Duration::from_secs(1);

/// The longest pause while the database does not answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(30);

/// Mails that are taken at once, and of these, under way at once.
const PAGE: u64 = 16;
const AT_ONCE: usize = 4;

/// What a lease is longer than its attempt.
const MARGIN: Duration = Duration::from_secs(10);

/// The running worker.
pub(crate) struct Mailer {
    job: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

/// Where this worker hands mails over.
enum Way {
    Smtp(Connection),
    Sink,
}

impl Mailer {
    /// Begins to send; `None` where mails go nowhere.
    pub(crate) fn start(app: &App) -> Option<Self> {
        let state = Arc::clone(&app.0);
        let settings = &state.post.settings;
        let way = match &settings.transport {
            Transport::Nowhere => return None,
            Transport::Sink => Way::Sink,
            Transport::Smtp(url) => {
                let name = settings.from.domain();
                match url.connect(&settings.authorities, name, settings.timeout) {
                    Ok(connection) => Way::Smtp(connection),
                    Err(error) => {
                        tracing::error!(%error, "mails cannot be sent: TLS cannot be set up");
                        return None;
                    }
                }
            }
        };
        let (stop, stopped) = watch::channel(false);
        let job = tokio::spawn(async move { run(&state, &way, stopped).await });
        Some(Self { job, stop })
    }

    /// Finishes what is under way, and no more.
    pub(crate) async fn stop(self) {
        // Nobody listens when the job has ended already.
        let _ = self.stop.send(true);
        let _ = self.job.await;
    }
}

async fn run(state: &State, way: &Way, mut stopped: watch::Receiver<bool>) {
    let mut pause = POLL;
    while !*stopped.borrow() {
        let woken = state.post.written.notified();
        match page(state, way, &stopped).await {
            // There may be more.
            Ok(taken) if taken > 0 => {
                pause = POLL;
                continue;
            }
            Ok(_) => pause = POLL,
            Err(error) => {
                tracing::warn!(error = without_values(&error), "the mails cannot be read");
                pause = (pause * 2).min(DATABASE_PAUSE);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = woken => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Sends one page of what is due; gives how many were this server's.
async fn page(state: &State, way: &Way, stopped: &watch::Receiver<bool>) -> StoreResult<usize> {
    let due = mails::due(&state.store, PAGE).await?;
    let attempts = due.into_iter().map(|mail| async move {
        // What has not begun when the server is asked to stop is left to the next one.
        let is_over = *stopped.borrow();
        match is_over {
            true => Ok(false),
            false => one(state, way, mail).await,
        }
    });
    let done: Vec<StoreResult<bool>> = futures_util::stream::iter(attempts)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut ours = 0;
    for taken in done {
        ours += usize::from(taken?);
    }
    Ok(ours)
}

/// Leases, sends and settles one; gives whether it was this server's.
async fn one(state: &State, way: &Way, seen: Mail) -> StoreResult<bool> {
    let settings = &state.post.settings;
    let lease = settings.timeout + MARGIN;
    let Some(mail) = mails::lease(&state.store, seen, lease).await? else {
        return Ok(false);
    };
    let result = match mail.attempts > i64::from(settings.retries.attempts) {
        // Begun so often and never ended: something takes the whole server with it.
        true => Err(Failed::for_good("no attempt came to its end")),
        false => send(state, way, &mail).await,
    };
    let (id, template) = (&mail.id, &mail.template);
    let failed = match result {
        Ok(()) => {
            // Somebody else's by now: it is sent twice, under the same Message-ID.
            mails::done(&state.store, &mail).await?;
            tracing::debug!(mail = %id, template, "sent");
            return Ok(true);
        }
        Err(failed) => failed,
    };
    let (error, attempt, now) = (&failed.error, mail.attempts, state.store.clock.now());
    let after = after(&failed, attempt, settings.retries, now, &state.rng);
    if !mails::failed(&state.store, &mail, error, after).await? {
        return Ok(true);
    }
    match after {
        After::RetryAt(then) => {
            tracing::warn!(mail = %id, template, attempt, error, again_at = %then, "a mail was not sent");
        }
        After::Dead => {
            tracing::error!(mail = %id, template, attempt, error, "a mail was given up");
        }
    }
    Ok(true)
}

/// Writes a mail and hands it over; errors say nothing of what stands in it.
async fn send(state: &State, way: &Way, mail: &Mail) -> Result<(), Failed> {
    let settings = &state.post.settings;
    let (values, expires_at) = opened(state, mail)?;
    if expires_at.is_some_and(|moment| moment <= state.store.clock.now()) {
        return Err(Failed::for_good(
            "its link had expired before it could be sent",
        ));
    }
    let site = site(&state.settings.title, &state.settings.public_url);
    let rendered = state
        .post
        .templates
        .render(&mail.template, &mail.language, &site, &values)
        .map_err(|error| Failed::again(error.to_string()))?;
    let Rendered { text, html, .. } = rendered.clone();
    let subject = rendered.subject.clone();
    let message = compose(settings, mail.id, &mail.mailbox, mail.created_at, rendered)
        .map_err(|error| Failed::for_good(error.to_string()))?;
    let connection = match way {
        Way::Sink => {
            state.post.sink.keep(Kept {
                id: mail.id,
                at: mail.created_at,
                to: mail.mailbox.as_str().to_owned(),
                template: mail.template.clone(),
                language: mail.language.clone(),
                subject,
                text,
                html,
                source: String::from_utf8_lossy(&message.formatted()).into_owned(),
                link: values
                    .get("link")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
                code: values
                    .get("code")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            });
            return Ok(());
        }
        Way::Smtp(connection) => connection,
    };
    match tokio::time::timeout(settings.timeout, connection.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(of_smtp(&error)),
        Err(_) => Err(Failed::again("the server took too long")),
    }
}

/// What the template is given, and until when that is of use.
fn opened(state: &State, mail: &Mail) -> Result<(Map<String, Value>, Option<Timestamp>), Failed> {
    let content = mail
        .open(&state.post.key)
        .ok_or_else(|| Failed::for_good("it was sealed under another SECRET_KEY"))?;
    let unreadable = || Failed::for_good("what it says cannot be read");
    let mut content: Map<String, Value> =
        serde_json::from_slice(content.expose()).map_err(|_| unreadable())?;
    let expires_at = content.get("expires_at").and_then(Value::as_str);
    let expires_at = expires_at.map(str::parse).transpose();
    let expires_at = expires_at.map_err(|_| unreadable())?;
    match content.remove("values") {
        Some(Value::Object(values)) => Ok((values, expires_at)),
        _ => Err(unreadable()),
    }
}

/// An error of the server or the way to it. The server's own words often hold the address, so its
/// code alone is kept.
fn of_smtp(error: &lettre::transport::smtp::Error) -> Failed {
    let code = error.status().map(u16::from);
    match code {
        // The server does not know us, or wants another login: that is for the operator to mend.
        Some(code @ (530 | 534 | 535 | 538)) => {
            Failed::again(format!("the server answered {code}: it refuses the login"))
        }
        Some(code) if error.is_permanent() => {
            Failed::for_good(format!("the server answered {code}"))
        }
        Some(code) => Failed::again(format!("the server answered {code}")),
        None if error.is_tls() || is_of_tls(error) => Failed::again("TLS with the server failed"),
        None if error.is_timeout() => Failed::again("the server took too long"),
        None if error.is_client() => {
            Failed::again("the server lacks what the mail or the login needs, as STARTTLS")
        }
        None => Failed::again("the server cannot be reached"),
    }
}

/// Whether TLS is the cause behind an error: a certificate that nobody stands behind, say.
fn is_of_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>();
        let inner = inner.and_then(std::io::Error::get_ref);
        let is_wrapped = match inner {
            Some(inner) => inner.is::<rustls::Error>(),
            None => false,
        };
        if is_wrapped || error.is::<rustls::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn without_values(error: &StoreError) -> String {
    match error {
        StoreError::Db(error) => error.without_values(),
        other => other.to_string(),
    }
}
