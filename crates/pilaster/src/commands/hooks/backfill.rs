//! `hooks backfill`: a hook file for the accounts that it has not run for.

use rest::Event;
use serde_json::json;
use sql::{DbError, Step};
use store::hook_runs::{self, Happens};
use store::users::User;
use uuid::Uuid;

use super::failed;
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

/// Accounts that are read at once.
const PAGE: u64 = 200;

/// What became of one account.
enum Caught {
    Up,
    /// Somebody else was faster.
    Already,
    /// In words without values.
    Failed(String),
}

pub(super) async fn run(accounts: &Accounts, event: Event, stamp: bool, as_json: bool) -> Outcome {
    if accounts.hooks.of(event).is_none() {
        return Err(Failure::failed(format!("there is no {}", event.path())));
    }
    let happens = match event {
        Event::UserConfirmed => Happens::ToConfirmed,
        _ => Happens::ToAll,
    };
    let (mut ran, mut failures) = (0_u64, Vec::new());
    let mut after = None;
    loop {
        let page = hook_runs::missing(&accounts.store, event.name(), happens, after, PAGE).await;
        let page = page.map_err(|error| failed(&accounts.store, error))?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.id);
        for user in &page {
            match one(accounts, event, user, stamp).await? {
                Caught::Up => ran += 1,
                Caught::Already => {}
                Caught::Failed(error) => failures.push((user.id, error)),
            }
        }
    }
    report(event, ran, &failures, stamp, as_json)
}

/// One account in a unit of its own: the mark that it ran, and what it does.
async fn one(accounts: &Accounts, event: Event, user: &User, stamp: bool) -> Outcome<Caught> {
    let store = &accounts.store;
    let unit: Vec<Step> = match stamp {
        true => vec![hook_runs::mark_step(store, user.id, event.name())],
        false => match accounts.announcer().backfill_steps(event, user) {
            Some(unit) => unit,
            None => return Ok(Caught::Already),
        },
    };
    let Err(error) = store.db.write(unit).await else {
        return Ok(Caught::Up);
    };
    if let DbError::Unavailable(_) | DbError::ReadOnly | DbError::Denied(_) | DbError::Full(_) =
        error
    {
        return Err(Failure::database(&store.db.description(), &error));
    }
    let has_run = hook_runs::has_run(store, user.id, event.name()).await;
    match has_run.map_err(|error| failed(store, error))? {
        true => Ok(Caught::Already),
        false => Ok(Caught::Failed(error.without_values())),
    }
}

fn report(
    event: Event,
    ran: u64,
    failures: &[(Uuid, String)],
    stamp: bool,
    as_json: bool,
) -> Outcome {
    if as_json {
        let list: Vec<_> = failures
            .iter()
            .map(|(user, error)| json!({"user_id": user.to_string(), "error": error}))
            .collect();
        println!(
            "{}",
            json!({"event": event.name(), "ran": ran, "failed": list})
        );
    } else {
        let path = event.path();
        match stamp {
            true => println!("{path} counts as run for {ran} more account(s)"),
            false => println!("{path} ran, or is in the outbox, for {ran} account(s)"),
        }
        for (user, error) in failures {
            println!("{user} failed: {error}");
        }
    }
    match failures.len() {
        0 => Ok(()),
        some => Err(
            Failure::failed(format!("{some} account(s) could not be caught up on")).fix(
                "mend the file and run the same again; where its rows are there already, --stamp",
            ),
        ),
    }
}
