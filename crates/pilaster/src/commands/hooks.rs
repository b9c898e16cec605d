//! `hooks list | failed | retry | discard | backfill`

mod backfill;

use std::collections::BTreeMap;

use rest::{Event, Hook};
use serde_json::{Value, json};
use server::{LOGOUTS, Webhook};
use store::deliveries::{self, Delivery, Standing};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::cli::Hooks as Verb;
use crate::commands::confirm::confirm;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

/// Failures that are shown at once.
const SHOWN: u64 = 1_000;

pub(super) async fn run(configuration: &Configuration, verb: &Verb, as_json: bool) -> Outcome {
    let accounts = Accounts::open(configuration).await?;
    match verb {
        Verb::List => list(&accounts, as_json).await,
        Verb::Failed => failures(&accounts.store, as_json).await,
        Verb::Retry { id, all: _ } => retry(&accounts.store, id.as_deref(), as_json).await,
        Verb::Discard {
            what,
            confirm: given,
        } => discard(&accounts.store, what, given.as_deref(), as_json).await,
        Verb::Backfill { event, stamp } => {
            let event = Event::of_name(event)
                .ok_or_else(|| Failure::usage(format!("there is no event {event}")))?;
            backfill::run(&accounts, event, *stamp, as_json).await
        }
    }
}

fn failed(store: &Store, error: StoreError) -> Failure {
    match error {
        StoreError::Db(error) => Failure::database(&store.db.description(), &error),
        other => Failure::failed(other.to_string()),
    }
}

