//! `audit`: who did what to whom.

use jiff::Timestamp;
use serde_json::{Value, json};
use server::EmailAddress;
use stdx::{Clock, Rng, parse_duration};
use store::audit::{self, Act, Filter, Line};
use store::users::{self, LoginName};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::cli::AuditFilter;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::connect;

pub(super) async fn run(
    configuration: &Configuration,
    asked: &AuditFilter,
    as_json: bool,
) -> Outcome {
    let act = asked.act.as_deref().map(act).transpose()?;
    let store = Store::new(connect(configuration).await?, Clock::System, Rng::System);
    let since = asked.since.as_deref().map(|text| since(&store, text));
    let mut filter = Filter {
        act,
        since: since.transpose()?,
        ..Filter::default()
    };
    let failed = |error: StoreError| match error {
        StoreError::Db(error) => Failure::database(&store.db.description(), &error),
        other => Failure::failed(other.to_string()),
    };
    if let Some(user) = &asked.user {
        let found = match (Uuid::try_parse(user), LoginName::parse(user)) {
            (Ok(id), _) => {
                filter.user = Some(id);
                None
            }
            (_, Some(LoginName::Email(email))) => {
                users::by_email(&store, &email).await.map_err(failed)?
            }
            (_, Some(LoginName::Username(name))) => {
                let found = users::by_username(&store, &name).await.map_err(failed)?;
                let missing = || Failure::failed(format!("there is no account {user}"));
                Some(found.ok_or_else(missing)?)
            }
            (_, None) => return Err(Failure::usage(format!("{user} is no account"))),
        };
        filter.user = filter.user.or(found.map(|found| found.id));
        filter.name = EmailAddress::parse(user)
            .ok()
            .map(|email| email.to_string());
    }
    let lines = audit::list(&store, &filter, asked.limit)
        .await
        .map_err(failed)?;
    for line in &lines {
        match as_json {
            true => println!("{}", shown(line)),
            false => print(line),
        }
    }
    Ok(())
}

fn act(name: &str) -> Outcome<Act> {
    Act::of_name(name).ok_or_else(|| {
        let names = Act::ALL.map(Act::name);
        let failure = Failure::usage(format!("there is no act {name}"));
        match stdx::nearest(name, names) {
            Some(near) => failure.fix(format!("did you mean {near}?")),
            None => failure.fix(format!("acts are {}", names.join(", "))),
        }
    })
}

/// A moment, or so long ago.
fn since(store: &Store, text: &str) -> Outcome<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let wrong =
        || Failure::usage("--since takes a time, as 30d, or a moment, as 2026-11-21T10:00:00Z");
    let time = parse_duration(text).map_err(|_| wrong())?;
    store.clock.now().checked_sub(time).map_err(|_| wrong())
}

fn shown(line: &Line) -> Value {
    let details = line.details.as_deref().map(serde_json::from_str::<Value>);
    json!({
        "id": line.id.to_string(), "at": format!("{:.6}", line.at), "act": line.act,
        "actor_id": line.actor_id.map(|id| id.to_string()), "actor": line.actor,
        "target_id": line.target_id.map(|id| id.to_string()), "target": line.target,
        "address": line.address, "request_id": line.request_id,
        "details": details.and_then(Result::ok),
    })
}

fn print(line: &Line) {
    let (at, target) = (
        format!("{:.0}", line.at),
        line.target.as_deref().unwrap_or("-"),
    );
    let details = line.details.as_deref().unwrap_or_default();
    println!("{at} {:<24} {} -> {target} {details}", line.act, line.actor);
}