async fn list(accounts: &Accounts, as_json: bool) -> Outcome {
    let standing = deliveries::standing(&accounts.store).await;
    let standing = standing.map_err(|error| failed(&accounts.store, error))?;
    let mut standing: BTreeMap<String, Standing> = standing
        .into_iter()
        .map(|standing| (standing.target.clone(), standing))
        .collect();
    let mut counts = |target: &str| {
        let known = standing.remove(target);
        known.map_or((0, 0), |standing| (standing.waiting, standing.dead))
    };
    let hooks = accounts
        .hooks
        .iter()
        .map(|hook| shown_hook(hook, &mut counts));
    let hooks: Vec<Value> = hooks.collect();
    let webhooks = accounts.settings.webhooks.list.iter();
    let webhooks: Vec<Value> = webhooks
        .map(|webhook| shown_webhook(webhook, &mut counts))
        .collect();
    let (waiting, dead) = counts(LOGOUTS);
    let logouts = json!({"waiting": waiting, "dead": dead});
    // Of a file that is gone, of a webhook that pilaster.toml does not name any more.
    let orphans: Vec<Value> = standing
        .into_values()
        .map(|left| json!({"target": left.target, "waiting": left.waiting, "dead": left.dead}))
        .collect();
    let shown =
        json!({"hooks": hooks, "webhooks": webhooks, "logouts": logouts, "orphans": orphans});
    if as_json {
        println!("{shown}");
        return Ok(());
    }
    let line = |name: &str, what: &str, entry: &Value| {
        let (waiting, dead) = (&entry["waiting"], &entry["dead"]);
        println!("{name:<32} {what:<40} {waiting} waiting, {dead} dead");
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for hook in &hooks {
        line(&text(&hook["file"]), &text(&hook["mode"]), hook);
    }
    for webhook in &webhooks {
        line(&text(&webhook["name"]), &text(&webhook["url"]), webhook);
    }
    if waiting > 0 || dead > 0 {
        line(LOGOUTS, "clients are told of logouts", &logouts);
    }
    for orphan in &orphans {
        line(&text(&orphan["target"]), "is not there any more", orphan);
    }
    if hooks.is_empty() && webhooks.is_empty() && orphans.is_empty() {
        println!("nothing is told: there is no file in hooks/ and no [webhooks.NAME]");
    }
    Ok(())
}

type Counts<'c> = &'c mut dyn FnMut(&str) -> (i64, i64);

fn shown_hook(hook: &Hook, counts: Counts<'_>) -> Value {
    let file = hook.event.path();
    let (waiting, dead) = counts(&file);
    json!({
        "event": hook.event.name(), "file": file, "mode": hook.mode.name(),
        "waiting": waiting, "dead": dead,
    })
}

fn shown_webhook(webhook: &Webhook, counts: Counts<'_>) -> Value {
    let (waiting, dead) = counts(&webhook.target());
    let events: Vec<&str> = webhook.events.iter().map(|event| event.name()).collect();
    json!({
        "name": webhook.target(), "url": webhook.url.origin(), "events": events,
        "waiting": waiting, "dead": dead,
    })
}

async fn failures(store: &Store, as_json: bool) -> Outcome {
    let found = deliveries::failures(store, SHOWN).await;
    let found = found.map_err(|error| failed(store, error))?;
    let dead = found.iter().filter(|one| one.dead_at.is_some()).count();
    if as_json {
        let list: Vec<Value> = found.iter().map(shown_failure).collect();
        println!("{}", json!(list));
    } else {
        for failure in &found {
            let state = match failure.dead_at {
                Some(moment) => format!("dead since {moment:.0}"),
                None => format!("tried again at {:.0}", failure.due_at),
            };
            let (attempts, target) = (failure.attempts, &failure.target);
            println!(
                "{} {target} {}, {attempts} attempt(s), {state}",
                failure.id, failure.event
            );
            println!("  {}", failure.last_error.as_deref().unwrap_or_default());
        }
        if found.is_empty() {
            println!("no delivery has failed");
        }
    }
    match dead {
        0 => Ok(()),
        dead => Err(Failure::findings(format!("{dead} dead letter(s)"))
            .fix("mend the cause, then pilaster hooks retry --all")),
    }
}

/// Without the message: what people say of themselves stands in it.
fn shown_failure(failure: &Delivery) -> Value {
    let moment = |moment: jiff::Timestamp| format!("{moment:.6}");
    json!({
        "id": failure.id.to_string(),
        "event_id": failure.event_id.to_string(),
        "event": failure.event,
        "target": failure.target,
        "state": if failure.dead_at.is_some() { "dead" } else { "retrying" },
        "attempts": failure.attempts,
        "error": failure.last_error,
        "created_at": moment(failure.created_at),
        "dead_at": failure.dead_at.map(moment),
        "next_attempt_at": failure.dead_at.is_none().then(|| moment(failure.due_at)),
    })
}

/// Refuses an id that no failed delivery has.
fn there_was(found: bool, id: Uuid) -> Outcome {
    match found {
        true => Ok(()),
        false => Err(Failure::failed(format!(
            "no failed delivery has the id {id}, or it is being delivered now"
        ))
        .fix("pilaster hooks failed lists them")),
    }
}

async fn discard(store: &Store, what: &str, given: Option<&str>, as_json: bool) -> Outcome {
    let discarded = match Uuid::try_parse(what) {
        Ok(id) => {
            let found = deliveries::discard_one(store, id).await;
            there_was(found.map_err(|error| failed(store, error))?, id)?;
            1
        }
        Err(_) => {
            confirm("discard all deliveries to", what, given)?;
            let gone = deliveries::discard_all(store, what).await;
            gone.map_err(|error| failed(store, error))?
        }
    };
    match as_json {
        true => println!("{}", json!({"discarded": discarded})),
        false => println!("{discarded} delivery(ies) are gone"),
    }
    Ok(())
}

async fn retry(store: &Store, id: Option<&str>, as_json: bool) -> Outcome {
    let retried = match id {
        None => deliveries::retry_all(store)
            .await
            .map_err(|error| failed(store, error))?,
        Some(text) => {
            let id = Uuid::try_parse(text)
                .map_err(|_| Failure::usage(format!("{text} is no delivery's id")))?;
            let found = deliveries::retry_one(store, id).await;
            there_was(found.map_err(|error| failed(store, error))?, id)?;
            1
        }
    };
    match as_json {
        true => println!("{}", json!({"retried": retried})),
        false => println!("{retried} delivery(ies) are due; a running server takes them at once"),
    }
    Ok(())
}
